//! Statistics of synthetic sessions whose true values are known: counted by hand, or simulated often enough to measure the
//! coverage of the confidence intervals.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use mood_schema::{Affect, Classification, Emotion, Face, FrameLine, Label, Rect, TrackEvent, TrackLine};
use session::{
    BaselineSource, Comparison, Dimension, Episode, Estimate, MIN_EPISODE, PersonMap, Summary, Timeline,
    Trend, find_episodes, report,
};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1000 * MS;
/// Frames per second of all timelines here.
const FRAME_RATE: u64 = 10;

/// A face of the given valence, with the opposite arousal; no real distribution would give these values.
fn face(id: u32, label: Label, valence: f64) -> Face {
    let mut probabilities = [0.02; 7];
    if let Label::Known(emotion) = label {
        probabilities[emotion.index()] = 0.88;
    }
    let affect = Affect { valence, arousal: -valence };
    let classification = Some(Classification { label, confidence: 0.88, probabilities, raw: None, affect });
    let bbox = Rect { x: 0.4, y: 0.3, w: 0.2, h: 0.3 };
    Face {
        id,
        bbox,
        classification,
        quality: 0.5,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    }
}

fn timeline(frames: impl IntoIterator<Item = Vec<Face>>) -> Timeline {
    let frame = |(n, faces): (usize, Vec<Face>)| FrameLine {
        frame: n as u64,
        pts: n as u64 * SECOND / FRAME_RATE,
        faces,
        shot: 0,
    };
    let frames: Vec<FrameLine> = frames.into_iter().enumerate().map(frame).collect();
    let end = Some(frames.len() as u64 * SECOND / FRAME_RATE);
    Timeline { frames, end, ..Default::default() }
}

/// A timeline of one person with the given valence in each second.
fn timeline_of_valence(valence: &[f64]) -> Timeline {
    let label = |valence: f64| if valence > 0.3 { Emotion::Happy } else { Emotion::Neutral };
    let values = valence.iter().flat_map(|&valence| vec![valence; FRAME_RATE as usize]);
    timeline(values.map(|valence| vec![face(1, label(valence).into(), valence)]))
}

fn mean_valence(timeline: &Timeline) -> Estimate {
    Estimate::from_observations(&timeline.observations()[&1], Dimension::Valence).unwrap()
}

/// Reproducible noise: xorshift64* (Marsaglia 2003, doi:10.18637/jss.v008.i14; Vigna 2016, doi:10.1145/2845077).
struct Noise(u64);

impl Noise {
    /// Uniformly distributed, 0-1.
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Approximately normal with mean 0 and variance 1: a sum of twelve uniform values.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// A first-order autoregressive series of one value per second with the given lag-1 autocorrelation and variance 1.
    fn autoregressive(&mut self, autocorrelation: f64, seconds: usize) -> Vec<f64> {
        let mut value = self.normal();
        let step = (1.0 - autocorrelation * autocorrelation).sqrt();
        let next = |_| {
            value = autocorrelation * value + step * self.normal();
            value
        };
        (0..seconds).map(next).collect()
    }
}

#[test]
fn episodes_absorb_short_runs_and_end_at_gaps() {
    let (happy, sad) = (Label::from(Emotion::Happy), Label::from(Emotion::Sad));
    // Frames of 100 ms: a flicker at the start, 1 s happy with a flicker in it, 1 s sad, 1 s absent, 0.8 s sad, a flicker.
    let label_at = |n: u64| match n {
        0..2 => Some(sad),
        2..6 | 8..12 => Some(happy),
        6..8 => Some(Label::Uncertain),
        12..22 | 32..40 => Some(sad),
        40..42 => Some(happy),
        _ => None,
    };
    let frames = (0..42).map(|n| label_at(n).map(|label| face(1, label, 0.0)).into_iter().collect());
    let timeline = timeline(frames);
    let found = find_episodes(&timeline.observations()[&1], MIN_EPISODE);
    let spans: Vec<_> = found.iter().map(|e| (e.label, e.start / (100 * MS), e.end / (100 * MS))).collect();
    assert_eq!(spans, [(happy, 0, 12), (sad, 12, 22), (sad, 32, 42)]);
    assert!(found.iter().all(|e| e.probability == 0.88 && e.start <= e.peak && e.peak < e.end));
    let transitions = session::count_transitions(&found);
    assert_eq!(transitions[&happy][&sad], 1);
    assert_eq!(transitions.len(), 1, "no transition across an absence: {transitions:?}");
    assert_eq!(find_episodes(&[], MIN_EPISODE), [] as [Episode; 0]);
    let exact = find_episodes(&timeline.observations()[&1], 0);
    assert_eq!(exact.len(), 7);
}

