//! Writes the timeline's file in its two formats.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use mood_schema::{Frame, FrameLine, Label, Line, SessionEnd, SessionHeader};

use super::Format;
use super::destination::Destination;

/// The header of the csv format. `timestamp` is in seconds of stream time; `x` `y` `w` `h` are shares of the frame;
/// `success` is 1 where the face has a label other than `uncertain`, else 0.
const COLUMNS: &str = "frame,timestamp,face_id,x,y,w,h,label,confidence,success,\
                       angry,disgust,fear,happy,sad,surprise,neutral,valence,arousal,quality\n";

/// An open timeline. Each call writes complete lines.
pub(super) struct TimelineWriter {
    destination: Destination,
    format: Format,
    /// What a new reader of a pipe gets first: the session's header, or the header of the table.
    header: Vec<u8>,
    /// Number of frames written, which is the number of the next one.
    frame_count: u64,
    /// End of the latest frame, ns of stream time.
    end: u64,
}

impl TimelineWriter {
    /// Opens the file or, with `append`, continues an existing one; see [`Destination::open`]. An empty csv file gets its
    /// header.
    pub fn open(path: &Path, format: Format, append: bool) -> io::Result<Self> {
        let (destination, has_content) = Destination::open(path, append)?;
        let mut writer = Self { destination, format, header: Vec::new(), frame_count: 0, end: 0 };
        if format == Format::Csv {
            writer.header = COLUMNS.into();
            if !has_content && matches!(writer.destination, Destination::File(_)) {
                writer.destination.write(&[], COLUMNS.as_bytes())?;
            }
        }
        Ok(writer)
    }

    /// Begins a session: writes its header, and counts frames from 0.
    pub fn begin_session(&mut self, header: SessionHeader) -> io::Result<()> {
        (self.frame_count, self.end) = (0, 0);
        if self.format == Format::Csv {
            return Ok(());
        }
        self.header = line_feed_terminated(&Line::Session(header));
        self.destination.write_header(&self.header)
    }

    /// Writes a frame from `pts` to `end`, both ns of stream time. Frames are numbered from 0 in the order of the
    /// calls.
    pub fn write_frame(&mut self, pts: u64, end: u64, frame: Frame) -> io::Result<()> {
        let frame = FrameLine { frame: self.frame_count, pts, faces: frame.faces, shot: frame.shot };
        self.frame_count += 1;
        self.end = self.end.max(end);
        match self.format {
            Format::JsonLines => self.write_line(&Line::Frame(frame)),
            Format::Csv => self.destination.write(&self.header, csv_rows(&frame).as_bytes()),
        }
    }

    /// Writes a line of any other kind. The csv format has no such lines.
    pub fn write_line(&mut self, line: &Line) -> io::Result<()> {
        if self.format == Format::Csv {
            return Ok(());
        }
        self.destination.write(&self.header, &line_feed_terminated(line))
    }

    /// Writes the end line, which marks the session as complete.
    pub fn end_session(&mut self) -> io::Result<()> {
        self.write_line(&Line::End(SessionEnd { pts: self.end, frames: self.frame_count }))
    }

    /// End of the latest frame, ns of stream time.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Number of lines that were dropped because nobody reads from the pipe.
    pub fn lost_lines(&self) -> u64 {
        self.destination.lost_lines()
    }
}

/// A line as the file has it.
fn line_feed_terminated(line: &Line) -> Vec<u8> {
    (line.to_json() + "\n").into_bytes()
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
                raw: None,
                affect: Affect::from_distribution(&probabilities),
            }),
            quality: 0.5,
            roll: 0.0,
            source: Default::default(),
            resembles: None,
            quality_limit: None,
        }
    }

    #[test]
    fn csv_has_one_header_and_a_row_for_each_face() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.csv");
        for append in [false, true] {
            let mut writer = TimelineWriter::open(&path, Format::Csv, append).unwrap();
            writer.begin_session(SessionHeader::default()).unwrap();
            writer.write_frame(0, 40, Frame { faces: vec![], shot: 0 }).unwrap();
            writer
                .write_frame(
                    40_000_000,
                    80_000_000,
                    Frame { faces: vec![face(1, true), face(2, false)], shot: 0 },
                )
                .unwrap();
            writer.end_session().unwrap();
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
    fn jsonl_has_header_frames_and_end_in_this_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.jsonl");
        let mut writer = TimelineWriter::open(&path, Format::JsonLines, false).unwrap();
        writer.begin_session(SessionHeader::default()).unwrap();
        writer.write_frame(0, 40, Frame { faces: vec![face(1, true)], shot: 0 }).unwrap();
        let unfinished = std::fs::read_to_string(&path).unwrap();
        assert_eq!(unfinished.lines().count(), 2, "lines are written at once");
        writer.write_frame(40, 80, Frame { faces: vec![], shot: 0 }).unwrap();
        writer.end_session().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(matches!(lines[0], Line::Session(_)));
        assert!(matches!(&lines[2], Line::Frame(frame) if frame.frame == 1 && frame.faces.is_empty()));
        assert_eq!(lines[3], Line::End(SessionEnd { pts: 80, frames: 2 }));
    }
}
