//! The demo's report in a real browser: it renders, its policy lets its own style and script in and nothing else.

use std::fs;
use std::path::Path;
use std::time::Duration;

use mood_tests::{Done, command, run};

use crate::demo;

/// A browser, or `None` with a printed reason.
fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let there = |name: &&&str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
    };
    let found = names.iter().find(there).copied();
    if found.is_none() {
        println!("skipped: none of {names:?}; Debian's package chromium has one");
    }
    found
}

/// Opens a page without a screen; the page as it stands then is on stdout, the console's words are on stderr.
fn open(browser: &str, page: &Path) -> Done {
    let profile = tempfile::tempdir().unwrap();
    let mut open = command(browser);
    open.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--enable-logging=stderr",
        "--dump-dom",
    ]);
    open.arg(format!("--user-data-dir={}", profile.path().display())).env("HOME", profile.path());
    open.arg(format!("file://{}", page.display()));
    run(open, Duration::from_secs(90)).ok()
}

fn console(done: &Done) -> Vec<&str> {
    done.stderr.lines().filter(|line| line.contains("CONSOLE")).collect()
}

#[test]
fn it_renders_without_a_complaint() {
    let Some(browser) = browser() else { return };
    let done = open(browser, &demo().join("report.html"));
    assert_eq!(console(&done), [""; 0]);
    let page = &done.stdout;
    for part in ["<h1>", "<svg", "<figure", "Content-Security-Policy"] {
        assert!(page.contains(part), "{part} in the page");
    }
    for table in ["Who showed what", "What was played", "Half a minute before and after"] {
        assert!(page.contains(table), "{table}");
    }
    for title in ["Level Ground", "Sunny Side", "Rain on Glass", "Trapdoor"] {
        assert!(page.contains(title), "{title}");
    }
    for word in ["neutral", "happy", "sad", "surprise"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(page.contains("not felt emotion"), "it says what it cannot know");
    assert_eq!(page.matches("src=").count(), 1, "the film beside it");
    assert!(page.contains(r#"src="annotated.mp4""#) && !page.contains("NaN"));
}

/// What shows that the test above would notice.
#[test]
fn its_policy_forbids_what_should_never_be_there() {
    let Some(browser) = browser() else { return };
    let page = fs::read_to_string(demo().join("report.html")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tampered = folder.path().join("tampered.html");
    let bad = r#"<script>document.title = "run"</script><style>body { color: red }</style></body>"#;
    fs::write(&tampered, page.replace("</body>", bad)).unwrap();
    let done = open(browser, &tampered);
    let said = console(&done);
    assert!(said.len() >= 2, "{said:?}\n{done}");
    assert!(said.iter().all(|line| line.contains("Content Security Policy")), "{said:?}");
    assert!(!done.stdout.contains("<title>run"));
}
