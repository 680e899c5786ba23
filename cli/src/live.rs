//! `gst-mood live`: a camera drives the music until Ctrl-C, or until a media controller of the desktop stops
//! it.
//!
//! Only this thread changes the pipeline's state. Ctrl-C, the pipeline's bus and the D-Bus thread reach it as
//! a flag, messages and a channel.

use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use gst::prelude::*;
use mood::Strategy;
use mood_meta::message::parse_player_line;
use mood_schema::{Line, TrackEvent, TrackLine};

use crate::arguments::{AccessArguments, ClientArguments, parse_coordinate};
use crate::data_folder::default_library;
use crate::error::CommandError;
use crate::files::path_to_str;
use crate::mpris::{LibrarySource, Mpris, PlaybackStatus, PlayerCommand, PlayerEvent};
use crate::output;
use crate::pipeline;
use crate::volume::VolumeRamp;

/// How long the audio that has passed the volume element may take to reach the loudspeaker.
const OUTPUT_DELAY: Duration = Duration::from_millis(400);
/// How long a pause or stop waits for the music to fade out; a stalled pipeline does not fade.
const FADE_TIMEOUT: Duration = Duration::from_secs(2);

/// The arguments of `live`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A library database, a folder with music or a playlist [default: the user's own database]
    #[arg(short, long)]
    library: Option<PathBuf>,
    /// Whose ratings and exclusions count.
    #[command(flatten)]
    client: ClientArguments,
    /// A device such as /dev/video2, a video file to try it with, or a source in gst-launch's notation
    /// [default: the first camera there is]
    #[arg(long)]
    camera: Option<String>,
    /// How the music relates to the mood
    #[arg(long, default_value_t, value_parser = strategy_parser())]
    strategy: Strategy,
    /// Where target and iso lead: unpleasant -1 to pleasant 1
    #[arg(long, value_name = "V", default_value_t = 0.5, allow_hyphen_values = true,
          value_parser = parse_coordinate)]
    target_valence: f64,
    /// Where target and iso lead: calm -1 to activated 1
    #[arg(long, value_name = "A", default_value_t = -0.3, allow_hyphen_values = true,
          value_parser = parse_coordinate)]
    target_arousal: f64,
    /// What playlists may refer to.
    #[command(flatten)]
    access: AccessArguments,
    /// Where the picture goes, in gst-launch's notation [default: a window]
    #[arg(long, value_name = "SINK")]
    video_sink: Option<String>,
    /// Where the sound goes, in gst-launch's notation
    #[arg(long, value_name = "SINK", default_value = "autoaudiosink")]
    audio_sink: String,
    /// Show no picture
    #[arg(long, conflicts_with = "video_sink")]
    no_window: bool,
    /// Do not register with the desktop's media control (MPRIS)
    #[arg(long)]
    no_mpris: bool,
    /// Print JSON, one line for whatever the player decides and plays, as in its decision log
    #[arg(long)]
    json: bool,
}

/// Parses a strategy by its nick; the help text lists them all.
fn strategy_parser() -> impl TypedValueParser<Value = Strategy> {
    let values = Strategy::ALL.iter().map(|strategy| {
        PossibleValue::new(strategy.nick()).help(match strategy {
            Strategy::Match => "Play what fits the mood",
            Strategy::Target => "Play the target, whatever the mood",
            Strategy::Iso => "Start at the mood and step towards the target",
            Strategy::Hold => "Keep what fitted the first mood",
        })
    });
    PossibleValuesParser::new(values).try_map(|nick| nick.parse::<Strategy>())
}

