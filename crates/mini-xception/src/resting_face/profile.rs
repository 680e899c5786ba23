//! The resting profile of one person: what is known of how the network reads the face at rest.

use mood_schema::Emotion;
use serde::{Deserialize, Serialize};

use super::shift::{LogitShift, log_odds};

/// Version of the serialized form.
const VERSION: u32 = 1;
/// Number of bins over the log odds of neutral against all else.
const BINS: usize = 12;
/// Width of a bin, nats: a quarter of the step from 0.1 to 0.7.
const BIN_WIDTH: f64 = 0.75;
/// Log odds at which the first bin begins: a probability of 0.011.
const FIRST_BIN: f64 = -4.5;
/// Share of the time that counts as rest: the most neutral third.
const REST_SHARE: f64 = 1.0 / 3.0;
/// By how much rest reads neutral afterwards, nats. At 2, rest that looked equally like several emotions has neutral at
/// 0.55, above the usual minimum confidence.
const FOUND_MARGIN: f64 = 2.0;
/// The same where rest was told. On photographs of five people 1 to 1.5 gave the best recall with two networks.
const TOLD_MARGIN: f64 = 1.5;
/// Evidence that weighs as much as the prior that nothing is to be taken off, seconds. Errors of neighbouring frames
/// are correlated over a second or so: three independent looks.
const PRIOR_SECONDS: f64 = 3.0;
/// Mean probability of neutral in the rest third, weighted by itself, at which the profile counts for nothing, and for
/// everything. A smile has 0.02 to 0.04, the rest of a woman who looks sad 0.2.
const NEUTRAL_RAMP: [f64; 2] = [0.08, 0.2];
/// Mean log odds of an emotion outside of rest at which it is taken off completely, and not at all. The sad look of a face
/// at rest has 0 to 2.5.
const EXPRESSION_RAMP: [f64; 2] = [2.0, 3.5];
/// The same for happy: few faces at rest look happy, and smiles are what people show for long. Of the 1,063 faces of
/// FER-2013's PublicTest that most FER+ annotators call neutral, the network reads 31 as happy; of all neutral and happy ones
/// with log odds of 0.5 to 1 a third is neutral, of 1 to 2 a seventh, beyond that 3 of 745. Each taken for somebody who looks
/// like that all the time, 96 % of the happy ones stay happy with these values and 91 % with [`EXPRESSION_RAMP`].
const SMILE_RAMP: [f64; 2] = [0.0, 1.5];
/// Time that a profile remembers, seconds: when it has more, all of it counts for less, so that light, glasses and age
/// wear off.
const MAX_SECONDS: f64 = 1800.0;

/// Why a profile cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// It is not JSON, or not of this form.
    #[error("it is no resting profile ({0}); give a file that gst-mood wrote")]
    Parse(#[from] serde_json::Error),
    /// It was written by a newer program.
    #[error("it has version {found}, this program reads up to {VERSION}: use a newer gst-mood")]
    Version {
        /// Version of the profile.
        found: u32,
    },
    /// A value is out of range.
    #[error("its values are out of range; give a file that gst-mood wrote")]
    Range,
    /// It was learnt with another network.
    #[error("it was learnt with another network (SHA-256 {found}): give that model, or learn anew")]
    Model {
        /// SHA-256 of the network that it was learnt with.
        found: String,
    },
}

/// How a person's face at rest looks to a network. Less than 1 KB as JSON, see [`Self::to_json`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestingProfile {
    /// Version of this form; see [`ProfileError::Version`].
    version: u32,
    /// SHA-256 of the network's file.
    model: String,
    /// Whether all of it is rest, as somebody has said; otherwise rest is found in it.
    told: bool,
    /// By rising log odds of neutral; empty until something was observed, then of length [`BINS`].
    bins: Vec<Bin>,
}

/// The frames with similar log odds of neutral. Serialized as an array of eight numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 8]", into = "[f64; 8]")]
struct Bin {
    /// Weighted time, seconds.
    seconds: f64,
    /// Mean probability of neutral.
    neutral: f64,
    /// Mean log odds against neutral; neutral's is 0.
    log_odds: [f64; 7],
}

