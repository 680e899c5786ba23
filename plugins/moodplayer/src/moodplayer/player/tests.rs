//! A stage made of numbers: every track is one value that grows a little with every frame.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use mood_schema::Affect;
use music_library::Track;

use super::*;
use crate::moodplayer::loudness::Loudness;
use crate::moodplayer::stage::Opened;

const RATE: u64 = 8_000;
/// How much a track's value grows with each frame.
const SLOPE: f32 = 1e-6;

struct Numbers {
    value: f32,
    next: u64,
    length: u64,
    ending: Ending,
    buffered: u64,
    /// How far it has been decoded, where that is not as far as is asked for.
    decoded: Option<Rc<Cell<u64>>>,
}

impl Source for Numbers {
    fn fill(&mut self, frames: usize, _wait: bool) -> Result<(), Interrupted> {
        self.buffered = match &self.decoded {
            Some(decoded) => self.length.min(decoded.get()) - self.next,
            None => self.buffered.max(frames as u64).min(self.length - self.next),
        };
        Ok(())
    }

    fn buffered(&self) -> usize {
        self.buffered as usize
    }

    fn ending(&self) -> Option<&Ending> {
        (self.next + self.buffered == self.length).then_some(&self.ending)
    }

    fn read(&mut self, out: &mut [f32]) -> usize {
        let frames = self.buffered.min(out.len() as u64);
        out.iter_mut()
            .zip(self.next..self.next + frames)
            .for_each(|(out, at)| *out = self.value + at as f32 * SLOPE);
        self.next += frames;
        self.buffered -= frames;
        frames as usize
    }
}

/// Opens `file:///VALUE/SECONDS`, or with a third part breaks: `never` opens, or breaks off at the end.
#[derive(Default)]
struct Shelf {
    tickets: u64,
    requests: BTreeMap<u64, Request>,
    /// Nothing is ready before it is waited for.
    slow: bool,
    interrupted: bool,
    /// The disk is.
    removed: bool,
    /// How far decoding gets, where it stalls.
    decoded: Option<Rc<Cell<u64>>>,
}

impl Stage for Shelf {
    type Source = Numbers;

    fn load(&mut self, request: Request) -> u64 {
        self.tickets += 1;
        self.requests.insert(self.tickets, request);
        self.tickets
    }

    fn take(&mut self, ticket: u64, wait: bool) -> Result<Option<Opened<Numbers>>, Interrupted> {
        if self.interrupted {
            return Err(Interrupted);
        }
        if self.slow && !wait {
            return Ok(None);
        }
        let request = self.requests.remove(&ticket).expect("an open ticket");
        let parts: Vec<&str> = request.uri.trim_start_matches("file:///").split('/').collect();
        if parts.get(2) == Some(&"never") || self.removed {
            return Ok(Some(Err("cannot be opened".into())));
        }
        let from = request.from;
        let source = Numbers {
            value: parts[0].parse().unwrap(),
            next: request.from,
            length: (parts[1].parse::<f64>().unwrap() * RATE as f64) as u64,
            ending: parts.get(2).map_or(Ending::Natural, |_| Ending::Broken("broke off".into())),
            buffered: 0,
            decoded: self.decoded.clone(),
        };
        Ok(Some(Ok(Loaded { source, from, loudness: Loudness { integrated: -16.0, true_peak: 0.5 } })))
    }

    fn measure(&mut self, _uri: &str, _format: Format) {}

    fn cancel(&mut self, ticket: u64) {
        self.requests.remove(&ticket);
    }

    fn dispose(&mut self, _source: Numbers) {}
}

struct Concert {
    player: Player<Shelf>,
    at: u64,
    sound: Vec<f32>,
    events: Vec<Event>,
}

