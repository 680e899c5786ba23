//! Removal of credentials (user names, passwords, tokens) from the addresses in a text.

use std::borrow::Cow;

/// `text` with every address in it (`scheme://...`) cut down to scheme, host, port and path: user information
/// (`user:password@`), query (`?token=...`) and fragment (`#...`) are removed, as they may hold credentials
/// (RFC 3986, sections 3.2.1, 3.4 and 7.5). Text without such an address, `file:` addresses included, comes back
/// unchanged.
///
/// For whatever leaves the process: logs, messages, errors, summaries, exports. An address that breaks the rules
/// (a slash in a password, for example) loses more rather than less.
///
/// ```
/// use mood_schema::redact_addresses;
///
/// assert_eq!(redact_addresses("rtsp://ada:secret@cam.local:554/live?key=1"), "rtsp://cam.local:554/live");
/// ```
pub fn redact_addresses(text: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    // The number of bytes of `text` that have been copied to `redacted` or left out.
    let mut copied = 0;
    for (separator, _) in text.match_indices("://") {
        let is_part_of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-');
        let scheme = text[..separator]
            .rfind(|c| !is_part_of_scheme(c))
            .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
        if separator < copied || scheme == separator || text[scheme..separator].eq_ignore_ascii_case("file") {
            continue;
        }
        let start = separator + 3;
        let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '`');
        let end = text[start..].find(ends).map_or(text.len(), |length| start + length);
        let kept = host_and_path(&text[start..end]);
        if kept.len() < end - start {
            redacted.push_str(&text[copied..start]);
            redacted.push_str(kept);
            copied = end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    redacted.push_str(&text[copied..]);
    Cow::Owned(redacted)
}

/// The part of an address behind its `://` that holds no credentials: host, port and path.
fn host_and_path(address: &str) -> &str {
    let authority = &address[..address.find(['/', '?', '#']).unwrap_or(address.len())];
    let user_information = match authority.rfind('@') {
        Some(at) => Some(at),
        // A port that is no number is the beginning of a password with a character that should have been encoded.
        None if !has_valid_port(authority) => address.rfind('@'),
        None => None,
    };
    let address = user_information.map_or(address, |at| &address[at + 1..]);
    &address[..address.find(['?', '#']).unwrap_or(address.len())]
}

fn has_valid_port(authority: &str) -> bool {
    // The colons inside brackets are an IPv6 address's.
    let after_host = authority.rfind(']').map_or(authority, |bracket| &authority[bracket..]);
    after_host.rsplit_once(':').is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
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
            ("https://host/live.m3u8?token=abc&x=a@b", "https://host/live.m3u8"),
            ("srt://host:7001?passphrase=secret", "srt://host:7001"),
            ("http://[2001:db8::1]:80/a#t=1", "http://[2001:db8::1]:80/a"),
            ("http://user:pw@[::1]/a", "http://[::1]/a"),
            ("RTSPS://U:P@HOST/", "RTSPS://HOST/"),
        ] {
            assert_eq!(redact_addresses(address), expected, "{address}");
        }
    }

    #[test]
    fn addresses_inside_text_are_found() {
        assert_eq!(
            redact_addresses("cannot open \"rtsp://a:b@h/x\" (also http://c:d@i/y?z and <srt://e?k=v>)."),
            "cannot open \"rtsp://h/x\" (also http://i/y and <srt://e>)."
        );
        assert_eq!(redact_addresses("über rtsp://a:ü@h/ä"), "über rtsp://h/ä");
        assert_eq!(
            redact_addresses("location=rtsp://a:b@h ! rtph264depay"),
            "location=rtsp://h ! rtph264depay"
        );
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
            "http://host:8080/@ada/film.mp4",
            "rtsp://host:554/live",
            "http://[::1]/a",
            "3 x 4 = 12 :// ?",
        ] {
            assert!(matches!(redact_addresses(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
