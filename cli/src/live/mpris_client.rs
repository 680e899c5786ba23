//! A player on the session's D-Bus that plays what it is told: the client side of MPRIS2.
//!
//! <https://specifications.freedesktop.org/mpris-spec/latest/>

use std::time::Duration;

use gio::glib::variant::{FromVariant, ToVariant, Variant};
use gio::glib::{self, VariantDict};
use gio::{BusType, Cancellable, DBusCallFlags, DBusConnection};
use mood_schema::redact_addresses;
use percent_encoding::percent_decode_str;
use remote_player::{Playback, PlayerError, RemotePlayer, Report};

const PREFIX: &str = "org.mpris.MediaPlayer2.";
const PATH: &str = "/org/mpris/MediaPlayer2";
const PLAYER: &str = "org.mpris.MediaPlayer2.Player";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// How long the player may take to answer, milliseconds.
const TIMEOUT: i32 = 5000;
/// A queued track begins when less than this is left of the one before: MPRIS knows no queue that all players have.
const NEARLY_OVER: Duration = Duration::from_millis(300);

/// After how many reports that a track which was opened has not begun the player is told to play. Once: whoever halts it then is its
/// user.
const WAITING_REPORTS: u32 = 2;
/// After how many such reports it counts as paused: its user did it before it was seen playing.
const MAX_WAITING_REPORTS: u32 = 12;

/// A player by its name on the bus.
pub struct MprisClient {
    name: String,
    bus: Option<DBusConnection>,
    /// The track that waits for the end of the present one.
    queued: Option<String>,
    /// The song that was opened last and has not begun, and how many reports say so.
    opened: Option<(String, u32)>,
    /// How much of its song the player had played when it was last asked.
    position: Option<Duration>,
}

impl MprisClient {
    /// The player `org.mpris.MediaPlayer2.NAME`, which need not be there yet.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), bus: None, queued: None, opened: None, position: None }
    }

    fn bus(&mut self) -> Result<DBusConnection, PlayerError> {
        if let Some(bus) = &self.bus
            && !bus.is_closed()
        {
            return Ok(bus.clone());
        }
        let bus = gio::bus_get_sync(BusType::Session, Cancellable::NONE)
            .map_err(|error| PlayerError::Gone(format!("mpris:{}: no D-Bus: {error}", self.name)))?;
        self.bus = Some(bus.clone());
        Ok(bus)
    }

    fn call(&mut self, interface: &str, method: &str, arguments: &Variant) -> Result<Variant, PlayerError> {
        let bus = self.bus()?;
        let name = format!("{PREFIX}{}", self.name);
        let answer = bus.call_sync(
            Some(&name),
            PATH,
            interface,
            method,
            Some(arguments),
            None,
            DBusCallFlags::NO_AUTO_START,
            TIMEOUT,
            Cancellable::NONE,
        );
        answer.map_err(|mut error| {
            gio::DBusError::strip_remote_error(&mut error);
            // The last is what a player says that leaves while it is asked.
            let missing =
                [gio::DBusError::ServiceUnknown, gio::DBusError::NameHasNoOwner, gio::DBusError::NoReply];
            let is_missing = missing.into_iter().any(|missing| error.matches(missing));
            if is_missing {
                (self.opened, self.position) = (None, None);
                let running = self.running_players(&bus).join(", ");
                let running = if running.is_empty() {
                    "no player is running".into()
                } else {
                    format!("running are: {running}")
                };
                return PlayerError::Gone(format!("mpris:{}: there is no such player; {running}", self.name));
            }
            if error.matches(gio::DBusError::UnknownMethod) || error.matches(gio::DBusError::NotSupported) {
                return PlayerError::Refused(format!(
                    "the player {} has no {method}; choose another player, such as mpv or vlc",
                    self.name
                ));
            }
            PlayerError::Gone(format!("mpris:{}: {}", self.name, error.message()))
        })
    }

    /// The names of the players on the bus, without our own.
    fn running_players(&self, bus: &DBusConnection) -> Vec<String> {
        let names = bus.call_sync(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus",
            "ListNames",
            None,
            None,
            DBusCallFlags::NONE,
            TIMEOUT,
            Cancellable::NONE,
        );
        let names = names.ok().and_then(|names| <(Vec<String>,)>::from_variant(&names));
        let players = names.unwrap_or_default().0.into_iter();
        players
            .filter_map(|name| name.strip_prefix(PREFIX).map(Into::into))
            .filter(|name: &String| name != "gst_mood")
            .collect()
    }

    fn open(&mut self, uri: &str) -> Result<(), PlayerError> {
        // No `Play` at once, for players that open a track and stay paused: mpv loses it while it opens the track, or says `Stopped`
        // of what plays. It comes with a later report.
        self.call(PLAYER, "OpenUri", &(uri,).to_variant())?;
        (self.opened, self.position) = (Some((song_of(uri), 0)), None);
        Ok(())
    }
}

