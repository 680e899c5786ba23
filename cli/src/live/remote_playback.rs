//! The music of a session played by another player: a thread that compares what the session wants with what the player does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mood_schema::redact_addresses;
use remote_player::{
    Mirror, Mpd, Outcome, Playback, PlayerAddress, PlayerError, RemotePlayer, Step, TrackStart, UserAction,
    Wish,
};

use super::control::{PlaybackStatus, SessionCommand, SessionControl};
use super::mpris_client::MprisClient;
use crate::error::CommandError;

/// How often the two are compared.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long a player that is gone is left alone.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// How many tracks in a row the player may refuse before the session stays with its choice.
const MAX_REFUSALS: u32 = 3;

/// The thread. When it is dropped, the other player stops.
pub struct RemotePlayback {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RemotePlayback {
    /// Starts to play at `address` what the session chooses, with `crossfade` between tracks.
    pub fn start(
        address: &PlayerAddress,
        crossfade: Duration,
        control: SessionControl,
    ) -> Result<Self, CommandError> {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let address = address.clone();
        let thread = thread::Builder::new().name("player".into()).spawn(move || match &address {
            PlayerAddress::Mpris(name) => serve(MprisClient::new(name), &control, &ends),
            _ => match Mpd::new(address, crossfade) {
                Ok(player) => serve(player, &control, &ends),
                Err(error) => control.warn(CommandError::thread(error).to_string()),
            },
        });
        Ok(Self { is_over, thread: Some(thread.map_err(CommandError::thread)?) })
    }
}

impl Drop for RemotePlayback {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Compares the two until the session is over, and stops the player then.
fn serve(mut player: impl RemotePlayer, control: &SessionControl, is_over: &AtomicBool) {
    let mut mirror = Mirror::default();
    let mut is_gone = false;
    let mut refusals = Refusals::default();
    loop {
        let ends = is_over.load(Ordering::Relaxed);
        let state = control.state();
        let playback = match state.status {
            _ if ends => Playback::Stopped,
            PlaybackStatus::Playing => Playback::Playing,
            PlaybackStatus::Paused => Playback::Paused,
            PlaybackStatus::Stopped => Playback::Stopped,
        };
        let wish = Wish { playback, uri: state.playing.as_ref().map(|track| track.uri.clone()) };
        match look(&mut player, &mut mirror, &wish) {
            Ok((outcome, error)) => {
                if std::mem::take(&mut is_gone) {
                    control.update(|state| state.warning = None);
                }
                match outcome.start {
                    Some(TrackStart::Begun) => refusals = Refusals::default(),
                    Some(TrackStart::Failed) => {
                        refusals.add(describe_failure(&wish, error.as_deref()), control);
                    }
                    None => {}
                }
                if let Some(action) = outcome.user {
                    pass_on(action, control);
                }
            }
            Err(PlayerError::Gone(reason)) => {
                if !std::mem::replace(&mut is_gone, true) {
                    control.warn(format!("no music from {reason}; it goes on when the player is there"));
                }
                mirror.forget();
            }
            Err(PlayerError::Refused(reason)) => refusals.add(reason, control),
        }
        if ends {
            return;
        }
        let pause = if is_gone { RETRY_INTERVAL } else { INTERVAL };
        let mut waited = Duration::ZERO;
        while waited < pause && !is_over.load(Ordering::Relaxed) {
            thread::sleep(INTERVAL);
            waited += INTERVAL;
        }
    }
}

/// What the player did not do since it last played something.
#[derive(Default)]
struct Refusals {
    count: u32,
    latest: String,
}

impl Refusals {
    /// Tells the user why a track is not played, and wishes for another unless too many were not.
    fn add(&mut self, reason: String, control: &SessionControl) {
        // A player that refuses everything is asked many times a second.
        if self.latest != reason {
            control.warn(reason.as_str());
            self.latest = reason;
        }
        self.count += 1;
        if self.count <= MAX_REFUSALS {
            // A session that has ended wants nothing.
            let _ = control.send(SessionCommand::Skip);
        }
    }
}

/// Why nothing sounds, for the user.
fn describe_failure(wish: &Wish, error: Option<&str>) -> String {
    let track = wish.uri.as_deref().map(redact_addresses).unwrap_or_default();
    let error = error.map(|error| format!(" ({error})")).unwrap_or_default();
    format!(
        "the player stops where it should play {track}{error}: give it the same files at the same place, readable by it, and a \
         decoder for them"
    )
}

/// One look, and what follows from it for the player; returns what it shows, and why the player could not play something.
fn look(
    player: &mut impl RemotePlayer,
    mirror: &mut Mirror,
    wish: &Wish,
) -> Result<(Outcome, Option<String>), PlayerError> {
    let report = player.report()?;
    let outcome = mirror.look(wish, &report);
    for step in &outcome.steps {
        let song = match step {
            Step::Play { uri, queue } => Some(player.play(uri, *queue)?),
            Step::SetPlayback(playback) => {
                player.set_playback(*playback)?;
                None
            }
        };
        mirror.confirm(step, song);
    }
    Ok((outcome, report.error))
}

/// What the user did at the player wins: the session does the same.
fn pass_on(action: UserAction, control: &SessionControl) {
    let command = match action {
        UserAction::Paused => SessionCommand::Pause,
        UserAction::Resumed => SessionCommand::Play,
        UserAction::Skipped => SessionCommand::Skip,
        UserAction::Chose(title) => {
            eprintln!("gst-mood: {title} was chosen in the player and plays to its end");
            return;
        }
    };
    // A session that has ended wants nothing.
    let _ = control.send(command);
}
