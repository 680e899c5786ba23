//! `gst-mood live`: a camera drives the music until one says otherwise, at the keyboard or from outside.
//!
//! One thread, this one, owns the pipeline's state; the keyboard, the bus of GStreamer and that of the desktop ask it.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use gst::prelude::*;
use mood_schema::{Candidate, Line, MoodLine, SafetyLine, TrackEvent, TrackLine};

use crate::failure::Failure;
use crate::library::{ClientArguments, Reach, default_library};
use crate::mpris::{Mpris, News, Request, Source, Status};
use crate::volume::Volume;
use crate::{pipeline, start_gstreamer};

/// What may still be on its way to the loudspeaker when the volume is down.
const TAIL: Duration = Duration::from_millis(400);
/// How long a rest waits for the music to fade out, whatever happens.
const PATIENCE: Duration = Duration::from_secs(2);

/// The arguments of `live`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A library database, a folder with music or a playlist [default: the user's own database]
    #[arg(short, long)]
    library: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArguments,
    /// A device such as /dev/video2, a film to try it with, or a source in gst-launch's notation
    /// [default: the first camera there is]
    #[arg(long)]
    camera: Option<String>,
    /// How the music relates to the mood
    #[arg(long, value_enum, default_value_t = Strategy::Match)]
    strategy: Strategy,
    /// Where target and iso lead: unpleasant -1 to pleasant 1
    #[arg(long, value_name = "V", default_value_t = 0.5, allow_hyphen_values = true, value_parser = coordinate)]
    target_valence: f64,
    /// Where target and iso lead: calm -1 to activated 1
    #[arg(long, value_name = "A", default_value_t = -0.3, allow_hyphen_values = true, value_parser = coordinate)]
    target_arousal: f64,
    #[command(flatten)]
    reach: Reach,
    /// Where the picture goes, in gst-launch's notation [default: a window]
    #[arg(long, value_name = "SINK")]
    video_sink: Option<String>,
    /// Where the sound goes, in gst-launch's notation
    #[arg(long, value_name = "SINK", default_value = "autoaudiosink")]
    audio_sink: String,
    /// Show no picture
    #[arg(long, conflicts_with = "video_sink")]
    no_window: bool,
    /// Take no part in the desktop's media control
    #[arg(long)]
    no_mpris: bool,
    /// Print JSON, one line for whatever the player decides and plays, as in its decision log
    #[arg(long)]
    json: bool,
}

/// As the player calls them.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Strategy {
    /// Play what fits the mood
    Match,
    /// Play the target, whatever the mood
    Target,
    /// Start at the mood and step towards the target
    Iso,
    /// Keep what fitted the first mood
    Hold,
}

fn coordinate(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (-1.0..=1.0).contains(number));
    number.ok_or_else(|| "a number from -1 to 1".into())
}

/// Plays until the camera ends, Ctrl-C, or a peer's word.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let library = arguments.library.clone().map_or_else(default_library, Ok)?;
    let library = text(&library)?;
    arguments.client.check()?;
    start_gstreamer()?;
    let pipeline = build(arguments, &library)?;
    let mut live = Live {
        player: pipeline::element(&pipeline, "player")?,
        volume: Volume::of(&pipeline::element(&pipeline, "volume")?)?,
        bus: pipeline.bus().ok_or_else(|| Failure::Work("a pipeline without a bus".into()))?,
        pipeline,
        mpris: None,
        status: Status::Stopped,
        resting: None,
        quitting: false,
        loudness: 1.0,
        leading: String::new(),
        json: arguments.json,
    };
    let source = (!arguments.no_mpris).then_some(Source { library, access: arguments.reach.access() });
    let played = live.play(source);
    let stopped = live.set(Status::Stopped);
    played.and(stopped)
}

fn text(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().map(String::from);
    text.ok_or_else(|| Failure::Work(format!("{} is not UTF-8: choose another path", path.display())))
}

