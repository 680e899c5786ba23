//! Statistics on made-up sessions whose truth is known: counted by hand, or simulated often enough to see whether the
//! bands hold what they promise.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use mood_schema::{Affect, Classification, Emotion, Face, FrameLine, Label, Rect, TrackEvent, TrackLine};
use session::{
    BaselineFrom, Cast, Comparison, Dimension, Episode, Estimate, SHORTEST, Summary, Timeline, Trend,
    episodes,
};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1000 * MS;
/// Frames a second of everything here.
const RATE: u64 = 10;

/// A face whose valence and arousal are given, as no real distribution could have them.
fn face(id: u32, label: Label, valence: f64) -> Face {
    let mut probabilities = [0.02; 7];
    if let Label::Known(emotion) = label {
        probabilities[emotion.index()] = 0.88;
    }
    let affect = Affect { valence, arousal: -valence };
    let classification = Some(Classification { label, confidence: 0.88, probabilities, affect });
    let bbox = Rect { x: 0.4, y: 0.3, w: 0.2, h: 0.3 };
    Face { id, bbox, classification, quality: 0.5, roll: 0.0 }
}

fn timeline(frames: impl IntoIterator<Item = Vec<Face>>) -> Timeline {
    let frame =
        |(n, faces): (usize, Vec<Face>)| FrameLine { frame: n as u64, pts: n as u64 * SECOND / RATE, faces };
    let frames: Vec<FrameLine> = frames.into_iter().enumerate().map(frame).collect();
    let end = Some(frames.len() as u64 * SECOND / RATE);
    Timeline { frames, end, ..Default::default() }
}

/// A person whose valence is given second by second.
fn course(valence: &[f64]) -> Timeline {
    let label = |valence: f64| if valence > 0.3 { Emotion::Happy } else { Emotion::Neutral };
    let values = valence.iter().flat_map(|&valence| vec![valence; RATE as usize]);
    timeline(values.map(|valence| vec![face(1, label(valence).into(), valence)]))
}

fn estimate(timeline: &Timeline) -> Estimate {
    Estimate::of(&timeline.people()[&1], Dimension::Valence).unwrap()
}

/// xorshift64*: the same noise in every run.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Mean 0, variance 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// Values a second that are `alike` their neighbours, variance 1.
    fn series(&mut self, alike: f64, seconds: usize) -> Vec<f64> {
        let mut value = self.normal();
        let step = (1.0 - alike * alike).sqrt();
        let next = |_| {
            value = alike * value + step * self.normal();
            value
        };
        (0..seconds).map(next).collect()
    }
}

#[test]
fn episodes_swallow_blinks_and_stop_at_gaps() {
    let (happy, sad) = (Label::from(Emotion::Happy), Label::from(Emotion::Sad));
    // Tenths of a second: a blink at the begin, 1 s happy with a blink within, 1 s sad, 1 s away, 0.8 s sad, a blink.
    let shown = |n: u64| match n {
        0..2 => Some(sad),
        2..6 | 8..12 => Some(happy),
        6..8 => Some(Label::Uncertain),
        12..22 | 32..40 => Some(sad),
        40..42 => Some(happy),
        _ => None,
    };
    let frames = (0..42).map(|n| shown(n).map(|label| face(1, label, 0.0)).into_iter().collect());
    let timeline = timeline(frames);
    let found = episodes(&timeline.people()[&1], SHORTEST);
    let spans: Vec<_> = found.iter().map(|e| (e.label, e.start / (100 * MS), e.end / (100 * MS))).collect();
    assert_eq!(spans, [(happy, 0, 12), (sad, 12, 22), (sad, 32, 42)]);
    assert!(found.iter().all(|e| e.probability == 0.88 && e.start <= e.peak && e.peak < e.end));
    let transitions = session::transitions(&found);
    assert_eq!(transitions[&happy][&sad], 1);
    assert_eq!(transitions.len(), 1, "after an absence nothing followed anything: {transitions:?}");
    assert_eq!(episodes(&[], SHORTEST), [] as [Episode; 0]);
    let exact = episodes(&timeline.people()[&1], 0);
    assert_eq!(exact.len(), 7);
}

#[test]
fn the_peak_is_where_it_is_clearest() {
    let mut frames: Vec<Vec<Face>> = (0..20).map(|_| vec![face(1, Emotion::Sad.into(), -0.5)]).collect();
    let strongest = frames[13][0].classification.as_mut().unwrap();
    strongest.probabilities[Emotion::Sad.index()] = 0.97;
    let found = episodes(&timeline(frames).people()[&1], SHORTEST);
    assert_eq!((found[0].peak, found[0].probability), (1300 * MS, 0.97));
}

