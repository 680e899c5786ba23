//! Libraries opened from folders and playlists.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::Path;

use common::write_wav;
use lofty::tag::ItemKey;
use mood_schema::{Affect, Emotion};
use music_library::{Error, Library, SourceAccess};
use tempfile::TempDir;

fn open(path: &Path) -> Result<Library, Error> {
    Library::open(path.to_str().unwrap(), SourceAccess::default())
}

#[test]
fn a_folder_is_listed_in_the_order_of_its_names() {
    let folder = TempDir::new().unwrap();
    write_wav(folder.path(), "b/2.wav", &[(ItemKey::Mood, "Sad")]);
    write_wav(folder.path(), "b/10 é#.WAV", &[]);
    write_wav(folder.path(), "a.wav", &[(ItemKey::TrackTitle, "Morning"), (ItemKey::TrackArtist, "Nobody")]);
    write_wav(folder.path(), ".hidden/c.wav", &[]);
    std::fs::write(folder.path().join("cover.jpg"), b"not music").unwrap();
    let library = open(folder.path()).unwrap();
    let titles: Vec<&str> = library.tracks.iter().map(|track| track.title.as_str()).collect();
    assert_eq!(titles, ["Morning", "10 é#", "2"]);
    assert_eq!(library.tracks[0].artist, "Nobody");
    assert!(library.tracks[1].uri.ends_with("/b/10%20%C3%A9%23.WAV"), "{}", library.tracks[1].uri);
    assert_eq!(library.tracks[2].emotions, [Emotion::Sad]);
    assert_eq!(library.tracks[2].affect, Some(Affect::from_emotion(Emotion::Sad)));
    let again =
        Library::open(&format!("file://{}", folder.path().display()), SourceAccess::default()).unwrap();
    assert_eq!(again, library);
}

#[test]
fn a_sidecar_file_takes_precedence_over_tags() {
    let folder = TempDir::new().unwrap();
    write_wav(folder.path(), "a.wav", &[(ItemKey::Mood, "Sad")]);
    std::fs::write(folder.path().join("a.wav.mood"), "Joyful, calm\n").unwrap();
    write_wav(folder.path(), "b.wav", &[(ItemKey::Mood, "Sad")]);
    std::fs::write(folder.path().join("b.wav.mood"), "\n").unwrap();
    let library = open(folder.path()).unwrap();
    assert_eq!(library.tracks[0].moods, ["Joyful", "calm"]);
    assert_eq!(library.tracks[0].emotions, [Emotion::Happy]);
    assert_eq!(library.tracks[1].emotions, [Emotion::Sad], "an empty sidecar file is ignored");
}

