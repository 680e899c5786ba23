//! The pipeline that `process` plays a video through: detection, classification, timeline, annotated video
//! and soundtrack in one pass.

use std::path::Path;
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use mood_meta::lock;

use super::arguments::{AnalysisOptions, RecordingAudio};
use crate::error::CommandError;
use crate::files::partial_path;
use crate::folder::{ANNOTATED_VIDEO, MUSIC, SOUNDTRACK, TIMELINE};
use crate::pipeline::{self, set_path};
use crate::progress::Progress;

/// From the file to upright frames. Decoding, detection and classification each have a thread of their own,
/// because of the queues before and in [`ANALYSIS`].
const SOURCE: &str = "
    filesrc name=source ! decodebin name=decoder
    queue name=frames ! videoconvert ! videoflip video-direction=auto !";

/// From frames to the lines of a timeline.
pub const ANALYSIS: &str =
    " haarfacedetect name=detector ! queue ! emotionclassify name=classifier ! emotionlog name=timeline";

/// From analysed frames to the annotated video. H.264 with 4:2:0 colour takes even sizes only.
const VIDEO_OUTPUT: &str = "
    frames-out. ! queue ! videoconvert ! videoscale
        ! video/x-raw,format=I420,width=[2,16384,2],height=[2,16384,2],pixel-aspect-ratio=1/1
        ! x264enc speed-preset=veryfast ! h264parse ! queue name=video-queue ! mux.
    mp4mux name=mux faststart=true ! filesink name=annotated";

/// From analysed frames to the soundtrack.
const MUSIC_OUTPUT: &str = "
    frames-out. ! queue ! player.mood
    moodplayer name=player ! tee name=music
    music. ! queue ! audioconvert ! vorbisenc ! oggmux ! filesink name=soundtrack";

/// A queue for audio, 60 s long: audio waits in it for the video, which the encoder delays by its look-ahead.
const LONG_QUEUE: &str = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=60000000000";

/// Linear gain of the recording's own audio under music: -12 dB.
const DUCKING_GAIN: f64 = 0.25;

/// What a pipeline is built from.
pub struct GraphConfig<'a> {
    /// The video or photo.
    pub input: &'a Path,
    /// The folder for the results.
    pub folder: &'a Path,
    /// The options of the command line.
    pub options: &'a AnalysisOptions,
    /// Whose ratings and exclusions of music count; the empty string for everybody's.
    pub client: &'a str,
    /// Whether the timeline must not name its source.
    pub is_anonymous: bool,
}

impl GraphConfig<'_> {
    /// The treatment of the recording's own audio in the annotated video: the option, or the default for it.
    fn recording_audio(&self) -> RecordingAudio {
        let default =
            if self.options.library.is_some() { RecordingAudio::Duck } else { RecordingAudio::Keep };
        self.options.audio.unwrap_or(default)
    }

    /// Whether the recording's own audio is decoded.
    fn has_recording_audio(&self) -> bool {
        self.options.overlay && self.recording_audio() != RecordingAudio::Drop
    }

    /// The pipeline in gst-launch's notation, without paths, and without the recording's audio, which is
    /// added once the decoder has found it.
    fn description(&self) -> String {
        let AnalysisOptions { overlay, library, .. } = self.options;
        let mut text = SOURCE.to_owned() + ANALYSIS;
        text += match (overlay, library) {
            (false, None) => " ! fakesink sync=false",
            (true, _) => " ! emotionoverlay name=overlay ! tee name=frames-out",
            (false, Some(_)) => " ! tee name=frames-out",
        };
        if *overlay {
            text += VIDEO_OUTPUT;
        }
        if library.is_some() {
            text += MUSIC_OUTPUT;
        }
        if *overlay && library.is_some() {
            let mixer = if self.has_recording_audio() { "audiomixer name=mix !" } else { "" };
            text += &format!(
                "\n music. ! {LONG_QUEUE} ! {mixer} audioconvert ! avenc_aac ! aacparse ! queue ! mux."
            );
        }
        text
    }

    /// The elements that take the recording's own audio, in gst-launch's notation, and the name of the
    /// element that they are linked to.
    fn audio_branch(&self) -> (String, &'static str) {
        let convert = format!("{LONG_QUEUE} ! audioconvert ! audioresample");
        match (&self.options.library, self.recording_audio()) {
            (None, _) => (format!("{convert} ! avenc_aac ! aacparse ! queue"), "mux"),
            (Some(_), RecordingAudio::Duck) => (format!("{convert} ! volume volume={DUCKING_GAIN}"), "mix"),
            (Some(_), _) => (convert, "mix"),
        }
    }
}

/// Plays a video to its end and writes its results into the folder. The annotated video and the soundtrack
/// keep their partial names, see [`folder::commit_media`](crate::folder::commit_media).
pub fn process_video(config: &GraphConfig, progress: &Progress) -> Result<(), CommandError> {
    let pipeline = pipeline::parse(&config.description())?;
    set_path(&pipeline, "source", "location", config.input)?;
    configure_analysis(&pipeline, config, &config.folder.join(TIMELINE))?;
    connect_decoder(&pipeline, config)?;
    if config.options.overlay {
        let annotated = partial_path(&config.folder.join(ANNOTATED_VIDEO));
        set_path(&pipeline, "annotated", "location", &annotated)?;
        pipeline::element(&pipeline, "overlay")?.set_property("blur-faces", config.options.blur_faces);
        // The encoded video waits here for audio that is sparse.
        let queue = pipeline::element(&pipeline, "video-queue")?;
        queue.set_property("max-size-buffers", 0u32);
        queue.set_property("max-size-bytes", 64u32 << 20);
        queue.set_property("max-size-time", 60 * gst::ClockTime::SECOND.nseconds());
    }
    if let Some(library) = &config.options.library {
        set_path(&pipeline, "soundtrack", "location", &partial_path(&config.folder.join(SOUNDTRACK)))?;
        set_path(&pipeline, "player", "library", library)?;
        pipeline::element(&pipeline, "player")?.set_property("client", config.client);
        set_path(&pipeline, "player", "log-location", &config.folder.join(MUSIC))?;
    }
    pipeline::run_file(&pipeline, progress)
}

