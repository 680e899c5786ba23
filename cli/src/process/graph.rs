//! The pipelines of `process`: everything in one go over the decoded pictures.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _};

use super::{Audio, Settings};
use crate::failure::Failure;
use crate::folder::{ANNOTATED, MUSIC, SOUNDTRACK, TIMELINE, part_of};
use crate::pipeline;
use crate::progress::Progress;

/// A recording as it should be seen. Decoding, detection and classification each have a thread; queues lie where buffers
/// are small in number.
const RECORDING: &str = "
    filesrc name=source ! decodebin name=decoder
    queue name=frames ! videoconvert ! videoflip video-direction=auto !";

/// From pictures to lines.
const ANALYSIS: &str =
    " haarfacedetect name=detector ! queue ! emotionclassify name=classifier ! emotionlog name=timeline";

/// H.264 with 4:2:0 colour takes even sizes only.
const FILM: &str = "
    seen. ! queue ! videoconvert ! videoscale
        ! video/x-raw,format=I420,width=[2,16384,2],height=[2,16384,2],pixel-aspect-ratio=1/1
        ! x264enc speed-preset=veryfast ! h264parse ! queue name=film ! mux.
    mp4mux name=mux faststart=true ! filesink name=annotated";

const SOUNDTRACK_OF_PLAYER: &str = "
    seen. ! queue ! player.mood
    moodplayer name=player ! tee name=sound
    sound. ! queue ! audioconvert ! vorbisenc ! oggmux ! filesink name=soundtrack";

/// The recording's sound runs ahead of the pictures by what the encoder looks ahead.
const PATIENT_QUEUE: &str = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=60000000000";

/// The recording's sound under music: 12 dB down.
const DUCKED: f64 = 0.25;

/// What to make of a file.
pub struct Plan<'a> {
    pub input: &'a Path,
    pub folder: &'a Path,
    pub settings: &'a Settings,
    /// Whose ratings and exclusions of music count; empty: everybody's.
    pub client: &'a str,
    /// The timeline must not say where it comes from.
    pub anonymous: bool,
}

impl Plan<'_> {
    fn audio(&self) -> Audio {
        let default = if self.settings.library.is_some() { Audio::Duck } else { Audio::Keep };
        self.settings.audio.unwrap_or(default)
    }

    fn wants_sound(&self) -> bool {
        self.settings.overlay && self.audio() != Audio::Drop
    }

    fn description(&self) -> String {
        let Settings { overlay, library, .. } = self.settings;
        let mut text = RECORDING.to_owned() + ANALYSIS;
        text += match (overlay, library) {
            (false, None) => " ! fakesink sync=false",
            (true, _) => " ! emotionoverlay name=overlay ! tee name=seen",
            (false, Some(_)) => " ! tee name=seen",
        };
        if *overlay {
            text += FILM;
        }
        if library.is_some() {
            text += SOUNDTRACK_OF_PLAYER;
        }
        if *overlay && library.is_some() {
            let mixer = if self.wants_sound() { "audiomixer name=mix !" } else { "" };
            text += &format!(
                "\n sound. ! {PATIENT_QUEUE} ! {mixer} audioconvert ! avenc_aac ! aacparse ! queue ! mux."
            );
        }
        text
    }

    /// What takes the recording's sound, and the element it goes on to.
    fn sound(&self) -> (String, &'static str) {
        let convert = format!("{PATIENT_QUEUE} ! audioconvert ! audioresample");
        match (&self.settings.library, self.audio()) {
            (None, _) => (format!("{convert} ! avenc_aac ! aacparse ! queue"), "mux"),
            (Some(_), Audio::Duck) => (format!("{convert} ! volume volume={DUCKED}"), "mix"),
            (Some(_), _) => (convert, "mix"),
        }
    }
}

