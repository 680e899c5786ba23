//! The first pass of `process` over a video: detection, classification, timeline, and the music that follows the
//! mood. The annotated video is drawn by the second pass, [`film`](super::film).

use std::path::Path;
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use mood_meta::lock;
use session::Warning;

use super::arguments::AnalysisOptions;
use super::film::PictureSize;
use super::media_clock::Beginning;
use super::resting::RestSource;
use super::small_faces::SmallFaceSample;
use super::streams::{self, StreamRequest};
use crate::error::CommandError;
use crate::files::partial_path;
use crate::folder::{FILM_MUSIC, MUSIC, RESTING_FACE, SOUNDTRACK, TIMELINE, write_resting_face};
use crate::media_kind::MediaKind;
use crate::pipeline::{self, RunLimit, set_path};
use crate::progress::Progress;

/// From frames to the lines of a timeline. Detection and classification each have a thread of their own.
pub const ANALYSIS: &str =
    " haarfacedetect name=detector ! queue ! emotionclassify name=classifier ! emotionlog name=timeline";

/// From analysed frames to the soundtrack.
const MUSIC_OUTPUT: &str = " ! queue ! player.mood
    moodplayer name=player ! audioconvert ! audioresample ! tee name=music
    music. ! queue ! audioconvert ! vorbisenc ! oggmux ! filesink name=soundtrack";

/// The same music without loss, for the annotated video, so that its sound is encoded with loss only once.
const FILM_MUSIC_OUTPUT: &str = "
    music. ! queue ! audioconvert ! audio/x-raw,format=S16LE ! flacenc ! filesink name=film-music";

/// The largest value of haarfacedetect's property `people`; more cannot be told apart.
const MAX_PEOPLE: u32 = 64;

/// What a pipeline is built from.
pub struct GraphConfig<'a> {
    /// The video or photo.
    pub input: &'a Path,
    /// How it is decoded.
    pub kind: MediaKind,
    /// The folder for the results.
    pub folder: &'a Path,
    /// The options of the command line.
    pub options: &'a AnalysisOptions,
    /// How many people are in the recording, if that was stated.
    pub people: Option<u32>,
    /// Whose ratings and exclusions of music count; the empty string for everybody's.
    pub client: &'a str,
    /// Whom the music follows, as the player's property `subject` has it; `None` for the largest face.
    pub music_subject: Option<String>,
    /// Where the subject's resting face comes from, for the labels that the music follows; those of the timeline are
    /// decided again when all of it is known.
    pub rest_source: &'a RestSource,
    /// Whether the timeline must not name its source.
    pub is_anonymous: bool,
    /// How the input begins; of no meaning for a photo.
    pub beginning: &'a Beginning,
}

impl GraphConfig<'_> {
    /// The pipeline in gst-launch's notation, without paths.
    fn description(&self) -> String {
        let mut text = streams::source(self.kind) + ANALYSIS;
        if self.options.library.is_none() {
            return text + " ! fakesink sync=false";
        }
        text += MUSIC_OUTPUT;
        if self.options.overlay {
            text += FILM_MUSIC_OUTPUT;
        }
        text
    }
}

/// What the first pass has learnt about the pictures, beside the timeline.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// The largest size in which the pictures come, upright and in square pixels; `None` without pictures.
    pub picture_size: Option<PictureSize>,
    /// Faces that are smaller than those searched for.
    pub small_faces: SmallFaceSample,
    /// What there is to say about the video.
    pub warnings: Vec<Warning>,
}

/// Plays a video to its end and writes timeline, soundtrack and decision log into the folder. The soundtrack
/// keeps its partial name, see [`folder::commit_media`](crate::folder::commit_media).
pub fn analyse_video(config: &GraphConfig, progress: &Progress) -> (Analysis, Result<(), CommandError>) {
    let analysis = Arc::new(Mutex::new(Analysis::default()));
    let played = play(config, &analysis, progress);
    let analysis = lock(&analysis).clone();
    (analysis, played)
}

fn play(
    config: &GraphConfig,
    analysis: &Arc<Mutex<Analysis>>,
    progress: &Progress,
) -> Result<(), CommandError> {
    let pipeline = pipeline::parse(&config.description())?;
    let small_faces = configure_analysis(&pipeline, config, &config.folder.join(TIMELINE))?;
    // No picture leaves this pipeline.
    pipeline::element(&pipeline, "detector")?.set_property("witness", false);
    lock(analysis).small_faces = small_faces;
    let request = StreamRequest {
        video: config.options.video,
        beginning: config.beginning.clone(),
        rate: config.options.rate,
        ..StreamRequest::default()
    };
    let links = streams::connect(&pipeline, config.input, config.kind, request)?;
    if let Some(pad) = pipeline::element(&pipeline, "upright")?.static_pad("src") {
        let analysis = Arc::clone(analysis);
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            if let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view()) {
                let mut analysis = lock(&analysis);
                let size = PictureSize::from_caps(caps.caps());
                analysis.picture_size =
                    analysis.picture_size.into_iter().chain(size).reduce(PictureSize::larger);
            }
            gst::PadProbeReturn::Ok
        });
    }
    if let Some(library) = &config.options.library {
        set_path(&pipeline, "soundtrack", "location", &partial_path(&config.folder.join(SOUNDTRACK)))?;
        set_path(&pipeline, "player", "library", library)?;
        let player = pipeline::element(&pipeline, "player")?;
        player.set_property("client", config.client);
        config.options.music.configure(&player);
        if let Some(subject) = &config.music_subject {
            player.set_property("subject", subject);
        }
        set_path(&pipeline, "player", "log-location", &config.folder.join(MUSIC))?;
        if config.options.overlay {
            set_path(&pipeline, "film-music", "location", &partial_path(&config.folder.join(FILM_MUSIC)))?;
        }
    }
    let played = pipeline::run_file(&pipeline, progress, RunLimit::Interruption);
    lock(analysis).warnings = links.video_warnings();
    played.and_then(|()| links.check())
}

/// Sets the properties of the elements in [`ANALYSIS`]; the lines go to the file `timeline`. Returns the sample of smaller
/// faces that is taken meanwhile.
pub fn configure_analysis(
    pipeline: &gst::Pipeline,
    config: &GraphConfig,
    timeline: &Path,
) -> Result<SmallFaceSample, CommandError> {
    set_path(pipeline, "timeline", "location", timeline)?;
    let nanoseconds = |seconds: f64| (seconds * 1e9) as u64;
    let detector = pipeline::element(pipeline, "detector")?;
    detector.set_property("scan-interval", nanoseconds(config.options.scan_interval));
    let min_face = config.options.min_face.unwrap_or_default();
    detector.set_property("min-size", min_face);
    detector.set_property("people", config.people.unwrap_or_default().min(MAX_PEOPLE));
    let classifier = pipeline::element(pipeline, "classifier")?;
    classifier.set_property("interval", nanoseconds(config.options.classify_interval));
    classifier.set_property_from_str("messages", "none");
    match config.rest_source {
        RestSource::Off => classifier.set_property_from_str("baseline", "off"),
        RestSource::Known(profile) => {
            let path = config.folder.join(RESTING_FACE);
            write_resting_face(&path, profile)?;
            set_path(pipeline, "classifier", "baseline-location", &path)?;
        }
        RestSource::Automatic | RestSource::SessionStart(_) => {}
    }
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
    SmallFaceSample::watch(&detector, min_face)
}
