//! The timeline's file: its two formats, written line by line, whole lines only.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use mood_schema::{FrameLine, Label, Line, SessionEnd, SessionHeader};

use super::Format;

/// The columns of the csv form. `success` is 1 where the face was classified with a label other than `uncertain`.
const COLUMNS: &str = "frame,timestamp,face_id,x,y,w,h,label,confidence,success,\
                       angry,disgust,fear,happy,sad,surprise,neutral,valence,arousal,quality\n";

/// A timeline being written. Each call writes whole lines with one system call and holds nothing back.
pub struct Timeline {
    file: File,
    format: Format,
    frames: u64,
    end: u64,
}

impl Timeline {
    /// Creates the file, or continues one that is there with `append`.
    pub fn open(path: &Path, format: Format, append: bool) -> io::Result<Self> {
        let file = if append {
            OpenOptions::new().create(true).append(true).open(path)?
        } else {
            File::create(path)?
        };
        let mut timeline = Self { file, format, frames: 0, end: 0 };
        if format == Format::Csv && timeline.file.metadata()?.len() == 0 {
            timeline.file.write_all(COLUMNS.as_bytes())?;
        }
        Ok(timeline)
    }

    /// What produced the timeline: its first line.
    pub fn session(&mut self, session: SessionHeader) -> io::Result<()> {
        self.line(&Line::Session(session))
    }

    /// A frame; its number is counted here. `end` is where it ends, ns.
    pub fn frame(&mut self, pts: u64, end: u64, faces: Vec<mood_schema::Face>) -> io::Result<()> {
        let frame = FrameLine { frame: self.frames, pts, faces };
        self.frames += 1;
        self.end = self.end.max(end);
        match self.format {
            Format::JsonLines => self.line(&Line::Frame(frame)),
            Format::Csv => self.file.write_all(rows(&frame).as_bytes()),
        }
    }

    /// Anything else a timeline holds; the csv form has no place for it.
    pub fn line(&mut self, line: &Line) -> io::Result<()> {
        if self.format == Format::Csv {
            return Ok(());
        }
        let mut text = line.to_json();
        text.push('\n');
        self.file.write_all(text.as_bytes())
    }

    /// The clean end.
    pub fn finish(mut self) -> io::Result<()> {
        self.line(&Line::End(SessionEnd { pts: self.end, frames: self.frames }))
    }
}

fn rows(frame: &FrameLine) -> String {
    let mut text = String::new();
    for face in &frame.faces {
        let [x, y, w, h] = face.bbox.into();
        let seconds = frame.pts as f64 / 1e9;
        // Writing to a String cannot fail.
        let _ = write!(text, "{},{seconds:.9},{},{x:.6},{y:.6},{w:.6},{h:.6},", frame.frame, face.id);
        match &face.classification {
            Some(result) => {
                let success = u8::from(result.label != Label::Uncertain);
                let _ = write!(text, "{},{:.6},{success},", result.label, result.confidence);
                for probability in result.probabilities {
                    let _ = write!(text, "{probability:.6},");
                }
                let _ = write!(text, "{:.6},{:.6},", result.affect.valence, result.affect.arousal);
            }
            None => text.push_str(",,0,,,,,,,,,,"),
        }
        let _ = writeln!(text, "{:.6}", face.quality);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Affect, Classification, Emotion, Face, Rect};

    fn face(id: u32, classified: bool) -> Face {
        let probabilities = [0.0, 0.0, 0.0, 0.75, 0.25, 0.0, 0.0];
        Face {
            id,
            bbox: Rect { x: 0.25, y: 0.5, w: 0.125, h: 0.25 },
            classification: classified.then(|| Classification {
                label: Emotion::Happy.into(),
                confidence: 0.75,
                probabilities,
                affect: Affect::from_distribution(&probabilities),
            }),
            quality: 0.5,
            roll: 0.0,
        }
    }

    #[test]
    fn csv_has_a_header_once_and_a_row_a_face() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.csv");
        for append in [false, true] {
            let mut timeline = Timeline::open(&path, Format::Csv, append).unwrap();
            timeline.session(SessionHeader::default()).unwrap();
            timeline.frame(0, 40, vec![]).unwrap();
            timeline.frame(40_000_000, 80_000_000, vec![face(1, true), face(2, false)]).unwrap();
            timeline.finish().unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        let columns = lines[0].split(',').count();
        assert!(lines.iter().all(|line| line.split(',').count() == columns), "{text}");
        assert_eq!(
            lines[1],
            "1,0.040000000,1,0.250000,0.500000,0.125000,0.250000,happy,0.750000,1,\
             0.000000,0.000000,0.000000,0.750000,0.250000,0.000000,0.000000,0.470000,0.490000,0.500000"
        );
        assert!(lines[2].starts_with("1,0.040000000,2,") && lines[2].contains(",,,0,,"), "{}", lines[2]);
    }

    #[test]
    fn jsonl_begins_with_the_session_and_ends_with_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.jsonl");
        let mut timeline = Timeline::open(&path, Format::JsonLines, false).unwrap();
        timeline.session(SessionHeader::default()).unwrap();
        timeline.frame(0, 40, vec![face(1, true)]).unwrap();
        let so_far = std::fs::read_to_string(&path).unwrap();
        assert_eq!(so_far.lines().count(), 2, "a line is in the file as soon as it is written");
        timeline.frame(40, 80, vec![]).unwrap();
        timeline.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(matches!(lines[0], Line::Session(_)));
        assert!(matches!(&lines[2], Line::Frame(frame) if frame.frame == 1 && frame.faces.is_empty()));
        assert_eq!(lines[3], Line::End(SessionEnd { pts: 80, frames: 2 }));
    }
}