/// Plays until the camera ends, Ctrl-C is pressed, or a media controller quits it.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let library = arguments.library.clone().map_or_else(default_library, Ok)?;
    let library = path_to_str(&library)?.to_owned();
    arguments.client.require_consent()?;
    pipeline::init_gstreamer()?;
    let pipeline = build_pipeline(arguments, &library)?;
    let mut live = Live {
        player: pipeline::element(&pipeline, "player")?,
        ramp: VolumeRamp::new(&pipeline::element(&pipeline, "volume")?)?,
        bus: pipeline.bus().ok_or_else(|| CommandError::Failed("a pipeline without a bus".into()))?,
        pipeline,
        mpris: None,
        status: PlaybackStatus::Stopped,
        fade_out: None,
        is_quitting: false,
        volume: 1.0,
        current_uri: String::new(),
        prints_json: arguments.json,
    };
    let source =
        (!arguments.no_mpris).then_some(LibrarySource { library, access: arguments.access.to_access() });
    let played = live.play(source);
    let stopped = live.set_status(PlaybackStatus::Stopped);
    played.and(stopped)
}

/// Builds the pipeline of `pipelines/live.sh`, with a volume element behind the player.
fn build_pipeline(arguments: &Arguments, library: &str) -> Result<gst::Pipeline, CommandError> {
    let camera = Camera::parse(arguments.camera.as_deref())?;
    let window = video_sink(arguments).map_or_else(String::new, |sink| {
        format!(
            "! emotionoverlay ! tee name=frames
             frames. ! queue leaky=downstream max-size-buffers=2 ! videoconvert ! {sink}
             frames."
        )
    });
    // scan-interval spares the processor: frames are searched completely twice a second, and in between only
    // around the faces. The leaky queues drop late frames, which would delay everything behind them.
    let pipeline = pipeline::parse(&format!(
        "{} ! videoconvert ! queue leaky=downstream max-size-buffers=2
         ! haarfacedetect scan-interval=500000000 ! emotionclassify {window} ! queue ! player.mood
         moodplayer name=player ! volume name=volume ! audioconvert ! audioresample ! queue ! {}",
        camera.description, arguments.audio_sink
    ))?;
    if let Some((property, path)) = camera.location {
        pipeline::forbid_network(&pipeline);
        pipeline::element(&pipeline, "camera")?.set_property(property, path);
    }
    let player = pipeline::element(&pipeline, "player")?;
    player.set_property("library", library);
    player.set_property("client", &arguments.client.client);
    player.set_property("allow-network", arguments.access.allow_network);
    player.set_property("allow-outside", arguments.access.allow_outside);
    player.set_property("target-valence", arguments.target_valence);
    player.set_property("target-arousal", arguments.target_arousal);
    player.set_property_from_str("strategy", arguments.strategy.nick());
    Ok(pipeline)
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
        match fs::metadata(argument) {
            Ok(metadata) if metadata.file_type().is_char_device() => Ok(Self {
                description: "v4l2src name=camera".into(),
                location: Some(("device", argument.into())),
            }),
            Ok(metadata) if metadata.is_file() => Ok(Self {
                description: "filesrc name=camera ! decodebin ! videoconvert ! identity sync=true".into(),
                location: Some(("location", argument.into())),
            }),
            Err(error) if argument.starts_with('/') => {
                Err(CommandError::Environment(format!("camera {argument}: {error}")))
            }
            _ => Ok(Self { description: argument.into(), location: None }),
        }
    }
}

/// A fade-out that a pause or stop waits for.
#[derive(Clone, Copy)]
struct FadeOut {
    /// The status once the music has faded out.
    next_status: PlaybackStatus,
    /// The status changes by this time, even if the music has not faded out.
    deadline: Instant,
}

/// The running pipeline and its state.
struct Live {
    pipeline: gst::Pipeline,
    player: gst::Element,
    ramp: VolumeRamp,
    bus: gst::Bus,
    /// The desktop's media control, unless it is not wanted.
    mpris: Option<Mpris>,
    status: PlaybackStatus,
    /// Set while the music fades out before a pause or stop.
    fade_out: Option<FadeOut>,
    /// Whether the command ends as soon as the status is stopped.
    is_quitting: bool,
    /// The volume that a media controller set, a linear gain from 0 to 1.
    volume: f64,
    /// URI of the track that plays, of two in a crossfade the new one; empty in silence.
    current_uri: String,
    /// Whether decisions are printed as JSON.
    prints_json: bool,
}