impl Bin {
    /// Adds what was seen for `seconds`.
    fn add(&mut self, neutral: f64, log_odds: &[f64; 7], seconds: f64) {
        self.seconds += seconds;
        let weight = seconds / self.seconds;
        self.neutral += weight * (neutral - self.neutral);
        for (mean, value) in self.log_odds.iter_mut().zip(log_odds) {
            *mean += weight * (value - *mean);
        }
    }

    fn is_valid(&self) -> bool {
        (0.0..=2.0 * MAX_SECONDS).contains(&self.seconds)
            && (0.0..=1.0).contains(&self.neutral)
            && self.log_odds.iter().all(|value| value.abs() <= 20.0)
    }
}

impl From<[f64; 8]> for Bin {
    fn from([seconds, neutral, angry, disgust, fear, happy, sad, surprise]: [f64; 8]) -> Self {
        Self { seconds, neutral, log_odds: [angry, disgust, fear, happy, sad, surprise, 0.0] }
    }
}

impl From<Bin> for [f64; 8] {
    fn from(bin: Bin) -> Self {
        // Three decimals keep the profile below 1 KB; they are a tenth of a percent of a probability.
        let round = |value: f64| (value * 1000.0).round() / 1000.0;
        let [angry, disgust, fear, happy, sad, surprise, _] = bin.log_odds.map(round);
        [round(bin.seconds), round(bin.neutral), angry, disgust, fear, happy, sad, surprise]
    }
}

/// Rest as a profile's bins have it.
struct Rest {
    /// Mean probability of neutral, weighted by itself.
    neutral: f64,
    /// Mean log odds against neutral, with the same weights.
    log_odds: [f64; 7],
    /// Mean log odds against neutral in the remaining time; those of rest where there is none.
    otherwise: [f64; 7],
}

impl RestingProfile {
    /// A profile without evidence, in which rest is to be found. `model` is the SHA-256 of the network's file,
    /// [`crate::Classifier::sha256`].
    pub fn new(model: &str) -> Self {
        Self { version: VERSION, model: model.into(), told: false, bins: Vec::new() }
    }

    /// A profile without evidence, which will observe the person at rest only.
    pub fn new_for_known_rest(model: &str) -> Self {
        Self { told: true, ..Self::new(model) }
    }

    /// Whether a user has said when the person is at rest, so that rest need not be found.
    pub fn is_rest_known(&self) -> bool {
        self.told
    }

    /// Adds a distribution of the network that lasted or weighs `seconds`. A distribution that is none, and a time that
    /// is not positive, are left out.
    pub fn observe(&mut self, probabilities: &[f64; 7], seconds: f64) {
        let is_valid = probabilities.iter().all(|value| (0.0..=1.0).contains(value));
        if !is_valid || !seconds.is_finite() || seconds <= 0.0 {
            return;
        }
        let neutral = probabilities[Emotion::Neutral.index()];
        let log_odds = log_odds(probabilities);
        let against_all = (neutral.max(1e-4) / (1.0 - neutral).max(1e-4)).ln();
        self.allocate_bins();
        let index = ((against_all - FIRST_BIN) / BIN_WIDTH).clamp(0.0, (BINS - 1) as f64) as usize;
        if let Some(bin) = self.bins.get_mut(index) {
            bin.add(neutral, &log_odds, seconds.min(MAX_SECONDS));
        }
        self.forget_excess();
    }

    /// Adds the evidence of `other`, of the same person and network; a told profile does not take in a found one.
    pub fn merge(&mut self, other: &Self) {
        if self.told && !other.told {
            return;
        }
        if other.told && !self.told {
            *self = other.clone();
            return;
        }
        self.allocate_bins();
        for (bin, added) in self.bins.iter_mut().zip(&other.bins) {
            if added.seconds > 0.0 {
                bin.add(added.neutral, &added.log_odds, added.seconds);
            }
        }
        self.forget_excess();
    }

