//! The second pass of `process` over a video: the annotated video is drawn from the finished timeline.
//!
//! The recording is decoded again. Each frame gets what the timeline has for its time: its faces as
//! `GstMoodFrame`, the areas to hide as regions of interest, and before it, in order with the frames, the lines
//! of the player that begin while it is shown. `emotionoverlay` draws all of it, so that nothing depends on how
//! fast the first pass was.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use mood_meta::{frame, lock, region};
use mood_schema::{Face, Frame, Line, Rect};
use session::hiding::{Hiding, HidingPlan};
use session::{PersonMap, Timeline, Warning, WarningKind, player_line_time};

use super::arguments::{AnalysisOptions, RecordingAudio};
use super::media_clock::Beginning;
use super::streams::{self, MIX_DOWN, SoundBranch, StreamRequest};
use crate::error::CommandError;
use crate::files::partial_path;
use crate::folder::{ANNOTATED_VIDEO, FILM_MUSIC};
use crate::media_kind::MediaKind;
use crate::pipeline::{self, RunLimit, set_path};
use crate::progress::Progress;

/// From upright frames to the video in the muxer. The frames get their final size before they are drawn on, so
/// that text has the right shape. Constant quality, because a constant bit rate is shared out by the frame
/// rate, which may be false. No B-frames: with them, mp4mux of GStreamer 1.22 writes an edit list that ends before the
/// last frame.
const VIDEO: &str =
    " videoconvert ! videoscale name=scale ! capsfilter name=size ! emotionoverlay name=overlay
    ! queue ! x264enc name=encoder pass=qual quantizer=21 bframes=0 speed-preset=veryfast ! h264parse
    ! queue name=video-queue ! mux.
    mp4mux name=mux faststart=true ! filesink name=annotated";

/// The format in which sounds are mixed, the same for all, whatever comes first.
const SOUND_FORMAT: &str =
    "audio/x-raw,format=F32LE,layout=interleaved,rate=48000,channels=2,channel-mask=(bitmask)0x3";

/// From mixed sound to the muxer.
const SOUND_ENCODER: &str = "audioconvert ! avenc_aac ! aacparse ! queue";

/// Linear gain of the recording's own sound under music: -12 dB.
const DUCKING_GAIN: f64 = 0.25;

/// How long sound may wait for the video, which the encoder delays by its look-ahead.
const SOUND_QUEUE_TIME: gst::ClockTime = gst::ClockTime::from_seconds(60);

/// Pictures whose shapes differ by less than this share of their height are brought to one size without borders.
const SHAPE_TOLERANCE: f64 = 0.02;

/// The largest side of a picture, pixels, that H.264 allows.
const MAX_SIDE: f64 = 16_384.0;

/// A size of pictures in square pixels, with even sides, which H.264 needs for its 4:2:0 colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSize {
    width: i32,
    height: i32,
}

impl PictureSize {
    /// The size of the pictures of raw video with `caps`. The longer side of a pixel is kept and the other enlarged.
    pub fn from_caps(caps: &gst::CapsRef) -> Option<Self> {
        let structure = caps.structure(0)?;
        let side = |name| structure.get::<i32>(name).ok().filter(|side| *side > 0).map(f64::from);
        let (width, height) = (side("width")?, side("height")?);
        let aspect = structure.get::<gst::Fraction>("pixel-aspect-ratio").ok();
        let aspect = aspect.filter(|aspect| aspect.numer() > 0);
        let aspect = aspect.map_or(1.0, |aspect| f64::from(aspect.numer()) / f64::from(aspect.denom()));
        let (width, height) = (width * aspect.max(1.0), height * (1.0 / aspect).max(1.0));
        let shrink = (MAX_SIDE / width.max(height)).min(1.0);
        let even = |side: f64| ((side * shrink / 2.0).round() as i32 * 2).max(2);
        Some(Self { width: even(width), height: even(height) })
    }

    /// The one with more pixels; the first of two equal ones.
    pub fn larger(self, other: Self) -> Self {
        let area = |size: Self| i64::from(size.width) * i64::from(size.height);
        if area(other) > area(self) { other } else { self }
    }

    /// Width divided by height.
    fn shape(self) -> f64 {
        f64::from(self.width) / f64::from(self.height)
    }
}

