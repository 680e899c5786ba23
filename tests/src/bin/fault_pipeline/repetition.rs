//! The same again and again: state changes, seeks, flushes, several chains at once.

use std::thread;
use std::time::Duration;

use gst::prelude::*;
use mood_tests::chain::{Chain, ChainOptions, announce};
use mood_tests::resources::Resources;

use crate::Scene;

/// Cycles of the short form.
const CYCLES: u64 = 25;
/// Cycles after which caches and pools have their final size.
const WARM_UP: u64 = 8;
/// Growth that counts as none, KiB: what the allocator keeps varies by half of it, more on a busy machine. In the 1,000 cycles
/// of the long form it is 25 KiB a cycle.
const ALLOCATOR_NOISE: u64 = 24 << 10;

/// The chain is started and stopped again and again: while it starts, while it plays, and after its end.
pub fn state_cycles_leave_nothing_behind(scene: &Scene) {
    let mut chain = Chain::new(&scene.folder, &ChainOptions { is_live: false, ..ChainOptions::default() });
    let mut before = Resources::default();
    for cycle in 0..WARM_UP + CYCLES * scene.factor {
        if [WARM_UP / 2, WARM_UP].contains(&cycle) {
            before = before.max(Resources::settled());
        }
        announce(&format!("cycle {cycle}"));
        // Stopped while it starts, while it plays, and after its end.
        chain.camera.next_pts = gst::ClockTime::ZERO;
        chain.play();
        chain.camera.push(3);
        if cycle % 3 == 1 {
            let shown = chain.picture.count();
            chain.wait("a frame", |chain| chain.picture.count() > shown);
        } else if cycle % 3 == 2 {
            chain.camera.end();
            chain.wait("the end", |chain| chain.messages().has_ended);
        }
        chain.pipeline.set_state([gst::State::Null, gst::State::Ready][cycle as usize % 2]).unwrap();
    }
    chain.stop();
    chain.assert_no_errors();
    let after = Resources::settled();
    println!("{CYCLES} x {} state cycles: {before}; {after}", scene.factor);
    after.assert_no_more_than(before, ALLOCATOR_NOISE);
}

/// Seeks of several kinds come while one track fades into another.
pub fn seeks_while_crossfading_go_on(scene: &Scene) {
    let recording = scene.folder.join("film.mkv");
    let make = format!(
        "videotestsrc num-buffers=250 ! video/x-raw,width=96,height=64,framerate=25/1 ! jpegenc ! matroskamux \
         ! filesink location={}",
        recording.display()
    );
    run_to_end(&gst::parse::launch(&make).unwrap());
    let description = format!(
        "filesrc location={} ! matroskademux ! jpegdec ! videoconvert ! haarfacedetect ! emotionclassify ! queue
         ! player.mood moodplayer name=player library={}/library manual-mood=happy crossfade=2000000000
         ! fakesink name=sound sync=true",
        recording.display(),
        scene.folder.display()
    );
    let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let player = pipeline.by_name("player").unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    pipeline.state(None).0.unwrap();
    let moods = ["happy", "sad", "neutral"];
    for index in 0..12 * scene.factor {
        // A change of mood begins a crossfade; the seek comes at some moment of it.
        player.set_property("manual-mood", moods[index as usize % 3]);
        thread::sleep(Duration::from_millis(30 + index * 37 % 120));
        let target = gst::ClockTime::from_mseconds(index * 2741 % 9000);
        announce(&format!("seek to {target}"));
        let flags = [
            gst::SeekFlags::FLUSH,
            gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE,
            gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT,
        ];
        pipeline.seek_simple(flags[index as usize % 3], target).unwrap();
        pipeline.state(None).0.unwrap();
    }
    announce("seek to the last second and wait for the end");
    pipeline.seek_simple(gst::SeekFlags::FLUSH, gst::ClockTime::from_seconds(9)).unwrap();
    wait_for_end(&pipeline);
    pipeline.set_state(gst::State::Null).unwrap();
}

/// Plays a pipeline to its end.
fn run_to_end(pipeline: &gst::Element) {
    pipeline.set_state(gst::State::Playing).unwrap();
    wait_for_end(pipeline);
    pipeline.set_state(gst::State::Null).unwrap();
}

/// Waits for the end of a pipeline.
#[track_caller]
fn wait_for_end(pipeline: &impl IsA<gst::Element>) {
    let bus = pipeline.as_ref().bus().unwrap();
    let message = bus.timed_pop_filtered(None, &[gst::MessageType::Eos, gst::MessageType::Error]).unwrap();
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
}

/// Several chains with the same input play at once: two and more of each element.
pub fn two_chains_in_a_process_do_the_same(scene: &Scene) {
    let count = 2 + scene.factor;
    announce(&format!("{count} chains at once"));
    let threads: Vec<_> = (0..count)
        .map(|number| {
            let folder = scene.folder.join(format!("chain {number}"));
            std::fs::create_dir(&folder).unwrap();
            std::os::unix::fs::symlink(scene.folder.join("library"), folder.join("library")).unwrap();
            thread::spawn(move || {
                // The description has no room for a blank, so the folder is set afterwards.
                let options = ChainOptions { is_live: false, ..ChainOptions::default() };
                let mut chain = Chain::new(std::path::Path::new("/"), &options);
                let place = |name: &str| folder.join(name).to_str().unwrap().to_owned();
                chain.element("log").set_property("location", place("timeline.jsonl"));
                chain.element("player").set_property("library", place("library"));
                chain.element("player").set_property("log-location", place("music.jsonl"));
                chain.play();
                chain.camera.push(75);
                chain.end();
                chain.assert_no_errors();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    for name in ["timeline.jsonl", "music.jsonl"] {
        let texts: Vec<String> = (0..count)
            .map(|number| {
                let text = scene.read(&format!("chain {number}/{name}"));
                let text = text
                    .replace(&format!("chain%20{number}"), "chain")
                    .replace(&format!("chain {number}"), "chain");
                // The player's lines reach the log of the frames whenever they come; its own log is in order.
                let is_compared = |line: &&str| name == "music.jsonl" || line.contains(r#""type":"frame""#);
                text.lines().filter(is_compared).collect::<Vec<_>>().join("\n")
            })
            .collect();
        assert!(texts.iter().all(|text| *text == texts[0] && !text.is_empty()), "{name} differs");
    }
}

/// The camera flushes at any moment, half of the times with a new running time.
pub fn flushes_at_any_moment_go_on(scene: &Scene) {
    let mut chain = Chain::new(&scene.folder, &ChainOptions::default());
    chain.play();
    chain.film(3);
    let pad = chain.camera.element().static_pad("src").unwrap();
    for index in 0..20 * scene.factor {
        announce(&format!("flush {index}"));
        pad.push_event(gst::event::FlushStart::new());
        thread::sleep(Duration::from_millis(index * 7 % 12));
        pad.push_event(gst::event::FlushStop::new(index % 2 == 0));
        // The camera's thread stopped with the flush.
        chain.camera.element().set_state(gst::State::Ready).unwrap();
        chain.camera.element().sync_state_with_parent().unwrap();
        chain.camera.next_pts = chain.pipeline.current_running_time().unwrap_or_default();
        chain.camera.film(2);
    }
    chain.film(6);
    chain.stop();
    chain.assert_no_errors();
}
