//! The element's properties as plain values.

use glib::prelude::*;
use gst::prelude::*;
use mood_meta::property::MAX_DURATION;
use mood_schema::{Affect, Emotion};
use music_library::SourceAccess;
use playout::{PerformanceSettings, PlayoutOptions};
use serde_json::{Map, Value, json};

use super::enums::{OnNoFace, Resume, Strategy, SwitchAt};

/// The longest crossfade.
const MAX_CROSSFADE: gst::ClockTime = gst::ClockTime::from_seconds(60);
/// The largest number of tracks between two plays of one: weeks of music.
const MAX_NO_REPEAT: u32 = 10_000;

/// The writable properties. [`Settings::properties`] describes each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// `library`.
    pub library: Option<String>,
    /// `client`.
    pub client: String,
    /// `log-location`.
    pub log_location: Option<String>,
    /// `allow-network`.
    pub allow_network: bool,
    allow_outside: bool,
    strategy: Strategy,
    target: Affect,
    subject: String,
    hold_time: gst::ClockTime,
    min_dwell: gst::ClockTime,
    switch_at: SwitchAt,
    crossfade: gst::ClockTime,
    target_lufs: f64,
    resume: Resume,
    no_repeat: u32,
    on_no_face: OnNoFace,
    manual_mood: String,
    max_negative_time: gst::ClockTime,
    hold_music: bool,
    loop_track: bool,
    shuffle: bool,
    seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let policy = mood::PolicySettings::default();
        let playout = PlayoutOptions::default();
        Self {
            library: None,
            client: String::new(),
            log_location: None,
            allow_network: false,
            allow_outside: false,
            strategy: Strategy::default(),
            target: policy.target,
            subject: policy.subject.to_string(),
            hold_time: gst::ClockTime::from_nseconds(policy.hold_time),
            min_dwell: gst::ClockTime::from_nseconds(policy.min_dwell),
            switch_at: SwitchAt::default(),
            crossfade: playout.crossfade.try_into().unwrap_or(gst::ClockTime::ZERO),
            target_lufs: playout.target_lufs,
            resume: Resume::default(),
            no_repeat: playout.no_repeat,
            on_no_face: OnNoFace::default(),
            manual_mood: String::new(),
            max_negative_time: gst::ClockTime::from_nseconds(policy.max_negative_time),
            hold_music: policy.hold_music,
            loop_track: false,
            shuffle: playout.shuffle,
            seed: playout.seed,
        }
    }
}