#[test]
fn peak_is_the_frame_of_highest_probability() {
    let mut frames: Vec<Vec<Face>> = (0..20).map(|_| vec![face(1, Emotion::Sad.into(), -0.5)]).collect();
    let strongest = frames[13][0].classification.as_mut().unwrap();
    strongest.probabilities[Emotion::Sad.index()] = 0.97;
    let found = find_episodes(&timeline(frames).observations()[&1], MIN_EPISODE);
    assert_eq!((found[0].peak, found[0].probability), (1300 * MS, 0.97));
}

#[test]
fn counts_absent_and_uncertain_time() {
    let frames = (0..100).map(|n| match n {
        0..50 => vec![face(1, Emotion::Happy.into(), 0.8)],
        50..70 => vec![face(1, Label::Uncertain, 0.0)],
        70..80 => vec![Face { classification: None, ..face(1, Label::Uncertain, 0.0) }],
        _ => vec![],
    });
    let summary = Summary::compute(&timeline(frames), &PersonMap::default());
    let subject = &summary.people[0];
    let tenths = |ns: u64| ns / (100 * MS);
    assert_eq!(
        [subject.found, subject.absent, subject.classified, subject.uncertain].map(tenths),
        [80, 20, 70, 20]
    );
    assert!((subject.quality - 0.5).abs() < 1e-9);
    assert_eq!(subject.name, "Person 1");
}

#[test]
fn intervals_cover_the_true_mean_in_about_95_percent_of_runs() {
    let mut noise = Noise(42);
    for autocorrelation in [0.0, 0.6, 0.9] {
        let runs = 300;
        let mut covered = 0;
        for _ in 0..runs {
            let values: Vec<f64> =
                noise.autoregressive(autocorrelation, 600).iter().map(|value| 0.1 + value * 0.2).collect();
            let interval = mean_valence(&timeline_of_valence(&values)).interval.unwrap();
            covered += u32::from(interval.low <= 0.1 && 0.1 <= interval.high);
        }
        let share = f64::from(covered) / f64::from(runs);
        println!("autocorrelation {autocorrelation}: {share:.3}");
        assert!((0.90..=0.99).contains(&share), "autocorrelation {autocorrelation}: {share}");
    }
}

#[test]
fn trends_are_detected_with_few_false_positives() {
    let mut noise = Noise(7);
    let trend = |values: &[f64]| {
        let timeline = timeline_of_valence(values);
        Trend::from_observations(&timeline.observations()[&1], Dimension::Valence).unwrap()
    };
    let ramp: Vec<f64> = (0..1200).map(|second| -0.5 + f64::from(second) / 1200.0).collect();
    assert!((trend(&ramp).per_minute - 0.05).abs() < 1e-6);
    let (mut false_positives, mut missed, mut covered) = (0, 0, 0);
    for _ in 0..200 {
        let values = noise.autoregressive(0.8, 1200);
        let flat: Vec<f64> = values.iter().map(|value| value * 0.1).collect();
        false_positives += u32::from(trend(&flat).is_significant());
        let rising: Vec<f64> = flat.iter().zip(&ramp).map(|(value, ramp)| value + ramp).collect();
        let found = trend(&rising);
        missed += u32::from(!found.is_significant());
        covered +=
            u32::from(found.interval.is_some_and(|interval| interval.low <= 0.05 && 0.05 <= interval.high));
    }
    println!("false positives {false_positives}, missed {missed}, covered {covered} of 200");
    assert!(false_positives <= 20 && missed == 0 && covered >= 180, "{false_positives} {missed} {covered}");
}

