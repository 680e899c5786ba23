//! The streams of a recording: the wanted video stream and, for the annotated video, the first sound are linked
//! to the pipeline that decodes them.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use gst_base::prelude::*;
use mood_meta::lock;
use session::{Warning, WarningKind};

use super::animation;
use super::media_clock::{self, Beginning, FrameClock};
use crate::error::CommandError;
use crate::media_kind::MediaKind;
use crate::pipeline::{self, set_path};

/// From the file to upright frames, which continue at `!`, in gst-launch's notation. Decoding has a thread of its own, because
/// of the queue. [`connect`] names the file and links the decoder's pads.
pub fn source(kind: MediaKind) -> String {
    let decoder = match kind {
        MediaKind::Animation => format!("{} !", animation::SOURCE),
        _ => "filesrc name=source ! decodebin name=decoder".to_owned(),
    };
    format!("{decoder} queue name=frames ! videoconvert ! videoflip name=upright video-direction=auto !")
}

/// The value of the tag `image-orientation` for frames that need no turn.
const UPRIGHT: &str = "rotate-0";

/// What is wanted of a recording's streams.
#[derive(Clone, Debug, Default)]
pub struct StreamRequest {
    /// Number of the video stream, from 0, not counting covers.
    pub video: u32,
    /// How the file begins.
    pub beginning: Beginning,
    /// Frames a second of a recording whose frames have no times, if that was stated.
    pub rate: Option<f64>,
    /// What takes the recording's own sound; `None`: it is not decoded.
    pub sound: Option<SoundBranch>,
    /// The number of threads of FFmpeg's video decoders; `None`: what they choose, one for each core.
    pub decoder_threads: Option<i32>,
}

/// The elements that take the recording's own sound.
#[derive(Clone, Debug)]
pub struct SoundBranch {
    /// The elements in gst-launch's notation. One that is called `mix-down` is an `audioconvert`.
    pub description: String,
    /// The name of the element that they are linked to.
    pub target: &'static str,
}

/// Name of the `audioconvert` in a [`SoundBranch`] that brings the sound to two channels.
pub const MIX_DOWN: &str = "mix-down";

/// What the decoder's pads have been linked to so far.
#[derive(Default)]
struct Links {
    /// Number of video streams found, without covers.
    videos: u32,
    /// Number of covers found.
    stills: u32,
    /// Whether the wanted video stream is linked.
    has_video: bool,
    /// Whether an audio stream was chosen.
    has_audio: bool,
    /// What the chosen audio stream is linked to.
    sound_sink: Option<gst::Pad>,
    /// The latest time of the sound, ns.
    sound_end: Arc<AtomicU64>,
    /// Whether the sound of a further recording is left out.
    is_sound_cut: bool,
    /// Why the sound is missing or not as it was.
    warnings: Vec<Warning>,
    /// A format of sound that nothing decodes.
    unknown_sound: Option<String>,
}

/// The links of a pipeline's source, to be asked when the pipeline has ended.
pub struct StreamLinks {
    links: Arc<Mutex<Links>>,
    frames: Arc<Mutex<FrameClock>>,
    animation: Option<Arc<Mutex<animation::Outcome>>>,
    /// Number of the wanted video stream.
    video: u32,
}

impl StreamLinks {
    /// What there is to say about the video: its times, and what of the file was passed over.
    pub fn video_warnings(&self) -> Vec<Warning> {
        let mut warnings = lock(&self.frames).warnings();
        warnings.extend(self.animation.iter().flat_map(|animation| lock(animation).warnings()));
        let links = lock(&self.links);
        let mut skipped = |text| warnings.push(Warning::new(WarningKind::StreamSkipped, text));
        if links.stills > 0 {
            let what = if links.stills == 1 { "a video stream that is" } else { "video streams that are" };
            skipped(format!("{what} a single picture (a cover) was passed over"));
        }
        if links.videos > 1 {
            skipped(format!(
                "it has {} video streams, and number {} was analysed: --video chooses another, counted from 0",
                links.videos, self.video
            ));
        }
        warnings
    }

    /// Fails if the source could not decode all of the file. Decoders report that themselves.
    pub fn check(&self) -> Result<(), CommandError> {
        self.animation.as_ref().map_or(Ok(()), |animation| lock(animation).check())
    }

    /// What there is to say about the recording's own sound.
    pub fn sound_warnings(&self) -> Vec<Warning> {
        let links = lock(&self.links);
        let mut warnings = links.warnings.clone();
        if let Some(format) = links.unknown_sound.as_ref().filter(|_| !links.has_audio) {
            warnings.push(Warning::new(
                WarningKind::SoundMissing,
                format!("the annotated video has no sound of the recording: nothing here decodes {format}"),
            ));
        }
        let is_outlasted = lock(&self.frames).outlasts(links.sound_end.load(Ordering::Relaxed));
        if links.is_sound_cut || links.has_audio && is_outlasted {
            warnings.push(Warning::new(
                WarningKind::SoundMissing,
                "the annotated video has the sound of the first of the joined recordings only",
            ));
        }
        warnings
    }

