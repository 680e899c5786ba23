//! The data model of a piece: parts of notes, each with an instrument. Times and durations are in beats.

use super::synthesis::Instrument;

/// Duration of a bar, beats.
pub(super) const BAR: f32 = 4.0;

/// In a melody, the pitch that stands for silence.
pub(super) const REST: u8 = 0;

/// A note of a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    /// Start, beats from the beginning of the piece.
    pub(super) start: f32,
    /// Duration, beats.
    pub(super) beats: f32,
    /// MIDI note number; 60 is middle C.
    pub(super) pitch: f32,
    /// Amplitude, 0-1.
    pub(super) velocity: f32,
}

/// The notes of one instrument.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The sound of its notes.
    pub(super) instrument: Instrument,
    /// Gain relative to the other parts, 0-1.
    pub(super) gain: f32,
    /// Position in the stereo image, -1 (left) to 1 (right).
    pub(super) pan: f32,
    /// Gain of the signal sent to the reverberation, 0-1.
    pub(super) reverb_send: f32,
    /// The notes in any order.
    pub(super) notes: Vec<Note>,
}

/// All parts of a piece.
#[derive(Clone, Debug)]
pub(super) struct Arrangement {
    /// Beats per minute.
    tempo: f32,
    /// The parts in any order.
    pub(super) parts: Vec<Part>,
}

impl Arrangement {
    /// An arrangement without parts; `tempo` in beats per minute.
    pub(super) fn new(tempo: f32) -> Self {
        Self { tempo, parts: Vec::new() }
    }

    /// The duration of a number of beats, seconds.
    pub(super) fn beats_to_seconds(&self, beats: f32) -> f32 {
        beats * 60.0 / self.tempo
    }

    /// Adds a part, to which `add_notes` adds the notes. The array holds gain, pan and reverb send as in
    /// [`Part`].
    pub(super) fn add_part(
        &mut self,
        instrument: Instrument,
        [gain, pan, reverb_send]: [f32; 3],
        add_notes: impl FnOnce(&mut Part),
    ) {
        let mut part = Part { instrument, gain, pan, reverb_send, notes: Vec::new() };
        add_notes(&mut part);
        self.parts.push(part);
    }
}

impl Part {
    /// Adds a note.
    pub(super) fn add_note(&mut self, start: f32, beats: f32, pitch: u8, velocity: f32) {
        self.notes.push(Note { start, beats, pitch: f32::from(pitch), velocity });
    }

    /// Adds successive notes, given as (pitch, duration), from `start` on. The first note of a bar is accented.
    /// The melody must fill complete bars.
    pub(super) fn add_melody(&mut self, start: f32, notes: &[(u8, f32)], velocity: f32) {
        let mut time = start;
        for &(pitch, beats) in notes {
            if pitch != REST {
                let accent = if time % BAR < 0.01 { 1.0 } else { 0.85 };
                self.add_note(time, beats * 0.95, pitch, velocity * accent);
            }
            time += beats;
        }
        debug_assert!(
            (time - start).rem_euclid(BAR) < 0.01,
            "a melody must fill complete bars, this one ends at {time}"
        );
    }

    /// Adds notes of the same start and duration.
    pub(super) fn add_chord(&mut self, start: f32, beats: f32, pitches: &[u8], velocity: f32) {
        for &pitch in pitches {
            self.add_note(start, beats, pitch, velocity);
        }
    }

    /// Adds the same drum strokes, given as (beat within the bar, velocity), to each of `bars`.
    pub(super) fn add_drum_pattern(&mut self, bars: std::ops::Range<u8>, strokes: &[(f32, f32)]) {
        for bar in bars {
            for &(beat, velocity) in strokes {
                // Drums ignore duration and pitch.
                self.add_note(f32::from(bar) * BAR + beat, 0.1, 60, velocity);
            }
        }
    }
}
