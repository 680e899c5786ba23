use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::test_support::{FakeLoader, RATE, SLOPE, library};

/// A player, and all that it has played and reported.
struct Recorder {
    player: Player<FakeLoader>,
    /// The next sample.
    position: u64,
    /// All samples so far.
    audio: Vec<f32>,
    events: Vec<PlayerEvent>,
}

/// A player of tracks that are given as in [`library`]; with `change`, options other than the defaults.
fn player_of(tracks: &[(Emotion, &str)], change: impl FnOnce(&mut PlayoutOptions)) -> Recorder {
    let format = AudioFormat { rate: RATE as u32, channels: 1 };
    let mut options = PlayoutOptions { crossfade: Duration::from_secs(1), ..PlayoutOptions::default() };
    change(&mut options);
    let player = Player::new(FakeLoader::default(), library(tracks), &options, format);
    Recorder { player, position: 0, audio: Vec::new(), events: Vec::new() }
}

impl Recorder {
    /// Sets the target.
    fn want(&mut self, emotion: Emotion) -> &mut Self {
        self.player.set_target(self.position, Some(MusicTarget::for_emotion(emotion)));
        self
    }

    /// Plays in blocks of 10 ms.
    fn play(&mut self, seconds: f64) -> &mut Self {
        self.play_waiting(seconds, WaitMode::Always)
    }

    fn play_waiting(&mut self, seconds: f64, wait: WaitMode) -> &mut Self {
        let end = self.position + (seconds * RATE as f64) as u64;
        while self.position < end {
            let mut block = vec![f32::NAN; 80.min(end - self.position) as usize];
            self.player.render(self.position, &mut block, wait).unwrap();
            self.position += block.len() as u64;
            self.audio.extend(block);
            self.events.extend(self.player.take_events(self.position));
        }
        self
    }

    /// Time in seconds, kind and title of all events.
    fn timed_events(&self) -> Vec<(f64, TrackEvent, &str)> {
        let seconds = |sample| sample as f64 / RATE as f64;
        self.events.iter().map(|e| (seconds(e.sample), e.line.event, e.line.title.as_str())).collect()
    }

    /// The sample at a time in seconds.
    fn value_at(&self, second: f64) -> f32 {
        self.audio[(second * RATE as f64) as usize]
    }

    /// The largest difference between successive samples.
    fn largest_step(&self) -> f32 {
        self.audio.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }
}

use Emotion::{Happy, Neutral, Sad};
use TrackEvent::{CrossfadeDone, CrossfadeStarted, Ended, Failed, Started};

#[test]
fn without_crossfade_tracks_join_gaplessly() {
    let mut recorder =
        player_of(&[(Happy, "0.1/1.0005"), (Happy, "0.3/1.0005")], |s| s.crossfade = Duration::ZERO);
    recorder.want(Happy).play(4.0);
    let started: Vec<u64> =
        recorder.events.iter().filter(|e| e.line.event == Started).map(|e| e.sample).collect();
    assert_eq!(started, [0, 8004, 16008, 24012]);
    assert!(recorder.audio.iter().all(|sample| *sample >= 0.1 - 1e-6), "a sample of silence");
    assert!((recorder.audio[8003] - recorder.audio[0] - 8003.0 * SLOPE).abs() < SLOPE);
}

#[test]
fn the_end_of_a_track_fades_into_the_next() {
    let mut recorder = player_of(&[(Happy, "0.1/10"), (Happy, "0.3/2")], |s| s.seed = 1);
    recorder.want(Happy).play(25.0);
    let short = recorder
        .timed_events()
        .into_iter()
        .filter(|(_, event, title)| *event == Started && *title == "0.3/2");
    let [(at, ..), ..] = short.collect::<Vec<_>>()[..] else { panic!("{:?}", recorder.timed_events()) };
    let happened =
        |at: f64, event| recorder.timed_events().iter().any(|e| (e.0 - at).abs() < 0.001 && e.1 == event);
    // The fade into the short track takes a second, the one out of it a quarter of its two seconds.
    assert!(
        happened(at, CrossfadeStarted) && happened(at + 1.0, CrossfadeDone) && happened(at + 1.0, Ended),
        "{:?}",
        recorder.timed_events()
    );
    assert!(happened(at + 1.5, Started) && happened(at + 2.0, Ended), "{:?}", recorder.timed_events());
}