    /// Whether the recording's own sound takes part.
    pub fn has_sound(&self) -> bool {
        lock(&self.links).has_audio
    }
}

/// Makes a `videoflip` with `video-direction=auto` pass frames through while no tag says that they are turned. GStreamer
/// 1.22's copies every frame.
fn pass_upright_frames(flip: &gst::Element) {
    let Some(sink) = flip.static_pad("sink") else { return };
    let is_turned = AtomicBool::new(false);
    let types = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    let flip = flip.downgrade();
    sink.add_probe(types, move |_, info| {
        let Some(flip) = flip.upgrade().and_then(|flip| flip.downcast::<gst_base::BaseTransform>().ok())
        else {
            return gst::PadProbeReturn::Remove;
        };
        if let Some(gst::EventView::Tag(tags)) = info.event().map(|event| event.view())
            && let Some(orientation) = tags.tag().get::<gst::tags::ImageOrientation>()
            && orientation.get() != UPRIGHT
        {
            // The element turns by this or an earlier tag: that is its own affair from here on.
            is_turned.store(true, Ordering::Relaxed);
            flip.set_passthrough(false);
        }
        if info.buffer().is_some() && !is_turned.load(Ordering::Relaxed) && !flip.is_passthrough() {
            flip.set_passthrough(true);
        }
        gst::PadProbeReturn::Ok
    });
}

/// Makes a pipeline with the [`source`] of this kind read `input`. Links the decoder's pads once they appear: the wanted video
/// stream, and the first audio stream if audio is wanted. The pipeline fails if there is no such video stream; it goes on
/// without sound.
pub fn connect(
    pipeline: &gst::Pipeline,
    input: &Path,
    kind: MediaKind,
    request: StreamRequest,
) -> Result<StreamLinks, CommandError> {
    let mut connected = StreamLinks {
        links: Arc::default(),
        frames: Arc::new(Mutex::new(FrameClock::new(request.rate))),
        animation: None,
        video: request.video,
    };
    if kind == MediaKind::Animation {
        if request.video > 0 {
            let text = format!("it is an animation, with one video: --video {} is none", request.video);
            return Err(CommandError::Failed(text));
        }
        connected.animation = Some(animation::feed(pipeline, input)?);
    } else {
        set_path(pipeline, "source", "location", input)?;
        connect_decoder(pipeline, request, &connected)?;
    }
    Ok(connected)
}

/// Links the pads of the pipeline's decoder.
fn connect_decoder(
    pipeline: &gst::Pipeline,
    request: StreamRequest,
    connected: &StreamLinks,
) -> Result<(), CommandError> {
    let decoder = pipeline::element(pipeline, "decoder")?;
    let wants_audio = request.sound.is_some();
    if let (Some(threads), Some(bin)) = (request.decoder_threads, decoder.downcast_ref::<gst::Bin>()) {
        bin.connect_element_added(move |_, element| {
            if element.has_property_with_type("max-threads", i32::static_type()) {
                element.set_property("max-threads", threads);
            }
        });
    }
    // Does not decode audio streams that would not be linked.
    decoder.connect("autoplug-continue", false, move |values| {
        let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok());
        Some((wants_audio || !caps.is_some_and(|caps| is_audio(&caps))).to_value())
    });
    if wants_audio {
        let links = Arc::clone(&connected.links);
        decoder.connect("unknown-type", false, move |values| {
            let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok());
            if let Some(caps) = caps.filter(is_audio) {
                lock(&links).unknown_sound = Some(describe_format(&caps));
            }
            None
        });
    }
    pass_upright_frames(&pipeline::element(pipeline, "upright")?);
    let frames = pipeline::element(pipeline, pipeline::DECODER_QUEUE)?;
    let (links_of_added_pads, clock) = (Arc::clone(&connected.links), Arc::clone(&connected.frames));
    let weak_pipeline = pipeline.downgrade();
    let StreamRequest { video: wanted, beginning, sound, .. } = request;
    let Beginning { origin, stills, untimed, .. } = beginning;
    decoder.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let Some(name) = caps.structure(0).map(|caps| caps.name().to_string()) else { return };
        let mut links = lock(&links_of_added_pads);
        if name.starts_with("video/x-raw") && pad.stream_id().is_some_and(|id| stills.contains(id.as_str())) {
            links.stills += 1;
        } else if name.starts_with("video/x-raw") {
            let Some(sink) = frames.static_pad("sink") else { return };
            if links.has_video && !sink.is_linked() {
                // The pads of a recording are removed where another with other streams follows in the file.
                links.videos = 0;
                if let Some(sound) = links.sound_sink.take_if(|sound| !sound.is_linked()) {
                    links.is_sound_cut = true;
                    drop(links);
                    sound.send_event(gst::event::Eos::new());
                    links = lock(&links_of_added_pads);
                }
            }
            links.videos += 1;
            if links.videos == wanted + 1 {
                if pad.stream_id().is_some_and(|id| untimed.contains(id.as_str())) {
                    lock(&clock).ignore_decoder();
                }
                media_clock::rebase_frames(pad, origin, Arc::clone(&clock));
                links.has_video = pad.link(&sink).is_ok();
            }
        } else if name.starts_with("audio/x-raw")
            && !links.has_audio
            && let Some(branch) = &sound
            && let Some(pipeline) = weak_pipeline.upgrade()
        {
            links.has_audio = true;
            let sound_end = Arc::clone(&links.sound_end);
            drop(links);
            media_clock::rebase_sound(pad, origin, sound_end);
            let warning = match add_sound_branch(&pipeline, pad, branch, &caps) {
                Ok(warning) => {
                    lock(&links_of_added_pads).sound_sink = pad.peer();
                    warning
                }
                Err(error) => Some(Warning::new(
                    WarningKind::SoundMissing,
                    format!("the annotated video has no sound of the recording: {error}"),
                )),
            };
            lock(&links_of_added_pads).warnings.extend(warning);
        }
    });
    let links_at_end = Arc::clone(&connected.links);
    decoder.connect_no_more_pads(move |decoder| {
        let (has_video, videos) = {
            let links = lock(&links_at_end);
            (links.has_video, links.videos)
        };
        let reason = match videos {
            _ if has_video => return,
            0 => NO_VIDEO.to_owned(),
            1 => format!("it has one video stream, number 0: --video {wanted} is none"),
            count => format!("it has {count} video streams, 0 to {}: --video {wanted} is none", count - 1),
        };
        gst::element_error!(decoder, gst::StreamError::WrongType, ("{reason}"));
    });
    Ok(())
}

