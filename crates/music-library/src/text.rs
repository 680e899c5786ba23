//! Decodes text files of unknown encoding: playlists, sidecar files, tables.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Decodes the text of a file, without a byte order mark. The encoding is that of the byte order mark; without one it is
/// UTF-16 where every second byte of most characters is zero, UTF-8 where the bytes are valid UTF-8, and Windows-1252
/// otherwise, which is Latin-1 with more characters in place of control codes and what players on Windows write.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let encoding = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let encoding = encoding
        .or_else(|| detect_utf16(bytes))
        .unwrap_or_else(|| if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { WINDOWS_1252 });
    encoding.decode_with_bom_removal(bytes).0.into_owned()
}

/// UTF-16 without a byte order mark: more than half of the bytes in odd (little endian) or even (big endian) places are zero,
/// which is so for text that is mostly ASCII, and no byte in the other places is.
fn detect_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let zeros = |parity: usize| bytes.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let half = bytes.len() / 4;
    match (zeros(0), zeros(1)) {
        _ if bytes.len() < 4 || !bytes.len().is_multiple_of(2) => None,
        (0, odd) if odd > half => Some(UTF_16LE),
        (even, 0) if even > half => Some(UTF_16BE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_recognised() {
        let text = "Café “Tormé” – 5€\n";
        let utf16 = |to_bytes: fn(u16) -> [u8; 2], mark: &str| {
            format!("{mark}{text}").encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>()
        };
        let windows = b"Caf\xe9 \x93Torm\xe9\x94 \x96 5\x80\n".to_vec();
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            utf16(u16::to_le_bytes, "\u{feff}"),
            utf16(u16::to_be_bytes, "\u{feff}"),
            utf16(u16::to_le_bytes, ""),
            utf16(u16::to_be_bytes, ""),
            windows,
        ] {
            assert_eq!(decode(&bytes), text, "{bytes:?}");
        }
        assert_eq!(decode(b""), "");
        assert_eq!(decode(b"ab"), "ab");
    }
}