/// What identifies a song: its URI without what programs write differently, which is the characters that are escaped, the case of
/// escapes and the name of this machine.
fn song_of(uri: &str) -> String {
    let uri = percent_decode_str(uri).decode_utf8_lossy();
    match uri.strip_prefix("file://localhost/") {
        Some(path) => format!("file:///{path}"),
        None => uri.into(),
    }
}

impl RemotePlayer for MprisClient {
    fn report(&mut self) -> Result<Report, PlayerError> {
        let properties = self.call(PROPERTIES, "GetAll", &(PLAYER,).to_variant())?;
        let properties = properties.child_value(0);
        let properties = VariantDict::new(Some(&properties));
        let metadata = properties.lookup_value("Metadata", None);
        let metadata =
            VariantDict::new(metadata.as_ref().filter(|value| value.is_type(glib::VariantTy::VARDICT)));
        let text = |key: &str| metadata.lookup::<String>(key).ok().flatten();
        let microseconds = |value: Option<Variant>| {
            let value = value?;
            // Most players give signed numbers, as the specification says; some give unsigned ones.
            let number = value
                .get::<i64>()
                .and_then(|number| u64::try_from(number).ok())
                .or_else(|| value.get::<u64>())?;
            Some(Duration::from_micros(number))
        };
        let length = microseconds(metadata.lookup_value("mpris:length", None));
        let position = microseconds(properties.lookup_value("Position", None));
        let has_moved = position.is_some() && self.position.is_some() && self.position != position;
        self.position = position;
        let url = text("xesam:url");
        let song = url.as_deref().map(song_of);
        let status = properties.lookup::<String>("PlaybackStatus").ok().flatten();
        if status.as_deref() == Some("Playing") {
            self.opened = None;
        }
        let is_at_beginning = position.is_none_or(|position| position.is_zero());
        let waiting =
            self.opened.as_mut().filter(|(opened, _)| is_at_beginning && song.as_ref() == Some(opened));
        let reports = waiting.map_or(0, |(_, reports)| {
            *reports += 1;
            *reports
        });
        let is_waiting = (1..=MAX_WAITING_REPORTS).contains(&reports);
        if reports == WAITING_REPORTS {
            self.set_playback(Playback::Playing)?;
        }
        let playback = match status.as_deref() {
            Some("Playing") => Playback::Playing,
            Some("Paused") if !is_waiting => Playback::Paused,
            // mpv-mpris says `Stopped` of what was opened while it was idle.
            _ if has_moved => Playback::Playing,
            _ => Playback::Stopped,
        };
        let report = Report {
            playback,
            song: song.filter(|_| playback != Playback::Stopped),
            title: redact_addresses(&text("xesam:title").or(url).unwrap_or_default()).into(),
            error: None,
            remaining: length.zip(position).map(|(length, position)| length.saturating_sub(position)),
        };
        let is_over = playback == Playback::Stopped
            || playback == Playback::Playing
                && report.remaining.is_some_and(|remaining| remaining < NEARLY_OVER);
        if is_over && let Some(uri) = self.queued.take() {
            self.open(&uri)?;
        }
        Ok(report)
    }

    fn play(&mut self, uri: &str, queue: bool) -> Result<String, PlayerError> {
        self.queued = None;
        if queue {
            self.queued = Some(uri.into());
        } else {
            self.open(uri)?;
        }
        Ok(song_of(uri))
    }

    fn set_playback(&mut self, playback: Playback) -> Result<(), PlayerError> {
        let method = match playback {
            Playback::Playing => "Play",
            Playback::Paused => "Pause",
            Playback::Stopped => {
                (self.queued, self.opened) = (None, None);
                "Stop"
            }
        };
        self.call(PLAYER, method, &().to_variant()).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_song_is_the_same_however_its_uri_is_written() {
        let song = song_of("file:///M%C3%BCsic/a%20(1).wav");
        for uri in [
            "file:///M%c3%bcsic/a%20%281%29.wav",
            "file://localhost/M%C3%BCsic/a%20(1).wav",
            "file:///Müsic/a (1).wav",
        ] {
            assert_eq!(song_of(uri), song, "{uri}");
        }
        assert_ne!(song_of("file:///M%C3%BCsic/a%20(2).wav"), song);
        assert_eq!(song_of("/Müsic/a (1).wav"), "/Müsic/a (1).wav");
    }
}