/// As pipelines/live.sh, with a volume.
fn build(arguments: &Arguments, library: &str) -> Result<gst::Pipeline, Failure> {
    let (camera, place) = camera(arguments.camera.as_deref())?;
    let picture = picture(arguments).map_or_else(String::new, |sink| {
        format!(
            "! emotionoverlay ! tee name=frames
             frames. ! queue leaky=downstream max-size-buffers=2 ! videoconvert ! {sink}
             frames."
        )
    });
    // scan-interval spares the processor: a full search twice a second, and in between only around the faces.
    // leaky queues: a picture that comes too late is dropped rather than delaying everything behind it.
    let pipeline = pipeline::parse(&format!(
        "{camera} ! videoconvert ! queue leaky=downstream max-size-buffers=2
         ! haarfacedetect scan-interval=500000000 ! emotionclassify {picture} ! queue ! player.mood
         moodplayer name=player ! volume name=volume ! audioconvert ! audioresample ! queue ! {}",
        arguments.audio_sink
    ))?;
    if let Some((property, place)) = place {
        pipeline::element(&pipeline, "camera")?.set_property(property, place);
    }
    let player = pipeline::element(&pipeline, "player")?;
    player.set_property("library", library);
    player.set_property("client", &arguments.client.client);
    player.set_property("allow-network", arguments.reach.allow_network);
    player.set_property("allow-outside", arguments.reach.allow_outside);
    player.set_property("target-valence", arguments.target_valence);
    player.set_property("target-arousal", arguments.target_arousal);
    if let Some(strategy) = arguments.strategy.to_possible_value() {
        player.set_property_from_str("strategy", strategy.get_name());
    }
    Ok(pipeline)
}

/// Where the picture goes, if anywhere.
fn picture(arguments: &Arguments) -> Option<&str> {
    let display = || ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| env::var_os(name).is_some());
    match &arguments.video_sink {
        Some(sink) => Some(sink),
        None if arguments.no_window => None,
        None if display() => Some("autovideosink"),
        // Without one, GStreamer tries sinks that take over the console, and some of them wait for ever.
        None => {
            eprintln!("gst-mood: warning: no display, so no window; --video-sink names another place");
            None
        }
    }
}

