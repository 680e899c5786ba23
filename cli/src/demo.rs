//! `gst-mood demo`: everything that the project does, on material that the program makes itself.
//!
//! The drawn actor is encoded into an H.264 file and the synthesised music into tagged FLAC files. A pipeline
//! then decodes the video, detects and classifies the face, draws and logs the results, chooses and plays
//! music, and muxes both into the annotated video. Finally the report is written.

mod material;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gst::prelude::*;
use serde_json::json;
use session::{PersonMap, Summary};

use crate::arguments::path_parser;
use crate::error::CommandError;
use crate::files::partial_path;
use crate::folder::{self, ANNOTATED_VIDEO, MUSIC, REPORT, SOUNDTRACK, TIMELINE};
use crate::lock::try_lock_folder;
use crate::pipeline::RunLimit;
use crate::progress::Progress;
use crate::{doctor, pipeline};

/// The arguments of `demo`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder for the results; made if it is not there
    #[arg(short, long, default_value = "gst-mood-demo", value_parser = path_parser())]
    output: PathBuf,
    /// Print the results' paths as JSON
    #[arg(long)]
    json: bool,
}

/// The player's `hold-time`. The actor changes expression every nine seconds, and with its defaults the
/// player would hardly follow.
const HOLD_TIME: gst::ClockTime = gst::ClockTime::from_mseconds(500);
/// The player's `min-dwell`, short for the same reason.
const MIN_DWELL: gst::ClockTime = gst::ClockTime::from_seconds(4);
/// The player's `crossfade`, short for the same reason.
const CROSSFADE: gst::ClockTime = gst::ClockTime::from_seconds(2);

/// The whole pipeline, without paths.
const PIPELINE: &str = "
    filesrc name=video ! decodebin ! queue name=frames ! videoconvert
        ! haarfacedetect ! emotionclassify ! emotionlog name=timeline ! emotionoverlay ! tee name=frames-out
    frames-out. ! queue ! videoconvert ! x264enc pass=qual speed-preset=veryfast ! h264parse ! queue ! mux.
    frames-out. ! queue ! player.mood
    moodplayer name=player ! tee name=music
    music. ! queue ! audioconvert ! vorbisenc ! oggmux ! filesink name=soundtrack
    music. ! queue ! audioconvert ! avenc_aac ! aacparse ! queue ! mux.
    mp4mux name=mux faststart=true ! filesink name=annotated";

/// The name of the file that says which version of the program has made the material in a folder.
const MATERIAL_VERSION: &str = "version";

/// A video of the actor and a folder with the music, in `folder`; made now where this version of the program has not before.
pub fn make_material(folder: &Path) -> Result<(PathBuf, PathBuf), CommandError> {
    let (video, music) = (folder.join("actor.mp4"), folder.join("music"));
    fs::create_dir_all(folder).map_err(|error| CommandError::io(folder, &error))?;
    let version = folder.join(MATERIAL_VERSION);
    if fs::read_to_string(&version).is_ok_and(|made| made == env!("CARGO_PKG_VERSION")) {
        return Ok((video, music));
    }
    material::write_actor_video(&video)?;
    material::write_music(&music)?;
    // Written last, so that what was interrupted is made again.
    fs::write(&version, env!("CARGO_PKG_VERSION")).map_err(|error| CommandError::io(&version, &error))?;
    Ok((video, music))
}

/// Sets how a player follows the actor, who changes expression sooner than people do.
pub fn configure_player(player: &gst::Element) {
    player.set_property("hold-time", HOLD_TIME.nseconds());
    player.set_property("min-dwell", MIN_DWELL.nseconds());
    player.set_property("crossfade", CROSSFADE.nseconds());
}

/// Makes the material, plays it, writes the results and prints their paths.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    pipeline::init_gstreamer()?;
    doctor::check_requirements()?;
    let folder = arguments.output.as_path();
    let material = folder.join("material");
    let (video, music) = (material.join("actor.mp4"), material.join("music"));
    let Some(_lock) = try_lock_folder(folder)? else {
        return Err(CommandError::Failed(format!(
            "another gst-mood works in {}: wait for it",
            folder.display()
        )));
    };
    fs::create_dir_all(&material).map_err(|error| CommandError::io(&material, &error))?;
    let duration = material::write_actor_video(&video)?;
    material::write_music(&music)?;
    let played = play_session(&video, &music, folder, duration);
    let written = match &played {
        // An interrupted session is a session too, only a shorter one.
        Ok(()) | Err(CommandError::Interrupted) => {
            folder::commit_media(folder, true).and_then(|()| write_report(folder))
        }
        Err(_) => folder::discard_media(folder),
    };
    played.and(written)?;

    let results = [ANNOTATED_VIDEO, REPORT, TIMELINE, SOUNDTRACK, MUSIC];
    if arguments.json {
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

/// Plays the video with the music in the folder `music` and writes the results into `folder`; `duration` is
/// the video's.
fn play_session(video: &Path, music: &Path, folder: &Path, duration: Duration) -> Result<(), CommandError> {
    let pipeline = pipeline::parse(PIPELINE)?;
    for (element, property, path) in [
        ("video", "location", video),
        ("timeline", "location", &folder.join(TIMELINE)),
        ("soundtrack", "location", &partial_path(&folder.join(SOUNDTRACK))),
        ("annotated", "location", &partial_path(&folder.join(ANNOTATED_VIDEO))),
        ("player", "library", music),
        ("player", "log-location", &folder.join(MUSIC)),
    ] {
        pipeline::set_path(&pipeline, element, property, path)?;
    }
    configure_player(&pipeline::element(&pipeline, "player")?);

    let progress = Progress::start("the session", duration.as_millis() as u64);
    pipeline::run_file(&pipeline, &progress, RunLimit::Interruption)?;
    progress.finish(Some(duration));
    Ok(())
}

/// Writes the report page of the session in `folder`.
fn write_report(folder: &Path) -> Result<(), CommandError> {
    let timeline = folder::read_timeline(&folder.join(TIMELINE), folder)?;
    let mut summary = Summary::compute(&timeline, &PersonMap::default());
    summary.title = "The built-in demo".into();
    folder::write_report(folder, &timeline, &summary)
}
