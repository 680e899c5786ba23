//! The compositions: each function adds the parts of one piece to an arrangement.
//!
//! Pitches are MIDI note numbers (60 is middle C); times and durations are in beats. Chords are written as their four notes, with
//! the note of the bass beside them.

use super::arrangement::{Arrangement, BAR, REST};
use super::synthesis::{
    BASS, BRASS, CELLO, Drum, ELECTRIC_PIANO, GLASS, Instrument, MARIMBA, PAD, PIANO, UKULELE, XYLOPHONE,
};

/// Start of the bar with this index, from 0, in beats.
fn bar_start(index: usize) -> f32 {
    index as f32 * BAR
}

/// Happy: F major, fast, with off-beat strums and a lively melody.
pub(super) fn sunny_side(arrangement: &mut Arrangement) {
    const F: [u8; 4] = [60, 65, 69, 72];
    const C: [u8; 4] = [60, 64, 67, 72];
    const DM: [u8; 4] = [62, 65, 69, 74];
    const BB: [u8; 4] = [62, 65, 70, 74];
    const GM: [u8; 4] = [62, 67, 70, 74];
    const VERSE: [([u8; 4], u8); 8] =
        [(F, 41), (C, 36), (DM, 38), (BB, 46), (F, 41), (C, 36), (BB, 46), (F, 41)];
    const BRIDGE: [([u8; 4], u8); 8] =
        [(BB, 46), (F, 41), (GM, 43), (C, 36), (BB, 46), (F, 41), (GM, 43), (C, 36)];
    let song: Vec<_> = VERSE.iter().chain(&BRIDGE).chain(&VERSE).collect();

    const MELODY: &[(u8, f32)] = &[
        (77, 0.5),
        (77, 0.5),
        (81, 0.5),
        (84, 1.0),
        (81, 0.5),
        (77, 1.0),
        (79, 0.5),
        (76, 0.5),
        (79, 0.5),
        (84, 1.5),
        (REST, 1.0),
        (81, 0.5),
        (81, 0.5),
        (79, 0.5),
        (77, 1.0),
        (74, 0.5),
        (77, 1.0),
        (82, 0.5),
        (81, 0.5),
        (79, 0.5),
        (77, 1.5),
        (REST, 1.0),
        (77, 0.5),
        (77, 0.5),
        (81, 0.5),
        (84, 1.0),
        (86, 0.5),
        (84, 1.0),
        (88, 0.5),
        (86, 0.5),
        (84, 0.5),
        (79, 1.5),
        (REST, 1.0),
        (82, 0.5),
        (84, 0.5),
        (82, 0.5),
        (81, 0.5),
        (79, 0.5),
        (77, 0.5),
        (79, 0.5),
        (76, 0.5),
        (77, 1.0),
        (84, 0.5),
        (81, 0.5),
        (77, 1.0),
        (REST, 1.0),
    ];
    const BRIDGE_MELODY: &[(u8, f32)] = &[
        (86, 1.5),
        (84, 0.5),
        (82, 1.0),
        (86, 1.0),
        (84, 1.5),
        (81, 0.5),
        (77, 1.0),
        (REST, 1.0),
        (82, 0.5),
        (81, 0.5),
        (79, 0.5),
        (82, 1.0),
        (81, 0.5),
        (79, 1.0),
        (84, 0.5),
        (82, 0.5),
        (81, 0.5),
        (79, 1.5),
        (REST, 1.0),
        (86, 1.5),
        (84, 0.5),
        (82, 1.0),
        (86, 1.0),
        (84, 1.5),
        (86, 0.5),
        (89, 1.0),
        (REST, 1.0),
        (82, 0.5),
        (84, 0.5),
        (86, 0.5),
        (82, 1.0),
        (79, 0.5),
        (82, 1.0),
        (84, 0.5),
        (84, 0.5),
        (86, 0.5),
        (88, 1.5),
        (REST, 1.0),
    ];
    arrangement.add_part(MARIMBA, [0.9, 0.15, 0.25], |part| {
        part.add_melody(0.0, MELODY, 1.0);
        part.add_melody(bar_start(8), BRIDGE_MELODY, 1.0);
        part.add_melody(bar_start(16), MELODY, 1.0);
    });
    // The last verse has a second voice.
    arrangement.add_part(GLASS, [0.28, -0.35, 0.4], |part| part.add_melody(bar_start(16), MELODY, 0.8));
    arrangement.add_part(UKULELE, [0.34, -0.4, 0.2], |part| {
        for (index, (chord, _)) in song.iter().enumerate() {
            for (beat, velocity) in [(0.0, 0.5), (1.0, 0.9), (1.5, 0.5), (2.5, 0.7), (3.0, 0.9), (3.5, 0.6)] {
                part.add_chord(bar_start(index) + beat, 0.35, chord, velocity);
            }
        }
    });
    arrangement.add_part(BASS, [0.9, 0.0, 0.05], |part| {
        for (index, &&(_, root)) in song.iter().enumerate() {
            for (beat, step) in [(0.0, 0), (1.5, 7), (2.0, 12), (3.0, 7)] {
                part.add_note(bar_start(index) + beat, 0.8, root + step, 0.9);
            }
        }
    });
    arrangement.add_part(Instrument::Drum(Drum::Kick), [0.8, 0.0, 0.05], |part| {
        part.add_drum_pattern(0..24, &[(0.0, 1.0), (2.0, 0.9), (2.5, 0.5)]);
    });
    arrangement.add_part(Instrument::Drum(Drum::Clap), [0.5, 0.1, 0.3], |part| {
        part.add_drum_pattern(0..24, &[(1.0, 0.8), (3.0, 1.0)]);
    });
    arrangement.add_part(Instrument::Drum(Drum::Shaker), [0.35, 0.5, 0.1], |part| {
        let eighths: [_; 8] = std::array::from_fn(|i| (i as f32 * 0.5, if i % 2 == 1 { 1.0 } else { 0.5 }));
        part.add_drum_pattern(0..24, &eighths);
    });
}

