//! MPD, the Music Player Daemon (<https://mpd.readthedocs.io/en/stable/protocol.html>), and Mopidy by its MPD frontend.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mpd_client::Client;
use mpd_client::client::{CommandError, ConnectWithPasswordError};
use mpd_client::commands::{self, SongId};
use mpd_client::protocol::Command as RawCommand;
use mpd_client::responses::{PlayState, Song, Status};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::{PASSWORD_VARIABLE, Playback, PlayerAddress, PlayerError, RemotePlayer, Report};

/// How long MPD may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// `Permission denied` in MPD's protocol: `ACK_ERROR_PERMISSION`.
const PERMISSION: u64 = 4;
/// An unknown command, or one that the server has switched off: `ACK_ERROR_UNKNOWN`.
const UNKNOWN: u64 = 5;
/// A command that the server knows and does not have. Of all servers Mopidy alone answers so.
const NOT_IMPLEMENTED: u64 = 0;
/// How many songs' stickers are asked for with one command list, whose length MPD limits.
const STICKERS_AT_ONCE: usize = 100;
/// How long MPD may take to list its database.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a song is faded out before another cuts in, and in again: MPD crossfades only at the end of a song.
const FADE: Duration = Duration::from_millis(400);
/// Steps of a fade.
const FADE_STEPS: u32 = 8;

/// An MPD server, connected when it is needed and again after it was gone.
#[derive(Debug)]
pub struct Mpd {
    address: PlayerAddress,
    crossfade: Duration,
    runtime: Runtime,
    server: Option<Server>,
    /// The songs that we have added and not yet removed, the oldest first.
    added: Vec<SongId>,
    /// The crossfade that was set before we came.
    previous_crossfade: Option<Duration>,
}

/// A server that is connected.
#[derive(Debug)]
struct Server {
    client: Client,
    /// Mopidy closes the connection where something is added by a path, and does not crossfade.
    is_mopidy: bool,
}

impl Mpd {
    /// A server that is not connected yet. It crossfades from track to track in `crossfade`, in whole seconds.
    ///
    /// # Errors
    /// Those of the system.
    pub fn new(address: PlayerAddress, crossfade: Duration) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { address, crossfade, runtime, server: None, added: Vec::new(), previous_crossfade: None })
    }

    /// Does something with a connected client. Where that fails, the connection is given up.
    fn with_client<T>(
        &mut self,
        work: impl AsyncFnOnce(&Server, &mut Vec<SongId>) -> Result<T, PlayerError>,
    ) -> Result<T, PlayerError> {
        let Self { address, crossfade, runtime, server, added, previous_crossfade } = self;
        let result = runtime.block_on(async {
            let server = match server {
                Some(server) => server,
                None => {
                    let client = within(connect(address)).await?;
                    let status = command(&client, commands::Status).await?;
                    let is_mopidy = match client.command(commands::Crossfade(*crossfade)).await {
                        Ok(()) => false,
                        Err(CommandError::ErrorResponse { error, .. }) if error.code == NOT_IMPLEMENTED => {
                            true
                        }
                        Err(error) => return Err(to_player_error(error)),
                    };
                    if !is_mopidy {
                        previous_crossfade.get_or_insert(status.crossfade);
                    }
                    added.clear();
                    server.insert(Server { client, is_mopidy })
                }
            };
            within(work(server, added)).await
        });
        if matches!(result, Err(PlayerError::Gone(_))) {
            *server = None;
        }
        result.map_err(|error| match error {
            PlayerError::Gone(reason) => PlayerError::Gone(format!("{address}: {reason}")),
            refused => refused,
        })
    }
}

impl RemotePlayer for Mpd {
    fn report(&mut self) -> Result<Report, PlayerError> {
        self.with_client(async |Server { client, .. }, _| {
            let status = command(client, commands::Status).await?;
            let song = command(client, commands::CurrentSong).await?;
            let title = song.map_or_else(String::new, |song| {
                song.song.title().map_or_else(|| song.song.url.clone(), Into::into)
            });
            Ok(Report {
                playback: playback(&status),
                song: status.current_song.map(|(_, id)| id.0.to_string()),
                title: mood_schema::redact_addresses(&title).into(),
                remaining: status.duration.zip(status.elapsed).map(|(all, past)| all.saturating_sub(past)),
                error: status.error.map(|error| mood_schema::redact_addresses(&error).into()),
            })
        })
    }

    fn play(&mut self, uri: &str, queue: bool) -> Result<String, PlayerError> {
        self.with_client(async |Server { client, is_mopidy }, added| {
            let names = if *is_mopidy { vec![uri.into()] } else { names(uri) };
            let id = add(client, uri, &names).await?;
            if !queue {
                let status = command(client, commands::Status).await?;
                let volume =
                    Some(status.volume).filter(|&volume| volume > 0 && status.state == PlayState::Playing);
                if let Some(volume) = volume {
                    fade(client, volume, (0..FADE_STEPS).rev()).await?;
                }
                let played = command(client, commands::Play::song(id)).await;
                // Also where it cannot be played: the volume is that of the user.
                if let Some(volume) = volume {
                    fade(client, volume, 1..=FADE_STEPS).await?;
                }
                if let Err(error) = played {
                    let _ = command(client, commands::Delete::id(id)).await;
                    return Err(not_played(uri, error));
                }
            }
            // What we have added before is played, or never will be; what the user has added stays.
            let keep = usize::from(queue);
            while added.len() > keep {
                // It may have been removed there.
                let _ = command(client, commands::Delete::id(added.remove(0))).await;
            }
            added.push(id);
            Ok(id.0.to_string())
        })
    }

