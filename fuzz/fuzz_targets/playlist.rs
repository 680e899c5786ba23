//! Opens any bytes as a playlist of either kind: refused, or a library whose tracks all have a URI. The first byte chooses the
//! extension.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use music_library::{Library, SourceAccess};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, content)) = bytes.split_first() else { return };
    let extension = ["m3u", "m3u8", "xspf", "pls"][usize::from(*first) % 4];
    let folder = fuzz::folder();
    let path = folder.join("list").with_extension(extension);
    fs::write(&path, content).unwrap();
    let access = SourceAccess { network: first & 4 != 0, outside_folder: false };
    match Library::open(path.to_str().unwrap(), access) {
        Ok(library) => {
            assert!(!library.tracks.is_empty());
            for track in library.tracks {
                assert!(access.network || track.uri.starts_with("file://"), "{}", track.uri);
            }
        }
        Err(error) => assert_eq!(error.to_string().lines().count(), 1, "unreadable error: {error}"),
    }
});