#[test]
fn files_with_broken_tags_are_untagged_tracks() {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in
        [("a.mp3", &b"nonsense"[..]), ("b.flac", b"fLaC"), ("c.ogg", b"OggS"), ("d.wma", b"0&\xb2u")]
    {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let library = open(folder.path()).unwrap();
    assert_eq!(library.tracks.len(), 4);
    assert!(library.tracks.iter().all(|track| track.affect.is_none()));
}

#[test]
fn playlists_keep_their_order_and_report_what_is_missing() {
    let folder = TempDir::new().unwrap();
    write_wav(
        folder.path(),
        "music/a.wav",
        &[(ItemKey::Mood, "Happy"), (ItemKey::TrackTitle, "From the tag")],
    );
    let b = write_wav(folder.path(), "music/b c.wav", &[]);
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
    let reasons: Vec<&str> = library.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert!(reasons[0].contains("no such file") && reasons[1].contains("allow-network"), "{reasons:?}");
    let all =
        Library::open(list.to_str().unwrap(), SourceAccess { network: true, ..SourceAccess::default() })
            .unwrap();
    assert_eq!(all.tracks[2].uri, "http://example.org/x.mp3");

    let xspf = folder.path().join("list.xspf");
    let text = "<playlist version='1' xmlns='http://xspf.org/ns/0/'><trackList><track><location>music/b%20c.wav</location>\
                </track></trackList></playlist>";
    std::fs::write(&xspf, text).unwrap();
    assert_eq!(open(&xspf).unwrap().tracks[0].uri, library.tracks[0].uri);
}

#[test]
fn a_playlist_may_refer_outside_its_folder_only_with_permission() {
    let folder = TempDir::new().unwrap();
    let outside = write_wav(folder.path(), "elsewhere/a.wav", &[]);
    write_wav(folder.path(), "lists/music/b.wav", &[]);
    std::os::unix::fs::symlink(folder.path().join("lists"), folder.path().join("link")).unwrap();
    let text = format!(
        "music/../../elsewhere/a.wav\n{0}\nfile://{0}\nmusic/b.wav\n{1}/lists/./music/b.wav\n",
        outside.display(),
        folder.path().display()
    );
    // The second path of the playlist differs from that in its entries by a symbolic link.
    for list in ["lists/list.m3u8", "link/list.m3u8"] {
        let list = folder.path().join(list);
        std::fs::write(&list, &text).unwrap();
        let library = open(&list).unwrap();
        assert!(library.tracks.iter().all(|track| track.uri.ends_with("b.wav")), "{:?}", library.tracks);
        assert_eq!(library.skipped.len(), 3);
        assert!(library.skipped.iter().all(|skipped| skipped.reason.contains("allow-outside")));
        let access = SourceAccess { outside_folder: true, ..SourceAccess::default() };
        let library = Library::open(list.to_str().unwrap(), access).unwrap();
        assert!(library.skipped.is_empty() && library.tracks[0].uri.ends_with("/elsewhere/a.wav"));
    }
}

/// An ID3v2.3 tag with user-defined text frames (`TXXX`: description, text), in Latin-1.
fn id3_tag(frames: &[(&str, &str)]) -> Vec<u8> {
    let mut content = Vec::new();
    for (description, text) in frames {
        let body = [&[0][..], description.as_bytes(), &[0], text.as_bytes()].concat();
        content.extend([&b"TXXX"[..], &(body.len() as u32).to_be_bytes(), &[0, 0], &body].concat());
    }
    let size = content.len() as u8;
    assert!(size < 128);
    [&b"ID3\x03\0\0\0\0\0"[..], &[size], &content].concat()
}

/// An ID3v2.2 tag with user-defined text frames (`TXX`), in Latin-1.
fn old_id3_tag(frames: &[(&str, &str)]) -> Vec<u8> {
    let mut content = Vec::new();
    for (description, text) in frames {
        let body = [&[0][..], description.as_bytes(), &[0], text.as_bytes()].concat();
        content.extend([&b"TXX"[..], &(body.len() as u32).to_be_bytes()[1..], &body].concat());
    }
    let size = content.len() as u8;
    assert!(size < 128);
    [&b"ID3\x02\0\0\0\0\0"[..], &[size], &content].concat()
}

/// Four silent frames of MPEG-1 Layer III, 128 kbit/s, 44.1 kHz.
fn silent_mp3() -> Vec<u8> {
    [&[0xff, 0xfb, 0x90, 0x64][..], &[0; 413]].concat().repeat(4)
}

#[test]
fn moods_and_gains_are_read_however_programs_write_them() {
    let folder = TempDir::new().unwrap();
    let first = id3_tag(&[("mood", "Happy"), ("replaygain_track_gain", "-6,40 dB")]);
    let second = id3_tag(&[("Mood", "Sad"), ("BPM", "120,5")]);
    for (name, tags) in
        [("a.mp3", first.clone()), ("b.mp3", second.clone()), ("c.mp3", [first, second].concat())]
    {
        std::fs::write(folder.path().join(name), [tags, silent_mp3()].concat()).unwrap();
    }
    let old = [old_id3_tag(&[("MoOd", "Calm"), ("REPLAYGAIN_TRACK_GAIN", "+2,5 dB")]), silent_mp3()].concat();
    std::fs::write(folder.path().join("f.mp3"), old).unwrap();
    let utf16: Vec<u8> = "\u{feff}glücklich; ruhig".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, moods) in [("d.wav", utf16), ("e.wav", b"fr\xf6hlich\rcalm".to_vec())] {
        write_wav(folder.path(), name, &[]);
        std::fs::write(folder.path().join(format!("{name}.MOOD")), moods).unwrap();
    }
    let tracks = open(folder.path()).unwrap().tracks;
    let moods: Vec<_> = tracks.iter().map(|track| track.moods.join("; ")).collect();
    assert_eq!(moods, ["Happy", "Sad", "Happy", "glücklich; ruhig", "fröhlich; calm", "Calm"]);
    assert_eq!(tracks[3].emotions, [Emotion::Happy]);
    let loudness: Vec<_> = tracks.iter().map(|track| track.loudness).collect();
    assert_eq!(loudness[..3], [Some(-11.6), None, Some(-11.6)]);
    assert_eq!(loudness[5], Some(-20.5));
    assert_eq!((tracks[1].bpm, tracks[2].bpm), (Some(120.5), None), "of two tags the first one counts");
}