#[test]
fn a_new_target_is_faded_to_at_once() {
    let mut recorder = player_of(&[(Happy, "0.3/60"), (Sad, "0.2/60")], |_| {});
    recorder.want(Happy).play(2.0).want(Sad).play(3.0);
    // Events are later by as much as the limiter looks ahead.
    let delay = recorder.player.limiter_delay() as f64 / RATE as f64;
    assert!(delay < 0.003);
    let expected = [
        (0.0, Started, "0.3/60"),
        (2.0 + delay, Started, "0.2/60"),
        (2.0 + delay, CrossfadeStarted, "0.2/60"),
        (3.0 + delay, Ended, "0.3/60"),
        (3.0 + delay, CrossfadeDone, "0.2/60"),
    ];
    assert_eq!(recorder.timed_events(), expected);
    let started = &recorder.events[1].line;
    assert_eq!((started.mood, started.distance), (Some(Mood::Known(Sad)), Some(0.0)));
    assert_eq!(started.runners_up.len(), 1);
    assert!((recorder.value_at(1.9) - 0.3).abs() < 0.02 && (recorder.value_at(3.1) - 0.2).abs() < 0.02);
    // Equal power: half way, both gains are -3 dB.
    let half = (0.3 + 0.2) * std::f32::consts::FRAC_1_SQRT_2;
    assert!((recorder.value_at(2.5) - half).abs() < 0.03, "{}", recorder.value_at(2.5));
    assert!(recorder.largest_step() < 0.001);
    assert_eq!(recorder.player.playing(), Some("file:///0.2/60"));
}

#[test]
fn interrupted_fades_have_no_steps() {
    let mut recorder = player_of(&[(Happy, "0.3/60"), (Sad, "0.1/60"), (Neutral, "0.2/60")], |_| {});
    recorder
        .want(Happy)
        .play(2.0)
        .want(Sad)
        .play(0.4)
        .want(Neutral)
        .play(0.3)
        .want(Happy)
        .play(0.2)
        .want(Sad)
        .play(3.0);
    assert!(recorder.largest_step() < 0.002, "{}", recorder.largest_step());
    assert!((recorder.value_at(5.8) - 0.1).abs() < 0.03, "{}", recorder.value_at(5.8));
    let done = recorder.timed_events().into_iter().filter(|event| event.1 == CrossfadeDone).count();
    assert_eq!(done, 1, "only at the end of the last fade");
}

#[test]
fn unplayable_tracks_are_reported_once_and_skipped() {
    let mut recorder =
        player_of(&[(Happy, "0.1/9/never"), (Happy, "0.2/2/breaks"), (Happy, "0.3/9")], |s| s.seed = 3);
    recorder.want(Happy).play(60.0);
    let failed: Vec<&str> =
        recorder.timed_events().iter().filter(|event| event.1 == Failed).map(|event| event.2).collect();
    assert_eq!(failed.len(), 2, "each once: {:?}", recorder.timed_events());
    let errors: Vec<&str> =
        recorder.events.iter().filter(|e| e.line.event == Failed).map(|e| e.line.reason.as_str()).collect();
    assert!(errors.contains(&"cannot be opened") && errors.contains(&"broke off"));
    assert!(recorder.audio.iter().all(|sample| *sample > 0.05), "there is silence");
}

#[test]
fn without_a_playable_track_there_is_silence() {
    let mut recorder = player_of(&[(Happy, "0.1/9/never"), (Sad, "0.1/9/never")], |_| {});
    recorder.want(Happy).play(2.0);
    assert_eq!(recorder.timed_events().len(), 2);
    assert!(recorder.player.is_nothing_playable());
    assert!(recorder.audio.iter().all(|sample| *sample == 0.0));
}

