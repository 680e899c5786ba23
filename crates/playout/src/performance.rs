//! Library, policy, player and decision log together: faces go in, audio and reports of what happened come
//! out.
//!
//! A [`Performance`] is in one of three states, each a type of its own with just the operations that it
//! allows:
//!
//! ```text
//! WaitingForFormat --set_format--> WaitingForStart --start--> Running
//!                                        ^                      |
//!                                        +---------stop---------+
//! ```

use std::io;
use std::sync::Arc;

use mood::{InputId, MusicRequest, Policy, PolicyEvent, PolicyStatus};
use mood_schema::{
    Emotion, Frame, Line, MoodLine, Redact, SafetyLine, TrackEvent, TrackLine, redact_addresses,
};
use music_library::{Library, SkippedItem};
use serde_json::{Map, Value};

use crate::{
    AudioFormat, DecisionLog, Interrupted, ListenerRecord, Player, PlayerStatus, PlayoutOptions, SampleClock,
    StartTime, TrackLoader, WaitMode,
};

/// What a listener asks for while music plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Go on to another track for the same mood.
    Skip,
    /// Go back to the track before.
    Previous,
    /// Fade to silence until the mood changes or something is skipped.
    FadeOut,
    /// Rate the track that plays, from -2 (never while anything else fits) to 2 (a favourite).
    Rate(i32),
    /// Rate the track with this address.
    RateTrack(String, i32),
    /// Never play the track with this address any more, or allow it again.
    ExcludeTrack(String, bool),
}

/// How things are, for a user to see.
#[derive(Clone, Debug, PartialEq)]
pub struct PerformanceStatus {
    /// The mood, and what keeps the music from following it.
    pub policy: PolicyStatus,
    /// What plays and what follows.
    pub player: PlayerStatus,
}

/// Something that the user of a performance should report.
#[derive(Debug)]
pub enum PerformanceEvent {
    /// A decision or a track event, as it was written to the decision log.
    Line(Line),
    /// No track can be played. Reported once.
    NothingPlayable {
        /// Whether that is because the files are not there.
        is_only_missing: bool,
    },
    /// The decision log cannot be written. Reported once; the music goes on without it.
    LogFailed(io::Error),
}

/// The faces that a video input showed at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct InputFrame {
    /// Running time, ns.
    pub running_time: u64,
    /// The input.
    pub input: InputId,
    /// The faces.
    pub frame: Frame,
}

/// What a block is made from.
#[derive(Clone, Debug)]
pub struct BlockInput {
    /// The frames since the last block, the oldest first.
    pub frames: Vec<InputFrame>,
    /// The commands since the last block, the oldest first.
    pub commands: Vec<Command>,
    /// Whether there is any video input. Without one, neutral music plays unless a mood is set by hand.
    pub has_inputs: bool,
    /// What to wait for.
    pub wait: WaitMode,
}

/// A block of audio.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioBlock {
    /// Interleaved.
    pub samples: Vec<f32>,
    /// Whether all samples are 0.
    pub is_silent: bool,
}

/// What a performance does, whatever its state.
#[derive(Clone, Debug, PartialEq)]
pub struct PerformanceSettings {
    /// How moods become requests for music.
    pub policy: mood::PolicySettings,
    /// Overrides what the inputs show.
    pub manual_mood: Option<Emotion>,
    /// How tracks are played.
    pub playout: PlayoutOptions,
    /// Whether the track that plays follows itself.
    pub loop_track: bool,
}

/// What all states have: what decides, and what reports.
struct Director {
    library: Arc<Library>,
    /// What the library left out and is not reported yet.
    skipped: Vec<SkippedItem>,
    policy: Policy,
    manual_mood: Option<Emotion>,
    log: Option<DecisionLog>,
    listener: Option<ListenerRecord>,
    nothing_playable_reported: bool,
    header_written: bool,
    /// The stream time where the audio stopped last, ns.
    end: u64,
    events: Vec<PerformanceEvent>,
}

impl Director {
    /// Writes a line to the log and reports it, without the credentials of addresses: it leaves the process.
    fn report(&mut self, mut line: Line) {
        line.redact();
        if let Some(log) = &mut self.log
            && let Err(error) = log.write(&line)
        {
            self.close_failed_log(error);
        }
        self.events.push(PerformanceEvent::Line(line));
    }

    /// Reports that the log cannot be written, and gives it up.
    fn close_failed_log(&mut self, error: io::Error) {
        self.log = None;
        self.events.push(PerformanceEvent::LogFailed(error));
    }