impl Live {
    /// Plays until the end. With a `source`, the player appears among the desktop's media players and answers
    /// questions about tracks from it.
    fn play(&mut self, source: Option<LibrarySource>) -> Result<(), CommandError> {
        use gst::{MessageType, MessageView};
        let types = [MessageType::Error, MessageType::Eos, MessageType::Warning, MessageType::Element];
        self.set_status(PlaybackStatus::Playing)?;
        let (sender, commands) = mpsc::channel();
        if let Some(source) = source {
            self.start_mpris(source, sender)?;
        }
        loop {
            if pipeline::is_interrupted() {
                self.handle_command(PlayerCommand::Quit)?;
            }
            for command in commands.try_iter() {
                self.handle_command(command)?;
            }
            if let Some(FadeOut { next_status, deadline }) = self.fade_out
                && (self.ramp.silence() >= OUTPUT_DELAY || Instant::now() >= deadline)
            {
                self.fade_out = None;
                self.set_status(next_status)?;
            }
            if self.is_quitting && self.status == PlaybackStatus::Stopped {
                return Ok(());
            }
            let Some(message) = self.bus.timed_pop_filtered(pipeline::POLL_INTERVAL, &types) else {
                continue;
            };
            match message.view() {
                MessageView::Error(error) => {
                    return Err(CommandError::Failed(pipeline::describe_error(error)));
                }
                MessageView::Eos(_) => return Ok(()),
                MessageView::Warning(warning) => pipeline::print_warning(warning),
                MessageView::Element(element) => {
                    if let Some(line) = element.structure().and_then(parse_player_line) {
                        self.report_line(&line)?;
                    }
                }
                _ => {}
            }
        }
    }

    /// Starts the media control; `commands` gets what controllers ask for.
    fn start_mpris(
        &mut self,
        source: LibrarySource,
        commands: mpsc::Sender<PlayerCommand>,
    ) -> Result<(), CommandError> {
        let pipeline = self.pipeline.downgrade();
        let position = move || pipeline.upgrade()?.query_position::<gst::ClockTime>().map(Duration::from);
        let mpris = Mpris::start(source, commands, Box::new(position))
            .map_err(|error| CommandError::Failed(format!("no thread can be started: {error}")))?;
        mpris.post(PlayerEvent::Status(self.status));
        self.mpris = Some(mpris);
        Ok(())
    }

