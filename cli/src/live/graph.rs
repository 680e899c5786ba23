//! The pipeline of a live session: camera, analysis, window, music.

use std::env;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use gst::prelude::*;

use super::arguments::{Arguments, SessionArguments};
use super::film::{self, FILM, FILM_DECODER};
use super::speaker::SPEAKER_GUARD;
use crate::arguments::local_path;
use crate::demo;
use crate::error::CommandError;
use crate::pipeline;

/// Builds the pipeline of `pipelines/live.sh`, with a volume element behind the player. A [`Speaker`](super::speaker::Speaker)
/// is to be added at its end.
pub fn build(
    arguments: &Arguments,
    camera: Option<&str>,
    library: &str,
) -> Result<gst::Pipeline, CommandError> {
    let camera = Camera::parse(camera)?;
    let window = video_sink(arguments).map_or_else(String::new, |sink| {
        format!(
            "! emotionoverlay ! tee name=frames
             frames. ! queue name=show leaky=downstream max-size-buffers=2 ! videoconvert ! {sink}
             frames."
        )
    });
    // Matroska can be read up to where it was cut off.
    let recording = match arguments.record_video {
        true => format!(
            "! tee name=picture
             picture. ! queue ! videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast pass=qual quantizer=23
                 key-int-max=60 ! h264parse ! recorder.
             {} ! audioconvert ! audioresample ! queue ! avenc_aac ! aacparse ! queue ! recorder.
             matroskamux name=recorder ! filesink name=recording buffer-mode=unbuffered
             picture.",
            arguments.microphone
        ),
        false => String::new(),
    };
    // scan-interval spares the processor: frames are searched completely twice a second, and in between only
    // around the faces. The leaky queues drop late frames, which would delay everything behind them.
    let pipeline = pipeline::parse(&format!(
        "{} {recording} ! videoconvert ! queue name=analyse leaky=downstream max-size-buffers=2
         ! haarfacedetect scan-interval=500000000 keep-people=true ! emotionclassify name=classifier {} {window} ! {}",
        camera.description,
        record(&arguments.session),
        music()
    ))?;
    if let Some((property, path)) = camera.location {
        pipeline::forbid_network(&pipeline);
        pipeline::element(&pipeline, "camera")?.set_property(property, path);
    }
    film::link(&pipeline);
    if arguments.demo {
        demo::configure_player(&pipeline::element(&pipeline, "player")?);
    }
    configure(&pipeline, &arguments.session, library)?;
    Ok(pipeline)
}

/// What writes and publishes the faces of a session, in gst-launch's notation with a `!` before each element.
pub fn record(arguments: &SessionArguments) -> String {
    let log = if arguments.output.is_some() { "! emotionlog name=timeline append=true" } else { "" };
    let publisher = if arguments.publish.is_empty() { "" } else { "! emotionpublish name=publisher" };
    format!("{log} {publisher}")
}

/// What plays by frames with faces, in gst-launch's notation. A [`Speaker`](super::speaker::Speaker) is to be added.
pub fn music() -> String {
    format!(
        "queue name=listen ! player.mood
         moodplayer name=player ! volume name=volume ! audioconvert ! audioresample
         ! errorignore name={SPEAKER_GUARD} ignore-notlinked=true convert-to=ok"
    )
}

/// Sets what the elements of [`record`] and [`music`] are to do.
pub fn configure(
    pipeline: &gst::Pipeline,
    arguments: &SessionArguments,
    library: &str,
) -> Result<(), CommandError> {
    if !arguments.publish.is_empty() {
        pipeline::element(pipeline, "publisher")?.set_property("uri", arguments.publish.join(" "));
    }
    let player = pipeline::element(pipeline, "player")?;
    player.set_property("library", library);
    player.set_property("client", &arguments.client.client);
    player.set_property("allow-network", arguments.access.allow_network);
    player.set_property("allow-outside", arguments.access.allow_outside);
    arguments.music.configure(&player);
    let coordinates =
        [("target-valence", arguments.target_valence), ("target-arousal", arguments.target_arousal)];
    for (name, coordinate) in coordinates {
        if let Some(coordinate) = coordinate {
            player.set_property(name, coordinate);
        }
    }
    player.set_property("subject", arguments.subject.to_string());
    Ok(())
}

/// The sink for the annotated frames in gst-launch's notation; `None` if they are not to be shown.
fn video_sink(arguments: &Arguments) -> Option<&str> {
    let has_display = || ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| env::var_os(name).is_some());
    match &arguments.video_sink {
        Some(sink) => Some(sink),
        None if arguments.no_window => None,
        None if has_display() => Some("autovideosink"),
        // autovideosink would try sinks that take over the console, and some of them block for ever.
        None => {
            eprintln!("gst-mood: warning: no display, so no window; --video-sink names another place");
            None
        }
    }
}

/// A source of frames.
struct Camera {
    /// Its elements in gst-launch's notation.
    description: String,
    /// A property of the element `camera` to set to a path, which would need quoting in the description.
    location: Option<(&'static str, String)>,
}

impl Camera {
    /// Interprets the argument `--camera`: a device, a file, or gst-launch's notation. Fails for an
    /// absolute path that does not exist or cannot be accessed.
    fn parse(argument: Option<&str>) -> Result<Self, CommandError> {
        let Some(argument) = argument else {
            return Ok(Self { description: "autovideosrc name=camera".into(), location: None });
        };
        let path = local_path(Path::new(argument));
        let argument = path.to_str().unwrap_or(argument);
        match fs::metadata(argument) {
            Ok(metadata) if metadata.file_type().is_char_device() => Ok(Self {
                description: "v4l2src name=camera".into(),
                location: Some(("device", argument.into())),
            }),
            Ok(metadata) if metadata.is_file() => Ok(Self {
                description: format!(
                    "filesrc name=camera ! decodebin name={FILM_DECODER}
                     videoconvert name={FILM} ! videoflip video-direction=auto ! identity sync=true"
                ),
                location: Some(("location", argument.into())),
            }),
            Err(error) if argument.starts_with('/') => {
                Err(CommandError::Environment(format!("camera {argument}: {error}")))
            }
            _ => Ok(Self { description: argument.into(), location: None }),
        }
    }
}