    fn allocate_bins(&mut self) {
        self.bins.reserve_exact(BINS.saturating_sub(self.bins.len()));
        self.bins.resize(BINS, Bin::default());
    }

    fn forget_excess(&mut self) {
        let factor = MAX_SECONDS / self.seconds().max(MAX_SECONDS);
        if factor < 1.0 {
            self.bins.iter_mut().for_each(|bin| bin.seconds *= factor);
        }
    }

    /// The evidence, seconds, each weighted by [`super::evidence_weight`].
    pub fn seconds(&self) -> f64 {
        self.bins.iter().map(|bin| bin.seconds).sum()
    }

    /// What to take off the person's distributions; `share`, 0-1, is how much of it.
    pub fn shift(&self, share: f64) -> LogitShift {
        let seconds = self.seconds();
        let Some(rest) = self.rest() else { return LogitShift::default() };
        let weight = share * seconds / (seconds + PRIOR_SECONDS);
        if self.told {
            return LogitShift::from_rest(&rest.log_odds, TOLD_MARGIN).scale(weight);
        }
        let [low, high] = NEUTRAL_RAMP;
        let plausibility = ramp(rest.neutral.max(1e-9).ln(), low.ln(), high.ln());
        let mut values = LogitShift::from_rest(&rest.log_odds, FOUND_MARGIN).values();
        for ((value, otherwise), emotion) in values.iter_mut().zip(rest.otherwise).zip(Emotion::ALL) {
            let [low, high] = if emotion == Emotion::Happy { SMILE_RAMP } else { EXPRESSION_RAMP };
            *value = value.max(0.0) * weight * plausibility * (1.0 - ramp(otherwise, low, high));
        }
        LogitShift::new(values)
    }

    /// Rest; `None` without evidence.
    fn rest(&self) -> Option<Rest> {
        let total = self.seconds();
        if total <= 0.0 {
            return None;
        }
        let mut remaining = if self.told { total } else { total * REST_SHARE };
        let (mut rest, mut otherwise) = (Bin::default(), Bin::default());
        for bin in self.bins.iter().rev().filter(|bin| bin.seconds > 0.0) {
            let taken = bin.seconds.min(remaining);
            remaining -= taken;
            if taken > 0.0 {
                let weight = if self.told { 1.0 } else { bin.neutral.max(1e-4) };
                rest.add(bin.neutral, &bin.log_odds, taken * weight);
            }
            if bin.seconds > taken {
                otherwise.add(bin.neutral, &bin.log_odds, bin.seconds - taken);
            }
        }
        let otherwise = if otherwise.seconds > 0.0 { otherwise.log_odds } else { rest.log_odds };
        Some(Rest { neutral: rest.neutral, log_odds: rest.log_odds, otherwise })
    }

    /// The profile as one line of JSON, less than 1 KB, rounded to three decimals.
    pub fn to_json(&self) -> String {
        // A structure of numbers and texts always has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads [`Self::to_json`]'s form.
    pub fn from_json(json: &[u8]) -> Result<Self, ProfileError> {
        let profile: Self = serde_json::from_slice(json)?;
        if profile.version > VERSION {
            return Err(ProfileError::Version { found: profile.version });
        }
        let has_bins = profile.bins.is_empty() || profile.bins.len() == BINS;
        if !has_bins || !profile.bins.iter().all(Bin::is_valid) {
            return Err(ProfileError::Range);
        }
        Ok(profile)
    }

    /// Fails for a profile of another network than that with this SHA-256.
    pub fn require_model(&self, sha256: &str) -> Result<(), ProfileError> {
        if self.model == sha256 { Ok(()) } else { Err(ProfileError::Model { found: self.model.clone() }) }
    }
}

/// 0 up to `low`, 1 from `high` on and linear between.
fn ramp(value: f64, low: f64, high: f64) -> f64 {
    ((value - low) / (high - low)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the built-in network says of a steady smile, of a neutral face, of the resting face of a woman who looks sad and
    /// of her smile, in the clips of the test media.
    const SMILE: [f64; 7] = [0.004, 0.003, 0.006, 0.95, 0.01, 0.007, 0.02];
    const NEUTRAL: [f64; 7] = [0.01, 0.002, 0.015, 0.033, 0.04, 0.01, 0.89];
    const SAD_REST: [f64; 7] = [0.04, 0.03, 0.07, 0.02, 0.62, 0.02, 0.2];

    /// Pseudo-random numbers, -1 to 1, that are the same in every run.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as f64 / f64::from(u32::MAX >> 2) - 1.0
        }

        /// `face` with each logit changed by up to `amount` nats.
        fn vary(&mut self, face: &[f64; 7], amount: f64) -> [f64; 7] {
            LogitShift::new(std::array::from_fn(|_| self.next() * amount)).apply(face)
        }

        /// `count` frames of `face`.
        fn frames(&mut self, face: &[f64; 7], amount: f64, count: usize) -> Vec<[f64; 7]> {
            (0..count).map(|_| self.vary(face, amount)).collect()
        }
    }

