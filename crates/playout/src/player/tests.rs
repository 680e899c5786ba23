use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::test_support::{FakeLoader, RATE, SLOPE, library};

/// A player and what it has played.
struct Listening {
    player: Player<FakeLoader>,
    /// The next sample.
    position: u64,
    audio: Vec<f32>,
    events: Vec<PlayerEvent>,
}

/// A player of tracks that are given as in [`library`]; with `change`, options other than the defaults.
fn listen_to(tracks: &[(Emotion, &str)], change: impl FnOnce(&mut PlayoutOptions)) -> Listening {
    let format = AudioFormat { rate: RATE as u32, channels: 1 };
    let mut options = PlayoutOptions { crossfade: Duration::from_secs(1), ..PlayoutOptions::default() };
    change(&mut options);
    let player = Player::new(FakeLoader::default(), library(tracks), &options, format);
    Listening { player, position: 0, audio: Vec::new(), events: Vec::new() }
}

impl Listening {
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

    fn timed_events(&self) -> Vec<(f64, TrackEvent, &str)> {
        let seconds = |sample| sample as f64 / RATE as f64;
        self.events.iter().map(|e| (seconds(e.sample), e.line.event, e.line.title.as_str())).collect()
    }

    fn value_at(&self, second: f64) -> f32 {
        self.audio[(second * RATE as f64) as usize]
    }

    fn largest_step(&self) -> f32 {
        self.audio.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }
}

use Emotion::{Happy, Neutral, Sad};
use TrackEvent::{CrossfadeDone, CrossfadeStarted, Ended, Failed, Started};

#[test]
fn without_crossfade_tracks_follow_without_a_gap() {
    let mut heard =
        listen_to(&[(Happy, "0.1/1.0005"), (Happy, "0.3/1.0005")], |s| s.crossfade = Duration::ZERO);
    heard.want(Happy).play(4.0);
    let started: Vec<u64> =
        heard.events.iter().filter(|e| e.line.event == Started).map(|e| e.sample).collect();
    assert_eq!(started, [0, 8004, 16008, 24012]);
    assert!(heard.audio.iter().all(|sample| *sample >= 0.1 - 1e-6), "not one frame of silence");
    assert!((heard.audio[8003] - heard.audio[0] - 8003.0 * SLOPE).abs() < SLOPE);
}

#[test]
fn a_tracks_end_fades_into_the_next() {
    let mut heard = listen_to(&[(Happy, "0.1/10"), (Happy, "0.3/2")], |s| s.seed = 1);
    heard.want(Happy).play(25.0);
    let short =
        heard.timed_events().into_iter().filter(|(_, event, title)| *event == Started && *title == "0.3/2");
    let [(at, ..), ..] = short.collect::<Vec<_>>()[..] else { panic!("{:?}", heard.timed_events()) };
    let of = |at: f64, event| heard.timed_events().iter().any(|h| (h.0 - at).abs() < 0.001 && h.1 == event);
    // Ten seconds less one of fade; two seconds less a quarter.
    assert!(
        of(at, CrossfadeStarted) && of(at + 1.0, CrossfadeDone) && of(at + 1.0, Ended),
        "{:?}",
        heard.timed_events()
    );
    assert!(of(at + 1.5, Started) && of(at + 2.0, Ended), "{:?}", heard.timed_events());
}

#[test]
fn a_new_mood_fades_over_at_once() {
    let mut heard = listen_to(&[(Happy, "0.3/60"), (Sad, "0.2/60")], |_| {});
    heard.want(Happy).play(2.0).want(Sad).play(3.0);
    // Later by as much as the limiter looks ahead.
    let late = heard.player.limiter_delay() as f64 / RATE as f64;
    assert!(late < 0.003);
    let expected = [
        (0.0, Started, "0.3/60"),
        (2.0 + late, Started, "0.2/60"),
        (2.0 + late, CrossfadeStarted, "0.2/60"),
        (3.0 + late, Ended, "0.3/60"),
        (3.0 + late, CrossfadeDone, "0.2/60"),
    ];
    assert_eq!(heard.timed_events(), expected);
    let started = &heard.events[1].line;
    assert_eq!((started.mood, started.distance), (Some(Mood::Known(Sad)), Some(0.0)));
    assert_eq!(started.runners_up.len(), 1);
    assert!((heard.value_at(1.9) - 0.3).abs() < 0.02 && (heard.value_at(3.1) - 0.2).abs() < 0.02);
    // Equal power: half way both are 3 dB down.
    let half = (0.3 + 0.2) * std::f32::consts::FRAC_1_SQRT_2;
    assert!((heard.value_at(2.5) - half).abs() < 0.03, "{}", heard.value_at(2.5));
    assert!(heard.largest_step() < 0.001);
    assert_eq!(heard.player.playing(), Some("file:///0.2/60"));
}