/// Sad: A minor, slow and soft, with a falling cello melody over broken piano chords.
pub(super) fn rain_on_glass(arrangement: &mut Arrangement) {
    // The note of the bass, and the chord that the piano plays upwards and back.
    const SONG: [(u8, [u8; 4]); 12] = [
        (45, [57, 60, 64, 69]),
        (41, [57, 60, 65, 69]),
        (36, [55, 60, 64, 67]),
        (43, [55, 59, 62, 67]),
        (45, [57, 60, 64, 69]),
        (38, [57, 62, 65, 69]),
        (40, [56, 59, 64, 68]),
        (40, [56, 62, 64, 68]),
        (41, [57, 60, 65, 69]),
        (38, [57, 62, 65, 69]),
        (40, [56, 59, 64, 68]),
        (45, [57, 60, 64, 69]),
    ];
    const MELODY: &[(u8, f32)] = &[
        (64, 3.0),
        (62, 0.5),
        (60, 0.5),
        (60, 2.0),
        (57, 2.0),
        (64, 2.5),
        (62, 0.5),
        (60, 1.0),
        (59, 3.0),
        (REST, 1.0),
        (72, 2.5),
        (71, 0.5),
        (69, 1.0),
        (69, 2.0),
        (65, 2.0),
        (68, 2.0),
        (71, 1.0),
        (69, 1.0),
        (68, 3.0),
        (REST, 1.0),
        (69, 2.0),
        (67, 1.0),
        (65, 1.0),
        (65, 2.0),
        (64, 1.0),
        (62, 1.0),
        (64, 2.0),
        (62, 1.0),
        (59, 1.0),
        (57, 3.0),
        (REST, 1.0),
    ];
    arrangement.add_part(CELLO, [0.55, 0.15, 0.55], |part| part.add_melody(0.0, MELODY, 0.9));
    arrangement.add_part(PIANO, [0.55, -0.2, 0.5], |part| {
        for (index, (_, chord)) in SONG.iter().enumerate() {
            for (step, tone) in [0, 1, 2, 3, 2, 1, 2, 1].into_iter().enumerate() {
                let velocity = if step == 0 { 0.7 } else { 0.5 };
                part.add_note(bar_start(index) + step as f32 * 0.5, 0.9, chord[tone], velocity);
            }
        }
    });
    // Single high notes.
    arrangement.add_part(GLASS, [0.2, 0.55, 0.8], |part| {
        for (index, (_, chord)) in SONG.iter().enumerate().filter(|(index, _)| index % 2 == 1) {
            part.add_note(bar_start(index) + 2.5, 1.0, chord[2] + 24, 0.6);
            part.add_note(bar_start(index) + 3.0, 1.0, chord[1] + 24, 0.45);
        }
    });
    arrangement.add_part(PAD, [0.3, 0.0, 0.5], |part| {
        for (index, (_, chord)) in SONG.iter().enumerate() {
            part.add_chord(bar_start(index), BAR, &chord[..3], 0.5);
        }
    });
    arrangement.add_part(BASS, [0.5, 0.0, 0.2], |part| {
        for (index, &(root, _)) in SONG.iter().enumerate() {
            part.add_note(bar_start(index), 3.6, root, 0.7);
        }
    });
}