    fn set_playback(&mut self, playback: Playback) -> Result<(), PlayerError> {
        self.with_client(async |Server { client, .. }, _| match playback {
            Playback::Playing => command(client, commands::SetPause(false)).await,
            Playback::Paused => command(client, commands::SetPause(true)).await,
            Playback::Stopped => command(client, commands::Stop).await,
        })
    }
}

/// What an MPD server has in its database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MpdDatabase {
    /// The folder with the music, as the server sees it; `None` where it does not say, as over TCP.
    pub music_directory: Option<PathBuf>,
    /// The songs, relative to that folder.
    pub songs: Vec<String>,
    /// What users have noted as a song's mood, the sticker `mood`, by song; empty where the server keeps no stickers.
    pub moods: BTreeMap<String, String>,
}

impl MpdDatabase {
    /// Reads the database of a server, whose connection is closed afterwards.
    ///
    /// # Errors
    /// [`PlayerError::Gone`] where it cannot be reached or does not permit it.
    pub fn read(address: &PlayerAddress) -> Result<Self, PlayerError> {
        let failed = |error: std::io::Error| PlayerError::Gone(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let read = async {
            let client = connect(address).await?;
            let songs = command(&client, commands::ListAllIn::root()).await?;
            let config = client.raw_command(RawCommand::new("config")).await;
            let music_directory =
                config.ok().and_then(|mut config| config.get("music_directory")).map(PathBuf::from);
            let moods = moods(&client, &songs).await?;
            let songs = songs.into_iter().map(|song| song.url).collect();
            Ok(Self { music_directory, songs, moods })
        };
        // A timer is made within the runtime only.
        match runtime.block_on(async { timeout(DATABASE_TIMEOUT, read).await }) {
            Ok(Err(PlayerError::Gone(reason))) => Err(PlayerError::Gone(format!("{address}: {reason}"))),
            Ok(read) => read,
            Err(_) => Err(PlayerError::Gone(format!("{address}: it does not answer in time"))),
        }
    }
}

/// The stickers `mood`, by song.
async fn moods(client: &Client, songs: &[Song]) -> Result<BTreeMap<String, String>, PlayerError> {
    let mut moods = BTreeMap::new();
    // Not by `sticker find` from the root, whose name is an empty argument, which the protocol's library leaves out.
    for songs in songs.chunks(STICKERS_AT_ONCE) {
        let lists: Vec<_> = songs.iter().map(|song| commands::StickerList::new(&song.url)).collect();
        let lists = match client.command_list(lists).await {
            Ok(lists) => lists,
            Err(CommandError::ErrorResponse { error, .. }) if error.code == UNKNOWN => break,
            Err(error) => return Err(to_player_error(error)),
        };
        for (song, mut stickers) in songs.iter().zip(lists) {
            moods.extend(stickers.value.remove("mood").map(|mood| (song.url.clone(), mood)));
        }
    }
    Ok(moods)
}

impl Drop for Mpd {
    fn drop(&mut self) {
        let (Some(Server { client, .. }), Some(crossfade)) = (&self.server, self.previous_crossfade) else {
            return;
        };
        // As it was found. A server that is gone has nothing to be restored.
        let restored = async { timeout(TIMEOUT, command(client, commands::Crossfade(crossfade))).await };
        let _ = self.runtime.block_on(restored);
    }
}

async fn within<T>(work: impl Future<Output = Result<T, PlayerError>>) -> Result<T, PlayerError> {
    let result = timeout(TIMEOUT, work).await;
    result.unwrap_or_else(|_| {
        Err(PlayerError::Gone("it does not answer; check the host and the network".into()))
    })
}

async fn connect(address: &PlayerAddress) -> Result<Client, PlayerError> {
    let unreachable =
        |error: std::io::Error| PlayerError::Gone(format!("{error}; start MPD, or correct the address"));
    let password = std::env::var(PASSWORD_VARIABLE).ok();
    let password = password.as_deref().filter(|password| !password.is_empty());
    let connected = match address {
        PlayerAddress::Mpd { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
            Client::connect_with_password_opt(stream, password).await
        }
        PlayerAddress::MpdSocket(path) => {
            let stream = UnixStream::connect(path).await.map_err(unreachable)?;
            Client::connect_with_password_opt(stream, password).await
        }
        PlayerAddress::Mpris(_) => return Err(PlayerError::Gone("no MPD".into())),
    };
    match connected {
        Ok((client, _)) => Ok(client),
        Err(ConnectWithPasswordError::IncorrectPassword) => {
            Err(PlayerError::Gone(format!("it refuses the password in {PASSWORD_VARIABLE}")))
        }
        Err(ConnectWithPasswordError::ProtocolError(error)) => {
            Err(PlayerError::Gone(format!("what listens there is no MPD: {error}")))
        }
    }
}

async fn command<C: commands::Command>(client: &Client, sent: C) -> Result<C::Response, PlayerError> {
    client.command(sent).await.map_err(to_player_error)
}

fn to_player_error(error: CommandError) -> PlayerError {
    match error {
        // Nothing of what follows would be permitted either.
        CommandError::ErrorResponse { error, .. } if error.code == PERMISSION => PlayerError::Gone(format!(
            "it does not permit it ({}); give its password in {PASSWORD_VARIABLE}",
            error.message
        )),
        CommandError::ErrorResponse { error, .. } => PlayerError::Refused(error.message.into()),
        error => PlayerError::Gone(error.to_string()),
    }
}

/// What is wrong where MPD knows a track and cannot play it.
fn not_played(uri: &str, error: PlayerError) -> PlayerError {
    let PlayerError::Refused(reason) = error else { return error };
    PlayerError::Refused(format!(
        "MPD does not play {} ({reason}); see that it may read the file and has a decoder for it, and let it update its database",
        mood_schema::redact_addresses(uri)
    ))
}

/// Sets the volume to shares of `volume`, one after the other.
async fn fade(client: &Client, volume: u8, shares: impl Iterator<Item = u32>) -> Result<(), PlayerError> {
    for share in shares {
        let step = u32::from(volume) * share / FADE_STEPS;
        command(client, commands::SetVolume(step as u8)).await?;
        sleep(FADE / FADE_STEPS).await;
    }
    Ok(())
}

/// Adds a track behind the present song, by the first of its `names` that the server knows.
async fn add(client: &Client, uri: &str, names: &[String]) -> Result<SongId, PlayerError> {
    let mut reason = String::new();
    for (index, name) in names.iter().enumerate() {
        let status = command(client, commands::Status).await?;
        let add = commands::Add::uri(name);
        // Not by a place relative to it: MPD 0.23 is the first to know that.
        let add = match status.current_song {
            Some((position, _)) => add.at(position.0 + 1),
            None => add,
        };
        match client.command(add).await {
            Ok(id) => return Ok(id),
            // Files of one's own are not permitted over the network, others may be.
            Err(CommandError::ErrorResponse { error, .. })
                if error.code != PERMISSION || index + 1 < names.len() =>
            {
                if reason.is_empty() {
                    reason = error.message.into();
                }
            }
            Err(error) => return Err(to_player_error(error)),
        }
    }
    Err(PlayerError::Refused(format!(
        "MPD does not have {} ({reason}); put its folder into MPD's music_directory and let MPD update, or connect by its Unix \
         socket, as in --player mpd:///run/mpd/socket, through which it plays any file that it may read",
        mood_schema::redact_addresses(uri)
    )))
}

/// The names that MPD may have for a track: the URI, or for a file its path, which MPD accepts over a Unix socket and without
/// percent-encoding only, then the path relative to a music directory that is not known, from the longest to the shortest.
fn names(uri: &str) -> Vec<String> {
    let path =
        Url::parse(uri).ok().filter(|url| url.scheme() == "file").and_then(|url| url.to_file_path().ok());
    let Some(path) = path else { return vec![uri.into()] };
    let parts: Vec<&Path> = path.iter().skip(1).map(Path::new).collect();
    let relative = (0..parts.len()).map(|start| parts[start..].iter().collect());
    let names = std::iter::once(path.clone()).chain(relative);
    names.filter_map(|path: PathBuf| path.to_str().map(Into::into)).collect()
}

fn playback(status: &Status) -> Playback {
    match status.state {
        PlayState::Playing => Playback::Playing,
        PlayState::Paused => Playback::Paused,
        PlayState::Stopped => Playback::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    #[test]
    fn a_server_that_permits_nothing_is_gone_until_it_gets_its_password() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"OK MPD 0.23.5\n").unwrap();
            for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
                let answer: &[u8] = match line.as_str() {
                    // It is answered when something happens.
                    "idle" => continue,
                    "noidle" => b"OK\n",
                    _ => b"ACK [4@0] {status} you don't have permission\n",
                };
                stream.write_all(answer).unwrap();
            }
        });
        let mut player =
            Mpd::new(PlayerAddress::Mpd { host: "127.0.0.1".into(), port }, Duration::ZERO).unwrap();
        let error = player.report().unwrap_err();
        assert!(
            matches!(&error, PlayerError::Gone(reason) if reason.contains(PASSWORD_VARIABLE)),
            "{error:?}"
        );
        drop(player);
        server.join().unwrap();
    }

    #[test]
    fn a_file_is_tried_by_its_address_and_by_every_relative_path() {
        assert_eq!(
            names("file:///music/M%C3%A4rz/a.ogg"),
            ["/music/März/a.ogg", "music/März/a.ogg", "März/a.ogg", "a.ogg"]
        );
        assert_eq!(names("http://h/a.ogg"), ["http://h/a.ogg"]);
    }
}