#[test]
fn tracks_are_tried_again_when_none_can_be_played() {
    let mut recorder = player_of(&[(Happy, "0.1/4"), (Happy, "0.2/4"), (Happy, "0.3/4")], |_| {});
    recorder.want(Happy).play(2.0);
    recorder.player.loader.disk_removed = true;
    recorder.play(60.0);
    assert!(recorder.player.is_nothing_playable() && recorder.value_at(61.0) == 0.0);
    let count =
        |recorder: &Recorder, of| recorder.timed_events().iter().filter(|event| event.1 == of).count();
    assert_eq!(count(&recorder, Failed), 3, "each once: {:?}", recorder.timed_events());
    recorder.player.loader.disk_removed = false;
    recorder.play(30.0);
    assert!(recorder.audio[75 * RATE as usize..].iter().all(|sample| *sample > 0.05));
    assert!(count(&recorder, Started) > 8 && count(&recorder, Failed) == 3, "{:?}", recorder.timed_events());
}

#[test]
fn resume_decides_what_plays_when_an_emotion_returns() {
    let returned = |resume| {
        let mut recorder =
            player_of(&[(Happy, "0.1/60"), (Happy, "0.2/60"), (Sad, "0.3/60")], |s| s.resume = resume);
        recorder.want(Happy).play(5.0);
        let first = recorder.value_at(1.0);
        recorder.want(Sad).play(5.0).want(Happy).play(2.0);
        // The values of the tracks are 0.1 apart; what exceeds the first one's value is its position.
        let elapsed = recorder.value_at(11.9) - (first - 8000.0 * SLOPE);
        (elapsed.abs() < 0.09).then(|| (elapsed / SLOPE / RATE as f32 * 10.0).round() / 10.0)
    };
    assert_eq!(returned(Resume::Next), None);
    assert_eq!(returned(Resume::Restart), Some(1.9));
    assert_eq!(returned(Resume::Continue), Some(6.9));
}

#[test]
fn a_track_that_was_left_near_its_end_restarts() {
    let mut recorder = player_of(&[(Happy, "0.1/10"), (Sad, "0.3/60")], |s| s.resume = Resume::Continue);
    recorder.want(Happy).play(8.95).want(Sad).play(5.0).want(Happy).play(2.0);
    assert_eq!(recorder.timed_events().iter().filter(|event| event.1 == Failed).count(), 0);
    let elapsed = (recorder.value_at(15.9) - 0.1) / SLOPE / RATE as f32;
    assert!((elapsed - 1.95).abs() < 0.1, "{elapsed} s into it");
}

#[test]
fn an_emotion_that_returns_during_its_fade_out_is_faded_in_again() {
    let mut recorder = player_of(&[(Happy, "0.3/60"), (Sad, "0.1/60")], |s| s.resume = Resume::Continue);
    recorder.want(Happy).play(3.0).want(Sad).play(0.5).want(Happy).play(3.0);
    let started = recorder.timed_events().into_iter().filter(|event| event.1 == Started).count();
    assert_eq!(started, 2);
    assert!(
        (recorder.value_at(6.0) - (0.3 + 6.0 * RATE as f32 * SLOPE)).abs() < 1e-4,
        "the position is not as if it had never faded"
    );
    assert!(recorder.largest_step() < 0.001);
}

#[test]
fn switch_at_track_end_lets_the_track_end() {
    let mut recorder = player_of(&[(Happy, "0.1/10"), (Sad, "0.3/10")], |s| s.switch_at = SwitchAt::TrackEnd);
    recorder.want(Happy).play(2.0).want(Sad).play(10.0);
    let started: Vec<_> = recorder.timed_events().into_iter().filter(|event| event.1 == Started).collect();
    assert_eq!(started, [(0.0, Started, "0.1/10"), (9.0, Started, "0.3/10")]);
}

