//! The report in a real browser, used as people use it: mouse, keys, screen reader's tree, dark, narrow, on paper.
//! The pictures stay in target/tests/report.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use mood_schema::{
    Affect, Classification, Emotion, Face, FrameLine, Label, Line, MoodLine, Rect, SessionHeader, TrackEvent,
    TrackLine,
};
use mood_tests::process::LIMIT;
use mood_tests::reader::{read, reader};
use mood_tests::{gst_mood, media, place, run, sound};
use serde_json::Value;

/// A browser's name, or `None` with a printed reason.
fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let found = names.into_iter().find(|name| folders.iter().any(|folder| folder.join(name).is_file()));
    if found.is_none() {
        println!("skipped: none of {names:?}; Debian's package chromium has one");
    }
    found
}

/// Opens a page and uses it; nothing may complain, be loaded, overflow, or be out of reach.
fn used(browser: &str, page: &Path, pictures: &Path) -> Value {
    let mut use_it = reader("browser.py");
    use_it.arg(which(browser)).arg(pictures);
    let found = read(use_it, page);
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

fn which(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file()).unwrap()
}

fn mood(arguments: &[&str]) -> String {
    let mut mood = gst_mood(arguments);
    mood.env_remove("GST_PLUGIN_PATH");
    run(mood, LIMIT).ok().stdout
}

/// Titles that would be markup, script or policy if they were not text.
const EVIL: &str = "</script><img src=x onerror=alert(1)> \"' & <!--";

/// A session of so many seconds, ten frames each, with everything a report can show.
fn session(seconds: u64) -> String {
    let session = SessionHeader {
        schema: 1,
        generator: "test".into(),
        source: Some(format!("file:///{EVIL}.mp4")),
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
            affect: Affect::from_distribution(&probabilities),
        };
        let face = |id, x| Face {
            id,
            bbox: Rect { x, y: 0.2, w: 0.2, h: 0.3 },
            classification: Some(classification.clone()),
            quality: 0.7,
            roll: 0.0,
        };
        let faces = match n % 900 {
            0..40 => vec![],
            40..200 => vec![face(1, 0.1), face(2, 0.6)],
            _ => vec![face(1, 0.1)],
        };
        lines.push(Line::Frame(FrameLine { frame: n, pts: n * 100_000_000, faces }));
        if n % 600 == 0 {
            let title = if n == 0 { EVIL.to_owned() } else { format!("Piece {}", n / 600) };
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

/// The page of a timeline, in a folder that stays.
fn page(name: &str, seconds: u64) -> PathBuf {
    let folder = place::lasting_folder(&format!("report/{name}"));
    fs::write(folder.join("timeline.jsonl"), session(seconds)).unwrap();
    mood(&["report", folder.to_str().unwrap()]);
    folder.join("report.html")
}

#[test]
fn a_session_with_everything() {
    let Some(browser) = browser() else { return };
    let page = page("everything", 600);
    let found = used(browser, &page, page.parent().unwrap());
    let text = |key: &str| found[key].as_str().unwrap_or_else(|| panic!("{key}: {found}")).to_owned();
    let hover = text("hover");
    assert!(hover.starts_with("4:59") || hover.starts_with("5:00"), "the middle of ten minutes: {hover}");
    assert!(hover.contains(" %") && hover.contains("valence") && hover.contains("Piece"), "{hover}");
    assert!(text("keys").starts_with("1:00 "), "a tenth by keys: {}", text("keys"));
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
    assert!(body.contains("</script><img src=x onerror=alert(1)>"), "titles are texts");
    assert!(!body.contains("NaN") && !body.contains("undefined"));
    assert!(found["film"].is_null());
    let pages = found["printed"].as_u64().unwrap();
    assert!((1..=6).contains(&pages), "{pages} pages of A4");
}

#[test]
fn two_hours_are_light() {
    let Some(browser) = browser() else { return };
    let page = page("long", 7200);
    let size = fs::metadata(&page).unwrap().len();
    println!("{size} bytes");
    assert!(size < 3_000_000, "{size}");
    let found = used(browser, &page, page.parent().unwrap());
    println!("opened in {} s", found["seconds"]);
    assert!(
        found["hover"].as_str().unwrap().contains("1:00:0")
            || found["hover"].as_str().unwrap().contains("59:5")
    );
}

#[test]
fn odd_sessions_have_a_page_too() {
    let Some(browser) = browser() else { return };
    let page = page("empty", 0);
    used(browser, &page, page.parent().unwrap());
    let page = self::page("short", 1);
    used(browser, &page, page.parent().unwrap());
}

#[test]
fn a_click_seeks_the_film() {
    let (Some(browser), Some(clip)) = (browser(), media("video/single_face.mp4")) else { return };
    let folder = place::lasting_folder("report/film");
    let (clip, out) = (clip.to_str().unwrap(), folder.to_str().unwrap());
    sound::library(&folder.join("music"));
    let music = folder.join("music");
    mood(&["process", clip, "-o", out, "--overlay", "--library", music.to_str().unwrap()]);
    let found = used(browser, &folder.join("single_face/report.html"), &folder);
    assert!(found["hover"].as_str().unwrap().starts_with("0:01"), "{found}");
    let [at, length] = [0, 1].map(|index| found["film"][index].as_f64().unwrap());
    assert!((at - length / 2.0).abs() < 0.1, "{at} of {length} s");
}

#[test]
fn several_sessions_side_by_side() {
    let Some(browser) = browser() else { return };
    let sessions = ["one", "two", "three"].map(|name| {
        let folder = place::lasting_folder(&format!("report/{name}"));
        fs::write(folder.join("timeline.jsonl"), session(300)).unwrap();
        folder.to_str().unwrap().to_owned()
    });
    let folder = place::lasting_folder("report/comparison");
    let page = folder.join("comparison.html");
    let [one, two, three] = &sessions;
    mood(&["report", one, two, three, "-o", page.to_str().unwrap()]);
    let found = used(browser, &page, &folder);
    let body = found["text"].as_str().unwrap();
    assert!(body.contains("3 sessions are compared") && body.contains("no clear change"), "{body}");
    run(gst_mood(&["report", one, "/nowhere/x"]), LIMIT).fails_with(&["/nowhere/x"]);
}
