//! The commands that change what the music follows and what is played, and how they are taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::{self, Discriminant};

use gst::prelude::*;
use mood_schema::Affect;

use super::control::{Marker, SessionCommand, SessionControl, SteeringSettings};

/// The longest safety limit, seconds: a day.
const MAX_NEGATIVE_SECONDS: f64 = 86_400.0;
/// Changes of one setting that follow each other within this time, ns, as those of a slider, are taken back together.
const SLIDE_TIME: u64 = 1_000_000_000;
/// How many commands can be taken back.
const MAX_UNDO_STEPS: usize = 100;

/// How a command is taken back.
#[derive(Clone, Debug, PartialEq)]
enum Inverse {
    /// By restoring the settings before it.
    Settings(SteeringSettings),
    /// By playing the track before.
    Previous,
    /// By rating this track as it was rated before.
    Rating { uri: String, rating: i32 },
    /// By allowing this track again.
    Exclusion { uri: String },
    /// By removing the marker with this id.
    Marker(u64),
}

/// A command that can be taken back.
#[derive(Clone, Debug)]
struct UndoStep {
    /// What it did, for the user.
    label: String,
    inverse: Inverse,
    /// The kind of command.
    kind: Discriminant<SessionCommand>,
    /// When it was given, ns of the session's clock.
    time: u64,
}

/// Executes commands that leave the pipeline's state as it is.
pub struct Steering {
    player: gst::Element,
    control: SessionControl,
    /// What can be taken back, the latest last.
    undo: Vec<UndoStep>,
    /// Number of markers so far.
    markers: u64,
    /// The tracks that were rated, by address.
    ratings: BTreeMap<String, i32>,
    /// The tracks that were excluded, by address.
    excluded: BTreeSet<String>,
}

impl Steering {
    /// Steers a player whose properties have been set.
    pub fn new(player: gst::Element, control: SessionControl) -> Self {
        let nanoseconds = |name: &str| player.property::<u64>(name);
        let text = |name: &str| player.property::<Option<String>>(name).unwrap_or_default();
        let strategy = player.property_value("strategy");
        let nick = gst::glib::EnumValue::from_value(&strategy).map(|(_, value)| value.nick().to_owned());
        let defaults = SteeringSettings::default();
        let settings = SteeringSettings {
            strategy: nick.and_then(|nick| nick.parse().ok()).unwrap_or(defaults.strategy),
            target: Affect {
                valence: player.property("target-valence"),
                arousal: player.property("target-arousal"),
            },
            subject: text("subject").parse().unwrap_or(defaults.subject),
            manual_mood: text("manual-mood").parse().ok(),
            hold_music: false,
            loop_track: false,
            shuffle: player.property("shuffle"),
            volume: 1.0,
            max_negative_time: nanoseconds("max-negative-time"),
            min_dwell: nanoseconds("min-dwell"),
            hold_time: nanoseconds("hold-time"),
        };
        control.update(|state| state.settings = settings);
        Self {
            player,
            control,
            undo: Vec::new(),
            markers: 0,
            ratings: BTreeMap::new(),
            excluded: BTreeSet::new(),
        }
    }

    /// The volume that is set, a linear gain from 0 to 1.
    pub fn volume(&self) -> f64 {
        self.control.state().settings.volume
    }

    /// The tracks that were rated, by address, -2 to 2.
    pub fn ratings(&self) -> &BTreeMap<String, i32> {
        &self.ratings
    }

    /// Executes a command at a time of the session's clock, ns. Those that concern the pipeline's state do nothing.
    pub fn execute(&mut self, command: SessionCommand, time: u64) {
        let mut settings = self.control.state().settings.clone();
        let kind = mem::discriminant(&command);
        let label = match command {
            SessionCommand::HoldMusic { on } => {
                settings.hold_music = on;
                if on { "hold the music".into() } else { "let the music change".into() }
            }
            SessionCommand::SetLoopTrack { on } => {
                settings.loop_track = on;
                if on { "repeat the track".into() } else { "no repetition".into() }
            }
            SessionCommand::SetShuffle { on } => {
                settings.shuffle = on;
                if on { "random order".into() } else { "the library's order".into() }
            }
            SessionCommand::SetVolume { volume } => {
                // Whoever asks may send anything; NaN counts as silence.
                settings.volume = if volume.is_nan() { 0.0 } else { volume.clamp(0.0, 1.0) };
                format!("volume {:.0} %", 100.0 * settings.volume)
            }
            SessionCommand::SetMood { mood } => {
                settings.manual_mood = mood;
                mood.map_or_else(|| "follow the camera".into(), |mood| format!("mood {mood}"))
            }
            SessionCommand::SetStrategy { strategy } => {
                settings.strategy = strategy;
                format!("strategy {strategy}")
            }
            SessionCommand::SetTarget { valence, arousal } => {
                let coordinate = |value: f64| if value.is_nan() { 0.0 } else { value.clamp(-1.0, 1.0) };
                settings.target = Affect { valence: coordinate(valence), arousal: coordinate(arousal) };
                "target".into()
            }
            SessionCommand::SetMaxNegativeTime { seconds } => {
                let seconds = if seconds.is_nan() { 0.0 } else { seconds.clamp(0.0, MAX_NEGATIVE_SECONDS) };
                settings.max_negative_time = (seconds * 1e9) as u64;
                format!("limit of negative moods {seconds:.0} s")
            }
            SessionCommand::SetSubject { subject } => {
                let label = format!("follow {subject}");
                settings.subject = subject;
                label
            }
            command => return self.execute_once(command, time),
        };
        let before = self.apply(settings);
        if before == self.control.state().settings {
            return;
        }
        match self.undo.last_mut() {
            Some(last) if last.kind == kind && time.saturating_sub(last.time) < SLIDE_TIME => {
                (last.label, last.time) = (label, time);
                self.publish_undo();
            }
            _ => self.remember(UndoStep { label, inverse: Inverse::Settings(before), kind, time }),
        }
    }