#[test]
fn a_track_that_fits_the_new_target_plays_on() {
    let mut recorder = player_of(&[(Happy, "0.1/30")], |_| {});
    recorder.want(Happy).play(2.0).want(Sad).play(2.0);
    assert_eq!(recorder.timed_events().len(), 1);
}

#[test]
fn skip_fade_out_and_rating() {
    let mut recorder =
        player_of(&[(Happy, "0.1/60"), (Happy, "0.2/60"), (Sad, "0.3/60")], |s| s.no_repeat = 0);
    recorder.want(Happy).play(2.0);
    let first = recorder.player.playing().unwrap().to_owned();
    recorder.player.skip();
    recorder.play(2.0);
    assert_ne!(recorder.player.playing(), Some(first.as_str()));
    let second = recorder.player.playing().unwrap().to_owned();
    assert_eq!(recorder.player.rate(&second, -2).as_deref(), Some(second.as_str()));
    recorder.player.skip();
    recorder.play(2.0);
    assert_eq!(recorder.player.playing(), Some(first.as_str()));
    recorder.player.fade_out();
    recorder.play(3.0);
    assert_eq!((recorder.player.playing(), recorder.value_at(8.5)), (None, 0.0));
    recorder.want(Sad).play(1.0).want(Happy).play(2.0);
    assert_ne!(recorder.player.playing(), Some(second.as_str()), "it was rated down");
    recorder.player.set_target(recorder.position, None);
    recorder.play(2.0);
    assert_eq!(recorder.player.playing(), None);
}

/// The titles of the tracks that were started.
fn started(recorder: &Recorder) -> Vec<&str> {
    let events = recorder.timed_events().into_iter();
    events.filter(|(_, event, _)| *event == Started).map(|(_, _, title)| title).collect()
}

#[test]
fn skips_and_ends_never_give_the_same_piece_while_another_is_within_reach() {
    let tracks = [(Happy, "0.1/4"), (Neutral, "0.2/4"), (Sad, "0.3/4")];
    let mut recorder = player_of(&tracks, |_| {});
    recorder.want(Happy).play(10.0);
    for _ in 0..5 {
        recorder.player.skip();
        recorder.play(1.5);
    }
    let started = started(&recorder);
    assert!(started.len() >= 7 && started.windows(2).all(|pair| pair[0] != pair[1]), "{started:?}");
    assert!(!started.contains(&"0.3/4"), "the opposite mood is no substitute: {started:?}");
}

#[test]
fn one_can_go_back_track_by_track_and_no_further_than_the_first() {
    let tracks = [(Happy, "0.1/60"), (Happy, "0.2/60"), (Happy, "0.3/60")];
    let mut recorder = player_of(&tracks, |_| {});
    recorder.player.previous();
    recorder.want(Happy).play(2.0);
    for _ in 0..2 {
        recorder.player.skip();
        recorder.play(2.0);
    }
    assert!(recorder.player.status().has_previous);
    for _ in 0..3 {
        recorder.player.previous();
        recorder.play(2.0);
    }
    let titles = started(&recorder);
    assert_eq!(titles[3..], [titles[1], titles[0]], "{titles:?}");
    assert!(!recorder.player.status().has_previous);
    // Where the track before cannot be played any more, another is.
    recorder.player.skip();
    recorder.play(2.0);
    recorder.player.loader.disk_removed = true;
    recorder.player.previous();
    recorder.play(2.0);
    assert!(recorder.timed_events().iter().any(|(_, event, _)| *event == Failed));
}

