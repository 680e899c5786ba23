//! Folders and playlists as people have them.

// Clippy takes only functions marked as tests for tests, not their helpers.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::wav;
use lofty::tag::ItemKey;
use mood_schema::{Affect, Emotion};
use music_library::{Access, Error, Library};
use tempfile::TempDir;

fn open(path: &Path) -> Result<Library, Error> {
    Library::open(path.to_str().unwrap(), Access::default())
}

#[test]
fn a_folder_is_searched_through_in_the_order_of_its_names() {
    let folder = TempDir::new().unwrap();
    wav(folder.path(), "b/2.wav", &[(ItemKey::Mood, "Sad")]);
    wav(folder.path(), "b/10 é#.WAV", &[]);
    wav(folder.path(), "a.wav", &[(ItemKey::TrackTitle, "Morning"), (ItemKey::TrackArtist, "Nobody")]);
    wav(folder.path(), ".hidden/c.wav", &[]);
    std::fs::write(folder.path().join("cover.jpg"), b"not music").unwrap();
    let library = open(folder.path()).unwrap();
    let titles: Vec<&str> = library.tracks.iter().map(|track| track.title.as_str()).collect();
    assert_eq!(titles, ["Morning", "10 é#", "2"]);
    assert_eq!(library.tracks[0].artist, "Nobody");
    assert!(library.tracks[1].uri.ends_with("/b/10%20%C3%A9%23.WAV"), "{}", library.tracks[1].uri);
    assert_eq!(library.tracks[2].emotions, [Emotion::Sad]);
    assert_eq!(library.tracks[2].affect, Some(Affect::from_emotion(Emotion::Sad)));
    let again = Library::open(&format!("file://{}", folder.path().display()), Access::default()).unwrap();
    assert_eq!(again, library);
}

#[test]
fn the_word_beside_a_file_beats_its_tag() {
    let folder = TempDir::new().unwrap();
    wav(folder.path(), "a.wav", &[(ItemKey::Mood, "Sad")]);
    std::fs::write(folder.path().join("a.wav.mood"), "Joyful, calm\n").unwrap();
    wav(folder.path(), "b.wav", &[(ItemKey::Mood, "Sad")]);
    std::fs::write(folder.path().join("b.wav.mood"), "\n").unwrap();
    let library = open(folder.path()).unwrap();
    assert_eq!(library.tracks[0].moods, ["Joyful", "calm"]);
    assert_eq!(library.tracks[0].emotions, [Emotion::Happy]);
    assert_eq!(library.tracks[1].emotions, [Emotion::Sad], "an empty file says nothing");
}

#[test]
fn files_that_are_not_what_they_say_are_untagged_music() {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in
        [("a.mp3", &b"nonsense"[..]), ("b.flac", b"fLaC"), ("c.ogg", b""), ("d.wma", b"0&\xb2u")]
    {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let library = open(folder.path()).unwrap();
    assert_eq!(library.tracks.len(), 4);
    assert!(library.tracks.iter().all(|track| track.affect.is_none()));
}

#[test]
fn playlists_keep_their_order_and_say_what_is_missing() {
    let folder = TempDir::new().unwrap();
    wav(folder.path(), "music/a.wav", &[(ItemKey::Mood, "Happy"), (ItemKey::TrackTitle, "From the tag")]);
    let b = wav(folder.path(), "music/b c.wav", &[]);
    let list = folder.path().join("list.m3u8");
    let text = format!(
        "#EXTM3U\n{}\n#EXTINF:1,Nobody - From the list\nmusic/a.wav\nmusic/a.wav\ngone.ogg\nhttp://example.org/x.mp3\n",
        b.display()
    );
    std::fs::write(&list, text).unwrap();
    let library = open(&list).unwrap();
    let titles: Vec<&str> = library.tracks.iter().map(|track| track.title.as_str()).collect();
    assert_eq!(titles, ["b c", "From the list"]);
    assert_eq!(library.tracks[1].emotions, [Emotion::Happy]);
    let why: Vec<&str> = library.skipped.iter().map(|skipped| skipped.why.as_str()).collect();
    assert!(why[0].contains("no such file") && why[1].contains("allow-network"), "{why:?}");
    let all = Library::open(list.to_str().unwrap(), Access { network: true, ..Access::default() }).unwrap();
    assert_eq!(all.tracks[2].uri, "http://example.org/x.mp3");

    let xspf = folder.path().join("list.xspf");
    let text = "<playlist version='1' xmlns='http://xspf.org/ns/0/'><trackList><track><location>music/b%20c.wav</location>\
                </track></trackList></playlist>";
    std::fs::write(&xspf, text).unwrap();
    assert_eq!(open(&xspf).unwrap().tracks[0].uri, library.tracks[0].uri);
}

#[test]
fn a_playlist_leads_out_of_its_folder_only_where_it_may() {
    let folder = TempDir::new().unwrap();
    let outside = wav(folder.path(), "elsewhere/a.wav", &[]);
    wav(folder.path(), "lists/music/b.wav", &[]);
    std::os::unix::fs::symlink(folder.path().join("lists"), folder.path().join("link")).unwrap();
    let text = format!(
        "music/../../elsewhere/a.wav\n{0}\nfile://{0}\nmusic/b.wav\n{1}/lists/./music/b.wav\n",
        outside.display(),
        folder.path().display()
    );
    // Also where the list is reached by another way than its entries say.
    for list in ["lists/list.m3u8", "link/list.m3u8"] {
        let list = folder.path().join(list);
        std::fs::write(&list, &text).unwrap();
        let library = open(&list).unwrap();
        assert!(library.tracks.iter().all(|track| track.uri.ends_with("b.wav")), "{:?}", library.tracks);
        assert_eq!(library.skipped.len(), 3);
        assert!(library.skipped.iter().all(|skipped| skipped.why.contains("allow-outside")));
        let access = Access { outside: true, ..Access::default() };
        let library = Library::open(list.to_str().unwrap(), access).unwrap();
        assert!(library.skipped.is_empty() && library.tracks[0].uri.ends_with("/elsewhere/a.wav"));
    }
}

#[test]
fn every_error_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let empty = TempDir::new().unwrap();
    let cases = [
        (String::new(), "name a folder"),
        ("/nowhere/at/all".into(), "check the path"),
        ("https://example.org/music".into(), "on this machine"),
        (path("notes.txt", "hello"), ".xspf"),
        (path("broken.xspf", "<playlist"), "broken"),
        (path("stream.m3u8", "#EXTM3U\n#EXT-X-VERSION:3\n"), "HLS"),
        (path("lost.m3u8", "gone.ogg\n"), "gone.ogg"),
        (empty.path().to_str().unwrap().into(), "flac"),
    ];
    for (source, expected) in cases {
        let error = Library::open(&source, Access::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{source}: {error}");
    }
}