/// Tracks are given as emotion and `VALUE/SECONDS`.
fn concert(tracks: &[(Emotion, &str)], change: impl FnOnce(&mut Settings)) -> Concert {
    gst::init().unwrap();
    let caps = "audio/x-raw,format=F32LE,layout=interleaved,rate=8000,channels=1";
    let (format, _) = Format::best_of(&caps.parse().unwrap()).unwrap();
    let tracks = tracks.iter().map(|(emotion, path)| Track {
        uri: format!("file:///{path}"),
        title: (*path).into(),
        affect: Some(Affect::from_emotion(*emotion)),
        emotions: vec![*emotion],
        ..Track::default()
    });
    let library = Arc::new(Library { tracks: tracks.collect(), skipped: Vec::new() });
    let mut settings = Settings { crossfade: gst::ClockTime::SECOND, ..Settings::default() };
    change(&mut settings);
    let player = Player::new(Shelf::default(), library, &settings, format);
    Concert { player, at: 0, sound: Vec::new(), events: Vec::new() }
}

impl Concert {
    fn wish(&mut self, emotion: Emotion) -> &mut Self {
        self.player.set_goal(self.at, Some(MusicTarget::for_emotion(emotion)));
        self
    }

    /// Plays in chunks of 10 ms.
    fn play(&mut self, seconds: f64) -> &mut Self {
        self.play_as(seconds, Patience::Always)
    }

    fn play_as(&mut self, seconds: f64, patience: Patience) -> &mut Self {
        let end = self.at + (seconds * RATE as f64) as u64;
        while self.at < end {
            let mut chunk = vec![f32::NAN; 80.min(end - self.at) as usize];
            self.player.render(self.at, &mut chunk, patience).unwrap();
            self.at += chunk.len() as u64;
            self.sound.extend(chunk);
            self.events.extend(self.player.take_events(self.at));
        }
        self
    }

    fn happened(&self) -> Vec<(f64, TrackEvent, &str)> {
        let seconds = |frame| frame as f64 / RATE as f64;
        self.events.iter().map(|e| (seconds(e.frame), e.line.event, e.line.title.as_str())).collect()
    }

    fn heard(&self, second: f64) -> f32 {
        self.sound[(second * RATE as f64) as usize]
    }

    fn largest_step(&self) -> f32 {
        self.sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }
}

use Emotion::{Happy, Neutral, Sad};
use TrackEvent::{CrossfadeDone, CrossfadeStarted, Ended, Failed, Started};

#[test]
fn without_crossfade_tracks_follow_without_a_gap() {
    let mut concert =
        concert(&[(Happy, "0.1/1.0005"), (Happy, "0.3/1.0005")], |s| s.crossfade = gst::ClockTime::ZERO);
    concert.wish(Happy).play(4.0);
    let frames: Vec<u64> =
        concert.events.iter().filter(|e| e.line.event == Started).map(|e| e.frame).collect();
    assert_eq!(frames, [0, 8004, 16008, 24012]);
    assert!(concert.sound.iter().all(|sample| *sample >= 0.1 - 1e-6), "not one frame of silence");
    assert!((concert.sound[8003] - concert.sound[0] - 8003.0 * SLOPE).abs() < SLOPE);
}

#[test]
fn a_tracks_end_fades_into_the_next() {
    let mut concert = concert(&[(Happy, "0.1/10"), (Happy, "0.3/2")], |s| s.seed = 1);
    concert.wish(Happy).play(25.0);
    let short =
        concert.happened().into_iter().filter(|(_, event, title)| *event == Started && *title == "0.3/2");
    let [(at, ..), ..] = short.collect::<Vec<_>>()[..] else { panic!("{:?}", concert.happened()) };
    let of = |at: f64, event| concert.happened().iter().any(|h| (h.0 - at).abs() < 0.001 && h.1 == event);
    // Ten seconds less one of fade; two seconds less a quarter.
    assert!(
        of(at, CrossfadeStarted) && of(at + 1.0, CrossfadeDone) && of(at + 1.0, Ended),
        "{:?}",
        concert.happened()
    );
    assert!(of(at + 1.5, Started) && of(at + 2.0, Ended), "{:?}", concert.happened());
}

