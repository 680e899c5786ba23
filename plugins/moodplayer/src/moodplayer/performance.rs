//! One performance, from PAUSED to READY: library, policy, player and log together, chunk by chunk.

use std::sync::Arc;

use mood::{InputId, MusicRequest, Policy, PolicyEvent};
use mood_schema::{Emotion, Frame, Line, MoodLine, SafetyLine, TrackEvent, TrackLine};
use music_library::{Library, Skipped};
use serde_json::{Map, Value};

use super::format::Format;
use super::loader::Loader;
use super::log::DecisionLog;
use super::memory::Memory;
use super::player::Player;
use super::settings::{Misspelt, Settings};
use super::stage::{Interrupted, Patience};
use super::timeline::Timeline;

/// What a person asks for while it plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Skip,
    FadeOut,
    Rate(i32),
}

/// What the element has to tell, with no lock held.
#[derive(Debug)]
pub enum Notice {
    /// For the message bus and the elements upstream.
    Line(Line),
    /// No track is left that can be played.
    NothingPlays,
    /// The log cannot be written any more.
    LogFailed(std::io::Error),
}

/// What a chunk is made from.
pub struct Moment {
    /// Frames seen since the last chunk: running time, camera, faces.
    pub seen: Vec<(u64, u32, Frame)>,
    pub commands: Vec<Command>,
    /// Whether there is a camera at all; without one, music plays by hand.
    pub watched: bool,
    pub patience: Patience,
}

/// Sound.
pub struct Chunk {
    pub samples: Vec<f32>,
    /// Nothing but zeros.
    pub silent: bool,
}

pub struct Performance {
    library: Arc<Library>,
    /// Not yet told.
    skipped: Vec<Skipped>,
    policy: Policy,
    manual: Option<Emotion>,
    log: Option<DecisionLog>,
    memory: Option<Memory>,
    stage: Option<Loader>,
    player: Option<Player<Loader>>,
    /// Told.
    nothing_plays: bool,
    /// What comes first has been said.
    opened: bool,
    pub format: Option<Format>,
    pub timeline: Option<Timeline>,
    /// The next frame of audio.
    pub frame: u64,
    notices: Vec<Notice>,
}

impl Performance {
    pub fn new(
        mut library: Library,
        settings: &Settings,
        log: Option<DecisionLog>,
        memory: Option<Memory>,
        stage: Loader,
    ) -> Result<Self, Misspelt> {
        Ok(Self {
            skipped: std::mem::take(&mut library.skipped),
            library: Arc::new(library),
            policy: Policy::new(settings.policy()?),
            manual: settings.manual()?,
            log,
            memory,
            stage: Some(stage),
            player: None,
            nothing_plays: false,
            opened: false,
            format: None,
            timeline: None,
            frame: 0,
            notices: Vec::new(),
        })
    }

    /// The format is agreed on. `live`: somebody listens, so that what they heard before matters; a file must give the
    /// same music every time.
    pub fn set_format(&mut self, format: Format, settings: &Settings, live: bool) {
        if let Some(stage) = self.stage.take() {
            let mut player = Player::new(stage, self.library.clone(), settings, format);
            if let Some(memory) = self.memory.as_ref().filter(|_| live) {
                player.remember(memory.past());
            }
            self.player = Some(player);
            self.format = Some(format);
        }
    }

    /// The time is known: frame 0 is next.
    pub fn set_timeline(&mut self, timeline: Timeline) {
        self.policy.reset_evidence(timeline.running(0));
        if let Some(player) = &mut self.player {
            player.rewind();
        }
        self.frame = 0;
        self.timeline = Some(timeline);
    }

    /// What comes first, once: the log's first line, then the tracks that the library left out.
    pub fn open(&mut self, settings: impl FnOnce() -> Map<String, Value>) {
        if std::mem::replace(&mut self.opened, true) {
            return;
        }
        let pts = self.timeline.as_ref().map_or(0, |timeline| timeline.stream(0));
        if let Some(log) = &mut self.log
            && let Err(error) = log.begin(settings())
        {
            self.log_failed(error);
        }
        for skipped in std::mem::take(&mut self.skipped) {
            self.tell(Line::Track(TrackLine {
                pts,
                event: TrackEvent::Failed,
                uri: skipped.what,
                title: String::new(),
                mood: None,
                distance: None,
                reason: skipped.why,
                runners_up: Vec::new(),
            }));
        }
    }