#[test]
fn a_file_with_several_names_is_one_track_and_what_is_no_track_is_named() {
    use std::os::unix::fs::symlink;
    let folder = TempDir::new().unwrap();
    let file = write_wav(folder.path(), "music/song.wav", &[]);
    symlink(&file, folder.path().join("a link.wav")).unwrap();
    symlink(folder.path().join("music"), folder.path().join("b")).unwrap();
    symlink(folder.path(), folder.path().join("music/loop")).unwrap();
    std::fs::hard_link(&file, folder.path().join("music/z.wav")).unwrap();
    std::fs::write(folder.path().join("empty.mp3"), "").unwrap();
    std::fs::write(folder.path().join("notes.mid"), "MThd").unwrap();
    std::fs::write(folder.path().join("cover.jpg"), "no music").unwrap();
    let library = open(folder.path()).unwrap();
    let uris: Vec<_> = library.tracks.iter().map(|track| track.uri.as_str()).collect();
    assert!(uris.len() == 1 && uris[0].ends_with("/music/song.wav"), "{uris:?}");
    let skipped: Vec<_> = library.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert!(
        skipped.len() == 2 && skipped[0].contains("empty") && skipped[1].contains("notes"),
        "{skipped:?}"
    );
}

#[test]
fn playlists_of_other_programs_are_read() {
    let folder = TempDir::new().unwrap();
    for name in ["Caf\u{e9} 5\u{20ac}.wav", "#1 Crush.wav", "sub/50% off.wav"] {
        write_wav(folder.path(), name, &[]);
    }
    let text = "#EXTM3U\r\n# a comment\r\nCafé 5€.wav\r\n#1 Crush.wav\r\nsub\\50% off.wav\r\n";
    let utf16 = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let windows = text
        .chars()
        .map(|c| match c {
            '€' => 0x80,
            c => c as u8,
        })
        .collect();
    let pls = "[playlist]\nFile1=Caf%C3%A9%205%E2%82%AC.wav\nFile2=#1 Crush.wav\nFile3=C:\\Music\\sub\\50% off.wav\n";
    let carriage_returns = text.replace("\r\n", "\r").into_bytes();
    for (name, bytes) in [
        ("a.m3u8", utf16),
        ("b.m3u", windows),
        ("c.m3u", carriage_returns),
        ("d.pls", pls.as_bytes().to_vec()),
    ] {
        let list = folder.path().join(name);
        std::fs::write(&list, bytes).unwrap();
        let library = open(&list).unwrap();
        assert_eq!(library.skipped, [], "{name}");
        let titles: Vec<_> = library.tracks.iter().map(|track| track.title.as_str()).collect();
        assert_eq!(titles, ["Café 5€", "#1 Crush", "50% off"], "{name}");
    }
}

#[test]
fn every_error_names_a_remedy() {
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
        let error = Library::open(&source, SourceAccess::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{source}: {error}");
    }
}
