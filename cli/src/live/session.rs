//! The running session: what happens in the pipeline, and what user interfaces ask for.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use gst::prelude::*;
use mood::Subject;
use mood_meta::message::parse_player_line;
use mood_schema::{Affect, Face, Line, TrackEvent, TrackLine};

use super::arguments::SessionArguments;
use super::control::{MoodSample, PlaybackStatus, SessionCommand, SessionControl, SessionState, TrackStatus};
use super::film::{FILM_ENDED, Film};
use super::player_status;
use super::record::Record;
use super::speaker::Speaker;
use super::steering::Steering;
use crate::client_face::ClientFace;
use crate::clients::Client;
use crate::consent::ConsentedClient;
use crate::error::CommandError;
use crate::interruption;
use crate::mpris::{LibrarySource, Mpris, PlayerEvent};
use crate::output;
use crate::pipeline;
use crate::volume::VolumeRamp;

/// How long the audio that has passed the volume element may take to reach the loudspeaker.
const OUTPUT_DELAY: Duration = Duration::from_millis(400);
/// How long a pause or stop waits for the music to fade out; a stalled pipeline does not fade.
const FADE_TIMEOUT: Duration = Duration::from_secs(2);

/// The name of the element that gives frames with faces where nothing is classified.
pub const FACES: &str = "faces";

/// How often a device that was lost is looked for.
const DEVICE_INTERVAL: Duration = Duration::from_secs(1);

/// How often a sound output that has been missing for long is looked for.
const LONGEST_INTERVAL: Duration = Duration::from_secs(15);

/// A fade-out that a pause or stop waits for.
#[derive(Clone, Copy)]
struct FadeOut {
    /// The status once the music has faded out.
    next_status: PlaybackStatus,
    /// The status changes by this time, even if the music has not faded out.
    deadline: Instant,
}

/// The running pipeline and its state.
pub struct LiveSession {
    pipeline: gst::Pipeline,
    player: gst::Element,
    /// Whose history it is, where a client is named.
    client: Option<Client>,
    /// The client's resting face, where a client is named.
    client_face: Option<ClientFace>,
    ramp: VolumeRamp,
    speaker: Speaker,
    /// Whether the session may begin without a sound output.
    may_be_silent: bool,
    /// When a sound output that is missing is looked for again.
    next_speaker_look: Instant,
    /// The time between two looks.
    speaker_interval: Duration,
    /// The video file that is played again and again, where the camera is one.
    film: Option<Film>,
    bus: gst::Bus,
    control: SessionControl,
    /// What user interfaces ask for.
    commands: mpsc::Receiver<SessionCommand>,
    steering: Steering,
    clock: SessionClock,
    /// Whether a frame has come since the pipeline was started or went on.
    has_frame: Arc<AtomicBool>,
    /// What is kept of the session, if anything is.
    record: Option<Record>,
    /// The desktop's media control, unless it is not wanted.
    mpris: Option<Mpris>,
    status: PlaybackStatus,
    /// Set while the music fades out before a pause or stop.
    fade_out: Option<FadeOut>,
    /// Whether the session ends as soon as the status is stopped.
    is_quitting: bool,
    /// URI of the track that plays, of two in a crossfade the new one; empty in silence.
    current_uri: String,
    /// Whether decisions are printed as JSON.
    prints_json: bool,
    /// Whether a frame has ever come: what failed before is not there at all.
    has_played: bool,
    /// When a device that was lost is looked for again.
    next_look: Option<Instant>,
}