#[test]
fn a_looped_track_follows_itself_until_the_mood_changes() {
    let mut recorder = player_of(&[(Happy, "0.1/4"), (Happy, "0.2/4"), (Sad, "0.3/4")], |_| {});
    recorder.player.set_loop_track(true);
    recorder.want(Happy).play(11.0);
    let looped = started(&recorder)[0].to_owned();
    assert!(started(&recorder).iter().all(|title| *title == looped) && started(&recorder).len() > 2);
    recorder.want(Sad).play(1.0);
    assert_eq!(started(&recorder).last(), Some(&"0.3/4"));
    // One that breaks off does not.
    let mut broken = player_of(&[(Happy, "0.1/4/broken"), (Happy, "0.2/4")], |_| {});
    broken.player.set_loop_track(true);
    broken.want(Happy).play(11.0);
    assert_eq!(started(&broken).iter().filter(|title| title.contains("broken")).count(), 1);
}

#[test]
fn excluded_tracks_are_not_played_and_the_status_shows_what_plays_and_follows() {
    let mut recorder = player_of(&[(Happy, "0.1/60"), (Happy, "0.2/60"), (Happy, "0.3/9")], |_| {});
    assert_eq!(recorder.player.status(), PlayerStatus::default());
    assert_eq!(recorder.player.set_excluded("file:///nowhere", true), None);
    recorder.player.set_excluded("file:///0.1/60", true);
    recorder.player.rate("file:///0.2/60", 1);
    recorder.want(Happy).play(2.0);
    let PlayerStatus { playing, next, has_previous } = recorder.player.status();
    let (playing, next) = (playing.unwrap(), next.unwrap());
    let heard = 2_000_000_000 + recorder.player.limiter_delay() * 125_000;
    assert_eq!((playing.title.as_str(), playing.rating, playing.mood), ("0.2/60", 1, Some(Happy.into())));
    assert_eq!((playing.position, playing.duration), (heard, Some(60_000_000_000)));
    assert_eq!((next.title.as_str(), next.distance, has_previous), ("0.3/9", Some(0.0), false));
    assert!(next.reason.contains("named happy"), "{next:?}");
    recorder.player.set_excluded("file:///0.3/9", true);
    recorder.play(0.1);
    assert_ne!(recorder.player.status().next.unwrap().title, "0.3/9");
    recorder.player.skip();
    recorder.play(2.0);
    assert_eq!(recorder.player.playing(), Some("file:///0.2/60"), "nothing else is left");
}

#[test]
fn without_waiting_the_old_track_plays_until_the_next_is_open() {
    let mut recorder = player_of(&[(Happy, "0.1/60"), (Sad, "0.3/60")], |_| {});
    recorder.player.loader.slow = true;
    recorder.want(Happy).play_waiting(1.0, WaitMode::Never);
    assert!(recorder.audio.iter().all(|sample| *sample == 0.0));
    recorder.player.loader.slow = false;
    recorder.play_waiting(1.0, WaitMode::Never);
    recorder.player.loader.slow = true;
    recorder.want(Sad).play_waiting(1.0, WaitMode::Never);
    assert!(recorder.value_at(2.9) > 0.09 && recorder.value_at(2.9) < 0.15);
    recorder.player.loader.slow = false;
    recorder.play_waiting(2.0, WaitMode::Never);
    assert!(recorder.value_at(4.9) > 0.29);
}

#[test]
fn a_stalled_decoder_makes_a_pause_without_clicks() {
    let mut recorder = player_of(&[(Happy, "0.5/60")], |_| {});
    let decoded = Rc::new(Cell::new(RATE));
    recorder.player.loader.decoded = Some(decoded.clone());
    recorder.want(Happy).play_waiting(2.0, WaitMode::Never);
    assert_eq!(recorder.value_at(1.5), 0.0);
    decoded.set(RATE + RATE / 8);
    recorder.play_waiting(0.5, WaitMode::Never);
    assert_eq!(recorder.value_at(2.4), 0.0, "it continues with too few samples");
    decoded.set(60 * RATE);
    recorder.play_waiting(1.0, WaitMode::Never);
    assert!(recorder.value_at(3.4) > 0.5);
    assert!(recorder.largest_step() < 0.01, "{}", recorder.largest_step());
    assert_eq!(recorder.timed_events().len(), 1, "{:?}", recorder.timed_events());
}