/// Where a picture lies in a frame of the film, which has one size throughout.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Placement {
    /// The picture as shares of the frame; the rest of the frame is black.
    area: Rect,
}

impl Placement {
    /// A picture of the shape of `picture`, as large as possible, in the middle of `frame`; filling it where the
    /// shapes are nearly the same.
    fn new(picture: PictureSize, frame: PictureSize) -> Self {
        let ratio = picture.shape() / frame.shape();
        let (w, h) = match ratio {
            _ if (ratio - 1.0).abs() < SHAPE_TOLERANCE => (1.0, 1.0),
            ratio if ratio > 1.0 => (1.0, 1.0 / ratio),
            ratio => (ratio, 1.0),
        };
        Self { area: Rect { x: (1.0 - w) / 2.0, y: (1.0 - h) / 2.0, w, h } }
    }

    /// Whether a part of the frame is black.
    fn has_borders(&self) -> bool {
        self.area.w < 1.0 || self.area.h < 1.0
    }

    /// The rectangle of the frame in which a rectangle of the picture lies.
    fn apply(&self, rect: Rect) -> Rect {
        let Rect { x, y, w, h } = self.area;
        Rect { x: x + rect.x * w, y: y + rect.y * h, w: rect.w * w, h: rect.h * h }
    }
}

/// A frame of the film.
#[derive(Clone, Debug, PartialEq)]
struct ScriptFrame {
    /// Its time, ns.
    pts: u64,
    /// Until the next frame, ns.
    duration: u64,
    /// The faces to draw.
    faces: Vec<Face>,
    /// What is not to be recognised.
    hiding: Hiding,
}

/// What the film shows: the frames of the timeline, and the player's lines.
#[derive(Debug)]
struct FilmScript {
    frames: Vec<ScriptFrame>,
    /// Number of the frame that is expected next.
    next: usize,
    /// The player's lines that have not begun, by time.
    lines: VecDeque<Line>,
    /// Number of frames without a record.
    unknown: u64,
}

impl FilmScript {
    fn new(timeline: &Timeline, people: &PersonMap, plan: &HidingPlan) -> Self {
        let with_person = |face: &Face| Face { id: people.person_id(face.id), ..face.clone() };
        let frames =
            timeline.frames_with_duration().enumerate().map(|(index, (frame, duration))| ScriptFrame {
                pts: frame.pts,
                duration,
                faces: frame.faces.iter().map(with_person).collect(),
                hiding: plan.frames.get(index).cloned().unwrap_or_default(),
            });
        Self { frames: frames.collect(), next: 0, lines: timeline.player_lines().into(), unknown: 0 }
    }

    /// The time of the first frame, ns.
    fn begin(&self) -> u64 {
        self.frames.first().map_or(0, |frame| frame.pts)
    }

    /// The record of the next decoded frame, whose time is `pts` if it has one; `None` where the timeline has no
    /// frame at that time.
    fn next_frame(&mut self, pts: Option<u64>) -> Option<ScriptFrame> {
        let is_expected = |frame: &ScriptFrame| pts.is_none_or(|pts| pts == frame.pts);
        let index = match self.frames.get(self.next) {
            Some(frame) if is_expected(frame) => Some(self.next),
            _ => pts.and_then(|pts| self.frames.iter().position(|frame| frame.pts == pts)),
        };
        let Some(index) = index else {
            self.unknown += 1;
            return None;
        };
        self.next = index + 1;
        self.frames.get(index).cloned()
    }

    /// Takes the player's lines that begin before the frame after the one taken last.
    fn take_lines(&mut self) -> Vec<Line> {
        let end = self.frames.get(self.next).map_or(u64::MAX, |frame| frame.pts);
        self.take_lines_before(end)
    }

    /// Takes the player's lines that begin before `end`, ns.
    fn take_lines_before(&mut self, end: u64) -> Vec<Line> {
        let count = self.lines.partition_point(|line| player_line_time(line) < end);
        self.lines.drain(..count).collect()
    }
}