#[test]
fn too_little_data_gives_no_interval() {
    let short = timeline_of_valence(&[0.2, 0.3]);
    assert_eq!(mean_valence(&short).interval, None);
    assert!((mean_valence(&short).mean - 0.25).abs() < 1e-9);
    assert!(Trend::from_observations(&short.observations()[&1], Dimension::Valence).is_none());
    // A constant expression is one observation, however many frames it has: no interval, or one without width.
    let constant = mean_valence(&timeline_of_valence(&[0.5; 100]));
    assert!(constant.interval.is_none_or(|interval| interval.standard_error < 1e-9));
    // Twenty seconds with one change in them are two observations; and a trend needs three minutes.
    let step: Vec<f64> = (0..20).map(|second| if second < 10 { -0.9 } else { 0.9 }).collect();
    assert_eq!(mean_valence(&timeline_of_valence(&step)).interval, None);
    let mut noise = Noise(5);
    let mut trend = |seconds: usize| {
        let values: Vec<f64> =
            (0..seconds).map(|second| second as f64 / 1000.0 + noise.normal() * 0.05).collect();
        let timeline = timeline_of_valence(&values);
        Trend::from_observations(&timeline.observations()[&1], Dimension::Valence)
    };
    assert!(trend(179).is_none() && trend(180).is_some_and(|trend| trend.is_significant()));
    // An interval does not leave the scale.
    let high: Vec<f64> =
        (0..12).map(|_| 0.9 + noise.normal() * 0.3).map(|value| value.clamp(-1.0, 1.0)).collect();
    let interval = mean_valence(&timeline_of_valence(&high)).interval.unwrap();
    assert_eq!(interval.high, 1.0, "{interval:?}");
    let json = serde_json::to_value(mean_valence(&short)).unwrap();
    assert_eq!(json, serde_json::json!({ "mean": mean_valence(&short).mean }));
}

#[test]
fn responses_compare_before_and_after_each_track() {
    let mut noise = Noise(3);
    let levels = [0.0, 0.4, -0.2];
    let values: Vec<f64> = noise
        .autoregressive(0.5, 180)
        .iter()
        .enumerate()
        .map(|(n, value)| levels[n / 60] + value * 0.05)
        .collect();
    let mut timeline = timeline_of_valence(&values);
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
    let summary = Summary::compute(&timeline, &PersonMap::default());
    let [one, two] = &summary.responses[..] else { panic!("{:?}", summary.responses) };
    assert_eq!((one.start, one.from.as_deref(), one.to.as_str()), (60 * SECOND, Some("A"), "B"));
    assert_eq!((two.from.as_deref(), two.to.as_str()), (None, "C"), "silence before the track");
    for (response, change) in [(one, 0.4), (two, -0.6)] {
        assert!((response.valence.change.mean - change).abs() < 0.05, "{response:?}");
        assert!((response.arousal.change.mean + change).abs() < 0.05, "{response:?}");
        let interval = response.valence.change.interval.unwrap();
        assert!(interval.low < change && change < interval.high, "{interval:?}");
        assert!(response.valence.change.is_significant(), "{interval:?}");
    }
    assert!((summary.response_valence.unwrap().mean + 0.1).abs() < 0.05);
    assert!(!summary.response_valence.unwrap().is_significant());
}