    /// From now on these hold; none of them where one is misspelt.
    pub fn set_settings(&mut self, settings: &Settings) -> Result<(), Misspelt> {
        let (policy, manual) = (settings.policy()?, settings.manual()?);
        self.policy.set_settings(policy);
        self.manual = manual;
        if let Some(player) = &mut self.player {
            player.set_settings(settings);
        }
        Ok(())
    }

    pub fn remove_camera(&mut self, camera: u32) {
        self.policy.remove_input(InputId(camera));
    }

    pub fn mood(&self) -> String {
        self.policy.mood().to_string()
    }

    pub fn track(&self) -> String {
        self.player.as_ref().and_then(Player::playing).unwrap_or_default().to_owned()
    }

    /// The next `frames` of sound.
    pub fn play(&mut self, frames: usize, moment: Moment) -> Result<Chunk, Interrupted> {
        let (Some(timeline), Some(format)) = (self.timeline.clone(), self.format) else {
            return Err(Interrupted);
        };
        let now = timeline.running(self.frame);
        for (time, camera, frame) in &moment.seen {
            self.policy.observe(InputId(*camera), *time, frame);
        }
        self.policy.set_manual_emotion(self.manual.or((!moment.watched).then_some(Emotion::Neutral)));
        for decision in self.policy.update(now) {
            self.decided(decision, &timeline);
        }
        let mut samples = vec![0.0; frames * format.width()];
        let Some(player) = &mut self.player else { return Err(Interrupted) };
        for command in moment.commands {
            match command {
                Command::Skip => player.skip(),
                Command::FadeOut => player.fade_out(),
                Command::Rate(rating) => {
                    player.rate(rating);
                    if let (Some(memory), Some(uri)) = (&self.memory, player.playing()) {
                        memory.rated(uri, rating);
                    }
                }
            }
        }
        let live = moment.patience == Patience::Never;
        let rendered = player.render(self.frame, &mut samples, moment.patience);
        let nothing_plays = player.is_at_a_loss();
        for event in player.take_events(self.frame + frames as u64) {
            if event.line.event == TrackEvent::Started {
                self.policy.record_track_start();
                if let Some(memory) = self.memory.as_ref().filter(|_| live) {
                    memory.played(&event.line.uri);
                }
            }
            self.tell(Line::Track(TrackLine { pts: timeline.stream(event.frame), ..event.line }));
        }
        if nothing_plays && !std::mem::replace(&mut self.nothing_plays, true) {
            self.notices.push(Notice::NothingPlays);
        }
        rendered?;
        self.frame += frames as u64;
        let silent = samples.iter().all(|sample| *sample == 0.0);
        Ok(Chunk { samples, silent })
    }

    fn decided(&mut self, decision: PolicyEvent, timeline: &Timeline) {
        let pts = timeline.stream(self.frame);
        match decision {
            PolicyEvent::MoodChanged(change) => {
                let (from, to) = change.evidence;
                self.tell(Line::Mood(MoodLine {
                    pts,
                    from: change.from,
                    to: change.to,
                    confidence: change.confidence,
                    evidence: [timeline.running_to_stream(from), timeline.running_to_stream(to)],
                }));
            }
            PolicyEvent::MusicRequested(request) => {
                let goal = match request {
                    MusicRequest::Silence => None,
                    MusicRequest::Music(target) => Some(target),
                };
                if let Some(player) = &mut self.player {
                    player.set_goal(self.frame, goal);
                }
            }
            PolicyEvent::SafetyLimitReached { negative_since: since } => {
                let negative_time = timeline.running(self.frame).saturating_sub(since);
                self.tell(Line::Safety(SafetyLine { pts, negative_time }));
            }
        }
    }

    fn tell(&mut self, line: Line) {
        if let Some(log) = &mut self.log
            && let Err(error) = log.write(&line)
        {
            self.log_failed(error);
        }
        self.notices.push(Notice::Line(line));
    }

    fn log_failed(&mut self, error: std::io::Error) {
        // Once: the music matters more.
        self.log = None;
        self.notices.push(Notice::LogFailed(error));
    }

    /// What there is to tell since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// The end: closes the log.
    pub fn end(&mut self) {
        let pts = self.timeline.as_ref().map_or(0, |timeline| timeline.stream(self.frame));
        if let Some(Err(error)) = self.log.take().map(|log| log.end(pts)) {
            self.log_failed(error);
        }
    }
}