/// What a film is made from.
pub struct FilmConfig<'a> {
    /// The video.
    pub input: &'a Path,
    /// How it is decoded.
    pub kind: MediaKind,
    /// The folder for the results.
    pub folder: &'a Path,
    /// The options of the command line.
    pub options: &'a AnalysisOptions,
    /// How the video begins.
    pub beginning: &'a Beginning,
    /// The finished timeline.
    pub timeline: &'a Timeline,
    /// Who is who: people are shown by their names, or their merged ids.
    pub people: &'a PersonMap,
    /// What to hide; used where the options want faces unrecognisable.
    pub plan: &'a HidingPlan,
    /// The size of the film.
    pub size: PictureSize,
}

impl FilmConfig<'_> {
    /// The treatment of the recording's own sound: the option, or the default for it.
    fn recording_audio(&self) -> RecordingAudio {
        let default =
            if self.options.library.is_some() { RecordingAudio::Duck } else { RecordingAudio::Keep };
        self.options.audio.unwrap_or(default)
    }

    /// The pipeline in gst-launch's notation, without paths, and without the recording's own sound, which is added
    /// once the decoder has found it.
    fn description(&self) -> String {
        let mut text = streams::source(self.kind) + VIDEO;
        if self.options.library.is_some() {
            text += &format!(
                "\n filesrc name=music ! flacparse ! flacdec ! queue ! audioconvert ! audioresample ! {SOUND_FORMAT} ! mix.
                audiomixer name=mix ! {SOUND_ENCODER} ! mux."
            );
        }
        text
    }

    /// The elements that take the recording's own sound.
    fn sound_branch(&self) -> SoundBranch {
        let queue_time = SOUND_QUEUE_TIME.nseconds().saturating_add(self.timeline.span()[0]);
        let convert = format!(
            "queue max-size-buffers=0 max-size-bytes=0 max-size-time={queue_time} ! audioconvert name={MIX_DOWN} \
             ! audioresample ! {SOUND_FORMAT}"
        );
        match (&self.options.library, self.recording_audio()) {
            // The mixer fills gaps, and makes the sound begin with the film.
            (None, _) => SoundBranch {
                description: format!("{convert} ! audiomixer ! {SOUND_ENCODER}"),
                target: "mux",
            },
            (Some(_), RecordingAudio::Duck) => SoundBranch {
                description: format!("{convert} ! volume volume={DUCKING_GAIN}"),
                target: "mix",
            },
            (Some(_), _) => SoundBranch { description: convert, target: "mix" },
        }
    }
}

/// The encoder takes several times as long as the decoder, so half of the cores are enough for the latter. Each thread more costs
/// memory and time: on two cores, decoding with two and encoding take 4 % longer than with one (`benches/RESULTS.md`).
fn decoder_threads() -> i32 {
    i32::try_from(pipeline::available_threads() / 2).unwrap_or(i32::MAX).max(1)
}

/// Draws the film. It keeps its partial name, see [`folder::commit_media`](crate::folder::commit_media). If the
/// recording's own sound makes the pipeline fail, the film is drawn again without it. Returns what there is to say
/// about the film.
pub fn draw(config: &FilmConfig, progress: &Progress, limit: RunLimit) -> Result<Vec<Warning>, CommandError> {
    let sound = (config.recording_audio() != RecordingAudio::Drop).then(|| config.sound_branch());
    let attempt = draw_once(config, sound, progress, limit);
    match attempt {
        (Err(CommandError::Failed(error)), has_sound) if has_sound => {
            let (drawn, _) = draw_once(config, None, progress, limit);
            let mut warnings = drawn?;
            let text =
                format!("the annotated video has no sound of the recording: it cannot be decoded ({error})");
            warnings.push(Warning::new(WarningKind::SoundMissing, text));
            Ok(warnings)
        }
        (drawn, _) => drawn,
    }
}