/// The error of a file without a video stream that plays.
const NO_VIDEO: &str = "it has no video that can be decoded";

fn is_audio(caps: &gst::Caps) -> bool {
    caps.structure(0).is_some_and(|caps| caps.name().starts_with("audio/"))
}

/// The name of a format for a user: the media type, and the code of four letters where there is one.
fn describe_format(caps: &gst::Caps) -> String {
    let Some(structure) = caps.structure(0) else { return "it".into() };
    match structure.get::<&str>("fourcc").or_else(|_| structure.get::<&str>("format")) {
        Ok(code) => format!("{} ({code})", structure.name()),
        Err(_) => structure.name().to_string(),
    }
}

/// Adds the elements of the branch to the running pipeline and links them between the decoder's pad, which has
/// `caps`, and the branch's target. Returns what there is to say about the sound.
fn add_sound_branch(
    pipeline: &gst::Pipeline,
    decoder_pad: &gst::Pad,
    branch: &SoundBranch,
    caps: &gst::Caps,
) -> Result<Option<Warning>, gst::glib::Error> {
    let bin = gst::parse::bin_from_description(&branch.description, true)?;
    let failed = |what: &str| gst::glib::Error::new(gst::CoreError::Pad, what);
    bin.set_property("name", pipeline::AUDIO_BIN);
    let channels = unplaced_channels(caps);
    if let (Some(channels), Some(convert)) = (channels, bin.by_name(MIX_DOWN)) {
        // Two rows, left and right, with the same share of every channel.
        let row = || gst::Array::new((0..channels).map(|_| 1.0 / channels as f32));
        convert.set_property("mix-matrix", gst::Array::new([row(), row()]));
    }
    pipeline.add(&bin).map_err(|_| failed("no place in the pipeline"))?;
    bin.sync_state_with_parent().map_err(|_| failed("it does not start"))?;
    let target = pipeline.by_name(branch.target).ok_or_else(|| failed("nothing takes it"))?;
    bin.link(&target).map_err(|_| failed("the muxer does not take it"))?;
    let sink = bin.static_pad("sink").ok_or_else(|| failed("no pad"))?;
    decoder_pad.link(&sink).map_err(|_| failed("its format is not taken"))?;
    Ok(channels.map(|channels| {
        let text = format!(
            "the recording's sound has {channels} channels and does not say where they belong: the annotated video \
             has all of them in equal parts"
        );
        Warning::new(WarningKind::SoundMixed, text)
    }))
}

/// The number of channels of sound that states no positions for them, which GStreamer would not mix; `None` for
/// one or two channels, and for channels with positions.
fn unplaced_channels(caps: &gst::Caps) -> Option<i32> {
    let structure = caps.structure(0)?;
    let channels = structure.get::<i32>("channels").ok().filter(|channels| *channels > 2)?;
    let mask = structure.get::<gst::Bitmask>("channel-mask").map_or(0, |mask| mask.0);
    (mask == 0).then_some(channels)
}