impl LiveSession {
    /// A session that is stopped. Where the camera is a video file, `repeats_film` plays it again and again; `may_be_silent` lets
    /// it begin without a sound output.
    pub fn new(
        pipeline: gst::Pipeline,
        arguments: &SessionArguments,
        client: Option<&ConsentedClient>,
        repeats_film: bool,
        may_be_silent: bool,
    ) -> Result<Self, CommandError> {
        let bus = pipeline.bus().ok_or_else(|| CommandError::Failed("a pipeline without a bus".into()))?;
        let (control, commands) = SessionControl::new(bus.clone());
        let player = pipeline::element(&pipeline, "player")?;
        let classifier = pipeline.by_name("classifier");
        let record = arguments.output.as_ref().map(|folder| Record::create(folder, &pipeline, client));
        let record = record.transpose()?;
        let film = if repeats_film { Film::repeat(&pipeline) } else { None };
        let open_face = |classifier| ClientFace::open(&arguments.client.client, classifier);
        let session = Self {
            speaker: Speaker::new(&pipeline, arguments.audio_sink())?,
            may_be_silent,
            next_speaker_look: Instant::now(),
            speaker_interval: DEVICE_INTERVAL,
            film,
            client: client.map(|client| Client::open(&client.name)).transpose()?,
            client_face: classifier.map(open_face).transpose()?.flatten(),
            ramp: VolumeRamp::new(&pipeline::element(&pipeline, "volume")?)?,
            steering: Steering::new(player.clone(), control.clone()),
            player,
            bus,
            pipeline,
            control,
            commands,
            clock: SessionClock::start(),
            has_frame: Arc::default(),
            record,
            mpris: None,
            status: PlaybackStatus::Stopped,
            fade_out: None,
            is_quitting: false,
            current_uri: String::new(),
            prints_json: arguments.json,
            has_played: false,
            next_look: None,
        };
        session.publish_faces()?;
        Ok(session)
    }

    /// The session as user interfaces see it.
    pub fn control(&self) -> SessionControl {
        self.control.clone()
    }

    /// How long a crossfade takes.
    pub fn crossfade(&self) -> Duration {
        Duration::from_nanos(self.player.property("crossfade"))
    }

    /// When the session began. Its clock is 0 a little later, at the beginning of the stream time of the first frame.
    pub fn origin(&self) -> Instant {
        self.clock.started
    }

    /// The pad that every frame passes once its faces are classified.
    pub fn frame_pad(&self) -> Result<gst::Pad, CommandError> {
        let classifier = self.pipeline.by_name("classifier").or_else(|| self.pipeline.by_name(FACES));
        let pad = classifier.and_then(|classifier| classifier.static_pad("src"));
        pad.ok_or_else(|| CommandError::Failed("nothing in the pipeline gives faces".into()))
    }

    /// Plays until the end. With a `source`, the player appears among the desktop's media players and answers
    /// questions about tracks from it.
    pub fn run(&mut self, source: Option<LibrarySource>) -> Result<(), CommandError> {
        let played = self.play(source);
        let stopped = self.set_status(PlaybackStatus::Stopped);
        self.control.update(|state| state.has_ended = true);
        played.and(stopped)
    }