/// Draws the film with the recording's own sound as `sound` takes it. Also returns whether that sound took part.
fn draw_once(
    config: &FilmConfig,
    sound: Option<SoundBranch>,
    progress: &Progress,
    limit: RunLimit,
) -> (Result<Vec<Warning>, CommandError>, bool) {
    let mut has_sound = false;
    let wants_sound = sound.is_some();
    let draw = || {
        let pipeline = pipeline::parse(&config.description())?;
        let annotated = partial_path(&config.folder.join(ANNOTATED_VIDEO));
        set_path(&pipeline, "annotated", "location", &annotated)?;
        if config.options.library.is_some() {
            set_path(&pipeline, "music", "location", &partial_path(&config.folder.join(FILM_MUSIC)))?;
        }
        let overlay = pipeline::element(&pipeline, "overlay")?;
        overlay.set_property("blur-faces", config.options.blur_faces);
        // A name would make a hidden face recognisable.
        if !config.options.blur_faces {
            overlay.set_property("names", serde_json::json!(config.people.names).to_string());
        }
        // The encoded video waits here for audio that is sparse.
        let queue = pipeline::element(&pipeline, "video-queue")?;
        queue.set_property("max-size-buffers", 0u32);
        queue.set_property("max-size-bytes", 64u32 << 20);
        queue.set_property("max-size-time", SOUND_QUEUE_TIME.nseconds());
        let request = StreamRequest {
            video: config.options.video,
            beginning: config.beginning.clone(),
            rate: config.options.rate,
            sound,
            decoder_threads: Some(decoder_threads()),
        };
        let links = streams::connect(&pipeline, config.input, config.kind, request)?;
        let script = follow_script(&pipeline, config)?;
        let played = pipeline::run_file(&pipeline, progress, limit);
        has_sound = links.has_sound();
        played?;
        let mut warnings = links.sound_warnings();
        let lacks_sound = wants_sound && !has_sound && warnings.is_empty();
        if lacks_sound && media_container::has_private_stream(config.input) {
            let text = "the annotated video has no sound of the recording: the transport stream marks a stream as private data, \
                        which is not played even if it is sound; copy it to Matroska (ffmpeg -i FILE -c copy FILE.mkv encodes \
                        nothing anew), and process that";
            warnings.push(Warning::new(WarningKind::SoundMissing, text));
        }
        let unknown = lock(&script).unknown;
        if unknown > 0 {
            let text = format!(
                "{unknown} frames of the annotated video came at other times than when they were analysed: they show no \
                 faces{}",
                if config.options.blur_faces { " and are hidden" } else { "" }
            );
            warnings.push(Warning::new(WarningKind::FramesUnknown, text));
        }
        Ok(warnings)
    };
    let drawn = draw();
    (drawn, has_sound)
}

/// Makes the frames of the pipeline follow the timeline.
fn follow_script(
    pipeline: &gst::Pipeline,
    config: &FilmConfig,
) -> Result<Arc<Mutex<FilmScript>>, CommandError> {
    let size = config.size;
    let caps = gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("width", size.width)
        .field("height", size.height)
        .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
        .build();
    let filter = pipeline::element(pipeline, "size")?;
    filter.set_property("caps", caps);
    let no_pad = || CommandError::Failed("an element without pads".into());
    let upright = pipeline::element(pipeline, "upright")?.static_pad("src").ok_or_else(no_pad)?;
    let placement = Arc::new(Mutex::new(Placement::new(size, size)));
    let (scale, placed) = (pipeline::element(pipeline, "scale")?, Arc::clone(&placement));
    let period = config.timeline.frame_period();
    upright.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let Some(gst::PadProbeData::Event(event)) = &mut info.data
            && let gst::EventView::Caps(caps) = event.view()
            && let Some(picture) = PictureSize::from_caps(caps.caps())
        {
            let placement = Placement::new(picture, size);
            *lock(&placed) = placement;
            scale.set_property("add-borders", placement.has_borders());
            let mut caps = caps.caps_owned();
            let rate = frame_rate(&caps, period);
            caps.make_mut().set("framerate", rate);
            let seqnum = event.seqnum();
            *event = gst::event::Caps::builder(&caps).seqnum(seqnum).build();
        }
        gst::PadProbeReturn::Ok
    });
    let script = Arc::new(Mutex::new(FilmScript::new(config.timeline, config.people, config.plan)));
    let followed = Arc::clone(&script);
    let hides = config.options.blur_faces;
    let is_first = Mutex::new(true);
    let output = filter.static_pad("src").ok_or_else(no_pad)?;
    output.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let (Some(overlay), Some(gst::PadProbeData::Buffer(buffer))) = (pad.peer(), &mut info.data) else {
            return gst::PadProbeReturn::Ok;
        };
        if std::mem::replace(&mut *lock(&is_first), false) {
            fill_start(&overlay, buffer, &followed, period);
        }
        let placement = *lock(&placement);
        let (record, lines) = {
            let mut script = lock(&followed);
            let record = script.next_frame(buffer.pts().map(gst::ClockTime::nseconds));
            let lines = if record.is_some() { script.take_lines() } else { Vec::new() };
            (record, lines)
        };
        for line in lines {
            overlay.send_event(mood_meta::event::build_recorded_player_line(&line));
        }
        // Without a record there is no metadata, so that a frame is hidden as a whole where faces are.
        if let Some(record) = record {
            annotate(buffer.make_mut(), record, placement, size, hides);
        }
        gst::PadProbeReturn::Ok
    });
    Ok(script)
}

