//! Cameras that stall, fail, end, return, and change.

use std::time::Duration;

use gst::prelude::*;
use mood_tests::chain::{Camera, Chain, ChainOptions, announce};

use crate::Scene;

/// Twice, the camera gives nothing for a second of music.
pub fn a_camera_that_stalls_does_not_stop_the_music(scene: &Scene) {
    let mut chain = Chain::new(&scene.folder, &ChainOptions::default());
    chain.play();
    chain.film(8);
    for _ in 0..2 {
        // The camera gives nothing while the music goes on.
        let end = chain.sound.played() + Duration::from_secs(scene.factor);
        chain.wait("music", |chain| chain.sound.played() >= end);
        let now = chain.pipeline.current_running_time().unwrap();
        chain.camera.next_pts = now;
        chain.film(8);
    }
    chain.end();
    chain.assert_no_errors();
    scene.assert_timeline_has(24);
}

/// The camera posts an error and ends; the pipeline is stopped and started again.
pub fn a_camera_that_fails_ends_cleanly_and_can_start_again(scene: &Scene) {
    let mut chain = Chain::new(&scene.folder, &ChainOptions::default());
    for run in 1..=2 + scene.factor {
        chain.play();
        chain.film(6);
        chain.camera.fail();
        chain.wait("the camera's error", |chain| chain.messages().errors.len() as u64 == run);
        chain.wait("the end of the sound", |chain| {
            chain.sound.ends.load(std::sync::atomic::Ordering::Relaxed) == run
        });
        chain.stop();
        chain.camera.next_pts = gst::ClockTime::ZERO;
        assert!(chain.messages().errors.iter().all(|error| error == "the camera is gone"));
        scene.assert_timeline_has(6);
    }
}

/// The camera is removed and another one, with another frame size, takes its place.
pub fn a_camera_that_is_exchanged_while_playing_goes_on(scene: &Scene) {
    let mut chain = Chain::new(&scene.folder, &ChainOptions::default());
    chain.play();
    chain.film(6);
    for round in 0..2 + scene.factor {
        announce("exchange the camera");
        let input = chain.element("input");
        let (old, next_pts) = (chain.camera.element().clone(), chain.camera.next_pts);
        old.unlink(&input);
        chain.pipeline.remove(&old).unwrap();
        old.set_state(gst::State::Null).unwrap();
        let size = [(200, 152), (161, 121), (160, 120)][round as usize % 3];
        chain.camera = Camera::new(true, size);
        chain.camera.next_pts = next_pts;
        chain.pipeline.add(chain.camera.element()).unwrap();
        chain.camera.element().link(&input).unwrap();
        chain.camera.element().sync_state_with_parent().unwrap();
        chain.film(6);
    }
    chain.end();
    chain.assert_no_errors();
    scene.assert_timeline_has(6 * (3 + scene.factor));
}

/// The camera ends, and after a flush begins again in the same pipeline.
pub fn a_camera_that_returns_after_its_end_goes_on(scene: &Scene) {
    let mut chain = Chain::new(&scene.folder, &ChainOptions::default());
    chain.play();
    for _ in 0..2 + scene.factor {
        chain.film(6);
        chain.camera.end();
        chain.wait("the end of the sound", |chain| chain.sound.has_ended());
        announce("flush");
        let pad = chain.camera.element().static_pad("src").unwrap();
        assert!(pad.push_event(gst::event::FlushStart::new()));
        assert!(pad.push_event(gst::event::FlushStop::new(false)));
        chain.sound.ends.store(0, std::sync::atomic::Ordering::Relaxed);
        announce("restart the camera");
        chain.camera.element().set_state(gst::State::Ready).unwrap();
        chain.camera.element().sync_state_with_parent().unwrap();
        chain.camera.next_pts = chain.pipeline.current_running_time().unwrap();
    }
    chain.film(6);
    chain.stop();
    chain.assert_no_errors();
    scene.assert_timeline_has(6 * (3 + scene.factor));
}

/// Every frame has another pixel format and size, down to 1 x 1.
pub fn a_camera_may_change_its_format_at_any_frame(scene: &Scene) {
    let mut chain = Chain::new(&scene.folder, &ChainOptions { is_live: false, ..ChainOptions::default() });
    chain.play();
    let source: gst_app::AppSrc = chain.camera.element().clone().downcast().unwrap();
    let formats = [
        ("RGBA", 160, 120),
        ("GRAY8", 161, 121),
        ("I420", 33, 17),
        ("NV12", 320, 2),
        ("RGBx", 1, 1),
        ("UYVY", 3, 240),
    ];
    let count = formats.len() as u64 * 2 * scene.factor;
    for (format, width, height) in formats.into_iter().cycle().take(count as usize) {
        let info = gst_video::VideoInfo::builder(format.parse().unwrap(), width, height)
            .fps((25, 1))
            .build()
            .unwrap();
        announce(&format!("{format} {width} x {height}"));
        source.set_caps(Some(&info.to_caps().unwrap()));
        let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
        buffer.make_mut().set_pts(chain.camera.next_pts);
        buffer.make_mut().set_duration(mood_tests::chain::PERIOD);
        chain.camera.next_pts += mood_tests::chain::PERIOD;
        source.push_buffer(buffer).unwrap();
    }
    chain.end();
    chain.assert_no_errors();
    scene.assert_timeline_has(count);
}
