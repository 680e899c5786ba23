//! Measures how long the selection of a track takes in libraries of several sizes.
//!
//! `cargo run --release -p music-library --example pick`

use std::time::Instant;

use mood_schema::{Affect, Emotion};
use music_library::{Library, MusicalKey, SelectionQuery, Track, TrackSelector};

/// Number of selections that are timed in each library.
const SELECTIONS: u32 = 100;

/// A pseudo-random number from 0 to 1 for a track and a feature: a hash (the finaliser of SplitMix64,
/// doi:10.1145/2660193.2660195).
fn random(number: usize, feature: u64) -> f64 {
    let mut z = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ feature.rotate_left(40);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as f64 / u64::MAX as f64
}

/// A library of random tracks.
fn create_library(size: usize) -> Library {
    let tracks = (0..size).map(|number| {
        let emotion = Emotion::ALL[number % 7];
        Track {
            uri: format!("file:///music/{number}.flac"),
            title: format!("Number {number}"),
            affect: Some(Affect {
                valence: 2.0 * random(number, 1) - 1.0,
                arousal: 2.0 * random(number, 2) - 1.0,
            }),
            uncertainty: random(number, 3),
            emotions: if number.is_multiple_of(2) { vec![emotion] } else { Vec::new() },
            bpm: Some(60.0 + 120.0 * random(number, 4)),
            key: Some(MusicalKey { tonic: (number % 12) as u8, minor: number.is_multiple_of(3) }),
            ..Track::default()
        }
    });
    Library { tracks: tracks.collect(), ..Library::default() }
}

fn main() {
    for size in [4, 1_000, 20_000, 200_000] {
        let library = create_library(size);
        let mut selector = TrackSelector::new(1, 3);
        let mut time_selection = |emotion: Emotion| {
            let query = SelectionQuery { affect: Affect::from_emotion(emotion), emotion: Some(emotion) };
            let start = Instant::now();
            if let Some(selection) = selector.select(&library, &query) {
                selector.record_play(selection.track);
            }
            start.elapsed().as_secs_f64() * 1e3
        };
        // The first selection also computes the features of all tracks.
        let first = time_selection(Emotion::Happy);
        let mut times: Vec<f64> =
            (0..SELECTIONS).map(|number| time_selection(Emotion::ALL[number as usize % 7])).collect();
        times.sort_by(f64::total_cmp);
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!(
            "{size:>7} tracks: median {median:.3} ms a pick, worst {worst:.3} ms, the first {first:.1} ms"
        );
    }
}