    /// Executes a command as the MPRIS specification defines it for the current status.
    fn handle_command(&mut self, command: PlayerCommand) -> Result<(), CommandError> {
        use PlaybackStatus::{Paused, Playing, Stopped};
        let status = self.fade_out.map_or(self.status, |fade_out| fade_out.next_status);
        match (command, status) {
            _ if self.is_quitting => {}
            (PlayerCommand::Quit, _) => {
                self.is_quitting = true;
                self.fade_out_to(Stopped)?;
            }
            (PlayerCommand::Play | PlayerCommand::PlayPause, Paused | Stopped) => {
                self.fade_out = None;
                self.ramp.set_gain(self.volume);
                if self.status != Playing {
                    self.set_status(Playing)?;
                }
            }
            (PlayerCommand::Pause | PlayerCommand::PlayPause, Playing) => self.fade_out_to(Paused)?,
            (PlayerCommand::Stop, Playing | Paused) => self.fade_out_to(Stopped)?,
            (PlayerCommand::Next, Playing | Paused) => {
                self.player.emit_by_name::<()>("skip", &[]);
            }
            (PlayerCommand::SetVolume(volume), _) => {
                self.volume = volume;
                if status == Playing {
                    self.ramp.set_gain(volume);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Begins to fade out the music; the status changes after that, or at once if nothing plays.
    fn fade_out_to(&mut self, status: PlaybackStatus) -> Result<(), CommandError> {
        if self.status != PlaybackStatus::Playing {
            return self.set_status(status);
        }
        self.ramp.set_gain(0.0);
        self.fade_out = Some(FadeOut { next_status: status, deadline: Instant::now() + FADE_TIMEOUT });
        Ok(())
    }

    /// Changes the state of the pipeline. Stopping releases the camera, so that other programs can use it and
    /// its light goes out.
    fn set_status(&mut self, status: PlaybackStatus) -> Result<(), CommandError> {
        match (self.status, status) {
            (PlaybackStatus::Stopped, PlaybackStatus::Playing) => {
                pipeline::set_state(&self.pipeline, gst::State::Ready)?;
                self.check_devices()?;
                pipeline::set_state(&self.pipeline, gst::State::Playing)?;
            }
            (_, PlaybackStatus::Playing) => pipeline::set_state(&self.pipeline, gst::State::Playing)?,
            (_, PlaybackStatus::Paused) => pipeline::set_state(&self.pipeline, gst::State::Paused)?,
            (_, PlaybackStatus::Stopped) => pipeline::set_state(&self.pipeline, gst::State::Null)?,
        }
        self.status = status;
        self.post_event(PlayerEvent::Status(status));
        if status == PlaybackStatus::Stopped {
            self.clear_track();
        }
        Ok(())
    }

    /// Fails if `autovideosrc` or `autoaudiosink` found no device: without an error, they then show a test
    /// pattern or discard the audio.
    fn check_devices(&self) -> Result<(), CommandError> {
        for (substitute, advice) in [
            ("fake-auto-video-src", "no camera found: connect one, or name one with --camera"),
            (
                "fake-audio-sink",
                "no sound output found: connect one, start the sound server, or name one with --audio-sink",
            ),
        ] {
            if self.pipeline.by_name(substitute).is_some() {
                return Err(CommandError::Environment(advice.into()));
            }
        }
        Ok(())
    }

    /// Informs media controllers.
    fn post_event(&self, event: PlayerEvent) {
        if let Some(mpris) = &self.mpris {
            mpris.post(event);
        }
    }

    /// Updates the current track from a track event, and informs media controllers about a change.
    fn update_track(&mut self, track: &TrackLine) {
        let is_new_track = match track.event {
            TrackEvent::Started => true,
            // The incoming track has either just started, or was fading out and is faded in again.
            TrackEvent::CrossfadeStarted => self.current_uri != track.uri,
            _ => false,
        };
        if is_new_track {
            self.current_uri.clone_from(&track.uri);
            self.post_event(PlayerEvent::TrackStarted {
                uri: track.uri.clone(),
                title: track.title.clone(),
                position: Duration::from_nanos(track.pts),
            });
        } else if track.event == TrackEvent::Ended
            && self.player.property::<Option<String>>("track").unwrap_or_default().is_empty()
        {
            self.clear_track();
        }
    }

    /// Records that no track plays any more, and informs media controllers.
    fn clear_track(&mut self) {
        self.current_uri.clear();
        self.post_event(PlayerEvent::TrackEnded);
    }

    /// Prints a decision of the player or the start of a track, and informs media controllers about tracks.
    fn report_line(&mut self, line: &Line) -> Result<(), CommandError> {
        if let Line::Track(track) = line {
            self.update_track(track);
        }
        let text = match line {
            _ if self.prints_json => line.to_json(),
            Line::Mood(mood) => format!("mood: {} ({:.0} % sure)", mood.to, 100.0 * mood.confidence),
            Line::Track(track) if track.event == TrackEvent::Started => {
                format!("plays {} ({})", track.title, track.reason)
            }
            Line::Safety(_) => "the mood has been low for long: the music leads out of it".into(),
            _ => return Ok(()),
        };
        // Not println!, which takes a reader that has closed the pipe for no error.
        let mut out = output::stdout();
        writeln!(out, "{}", text.replace(['\n', '\r'], " "))
            .and_then(|()| out.flush())
            .map_err(|error| CommandError::Failed(format!("standard output: {error}")))
    }
}