    fn play(&mut self, source: Option<LibrarySource>) -> Result<(), CommandError> {
        use gst::{MessageType, MessageView};
        let types = [
            MessageType::Error,
            MessageType::Eos,
            MessageType::Warning,
            MessageType::Element,
            // A command has come.
            MessageType::Application,
            MessageType::ClockLost,
        ];
        self.set_status(PlaybackStatus::Playing)?;
        if let Some(source) = source {
            self.start_mpris(source)?;
        }
        loop {
            if interruption::is_interrupted() {
                self.handle_command(SessionCommand::Quit)?;
            }
            while let Ok(command) = self.commands.try_recv() {
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
            self.publish_status();
            self.update_clock();
            self.look_for_device()?;
            self.look_for_speaker()?;
            let Some(message) = self.bus.timed_pop_filtered(pipeline::POLL_INTERVAL, &types) else {
                continue;
            };
            match message.view() {
                MessageView::Error(error) if self.has_played && self.speaker.is_source_of(error) => {
                    self.lose_speaker(&pipeline::describe_error(error));
                }
                // What it has posted before it was taken away, or looked for in vain.
                MessageView::Error(error) if is_removed(error) => {}
                MessageView::Warning(warning)
                    if is_removed(warning)
                        || self.speaker.is_missing() && self.speaker.is_source_of(warning) => {}
                MessageView::ClockLost(_) => self.replace_clock()?,
                MessageView::Application(message)
                    if message.structure().is_some_and(|structure| structure.name() == FILM_ENDED) =>
                {
                    if let Some(film) = &self.film {
                        film.rewind();
                    }
                }
                MessageView::Error(error) if self.has_played && is_device_error(error) => {
                    self.lose_device(&pipeline::describe_error(error))?;
                }
                MessageView::Error(error) => {
                    return Err(CommandError::Failed(pipeline::describe_error(error)));
                }
                MessageView::Eos(_) => return Ok(()),
                MessageView::Warning(warning) => {
                    pipeline::print_warning(warning);
                    let text = warning.error().to_string();
                    self.control.update(|state| state.warning = Some(text));
                }
                MessageView::Element(element) => {
                    if let Some(line) = element.structure().and_then(parse_player_line) {
                        self.report_line(&line)?;
                    }
                }
                _ => {}
            }
        }
    }

    /// Releases the devices after one of them has failed while the session played; it is looked for from now on.
    fn lose_device(&mut self, error: &str) -> Result<(), CommandError> {
        self.set_status(PlaybackStatus::Stopped)?;
        self.fade_out = None;
        self.next_look = Some(Instant::now() + DEVICE_INTERVAL);
        self.control.warn(format!("{error}; the session goes on as soon as the device is back"));
        Ok(())
    }

    /// Where a device was lost, starts again if it is back.
    fn look_for_device(&mut self) -> Result<(), CommandError> {
        if self.next_look.is_none_or(|time| Instant::now() < time) || self.is_quitting {
            return Ok(());
        }
        self.ramp.set_gain(self.steering.volume());
        match self.set_status(PlaybackStatus::Playing) {
            Ok(()) => {
                self.next_look = None;
                self.control.update(|state| state.warning = None);
            }
            Err(_) => {
                self.set_status(PlaybackStatus::Stopped)?;
                self.next_look = Some(Instant::now() + DEVICE_INTERVAL);
            }
        }
        Ok(())
    }

    /// Goes on without a sound output that has failed; it is looked for from now on.
    fn lose_speaker(&mut self, error: &str) {
        self.speaker.remove();
        self.speaker_interval = DEVICE_INTERVAL;
        self.next_speaker_look = Instant::now() + DEVICE_INTERVAL;
        self.control
            .warn(format!("{error}; the session goes on without sound until the sound output is back"));
    }

    /// Where the sound output is missing, uses it again if it is back.
    fn look_for_speaker(&mut self) -> Result<(), CommandError> {
        let is_due = self.status == PlaybackStatus::Playing && Instant::now() >= self.next_speaker_look;
        if !is_due || !self.speaker.is_missing() {
            return Ok(());
        }
        if self.speaker.is_stalled() {
            self.set_status(PlaybackStatus::Stopped)?;
            return self.set_status(PlaybackStatus::Playing);
        }
        if self.speaker.restore() {
            self.control.update(|state| state.warning = None);
        } else {
            // Looking for one may have side effects that a user sees or hears.
            self.speaker_interval = (2 * self.speaker_interval).min(LONGEST_INTERVAL);
        }
        self.next_speaker_look = Instant::now() + self.speaker_interval;
        Ok(())
    }

    /// Goes on with another clock than that of a sound output that is gone.
    fn replace_clock(&mut self) -> Result<(), CommandError> {
        if self.status != PlaybackStatus::Playing {
            return Ok(());
        }
        pipeline::pause(&self.pipeline)?;
        pipeline::set_state(&self.pipeline, gst::State::Playing)?;
        if let Some(record) = &mut self.record {
            record.restart_clock();
        }
        Ok(())
    }

    /// The time of the session's clock, ns.
    fn time(&self) -> u64 {
        self.clock.time()
    }

    /// Has the time of the day written into the record where that is due.
    fn update_clock(&mut self) {
        self.has_played |= self.has_frame.load(Ordering::Relaxed);
        let is_running = self.status == PlaybackStatus::Playing && self.has_frame.load(Ordering::Relaxed);
        let time = self.time();
        if let (true, Some(record)) = (is_running, &mut self.record)
            && let Some(running_time) = self.pipeline.current_running_time()
        {
            record.update_clock(running_time.nseconds(), time);
        }
    }

    /// Publishes the faces of each frame.
    fn publish_faces(&self) -> Result<(), CommandError> {
        let pad = self.frame_pad()?;
        let (control, clock, has_frame) = (self.control.clone(), self.clock.clone(), self.has_frame.clone());
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            if let Some(running_time) =
                pad.parent_element().and_then(|element| element.current_running_time())
            {
                clock.begin_at(running_time.nseconds());
            }
            has_frame.store(true, Ordering::Relaxed);
            let frame = info.buffer().and_then(|buffer| mood_meta::frame::read(buffer)).unwrap_or_default();
            let time = clock.time();
            let mut sample = None;
            control.update(|state| {
                let (followed_face, affect) = followed(&frame.faces, &state.settings.subject);
                (state.time, state.followed_face) = (time, followed_face);
                state.faces = frame.faces;
                let (mood, confidence) = (state.mood.mood, state.mood.confidence);
                sample = Some(MoodSample { time, mood, confidence, affect });
            });
            if let Some(sample) = sample {
                control.record_mood(sample);
            }
            gst::PadProbeReturn::Ok
        });
        Ok(())
    }

    /// Starts the media control.
    fn start_mpris(&mut self, source: LibrarySource) -> Result<(), CommandError> {
        let pipeline = self.pipeline.downgrade();
        let position = move || pipeline.upgrade()?.query_position::<gst::ClockTime>().map(Duration::from);
        let mpris =
            Mpris::start(source, self.control.clone(), Box::new(position)).map_err(CommandError::thread)?;
        mpris.post(PlayerEvent::Status(self.status));
        self.mpris = Some(mpris);
        Ok(())
    }

    /// Publishes what the player says about itself.
    fn publish_status(&self) {
        let Some(status) = self.player.property::<Option<gst::Structure>>("status") else { return };
        let before = self.control.state();
        self.control.update(|state| player_status::apply(state, &status));
        let after = self.control.state();
        let shown = |state: &SessionState| {
            let track = state.playing.as_ref();
            track.map(|track| (track.uri.clone(), track.duration, track.rating))
        };
        if shown(&before) != shown(&after) {
            self.post_event(PlayerEvent::TrackChanged);
        }
        if before.has_previous != after.has_previous {
            self.post_event(PlayerEvent::Property("CanGoPrevious"));
        }
    }

    /// Executes a command; what concerns playback, as the MPRIS specification defines it for the current status.
    fn handle_command(&mut self, command: SessionCommand) -> Result<(), CommandError> {
        use PlaybackStatus::{Paused, Playing, Stopped};
        let status = self.fade_out.map_or(self.status, |fade_out| fade_out.next_status);
        match (command, status) {
            _ if self.is_quitting => {}
            // Whoever stops does not want a lost device taken up again.
            (SessionCommand::Stop, Stopped) => self.next_look = None,
            (SessionCommand::Quit, _) => {
                self.is_quitting = true;
                self.fade_out_to(Stopped)?;
            }
            (SessionCommand::Play | SessionCommand::PlayPause, Paused | Stopped)
            | (SessionCommand::Resume, Paused) => {
                self.fade_out = None;
                self.ramp.set_gain(self.steering.volume());
                if self.status != Playing {
                    self.set_status(Playing)?;
                }
            }
            (SessionCommand::Pause | SessionCommand::PlayPause, Playing) => self.fade_out_to(Paused)?,
            (SessionCommand::Stop, Playing | Paused) => self.fade_out_to(Stopped)?,
            (SessionCommand::Pause | SessionCommand::Skip | SessionCommand::Previous, Stopped)
            | (SessionCommand::Resume, Playing | Stopped)
            | (SessionCommand::Play, Playing)
            | (SessionCommand::Pause, Paused) => {}
            (command, status) => {
                let before = self.control.state();
                let rated = self.steering.ratings().clone();
                self.steering.execute(command, self.time());
                self.record_ratings(&rated);
                if status == Playing {
                    self.ramp.set_gain(self.steering.volume());
                }
                let after = self.control.state();
                if let Some(record) = &mut self.record {
                    record.update_markers(&before.markers, &after.markers)?;
                }
                for (name, has_changed) in [
                    ("Volume", before.settings.volume != after.settings.volume),
                    ("LoopStatus", before.settings.loop_track != after.settings.loop_track),
                    ("Shuffle", before.settings.shuffle != after.settings.shuffle),
                ] {
                    if has_changed {
                        self.post_event(PlayerEvent::Property(name));
                    }
                }
            }
        }
        Ok(())
    }

    /// Records in the client's history which tracks have another rating than in `before`, by address.
    fn record_ratings(&self, before: &BTreeMap<String, i32>) {
        let playing = self.control.state().playing.clone().unwrap_or_default();
        let ratings = self.steering.ratings().iter();
        for (uri, rating) in ratings.filter(|(uri, rating)| before.get(*uri) != Some(rating)) {
            let title = if *uri == playing.uri { playing.title.as_str() } else { "" };
            self.record_music(uri, title, Some(*rating));
        }
    }

    /// Records in the client's history that a track was begun, or rated. The session goes on where that fails.
    fn record_music(&self, uri: &str, title: &str, rating: Option<i32>) {
        let added = self.client.as_ref().map_or(Ok(()), |client| client.add_music(uri, title, rating));
        if let Err(error) = added {
            self.control.warn(format!("the client's history: {error}"));
        }
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
        self.has_frame.store(false, Ordering::Relaxed);
        if let Some(record) = &mut self.record {
            record.restart_clock();
        }
        match (self.status, status) {
            (PlaybackStatus::Stopped, PlaybackStatus::Playing) => {
                self.client_face.as_ref().map_or(Ok(()), ClientFace::load)?;
                if let Some(record) = &mut self.record {
                    record.prepare_start()?;
                }
                if let Some(film) = &self.film {
                    film.start();
                }
                // It is looked for again once the session plays.
                self.next_speaker_look = Instant::now();
                pipeline::set_state(&self.pipeline, gst::State::Ready)?;
                self.check_devices()?;
                pipeline::set_state(&self.pipeline, gst::State::Playing)?;
                self.steering.restore();
            }
            (_, PlaybackStatus::Playing) => pipeline::set_state(&self.pipeline, gst::State::Playing)?,
            (_, PlaybackStatus::Paused) => pipeline::pause(&self.pipeline)?,
            (_, PlaybackStatus::Stopped) => {
                let saved = self
                    .client_face
                    .as_ref()
                    .map_or(Ok(()), |face| face.save(self.record.as_ref().and_then(Record::identity)));
                // The camera is released in any case.
                pipeline::set_state(&self.pipeline, gst::State::Null).and(saved)?;
            }
        }
        self.status = status;
        self.post_event(PlayerEvent::Status(status));
        self.control.update(|state| state.status = status);
        if status == PlaybackStatus::Stopped {
            self.clear_track();
            self.control.update(|state| (state.faces, state.followed_face) = (Vec::new(), None));
        }
        Ok(())
    }

    /// Fails if `autovideosrc` or `autoaudiosink` found no device: without an error, they then show a test
    /// pattern or discard the audio.
    fn check_devices(&self) -> Result<(), CommandError> {
        for (substitute, advice) in [
            ("fake-auto-video-src", "no camera found: connect one, name one with --camera, or try --demo"),
            ("fake-auto-audio-src", "no microphone found: connect one, or name one with --microphone"),
        ] {
            if self.pipeline.by_name(substitute).is_some() {
                return Err(CommandError::Environment(advice.into()));
            }
        }
        let advice =
            "no sound output found: connect one, start the sound server, or name one with --audio-sink";
        match self.speaker.is_missing() {
            true if self.may_be_silent => {
                self.control.warn(format!("{advice}; until then the session is silent"))
            }
            // One that was lost is looked for as long as the session plays.
            true if !self.has_played => return Err(CommandError::Environment(advice.into())),
            _ => {}
        }
        Ok(())
    }

    /// Informs media controllers.
    fn post_event(&self, event: PlayerEvent) {
        if let Some(mpris) = &self.mpris {
            mpris.post(event);
        }
    }

    /// Updates the current track from a track event, and informs user interfaces about a change.
    fn update_track(&mut self, track: &TrackLine) {
        let is_new_track = match track.event {
            TrackEvent::Started => true,
            // The incoming track has either just started, or was fading out and is faded in again.
            TrackEvent::CrossfadeStarted => self.current_uri != track.uri,
            _ => false,
        };
        if is_new_track {
            self.current_uri.clone_from(&track.uri);
            self.record_music(&track.uri, &track.title, None);
            self.post_event(PlayerEvent::TrackStarted {
                uri: track.uri.clone(),
                title: track.title.clone(),
                position: Duration::from_nanos(track.pts),
            });
            let playing = TrackStatus {
                uri: track.uri.clone(),
                title: track.title.clone(),
                mood: track.mood,
                distance: track.distance,
                reason: track.reason.clone(),
                ..TrackStatus::default()
            };
            self.control.update(|state| state.playing = Some(playing));
        } else if track.event == TrackEvent::Ended
            && self.player.property::<Option<String>>("track").unwrap_or_default().is_empty()
        {
            self.clear_track();
        }
    }

    /// Records that no track plays any more, and informs user interfaces.
    fn clear_track(&mut self) {
        self.current_uri.clear();
        self.post_event(PlayerEvent::TrackEnded);
        self.control.update(|state| (state.playing, state.next) = (None, None));
    }

    /// Prints a decision of the player or the start of a track, and informs user interfaces about both.
    fn report_line(&mut self, line: &Line) -> Result<(), CommandError> {
        match line {
            Line::Track(track) => self.update_track(track),
            Line::Mood(mood) => self.control.update(|state| {
                (state.mood.mood, state.mood.confidence) = (mood.to, mood.confidence);
            }),
            _ => {}
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

/// Whether the element that a message is from is no part of the pipeline any more.
fn is_removed(message: &gst::MessageRef) -> bool {
    let mut object = message.src().cloned();
    while let Some(parent) = object.as_ref().and_then(gst::prelude::GstObjectExt::parent) {
        object = Some(parent);
    }
    object.is_some_and(|root| !root.is::<gst::Pipeline>())
}

/// Whether a camera, microphone or loudspeaker has failed, and not a file or one of our elements.
fn is_device_error(message: &gst::message::Error) -> bool {
    let source = message.src().and_then(|source| source.downcast_ref::<gst::Element>());
    let factory = source.and_then(gst::Element::factory);
    let is_device = factory.is_some_and(|factory| {
        let class = factory.metadata(gst::ELEMENT_METADATA_KLASS).unwrap_or_default().to_owned();
        let is_file = factory.name().starts_with("file");
        !is_file && factory.name() != "moodplayer" && (class.contains("Source") || class.contains("Sink"))
    });
    is_device && message.error().kind::<gst::ResourceError>().is_some()
}

/// The clock of a session: monotonic, and 0 where the stream time of its first frames is 0.
#[derive(Clone)]
struct SessionClock {
    started: Instant,
    /// How long after `started` it was 0, ns; [`u64::MAX`] until the first frame.
    origin: Arc<AtomicU64>,
}

impl SessionClock {
    fn start() -> Self {
        Self { started: Instant::now(), origin: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The time, ns.
    fn time(&self) -> u64 {
        match self.origin.load(Ordering::Relaxed) {
            u64::MAX => 0,
            origin => self.elapsed().saturating_sub(origin),
        }
    }

    /// Sets the time to `running_time`, ns, the first time that it is called.
    fn begin_at(&self, running_time: u64) {
        let origin = self.elapsed().saturating_sub(running_time);
        let _ = self.origin.compare_exchange(u64::MAX, origin, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The face that the music follows, and the affect that counts: of that face, or the mean of all.
fn followed(faces: &[Face], subject: &Subject) -> (Option<u32>, Option<Affect>) {
    let affect = |face: &Face| Some(face.classification.as_ref()?.affect);
    if *subject != Subject::Mean {
        let face = subject.find_face(faces.iter());
        return (face.map(|face| face.id), face.and_then(affect));
    }
    let affects: Vec<Affect> = faces.iter().filter_map(affect).collect();
    let mean =
        |coordinate: fn(&Affect) -> f64| affects.iter().map(coordinate).sum::<f64>() / affects.len() as f64;
    let mean = Affect { valence: mean(|affect| affect.valence), arousal: mean(|affect| affect.arousal) };
    (None, (!affects.is_empty()).then_some(mean))
}