    /// Writes the log's last line; `pts` is the stream time where the audio ends, ns.
    fn finish_log(&mut self, pts: u64) {
        if let Some(Err(error)) = self.log.as_mut().map(|log| log.finish(pts)) {
            self.close_failed_log(error);
        }
    }
}

/// A performance in any of its states.
pub enum Performance<L: TrackLoader> {
    /// The format of the audio is not known.
    WaitingForFormat(WaitingForFormat<L>),
    /// The time at which the audio begins is not known.
    WaitingForStart(WaitingForStart<L>),
    /// Audio can be made.
    Running(Running<L>),
}

/// A performance whose audio has no format yet.
pub struct WaitingForFormat<L> {
    director: Director,
    loader: L,
}

/// A performance whose audio has no place in time yet, at the beginning or after a seek.
pub struct WaitingForStart<L: TrackLoader> {
    director: Director,
    player: Box<Player<L>>,
}

/// A performance that makes audio.
pub struct Running<L: TrackLoader> {
    director: Director,
    player: Box<Player<L>>,
    clock: SampleClock,
    /// The next sample.
    position: u64,
}

impl<L: TrackLoader> From<WaitingForFormat<L>> for Performance<L> {
    fn from(state: WaitingForFormat<L>) -> Self {
        Self::WaitingForFormat(state)
    }
}

impl<L: TrackLoader> From<WaitingForStart<L>> for Performance<L> {
    fn from(state: WaitingForStart<L>) -> Self {
        Self::WaitingForStart(state)
    }
}

impl<L: TrackLoader> From<Running<L>> for Performance<L> {
    fn from(state: Running<L>) -> Self {
        Self::Running(state)
    }
}

impl<L: TrackLoader> Performance<L> {
    /// A performance that waits for its format. `log` and `listener` are left out where nothing is to be
    /// recorded.
    pub fn new(
        mut library: Library,
        settings: &PerformanceSettings,
        log: Option<DecisionLog>,
        listener: Option<ListenerRecord>,
        loader: L,
    ) -> Self {
        let director = Director {
            skipped: std::mem::take(&mut library.skipped),
            library: Arc::new(library),
            policy: Policy::new(settings.policy.clone()),
            manual_mood: settings.manual_mood,
            log,
            listener,
            nothing_playable_reported: false,
            header_written: false,
            end: 0,
            events: Vec::new(),
        };
        Self::WaitingForFormat(WaitingForFormat { director, loader })
    }

    /// Forgets what a video input showed, because it is gone.
    pub fn remove_input(&mut self, input: InputId) {
        self.director_mut().policy.remove_input(input);
    }

    /// The name of the mood that is held.
    pub fn mood(&self) -> String {
        self.director().policy.mood().to_string()
    }

    /// The address of the track that plays, without credentials; empty where none does.
    pub fn track(&self) -> String {
        match self {
            Self::WaitingForFormat(_) => String::new(),
            Self::WaitingForStart(waiting) => playing(&waiting.player),
            Self::Running(running) => playing(&running.player),
        }
    }

    /// Takes the events since the last call, in their order.
    pub fn take_events(&mut self) -> Vec<PerformanceEvent> {
        std::mem::take(&mut self.director_mut().events)
    }

    /// Waits for another start, because time is going to jump. Without one yet, changes nothing.
    pub fn stop(self) -> Self {
        match self {
            Self::Running(running) => running.stop().into(),
            waiting => waiting,
        }
    }

    /// Completes the decision log, because the audio has ended. After another start, the log goes on.
    pub fn finish(&mut self) {
        let pts = match self {
            Self::WaitingForFormat(_) | Self::WaitingForStart(_) => self.director().end,
            Self::Running(running) => running.clock.stream_time(running.position),
        };
        self.director_mut().finish_log(pts);
    }

    fn director(&self) -> &Director {
        match self {
            Self::WaitingForFormat(waiting) => &waiting.director,
            Self::WaitingForStart(waiting) => &waiting.director,
            Self::Running(running) => &running.director,
        }
    }

    fn director_mut(&mut self) -> &mut Director {
        match self {
            Self::WaitingForFormat(waiting) => &mut waiting.director,
            Self::WaitingForStart(waiting) => &mut waiting.director,
            Self::Running(running) => &mut running.director,
        }
    }
}

impl<L: TrackLoader> WaitingForFormat<L> {
    /// Sets the format of the audio for good. With `use_history`, tracks that the listener heard in earlier
    /// performances are avoided; without, the same inputs give the same music every time.
    pub fn set_format(
        self,
        format: AudioFormat,
        options: &PlayoutOptions,
        use_history: bool,
    ) -> WaitingForStart<L> {
        let Self { director, loader } = self;
        let mut player = Player::new(loader, director.library.clone(), options, format);
        if let Some(listener) = director.listener.as_ref().filter(|_| use_history) {
            player.set_history(listener.history());
        }
        WaitingForStart { director, player: Box::new(player) }
    }
}