/// A property whose text cannot be understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// `subject` names no subject.
    #[error("subject: {0}")]
    Subject(#[from] mood::ParseSubjectError),
    /// `manual-mood` names no emotion.
    #[error("manual-mood: {0}")]
    ManualMood(#[from] mood_schema::UnknownNameError),
}

impl Settings {
    /// The element's properties: those in [`Settings`], and the read-only `mood`, `track` and `status`.
    pub fn properties() -> Vec<glib::ParamSpec> {
        let mut properties = library_properties();
        properties.extend(mood_properties());
        properties.extend(playing_properties());
        properties.extend([
            glib::ParamSpecString::builder("log-location")
                .nick("Log location")
                .blurb(
                    "File for the decision log: decisions and track events as JSON Lines, in place of an \
                     older file. Unset, the default, writes none",
                )
                .mutable_ready()
                .build(),
            glib::ParamSpecString::builder("mood")
                .nick("Mood")
                .blurb(
                    "The mood that is held: angry, disgust, fear, happy, sad, surprise, neutral, uncertain \
                     or absent. Notified when it changes",
                )
                .read_only()
                .build(),
            glib::ParamSpecString::builder("track")
                .nick("Track")
                .blurb("URI of the track that plays, empty in silence. Notified when it changes")
                .read_only()
                .build(),
            glib::ParamSpecBoxed::builder::<gst::Structure>("status")
                .nick("Status")
                .blurb(
                    "How sure the mood is, what may follow it and when, what holds it back, the track that plays \
                     and the next one: the element's documentation lists the fields. Renewed ten times a second, \
                     not notified",
                )
                .read_only()
                .build(),
        ]);
        properties
    }

    /// The settings of a performance.
    pub fn performance(&self) -> Result<PerformanceSettings, SettingsError> {
        Ok(PerformanceSettings {
            policy: mood::PolicySettings {
                strategy: self.strategy.into(),
                target: self.target,
                subject: self.subject.parse()?,
                hold_time: self.hold_time.nseconds(),
                min_dwell: self.min_dwell.nseconds(),
                step_once_per_track: self.switch_at == SwitchAt::TrackEnd,
                on_no_face: self.on_no_face.into(),
                max_negative_time: self.max_negative_time.nseconds(),
                hold_music: self.hold_music,
            },
            manual_mood: self.parse_manual_mood()?,
            playout: self.playout(),
            loop_track: self.loop_track,
        })
    }

    /// How tracks are played.
    pub fn playout(&self) -> PlayoutOptions {
        PlayoutOptions {
            crossfade: self.crossfade.into(),
            switch_at: self.switch_at.into(),
            resume: self.resume.into(),
            target_lufs: self.target_lufs,
            no_repeat: self.no_repeat,
            shuffle: self.shuffle,
            seed: self.seed,
        }
    }

    /// The emotion of `manual-mood`, if it is set.
    fn parse_manual_mood(&self) -> Result<Option<Emotion>, SettingsError> {
        if self.manual_mood.is_empty() { Ok(None) } else { Ok(Some(self.manual_mood.parse()?)) }
    }

    /// Where playlists may lead.
    pub fn access(&self) -> SourceAccess {
        SourceAccess { network: self.allow_network, outside_folder: self.allow_outside }
    }

    /// The settings for the decision log. The client's name is left out, because the log may be given to
    /// others.
    pub fn to_json(&self) -> Map<String, Value> {
        let nick = |value: glib::Value| {
            let nick = glib::EnumValue::from_value(&value).map(|(_, value)| value.nick().to_owned());
            Value::from(nick)
        };
        let settings = json!({
            "library": self.library,
            "strategy": nick(self.strategy.to_value()),
            "target-valence": self.target.valence,
            "target-arousal": self.target.arousal,
            "subject": self.subject,
            "hold-time": self.hold_time.nseconds(),
            "min-dwell": self.min_dwell.nseconds(),
            "switch-at": nick(self.switch_at.to_value()),
            "crossfade": self.crossfade.nseconds(),
            "target-lufs": self.target_lufs,
            "resume": nick(self.resume.to_value()),
            "no-repeat": self.no_repeat,
            "on-no-face": nick(self.on_no_face.to_value()),
            "manual-mood": self.manual_mood,
            "max-negative-time": self.max_negative_time.nseconds(),
            "hold-music": self.hold_music,
            "loop-track": self.loop_track,
            "shuffle": self.shuffle,
            "allow-network": self.allow_network,
            "allow-outside": self.allow_outside,
            "seed": self.seed,
        });
        match settings {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// Sets a writable property. Fails where the value has another type, which GObject has ruled out before.
    pub fn set(
        &mut self,
        name: &str,
        value: &glib::Value,
    ) -> Result<(), glib::value::ValueTypeMismatchError> {
        let time = || value.get::<u64>().map(gst::ClockTime::from_nseconds);
        let text = || value.get::<Option<String>>();
        match name {
            "library" => self.library = text()?,
            "client" => self.client = text()?.unwrap_or_default(),
            "strategy" => self.strategy = value.get()?,
            "target-valence" => self.target.valence = value.get()?,
            "target-arousal" => self.target.arousal = value.get()?,
            "subject" => self.subject = text()?.unwrap_or_else(|| mood::Subject::default().to_string()),
            "hold-time" => self.hold_time = time()?,
            "min-dwell" => self.min_dwell = time()?,
            "switch-at" => self.switch_at = value.get()?,
            "crossfade" => self.crossfade = time()?,
            "target-lufs" => self.target_lufs = value.get()?,
            "resume" => self.resume = value.get()?,
            "no-repeat" => self.no_repeat = value.get()?,
            "on-no-face" => self.on_no_face = value.get()?,
            "manual-mood" => self.manual_mood = text()?.unwrap_or_default(),
            "max-negative-time" => self.max_negative_time = time()?,
            "hold-music" => self.hold_music = value.get()?,
            "loop-track" => self.loop_track = value.get()?,
            "shuffle" => self.shuffle = value.get()?,
            "allow-network" => self.allow_network = value.get()?,
            "allow-outside" => self.allow_outside = value.get()?,
            "seed" => self.seed = value.get()?,
            "log-location" => self.log_location = text()?,
            _ => {}
        }
        Ok(())
    }

    /// The value of a writable property; `None` where it is none.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "library" => self.library.to_value(),
            "client" => self.client.to_value(),
            "strategy" => self.strategy.to_value(),
            "target-valence" => self.target.valence.to_value(),
            "target-arousal" => self.target.arousal.to_value(),
            "subject" => self.subject.to_value(),
            "hold-time" => self.hold_time.nseconds().to_value(),
            "min-dwell" => self.min_dwell.nseconds().to_value(),
            "switch-at" => self.switch_at.to_value(),
            "crossfade" => self.crossfade.nseconds().to_value(),
            "target-lufs" => self.target_lufs.to_value(),
            "resume" => self.resume.to_value(),
            "no-repeat" => self.no_repeat.to_value(),
            "on-no-face" => self.on_no_face.to_value(),
            "manual-mood" => self.manual_mood.to_value(),
            "max-negative-time" => self.max_negative_time.nseconds().to_value(),
            "hold-music" => self.hold_music.to_value(),
            "loop-track" => self.loop_track.to_value(),
            "shuffle" => self.shuffle.to_value(),
            "allow-network" => self.allow_network.to_value(),
            "allow-outside" => self.allow_outside.to_value(),
            "seed" => self.seed.to_value(),
            "log-location" => self.log_location.to_value(),
            _ => return None,
        })
    }
}