/// Neutral: G, with open fifths and added seconds that sound neither major nor minor, at an even pace.
pub(super) fn level_ground(arrangement: &mut Arrangement) {
    const G: (u8, [u8; 4]) = (43, [62, 67, 69, 74]);
    const C: (u8, [u8; 4]) = (48, [62, 64, 67, 74]);
    const D: (u8, [u8; 4]) = (50, [62, 64, 69, 74]);
    const E: (u8, [u8; 4]) = (52, [62, 64, 67, 71]);
    const SONG: [(u8, [u8; 4]); 16] = [G, G, C, C, E, E, D, D, G, G, C, C, E, D, C, G];
    const MELODY: &[(u8, f32)] = &[
        (79, 1.5),
        (81, 0.5),
        (86, 2.0),
        (REST, 4.0),
        (79, 1.5),
        (76, 0.5),
        (74, 2.0),
        (REST, 4.0),
        (83, 1.5),
        (81, 0.5),
        (79, 1.0),
        (76, 1.0),
        (REST, 4.0),
        (81, 1.5),
        (79, 0.5),
        (81, 2.0),
        (REST, 4.0),
        (79, 1.0),
        (81, 1.0),
        (83, 1.0),
        (86, 1.0),
        (REST, 4.0),
        (88, 1.5),
        (86, 0.5),
        (83, 2.0),
        (REST, 4.0),
        (83, 1.0),
        (81, 1.0),
        (79, 2.0),
        (81, 1.0),
        (79, 1.0),
        (76, 2.0),
        (79, 1.0),
        (76, 1.0),
        (74, 2.0),
        (79, 4.0),
    ];
    arrangement.add_part(GLASS, [0.42, 0.3, 0.6], |part| part.add_melody(0.0, MELODY, 0.8));
    arrangement.add_part(ELECTRIC_PIANO, [0.5, -0.25, 0.3], |part| {
        for (index, (_, chord)) in SONG.iter().enumerate() {
            for (step, tone) in [0, 2, 1, 3, 2, 1, 3, 2].into_iter().enumerate() {
                part.add_note(
                    bar_start(index) + step as f32 * 0.5,
                    0.8,
                    chord[tone],
                    if step == 0 { 0.8 } else { 0.6 },
                );
            }
        }
    });
    arrangement.add_part(PAD, [0.32, 0.0, 0.4], |part| {
        for (index, (_, chord)) in SONG.iter().enumerate() {
            part.add_chord(bar_start(index), BAR, &chord[..3], 0.6);
        }
    });
    arrangement.add_part(BASS, [0.7, 0.0, 0.1], |part| {
        for (index, &(root, _)) in SONG.iter().enumerate() {
            part.add_note(bar_start(index), 2.2, root - 12, 0.8);
            part.add_note(bar_start(index) + 2.5, 1.2, root - 5, 0.6);
        }
    });
    arrangement.add_part(Instrument::Drum(Drum::Shaker), [0.25, -0.5, 0.2], |part| {
        part.add_drum_pattern(
            0..16,
            &[(0.5, 0.6), (1.0, 1.0), (1.5, 0.5), (2.5, 0.6), (3.0, 1.0), (3.5, 0.5)],
        );
    });
    arrangement.add_part(Instrument::Drum(Drum::Kick), [0.35, 0.0, 0.05], |part| {
        part.add_drum_pattern(0..16, &[(0.0, 0.8), (2.5, 0.5)]);
    });
}

