//! Clocks that jump.

use gst::prelude::*;
use mood_tests::chain::{Chain, ChainOptions, announce};

use crate::Scene;

/// Moves a clock; to the back it stands still for that time, because a GStreamer clock never goes back.
fn move_clock(clock: &gst::Clock, seconds: i64) {
    announce(&format!("move the clock by {seconds} s"));
    let (internal, external, numerator, denominator) = clock.calibration();
    let shift = gst::ClockTime::from_seconds(seconds.unsigned_abs());
    let moved = if seconds < 0 { external.saturating_sub(shift) } else { external + shift };
    clock.set_calibration(internal, moved, numerator, denominator);
}

/// The pipeline's clock jumps by seconds, a minute and an hour, and stands still.
pub fn a_clock_that_jumps_stops_nothing(scene: &Scene) {
    let mut chain = Chain::new(&scene.folder, &ChainOptions::default());
    let clock: gst::Clock =
        glib::Object::builder::<gst::SystemClock>().property("name", "jumping").build().upcast();
    chain.pipeline.use_clock(Some(&clock));
    chain.play();
    chain.film(6);
    for seconds in [1, -1, 20, 60 * scene.factor as i64] {
        move_clock(&clock, seconds);
        let shown = chain.picture.count();
        chain.camera.film(12);
        chain.wait("the picture", |chain| chain.picture.count() >= shown + 12);
        chain.film(6);
    }
    announce("stop while the clock is an hour ahead");
    move_clock(&clock, 3600);
    chain.camera.film(3);
    chain.stop();
    chain.assert_no_errors();
}