/// Writes what is to be drawn of a record into the metadata of its frame, and the times of the record.
fn annotate(
    buffer: &mut gst::BufferRef,
    record: ScriptFrame,
    placement: Placement,
    size: PictureSize,
    hides: bool,
) {
    buffer.set_pts(gst::ClockTime::from_nseconds(record.pts));
    buffer.set_duration(gst::ClockTime::from_nseconds(record.duration));
    let mut faces = record.faces;
    for face in &mut faces {
        face.bbox = placement.apply(face.bbox);
    }
    if hides {
        let areas = match record.hiding {
            Hiding::Areas(areas) => areas.into_iter().map(|area| placement.apply(area)).collect(),
            Hiding::Everything => vec![Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 }],
        };
        for area in areas {
            region::add_hidden(buffer, &area, size.width as u32, size.height as u32);
        }
    }
    // Where it fails, the frame has no metadata, and is hidden as a whole where faces are.
    // What is hidden has been planned with all cuts, so the overlay sees none.
    let _ = frame::write(buffer, &Frame { faces, shot: 0 });
}

/// Where the pictures begin later than the recording, pushes black frames for the time before, one for each change
/// of the music: the muxer would move the pictures to the start.
fn fill_start(overlay: &gst::Pad, first: &gst::Buffer, script: &Mutex<FilmScript>, period: u64) {
    let (begin, times) = {
        let script = lock(script);
        let begin = script.begin();
        let changes = script.lines.iter().map(player_line_time).filter(|time| (1..begin).contains(time));
        let mut times: Vec<u64> = [0].into_iter().chain(changes).collect();
        times.dedup();
        (begin, times)
    };
    // Less than half a frame cannot be seen.
    if begin <= period / 2 {
        return;
    }
    let Some(info) = overlay.current_caps().and_then(|caps| gst_video::VideoInfo::from_caps(&caps).ok())
    else {
        return;
    };
    let ends = times.iter().skip(1).copied().chain([begin]);
    for (&time, end) in times.iter().zip(ends) {
        let lines = lock(script).take_lines_before(time + 1);
        for line in lines {
            overlay.send_event(mood_meta::event::build_recorded_player_line(&line));
        }
        let Some(mut black) = black_frame(&info) else { return };
        if let Some(buffer) = black.get_mut() {
            buffer.set_pts(gst::ClockTime::from_nseconds(time));
            buffer.set_duration(gst::ClockTime::from_nseconds(end - time));
            buffer.set_flags(first.flags() & gst::BufferFlags::DISCONT);
            let _ = frame::write(buffer, &Frame::default());
        }
        // An error comes again with the next frame.
        let _ = overlay.chain(black);
    }
}

/// A black frame in the film's format, I420.
fn black_frame(info: &gst_video::VideoInfo) -> Option<gst::Buffer> {
    let mut bytes = vec![128u8; info.size()];
    let luma = *info.offset().get(1)?;
    bytes.get_mut(..luma)?.fill(16);
    Some(gst::Buffer::from_mut_slice(bytes))
}

