//! The browser in which reports are opened.

use std::env;
use std::path::PathBuf;

/// Programs that are Chromium, under the names that distributions give it.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The path of an installed Chromium, or `None` with a printed reason.
pub fn find_browser() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let candidates = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let browser = candidates.into_iter().find(|path| path.is_file());
    if browser.is_none() {
        println!("skipped: none of {NAMES:?} in PATH; Debian's package chromium has one");
    }
    browser
}
