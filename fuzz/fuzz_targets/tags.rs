//! Opens a folder with one track and its `.mood` file, both of any bytes: its tags are read, or it has none. The first byte
//! chooses the format, the second the length of the `.mood` file.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use music_library::{Library, SourceAccess};

const EXTENSIONS: [&str; 10] = ["mp3", "flac", "ogg", "opus", "m4a", "wav", "wma", "ape", "aiff", "wv"];

fuzz_target!(|bytes: &[u8]| {
    let [format, length, content @ ..] = bytes else { return };
    let (mood, track) = content.split_at(usize::from(*length).min(content.len()));
    let name = format!("track.{}", EXTENSIONS[usize::from(*format) % EXTENSIONS.len()]);
    let folder = fuzz::folder().join("music");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(&name), track).unwrap();
    fs::write(folder.join(name + ".mood"), mood).unwrap();
    let library = match Library::open(folder.to_str().unwrap(), SourceAccess::default()) {
        Ok(library) => library,
        // An empty file is no music.
        Err(error) => {
            assert_eq!(error.to_string().lines().count(), 1, "unreadable error: {error}");
            return;
        }
    };
    for track in library.tracks {
        let is_valid = |number: f64| (-1.0..=1.0).contains(&number);
        assert!(track.affect.is_none_or(|affect| is_valid(affect.valence) && is_valid(affect.arousal)), "{track:?}");
        assert!(track.loudness.is_none_or(f64::is_finite) && track.bpm.is_none_or(f64::is_finite), "{track:?}");
    }
});
