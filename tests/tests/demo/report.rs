//! The demo's report in a real browser: it renders, and its security policy blocks other styles and scripts.

use std::fs;
use std::path::Path;
use std::time::Duration;

use mood_tests::browser::find_browser;
use mood_tests::{ProcessOutput, command, run};

use crate::demo;

/// Opens a page in a headless browser. Standard output holds the resulting DOM, standard error the console messages.
fn open_page(browser: &Path, page: &Path) -> ProcessOutput {
    let profile = tempfile::tempdir().unwrap();
    let mut command = command(browser);
    command.args([
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
    command.arg(format!("--user-data-dir={}", profile.path().display())).env("HOME", profile.path());
    command.arg(format!("file://{}", page.display()));
    run(command, Duration::from_secs(90)).assert_success()
}

/// The console messages of a page.
fn console_messages(output: &ProcessOutput) -> Vec<&str> {
    output.stderr.lines().filter(|line| line.contains("CONSOLE")).collect()
}

#[test]
fn the_report_renders_without_console_messages() {
    let Some(browser) = find_browser() else { return };
    let output = open_page(&browser, &demo().join("report.html"));
    assert_eq!(console_messages(&output), [""; 0]);
    let page = &output.stdout;
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
    assert!(page.contains("not felt emotion"), "the note on the limits");
    assert_eq!(page.matches("src=").count(), 1, "the video and nothing else");
    assert!(page.contains(r#"src="annotated.mp4""#) && !page.contains("NaN"));
}

/// Shows that the test above would notice a violation.
#[test]
fn the_security_policy_blocks_foreign_scripts_and_styles() {
    let Some(browser) = find_browser() else { return };
    let page = fs::read_to_string(demo().join("report.html")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tampered = folder.path().join("tampered.html");
    let bad = r#"<script>document.title = "run"</script><style>body { color: red }</style></body>"#;
    fs::write(&tampered, page.replace("</body>", bad)).unwrap();
    let output = open_page(&browser, &tampered);
    let messages = console_messages(&output);
    assert!(messages.len() >= 2, "{messages:?}\n{output}");
    assert!(messages.iter().all(|line| line.contains("Content Security Policy")), "{messages:?}");
    assert!(!output.stdout.contains("<title>run"));
}