#[test]
fn time_away_and_time_uncertain() {
    let frames = (0..100).map(|n| match n {
        0..50 => vec![face(1, Emotion::Happy.into(), 0.8)],
        50..70 => vec![face(1, Label::Uncertain, 0.0)],
        70..80 => vec![Face { classification: None, ..face(1, Label::Uncertain, 0.0) }],
        _ => vec![],
    });
    let summary = Summary::of(&timeline(frames), &Cast::default());
    let subject = &summary.subjects[0];
    let tenths = |ns: u64| ns / (100 * MS);
    assert_eq!(
        [subject.seen, subject.absent, subject.classified, subject.uncertain].map(tenths),
        [80, 20, 70, 20]
    );
    assert!((subject.quality - 0.5).abs() < 1e-9);
    assert_eq!(subject.name, "Person 1");
}

#[test]
fn bands_hold_the_true_mean_about_95_times_in_100() {
    let mut noise = Noise(42);
    for alike in [0.0, 0.6, 0.9] {
        let runs = 300;
        let mut held = 0;
        for _ in 0..runs {
            let values: Vec<f64> = noise.series(alike, 600).iter().map(|value| 0.1 + value * 0.2).collect();
            let band = estimate(&course(&values)).band.unwrap();
            held += u32::from(band.low <= 0.1 && 0.1 <= band.high);
        }
        let share = f64::from(held) / f64::from(runs);
        println!("alike {alike}: {share:.3}");
        assert!((0.90..=0.99).contains(&share), "alike {alike}: {share}");
    }
}

#[test]
fn trends_are_found_and_not_invented() {
    let mut noise = Noise(7);
    let trend = |values: &[f64]| {
        let timeline = course(values);
        Trend::of(&timeline.people()[&1], Dimension::Valence).unwrap()
    };
    let ramp: Vec<f64> = (0..1200).map(|second| -0.5 + f64::from(second) / 1200.0).collect();
    assert!((trend(&ramp).per_minute - 0.05).abs() < 1e-6);
    let (mut invented, mut missed, mut held) = (0, 0, 0);
    for _ in 0..200 {
        let series = noise.series(0.8, 1200);
        let flat: Vec<f64> = series.iter().map(|value| value * 0.1).collect();
        invented += u32::from(trend(&flat).is_sure());
        let risen: Vec<f64> = flat.iter().zip(&ramp).map(|(value, ramp)| value + ramp).collect();
        let found = trend(&risen);
        missed += u32::from(!found.is_sure());
        held += u32::from(found.band.is_some_and(|band| band.low <= 0.05 && 0.05 <= band.high));
    }
    println!("invented {invented}, missed {missed}, held {held} of 200");
    assert!(invented <= 20 && missed == 0 && held >= 180, "{invented} {missed} {held}");
}

#[test]
fn too_little_is_not_judged() {
    let short = course(&[0.2, 0.3]);
    assert_eq!(estimate(&short).band, None);
    assert!((estimate(&short).mean - 0.25).abs() < 1e-9);
    assert!(Trend::of(&short.people()[&1], Dimension::Valence).is_none());
    // One long smile is one observation, however many frames it has.
    let constant = estimate(&course(&[0.5; 100]));
    assert!(constant.band.is_none_or(|band| band.se < 1e-9));
    let json = serde_json::to_value(estimate(&short)).unwrap();
    assert_eq!(json, serde_json::json!({ "mean": estimate(&short).mean }));
}

#[test]
fn music_s_responses_are_before_and_after() {
    let mut noise = Noise(3);
    let levels = [0.0, 0.4, -0.2];
    let values: Vec<f64> =
        noise.series(0.5, 180).iter().enumerate().map(|(n, value)| levels[n / 60] + value * 0.05).collect();
    let mut timeline = course(&values);
    let track = |second: u64, event, title: &str| TrackLine {
        pts: second * SECOND,
        event,
        uri: title.into(),
        title: title.into(),
        mood: None,
        distance: None,
        reason: String::new(),
        runners_up: vec![],
    };
    timeline.tracks = vec![
        track(0, TrackEvent::Started, "A"),
        track(60, TrackEvent::Started, "B"),
        track(62, TrackEvent::Ended, "A"),
        track(100, TrackEvent::Ended, "B"),
        track(120, TrackEvent::Started, "C"),
    ];
    let summary = Summary::of(&timeline, &Cast::default());
    let [one, two] = &summary.responses[..] else { panic!("{:?}", summary.responses) };
    assert_eq!((one.at, one.from.as_deref(), one.to.as_str()), (60 * SECOND, Some("A"), "B"));
    assert_eq!((two.from.as_deref(), two.to.as_str()), (None, "C"), "silence came before");
    for (response, change) in [(one, 0.4), (two, -0.6)] {
        assert!((response.valence.change.mean - change).abs() < 0.05, "{response:?}");
        assert!((response.arousal.change.mean + change).abs() < 0.05, "{response:?}");
        let band = response.valence.change.band.unwrap();
        assert!(band.low < change && change < band.high && response.valence.change.is_sure(), "{band:?}");
    }
    assert!((summary.response_valence.unwrap().mean + 0.1).abs() < 0.05);
    assert!(!summary.response_valence.unwrap().is_sure());
}