#[test]
fn a_fade_interrupted_goes_on_without_a_step() {
    let mut heard = listen_to(&[(Happy, "0.3/60"), (Sad, "0.1/60"), (Neutral, "0.2/60")], |_| {});
    heard
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
    assert!(heard.largest_step() < 0.002, "{}", heard.largest_step());
    assert!((heard.value_at(5.8) - 0.1).abs() < 0.03, "{}", heard.value_at(5.8));
    let done = heard.timed_events().into_iter().filter(|happened| happened.1 == CrossfadeDone).count();
    assert_eq!(done, 1, "once everything has settled");
}

#[test]
fn what_cannot_be_played_is_passed_over() {
    let mut heard =
        listen_to(&[(Happy, "0.1/9/never"), (Happy, "0.2/2/breaks"), (Happy, "0.3/9")], |s| s.seed = 3);
    heard.want(Happy).play(60.0);
    let failed: Vec<&str> = heard.timed_events().iter().filter(|h| h.1 == Failed).map(|h| h.2).collect();
    assert_eq!(failed.len(), 2, "each once: {:?}", heard.timed_events());
    let errors: Vec<&str> =
        heard.events.iter().filter(|e| e.line.event == Failed).map(|e| e.line.reason.as_str()).collect();
    assert!(errors.contains(&"cannot be opened") && errors.contains(&"broke off"));
    assert!(heard.audio.iter().all(|sample| *sample > 0.05), "never silent");
}

#[test]
fn where_nothing_can_be_played_there_is_silence() {
    let mut heard = listen_to(&[(Happy, "0.1/9/never"), (Sad, "0.1/9/never")], |_| {});
    heard.want(Happy).play(2.0);
    assert_eq!(heard.timed_events().len(), 2);
    assert!(heard.player.is_nothing_playable());
    assert!(heard.audio.iter().all(|sample| *sample == 0.0));
}

#[test]
fn music_returns_with_its_disk() {
    let mut heard = listen_to(&[(Happy, "0.1/4"), (Happy, "0.2/4"), (Happy, "0.3/4")], |_| {});
    heard.want(Happy).play(2.0);
    heard.player.loader.disk_removed = true;
    heard.play(60.0);
    assert!(heard.player.is_nothing_playable() && heard.value_at(61.0) == 0.0);
    let count =
        |heard: &Listening, of| heard.timed_events().iter().filter(|happened| happened.1 == of).count();
    assert_eq!(count(&heard, Failed), 3, "each once: {:?}", heard.timed_events());
    heard.player.loader.disk_removed = false;
    heard.play(30.0);
    assert!(heard.audio[75 * RATE as usize..].iter().all(|sample| *sample > 0.05));
    assert!(count(&heard, Started) > 8 && count(&heard, Failed) == 3, "{:?}", heard.timed_events());
}

#[test]
fn a_mood_that_returns_goes_on_restarts_or_moves_on() {
    let returned = |resume| {
        let mut heard =
            listen_to(&[(Happy, "0.1/60"), (Happy, "0.2/60"), (Sad, "0.3/60")], |s| s.resume = resume);
        heard.want(Happy).play(5.0);
        let first = heard.value_at(1.0);
        heard.want(Sad).play(5.0).want(Happy).play(2.0);
        // Values are 0.1 apart; what is beyond tells the position.
        let begun = heard.value_at(11.9) - (first - 8000.0 * SLOPE);
        (begun.abs() < 0.09).then(|| (begun / SLOPE / RATE as f32 * 10.0).round() / 10.0)
    };
    assert_eq!(returned(Resume::Next), None);
    assert_eq!(returned(Resume::Restart), Some(1.9));
    assert_eq!(returned(Resume::Continue), Some(6.9));
}

#[test]
fn a_track_left_at_its_end_begins_anew() {
    let mut heard = listen_to(&[(Happy, "0.1/10"), (Sad, "0.3/60")], |s| s.resume = Resume::Continue);
    heard.want(Happy).play(8.95).want(Sad).play(5.0).want(Happy).play(2.0);
    assert_eq!(heard.timed_events().iter().filter(|happened| happened.1 == Failed).count(), 0);
    let begun = (heard.value_at(15.9) - 0.1) / SLOPE / RATE as f32;
    assert!((begun - 1.95).abs() < 0.1, "{begun} s into it");
}

#[test]
fn a_mood_that_returns_in_mid_fade_is_faded_back_in() {
    let mut heard = listen_to(&[(Happy, "0.3/60"), (Sad, "0.1/60")], |s| s.resume = Resume::Continue);
    heard.want(Happy).play(3.0).want(Sad).play(0.5).want(Happy).play(3.0);
    let started = heard.timed_events().into_iter().filter(|happened| happened.1 == Started).count();
    assert_eq!(started, 2);
    assert!((heard.value_at(6.0) - (0.3 + 6.0 * RATE as f32 * SLOPE)).abs() < 1e-4, "as if nothing had been");
    assert!(heard.largest_step() < 0.001);
}

