//! Loudspeakers that fail, stand still, and are exchanged.

use gst::prelude::*;
use mood_tests::chain::{Chain, ChainOptions, announce};

use crate::Scene;

/// The sink fails after 30 buffers, live and in lock step.
pub fn a_loudspeaker_that_fails_is_an_error_and_stops(scene: &Scene) {
    for is_live in [true, false] {
        let audio_sink = "identity error-after=30 ! fakesink name=sound sync=false";
        let mut chain =
            Chain::new(&scene.folder, &ChainOptions { is_live, audio_sink, ..ChainOptions::default() });
        chain.play();
        announce("film until the error");
        while chain.messages().errors.is_empty() {
            chain.camera.film(1);
        }
        chain.stop();
        let timeline = mood_tests::Timeline::read(&scene.folder.join("timeline.jsonl"));
        assert!(timeline.end.is_some() && !timeline.frames.is_empty());
    }
}

/// The sink blocks for seconds, across a pause, and when the pipeline stops.
pub fn a_loudspeaker_that_takes_nothing_stops_neither_picture_nor_state_changes(scene: &Scene) {
    let mut chain = Chain::new(&scene.folder, &ChainOptions::default());
    let pad = chain.element("sound").static_pad("sink").unwrap();
    chain.play();
    chain.film(6);
    let probe =
        pad.add_probe(gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER, |_, _| gst::PadProbeReturn::Ok);
    announce("film while the loudspeaker takes nothing");
    for _ in 0..scene.factor {
        let shown = chain.picture.count();
        chain.camera.film(25);
        chain.wait("the picture", |chain| chain.picture.count() >= shown + 25);
    }
    chain.pause_and_play();
    pad.remove_probe(probe.unwrap());
    chain.film(6);
    pad.add_probe(gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER, |_, _| gst::PadProbeReturn::Ok);
    chain.camera.film(6);
    chain.stop();
    chain.assert_no_errors();
}

/// The sink is exchanged for one with another sample format and rate, and back.
pub fn a_loudspeaker_may_be_exchanged_while_playing(scene: &Scene) {
    let mut chain = Chain::new(&scene.folder, &ChainOptions::default());
    chain.play();
    chain.film(6);
    let player_pad = chain.element("player").static_pad("src").unwrap();
    for round in 0..2 + scene.factor {
        announce("exchange the loudspeaker");
        // As a plugin manual's dynamic pipelines do it: between two buffers.
        let (sender, receiver) = std::sync::mpsc::channel();
        let (pipeline, old) = (chain.pipeline.clone(), player_pad.peer().unwrap().parent_element().unwrap());
        let description = [
            "audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=44100 ! fakesink sync=false async=false",
            "fakesink sync=false async=false",
        ];
        let new = gst::parse::bin_from_description(description[round as usize % 2], true).unwrap();
        let counter = mood_tests::chain::SinkCounter::watch(&new.static_pad("sink").unwrap());
        let pad = player_pad.clone();
        player_pad.add_probe(gst::PadProbeType::IDLE, move |_, _| {
            pad.unlink(&pad.peer().unwrap()).unwrap();
            old.set_state(gst::State::Null).unwrap();
            pipeline.remove(&old).unwrap();
            pipeline.add(&new).unwrap();
            pad.link(&new.static_pad("sink").unwrap()).unwrap();
            new.sync_state_with_parent().unwrap();
            sender.send(()).unwrap();
            gst::PadProbeReturn::Remove
        });
        receiver.recv().unwrap();
        chain.sound = counter;
        chain.film(6);
    }
    chain.stop();
    chain.assert_no_errors();
}