#[test]
fn baseline_is_measured_saved_and_reused() {
    let mut noise = Noise(11);
    let mut session = |level: f64| {
        let values: Vec<f64> =
            noise.autoregressive(0.5, 300).iter().map(|value| level + value * 0.05).collect();
        timeline_of_valence(&values)
    };
    let (first, second) = (session(0.1), session(0.3));
    let measured = Summary::compute_with(
        &first,
        &PersonMap::default(),
        &BaselineSource::SessionStart(60.0),
        MIN_EPISODE,
    );
    let baseline = measured.people[0].baseline.clone().unwrap();
    assert!((baseline.seconds - 60.0).abs() < 1.0 && (baseline.valence.mean - 0.1).abs() < 0.03);
    assert!((baseline.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(measured.people[0].above_baseline.as_ref().unwrap().valence.mean.abs() < 0.04);
    let restored: session::Baseline =
        serde_json::from_str(&serde_json::to_string(&baseline).unwrap()).unwrap();
    let later = Summary::compute_with(
        &second,
        &PersonMap::default(),
        &BaselineSource::Existing(restored),
        MIN_EPISODE,
    );
    let difference = later.people[0].above_baseline.as_ref().unwrap().valence;
    assert!((difference.mean - 0.2).abs() < 0.04 && difference.is_significant(), "{difference:?}");
    let comparison = Comparison::from_summaries(&[later.clone(), measured.clone()]);
    assert!(comparison.warnings.is_empty());
    let plain = Summary { title: "Third".into(), ..Summary::compute(&second, &PersonMap::default()) };
    let comparison = Comparison::from_summaries(&[later.clone(), measured.clone(), plain.clone()]);
    assert!((comparison.sessions[0].valence.level.mean - 0.3).abs() < 0.04, "plain means");
    let [warning] = &comparison.warnings[..] else { panic!("{:?}", comparison.warnings) };
    assert!(warning.text.ends_with("because 1 of 3 sessions have no baseline: Third"), "{}", warning.text);
    assert!(report::render_comparison(&comparison).contains(&warning.text));
    assert!(
        Comparison::from_summaries(&[plain.clone(), plain]).warnings.is_empty(),
        "nobody asked for a baseline"
    );
    let too_short = Summary::compute_with(
        &first,
        &PersonMap::default(),
        &BaselineSource::SessionStart(3600.0),
        MIN_EPISODE,
    );
    assert_eq!(
        too_short.people[0].baseline, None,
        "five minutes of video are too little for an hour's baseline"
    );
}

#[test]
fn sessions_are_compared_in_the_given_order() {
    let mut noise = Noise(5);
    let mut summary = |level: f64, title: &str| {
        let values: Vec<f64> =
            noise.autoregressive(0.5, 300).iter().map(|value| level + value * 0.05).collect();
        Summary {
            title: title.into(),
            ..Summary::compute(&timeline_of_valence(&values), &PersonMap::default())
        }
    };
    let without_faces = Summary::compute(&timeline([vec![], vec![]]), &PersonMap::default());
    let summaries = [summary(0.0, "one"), without_faces, summary(0.3, "two"), summary(0.301, "three")];
    let comparison = Comparison::from_summaries(&summaries);
    let titles: Vec<&str> = comparison.sessions.iter().map(|session| session.title.as_str()).collect();
    assert_eq!(titles, ["one", "two", "three"]);
    let [one, two, three] = &comparison.sessions[..] else { panic!("three") };
    assert_eq!((one.valence.since_previous, one.valence.since_first), (None, None));
    assert!(
        (two.valence.since_previous.unwrap().mean - 0.3).abs() < 0.05
            && two.valence.since_previous.unwrap().is_significant()
    );
    assert!(
        !three.valence.since_previous.unwrap().is_significant()
            && three.valence.since_first.unwrap().is_significant()
    );
}

#[test]
fn merged_ids_are_one_person() {
    let people = PersonMap { merge: vec![vec![3, 7]], subject: Some(7), ..Default::default() };
    let happy = Label::from(Emotion::Happy);
    let frames = (0..30).map(|n| match n {
        0..10 => vec![face(3, happy, 0.8)],
        10..20 => vec![face(7, happy, 0.8), face(1, happy, 0.8)],
        // Both ids in one frame: the larger face, which comes first, is kept.
        20..25 => vec![face(7, happy, 0.8), face(3, happy, -0.8)],
        _ => vec![face(1, happy, 0.8)],
    });
    let mut timeline = timeline(frames);
    timeline.merge_people(&people);
    let summary = Summary::compute(&timeline, &people);
    let ids: Vec<_> = summary.people.iter().map(|subject| (subject.id, subject.found / (100 * MS))).collect();
    assert_eq!(ids, [(3, 25), (1, 15)]);
    assert_eq!(summary.subject().unwrap().id, 3);
    assert!((summary.people[0].valence.unwrap().mean - 0.8).abs() < 1e-9);
}