    /// Executes a command that is no setting.
    fn execute_once(&mut self, command: SessionCommand, time: u64) {
        let kind = mem::discriminant(&command);
        let playing = self.control.state().playing.clone();
        let (label, inverse) = match command {
            SessionCommand::Skip => {
                self.player.emit_by_name::<()>("skip", &[]);
                ("skip".into(), Inverse::Previous)
            }
            SessionCommand::Previous => return self.player.emit_by_name::<()>("previous", &[]),
            SessionCommand::Like | SessionCommand::Dislike => {
                let Some(track) = playing else { return };
                let is_liked = command == SessionCommand::Like;
                let rating = if is_liked { 2 } else { -2 };
                self.rate(&track.uri, rating);
                let label = format!("{} {}", if is_liked { "like" } else { "dislike" }, track.title);
                (label, Inverse::Rating { uri: track.uri, rating: track.rating })
            }
            SessionCommand::Exclude => {
                let Some(track) = playing else { return };
                self.exclude(&track.uri, true);
                self.player.emit_by_name::<()>("skip", &[]);
                (format!("exclude {}", track.title), Inverse::Exclusion { uri: track.uri })
            }
            SessionCommand::AddMarker { text, ago } => {
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                if text.is_empty() {
                    return;
                }
                self.markers += 1;
                // A cast of a float saturates, and turns what is no number into 0.
                let time = time.saturating_sub((ago * 1e9) as u64);
                let marker = Marker { id: self.markers, time, text: text.clone() };
                self.control.update(|state| {
                    let index = state.markers.partition_point(|earlier| earlier.time <= time);
                    state.markers.insert(index, marker);
                });
                (format!("marker \"{text}\""), Inverse::Marker(self.markers))
            }
            SessionCommand::Undo => return self.undo(),
            _ => return,
        };
        self.remember(UndoStep { label, inverse, kind, time });
    }

    /// Tells a player that was stopped and started what the session knows about tracks: without a database, it forgets.
    pub fn restore(&self) {
        for (uri, rating) in &self.ratings {
            self.player.emit_by_name::<()>("rate-track", &[uri, rating]);
        }
        for uri in &self.excluded {
            self.player.emit_by_name::<()>("exclude-track", &[uri, &true]);
        }
    }

    /// Rates a track, -2 to 2.
    fn rate(&mut self, uri: &str, rating: i32) {
        self.ratings.insert(uri.into(), rating);
        self.player.emit_by_name::<()>("rate-track", &[&uri, &rating]);
    }

    /// Excludes a track, or allows it again.
    fn exclude(&mut self, uri: &str, excluded: bool) {
        if excluded {
            self.excluded.insert(uri.into());
        } else {
            self.excluded.remove(uri);
        }
        self.player.emit_by_name::<()>("exclude-track", &[&uri, &excluded]);
    }

    /// Makes settings take effect; returns those before.
    fn apply(&self, settings: SteeringSettings) -> SteeringSettings {
        let player = &self.player;
        player.set_property_from_str("strategy", settings.strategy.nick());
        player.set_property("target-valence", settings.target.valence);
        player.set_property("target-arousal", settings.target.arousal);
        player.set_property("subject", settings.subject.to_string());
        player.set_property("manual-mood", settings.manual_mood.map_or("", |mood| mood.as_str()));
        player.set_property("max-negative-time", settings.max_negative_time);
        player.set_property("hold-music", settings.hold_music);
        player.set_property("loop-track", settings.loop_track);
        player.set_property("shuffle", settings.shuffle);
        let mut before = settings.clone();
        self.control.update(|state| before = mem::replace(&mut state.settings, settings));
        before
    }

    /// Remembers how a command is taken back.
    fn remember(&mut self, step: UndoStep) {
        if self.undo.len() == MAX_UNDO_STEPS {
            self.undo.remove(0);
        }
        self.undo.push(step);
        self.publish_undo();
    }