impl<L: TrackLoader> WaitingForStart<L> {
    /// Begins with sample 0 at the given time. What was observed before is forgotten; the mood and the music
    /// stay.
    pub fn start(mut self, start: StartTime) -> Running<L> {
        let clock = SampleClock::new(start, self.player.format().rate);
        self.director.policy.reset_evidence(clock.running_time(0));
        self.player.restart_count();
        if let Some(log) = &mut self.director.log {
            log.resume();
        }
        Running { director: self.director, player: self.player, clock, position: 0 }
    }
}

impl<L: TrackLoader> Running<L> {
    /// The times of the samples.
    pub fn clock(&self) -> SampleClock {
        self.clock
    }

    /// The sample that the next block begins with.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Changes the settings from the next block on. The seed of the playout options stays as it was.
    pub fn set_settings(&mut self, settings: &PerformanceSettings) {
        self.director.policy.set_settings(settings.policy.clone());
        self.director.manual_mood = settings.manual_mood;
        self.player.set_options(&settings.playout);
        self.player.set_loop_track(settings.loop_track);
    }

    /// The name of the mood that is held.
    pub fn mood(&self) -> String {
        self.director.policy.mood().to_string()
    }

    /// The address of the track that plays, without credentials; empty where none does.
    pub fn track(&self) -> String {
        playing(&self.player)
    }

    /// Takes the events since the last call, in their order.
    pub fn take_events(&mut self) -> Vec<PerformanceEvent> {
        std::mem::take(&mut self.director.events)
    }

    /// Waits for another start, because time is going to jump. The music goes on where it was.
    pub fn stop(mut self) -> WaitingForStart<L> {
        self.director.end = self.clock.stream_time(self.position);
        WaitingForStart { director: self.director, player: self.player }
    }

    /// Writes the log's first line and reports the tracks that the library left out, the first time it is
    /// called.
    pub fn write_header(&mut self, settings: impl FnOnce() -> Map<String, Value>) {
        let director = &mut self.director;
        if std::mem::replace(&mut director.header_written, true) {
            return;
        }
        if let Some(log) = &mut director.log
            && let Err(error) = log.write_header(settings())
        {
            director.close_failed_log(error);
        }
        let pts = self.clock.stream_time(0);
        for skipped in std::mem::take(&mut director.skipped) {
            director.report(Line::Track(TrackLine {
                pts,
                event: TrackEvent::Failed,
                uri: skipped.name,
                title: String::new(),
                mood: None,
                distance: None,
                reason: skipped.reason,
                runners_up: Vec::new(),
            }));
        }
    }

    /// Makes the next block, of `samples` samples. After an interruption the block can be asked for again,
    /// without the frames and commands that were given.
    pub fn render(&mut self, samples: usize, input: BlockInput) -> Result<AudioBlock, Interrupted> {
        let now = self.clock.running_time(self.position);
        for InputFrame { running_time, input, frame } in &input.frames {
            self.director.policy.observe(*input, *running_time, frame);
        }
        let default_mood = (!input.has_inputs).then_some(Emotion::Neutral);
        self.director.policy.set_manual_emotion(self.director.manual_mood.or(default_mood));
        for event in self.director.policy.update(now) {
            self.apply(event);
        }
        for command in input.commands {
            self.execute(command);
        }
        let mut out = vec![0.0; samples * self.player.format().channel_count()];
        let rendered = self.player.render(self.position, &mut out, input.wait);
        self.report_player_events(self.position + samples as u64, input.wait == WaitMode::Never);
        rendered?;
        self.position += samples as u64;
        let is_silent = out.iter().all(|value| *value == 0.0);
        Ok(AudioBlock { samples: out, is_silent })
    }

    /// Carries out what a listener asks for.
    fn execute(&mut self, command: Command) {
        match command {
            Command::Skip => self.player.skip(),
            Command::Previous => self.player.previous(),
            Command::FadeOut => self.player.fade_out(),
            Command::Rate(rating) => {
                if let Some(uri) = self.player.playing().map(str::to_owned) {
                    self.rate(&uri, rating);
                }
            }
            Command::RateTrack(uri, rating) => self.rate(&uri, rating),
            Command::ExcludeTrack(uri, excluded) => {
                let uri = self.player.set_excluded(&uri, excluded);
                if let (Some(listener), Some(uri)) = (&self.director.listener, uri) {
                    listener.record_exclusion(&uri, excluded);
                }
            }
        }
    }

