//! Removal of credentials (user names, passwords, tokens) from the addresses in texts.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Addresses inside one another up to which credentials are removed one by one; what stands deeper is removed as a whole. The
/// bound keeps the time linear in the length of a text that somebody has made.
const MAX_NESTED_ADDRESSES: usize = 8;

/// `text` with every address in it (`scheme://...`) cut down to scheme, host, port and path: user information
/// (`user:password@`), query (`?token=...`) and fragment (`#...`) are removed, as they may hold credentials
/// (RFC 3986, sections 3.2.1, 3.4 and 7.5). Text without such an address comes back unchanged, as do `file:` addresses and
/// Windows paths (`C://...`), in whose names these characters are ordinary.
///
/// For whatever leaves the process: logs, messages, errors, summaries, exports. An address that breaks the rules
/// (a slash or a blank in a password, for example) loses more rather than less. A secret in the path is not recognised.
///
/// ```
/// use mood_schema::redact_addresses;
///
/// assert_eq!(redact_addresses("rtsp://ada:secret@cam.local:554/live?key=1"), "rtsp://cam.local:554/live");
/// ```
pub fn redact_addresses(text: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    // The number of bytes of `text` that have been copied to `redacted` or left out, and up to which addresses were searched.
    let (mut copied, mut searched) = (0, 0);
    for (separator, _) in text.match_indices("://") {
        if separator < searched {
            continue;
        }
        let is_part_of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-');
        let before = &text[..separator];
        let scheme = before.trim_end_matches(is_part_of_scheme).len();
        // A scheme of one letter is the drive of a Windows path.
        if separator - scheme < 2 || before[scheme..].eq_ignore_ascii_case("file") {
            continue;
        }
        let start = separator + 3;
        let end = find_end(text, start, before[..scheme].chars().next_back());
        if let Cow::Owned(address) = redact_address(&text[start..end]) {
            redacted.push_str(&text[copied..start]);
            redacted.push_str(&address);
            copied = end;
        }
        searched = end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    redacted.push_str(&text[copied..]);
    Cow::Owned(redacted)
}

/// An address behind its `://` without credentials, also without those of addresses in its path, as that of a proxy may have.
fn redact_address(address: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut rest = host_and_path(address);
    for _ in 0..MAX_NESTED_ADDRESSES {
        let Some(separator) = rest.find("://") else {
            redacted.push_str(rest);
            break;
        };
        let (outer, nested) = rest.split_at(separator + 3);
        redacted.push_str(outer);
        rest = host_and_path(nested);
    }
    if redacted == address { Cow::Borrowed(address) } else { Cow::Owned(redacted) }
}

/// The index in `text` at which an address ends whose part behind `://` begins at `start`. `before` is the character before
/// its scheme.
fn find_end(text: &str, start: usize, before: Option<char>) -> usize {
    let end_from = |from: usize| {
        let rest = &text[from..];
        let ends = |(index, c): (usize, char)| match c {
            '"' | '<' | '>' | '`' => true,
            // An apostrophe may be part of a password, unless the address is quoted with it.
            '\'' => before == Some('\''),
            // An escaped quotation mark, as in JSON.
            '\\' => rest[index..].trim_start_matches('\\').starts_with(['"', '\'']),
            c => c.is_whitespace() || c.is_control(),
        };
        rest.char_indices().find(|&found| ends(found)).map_or(text.len(), |(index, _)| from + index)
    };
    let end = end_from(start);
    let address = &text[start..end];
    if find_user_information(address).is_some() || has_valid_port(authority(address)) {
        return end;
    }
    // A port that is no number is the beginning of a password. Where no host follows, a character that should have been
    // encoded separates them, so the address goes on behind the next @ of the line.
    let line = text[end..].split(['\n', '\r']).next().unwrap_or_default();
    let line = line.split("://").next().unwrap_or_default();
    line.find('@').map_or(end, |at| end_from(end + at))
}

/// The part of an address behind its `://` that holds no credentials: host, port and path.
fn host_and_path(address: &str) -> &str {
    let address = find_user_information(address).map_or(address, |host| &address[host..]);
    &address[..address.find(['?', '#']).unwrap_or(address.len())]
}

/// The user information, host and port of an address behind its `://`.
fn authority(address: &str) -> &str {
    &address[..address.find(['/', '?', '#']).unwrap_or(address.len())]
}

/// Where the host begins in an address that has user information.
fn find_user_information(address: &str) -> Option<usize> {
    let authority = authority(address);
    let after = |text: &str, delimiter: &str| text.rfind(delimiter).map(|at| at + delimiter.len());
    after(authority, "@")
        // Encoded as a whole: no host has an @ in its name.
        .or_else(|| after(authority, "%40"))
        // A port that is no number is the beginning of a password with a character that should have been encoded.
        .or_else(|| if has_valid_port(authority) { None } else { after(address, "@") })
}

fn has_valid_port(authority: &str) -> bool {
    // The colons inside brackets are an IPv6 address's.
    let after_host = authority.rfind(']').map_or(authority, |bracket| &authority[bracket..]);
    after_host.rsplit_once(':').is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What holds texts in which addresses with credentials may occur.
pub trait Redact {
    /// Removes the credentials from all addresses, as [`redact_addresses`] does.
    fn redact(&mut self);
}

impl Redact for String {
    fn redact(&mut self) {
        if let Cow::Owned(redacted) = redact_addresses(self) {
            *self = redacted;
        }
    }
}

impl<T: Redact> Redact for Option<T> {
    fn redact(&mut self) {
        self.iter_mut().for_each(T::redact);
    }
}

impl<T: Redact> Redact for Vec<T> {
    fn redact(&mut self) {
        self.iter_mut().for_each(T::redact);
    }
}

impl Redact for Value {
    fn redact(&mut self) {
        match self {
            Self::String(text) => text.redact(),
            Self::Array(values) => values.redact(),
            Self::Object(fields) => fields.redact(),
            Self::Null | Self::Bool(_) | Self::Number(_) => {}
        }
    }
}

impl Redact for Map<String, Value> {
    fn redact(&mut self) {
        self.values_mut().for_each(Redact::redact);
    }
}

/// For `#[serde(with = "redacted")]`: a field that is written without credentials, and read without those that an older
/// version has written.
pub mod redacted {
    use super::{Deserialize, Deserializer, Redact, Serialize, Serializer};

    /// Serializes a redacted copy of the value.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Redact + Clone + Serialize,
        S: Serializer,
    {
        let mut value = value.clone();
        value.redact();
        value.serialize(serializer)
    }

    /// Deserializes a value and redacts it.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: Redact + Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let mut value = T::deserialize(deserializer)?;
        value.redact();
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_removed() {
        for (address, expected) in [
            ("rtsp://user:password@host/stream", "rtsp://host/stream"),
            ("rtsp://user@host", "rtsp://host"),
            ("rtsp://us@er:pass@word@host:554/a/b", "rtsp://host:554/a/b"),
            ("rtsp://user:pa/ss@host/a", "rtsp://host/a"),
            ("rtsp://user:pa?ss@host/a", "rtsp://host/a"),
            ("rtsp://user:pa#ss@host/a", "rtsp://host/a"),
            ("rtsp://user:pa ss@host/a", "rtsp://host/a"),
            ("rtsp://user:pa'ss@host/a?t=b'c", "rtsp://host/a"),
            ("rtsp://user:pa\"ss@host/a", "rtsp://host/a"),
            ("rtsp://us%40er:p%3Ass@host/a%3Fb", "rtsp://host/a%3Fb"),
            ("rtsp://user%3Apass%40host/a", "rtsp://host/a"),
            ("rtspt://user:pw@host:8554/a", "rtspt://host:8554/a"),
            ("rtsp-sdp://user:pw@host/a", "rtsp-sdp://host/a"),
            ("hls+https://user:pw@host/a", "hls+https://host/a"),
            ("https://host/live.m3u8?token=abc&x=a@b", "https://host/live.m3u8"),
            ("https://host?token=abc", "https://host"),
            ("https://host#access_token=abc", "https://host"),
            ("srt://host:7001?passphrase=secret", "srt://host:7001"),
            ("srt://:7001?mode=listener&passphrase=secret", "srt://:7001"),
            ("http://[2001:db8::1]:80/a#t=1", "http://[2001:db8::1]:80/a"),
            ("http://user:pw@[::1]/a", "http://[::1]/a"),
            ("http://user:pw@[fe80::1%25eth0]:80/a?b", "http://[fe80::1%25eth0]:80/a"),
            ("RTSPS://U:P@HOST/", "RTSPS://HOST/"),
            ("http://proxy/rtsp://u:p@h/x?y", "http://proxy/rtsp://h/x"),
            ("http://a:b@proxy/rtsp://u:p@h/x?y", "http://proxy/rtsp://u:p@h/x"),
        ] {
            let redacted = redact_addresses(address);
            // Of nested addresses, both are cleaned.
            let expected = expected.replace("u:p@", "");
            assert_eq!(redacted, expected, "{address}");
            assert_eq!(redact_addresses(&redacted), redacted, "{address}");
        }
    }

    #[test]
    fn deeply_nested_addresses_are_cut_off_in_linear_time() {
        for part in ["aa://", "aa://b@", "aa://b:c@d?e/"] {
            let text = part.repeat(200_000);
            let redacted = redact_addresses(&text);
            assert!(redacted.len() < 100 && !redacted.contains('@'), "{part}");
        }
    }

    #[test]
    fn addresses_inside_text_are_found() {
        for (text, expected) in [
            (
                "cannot open \"rtsp://a:b@h/x\" (also http://c:d@i/y?z and <srt://e?k=v>).",
                "cannot open \"rtsp://h/x\" (also http://i/y and <srt://e>).",
            ),
            ("über rtsp://a:ü@h/ä", "über rtsp://h/ä"),
            ("location=rtsp://a:b@h ! rtph264depay", "location=rtsp://h ! rtph264depay"),
            ("location='rtsp://a:b@h' name='x'", "location='rtsp://h' name='x'"),
            (
                r#"{"uri":"http://a:b@h/x?y","why":"\"http://a@h?y\" failed"}"#,
                r#"{"uri":"http://h/x","why":"\"http://h\" failed"}"#,
            ),
            (r#"["http://h/x?y\\", "http://h/x?y\\\" z"]"#, r#"["http://h/x\\", "http://h/x\\\" z"]"#),
            // The form of GStreamer's error details.
            (
                "gstsouphttpsrc.c(1703): gst_soup_http_src_parse_status (): /GstPipeline:p/GstSoupHTTPSrc:source:\n\
                 Not Found (404), URL: http://u:p@h/a?t=1, Redirect to: (NULL)",
                "gstsouphttpsrc.c(1703): gst_soup_http_src_parse_status (): /GstPipeline:p/GstSoupHTTPSrc:source:\n\
                 Not Found (404), URL: http://h/a Redirect to: (NULL)",
            ),
            ("rtsp://h:port/a, then b@c", "rtsp://c"),
        ] {
            assert_eq!(redact_addresses(text), expected);
        }
    }

    #[test]
    fn text_without_credentials_is_unchanged() {
        for text in [
            "",
            "session.mp4",
            "a@b.example",
            "://",
            "x://",
            "file:///home/ada/what%3F%20@home.mp4",
            "file:///home/ada/who?.mp4#2",
            "FILE:///a?b",
            "C://Music/#1 hits/a@b.mp3",
            r"C:\Music\a@b?.mp3",
            "/home/ada/#1 who?.mp4",
            "http://host:8080/@ada/film.mp4",
            "rtsp://host:554/live",
            "http://[::1]/a",
            "3 x 4 = 12 :// ?",
        ] {
            assert!(matches!(redact_addresses(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