/// Plays a recording through to its end, into the folder. Films and soundtracks keep the name of what is not whole;
/// see [`folder::name_films`](crate::folder::name_films).
pub fn record(plan: &Plan, progress: &Progress) -> Result<(), Failure> {
    let graph = pipeline::parse(&plan.description())?;
    set_path(&graph, "source", "location", plan.input)?;
    set_up(&graph, plan, &plan.folder.join(TIMELINE))?;
    link_decoder(&graph, plan)?;
    if plan.settings.overlay {
        let annotated = part_of(&plan.folder.join(ANNOTATED));
        set_path(&graph, "annotated", "location", &annotated)?;
        pipeline::element(&graph, "overlay")?.set_property("blur-faces", plan.settings.blur_faces);
        let film = pipeline::element(&graph, "film")?;
        film.set_property("max-size-buffers", 0u32);
        film.set_property("max-size-bytes", 64u32 << 20);
        film.set_property("max-size-time", 60 * gst::ClockTime::SECOND.nseconds());
    }
    if let Some(library) = &plan.settings.library {
        set_path(&graph, "soundtrack", "location", &part_of(&plan.folder.join(SOUNDTRACK)))?;
        set_path(&graph, "player", "library", library)?;
        pipeline::element(&graph, "player")?.set_property("client", plan.client);
        set_path(&graph, "player", "log-location", &plan.folder.join(MUSIC))?;
    }
    pipeline::run_file(&graph, progress)
}

/// Looks at a photograph: its faces into `timeline`, and the picture with them drawn into `annotated`, a JPEG.
pub fn look(plan: &Plan, timeline: &Path, annotated: &Path, progress: &Progress) -> Result<(), Failure> {
    let drawn =
        " ! emotionoverlay name=overlay ! videoconvert ! jpegenc quality=92 ! filesink name=annotated";
    let graph =
        pipeline::parse(&format!("appsrc name=source format=time ! videoconvert ! {ANALYSIS}{drawn}"))?;
    show(&graph, upright(plan.input)?)?;
    set_up(&graph, plan, timeline)?;
    // A photograph has one frame: it is searched whole.
    pipeline::element(&graph, "detector")?.set_property("scan-interval", 0u64);
    pipeline::element(&graph, "overlay")?.set_property("blur-faces", plan.settings.blur_faces);
    set_path(&graph, "annotated", "location", annotated)?;
    pipeline::run(&graph, progress)
}

/// A photograph as one should see it, whichever way the camera was held. Not GStreamer's decoders: they do not ask for that
/// note (EXIF), and leave out some kinds.
fn upright(path: &Path) -> Result<image::RgbImage, Failure> {
    let broken = |error| Failure::Work(format!("it is damaged, or nothing that can be shown ({error})"));
    let reader = image::ImageReader::open(path).map_err(|error| Failure::file(path, &error))?;
    let reader = reader.with_guessed_format().map_err(|error| Failure::file(path, &error))?;
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// Gives the source its one picture.
fn show(graph: &gst::Pipeline, picture: image::RgbImage) -> Result<(), Failure> {
    let failed = |what: &dyn std::fmt::Display| Failure::Work(format!("it cannot be shown: {what}"));
    let (width, height) = picture.dimensions();
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::Rgb, width, height).build();
    let info = info.map_err(|error| failed(&error))?;
    // Lines of GStreamer's begin at whole words.
    let line = 3 * width as usize;
    let stride = usize::try_from(info.stride()[0]).unwrap_or(line);
    let mut bytes = vec![0; info.size()];
    for (to, from) in bytes.chunks_mut(stride.max(1)).zip(picture.chunks_exact(line.max(1))) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
    let mut buffer = gst::Buffer::from_mut_slice(bytes);
    if let Some(buffer) = buffer.get_mut() {
        buffer.set_pts(gst::ClockTime::ZERO);
    }
    let source = pipeline::element(graph, "source")?;
    let source = source.downcast::<gst_app::AppSrc>().map_err(|_| failed(&"no source"))?;
    source.set_caps(Some(&info.to_caps().map_err(|error| failed(&error))?));
    source.push_buffer(buffer).map_err(|error| failed(&error))?;
    source.end_of_stream().map(|_| ()).map_err(|error| failed(&error))
}

