//! The compositions.
//!
//! Pitches count semitones, 60 is middle C; a `REST` is silence. Times and lengths are in beats.

use super::instrument::{
    BASS, BRASS, CELLO, Drum, ELECTRIC_PIANO, GLASS, Instrument, MARIMBA, PAD, PIANO, UKULELE, XYLOPHONE,
};

const REST: u8 = 0;

/// A bar of four beats, in beats.
const BAR: f32 = 4.0;

/// A note of a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    pub(super) start: f32,
    pub(super) beats: f32,
    pub(super) pitch: f32,
    /// 0-1.
    pub(super) strength: f32,
}

/// What one player plays.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) instrument: Instrument,
    /// Against the other parts.
    pub(super) level: f32,
    /// -1 left to 1 right.
    pub(super) pan: f32,
    /// Share sent into the room.
    pub(super) echo: f32,
    pub(super) notes: Vec<Note>,
}

/// Everybody's parts.
#[derive(Clone, Debug)]
pub(super) struct Score {
    tempo: f32,
    pub(super) parts: Vec<Part>,
}

impl Score {
    pub(super) fn new(tempo: f32) -> Self {
        Self { tempo, parts: Vec::new() }
    }

    pub(super) fn seconds(&self, beats: f32) -> f32 {
        beats * 60.0 / self.tempo
    }

    fn part(&mut self, instrument: Instrument, [level, pan, echo]: [f32; 3], write: impl FnOnce(&mut Part)) {
        let mut part = Part { instrument, level, pan, echo, notes: Vec::new() };
        write(&mut part);
        self.parts.push(part);
    }
}

impl Part {
    fn note(&mut self, start: f32, beats: f32, pitch: u8, strength: f32) {
        self.notes.push(Note { start, beats, pitch: f32::from(pitch), strength });
    }

    /// Notes one after the other, each (pitch, length); the first of a bar is a little stronger.
    fn line(&mut self, start: f32, notes: &[(u8, f32)], strength: f32) {
        let mut at = start;
        for &(pitch, beats) in notes {
            if pitch != REST {
                let accent = if at % BAR < 0.01 { 1.0 } else { 0.85 };
                self.note(at, beats * 0.95, pitch, strength * accent);
            }
            at += beats;
        }
        debug_assert!((at - start).rem_euclid(BAR) < 0.01, "a tune fills whole bars, this one ends at {at}");
    }

    fn chord(&mut self, start: f32, beats: f32, pitches: &[u8], strength: f32) {
        for &pitch in pitches {
            self.note(start, beats, pitch, strength);
        }
    }

    /// Strokes of a drum at these beats of every bar.
    fn pattern(&mut self, bars: std::ops::Range<u8>, beats: &[(f32, f32)]) {
        for bar in bars {
            for &(beat, strength) in beats {
                self.note(f32::from(bar) * BAR + beat, 0.1, 60, strength);
            }
        }
    }
}

fn bar(index: usize) -> f32 {
    index as f32 * BAR
}