/// Which tracks there are.
fn library_properties() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecString::builder("library")
            .nick("Library")
            .blurb(
                "Where the music comes from: a folder, a playlist (m3u8, pls or xspf), or a database made by \
                 gst-mood library scan. Must be set",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder("client")
            .nick("Client")
            .blurb(
                "The client whose ratings and exclusions in a library database count and, with a live \
                 input, whose listening history is read and written. Empty, the default, stands for \
                 everybody",
            )
            .default_value("")
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("allow-network")
            .nick("Allow network")
            .blurb(
                "Whether playlists may refer to addresses on other machines, and tracks to further \
                 addresses. By default only local files are opened",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("allow-outside")
            .nick("Allow outside")
            .blurb(
                "Whether a playlist may refer to files outside its own folder. Off by default, so that a \
                 playlist from somebody else cannot open other files; set it for playlists of your own",
            )
            .mutable_ready()
            .build(),
    ]
}

/// How faces become wishes for music.
fn mood_properties() -> Vec<glib::ParamSpec> {
    let defaults = Settings::default();
    let coordinate = |name: &'static str, nick: &'static str, blurb: &'static str, default: f64| {
        glib::ParamSpecDouble::builder(name)
            .nick(nick)
            .blurb(blurb)
            .minimum(-1.0)
            .maximum(1.0)
            .default_value(default)
            .mutable_playing()
            .build()
    };
    let time = |name: &'static str, nick: &'static str, blurb: &'static str, default: gst::ClockTime| {
        glib::ParamSpecUInt64::builder(name)
            .nick(nick)
            .blurb(blurb)
            .maximum(MAX_DURATION.nseconds())
            .default_value(default.nseconds())
            .mutable_playing()
            .build()
    };
    vec![
        glib::ParamSpecEnum::builder_with_default("strategy", defaults.strategy)
            .nick("Strategy")
            .blurb(
                "How the music relates to the mood: match (the default) plays music of the same mood; \
                 target plays music near target-valence and target-arousal, whatever the mood; iso begins \
                 with music of the same mood and moves towards the target in steps; hold keeps to the \
                 first mood",
            )
            .mutable_playing()
            .build(),
        coordinate(
            "target-valence",
            "Target valence",
            "Valence of the music that strategy=target plays and strategy=iso moves to, from -1 \
             (unpleasant) to 1 (pleasant); max-negative-time leads there too, unless it is negative",
            defaults.target.valence,
        ),
        coordinate(
            "target-arousal",
            "Target arousal",
            "Arousal of the music that strategy=target plays and strategy=iso moves to, from -1 (calm) to \
             1 (activated)",
            defaults.target.arousal,
        ),
        glib::ParamSpecString::builder("subject")
            .nick("Subject")
            .blurb(
                "Whose face decides where there are several: largest (the default, the face with the \
                 largest box), mean (the average of all faces), or id:N (the face with the track id N; id:N,M where several \
                 ids are one person)",
            )
            .default_value("largest")
            .mutable_playing()
            .build(),
        time(
            "hold-time",
            "Hold time",
            "How long another mood must be the most likely one before it becomes the mood, in ns. Longer \
             ignores short expressions, shorter reacts sooner",
            defaults.hold_time,
        ),
        time(
            "min-dwell",
            "Minimum dwell",
            "Shortest time between two changes of the mood that the music follows, in ns, and with \
             strategy=iso the duration of a step. Longer makes for calmer music; 0 lets every change \
             through",
            defaults.min_dwell,
        ),
        glib::ParamSpecEnum::builder_with_default("on-no-face", defaults.on_no_face)
            .nick("On no face")
            .blurb(
                "What plays while there is no face: hold (the default) goes on with the music, neutral \
                 changes to neutral music, fade fades to silence until a face comes",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("manual-mood")
            .nick("Manual mood")
            .blurb(
                "Overrides the mood of the faces: angry, disgust, fear, happy, sad, surprise or neutral. \
                 Empty, the default, follows the faces",
            )
            .default_value("")
            .mutable_playing()
            .build(),
        time(
            "max-negative-time",
            "Maximum negative time",
            "Safety limit: once the mood has been one of negative valence for this long, in ns, \
             safety-limit is posted and the music moves to the target (to neutral valence and arousal \
             where target-valence is negative) until the mood is no longer negative. 0, the default, is no \
             limit",
            defaults.max_negative_time,
        ),
        glib::ParamSpecBoolean::builder("hold-music")
            .nick("Hold music")
            .blurb(
                "Whether the music stays with what is asked for now, whatever the mood, while somebody wants it so. \
                 max-negative-time still leads out of a negative mood. Off by default",
            )
            .mutable_playing()
            .build(),
    ]
}