#[test]
fn unless_playing_waits_only_where_there_would_be_silence() {
    let mut recorder = player_of(&[(Happy, "0.1/2"), (Sad, "0.3/60")], |s| s.crossfade = Duration::ZERO);
    recorder.player.loader.slow = true;
    recorder.want(Happy).play_waiting(5.0, WaitMode::UnlessPlaying);
    assert!(recorder.audio.iter().all(|sample| *sample > 0.09), "there is silence");
    recorder.want(Sad).play_waiting(0.5, WaitMode::UnlessPlaying);
    assert!(recorder.value_at(5.4) < 0.15, "it waited for the next track");
    recorder.player.loader.slow = false;
    recorder.play_waiting(1.0, WaitMode::UnlessPlaying);
    assert!(recorder.value_at(6.4) > 0.29);
}

#[test]
fn after_an_interruption_the_same_block_can_be_rendered() {
    let mut recorder = player_of(&[(Happy, "0.1/60")], |_| {});
    recorder.player.loader.interrupted = true;
    recorder.want(Happy);
    assert_eq!(recorder.player.render(0, &mut [0.0; 80], WaitMode::Always), Err(Interrupted));
    recorder.player.loader.interrupted = false;
    recorder.play(1.0);
    assert_eq!(recorder.timed_events()[0].1, Started);
}

#[test]
fn what_was_not_found_is_played_again_once_it_is_there() {
    for wait in [WaitMode::Always, WaitMode::Never] {
        let mut recorder = player_of(&[(Happy, "0.1/4"), (Sad, "0.3/4")], |_| {});
        recorder.player.loader.missing.extend(["file:///0.1/4".into(), "file:///0.3/4".into()]);
        recorder.want(Happy).play_waiting(5.0, wait);
        assert!(recorder.player.is_nothing_playable() && recorder.player.is_only_missing());
        let failed = recorder.events.iter().filter(|event| event.line.event == Failed);
        assert!(failed.clone().all(|event| event.line.reason.starts_with("not found")));
        assert_eq!(failed.count(), 2, "each once");
        assert!(recorder.player.loader.looks <= 6, "more than once a second");
        recorder.player.loader.missing.remove("file:///0.3/4");
        recorder.play_waiting(3.0, wait);
        assert_eq!(recorder.player.playing(), Some("file:///0.3/4"), "{wait:?}");
        recorder.player.loader.missing.clear();
        recorder.play_waiting(6.0, wait);
        assert_eq!(recorder.player.playing(), Some("file:///0.1/4"), "{wait:?}: at the next choice");
    }
}

#[test]
fn other_failures_are_not_for_lack_of_a_file() {
    let mut recorder = player_of(&[(Happy, "0.1/4"), (Sad, "0.3/4/never")], |_| {});
    recorder.player.loader.missing.insert("file:///0.1/4".into());
    recorder.want(Happy).play(2.0);
    assert!(recorder.player.is_nothing_playable() && !recorder.player.is_only_missing());
}

/// The loudness and the end of the track, of which it has been listened to all.
fn complete_analysis(integrated: f64, end: Option<u64>) -> Result<AnalysisProgress, TrackError> {
    let loudness = Loudness { integrated, true_peak: 0.5 };
    let analysis = crate::TrackAnalysis { loudness, cue: crate::CuePoints { start: 0, end } };
    Ok(AnalysisProgress { analysis, is_complete: true })
}

