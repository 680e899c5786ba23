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

/// Opens a page with tests/readers/browser.py and returns what that observed. Asserts that there are no console messages,
/// no accessibility violations, no requests but for local files, and no horizontal overflow.
fn open_page(browser: &Path, page: &Path, screenshots: &Path) -> Value {
    let mut reader = reader_script("browser.py");
    reader.arg(browser).arg(screenshots);
    let found = read_with(reader, page);
    assert_eq!(found["console"], serde_json::json!([]), "{}", page.display());
    assert_eq!(found["axe"], serde_json::json!([]), "{}", page.display());
    for request in found["requests"].as_array().unwrap() {
        assert!(request.as_str().unwrap().starts_with("file:///"), "{request}");
    }
    for (view, pixels) in found["overflow"].as_object().unwrap() {
        assert!(pixels.as_i64().unwrap() <= 0, "{view} is {pixels} pixels too wide");
    }
    found
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
        lines.push(Line::Frame(FrameLine { frame: n, pts: n * 100_000_000, faces }));
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

/// Makes the report of a timeline of `seconds`, in a folder that is kept.
fn make_report(name: &str, seconds: u64) -> PathBuf {
    let folder = paths::kept_folder(&format!("report/{name}"));
    fs::write(folder.join("timeline.jsonl"), make_timeline(seconds)).unwrap();
    mood(&["report", folder.to_str().unwrap()]);
    folder.join("report.html")
}

#[test]
fn the_report_can_be_used_with_mouse_and_keys_and_escapes_titles() {
    let Some(browser) = find_browser() else { return };
    let page = make_report("everything", 600);
    let found = open_page(&browser, &page, page.parent().unwrap());
    let text = |key: &str| found[key].as_str().unwrap_or_else(|| panic!("{key}: {found}")).to_owned();
    let hover = text("hover");
    assert!(hover.starts_with("4:59") || hover.starts_with("5:00"), "the middle of ten minutes: {hover}");
    assert!(hover.contains(" %") && hover.contains("valence") && hover.contains("Piece"), "{hover}");
    assert!(
        text("keys").starts_with("1:00 "),
        "a hundred key presses are a tenth of the session: {}",
        text("keys")
    );
    assert_eq!(text("keys"), text("spoken"));
    assert!(text("at first").starts_with("0:00"));
    let body = text("text");
    for part in [
        "most of all",
        "Share of time",
        "Episodes",
        "Response to music",
        "not felt emotion",
        "medical device",
    ] {
        assert!(body.contains(part), "{part}");
    }
    assert!(body.contains("</script><img src=x onerror=alert(1)>"), "titles are escaped");
    assert!(!body.contains("NaN") && !body.contains("undefined"));
    assert!(found["video"].is_null());
    let pages = found["printed"].as_u64().unwrap();
    assert!((1..=6).contains(&pages), "{pages} pages of A4");
}

#[test]
fn the_report_of_two_hours_stays_small() {
    let Some(browser) = find_browser() else { return };
    let page = make_report("long", 7200);
    let size = fs::metadata(&page).unwrap().len();
    println!("{size} bytes");
    assert!(size < 3_000_000, "{size}");
    let found = open_page(&browser, &page, page.parent().unwrap());
    println!("opened in {} s", found["seconds"]);
    assert!(
        found["hover"].as_str().unwrap().contains("1:00:0")
            || found["hover"].as_str().unwrap().contains("59:5")
    );
}

#[test]
fn empty_and_very_short_sessions_have_a_report() {
    let Some(browser) = find_browser() else { return };
    let page = make_report("empty", 0);
    open_page(&browser, &page, page.parent().unwrap());
    let page = make_report("short", 1);
    open_page(&browser, &page, page.parent().unwrap());
}

#[test]
fn a_click_on_the_plot_seeks_the_video() {
    let (Some(browser), Some(clip)) = (find_browser(), media("video/single_face.mp4")) else { return };
    let folder = paths::kept_folder("report/video");
    let (clip, out) = (clip.to_str().unwrap(), folder.to_str().unwrap());
    audio::make_library(&folder.join("music"));
    let music = folder.join("music");
    mood(&["process", clip, "-o", out, "--overlay", "--library", music.to_str().unwrap()]);
    let found = open_page(&browser, &folder.join("single_face/report.html"), &folder);
    assert!(found["hover"].as_str().unwrap().starts_with("0:01"), "{found}");
    let [position, duration] = [0, 1].map(|index| found["video"][index].as_f64().unwrap());
    assert!((position - duration / 2.0).abs() < 0.1, "{position} of {duration} s");
}

#[test]
fn several_sessions_are_compared_on_one_page() {
    let Some(browser) = find_browser() else { return };
    let sessions = ["one", "two", "three"].map(|name| {
        let folder = paths::kept_folder(&format!("report/{name}"));
        fs::write(folder.join("timeline.jsonl"), make_timeline(300)).unwrap();
        folder.to_str().unwrap().to_owned()
    });
    let folder = paths::kept_folder("report/comparison");
    let page = folder.join("comparison.html");
    let [one, two, three] = &sessions;
    mood(&["report", one, two, three, "-o", page.to_str().unwrap()]);
    let found = open_page(&browser, &page, &folder);
    let body = found["text"].as_str().unwrap();
    assert!(body.contains("3 sessions are compared") && body.contains("no clear change"), "{body}");
    run(gst_mood(&["report", one, "/nowhere/x"]), TIMEOUT).assert_error(&["/nowhere/x"]);
}