    /// The profile after these frames at 5 frames a second.
    fn learn(frames: &[[f64; 7]]) -> RestingProfile {
        let mut profile = RestingProfile::new("model");
        frames.iter().for_each(|frame| profile.observe(frame, 0.2));
        profile
    }

    /// The share of the frames whose likeliest emotion is `emotion` after the shift.
    fn share_of(emotion: Emotion, frames: &[[f64; 7]], shift: &LogitShift) -> f64 {
        let is_it = |frame: &&[f64; 7]| {
            let adjusted = shift.apply(frame);
            adjusted.iter().all(|&value| value <= adjusted[emotion.index()])
        };
        frames.iter().filter(is_it).count() as f64 / frames.len() as f64
    }

    #[test]
    fn who_smiles_throughout_stays_happy() {
        for amount in [0.0, 0.5, 1.0, 1.5] {
            for count in [5, 50, 500, 20_000] {
                let frames = Noise(7).frames(&SMILE, amount, count);
                let happy = share_of(Emotion::Happy, &frames, &learn(&frames).shift(1.0));
                assert!(happy >= 0.95, "{happy} with noise {amount} in {count} frames");
            }
        }
        // A slight smile, of which the network is 70 % sure.
        let slight = [0.015, 0.005, 0.01, 0.7, 0.05, 0.01, 0.21];
        for count in [5, 50, 500, 20_000] {
            let frames = Noise(6).frames(&slight, 0.3, count);
            let raw = share_of(Emotion::Happy, &frames, &LogitShift::ZERO);
            let happy = share_of(Emotion::Happy, &frames, &learn(&frames).shift(1.0));
            assert!(happy >= 0.8 * raw, "{happy}, {raw} without, in {count} frames");
        }
        // A twelfth of the time the network reads the smile as half neutral.
        let mut noise = Noise(3);
        let mut frames = noise.frames(&SMILE, 1.0, 550);
        frames.extend(noise.frames(&[0.005, 0.003, 0.006, 0.46, 0.01, 0.006, 0.51], 0.3, 50));
        assert!(share_of(Emotion::Happy, &frames, &learn(&frames).shift(1.0)) >= 0.8);
    }