/// Properties of the analysis.
fn set_up(graph: &gst::Pipeline, plan: &Plan, timeline: &Path) -> Result<(), Failure> {
    set_path(graph, "timeline", "location", timeline)?;
    let interval = |seconds: f64| (seconds * 1e9) as u64;
    let detector = pipeline::element(graph, "detector")?;
    detector.set_property("scan-interval", interval(plan.settings.scan_interval));
    let classifier = pipeline::element(graph, "classifier")?;
    classifier.set_property("interval", interval(plan.settings.classify_interval));
    classifier.set_property_from_str("messages", "none");
    if let Some(model) = &plan.settings.model {
        set_path(graph, "classifier", "model", model)?;
    }
    if plan.anonymous
        && let Some(pad) = classifier.static_pad("src")
    {
        pad.add_probe(gst::PadProbeType::QUERY_UPSTREAM, |_, info| match info.query() {
            Some(query) if query.type_() == gst::QueryType::Uri => gst::PadProbeReturn::Drop,
            _ => gst::PadProbeReturn::Ok,
        });
    }
    Ok(())
}

/// A path that is not UTF-8 cannot go through a GObject string property unchanged.
fn set_path(graph: &gst::Pipeline, element: &str, property: &str, path: &Path) -> Result<(), Failure> {
    let text = path
        .to_str()
        .ok_or_else(|| Failure::Work(format!("{} is not UTF-8: give it another name", path.display())))?;
    pipeline::element(graph, element)?.set_property(property, text);
    Ok(())
}

#[derive(Default)]
struct Links {
    videos: u32,
    video: bool,
    sound: bool,
}

/// Links what the decoder finds: the wanted video, and the first sound where it is wanted.
fn link_decoder(graph: &gst::Pipeline, plan: &Plan) -> Result<(), Failure> {
    let decoder = pipeline::element(graph, "decoder")?;
    let wants_sound = plan.wants_sound();
    // What nobody listens to is not decoded.
    decoder.connect("autoplug-continue", false, move |values| {
        let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok());
        let name = caps.as_ref().and_then(|caps| caps.structure(0)).map(|caps| caps.name().to_string());
        let is_sound = name.is_some_and(|name| name.starts_with("audio/"));
        Some((wants_sound || !is_sound).to_value())
    });
    let links = Arc::new(Mutex::new(Links::default()));
    let frames = pipeline::element(graph, pipeline::FRAMES)?;
    let sound = wants_sound.then(|| plan.sound());
    let wanted = plan.settings.video;
    let found = Arc::clone(&links);
    let weak = graph.downgrade();
    decoder.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let Some(name) = caps.structure(0).map(|caps| caps.name().to_string()) else { return };
        let mut links = found.lock().unwrap_or_else(PoisonError::into_inner);
        if name.starts_with("video/x-raw") {
            links.videos += 1;
            if links.videos == wanted + 1
                && let Some(sink) = frames.static_pad("sink")
            {
                links.video = pad.link(&sink).is_ok();
            }
        } else if name.starts_with("audio/x-raw")
            && !links.sound
            && let Some((description, to)) = &sound
            && let Some(graph) = weak.upgrade()
        {
            links.sound = true;
            if let Err(error) = add_sound(&graph, pad, description, to) {
                gst::element_warning!(
                    graph,
                    gst::CoreError::Pad,
                    ("the recording's sound is left out: {error}")
                );
            }
        }
    });
    decoder.connect_no_more_pads(move |decoder| {
        let links = links.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = match links.videos {
            _ if links.video => return,
            0 => "it has no video that can be decoded".to_owned(),
            1 => format!("it has one video stream, number 0: --video {wanted} is none"),
            count => format!("it has {count} video streams, 0 to {}: --video {wanted} is none", count - 1),
        };
        gst::element_error!(decoder, gst::StreamError::WrongType, ("{reason}"));
    });
    Ok(())
}

fn add_sound(
    graph: &gst::Pipeline,
    from: &gst::Pad,
    description: &str,
    to: &str,
) -> Result<(), gst::glib::Error> {
    let bin = gst::parse::bin_from_description(description, true)?;
    let failed = |what: &str| gst::glib::Error::new(gst::CoreError::Pad, what);
    bin.set_property("name", pipeline::SOUND);
    graph.add(&bin).map_err(|_| failed("no place in the pipeline"))?;
    bin.sync_state_with_parent().map_err(|_| failed("it does not start"))?;
    let to = graph.by_name(to).ok_or_else(|| failed("nothing takes it"))?;
    bin.link(&to).map_err(|_| failed("the muxer does not take it"))?;
    let sink = bin.static_pad("sink").ok_or_else(|| failed("no pad"))?;
    from.link(&sink).map_err(|_| failed("its format is not taken"))?;
    Ok(())
}