#[test]
fn a_new_mood_fades_over_at_once() {
    let mut concert = concert(&[(Happy, "0.3/60"), (Sad, "0.2/60")], |_| {});
    concert.wish(Happy).play(2.0).wish(Sad).play(3.0);
    // Later by as much as the limiter looks ahead.
    let late = concert.player.ahead() as f64 / RATE as f64;
    assert!(late < 0.003);
    let expected = [
        (0.0, Started, "0.3/60"),
        (2.0 + late, Started, "0.2/60"),
        (2.0 + late, CrossfadeStarted, "0.2/60"),
        (3.0 + late, Ended, "0.3/60"),
        (3.0 + late, CrossfadeDone, "0.2/60"),
    ];
    assert_eq!(concert.happened(), expected);
    let started = &concert.events[1].line;
    assert_eq!((started.mood, started.distance), (Some(Mood::Known(Sad)), Some(0.0)));
    assert_eq!(started.runners_up.len(), 1);
    assert!((concert.heard(1.9) - 0.3).abs() < 0.02 && (concert.heard(3.1) - 0.2).abs() < 0.02);
    // Equal power: half way both are 3 dB down.
    let half = (0.3 + 0.2) * std::f32::consts::FRAC_1_SQRT_2;
    assert!((concert.heard(2.5) - half).abs() < 0.03, "{}", concert.heard(2.5));
    assert!(concert.largest_step() < 0.001);
    assert_eq!(concert.player.playing(), Some("file:///0.2/60"));
}

#[test]
fn a_fade_interrupted_goes_on_without_a_step() {
    let mut concert = concert(&[(Happy, "0.3/60"), (Sad, "0.1/60"), (Neutral, "0.2/60")], |_| {});
    concert
        .wish(Happy)
        .play(2.0)
        .wish(Sad)
        .play(0.4)
        .wish(Neutral)
        .play(0.3)
        .wish(Happy)
        .play(0.2)
        .wish(Sad)
        .play(3.0);
    assert!(concert.largest_step() < 0.002, "{}", concert.largest_step());
    assert!((concert.heard(5.8) - 0.1).abs() < 0.03, "{}", concert.heard(5.8));
    let done = concert.happened().into_iter().filter(|happened| happened.1 == CrossfadeDone).count();
    assert_eq!(done, 1, "once everything has settled");
}

#[test]
fn what_cannot_be_played_is_passed_over() {
    let mut concert =
        concert(&[(Happy, "0.1/9/never"), (Happy, "0.2/2/breaks"), (Happy, "0.3/9")], |s| s.seed = 3);
    concert.wish(Happy).play(60.0);
    let failed: Vec<&str> = concert.happened().iter().filter(|h| h.1 == Failed).map(|h| h.2).collect();
    assert_eq!(failed.len(), 2, "each once: {:?}", concert.happened());
    let errors: Vec<&str> =
        concert.events.iter().filter(|e| e.line.event == Failed).map(|e| e.line.reason.as_str()).collect();
    assert!(errors.contains(&"cannot be opened") && errors.contains(&"broke off"));
    assert!(concert.sound.iter().all(|sample| *sample > 0.05), "never silent");
}

#[test]
fn where_nothing_can_be_played_there_is_silence() {
    let mut concert = concert(&[(Happy, "0.1/9/never"), (Sad, "0.1/9/never")], |_| {});
    concert.wish(Happy).play(2.0);
    assert_eq!(concert.happened().len(), 2);
    assert!(concert.player.is_at_a_loss());
    assert!(concert.sound.iter().all(|sample| *sample == 0.0));
}

