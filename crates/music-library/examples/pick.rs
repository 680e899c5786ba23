//! How long a pick takes in libraries of any size: `cargo run --release -p music-library --example pick`.

use std::time::Instant;

use mood_schema::{Affect, Emotion};
use music_library::{Chooser, Key, Library, Query, Track};

/// The same for the same number: the finaliser of SplitMix64 (doi:10.1145/2714064.2660195), 0 to 1.
fn random(number: usize, of: u64) -> f64 {
    let mut z = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ of.rotate_left(40);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as f64 / u64::MAX as f64
}

fn library(size: usize) -> Library {
    let tracks = (0..size).map(|number| {
        let emotion = Emotion::ALL[number % 7];
        Track {
            uri: format!("file:///music/{number}.flac"),
            title: format!("Number {number}"),
            affect: Some(Affect {
                valence: 2.0 * random(number, 1) - 1.0,
                arousal: 2.0 * random(number, 2) - 1.0,
            }),
            doubt: random(number, 3),
            emotions: if number.is_multiple_of(2) { vec![emotion] } else { Vec::new() },
            bpm: Some(60.0 + 120.0 * random(number, 4)),
            key: Some(Key { tonic: (number % 12) as u8, minor: number.is_multiple_of(3) }),
            ..Track::default()
        }
    });
    Library { tracks: tracks.collect(), skipped: Vec::new() }
}

fn main() {
    const PICKS: u32 = 100;
    for size in [4, 1_000, 20_000, 200_000] {
        let library = library(size);
        let mut chooser = Chooser::new(1, 3);
        let mut pick = |emotion: Emotion| {
            let query = Query { at: Affect::from_emotion(emotion), emotion: Some(emotion) };
            let begun = Instant::now();
            if let Some(choice) = chooser.choose(&library, &query) {
                chooser.played(choice.track);
            }
            begun.elapsed().as_secs_f64() * 1e3
        };
        let first = pick(Emotion::Happy);
        let mut times: Vec<f64> = (0..PICKS).map(|number| pick(Emotion::ALL[number as usize % 7])).collect();
        times.sort_by(f64::total_cmp);
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!(
            "{size:>7} tracks: median {median:.3} ms a pick, worst {worst:.3} ms, the first {first:.1} ms"
        );
    }
}