    #[test]
    fn neutral_never_becomes_less_likely() {
        let mut noise = Noise(1);
        for faces in [[NEUTRAL, SMILE], [SAD_REST, SMILE], [NEUTRAL, SAD_REST], [[1.0 / 7.0; 7], SMILE]] {
            let mut frames = noise.frames(&faces[0], 2.0, 100);
            frames.extend(noise.frames(&faces[1], 2.0, 100));
            let shift = learn(&frames).shift(1.0);
            for frame in &frames {
                let adjusted = shift.apply(frame);
                assert!(adjusted[6] >= frame[6] && (adjusted.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn sad_face_at_rest_reads_neutral_and_its_smile_happy() {
        let mut noise = Noise(5);
        let (rest, smile) = (noise.frames(&SAD_REST, 0.5, 300), noise.frames(&SMILE, 0.5, 300));
        let shift = learn(&[rest.clone(), smile.clone()].concat()).shift(1.0);
        assert_eq!(share_of(Emotion::Sad, &rest, &LogitShift::default()), 1.0);
        assert!(share_of(Emotion::Neutral, &rest, &shift) > 0.9);
        assert!(share_of(Emotion::Happy, &smile, &shift) > 0.99);
        let half = learn(&rest).shift(0.5);
        for (value, full) in half.values().into_iter().zip(learn(&rest).shift(1.0).values()) {
            assert!((value - full / 2.0).abs() < 1e-12);
        }
    }

    #[test]
    fn smile_in_the_first_minute_does_not_hide_the_rest_after_it() {
        let mut noise = Noise(2);
        let (smile, rest) = (noise.frames(&SMILE, 0.5, 300), noise.frames(&SAD_REST, 0.5, 150));
        let first_smile = learn(&[smile.clone(), rest.clone()].concat());
        assert!(share_of(Emotion::Neutral, &rest, &first_smile.shift(1.0)) > 0.9);
        assert!(share_of(Emotion::Happy, &smile, &first_smile.shift(1.0)) > 0.99);
        let first_rest = learn(&[rest, smile].concat());
        for (one, other) in first_smile.shift(1.0).values().iter().zip(first_rest.shift(1.0).values()) {
            assert!((one - other).abs() < 1e-9, "the order does not matter");
        }
    }

    #[test]
    fn smiles_for_most_of_a_session_stay_and_the_rest_between_them_reads_neutral() {
        for (seed, smiles) in [(11, 600), (12, 800), (13, 900)] {
            let mut noise = Noise(seed);
            let (rest, smile) =
                (noise.frames(&SAD_REST, 0.5, 1000 - smiles), noise.frames(&SMILE, 0.5, smiles));
            let shift = learn(&[rest.clone(), smile.clone()].concat()).shift(1.0);
            let (neutral, happy) =
                (share_of(Emotion::Neutral, &rest, &shift), share_of(Emotion::Happy, &smile, &shift));
            assert!(neutral >= 0.8 && happy >= 0.95, "{smiles} of 1000: {neutral} and {happy}");
        }
    }

    #[test]
    fn two_people_under_one_id_do_each_other_no_harm() {
        // The faces of one place are taken for one person: a neutral face and one that is sad for good.
        let sorrow = [0.01, 0.005, 0.02, 0.005, 0.9, 0.005, 0.055];
        for other in [sorrow, SMILE, SAD_REST] {
            let mut noise = Noise(14);
            let (one, other) = (noise.frames(&NEUTRAL, 0.5, 500), noise.frames(&other, 0.5, 500));
            let frames: Vec<[f64; 7]> =
                one.iter().zip(&other).flat_map(|(&one, &other)| [one, other]).collect();
            let shift = learn(&frames).shift(1.0);
            assert_eq!(share_of(Emotion::Neutral, &one, &shift), 1.0);
            let likeliest = |values: &[f64; 7]| (0..7).max_by(|&a, &b| values[a].total_cmp(&values[b]));
            let changed = other.iter().filter(|frame| likeliest(&shift.apply(frame)) != likeliest(frame));
            assert!(changed.count() < 25, "the neutral face says nothing of the other");
        }
    }

    #[test]
    fn profile_takes_less_than_a_kilobyte() {
        let mut profile = RestingProfile::new(&"0".repeat(64));
        profile.observe(&NEUTRAL, 1.0);
        let bytes = size_of::<RestingProfile>()
            + profile.model.capacity()
            + profile.bins.capacity() * size_of::<Bin>();
        assert!(bytes < 1024, "{bytes} bytes");
    }

    #[test]
    fn profile_has_settled_after_half_a_minute_and_is_nothing_without_evidence() {
        assert!(RestingProfile::new("model").shift(1.0).is_zero());
        assert!(RestingProfile::new_for_known_rest("model").shift(1.0).is_zero());
        let frames = Noise(9).frames(&SAD_REST, 0.5, 3000);
        let sadness = |count: usize| learn(&frames[..count]).shift(1.0).values()[Emotion::Sad.index()];
        let settled = sadness(3000);
        assert!(settled > 1.5 && sadness(1) < 0.1 * settled, "{} of {settled}", sadness(1));
        assert!((sadness(150) - settled).abs() < 0.15 * settled, "{} after 30 s, {settled}", sadness(150));
    }

    #[test]
    fn told_rest_raises_what_the_face_never_shows() {
        let mut profile = RestingProfile::new_for_known_rest("model");
        profile.observe(&NEUTRAL, 1e3);
        let adjusted = profile.shift(1.0).apply(&NEUTRAL);
        assert!(adjusted[1] > 10.0 * NEUTRAL[1] && adjusted[6] > adjusted[1]);
        assert!(learn(&[NEUTRAL; 100]).shift(1.0).is_zero(), "found rest raises nothing");
    }

    #[test]
    fn json_is_small_and_survives_the_round_trip() {
        let mut noise = Noise(4);
        let model = "0123456789abcdef".repeat(4);
        let mut profile = RestingProfile::new(&model);
        for _ in 0..100_000 {
            let frame = noise.vary(&NEUTRAL, 9.0);
            profile.observe(&frame, 0.2);
        }
        assert!((profile.seconds() - MAX_SECONDS).abs() < 1.0, "{}", profile.seconds());
        let json = profile.to_json();
        assert!(json.len() < 1024, "{} bytes", json.len());
        let read = RestingProfile::from_json(json.as_bytes()).unwrap();
        assert_eq!(read.to_json(), json);
        for (one, other) in read.shift(1.0).values().iter().zip(profile.shift(1.0).values()) {
            assert!((one - other).abs() < 0.01);
        }
        assert!(read.require_model(&model).is_ok());
        assert!(read.require_model("another").unwrap_err().to_string().contains("another network"));
    }

    #[test]
    fn invalid_json_and_values_are_refused() {
        for json in [
            "",
            "{}",
            "[]",
            r#"{"version":2,"model":"","told":false,"bins":[]}"#,
            r#"{"version":1,"model":"","told":false,"bins":[[1,0,0,0,0,0,0,0]]}"#,
            r#"{"version":1,"model":"","told":false,"bins":[],"more":1}"#,
        ] {
            assert!(RestingProfile::from_json(json.as_bytes()).is_err(), "{json}");
        }
        let bin = "[1,7,0,0,0,0,0,0],".repeat(12);
        let json =
            format!(r#"{{"version":1,"model":"","told":false,"bins":[{}]}}"#, bin.trim_end_matches(','));
        assert!(matches!(RestingProfile::from_json(json.as_bytes()), Err(ProfileError::Range)));
        let mut profile = RestingProfile::new("model");
        profile.observe(&[f64::NAN; 7], 1.0);
        profile.observe(&NEUTRAL, f64::INFINITY);
        profile.observe(&NEUTRAL, -1.0);
        assert_eq!(profile, RestingProfile::new("model"));
    }

    #[test]
    fn merging_is_learning_both() {
        let mut noise = Noise(8);
        let (one, other) = (noise.frames(&SAD_REST, 1.0, 100), noise.frames(&SMILE, 1.0, 100));
        let mut merged = learn(&one);
        merged.merge(&learn(&other));
        let both = learn(&[one, other].concat());
        assert!((merged.seconds() - both.seconds()).abs() < 1e-9);
        for (one, other) in merged.shift(1.0).values().iter().zip(both.shift(1.0).values()) {
            assert!((one - other).abs() < 1e-9);
        }
        let mut told = RestingProfile::new_for_known_rest("model");
        told.observe(&NEUTRAL, 10.0);
        let before = told.clone();
        told.merge(&merged);
        assert_eq!(told, before);
        merged.merge(&told);
        assert_eq!(merged, told, "what was told counts for more than what was found");
    }
}