/// Happy: F major, quick and bouncing, off-beat strums and a skipping tune.
pub(super) fn sunny_side(score: &mut Score) {
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

    const TUNE: &[(u8, f32)] = &[
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
    const MIDDLE: &[(u8, f32)] = &[
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
    score.part(MARIMBA, [0.9, 0.15, 0.25], |part| {
        part.line(0.0, TUNE, 1.0);
        part.line(bar(8), MIDDLE, 1.0);
        part.line(bar(16), TUNE, 1.0);
    });
    // The last time round, somebody whistles along above.
    score.part(GLASS, [0.28, -0.35, 0.4], |part| part.line(bar(16), TUNE, 0.8));
    score.part(UKULELE, [0.34, -0.4, 0.2], |part| {
        for (index, (chord, _)) in song.iter().enumerate() {
            for (beat, strength) in [(0.0, 0.5), (1.0, 0.9), (1.5, 0.5), (2.5, 0.7), (3.0, 0.9), (3.5, 0.6)] {
                part.chord(bar(index) + beat, 0.35, chord, strength);
            }
        }
    });
    score.part(BASS, [0.9, 0.0, 0.05], |part| {
        for (index, &&(_, root)) in song.iter().enumerate() {
            for (beat, step) in [(0.0, 0), (1.5, 7), (2.0, 12), (3.0, 7)] {
                part.note(bar(index) + beat, 0.8, root + step, 0.9);
            }
        }
    });
    score.part(Instrument::Drum(Drum::Kick), [0.8, 0.0, 0.05], |part| {
        part.pattern(0..24, &[(0.0, 1.0), (2.0, 0.9), (2.5, 0.5)]);
    });
    score.part(Instrument::Drum(Drum::Clap), [0.5, 0.1, 0.3], |part| {
        part.pattern(0..24, &[(1.0, 0.8), (3.0, 1.0)]);
    });
    score.part(Instrument::Drum(Drum::Shaker), [0.35, 0.5, 0.1], |part| {
        let eighths: [_; 8] = std::array::from_fn(|i| (i as f32 * 0.5, if i % 2 == 1 { 1.0 } else { 0.5 }));
        part.pattern(0..24, &eighths);
    });
}

/// Sad: A minor, slow and soft, a falling cello tune over broken piano chords.
pub(super) fn rain_on_glass(score: &mut Score) {
    // Bass note, then the chord that is broken upwards and back.
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
    const TUNE: &[(u8, f32)] = &[
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
    score.part(CELLO, [0.55, 0.15, 0.55], |part| part.line(0.0, TUNE, 0.9));
    score.part(PIANO, [0.55, -0.2, 0.5], |part| {
        for (index, (_, chord)) in SONG.iter().enumerate() {
            for (step, tone) in [0, 1, 2, 3, 2, 1, 2, 1].into_iter().enumerate() {
                let strength = if step == 0 { 0.7 } else { 0.5 };
                part.note(bar(index) + step as f32 * 0.5, 0.9, chord[tone], strength);
            }
        }
    });
    // A drop now and then, high up.
    score.part(GLASS, [0.2, 0.55, 0.8], |part| {
        for (index, (_, chord)) in SONG.iter().enumerate().filter(|(index, _)| index % 2 == 1) {
            part.note(bar(index) + 2.5, 1.0, chord[2] + 24, 0.6);
            part.note(bar(index) + 3.0, 1.0, chord[1] + 24, 0.45);
        }
    });
    score.part(PAD, [0.3, 0.0, 0.5], |part| {
        for (index, (_, chord)) in SONG.iter().enumerate() {
            part.chord(bar(index), BAR, &chord[..3], 0.5);
        }
    });
    score.part(BASS, [0.5, 0.0, 0.2], |part| {
        for (index, &(root, _)) in SONG.iter().enumerate() {
            part.note(bar(index), 3.6, root, 0.7);
        }
    });
}

/// Neutral: G, open fifths and seconds that lean neither way, an even walk.
pub(super) fn level_ground(score: &mut Score) {
    const G: (u8, [u8; 4]) = (43, [62, 67, 69, 74]);
    const C: (u8, [u8; 4]) = (48, [62, 64, 67, 74]);
    const D: (u8, [u8; 4]) = (50, [62, 64, 69, 74]);
    const E: (u8, [u8; 4]) = (52, [62, 64, 67, 71]);
    const SONG: [(u8, [u8; 4]); 16] = [G, G, C, C, E, E, D, D, G, G, C, C, E, D, C, G];
    const TUNE: &[(u8, f32)] = &[
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
    score.part(GLASS, [0.42, 0.3, 0.6], |part| part.line(0.0, TUNE, 0.8));
    score.part(ELECTRIC_PIANO, [0.5, -0.25, 0.3], |part| {
        for (index, (_, chord)) in SONG.iter().enumerate() {
            for (step, tone) in [0, 2, 1, 3, 2, 1, 3, 2].into_iter().enumerate() {
                part.note(
                    bar(index) + step as f32 * 0.5,
                    0.8,
                    chord[tone],
                    if step == 0 { 0.8 } else { 0.6 },
                );
            }
        }
    });
    score.part(PAD, [0.32, 0.0, 0.4], |part| {
        for (index, (_, chord)) in SONG.iter().enumerate() {
            part.chord(bar(index), BAR, &chord[..3], 0.6);
        }
    });
    score.part(BASS, [0.7, 0.0, 0.1], |part| {
        for (index, &(root, _)) in SONG.iter().enumerate() {
            part.note(bar(index), 2.2, root - 12, 0.8);
            part.note(bar(index) + 2.5, 1.2, root - 5, 0.6);
        }
    });
    score.part(Instrument::Drum(Drum::Shaker), [0.25, -0.5, 0.2], |part| {
        part.pattern(0..16, &[(0.5, 0.6), (1.0, 1.0), (1.5, 0.5), (2.5, 0.6), (3.0, 1.0), (3.5, 0.5)]);
    });
    score.part(Instrument::Drum(Drum::Kick), [0.35, 0.0, 0.05], |part| {
        part.pattern(0..16, &[(0.0, 0.8), (2.5, 0.5)]);
    });
}

/// Surprise: the whole-tone scale, which has no home, in a quick 3 + 3 + 2 that stops and starts.
pub(super) fn trapdoor(score: &mut Score) {
    const LOW: [u8; 4] = [58, 62, 66, 68];
    const HIGH: [u8; 4] = [59, 63, 67, 69];
    // Four bars, the last of which holds its breath: two beats of silence, then a stab where nobody expects it.
    for phrase in 0..7usize {
        let start = bar(phrase * 4);
        let (chord, root, shift) = if phrase % 2 == 0 { (LOW, 34, 0) } else { (HIGH, 35, 1) };
        let run: [u8; 8] = [82, 84, 86, 88, 90, 92, 90, 86].map(|pitch| pitch + shift);
        score.part(XYLOPHONE, [0.75, 0.25, 0.25], |part| {
            for bar_in in 0..3 {
                let at = start + bar(bar_in);
                for (step, pitch) in run.into_iter().enumerate() {
                    // Each bar leaves out other steps, so that no accent can be foreseen.
                    if (step + bar_in * 3 + phrase) % 4 != 3 {
                        let strength = if step % 3 == 0 { 1.0 } else { 0.6 };
                        part.note(at + step as f32 * 0.5, 0.3, pitch, strength);
                    }
                }
            }
            for (step, pitch) in run.into_iter().rev().enumerate() {
                part.note(start + bar(3) + 2.0 + step as f32 * 0.25, 0.2, pitch, 0.4 + 0.07 * step as f32);
            }
        });
        score.part(BRASS, [0.5, -0.2, 0.35], |part| {
            for bar_in in 0..3 {
                for (beat, strength) in [(0.0, 0.9), (1.5, 0.7), (3.0, 1.0)] {
                    part.chord(start + bar(bar_in) + beat, 0.3, &chord, strength);
                }
            }
            part.chord(start + bar(3) + 0.5, 0.4, &chord.map(|pitch| pitch + 12), 1.0);
        });
        score.part(BASS, [0.95, 0.0, 0.1], |part| {
            for bar_in in 0..3 {
                for (beat, step) in [(0.0, 0), (0.75, 12), (1.5, 4), (2.25, 12), (3.0, 8), (3.5, 6)] {
                    part.note(start + bar(bar_in) + beat, 0.4, root + step, 0.9);
                }
            }
            part.note(start + bar(3) + 0.5, 0.5, root, 1.0);
        });
    }
    score.part(Instrument::Drum(Drum::Kick), [0.9, 0.0, 0.05], |part| {
        for phrase in 0..7 {
            part.pattern(phrase * 4..phrase * 4 + 3, &[(0.0, 1.0), (1.5, 0.8), (3.0, 1.0)]);
        }
    });
    score.part(Instrument::Drum(Drum::Clap), [0.55, 0.15, 0.35], |part| {
        for phrase in 0..7 {
            part.pattern(phrase * 4..phrase * 4 + 3, &[(1.0, 0.7), (2.25, 0.5), (3.5, 0.9)]);
            part.pattern(phrase * 4 + 3..phrase * 4 + 4, &[(0.5, 1.0)]);
        }
    });
    score.part(Instrument::Drum(Drum::Block), [0.4, 0.5, 0.3], |part| {
        let sixteenths: [_; 8] =
            std::array::from_fn(|i| (i as f32 * 0.5 + 0.25, if i % 3 == 0 { 0.9 } else { 0.4 }));
        part.pattern(0..28, &sixteenths);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_starts_within_its_piece_and_the_last_bar_is_played() {
        for piece in super::super::pieces() {
            let mut score = Score::new(piece.tempo);
            (piece.compose)(&mut score);
            let starts = score.parts.iter().flat_map(|part| &part.notes).map(|note| note.start);
            let last = starts.fold(0.0, f32::max);
            let beats = f32::from(piece.beats);
            assert!(last < beats && last > beats - BAR, "{}: {last} of {beats}", piece.slug);
        }
    }
}