#[test]
fn an_estimate_is_corrected_slowly_and_gives_the_track_its_end() {
    let mut recorder = player_of(&[(Happy, "0.3/60")], |_| {});
    recorder.player.loader.estimates = true;
    recorder.want(Happy).play_waiting(2.0, WaitMode::Never);
    assert!((recorder.value_at(1.9) / 0.3 - 0.5).abs() < 0.05, "-6 dB: {}", recorder.value_at(1.9));
    let analysis = complete_analysis(-16.0, Some(30 * RATE));
    recorder.player.loader.analyses.insert("file:///0.3/60".into(), analysis);
    recorder.play_waiting(4.0, WaitMode::Never);
    let level = |recorder: &Recorder, at| 20.0 * (recorder.value_at(at) / 0.3).log10();
    let rise = level(&recorder, 4.0) - level(&recorder, 3.0);
    assert!((rise - 2.0).abs() < 0.5, "{rise} dB in a second");
    assert!(level(&recorder, 5.9) > -0.1);
    assert!(recorder.largest_step() < 0.001, "{}", recorder.largest_step());
    recorder.play_waiting(26.0, WaitMode::Never);
    let ended: Vec<f64> =
        recorder.timed_events().iter().filter(|event| event.1 == Ended).map(|event| event.0).collect();
    assert!(matches!(ended[..], [at] if (at - 30.0).abs() < 0.1), "{ended:?}");
}

#[test]
fn a_track_that_turns_out_to_be_silent_is_replaced() {
    let mut recorder = player_of(&[(Happy, "0.3/60"), (Sad, "0.1/60")], |_| {});
    recorder.player.loader.estimates = true;
    recorder.want(Happy).play_waiting(2.0, WaitMode::Never);
    recorder.player.loader.analyses.insert("file:///0.3/60".into(), Err("is silent".into()));
    recorder.play_waiting(2.0, WaitMode::Never);
    assert_eq!(recorder.player.playing(), Some("file:///0.1/60"));
    let failed = recorder.timed_events().into_iter().filter(|event| event.1 == Failed);
    assert!(matches!(failed.collect::<Vec<_>>()[..], [(at, _, "0.3/60")] if (at - 2.0).abs() < 0.01));
}

#[test]
fn a_recording_is_never_begun_with_an_estimate_nor_one_that_is_loaded_ahead() {
    let mut recorder = player_of(&[(Happy, "0.3/4"), (Happy, "0.2/4")], |_| {});
    recorder.player.loader.estimates = true;
    recorder.want(Happy).play(10.0);
    assert!(recorder.player.voices.iter().all(|voice| !voice.is_estimate));
    assert!((recorder.value_at(0.5) - 0.3).abs() < 0.02 || (recorder.value_at(0.5) - 0.2).abs() < 0.02);
    let mut recorder = player_of(&[(Happy, "0.3/4"), (Happy, "0.2/4")], |_| {});
    recorder.player.loader.estimates = true;
    recorder.want(Happy).play_waiting(5.0, WaitMode::Never);
    assert!(recorder.player.voices.iter().all(|voice| !voice.is_estimate), "loaded while the first played");
}

#[test]
fn without_an_input_the_first_track_begins_with_an_estimate_and_the_next_does_not() {
    let mut recorder = player_of(&[(Happy, "0.3/4"), (Happy, "0.2/4")], |_| {});
    recorder.player.loader.estimates = true;
    recorder.player.loader.slow = true;
    recorder.want(Happy).play_waiting(1.0, WaitMode::UnlessPlaying);
    assert!(matches!(&recorder.player.voices[..], [voice] if voice.is_estimate), "it was measured first");
    recorder.play_waiting(4.0, WaitMode::UnlessPlaying);
    assert!(matches!(&recorder.player.voices[..], [voice] if !voice.is_estimate), "it was not measured");
}

#[test]
fn the_library_s_loudness_is_handed_to_the_loader() {
    let mut recorder = player_of(&[(Happy, "0.3/4")], |_| {});
    let library = Arc::get_mut(&mut recorder.player.library).unwrap();
    library.tracks[0].loudness = Some(-23.0);
    library.tracks[0].true_peak = Some(-6.0);
    recorder.want(Happy).play(1.0);
    let known = recorder.player.loader.loads[0].known.unwrap();
    assert!((known.true_peak - 0.501).abs() < 0.001 && known.integrated == -23.0, "{known:?}");
}