/// The frame rate to announce for raw video with `caps`: what they state, unless the usual time between frames,
/// `period` ns, says something else.
fn frame_rate(caps: &gst::CapsRef, period: u64) -> gst::Fraction {
    let stated = caps.structure(0).and_then(|structure| structure.get::<gst::Fraction>("framerate").ok());
    let stated = stated.filter(|rate| rate.numer() > 0);
    let rate = |rate: gst::Fraction| f64::from(rate.numer()) / f64::from(rate.denom());
    let measured = 1e9 / period as f64;
    match stated {
        Some(stated) if period == 0 && rate(stated) <= 240.0 => stated,
        Some(stated) if (rate(stated) / measured - 1.0).abs() < 0.1 => stated,
        // A frame each minute or less often is a slide show.
        _ if (1.0 / 60.0..=240.0).contains(&measured) => {
            gst::Fraction::new((measured * 1000.0).round() as i32, 1000)
        }
        _ => gst::Fraction::new(25, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{FrameLine, Mood, MoodLine};

    fn caps(text: &str) -> gst::Caps {
        gst::init().unwrap();
        format!("video/x-raw,{text}").parse().unwrap()
    }

    fn size(text: &str) -> (i32, i32) {
        let size = PictureSize::from_caps(&caps(text)).unwrap();
        (size.width, size.height)
    }

    #[test]
    fn picture_size_is_even_and_in_square_pixels() {
        assert_eq!(size("width=640,height=360"), (640, 360));
        assert_eq!(size("width=320,height=360,pixel-aspect-ratio=2/1"), (640, 360));
        assert_eq!(size("width=640,height=180,pixel-aspect-ratio=1/2"), (640, 360));
        assert_eq!(size("width=321,height=181"), (322, 182));
        assert_eq!(size("width=32768,height=1024"), (16384, 512));
        assert!(PictureSize::from_caps(&caps("format=I420")).is_none());
        let [small, large] = [size("width=320,height=180"), size("width=640,height=360")]
            .map(|(width, height)| PictureSize { width, height });
        assert_eq!((small.larger(large), large.larger(small)), (large, large));
    }

    #[test]
    fn a_picture_of_another_shape_lies_between_borders() {
        let [wide, tall] = [(640, 360), (360, 640)].map(|(width, height)| PictureSize { width, height });
        let placement = Placement::new(tall, wide);
        assert!(placement.has_borders());
        let placed = placement.apply(Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 });
        assert!((placed.w - 0.316).abs() < 0.001 && placed.h == 1.0 && (placed.x - 0.342).abs() < 0.001);
        let nearly = PictureSize { width: 642, height: 360 };
        assert_eq!(Placement::new(nearly, wide).area, Rect { x: 0.0, y: 0.0, w: 1.0, h: 1.0 });
    }

    #[test]
    fn a_false_frame_rate_is_replaced_by_the_measured_one() {
        let rate = |text: &str, period: u64| {
            let rate = frame_rate(&caps(text), period);
            (rate.numer(), rate.denom())
        };
        assert_eq!(rate("framerate=30000/1001", 33_366_667), (30_000, 1001));
        assert_eq!(rate("framerate=24000/1", 41_708_333), (2997, 125));
        assert_eq!(rate("framerate=0/1", 40_000_000), (25, 1));
        assert_eq!(rate("framerate=90000/1", 0), (25, 1));
        assert_eq!(rate("framerate=10/1", 0), (10, 1));
    }

    #[test]
    fn a_line_of_the_player_begins_with_the_frame_that_is_shown_then() {
        let frame = |frame: u64| FrameLine { frame, pts: frame * 40 + 100, faces: Vec::new(), shot: 0 };
        let line = |pts| MoodLine {
            pts,
            from: Mood::Absent,
            to: Mood::Uncertain,
            confidence: 1.0,
            evidence: [0, pts],
        };
        let timeline = Timeline {
            frames: (0..3).map(frame).collect(),
            moods: [50, 139, 140, 500].map(line).into(),
            ..Timeline::default()
        };
        let mut script = FilmScript::new(&timeline, &PersonMap::default(), &HidingPlan::default());
        let mut times = |pts| {
            let found = script.next_frame(pts).is_some();
            (found, script.take_lines().iter().map(player_line_time).collect::<Vec<_>>())
        };
        assert_eq!(times(Some(100)), (true, vec![50, 139]));
        assert_eq!(times(None), (true, vec![140]));
        assert_eq!(times(Some(7)), (false, vec![]));
        assert_eq!(times(Some(180)), (true, vec![500]));
        assert_eq!(times(None), (false, vec![]));
        assert_eq!(script.unknown, 2);
    }
}