/// Sets the properties of the elements in [`ANALYSIS`]; the lines go to the file `timeline`.
pub fn configure_analysis(
    pipeline: &gst::Pipeline,
    config: &GraphConfig,
    timeline: &Path,
) -> Result<(), CommandError> {
    set_path(pipeline, "timeline", "location", timeline)?;
    let nanoseconds = |seconds: f64| (seconds * 1e9) as u64;
    let detector = pipeline::element(pipeline, "detector")?;
    detector.set_property("scan-interval", nanoseconds(config.options.scan_interval));
    let classifier = pipeline::element(pipeline, "classifier")?;
    classifier.set_property("interval", nanoseconds(config.options.classify_interval));
    classifier.set_property_from_str("messages", "none");
    if let Some(model) = &config.options.model {
        set_path(pipeline, "classifier", "model", model)?;
    }
    if config.is_anonymous
        && let Some(pad) = classifier.static_pad("src")
    {
        // The log element asks upstream for the URI; it gets no answer.
        pad.add_probe(gst::PadProbeType::QUERY_UPSTREAM, |_, info| match info.query() {
            Some(query) if query.type_() == gst::QueryType::Uri => gst::PadProbeReturn::Drop,
            _ => gst::PadProbeReturn::Ok,
        });
    }
    Ok(())
}

/// What the decoder's pads have been linked to so far.
#[derive(Default)]
struct Links {
    /// Number of video streams found.
    videos: u32,
    /// Whether the wanted video stream is linked.
    has_video: bool,
    /// Whether an audio stream was chosen.
    has_audio: bool,
}

/// Links the decoder's pads once they appear: the wanted video stream, and the first audio stream if audio is
/// wanted. The pipeline fails if there is no such video stream.
fn connect_decoder(pipeline: &gst::Pipeline, config: &GraphConfig) -> Result<(), CommandError> {
    let decoder = pipeline::element(pipeline, "decoder")?;
    let wants_audio = config.has_recording_audio();
    // Does not decode audio streams that would not be linked.
    decoder.connect("autoplug-continue", false, move |values| {
        let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok());
        let name = caps.as_ref().and_then(|caps| caps.structure(0)).map(|caps| caps.name().to_string());
        let is_audio = name.is_some_and(|name| name.starts_with("audio/"));
        Some((wants_audio || !is_audio).to_value())
    });
    let links = Arc::new(Mutex::new(Links::default()));
    let frames = pipeline::element(pipeline, pipeline::DECODER_QUEUE)?;
    let audio_branch = wants_audio.then(|| config.audio_branch());
    let wanted = config.options.video;
    let links_of_added_pads = Arc::clone(&links);
    let weak_pipeline = pipeline.downgrade();
    decoder.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let Some(name) = caps.structure(0).map(|caps| caps.name().to_string()) else { return };
        let mut links = lock(&links_of_added_pads);
        if name.starts_with("video/x-raw") {
            links.videos += 1;
            if links.videos == wanted + 1
                && let Some(sink) = frames.static_pad("sink")
            {
                links.has_video = pad.link(&sink).is_ok();
            }
        } else if name.starts_with("audio/x-raw")
            && !links.has_audio
            && let Some((description, target)) = &audio_branch
            && let Some(pipeline) = weak_pipeline.upgrade()
        {
            links.has_audio = true;
            drop(links);
            if let Err(error) = add_audio_branch(&pipeline, pad, description, target) {
                gst::element_warning!(
                    pipeline,
                    gst::CoreError::Pad,
                    ("the recording's sound is left out: {error}")
                );
            }
        }
    });
    decoder.connect_no_more_pads(move |decoder| {
        let (has_video, videos) = {
            let links = lock(&links);
            (links.has_video, links.videos)
        };
        let reason = match videos {
            _ if has_video => return,
            0 => "it has no video that can be decoded".to_owned(),
            1 => format!("it has one video stream, number 0: --video {wanted} is none"),
            count => format!("it has {count} video streams, 0 to {}: --video {wanted} is none", count - 1),
        };
        gst::element_error!(decoder, gst::StreamError::WrongType, ("{reason}"));
    });
    Ok(())
}

/// Adds the elements of `description` to the running pipeline and links them between the decoder's pad and
/// the element called `target`.
fn add_audio_branch(
    pipeline: &gst::Pipeline,
    decoder_pad: &gst::Pad,
    description: &str,
    target: &str,
) -> Result<(), gst::glib::Error> {
    let bin = gst::parse::bin_from_description(description, true)?;
    let failed = |what: &str| gst::glib::Error::new(gst::CoreError::Pad, what);
    bin.set_property("name", pipeline::AUDIO_BIN);
    pipeline.add(&bin).map_err(|_| failed("no place in the pipeline"))?;
    bin.sync_state_with_parent().map_err(|_| failed("it does not start"))?;
    let target = pipeline.by_name(target).ok_or_else(|| failed("nothing takes it"))?;
    bin.link(&target).map_err(|_| failed("the muxer does not take it"))?;
    let sink = bin.static_pad("sink").ok_or_else(|| failed("no pad"))?;
    decoder_pad.link(&sink).map_err(|_| failed("its format is not taken"))?;
    Ok(())
}
