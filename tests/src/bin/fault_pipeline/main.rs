//! Runs the whole chain of elements while something around it fails.
//!
//! `fault_pipeline NAME FOLDER FACTOR`: FOLDER holds a small music library, `library/`, and takes the results; FACTOR
//! multiplies what is repeated, 1 for the short form. `fault_pipeline --list` prints the names. Exit code 0 where the
//! chain did what it should; a panic says what it did instead. Nothing here has a deadline, as
//! [`mood_tests::chain`] explains.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "used by a test only, which reports the panic")]

mod camera;
mod clock;
mod disk;
mod loudspeaker;
mod repetition;
mod soak;
mod timestamps;

use std::env;
use std::path::{Path, PathBuf};

/// Where a fault happens, and how often.
struct Scene {
    /// The folder with the library, for the results.
    folder: PathBuf,
    /// Multiplies what is repeated.
    factor: u64,
}

impl Scene {
    /// A file in the folder, as text.
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// Asserts that the timeline has its first and last line and, in between, `count` frames.
    #[track_caller]
    fn assert_timeline_has(&self, count: u64) {
        let sessions = mood_tests::Timeline::read_sessions(&self.folder.join("timeline.jsonl"));
        assert!(sessions.iter().all(|session| session.end.is_some()), "a session of the timeline has no end");
        assert_eq!(sessions.iter().map(|session| session.frames.len() as u64).sum::<u64>(), count);
    }
}

/// The faults, by the name of the function that causes each.
macro_rules! faults {
    ($($module:ident: $($name:ident)*;)*) => { [$($((stringify!($name), $module::$name as fn(&Scene))),*),*] };
}

fn main() {
    let faults = faults! {
        camera: a_camera_that_stalls_does_not_stop_the_music
            a_camera_that_fails_ends_cleanly_and_can_start_again
            a_camera_that_is_exchanged_while_playing_goes_on
            a_camera_that_returns_after_its_end_goes_on
            a_camera_may_change_its_format_at_any_frame;
        loudspeaker: a_loudspeaker_that_fails_is_an_error_and_stops
            a_loudspeaker_that_takes_nothing_stops_neither_picture_nor_state_changes
            a_loudspeaker_may_be_exchanged_while_playing;
        disk: a_full_disk_is_an_error_and_keeps_complete_lines
            a_full_disk_for_the_decision_log_is_reported_and_the_music_plays
            a_slow_disk_loses_no_line
            a_folder_that_is_removed_while_playing_stops_nothing
            a_music_folder_that_vanishes_and_returns_is_played_again;
        timestamps: timestamps_that_repeat_go_back_or_are_missing_stop_nothing
            timestamps_that_jump_are_followed_in_lock_step;
        clock: a_clock_that_jumps_stops_nothing;
        repetition: state_cycles_leave_nothing_behind
            seeks_while_crossfading_go_on
            two_chains_in_a_process_do_the_same
            flushes_at_any_moment_go_on;
        soak: hours_of_video_leave_nothing_behind
            hours_of_music_need_less_than_80_mib;
    };
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--list"] => faults.iter().for_each(|(name, _)| println!("{name}")),
        [name, folder, factor] => {
            let (_, inject) = faults.iter().find(|(fault, _)| *fault == name).expect("the name of a fault");
            gst::init().unwrap();
            inject(&Scene { folder: Path::new(folder).to_owned(), factor: factor.parse().unwrap() });
        }
        _ => panic!("fault_pipeline NAME FOLDER FACTOR, or --list"),
    }
}