#[test]
fn music_returns_with_its_disk() {
    let mut concert = concert(&[(Happy, "0.1/4"), (Happy, "0.2/4"), (Happy, "0.3/4")], |_| {});
    concert.wish(Happy).play(2.0);
    concert.player.stage.removed = true;
    concert.play(60.0);
    assert!(concert.player.is_at_a_loss() && concert.heard(61.0) == 0.0);
    let count = |concert: &Concert, of| concert.happened().iter().filter(|happened| happened.1 == of).count();
    assert_eq!(count(&concert, Failed), 3, "each once: {:?}", concert.happened());
    concert.player.stage.removed = false;
    concert.play(30.0);
    assert!(concert.sound[75 * RATE as usize..].iter().all(|sample| *sample > 0.05));
    assert!(count(&concert, Started) > 8 && count(&concert, Failed) == 3, "{:?}", concert.happened());
}

#[test]
fn a_mood_that_returns_goes_on_restarts_or_moves_on() {
    let returned = |resume| {
        let mut concert =
            concert(&[(Happy, "0.1/60"), (Happy, "0.2/60"), (Sad, "0.3/60")], |s| s.resume = resume);
        concert.wish(Happy).play(5.0);
        let first = concert.heard(1.0);
        concert.wish(Sad).play(5.0).wish(Happy).play(2.0);
        // Values are 0.1 apart; what is beyond tells the position.
        let begun = concert.heard(11.9) - (first - 8000.0 * SLOPE);
        (begun.abs() < 0.09).then(|| (begun / SLOPE / RATE as f32 * 10.0).round() / 10.0)
    };
    assert_eq!(returned(Resume::Next), None);
    assert_eq!(returned(Resume::Restart), Some(1.9));
    assert_eq!(returned(Resume::Continue), Some(6.9));
}

#[test]
fn a_track_left_at_its_end_begins_anew() {
    let mut concert = concert(&[(Happy, "0.1/10"), (Sad, "0.3/60")], |s| s.resume = Resume::Continue);
    concert.wish(Happy).play(8.95).wish(Sad).play(5.0).wish(Happy).play(2.0);
    assert_eq!(concert.happened().iter().filter(|happened| happened.1 == Failed).count(), 0);
    let begun = (concert.heard(15.9) - 0.1) / SLOPE / RATE as f32;
    assert!((begun - 1.95).abs() < 0.1, "{begun} s into it");
}

#[test]
fn a_mood_that_returns_in_mid_fade_is_faded_back_in() {
    let mut concert = concert(&[(Happy, "0.3/60"), (Sad, "0.1/60")], |s| s.resume = Resume::Continue);
    concert.wish(Happy).play(3.0).wish(Sad).play(0.5).wish(Happy).play(3.0);
    let started = concert.happened().into_iter().filter(|happened| happened.1 == Started).count();
    assert_eq!(started, 2);
    assert!((concert.heard(6.0) - (0.3 + 6.0 * RATE as f32 * SLOPE)).abs() < 1e-4, "as if nothing had been");
    assert!(concert.largest_step() < 0.001);
}

#[test]
fn switches_can_wait_for_the_tracks_end() {
    let mut concert = concert(&[(Happy, "0.1/10"), (Sad, "0.3/10")], |s| s.switch_at = SwitchAt::TrackEnd);
    concert.wish(Happy).play(2.0).wish(Sad).play(10.0);
    let started: Vec<_> = concert.happened().into_iter().filter(|happened| happened.1 == Started).collect();
    assert_eq!(started, [(0.0, Started, "0.1/10"), (9.0, Started, "0.3/10")]);
}

#[test]
fn what_fits_the_new_mood_plays_on() {
    let mut concert = concert(&[(Happy, "0.1/30")], |_| {});
    concert.wish(Happy).play(2.0).wish(Sad).play(2.0);
    assert_eq!(concert.happened().len(), 1);
}

