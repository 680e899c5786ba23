//! Hours of media at full speed: what grows shows.
//!
//! `MOOD_SOAK_HOURS` is the time of the media, 0.05 hours where it is not set.

use std::env;

use gst::ClockTime;
use gst::prelude::*;
use mood_tests::chain::{Chain, ChainOptions, announce};
use mood_tests::resources::Resources;

use crate::Scene;

/// Growth after the warm-up that counts as none, KiB: what the allocator keeps varies.
const ALLOCATOR_NOISE: u64 = 6 << 10;
/// Most memory of a player alone, KiB.
const MAX_PLAYER_MEMORY: u64 = 80 << 10;
/// Share of the time after which caches and pools have their final size.
const WARM_UP: f64 = 0.25;

fn hours() -> f64 {
    env::var("MOOD_SOAK_HOURS").map_or(0.05, |hours| hours.parse().expect("MOOD_SOAK_HOURS is a number"))
}

/// Tracks have threads and files of their own, and how many are open at once varies: one that fades, one that is opened.
fn with_more_tracks(before: Resources) -> Resources {
    Resources { files: before.files + 12, threads: before.threads + 8, ..before }
}

/// The whole chain at full speed, in lock step, with changing moods.
pub fn hours_of_video_leave_nothing_behind(scene: &Scene) {
    let seconds = (hours() * 3600.0) as u64;
    let folder = scene.folder.display();
    let player = format!(
        "log-location={folder}/music.jsonl min-dwell=20000000000 strategy=match max-negative-time=600000000000"
    );
    let options = ChainOptions { is_live: false, player: &player, ..ChainOptions::default() };
    let chain = Chain::new(&scene.folder, &options);
    chain.play();
    let mut before = Resources::default();
    let moods = ["", "sad", "happy", "neutral"];
    for second in 0..seconds {
        if second % 60 == 0 {
            announce(&format!("{second} s: {}", Resources::of_this_process()));
            // A quarter of the time the face decides, else the hand.
            chain.element("player").set_property("manual-mood", moods[second as usize / 60 % moods.len()]);
        }
        // Five frames a second: a slow camera's.
        for frame in 0..5 {
            chain
                .camera
                .push_at(Some(ClockTime::from_seconds(second) + ClockTime::from_mseconds(200 * frame)));
        }
        // What was pushed is consumed, so that the camera's queue does not grow.
        while chain.picture.count() + 50 < (second + 1) * 5 {
            std::thread::sleep(std::time::Duration::from_micros(500));
        }
        if (second as f64) < WARM_UP * seconds as f64 {
            before = before.max(Resources::of_this_process());
        }
    }
    let after = Resources::of_this_process();
    chain.end();
    chain.assert_no_errors();
    println!("{} h of video: after a quarter {before}; at the end {after}", hours());
    after.assert_no_more_than(with_more_tracks(before), ALLOCATOR_NOISE);
    let played = chain.sound.played().as_secs_f64();
    assert!((played - seconds as f64).abs() < 1.0, "{played} s of music for {seconds} s of video");
    scene.assert_timeline_has(seconds * 5);
}

/// A player alone at full speed, whose mood changes every minute.
pub fn hours_of_music_need_less_than_80_mib(scene: &Scene) {
    // Twice the hours of the video: a day for its half.
    let seconds = (2.0 * hours() * 3600.0) as u64;
    let description = format!(
        "moodplayer name=player library={}/library manual-mood=happy crossfade=4000000000 ! fakesink name=sound sync=false",
        scene.folder.display()
    );
    let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let (player, sink) = (pipeline.by_name("player").unwrap(), pipeline.by_name("sound").unwrap());
    let sound = mood_tests::chain::SinkCounter::watch(&sink.static_pad("sink").unwrap());
    // Nobody takes messages from the bus.
    pipeline.bus().unwrap().set_sync_handler(|_, _| gst::BusSyncReply::Drop);
    pipeline.set_state(gst::State::Playing).unwrap();
    let (mut next, mut before, mut most) = (0, Resources::default(), Resources::default());
    loop {
        let (played, now) = (sound.played().as_secs(), Resources::of_this_process());
        if played >= seconds {
            break;
        }
        if played >= next {
            announce(&format!("{played} s: {now}"));
            player.set_property("manual-mood", ["happy", "sad", "neutral"][(next / 60) as usize % 3]);
            next = played + 60;
        }
        match (played as f64) < WARM_UP * seconds as f64 {
            true => before = before.max(now),
            false => most = most.max(now),
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    pipeline.set_state(gst::State::Null).unwrap();
    println!("{} h of music: in the first quarter at most {before}; later at most {most}", 2.0 * hours());
    assert!(most.memory < MAX_PLAYER_MEMORY, "{most}");
    most.assert_no_more_than(with_more_tracks(before), ALLOCATOR_NOISE);
}
