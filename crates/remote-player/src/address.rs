//! Which player, as a user names it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

/// The environment variable with MPD's password.
pub const PASSWORD_VARIABLE: &str = "GST_MOOD_MPD_PASSWORD";

/// MPD's port (IANA: `mpd`).
const MPD_PORT: u16 = 6600;

/// Which player plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayerAddress {
    /// MPD, or Mopidy's MPD frontend, at a host and a TCP port: `mpd://HOST[:6600]`.
    Mpd {
        /// Name or address; an IPv6 address without brackets.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// MPD at a Unix socket: `mpd:///run/mpd/socket`.
    MpdSocket(PathBuf),
    /// A player on the session's D-Bus: `mpris:NAME`, with the name behind `org.mpris.MediaPlayer2.`.
    Mpris(String),
}

/// Why a text names no player. It says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text has none of the forms.
    #[error("'{0}' names no player: use mpd://HOST, mpd:///run/mpd/socket or mpris:NAME")]
    Unknown(String),
    /// A password in an address would be seen in the list of processes.
    #[error(
        "every user of this computer could read the password there: put it into the environment variable {PASSWORD_VARIABLE}"
    )]
    Password,
}

impl FromStr for PlayerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let unknown = || AddressError::Unknown(mood_schema::redact_addresses(text).into());
        if let Some(name) = text.strip_prefix("mpris:") {
            let name = name.trim_start_matches("//").trim_start_matches("org.mpris.MediaPlayer2.");
            // Elements of a bus name (D-Bus specification, section "Message Protocol: Valid Names").
            let is_valid =
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
            return if is_valid { Ok(Self::Mpris(name.into())) } else { Err(unknown()) };
        }
        let url = Url::parse(text).map_err(|_| unknown())?;
        if url.scheme() != "mpd" || url.query().is_some() || url.fragment().is_some() {
            return Err(unknown());
        }
        if url.password().is_some() || !url.username().is_empty() {
            return Err(AddressError::Password);
        }
        let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy();
        match url.host_str().filter(|host| !host.is_empty()) {
            Some(host) if path.trim_matches('/').is_empty() => Ok(Self::Mpd {
                host: host.trim_start_matches('[').trim_end_matches(']').into(),
                port: url.port().unwrap_or(MPD_PORT),
            }),
            None if path.len() > 1 => Ok(Self::MpdSocket(path.into_owned().into())),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for PlayerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mpd { host, port } if host.contains(':') => write!(f, "mpd://[{host}]:{port}"),
            Self::Mpd { host, port } => write!(f, "mpd://{host}:{port}"),
            Self::MpdSocket(path) => write!(f, "mpd://{}", path.display()),
            Self::Mpris(name) => write!(f, "mpris:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood_and_shown() {
        for (text, shown) in [
            ("mpd://localhost", "mpd://localhost:6600"),
            ("mpd://[::1]:7000/", "mpd://[::1]:7000"),
            ("mpd:///run/mpd/socket", "mpd:///run/mpd/socket"),
            ("mpris:vlc", "mpris:vlc"),
            ("mpris:org.mpris.MediaPlayer2.mpv.instance-2", "mpris:mpv.instance-2"),
        ] {
            assert_eq!(text.parse::<PlayerAddress>().unwrap().to_string(), shown);
        }
        for text in
            ["", "mopidy", "mpris:", "mpris:a b", "mpd://h/playlist", "mpd:", "http://h", "mpd://h?x=1"]
        {
            assert!(matches!(text.parse::<PlayerAddress>(), Err(AddressError::Unknown(_))), "{text}");
        }
        let error = "mpd://me:secret@h".parse::<PlayerAddress>().unwrap_err();
        assert!(error == AddressError::Password && !error.to_string().contains("secret"));
    }
}
