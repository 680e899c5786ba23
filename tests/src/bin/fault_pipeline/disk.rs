//! Disks that are full or slow, and folders that vanish.

use std::fs;
use std::io::Read;
use std::process::Command;
use std::thread;
use std::time::Duration;

use gst::prelude::*;
use mood_tests::chain::{Chain, ChainOptions, announce};

use crate::Scene;

/// Limits the size of this process's files, and has writing more fail as on a full disk instead of by a signal.
fn limit_files(bytes: u64) {
    let limit = rustix::process::Rlimit { current: Some(bytes), maximum: None };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
}

/// Files are limited to 8 KiB.
pub fn a_full_disk_is_an_error_and_keeps_complete_lines(scene: &Scene) {
    limit_files(8192);
    let mut chain = Chain::new(&scene.folder, &ChainOptions { is_live: false, ..ChainOptions::default() });
    chain.play();
    announce("film until the disk is full");
    while chain.messages().errors.is_empty() {
        chain.camera.film(1);
    }
    chain.stop();
    let errors = chain.messages().errors;
    assert!(
        errors.iter().any(|error| error.contains("cannot write to") && error.contains("timeline.jsonl")),
        "{errors:?}"
    );
    let text = scene.read("timeline.jsonl");
    let read = session::read_lines(text.as_bytes()).unwrap();
    let lines = read.lines;
    assert_eq!(read.broken.count, 0);
    assert!(lines.len() > 2 && text.len() <= 8192, "{} lines", lines.len());
}

/// The decision log is on a full disk.
pub fn a_full_disk_for_the_decision_log_is_reported_and_the_music_plays(scene: &Scene) {
    let options =
        ChainOptions { player: "log-location=/dev/full manual-mood=happy", ..ChainOptions::default() };
    let mut chain = Chain::new(&scene.folder, &options);
    chain.play();
    chain.film(20);
    chain.end();
    let messages = chain.messages();
    let reports = [messages.errors, messages.warnings].concat();
    assert!(
        reports.iter().any(|text| text.contains("/dev/full") || text.contains("decision log")),
        "{reports:?}"
    );
}

/// The timeline is written to a pipe whose reader is slower than the frames come.
pub fn a_slow_disk_loses_no_line(scene: &Scene) {
    // A FIFO holds 64 KiB; who reads it is slower than the frames come.
    let pipe = scene.folder.join("timeline.jsonl");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = thread::spawn(move || {
        let (mut pipe, mut bytes, mut block) = (fs::File::open(pipe).unwrap(), Vec::new(), [0; 4096]);
        while let Ok(length @ 1..) = pipe.read(&mut block) {
            bytes.extend_from_slice(&block[..length]);
            thread::sleep(Duration::from_millis(10));
        }
        bytes
    });
    let frames = 400 * scene.factor;
    let mut chain = Chain::new(&scene.folder, &ChainOptions { is_live: false, ..ChainOptions::default() });
    chain.play();
    announce("push the frames");
    chain.camera.push(frames);
    chain.end();
    chain.assert_no_errors();
    announce("wait for the reader");
    let lines = session::read_lines(&reader.join().unwrap()[..]).unwrap().lines;
    assert!(lines.len() as u64 >= frames + 2, "{} lines", lines.len());
}

/// The folder of timeline and decision log is removed, and is missing at the next start.
pub fn a_folder_that_is_removed_while_playing_stops_nothing(scene: &Scene) {
    let folder = scene.folder.join("results");
    fs::create_dir(&folder).unwrap();
    let location = format!("log-location={}", folder.join("music.jsonl").display());
    let mut chain = Chain::new(&scene.folder, &ChainOptions { player: &location, ..ChainOptions::default() });
    chain.element("log").set_property("location", folder.join("timeline.jsonl").to_str().unwrap());
    chain.play();
    chain.film(6);
    fs::remove_dir_all(&folder).unwrap();
    chain.film(12);
    chain.end();
    chain.assert_no_errors();
    announce("start again without the folder");
    assert!(chain.pipeline.set_state(gst::State::Playing).is_err());
    chain.pipeline.set_state(gst::State::Null).unwrap();
    assert!(
        chain.messages().errors.iter().any(|error| error.contains("cannot write")),
        "{:?}",
        chain.messages()
    );
}

/// The music folder is renamed, tracks are asked for, and it is renamed back.
pub fn a_music_folder_that_vanishes_and_returns_is_played_again(scene: &Scene) {
    let mut chain = Chain::new(
        &scene.folder,
        &ChainOptions { player: "manual-mood=happy crossfade=100000000", ..ChainOptions::default() },
    );
    let player = chain.element("player");
    let starts = |chain: &Chain| {
        chain.wait("a track", |chain| !chain.element("player").property::<String>("track").is_empty());
    };
    chain.play();
    chain.film(6);
    starts(&chain);
    fs::rename(scene.folder.join("library"), scene.folder.join("away")).unwrap();
    announce("skip while the folder is away");
    player.emit_by_name::<()>("skip", &[]);
    chain.film(25);
    fs::rename(scene.folder.join("away"), scene.folder.join("library")).unwrap();
    announce("skip after it has returned");
    player.emit_by_name::<()>("skip", &[]);
    chain.film(6);
    starts(&chain);
    chain.end();
    chain.assert_no_errors();
    assert!(chain.messages().names.contains("track-started"));
}