#[test]
fn a_baseline_is_measured_kept_and_used_again() {
    let mut noise = Noise(11);
    let mut session = |level: f64| {
        let values: Vec<f64> = noise.series(0.5, 300).iter().map(|value| level + value * 0.05).collect();
        course(&values)
    };
    let (first, second) = (session(0.1), session(0.3));
    let measured = Summary::with(&first, &Cast::default(), &BaselineFrom::Begin(60.0), SHORTEST);
    let baseline = measured.subjects[0].baseline.clone().unwrap();
    assert!((baseline.seconds - 60.0).abs() < 1.0 && (baseline.valence.mean - 0.1).abs() < 0.03);
    assert!((baseline.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(measured.subjects[0].above_baseline.as_ref().unwrap().valence.mean.abs() < 0.04);
    let again: session::Baseline = serde_json::from_str(&serde_json::to_string(&baseline).unwrap()).unwrap();
    let later = Summary::with(&second, &Cast::default(), &BaselineFrom::Earlier(again), SHORTEST);
    let above = later.subjects[0].above_baseline.as_ref().unwrap().valence;
    assert!((above.mean - 0.2).abs() < 0.04 && above.is_sure(), "{above:?}");
    let never = Summary::with(&first, &Cast::default(), &BaselineFrom::Begin(3600.0), SHORTEST);
    assert_eq!(never.subjects[0].baseline, None, "five minutes are no hour");
}

#[test]
fn sessions_are_compared_in_their_order() {
    let mut noise = Noise(5);
    let mut summary = |level: f64, title: &str| {
        let values: Vec<f64> = noise.series(0.5, 300).iter().map(|value| level + value * 0.05).collect();
        Summary { title: title.into(), ..Summary::of(&course(&values), &Cast::default()) }
    };
    let nobody = Summary::of(&timeline([vec![], vec![]]), &Cast::default());
    let summaries = [summary(0.0, "one"), nobody, summary(0.3, "two"), summary(0.301, "three")];
    let comparison = Comparison::of(&summaries);
    let titles: Vec<&str> = comparison.sessions.iter().map(|session| session.title.as_str()).collect();
    assert_eq!(titles, ["one", "two", "three"]);
    let [one, two, three] = &comparison.sessions[..] else { panic!("three") };
    assert_eq!((one.valence.since_last, one.valence.since_first), (None, None));
    assert!(
        (two.valence.since_last.unwrap().mean - 0.3).abs() < 0.05
            && two.valence.since_last.unwrap().is_sure()
    );
    assert!(!three.valence.since_last.unwrap().is_sure() && three.valence.since_first.unwrap().is_sure());
}

#[test]
fn merged_people_are_one() {
    let cast = Cast { merge: vec![vec![3, 7]], subject: Some(7), ..Default::default() };
    let happy = Label::from(Emotion::Happy);
    let frames = (0..30).map(|n| match n {
        0..10 => vec![face(3, happy, 0.8)],
        10..20 => vec![face(7, happy, 0.8), face(1, happy, 0.8)],
        // For a moment both are there: the larger, which comes first, stays.
        20..25 => vec![face(7, happy, 0.8), face(3, happy, -0.8)],
        _ => vec![face(1, happy, 0.8)],
    });
    let mut timeline = timeline(frames);
    timeline.recast(&cast);
    let summary = Summary::of(&timeline, &cast);
    let ids: Vec<_> =
        summary.subjects.iter().map(|subject| (subject.id, subject.seen / (100 * MS))).collect();
    assert_eq!(ids, [(3, 25), (1, 15)]);
    assert_eq!(summary.main_subject().unwrap().id, 3);
    assert!((summary.subjects[0].valence.unwrap().mean - 0.8).abs() < 1e-9);
}