#[test]
fn skip_fade_out_and_rating() {
    let mut concert = concert(&[(Happy, "0.1/60"), (Happy, "0.2/60"), (Sad, "0.3/60")], |s| s.no_repeat = 0);
    concert.wish(Happy).play(2.0);
    let first = concert.player.playing().unwrap().to_owned();
    concert.player.skip();
    concert.play(2.0);
    assert_ne!(concert.player.playing(), Some(first.as_str()));
    let second = concert.player.playing().unwrap().to_owned();
    concert.player.rate(-2);
    concert.player.skip();
    concert.play(2.0);
    assert_eq!(concert.player.playing(), Some(first.as_str()));
    concert.player.fade_out();
    concert.play(3.0);
    assert_eq!((concert.player.playing(), concert.heard(8.5)), (None, 0.0));
    concert.wish(Sad).play(1.0).wish(Happy).play(2.0);
    assert_ne!(concert.player.playing(), Some(second.as_str()), "rated down");
    concert.player.set_goal(concert.at, None);
    concert.play(2.0);
    assert_eq!(concert.player.playing(), None);
}

#[test]
fn without_patience_sound_goes_on_until_the_next_track_is_there() {
    let mut concert = concert(&[(Happy, "0.1/60"), (Sad, "0.3/60")], |_| {});
    concert.player.stage.slow = true;
    concert.wish(Happy).play_as(1.0, Patience::Never);
    assert!(concert.sound.iter().all(|sample| *sample == 0.0));
    concert.player.stage.slow = false;
    concert.play_as(1.0, Patience::Never);
    concert.player.stage.slow = true;
    concert.wish(Sad).play_as(1.0, Patience::Never);
    assert!(concert.heard(2.9) > 0.09 && concert.heard(2.9) < 0.15);
    concert.player.stage.slow = false;
    concert.play_as(2.0, Patience::Never);
    assert!(concert.heard(4.9) > 0.29);
}

#[test]
fn a_decoder_that_stalls_makes_a_pause_and_no_click() {
    let mut concert = concert(&[(Happy, "0.5/60")], |_| {});
    let decoded = Rc::new(Cell::new(RATE));
    concert.player.stage.decoded = Some(decoded.clone());
    concert.wish(Happy).play_as(2.0, Patience::Never);
    assert_eq!(concert.heard(1.5), 0.0);
    decoded.set(RATE + RATE / 8);
    concert.play_as(0.5, Patience::Never);
    assert_eq!(concert.heard(2.4), 0.0, "too little to go on with");
    decoded.set(60 * RATE);
    concert.play_as(1.0, Patience::Never);
    assert!(concert.heard(3.4) > 0.5);
    assert!(concert.largest_step() < 0.01, "{}", concert.largest_step());
    assert_eq!(concert.happened().len(), 1, "{:?}", concert.happened());
}

#[test]
fn by_hand_only_a_switch_is_not_waited_for() {
    let mut concert = concert(&[(Happy, "0.1/2"), (Sad, "0.3/60")], |s| s.crossfade = gst::ClockTime::ZERO);
    concert.player.stage.slow = true;
    concert.wish(Happy).play_as(5.0, Patience::Decoding);
    assert!(concert.sound.iter().all(|sample| *sample > 0.09), "it waits where there would be silence");
    concert.wish(Sad).play_as(0.5, Patience::Decoding);
    assert!(concert.heard(5.4) < 0.15, "and plays on where there would not");
    concert.player.stage.slow = false;
    concert.play_as(1.0, Patience::Decoding);
    assert!(concert.heard(6.4) > 0.29);
}

#[test]
fn an_interruption_comes_through_and_can_be_recovered_from() {
    let mut concert = concert(&[(Happy, "0.1/60")], |_| {});
    concert.player.stage.interrupted = true;
    concert.wish(Happy);
    assert_eq!(concert.player.render(0, &mut [0.0; 80], Patience::Always), Err(Interrupted));
    concert.player.stage.interrupted = false;
    concert.play(1.0);
    assert_eq!(concert.happened()[0].1, Started);
}
