//! The report in a real browser: mouse, keys, accessibility, dark mode, narrow screens, print. Screenshots are kept in
//! target/tests/report.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use mood_schema::{
    Affect, Classification, Emotion, Face, FrameLine, Label, Line, MoodLine, Rect, SessionHeader, TrackEvent,
    TrackLine,
};
use mood_tests::browser::find_browser;
use mood_tests::process::TIMEOUT;
use mood_tests::readers::{read_with, reader_script};
use mood_tests::{audio, gst_mood, media, paths, run};
use serde_json::Value;

/// Opens all pages in the folders of `pages` with tests/readers/browser.py and returns what that observed, by folder. Asserts
/// that there are no console messages, no accessibility violations, no requests but for local files, and no horizontal overflow.
fn open_pages(browser: &Path, clip: Option<&Path>, pages: &Path) -> Value {
    let mut reader = reader_script("browser.py");
    reader.arg(browser).arg(clip.unwrap_or(Path::new(""))).arg("everything,film,comparison");
    let all = read_with(reader, pages);
    for (name, found) in all.as_object().unwrap() {
        assert_eq!(found["console"], serde_json::json!([]), "{name}");
        assert_eq!(found["axe"], serde_json::json!([]), "{name}");
        for request in found["requests"].as_array().unwrap() {
            let request = request.as_str().unwrap();
            // The film that is picked has an address of its own.
            assert!(request.starts_with("file:///") || request.starts_with("blob:"), "{name}: {request}");
        }
        for (view, pixels) in found["overflow"].as_object().unwrap() {
            assert!(pixels.as_i64().unwrap() <= 0, "{name}: {view} is {pixels} pixels too wide");
        }
        let text = found["text"].as_str().unwrap();
        assert!(
            !text.contains("NaN") && !text.contains("undefined") && text.contains("not felt emotion"),
            "{name}"
        );
        assert!(!found["print text"].as_str().unwrap().contains("click"), "{name}");
        println!("{name}: opened in {} s at most", found["seconds"]);
    }
    all
}

/// Runs `gst-mood` and returns its standard output.
fn mood(arguments: &[&str]) -> String {
    let mut command = gst_mood(arguments);
    command.env_remove("GST_PLUGIN_PATH");
    run(command, TIMEOUT).assert_success().stdout
}

/// A title that would run a script where it is not escaped.
const SCRIPT_TITLE: &str = "</script><img src=x onerror=alert(1)> \"' & <!--";

/// The text of a timeline with faces, moods and tracks, ten frames a second.
fn make_timeline(seconds: u64) -> String {
    let session = SessionHeader {
        schema: 1,
        generator: "test".into(),
        source: Some(format!("file:///{SCRIPT_TITLE}.mp4")),
        settings: Default::default(),
    };
    let emotions = [Emotion::Neutral, Emotion::Happy, Emotion::Sad, Emotion::Surprise, Emotion::Angry];
    let mut lines = vec![Line::Session(session)];
    let mut random = 1u64;
    for n in 0..seconds * 10 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let noise = (random >> 40) as f64 / (1u64 << 24) as f64;
        let shown = emotions[(n / 170 % 5) as usize];
        let mut probabilities = [0.02 + noise / 70.0; 7];
        probabilities[shown.index()] = 0.0;
        probabilities[shown.index()] = 1.0 - probabilities.iter().sum::<f64>();
        let classification = Classification {
            label: if n % 400 < 20 { Label::Uncertain } else { shown.into() },
            confidence: probabilities[shown.index()],
            probabilities,
            raw: None,
            affect: Affect::from_distribution(&probabilities),
        };
        let face = |id, x| Face {
            id,
            bbox: Rect { x, y: 0.2, w: 0.2, h: 0.3 },
            classification: Some(classification.clone()),
            quality: 0.7,
            roll: 0.0,
            source: Default::default(),
            resembles: None,
            quality_limit: None,
        };
        let faces = match n % 900 {
            0..40 => vec![],
            40..200 => vec![face(1, 0.1), face(2, 0.6)],
            _ => vec![face(1, 0.1)],
        };
        lines.push(Line::Frame(FrameLine { frame: n, pts: n * 100_000_000, faces, shot: 0 }));
        if n % 600 == 0 {
            let title = if n == 0 { SCRIPT_TITLE.to_owned() } else { format!("Piece {}", n / 600) };
            let (pts, uri) = (n * 100_000_000, format!("file:///{n}"));
            lines.push(Line::Mood(MoodLine {
                pts,
                from: emotions[(n / 600 % 5) as usize].into(),
                to: emotions[(n / 600 + 1) as usize % 5].into(),
                confidence: 0.8,
                evidence: [0, pts],
            }));
            lines.push(Line::Track(TrackLine {
                pts,
                event: TrackEvent::Started,
                uri,
                title,
                mood: Some(shown.into()),
                distance: Some(0.2),
                reason: "nearest".into(),
                runners_up: vec![],
            }));
        }
    }
    lines.iter().map(|line| line.to_json() + "\n").collect()
}