#[test]
fn switches_can_wait_for_the_tracks_end() {
    let mut heard = listen_to(&[(Happy, "0.1/10"), (Sad, "0.3/10")], |s| s.switch_at = SwitchAt::TrackEnd);
    heard.want(Happy).play(2.0).want(Sad).play(10.0);
    let started: Vec<_> = heard.timed_events().into_iter().filter(|happened| happened.1 == Started).collect();
    assert_eq!(started, [(0.0, Started, "0.1/10"), (9.0, Started, "0.3/10")]);
}

#[test]
fn what_fits_the_new_mood_plays_on() {
    let mut heard = listen_to(&[(Happy, "0.1/30")], |_| {});
    heard.want(Happy).play(2.0).want(Sad).play(2.0);
    assert_eq!(heard.timed_events().len(), 1);
}

#[test]
fn skip_fade_out_and_rating() {
    let mut heard = listen_to(&[(Happy, "0.1/60"), (Happy, "0.2/60"), (Sad, "0.3/60")], |s| s.no_repeat = 0);
    heard.want(Happy).play(2.0);
    let first = heard.player.playing().unwrap().to_owned();
    heard.player.skip();
    heard.play(2.0);
    assert_ne!(heard.player.playing(), Some(first.as_str()));
    let second = heard.player.playing().unwrap().to_owned();
    heard.player.rate(-2);
    heard.player.skip();
    heard.play(2.0);
    assert_eq!(heard.player.playing(), Some(first.as_str()));
    heard.player.fade_out();
    heard.play(3.0);
    assert_eq!((heard.player.playing(), heard.value_at(8.5)), (None, 0.0));
    heard.want(Sad).play(1.0).want(Happy).play(2.0);
    assert_ne!(heard.player.playing(), Some(second.as_str()), "rated down");
    heard.player.set_target(heard.position, None);
    heard.play(2.0);
    assert_eq!(heard.player.playing(), None);
}

#[test]
fn without_patience_sound_goes_on_until_the_next_track_is_there() {
    let mut heard = listen_to(&[(Happy, "0.1/60"), (Sad, "0.3/60")], |_| {});
    heard.player.loader.slow = true;
    heard.want(Happy).play_waiting(1.0, WaitMode::Never);
    assert!(heard.audio.iter().all(|sample| *sample == 0.0));
    heard.player.loader.slow = false;
    heard.play_waiting(1.0, WaitMode::Never);
    heard.player.loader.slow = true;
    heard.want(Sad).play_waiting(1.0, WaitMode::Never);
    assert!(heard.value_at(2.9) > 0.09 && heard.value_at(2.9) < 0.15);
    heard.player.loader.slow = false;
    heard.play_waiting(2.0, WaitMode::Never);
    assert!(heard.value_at(4.9) > 0.29);
}

#[test]
fn a_decoder_that_stalls_makes_a_pause_and_no_click() {
    let mut heard = listen_to(&[(Happy, "0.5/60")], |_| {});
    let decoded = Rc::new(Cell::new(RATE));
    heard.player.loader.decoded = Some(decoded.clone());
    heard.want(Happy).play_waiting(2.0, WaitMode::Never);
    assert_eq!(heard.value_at(1.5), 0.0);
    decoded.set(RATE + RATE / 8);
    heard.play_waiting(0.5, WaitMode::Never);
    assert_eq!(heard.value_at(2.4), 0.0, "too little to go on with");
    decoded.set(60 * RATE);
    heard.play_waiting(1.0, WaitMode::Never);
    assert!(heard.value_at(3.4) > 0.5);
    assert!(heard.largest_step() < 0.01, "{}", heard.largest_step());
    assert_eq!(heard.timed_events().len(), 1, "{:?}", heard.timed_events());
}

#[test]
fn by_hand_only_a_switch_is_not_waited_for() {
    let mut heard = listen_to(&[(Happy, "0.1/2"), (Sad, "0.3/60")], |s| s.crossfade = Duration::ZERO);
    heard.player.loader.slow = true;
    heard.want(Happy).play_waiting(5.0, WaitMode::UnlessPlaying);
    assert!(heard.audio.iter().all(|sample| *sample > 0.09), "it waits where there would be silence");
    heard.want(Sad).play_waiting(0.5, WaitMode::UnlessPlaying);
    assert!(heard.value_at(5.4) < 0.15, "and plays on where there would not");
    heard.player.loader.slow = false;
    heard.play_waiting(1.0, WaitMode::UnlessPlaying);
    assert!(heard.value_at(6.4) > 0.29);
}

#[test]
fn an_interruption_comes_through_and_can_be_recovered_from() {
    let mut heard = listen_to(&[(Happy, "0.1/60")], |_| {});
    heard.player.loader.interrupted = true;
    heard.want(Happy);
    assert_eq!(heard.player.render(0, &mut [0.0; 80], WaitMode::Always), Err(Interrupted));
    heard.player.loader.interrupted = false;
    heard.play(1.0);
    assert_eq!(heard.timed_events()[0].1, Started);
}