/// The source of pictures in gst-launch's notation, and a property of the element `camera` with a path, which needs no
/// quoting there.
type Camera = (String, Option<(&'static str, String)>);

fn camera(wanted: Option<&str>) -> Result<Camera, Failure> {
    let Some(wanted) = wanted else { return Ok(("autovideosrc name=camera".into(), None)) };
    match fs::metadata(wanted) {
        Ok(found) if found.file_type().is_char_device() => {
            Ok(("v4l2src name=camera".into(), Some(("device", wanted.into()))))
        }
        Ok(found) if found.is_file() => Ok((
            "filesrc name=camera ! decodebin ! videoconvert ! identity sync=true".into(),
            Some(("location", wanted.into())),
        )),
        Err(error) if wanted.starts_with('/') => {
            Err(Failure::Environment(format!("camera {wanted}: {error}")))
        }
        _ => Ok((wanted.into(), None)),
    }
}

/// What runs.
struct Live {
    pipeline: gst::Pipeline,
    player: gst::Element,
    volume: Volume,
    bus: gst::Bus,
    mpris: Option<Mpris>,
    status: Status,
    /// While the music fades out: what comes then, and when at the latest.
    resting: Option<(Status, Instant)>,
    /// Once it is stopped, that is the end.
    quitting: bool,
    /// What peers set, 0-1.
    loudness: f64,
    /// The address of the track that plays; empty in silence.
    leading: String,
    json: bool,
}

impl Live {
    /// To the end; peers who ask about tracks are answered from `source`.
    fn play(&mut self, source: Option<Source>) -> Result<(), Failure> {
        use gst::{MessageType, MessageView};
        let types = [MessageType::Error, MessageType::Eos, MessageType::Warning, MessageType::Element];
        self.set(Status::Playing)?;
        let (ask, requests) = mpsc::channel();
        if let Some(source) = source {
            self.appear(source, ask)?;
        }
        loop {
            if pipeline::interrupted() {
                self.obey(Request::Quit)?;
            }
            for request in requests.try_iter() {
                self.obey(request)?;
            }
            if let Some((status, latest)) = self.resting
                && (self.volume.silence() >= TAIL || Instant::now() >= latest)
            {
                self.resting = None;
                self.set(status)?;
            }
            if self.quitting && self.status == Status::Stopped {
                return Ok(());
            }
            let Some(message) = self.bus.timed_pop_filtered(pipeline::TICK, &types) else { continue };
            match message.view() {
                MessageView::Error(error) => return Err(Failure::Work(pipeline::in_words(error))),
                MessageView::Eos(_) => return Ok(()),
                MessageView::Warning(warning) => pipeline::warn(warning),
                MessageView::Element(element) => {
                    if let Some(line) = element.structure().and_then(line) {
                        self.tell(&line)?;
                    }
                }
                _ => {}
            }
        }
    }

    /// Lets peers see it, now that it plays.
    fn appear(&mut self, source: Source, ask: mpsc::Sender<Request>) -> Result<(), Failure> {
        let pipeline = self.pipeline.downgrade();
        let position = move || pipeline.upgrade()?.query_position::<gst::ClockTime>().map(Duration::from);
        let mpris = Mpris::start(source, ask, Box::new(position))
            .map_err(|error| Failure::Work(format!("no thread can be started: {error}")))?;
        mpris.tell(News::Status(self.status));
        self.mpris = Some(mpris);
        Ok(())
    }

    /// Does what a peer asks for, in the way of the specification.
    fn obey(&mut self, request: Request) -> Result<(), Failure> {
        let status = self.resting.map_or(self.status, |(status, _)| status);
        match (request, status) {
            _ if self.quitting => {}
            (Request::Quit, _) => {
                self.quitting = true;
                self.rest(Status::Stopped)?;
            }
            (Request::Play | Request::PlayPause, Status::Paused | Status::Stopped) => {
                self.resting = None;
                self.volume.set(self.loudness);
                if self.status != Status::Playing {
                    self.set(Status::Playing)?;
                }
            }
            (Request::Pause | Request::PlayPause, Status::Playing) => self.rest(Status::Paused)?,
            (Request::Stop, Status::Playing | Status::Paused) => self.rest(Status::Stopped)?,
            (Request::Next, Status::Playing | Status::Paused) => {
                self.player.emit_by_name::<()>("skip", &[]);
            }
            (Request::Volume(volume), _) => {
                self.loudness = volume;
                if status == Status::Playing {
                    self.volume.set(volume);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Fades out what sounds, and then pauses or stops.
    fn rest(&mut self, status: Status) -> Result<(), Failure> {
        if self.status != Status::Playing {
            return self.set(status);
        }
        self.volume.set(0.0);
        self.resting = Some((status, Instant::now() + PATIENCE));
        Ok(())
    }

    /// Camera and music play, rest, or are let go: a stopped camera is free for others, and its light is off.
    fn set(&mut self, status: Status) -> Result<(), Failure> {
        match (self.status, status) {
            (Status::Stopped, Status::Playing) => {
                pipeline::set_state(&self.pipeline, gst::State::Ready)?;
                self.check_devices()?;
                pipeline::set_state(&self.pipeline, gst::State::Playing)?;
            }
            (_, Status::Playing) => pipeline::set_state(&self.pipeline, gst::State::Playing)?,
            (_, Status::Paused) => pipeline::set_state(&self.pipeline, gst::State::Paused)?,
            (_, Status::Stopped) => pipeline::set_state(&self.pipeline, gst::State::Null)?,
        }
        self.status = status;
        self.inform(News::Status(status));
        if status == Status::Stopped {
            self.silence();
        }
        Ok(())
    }

    /// Where they find nothing, the automatic elements quietly put in a test picture, or let the sound fall.
    fn check_devices(&self) -> Result<(), Failure> {
        for (fake, advice) in [
            ("fake-auto-video-src", "no camera found: connect one, or name one with --camera"),
            (
                "fake-audio-sink",
                "no sound output found: connect one, start the sound server, or name one with --audio-sink",
            ),
        ] {
            if self.pipeline.by_name(fake).is_some() {
                return Err(Failure::Environment(advice.into()));
            }
        }
        Ok(())
    }

    fn inform(&self, news: News) {
        if let Some(mpris) = &self.mpris {
            mpris.tell(news);
        }
    }

    /// Keeps peers up with what leads.
    fn follow(&mut self, track: &TrackLine) {
        let leads = match track.event {
            TrackEvent::Started => true,
            // Of the track that just started, or of one that was fading out and leads again.
            TrackEvent::CrossfadeStarted => self.leading != track.uri,
            _ => false,
        };
        if leads {
            self.leading.clone_from(&track.uri);
            let (uri, title) = (track.uri.clone(), track.title.clone());
            self.inform(News::Began { uri, title, at: Duration::from_nanos(track.pts) });
        } else if track.event == TrackEvent::Ended
            && self.player.property::<Option<String>>("track").unwrap_or_default().is_empty()
        {
            self.silence();
        }
    }

    fn silence(&mut self) {
        self.leading.clear();
        self.inform(News::Silence);
    }

    /// Tells what the player decided and plays, here and outside.
    fn tell(&mut self, line: &Line) -> Result<(), Failure> {
        if let Line::Track(track) = line {
            self.follow(track);
        }
        let text = match line {
            _ if self.json => line.to_json(),
            Line::Mood(mood) => format!("mood: {} ({:.0} % sure)", mood.to, 100.0 * mood.confidence),
            Line::Track(track) if track.event == TrackEvent::Started => {
                format!("plays {} ({})", track.title, track.reason)
            }
            Line::Safety(_) => "the mood has been low for long: the music leads out of it".into(),
            _ => return Ok(()),
        };
        // Whoever reads may have gone.
        writeln!(io::stdout(), "{}", text.replace(['\n', '\r'], " "))
            .map_err(|error| Failure::Work(format!("standard output: {error}")))
    }
}

/// What a message of the player says.
fn line(said: &gst::StructureRef) -> Option<Line> {
    let text = |name| said.get::<String>(name).unwrap_or_default();
    let pts = said.get("timestamp").ok()?;
    let event = match said.name().as_str() {
        "mood-changed" => {
            return Some(Line::Mood(MoodLine {
                pts,
                from: text("from").parse().ok()?,
                to: text("to").parse().ok()?,
                confidence: said.get("confidence").ok()?,
                evidence: [said.get("evidence-start").ok()?, said.get("evidence-end").ok()?],
            }));
        }
        "safety-limit" => {
            return Some(Line::Safety(SafetyLine { pts, negative_time: said.get("negative-time").ok()? }));
        }
        "track-started" => TrackEvent::Started,
        "crossfade-started" => TrackEvent::CrossfadeStarted,
        "crossfade-done" => TrackEvent::CrossfadeDone,
        "track-ended" => TrackEvent::Ended,
        "track-failed" => TrackEvent::Failed,
        _ => return None,
    };
    let candidates = said.get::<gst::Array>("runners-up").ok();
    let candidate = |value: &gst::glib::SendValue| {
        let candidate = value.get::<gst::Structure>().ok()?;
        Some(Candidate { uri: candidate.get("uri").ok()?, distance: candidate.get("distance").ok()? })
    };
    let reason = if event == TrackEvent::Failed { "error" } else { "reason" };
    Some(Line::Track(TrackLine {
        pts,
        event,
        uri: text("uri"),
        title: text("title"),
        mood: text("mood").parse().ok(),
        distance: said.get("distance").ok(),
        reason: text(reason),
        runners_up: candidates.iter().flat_map(|array| array.iter()).filter_map(candidate).collect(),
    }))
}
