//! The data that the page's script draws and shows, as JSON inside the page.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mood_schema::{Emotion, Mood};
use serde_json::{Value, json};

use super::people_section::listed_people;
use super::section::{Film, has_outdated_labels};
use crate::track_play::join_restarts;
use crate::{Summary, Timeline, chart, export};

/// Largest number of bins of a session: a second each in two hours. It limits the size of the page.
const MAX_BINS: usize = 7200;
/// Bytes of a bin: seven probabilities in percent, valence and arousal in hundredths from -1.
const BIN_BYTES: usize = 9;
/// The bytes of a bin in which the subject was not classified.
const NO_BIN: [u8; BIN_BYTES] = [255; BIN_BYTES];

/// The data as JSON that is safe inside a `script` element. Times are seconds from the session's begin. Keys:
///
/// - `begin`, `seconds`: stream time of the first frame, and how long the session lasts
/// - `emotions`, `order`: names, and indices from the lowest area of the chart to the highest
/// - `colors`: by mood
/// - `name`: of the subject, or null
/// - `bins`, `values`: number of bins of equal duration, and their bytes in Base64: see [`BIN_BYTES`] and [`NO_BIN`]
/// - `episodes` (start, end, label, probability in percent), `moods` and `tracks` (start, end, name, mood), `marks` (time, text)
/// - `films`: file and start (stream time, s)
/// - `outdated`: whether the films show labels that humans have corrected since
/// - `faces`: of each listed person the id, the time at which the image is best, and where it is (shares of the frame)
pub(super) fn to_json(timeline: &Timeline, summary: &Summary, films: &[Film]) -> String {
    let seconds = |pts: u64| (pts.saturating_sub(summary.begin) as f64 / 1e7).round() / 100.0;
    let end = summary.begin.saturating_add(summary.duration);
    let bins: Vec<[u8; BIN_BYTES]> = chart::subject_columns(timeline, summary, MAX_BINS)
        .into_iter()
        .map(|column| {
            let Some(column) = column else { return NO_BIN };
            let mut bytes = NO_BIN;
            let affect = [column.affect.valence, column.affect.arousal].map(|value| value + 1.0);
            let values = column.probabilities.into_iter().chain(affect);
            for (byte, value) in bytes.iter_mut().zip(values) {
                *byte = (value * 100.0).round().clamp(0.0, 200.0) as u8;
            }
            bytes
        })
        .collect();
    let moods = export::mood_intervals(timeline, summary.begin, end);
    let pieces = join_restarts(&summary.tracks);
    let next = pieces.iter().skip(1).map(|piece| piece.play.start).chain([u64::MAX]);
    let tracks = pieces.iter().zip(next).map(|(piece, next)| {
        let play = &piece.play;
        json!([
            seconds(play.start),
            seconds(play.end.min(next)),
            play.title,
            play.mood.unwrap_or(Mood::Uncertain)
        ])
    });
    let episodes = summary.subject().map(|subject| subject.episodes.as_slice()).unwrap_or_default();
    let episodes = episodes.iter().map(|episode| {
        let percent = (episode.probability * 100.0).round() as u8;
        json!([seconds(episode.start), seconds(episode.end), episode.label, percent])
    });
    let all_moods = Emotion::ALL.map(Mood::Known).into_iter().chain([Mood::Uncertain, Mood::Absent]);
    let colors: BTreeMap<String, String> = all_moods
        .map(|mood| {
            let [r, g, b] = mood.colour();
            (mood.to_string(), format!("#{r:02X}{g:02X}{b:02X}"))
        })
        .collect();
    let faces = listed_people(summary).filter_map(|person| best_image(timeline, person.id, summary.begin));
    let data = json!({
        "begin": summary.begin as f64 / 1e9,
        "seconds": summary.duration as f64 / 1e9,
        "emotions": Emotion::ALL,
        "order": chart::STACKING_ORDER.map(Emotion::index),
        "colors": colors,
        "name": summary.subject().map(|subject| &subject.name),
        "bins": bins.len(),
        "values": BASE64_STANDARD.encode(bins.concat()),
        "episodes": episodes.collect::<Vec<_>>(),
        "moods": moods
            .map(|(from, to, mood)| json!([seconds(from), seconds(to), mood, mood]))
            .collect::<Vec<_>>(),
        "tracks": tracks.collect::<Vec<_>>(),
        "marks": summary.markers.iter().map(|mark| json!([seconds(mark.pts), mark.text])).collect::<Vec<_>>(),
        "films": films.iter().map(|film| json!([film.file, film.start as f64 / 1e9])).collect::<Vec<_>>(),
        "outdated": has_outdated_labels(summary, films),
        "faces": faces.collect::<Vec<_>>(),
    });
    // Only a `<` could end the element.
    data.to_string().replace('<', "\\u003c")
}

/// Where a person's face can be seen best: id, seconds from `begin` (ns), and left, top, width and height as shares of the frame.
fn best_image(timeline: &Timeline, id: u32, begin: u64) -> Option<Value> {
    let faces = timeline.frames.iter().filter_map(|frame| Some((frame.pts, Timeline::find_face(frame, id)?)));
    let (pts, face) = faces.max_by(|(_, one), (_, other)| {
        let worth = |face: &mood_schema::Face| face.quality * face.bbox.area().sqrt();
        worth(one).total_cmp(&worth(other))
    })?;
    let thousandths = |share: f64| (share * 1000.0).round() / 1000.0;
    let place = [face.bbox.x, face.bbox.y, face.bbox.w, face.bbox.h].map(thousandths);
    Some(json!([id, pts.saturating_sub(begin) as f64 / 1e9, place]))
}