    /// Takes back the latest command.
    fn undo(&mut self) {
        let Some(step) = self.undo.pop() else { return };
        match step.inverse {
            Inverse::Settings(settings) => _ = self.apply(settings),
            Inverse::Previous => self.player.emit_by_name::<()>("previous", &[]),
            Inverse::Rating { uri, rating } => self.rate(&uri, rating),
            Inverse::Exclusion { uri } => {
                self.exclude(&uri, false);
                self.player.emit_by_name::<()>("previous", &[]);
            }
            Inverse::Marker(id) => {
                self.control.update(|state| state.markers.retain(|marker| marker.id != id));
            }
        }
        self.publish_undo();
    }

    /// Publishes what can be taken back.
    fn publish_undo(&self) {
        let label = self.undo.last().map(|step| step.label.clone());
        self.control.update(|state| state.undo = label);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use mood::{Strategy, Subject};
    use mood_schema::Emotion;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn steering() -> (Steering, SessionControl) {
        crate::pipeline::init_gstreamer().unwrap();
        let player = gst::ElementFactory::make("moodplayer").build().unwrap();
        let (control, _) = SessionControl::new(gst::Bus::new());
        (Steering::new(player, control.clone()), control)
    }

    #[test]
    fn settings_reach_the_player_and_are_taken_back_one_by_one() {
        let (mut steering, control) = steering();
        let before = control.state().settings.clone();
        let commands = [
            SessionCommand::SetStrategy { strategy: Strategy::Iso },
            SessionCommand::SetTarget { valence: -2.0, arousal: f64::NAN },
            SessionCommand::SetSubject { subject: Subject::Id(4) },
            SessionCommand::SetMood { mood: Some(Emotion::Sad) },
            SessionCommand::SetMaxNegativeTime { seconds: 90.0 },
            SessionCommand::HoldMusic { on: true },
            SessionCommand::SetVolume { volume: 0.5 },
        ];
        for (index, command) in commands.iter().enumerate() {
            steering.execute(command.clone(), index as u64 * 10 * SECOND);
        }
        let player = &steering.player;
        assert_eq!(player.property::<f64>("target-valence"), -1.0);
        assert_eq!(player.property::<f64>("target-arousal"), 0.0);
        assert_eq!(player.property::<String>("subject"), "id:4");
        assert_eq!(player.property::<String>("manual-mood"), "sad");
        assert_eq!(player.property::<u64>("max-negative-time"), 90 * SECOND);
        assert!(player.property::<bool>("hold-music"));
        assert_eq!(steering.volume(), 0.5);
        // What changes nothing is not taken back.
        steering.execute(commands[6].clone(), 99 * SECOND);
        assert_eq!(control.state().undo.as_deref(), Some("volume 50 %"));
        for _ in &commands {
            steering.execute(SessionCommand::Undo, 100 * SECOND);
        }
        assert_eq!(control.state().settings, before);
        assert_eq!(
            (steering.player.property::<String>("manual-mood"), control.state().undo.clone()),
            ("".into(), None)
        );
    }

    #[test]
    fn a_slide_is_taken_back_at_once() {
        let (mut steering, control) = steering();
        for step in 0..10u64 {
            let volume = 1.0 - 0.1 * step as f64;
            steering.execute(SessionCommand::SetVolume { volume }, step * SECOND / 10);
        }
        steering.execute(SessionCommand::Undo, SECOND);
        assert_eq!((control.state().settings.volume, control.state().undo.clone()), (1.0, None));
    }

    #[test]
    fn markers_are_numbered_and_taken_back() {
        let (mut steering, control) = steering();
        for (time, text) in [(1, "laughs\n loudly"), (2, " "), (3, "plays along")] {
            steering.execute(SessionCommand::AddMarker { text: text.into(), ago: 0.0 }, time * SECOND);
        }
        let texts = || control.state().markers.iter().map(|marker| marker.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(), ["laughs loudly", "plays along"]);
        steering.execute(SessionCommand::Undo, 4);
        steering.execute(SessionCommand::AddMarker { text: "hums".into(), ago: 0.0 }, 5 * SECOND);
        assert_eq!(texts(), ["laughs loudly", "hums"]);
        assert_eq!(control.state().markers[1].id, 3, "a number is used once");
        // The text was begun while nobody had hummed yet.
        steering.execute(SessionCommand::AddMarker { text: "frowns".into(), ago: 4.5 }, 7 * SECOND);
        assert_eq!(texts(), ["laughs loudly", "frowns", "hums"]);
        assert_eq!(control.state().markers[1].time, 5 * SECOND / 2);
        steering.execute(SessionCommand::Undo, 8 * SECOND);
        // Nothing plays.
        steering.execute(SessionCommand::Like, 6);
        assert_eq!(control.state().undo.as_deref(), Some("marker \"hums\""));
    }
}
