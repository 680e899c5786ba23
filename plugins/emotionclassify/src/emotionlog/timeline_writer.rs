//! Writes the timeline's file in its two formats.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use mood_schema::{Face, FrameLine, Label, Line, SessionEnd, SessionHeader};

use super::Format;

/// The header of the csv format. `timestamp` is in seconds of stream time; `x` `y` `w` `h` are shares of the frame;
/// `success` is 1 where the face has a label other than `uncertain`, else 0.
const COLUMNS: &str = "frame,timestamp,face_id,x,y,w,h,label,confidence,success,\
                       angry,disgust,fear,happy,sad,surprise,neutral,valence,arousal,quality\n";

/// An open timeline file. Each call writes complete lines with one system call and buffers nothing, so that a killed
/// process leaves every line it has written.
pub(super) struct TimelineWriter {
    file: File,
    format: Format,
    /// Number of frames written, which is the number of the next one.
    frame_count: u64,
    /// End of the latest frame, ns of stream time.
    end: u64,
}

impl TimelineWriter {
    /// Creates the file or, with `append`, continues an existing one. An empty csv file gets its header. A last line that
    /// was cut off, by a full disk for example, is ended, so that nothing is added to it.
    pub fn open(path: &Path, format: Format, append: bool) -> io::Result<Self> {
        let file = match append {
            true => OpenOptions::new().create(true).read(true).append(true).open(path)?,
            false => File::create(path)?,
        };
        let mut writer = Self { file, format, frame_count: 0, end: 0 };
        let length = writer.file.metadata()?.len();
        if length == 0 && format == Format::Csv {
            writer.file.write_all(COLUMNS.as_bytes())?;
        }
        if append && length > 0 {
            let mut last = [0];
            writer.file.read_exact_at(&mut last, length - 1)?;
            if last != *b"\n" {
                writer.file.write_all(b"\n")?;
            }
        }
        Ok(writer)
    }

    /// Writes the header, which is the first line.
    pub fn write_header(&mut self, header: SessionHeader) -> io::Result<()> {
        self.write_line(&Line::Session(header))
    }

    /// Writes a frame from `pts` to `end`, both ns of stream time. Frames are numbered from 0 in the order of the
    /// calls.
    pub fn write_frame(&mut self, pts: u64, end: u64, faces: Vec<Face>) -> io::Result<()> {
        let frame = FrameLine { frame: self.frame_count, pts, faces };
        self.frame_count += 1;
        self.end = self.end.max(end);
        match self.format {
            Format::JsonLines => self.write_line(&Line::Frame(frame)),
            Format::Csv => self.file.write_all(csv_rows(&frame).as_bytes()),
        }
    }

    /// Writes a line of any other kind. The csv format has no such lines.
    pub fn write_line(&mut self, line: &Line) -> io::Result<()> {
        if self.format == Format::Csv {
            return Ok(());
        }
        let mut json = line.to_json();
        json.push('\n');
        self.file.write_all(json.as_bytes())
    }

    /// Writes the end line, which marks the timeline as complete.
    pub fn finish(mut self) -> io::Result<()> {
        self.write_line(&Line::End(SessionEnd { pts: self.end, frames: self.frame_count }))
    }
}

/// The rows of a frame, one for each face.
fn csv_rows(frame: &FrameLine) -> String {
    let mut rows = String::new();
    for face in &frame.faces {
        let [x, y, w, h] = face.bbox.into();
        let seconds = frame.pts as f64 / 1e9;
        // Writing to a String cannot fail.
        let _ = write!(rows, "{},{seconds:.9},{},{x:.6},{y:.6},{w:.6},{h:.6},", frame.frame, face.id);
        match &face.classification {
            Some(result) => {
                let success = u8::from(result.label != Label::Uncertain);
                let _ = write!(rows, "{},{:.6},{success},", result.label, result.confidence);
                for probability in result.probabilities {
                    let _ = write!(rows, "{probability:.6},");
                }
                let _ = write!(rows, "{:.6},{:.6},", result.affect.valence, result.affect.arousal);
            }
            None => rows.push_str(",,0,,,,,,,,,,"),
        }
        let _ = writeln!(rows, "{:.6}", face.quality);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Affect, Classification, Emotion, Rect};

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
    fn csv_has_one_header_and_a_row_for_each_face() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.csv");
        for append in [false, true] {
            let mut writer = TimelineWriter::open(&path, Format::Csv, append).unwrap();
            writer.write_header(SessionHeader::default()).unwrap();
            writer.write_frame(0, 40, vec![]).unwrap();
            writer.write_frame(40_000_000, 80_000_000, vec![face(1, true), face(2, false)]).unwrap();
            writer.finish().unwrap();
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
    fn appending_ends_a_line_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.jsonl");
        for (before, expected) in [("{\"type\":\"fra", "{\"type\":\"fra\n"), ("{}\n", "{}\n"), ("", "")] {
            std::fs::write(&path, before).unwrap();
            TimelineWriter::open(&path, Format::JsonLines, true).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        }
    }

    #[test]
    fn jsonl_has_header_frames_and_end_in_this_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.jsonl");
        let mut writer = TimelineWriter::open(&path, Format::JsonLines, false).unwrap();
        writer.write_header(SessionHeader::default()).unwrap();
        writer.write_frame(0, 40, vec![face(1, true)]).unwrap();
        let unfinished = std::fs::read_to_string(&path).unwrap();
        assert_eq!(unfinished.lines().count(), 2, "lines are written at once");
        writer.write_frame(40, 80, vec![]).unwrap();
        writer.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(matches!(lines[0], Line::Session(_)));
        assert!(matches!(&lines[2], Line::Frame(frame) if frame.frame == 1 && frame.faces.is_empty()));
        assert_eq!(lines[3], Line::End(SessionEnd { pts: 80, frames: 2 }));
    }
}