    /// Rates the track with this address, for the listener's later performances too.
    fn rate(&mut self, uri: &str, rating: i32) {
        let uri = self.player.rate(uri, rating);
        if let (Some(listener), Some(uri)) = (&self.director.listener, uri) {
            listener.record_rating(&uri, rating);
        }
    }

    /// How things are.
    pub fn status(&self) -> PerformanceStatus {
        let now = self.clock.running_time(self.position);
        PerformanceStatus { policy: self.director.policy.status(now), player: self.player.status() }
    }

    /// Reports what happened to tracks before the sample `end`. With `live`, somebody listens, and what they
    /// hear is recorded in their history.
    fn report_player_events(&mut self, end: u64, live: bool) {
        let nothing_playable = self.player.is_nothing_playable();
        for event in self.player.take_events(end) {
            if event.line.event == TrackEvent::Started {
                self.director.policy.record_track_start();
                if let Some(listener) = self.director.listener.as_ref().filter(|_| live) {
                    listener.record_played(&event.line.uri);
                }
            }
            let pts = self.clock.stream_time(event.sample);
            self.director.report(Line::Track(TrackLine { pts, ..event.line }));
        }
        if nothing_playable && !std::mem::replace(&mut self.director.nothing_playable_reported, true) {
            let is_only_missing = self.player.is_only_missing();
            self.director.events.push(PerformanceEvent::NothingPlayable { is_only_missing });
        }
    }

    /// Reports what the policy has decided, and passes requests for music on.
    fn apply(&mut self, event: PolicyEvent) {
        let pts = self.clock.stream_time(self.position);
        match event {
            PolicyEvent::MoodChanged(change) => {
                let (from, to) = change.evidence;
                self.director.report(Line::Mood(MoodLine {
                    pts,
                    from: change.from,
                    to: change.to,
                    confidence: change.confidence,
                    evidence: [
                        self.clock.running_to_stream_time(from),
                        self.clock.running_to_stream_time(to),
                    ],
                }));
            }
            PolicyEvent::MusicRequested(request) => {
                let target = match request {
                    MusicRequest::Silence => None,
                    MusicRequest::Music(target) => Some(target),
                };
                self.player.set_target(self.position, target);
            }
            PolicyEvent::SafetyLimitReached { negative_since } => {
                let negative_time = self.clock.running_time(self.position).saturating_sub(negative_since);
                self.director.report(Line::Safety(SafetyLine { pts, negative_time }));
            }
        }
    }
}