/// Makes the report of a timeline of `seconds` in a folder of `pages`.
fn make_report(pages: &Path, name: &str, seconds: u64) -> PathBuf {
    let folder = pages.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("timeline.jsonl"), make_timeline(seconds)).unwrap();
    mood(&["report", folder.to_str().unwrap()]);
    folder.join("report.html")
}

/// All pages in one browser, which takes longer to start than to show a page.
#[test]
fn reports_can_be_used_with_mouse_and_keys_on_screens_and_paper() {
    let Some(browser) = find_browser() else { return };
    let clip = media("video/single_face.mp4");
    let pages = paths::kept_folder("report");
    make_report(&pages, "everything", 600);
    let long = make_report(&pages, "long", 7200);
    make_report(&pages, "empty", 0);
    make_report(&pages, "short", 1);
    if let Some(clip) = &clip {
        process_film(&pages, clip);
    }
    let size = fs::metadata(&long).unwrap().len();
    assert!(size < 450_000, "two hours are {size} bytes");
    compare_sessions(&pages);

    let all = open_pages(&browser, clip.as_deref(), &pages);
    let names: Vec<&String> = all.as_object().unwrap().keys().collect();
    let expected = ["comparison", "empty", "everything", "film", "long", "short"];
    let expected = expected.iter().filter(|name| clip.is_some() || **name != "film");
    assert!(names.iter().copied().eq(expected), "{names:?}");
    let text =
        |page: &str, key: &str| all[page][key].as_str().unwrap_or_else(|| panic!("{page} {key}")).to_owned();

    let hover = text("everything", "hover");
    assert!(hover.starts_with("4:59") || hover.starts_with("5:00"), "the middle of ten minutes: {hover}");
    assert!(hover.contains(" %") && hover.contains("valence") && hover.contains("Piece"), "{hover}");
    assert_eq!(text("everything", "after the click"), hover, "a click stays");
    let zoomed = text("everything", "zoomed");
    assert!(zoomed.starts_with("3:4") && zoomed.contains(" to 6:1"), "a quarter around the moment: {zoomed}");
    let ends: Vec<&str> = zoomed.split(" to ").collect();
    let hovered = &all["everything"]["zoomed hover"];
    assert!(
        hovered[0].as_str().unwrap()[..3] == ends[0][..3]
            && hovered[1].as_str().unwrap()[..3] == ends[1][..3],
        "{hovered} {zoomed}"
    );
    let row = &all["everything"]["row"];
    let seconds = row[0].as_f64().unwrap() as u64;
    assert_eq!(row[1], format!("{}:{:02}", seconds / 60, seconds % 60), "a row goes to its moment");
    assert_eq!(all["everything"]["folded"][0], 8);
    assert!(all["everything"]["folded"][1].as_u64().unwrap() > 20);
    assert!(
        text("everything", "keys").starts_with("1:00\n"),
        "sixty key presses: {}",
        text("everything", "keys")
    );
    assert_eq!(text("everything", "keys").replace('\n', " \u{b7} "), text("everything", "spoken"));
    assert!(text("everything", "at first").starts_with("0:00"));
    let body = text("everything", "text");
    for part in
        ["most of all", "Share of time", "Episodes", "Response to music", "medical device", "number 2: "]
    {
        assert!(body.contains(part), "{part}");
    }
    assert!(body.contains("</script><img src=x onerror=alert(1)>"), "titles are escaped");
    let printed = all["everything"]["printed"].as_u64().unwrap();
    assert!((1..=9).contains(&printed), "{printed} pages of A4");
    // Without a film of ours, the reader picks the recording, which has subtitles and stays in view.
    assert_eq!(all["everything"]["film at first"], false);
    if clip.is_some() {
        assert!(all["everything"]["cues"].as_u64().unwrap() > 20);
        assert_eq!(all["everything"]["film stays"], true);
        check_film(&all["film"]);
    }
    let hover = text("long", "hover");
    assert!(hover.starts_with("1:00:0") || hover.starts_with("59:5"), "{hover}");

    let body = text("comparison", "text");
    assert!(body.contains("3 sessions are compared") && body.contains("no clear change"), "{body}");
}

