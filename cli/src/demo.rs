//! `gst-mood demo`: the whole way, for real, on material that the program makes itself.
//!
//! The actor is filmed into an H.264 file and the music recorded into tagged FLAC files; then a pipeline decodes the
//! film, detects, classifies, draws, logs, plays along, and muxes picture and music; then the report is written.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gst::prelude::*;
use serde_json::json;
use session::{PersonMap, Summary};

use crate::failure::Failure;
use crate::folder::{self, ANNOTATED, MUSIC, REPORT, SOUNDTRACK, TIMELINE, part_of};
use crate::progress::Progress;
use crate::{doctor, material, pipeline, start_gstreamer};

/// The actor changes expression every nine seconds: a player as patient as the defaults would hardly follow.
const HOLD_TIME: gst::ClockTime = gst::ClockTime::from_mseconds(500);
const MIN_DWELL: gst::ClockTime = gst::ClockTime::from_seconds(4);
const CROSSFADE: gst::ClockTime = gst::ClockTime::from_seconds(2);

const PIPELINE: &str = "
    filesrc name=film ! decodebin ! queue name=frames ! videoconvert
        ! haarfacedetect ! emotionclassify ! emotionlog name=timeline ! emotionoverlay ! tee name=seen
    seen. ! queue ! videoconvert ! x264enc speed-preset=veryfast ! h264parse ! queue ! mux.
    seen. ! queue ! player.mood
    moodplayer name=player ! tee name=sound
    sound. ! queue ! audioconvert ! vorbisenc ! oggmux ! filesink name=soundtrack
    sound. ! queue ! audioconvert ! avenc_aac ! aacparse ! queue ! mux.
    mp4mux name=mux faststart=true ! filesink name=annotated";

/// Runs the demo into `folder`.
pub fn run(folder: &Path, json: bool) -> Result<(), Failure> {
    start_gstreamer()?;
    doctor::check()?;
    let material = folder.join("material");
    let (film, music) = (material.join("actor.mp4"), material.join("music"));
    fs::create_dir_all(&material).map_err(|error| Failure::file(&material, &error))?;
    let length = material::film(&film)?;
    material::record(&music)?;
    let played = session(&film, &music, folder, length);
    // After Ctrl-C there is a session too, only a shorter one.
    let kept = match &played {
        Ok(()) | Err(Failure::Interrupted) => folder::name_films(folder).and_then(|()| report(folder)),
        Err(_) => folder::drop_films(folder),
    };
    played.and(kept)?;

    let results = [ANNOTATED, REPORT, TIMELINE, SOUNDTRACK, MUSIC];
    if json {
        let paths: serde_json::Map<_, _> =
            results.iter().map(|name| (name.to_string(), json!(folder.join(name)))).collect();
        println!("{}", serde_json::Value::from(paths));
    } else {
        for name in results {
            println!("{}", folder.join(name).display());
        }
    }
    Ok(())
}

fn session(film: &Path, music: &Path, folder: &Path, length: Duration) -> Result<(), Failure> {
    let pipeline = pipeline::parse(PIPELINE)?;
    for (element, property, path) in [
        ("film", "location", film),
        ("timeline", "location", &folder.join(TIMELINE)),
        ("soundtrack", "location", &part_of(&folder.join(SOUNDTRACK))),
        ("annotated", "location", &part_of(&folder.join(ANNOTATED))),
        ("player", "library", music),
        ("player", "log-location", &folder.join(MUSIC)),
    ] {
        // A path that is not UTF-8 cannot go through a GObject string property unchanged.
        let text = path.to_str().ok_or_else(|| {
            Failure::Work(format!("{} is not UTF-8: choose another folder", path.display()))
        })?;
        pipeline::element(&pipeline, element)?.set_property(property, text);
    }
    let player = pipeline::element(&pipeline, "player")?;
    player.set_property("hold-time", HOLD_TIME.nseconds());
    player.set_property("min-dwell", MIN_DWELL.nseconds());
    player.set_property("crossfade", CROSSFADE.nseconds());

    let progress = Progress::start("the session", length.as_millis() as u64);
    pipeline::run_file(&pipeline, &progress)?;
    progress.finish(Some(length));
    Ok(())
}

fn report(folder: &Path) -> Result<(), Failure> {
    let timeline = folder::read_timeline(&folder.join(TIMELINE), folder)?;
    let mut summary = Summary::compute(&timeline, &PersonMap::default());
    summary.title = "The built-in demo".into();
    folder::write_report(folder, &timeline, &summary)
}
