//! What the people in a picture or a video show, through the same elements as everywhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use gst::prelude::*;
use mood_schema::{Affect, Emotion, Label};
use session::Timeline;

use crate::failure::Failure;
use crate::progress::Progress;
use crate::{doctor, pipeline, start_gstreamer};

const PIPELINE: &str = "filesrc name=medium ! decodebin ! queue name=frames ! videoconvert \
    ! haarfacedetect ! emotionclassify ! emotionlog name=timeline ! fakesink sync=false";

/// What a person shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Most of the time.
    pub label: Label,
    /// Mean confidence where it shows that.
    pub confidence: f64,
    /// Mean over all the time.
    pub affect: Affect,
}

/// The main person of a picture or video: the one seen in most frames, the largest of those seen as often.
pub fn look(medium: &Path) -> Result<Seen, Failure> {
    let text = |path: &Path| {
        path.to_str()
            .map(String::from)
            .ok_or_else(|| Failure::Work(format!("{} is not UTF-8: choose another path", path.display())))
    };
    if !medium.is_file() {
        return Err(Failure::Work(format!("{}: no such file", medium.display())));
    }
    start_gstreamer()?;
    doctor::check()?;
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::Work(format!("no temporary folder can be made: {error}")))?;
    let log = folder.path().join("timeline.jsonl");
    let pipeline = pipeline::parse(PIPELINE)?;
    pipeline::element(&pipeline, "medium")?.set_property("location", text(medium)?);
    pipeline::element(&pipeline, "timeline")?.set_property("location", text(&log)?);
    // How long it is shows only once it runs.
    let progress = Progress::start("looking", 0);
    pipeline::run_file(&pipeline, &progress).map_err(|failure| match failure {
        Failure::Work(why) => {
            Failure::Work(format!("{}: {why}; name a picture or a video", medium.display()))
        }
        other => other,
    })?;
    let timeline =
        Timeline::load(&log).map_err(|error| Failure::Work(format!("{}: {error}", medium.display())))?;
    let [begin, end] = timeline.span();
    progress.finish((end > begin).then(|| Duration::from_nanos(end - begin)));
    main_person(&timeline).ok_or_else(|| {
        Failure::Work(format!(
            "no face found in {}: use a picture where one looks into the camera, or say --mood",
            medium.display()
        ))
    })
}

#[derive(Default)]
struct Tally {
    frames: u32,
    area: f64,
    /// Frames and confidence by label.
    labels: BTreeMap<Label, (u32, f64)>,
    sum: Affect,
}

fn main_person(timeline: &Timeline) -> Option<Seen> {
    let mut tallies: BTreeMap<u32, Tally> = BTreeMap::new();
    for face in timeline.frames.iter().flat_map(|frame| &frame.faces) {
        let Some(shown) = &face.classification else { continue };
        let tally = tallies.entry(face.id).or_default();
        tally.frames += 1;
        tally.area += face.bbox.area();
        tally.sum.valence += shown.affect.valence;
        tally.sum.arousal += shown.affect.arousal;
        let label = tally.labels.entry(shown.label).or_default();
        *label = (label.0 + 1, label.1 + shown.confidence);
    }
    let main = tallies
        .into_values()
        .max_by(|one, other| one.frames.cmp(&other.frames).then(one.area.total_cmp(&other.area)))?;
    let (label, (frames, confidence)) = main.labels.into_iter().max_by_key(|(_, (frames, _))| *frames)?;
    let mean = |sum: f64| sum / f64::from(main.frames);
    Some(Seen {
        label,
        confidence: confidence / f64::from(frames),
        affect: Affect { valence: mean(main.sum.valence), arousal: mean(main.sum.arousal) },
    })
}

impl Seen {
    /// The emotion, where one can tell.
    pub fn emotion(&self) -> Option<Emotion> {
        match self.label {
            Label::Known(emotion) => Some(emotion),
            Label::Uncertain => None,
        }
    }
}
