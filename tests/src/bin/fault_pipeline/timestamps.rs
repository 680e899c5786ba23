//! Timestamps that no camera should give, and many do.

use gst::ClockTime;
use mood_tests::chain::{Chain, ChainOptions, PERIOD, announce};

use crate::Scene;

/// The timestamps of some frames.
type Pattern = fn(u64) -> Option<ClockTime>;

/// Patterns with the number of frames that each names.
const PATTERNS: [(&str, Pattern); 8] = [
    ("all the same", |_| Some(ClockTime::SECOND)),
    ("each twice", |index| Some(PERIOD * (index / 2))),
    ("backwards", |index| Some(PERIOD * (100 - index))),
    ("two steps forward, one back", |index| Some(PERIOD * if index % 2 == 0 { index + 2 } else { index })),
    ("none", |_| None),
    ("every third missing", |index| (index % 3 != 0).then(|| PERIOD * index)),
    ("an hour back", |index| {
        Some(PERIOD * index + if index < 5 { ClockTime::from_seconds(3600) } else { ClockTime::ZERO })
    }),
    ("minutes before the first, then at it", |index| Some(ClockTime::from_nseconds(index * 7919))),
];

/// Frames with the timestamps of each of [`PATTERNS`].
pub fn timestamps_that_repeat_go_back_or_are_missing_stop_nothing(scene: &Scene) {
    for (name, pattern) in PATTERNS {
        // In lock step an hour of music would be made for the hour.
        let is_live = name == "an hour back";
        announce(&format!("timestamps: {name}, live: {is_live}"));
        let chain = Chain::new(&scene.folder, &ChainOptions { is_live, ..ChainOptions::default() });
        chain.play();
        let count = 10 * scene.factor;
        for index in 0..count {
            assert!(chain.camera.push_at(pattern(index % 100)));
        }
        if is_live {
            // The player of live video plays until the frames' time, so the camera is stopped instead.
            chain.wait("the frames", |chain| chain.picture.count() == count);
            chain.stop();
        } else {
            chain.end();
        }
        chain.assert_no_errors();
        assert_eq!(chain.picture.count(), count, "{name}");
        scene.assert_timeline_has(count);
    }
}

/// The timestamps jump ahead by minutes, then by 290 years.
pub fn timestamps_that_jump_are_followed_in_lock_step(scene: &Scene) {
    let minutes = 2 * scene.factor;
    let mut chain = Chain::new(&scene.folder, &ChainOptions { is_live: false, ..ChainOptions::default() });
    chain.play();
    chain.camera.push(10);
    chain.camera.next_pts += ClockTime::from_seconds(60 * minutes);
    chain.camera.push(10);
    chain.end();
    chain.assert_no_errors();
    let (played, expected) = (chain.sound.played().as_secs_f64(), 60.0 * minutes as f64 + 0.8);
    assert!((played - expected).abs() < 0.05, "{played} s of music, not {expected} s");
    announce("a jump of 290 years, which nobody waits for");
    let mut chain = Chain::new(&scene.folder, &ChainOptions { is_live: false, ..ChainOptions::default() });
    chain.play();
    chain.camera.push(5);
    chain.camera.push_at(Some(ClockTime::from_nseconds(u64::MAX / 2)));
    chain.wait("the frames", |chain| chain.picture.count() == 6);
    chain.stop();
    chain.assert_no_errors();
}