/// Surprise: the whole-tone scale, which has no tonal centre, in a fast 3 + 3 + 2 rhythm with sudden pauses.
pub(super) fn trapdoor(arrangement: &mut Arrangement) {
    const LOW: [u8; 4] = [58, 62, 66, 68];
    const HIGH: [u8; 4] = [59, 63, 67, 69];
    // Phrases of four bars, the last with an accent off the beat and a pause.
    for phrase in 0..7usize {
        let start = bar_start(phrase * 4);
        let (chord, root, transposition) = if phrase % 2 == 0 { (LOW, 34, 0) } else { (HIGH, 35, 1) };
        let run: [u8; 8] = [82, 84, 86, 88, 90, 92, 90, 86].map(|pitch| pitch + transposition);
        arrangement.add_part(XYLOPHONE, [0.75, 0.25, 0.25], |part| {
            for bar in 0..3 {
                let bar_time = start + bar_start(bar);
                for (step, pitch) in run.into_iter().enumerate() {
                    // Each bar leaves out other steps, which makes the accents unpredictable.
                    if (step + bar * 3 + phrase) % 4 != 3 {
                        let velocity = if step % 3 == 0 { 1.0 } else { 0.6 };
                        part.add_note(bar_time + step as f32 * 0.5, 0.3, pitch, velocity);
                    }
                }
            }
            for (step, pitch) in run.into_iter().rev().enumerate() {
                part.add_note(
                    start + bar_start(3) + 2.0 + step as f32 * 0.25,
                    0.2,
                    pitch,
                    0.4 + 0.07 * step as f32,
                );
            }
        });
        arrangement.add_part(BRASS, [0.5, -0.2, 0.35], |part| {
            for bar in 0..3 {
                for (beat, velocity) in [(0.0, 0.9), (1.5, 0.7), (3.0, 1.0)] {
                    part.add_chord(start + bar_start(bar) + beat, 0.3, &chord, velocity);
                }
            }
            part.add_chord(start + bar_start(3) + 0.5, 0.4, &chord.map(|pitch| pitch + 12), 1.0);
        });
        arrangement.add_part(BASS, [0.95, 0.0, 0.1], |part| {
            for bar in 0..3 {
                for (beat, step) in [(0.0, 0), (0.75, 12), (1.5, 4), (2.25, 12), (3.0, 8), (3.5, 6)] {
                    part.add_note(start + bar_start(bar) + beat, 0.4, root + step, 0.9);
                }
            }
            part.add_note(start + bar_start(3) + 0.5, 0.5, root, 1.0);
        });
    }
    arrangement.add_part(Instrument::Drum(Drum::Kick), [0.9, 0.0, 0.05], |part| {
        for phrase in 0..7 {
            part.add_drum_pattern(phrase * 4..phrase * 4 + 3, &[(0.0, 1.0), (1.5, 0.8), (3.0, 1.0)]);
        }
    });
    arrangement.add_part(Instrument::Drum(Drum::Clap), [0.55, 0.15, 0.35], |part| {
        for phrase in 0..7 {
            part.add_drum_pattern(phrase * 4..phrase * 4 + 3, &[(1.0, 0.7), (2.25, 0.5), (3.5, 0.9)]);
            part.add_drum_pattern(phrase * 4 + 3..phrase * 4 + 4, &[(0.5, 1.0)]);
        }
    });
    arrangement.add_part(Instrument::Drum(Drum::WoodBlock), [0.4, 0.5, 0.3], |part| {
        let sixteenths: [_; 8] =
            std::array::from_fn(|i| (i as f32 * 0.5 + 0.25, if i % 3 == 0 { 0.9 } else { 0.4 }));
        part.add_drum_pattern(0..28, &sixteenths);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_notes_start_within_the_piece_and_the_last_bar_has_notes() {
        for piece in super::super::pieces() {
            let mut arrangement = Arrangement::new(piece.tempo);
            (piece.compose)(&mut arrangement);
            let starts = arrangement.parts.iter().flat_map(|part| &part.notes).map(|note| note.start);
            let last = starts.fold(0.0, f32::max);
            let beats = f32::from(piece.beats);
            assert!(last < beats && last > beats - BAR, "{}: {last} of {beats}", piece.slug);
        }
    }
}