/// The address of the track that a player plays, without credentials; empty where it plays none.
fn playing<L: TrackLoader>(player: &Player<L>) -> String {
    redact_addresses(player.playing().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{FakeLoader, RATE, SLOPE, library};

    const SECOND: u64 = 1_000_000_000;
    const FORMAT: AudioFormat = AudioFormat { rate: RATE as u32, channels: 1 };

    fn settings() -> PerformanceSettings {
        PerformanceSettings {
            policy: mood::PolicySettings::default(),
            manual_mood: None,
            playout: PlayoutOptions::default(),
            loop_track: false,
        }
    }

    fn start_time(running_time: u64) -> StartTime {
        StartTime { pts: 0, running_time, stream_time: 5 * SECOND }
    }

    fn start(tracks: &[(Emotion, &str)], log: Option<DecisionLog>) -> Running<FakeLoader> {
        let library = Arc::into_inner(library(tracks)).unwrap();
        let performance = Performance::new(library, &settings(), log, None, FakeLoader::default());
        let Performance::WaitingForFormat(waiting) = performance else { panic!("begins without a format") };
        waiting.set_format(FORMAT, &settings().playout, false).start(start_time(0))
    }

    fn by_hand(commands: Vec<Command>) -> BlockInput {
        BlockInput { frames: Vec::new(), commands, has_inputs: false, wait: WaitMode::Always }
    }

    fn events(performance: &mut Performance<FakeLoader>) -> Vec<String> {
        let describe = |event| match event {
            PerformanceEvent::Line(Line::Track(line)) => format!("{:?} {}", line.event, line.title),
            PerformanceEvent::Line(Line::Mood(line)) => format!("{} -> {}", line.from, line.to),
            other => format!("{other:?}"),
        };
        performance.take_events().into_iter().map(describe).collect()
    }

    #[test]
    fn without_inputs_neutral_music_plays() {
        let mut running = start(&[(Emotion::Sad, "0.1/9"), (Emotion::Neutral, "0.2/9")], None);
        let block = running.render(80, by_hand(Vec::new())).unwrap();
        assert_eq!((block.samples.len(), block.is_silent, running.position()), (80, false, 80));
        let mut performance = Performance::from(running);
        assert_eq!(events(&mut performance), ["absent -> neutral", "Started 0.2/9"]);
        assert_eq!((performance.mood(), performance.track()), ("neutral".into(), "file:///0.2/9".into()));
        assert!(events(&mut performance).is_empty(), "each is taken once");
    }

    #[test]
    fn a_new_start_counts_anew_and_the_music_goes_on() {
        let mut running = start(&[(Emotion::Neutral, "0.2/9")], None);
        running.render(80, by_hand(Vec::new())).unwrap();
        let mut running = running.stop().start(start_time(7 * SECOND));
        assert_eq!(running.position(), 0);
        let block = running.render(80, by_hand(Vec::new())).unwrap();
        assert!((block.samples[0] - 0.2 - 80.0 * SLOPE).abs() < SLOPE, "{}", block.samples[0]);
        let mut performance = Performance::from(running);
        assert_eq!(events(&mut performance).len(), 2, "the track is started once");
    }

    #[test]
    fn an_unplayable_library_is_reported_once_and_gives_silence() {
        let mut running = start(&[(Emotion::Neutral, "0.2/9/never")], None);
        let blocks = [(); 3].map(|()| running.render(80, by_hand(Vec::new())).unwrap().is_silent);
        assert_eq!(blocks, [true; 3]);
        let reported = events(&mut running.into());
        assert_eq!(
            reported,
            ["absent -> neutral", "Failed 0.2/9/never", "NothingPlayable { is_only_missing: false }"]
        );
    }

    #[test]
    fn commands_and_settings_hold_from_the_next_block_on() {
        let mut running = start(&[(Emotion::Neutral, "0.2/90"), (Emotion::Happy, "0.3/90")], None);
        running.render(80, by_hand(Vec::new())).unwrap();
        running.render(80, by_hand(vec![Command::FadeOut])).unwrap();
        assert_eq!(running.track(), "");
        running.set_settings(&PerformanceSettings { manual_mood: Some(Emotion::Happy), ..settings() });
        running.render(80, by_hand(Vec::new())).unwrap();
        assert_eq!(Performance::from(running).track(), "file:///0.3/90");
    }

    #[test]
    fn the_log_has_what_is_reported_between_header_and_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let log = DecisionLog::create(file.path(), "test").unwrap();
        let mut running = start(&[(Emotion::Neutral, "0.2/9")], Some(log));
        running.write_header(Map::new);
        running.write_header(|| panic!("written already"));
        running.render(RATE as usize, by_hand(Vec::new())).unwrap();
        Performance::from(running).finish();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let types: Vec<&str> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
        assert_eq!(types, ["session", "mood", "track", "end"]);
        assert_eq!(lines[3]["pts"], 6 * SECOND);
    }

    #[test]
    fn the_log_goes_on_after_its_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let log = DecisionLog::create(file.path(), "test").unwrap();
        let tracks = [(Emotion::Neutral, "0.2/9"), (Emotion::Happy, "0.3/9")];
        let mut running = start(&tracks, Some(log));
        running.write_header(Map::new);
        running.render(80, by_hand(Vec::new())).unwrap();
        let mut performance = Performance::from(running);
        performance.finish();
        performance.finish();
        let Performance::WaitingForStart(waiting) = performance.stop() else { panic!("cannot start again") };
        let mut running = waiting.start(start_time(0));
        running.write_header(|| panic!("written already"));
        running.set_settings(&PerformanceSettings { manual_mood: Some(Emotion::Happy), ..settings() });
        running.render(800, by_hand(Vec::new())).unwrap();
        Performance::from(running).finish();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let types: Vec<&str> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
        assert_eq!(types[..4], ["session", "mood", "track", "end"]);
        assert_eq!((types[4], types.last()), ("mood", Some(&"end")));
        assert_eq!(types.iter().filter(|name| **name == "end").count(), 2);
    }

    #[test]
    fn an_interruption_leaves_the_position_as_it_was() {
        let mut running = start(&[(Emotion::Neutral, "0.2/9")], None);
        running.player.loader_mut().interrupted = true;
        assert_eq!(running.render(80, by_hand(Vec::new())), Err(Interrupted));
        assert_eq!(running.position(), 0);
        running.player.loader_mut().interrupted = false;
        assert!(!running.render(80, by_hand(Vec::new())).unwrap().is_silent);
    }
}