/// Makes the results of a clip with notes, film and music in a folder of `pages`.
fn process_film(pages: &Path, clip: &Path) {
    let music = pages.join("music");
    audio::make_library(&music);
    fs::create_dir_all(pages.join("clip")).unwrap();
    let source = pages.join("clip/film.mp4");
    fs::copy(clip, &source).unwrap();
    let notes = "date = 2026-05-03\nnote = 'Drums.'\nconsent = 'signed 3 May 2026'\n[people.a]\nname = 'Ada'\nids = [1]";
    fs::write(source.with_extension("toml"), notes).unwrap();
    let [source, music, pages] = [&source, &music, pages].map(|path| path.to_str().unwrap());
    mood(&["process", source, "-o", pages, "--overlay", "--library", music]);
    // The film keeps the labels from before.
    let correction = Path::new(pages).join("clip/correction.csv");
    fs::write(&correction, "start,end,label,tier\n0.5,1,surprise,Ada\n").unwrap();
    let session = Path::new(pages).join("film");
    let paths = [&session, &correction].map(|path| path.to_str().unwrap());
    mood(&["correct", paths[0], paths[1], "--by", "Bo", "--partial"]);
}

/// Checks what was observed on the page of [`process_film`].
fn check_film(film: &Value) {
    assert!(film["hover"].as_str().unwrap().starts_with("0:01"), "{film}");
    let [position, duration] = [0, 1].map(|index| film["film"][index].as_f64().unwrap());
    assert!((position - duration / 2.0).abs() < 0.1, "{position} of {duration} s");
    assert!((film["row film"].as_f64().unwrap() - film["row"][0].as_f64().unwrap()).abs() < 0.05, "{film}");
    assert!(
        film["film stays"] == true && film["phone film"] == true && film["film at first"] == true,
        "{film}"
    );
    let body = film["text"].as_str().unwrap();
    assert!(
        body.contains("Recorded on Sunday 3 May 2026, as the notes say.") && body.contains("Drums."),
        "{body}"
    );
    assert!(
        body.contains("Ada showed") && body.contains("The labels drawn in the film are the program's"),
        "{body}"
    );
    // What a human changed is not what the resting face changed.
    assert!(body.contains("that changed no label for more than 1 % of the time"), "{body}");
    assert_eq!(film["subtitles"], "showing", "those of the corrected record");
    assert!(body.contains("Consent was given by Ada on 3 May 2026 ("), "{body}");
}

/// Makes a page that compares three sessions.
fn compare_sessions(pages: &Path) {
    let folder = pages.join("comparison");
    let sessions = ["one", "two", "three"].map(|name| {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("timeline.jsonl"), make_timeline(300)).unwrap();
        folder.to_str().unwrap().to_owned()
    });
    let page = folder.join("comparison.html");
    let [one, two, three] = &sessions;
    mood(&["report", one, two, three, "-o", page.to_str().unwrap()]);
    run(gst_mood(&["report", one, "/nowhere/x"]), TIMEOUT).assert_error(&["/nowhere/x"]);
}