/// How tracks are chosen and played.
fn playing_properties() -> Vec<glib::ParamSpec> {
    let defaults = Settings::default();
    vec![
        glib::ParamSpecEnum::builder_with_default("switch-at", defaults.switch_at)
            .nick("Switch at")
            .blurb(
                "When the music follows a changed mood: now (the default) fades to another track at once, \
                 track-end lets the present track end. With strategy=iso, track-end also makes a step last \
                 at least a track",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt64::builder("crossfade")
            .nick("Crossfade")
            .blurb(
                "How long two tracks overlap, in ns, with constant total power; at a track's end at most a \
                 quarter of the track. 0 lets tracks follow each other without a gap",
            )
            .maximum(MAX_CROSSFADE.nseconds())
            .default_value(defaults.crossfade.nseconds())
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("target-lufs")
            .nick("Target loudness")
            .blurb(
                "Loudness that every track is brought to, in LUFS, with true peaks of at most -1 dBTP. A \
                 change holds from the next track on. -23 is broadcast level; louder than the default \
                 leaves more to the limiter",
            )
            .minimum(-70.0)
            .maximum(0.0)
            .default_value(defaults.target_lufs)
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("resume", defaults.resume)
            .nick("Resume")
            .blurb(
                "What plays when a mood returns: next (the default) another track, resume the mood's last \
                 track from where it was left, restart that track from its beginning",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("no-repeat")
            .nick("No repeat")
            .blurb(
                "How many other tracks play before a track is chosen again, also where they fit the mood less. It \
                 is chosen earlier where the mood returns or no other fits at all; 0 lets a track follow itself",
            )
            .maximum(MAX_NO_REPEAT)
            .default_value(defaults.no_repeat)
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("loop-track")
            .nick("Loop track")
            .blurb("Whether a track that ends is played again, as long as the mood stays. Off by default")
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("shuffle")
            .nick("Shuffle")
            .blurb(
                "Whether tracks that fit equally well come in an order that seed decides, which is the default, and \
                 not in that of the library",
            )
            .default_value(defaults.shuffle)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt64::builder("seed")
            .nick("Seed")
            .blurb(
                "Decides between tracks that fit equally well. The same seed gives the same music for the \
                 same input; change it for another selection",
            )
            .default_value(defaults.seed)
            .mutable_ready()
            .build(),
    ]
}
