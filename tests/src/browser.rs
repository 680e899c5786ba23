//! The browser in which reports are opened.

use std::env;
use std::path::PathBuf;

/// The commands of Chromium and Chrome in different distributions.
const BROWSER_NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The path of an installed browser, or `None` with a printed reason.
pub fn find_browser() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let candidates =
        BROWSER_NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let browser = candidates.into_iter().find(|path| path.is_file());
    if browser.is_none() {
        println!("skipped: none of {BROWSER_NAMES:?} in PATH; Debian's package chromium has one");
    }
    browser
}
