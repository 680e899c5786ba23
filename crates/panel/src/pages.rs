//! The pages, each complete in one file: its style sheet and script stand in it, and its policy has their hashes.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::body::Bytes;
use mood_schema::{Emotion, Mood};
use serde_json::json;
use sha2::{Digest, Sha256};

/// A page and the Content Security Policy (<https://www.w3.org/TR/CSP3/>) that it is served with.
pub(crate) struct Page {
    /// The HTML.
    pub html: Bytes,
    /// The value of the header `Content-Security-Policy`.
    pub policy: String,
}

/// The icon of both pages.
pub(crate) const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0072b2"/><path d="M6 21c4-12 6-12 10-3s6 8 10-6" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round"/></svg>"##;

/// The therapist's page.
pub(crate) static PANEL: LazyLock<Page> = LazyLock::new(|| {
    let moods = Emotion::ALL.into_iter().map(Mood::from).chain([Mood::Uncertain, Mood::Absent]);
    let colours: serde_json::Map<_, _> = moods
        .map(|mood| {
            let [red, green, blue] = mood.colour();
            (mood.to_string(), json!(format!("#{red:02x}{green:02x}{blue:02x}")))
        })
        .collect();
    let emotions = Emotion::ALL.map(|emotion| {
        let affect = mood_schema::Affect::from_emotion(emotion);
        json!({ "name": emotion, "valence": affect.valence, "arousal": affect.arousal })
    });
    let constants = json!({
        "colours": colours,
        "emotions": emotions,
        "seconds": crate::SECONDS_SHOWN,
        "keys": crate::MAX_MARKER_KEYS,
        "characters": crate::MAX_MARKER_CHARACTERS,
    });
    let html = include_str!("pages/panel.html").replace("CONSTANTS", &constants.to_string());
    build(&html, include_str!("pages/panel.css"), include_str!("pages/panel.js"))
});

/// The client's page.
pub(crate) static SCREEN: LazyLock<Page> = LazyLock::new(|| {
    build(
        include_str!("pages/screen.html"),
        include_str!("pages/screen.css"),
        include_str!("pages/screen.js"),
    )
});

/// Puts style sheet and script into a page.
fn build(html: &str, style: &str, script: &str) -> Page {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        hash(style),
        hash(script)
    );
    let html = html
        .replace("<style></style>", &format!("<style>{style}</style>"))
        .replace("<script></script>", &format!("<script>{script}</script>"));
    Page { html: html.into(), policy }
}
