//! Where publications go, as a URI says it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

/// The environment variable with the password of an MQTT broker.
pub const PASSWORD_VARIABLE: &str = "GST_MOOD_MQTT_PASSWORD";

/// Port of MQTT, and of MQTT over TLS (IANA: `mqtt`, `secure-mqtt`).
const MQTT_PORT: u16 = 1883;
const MQTT_TLS_PORT: u16 = 8883;
/// Last level of the topic that says whether somebody publishes.
pub(crate) const STATUS: &str = "status";
/// The first level of topics and of OSC addresses where the URI has no path.
const DEFAULT_NAME: &str = "gst-mood";

/// Where publications go.
///
/// | URI | destination |
/// |---|---|
/// | `mqtt://[USER@]HOST[:1883][/TOPIC]`, `mqtts://...:8883` | an MQTT broker, the latter over TLS |
/// | `osc://HOST:PORT[/PREFIX]` | an OSC receiver, over UDP |
/// | `lsl:[?name=NAME]` | programs that record LabStreamingLayer |
/// | `file:///PATH` | a file that is continued, JSON Lines |
/// | `unix:///PATH` | a listening Unix socket, JSON Lines |
/// | `stdout:` | standard output, JSON Lines |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An MQTT broker.
    Mqtt(MqttDestination),
    /// An Open Sound Control receiver.
    Osc(OscDestination),
    /// Streams of LabStreamingLayer.
    Lsl(LslDestination),
    /// A file to which lines are appended.
    File(PathBuf),
    /// A Unix stream socket on which another program listens.
    Socket(PathBuf),
    /// Standard output of the process.
    Stdout,
}

/// An MQTT broker, and how to publish there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttDestination {
    /// Name or address of the host; an IPv6 address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name; the password is not part of the URI.
    pub user: Option<String>,
    /// File whose first line is the password (`?password-file=`); without it, [`PASSWORD_VARIABLE`] counts.
    pub password_file: Option<PathBuf>,
    /// The topic below which everything is published, without slashes at its ends.
    pub topic: String,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// File with the certificates that are trusted (`?ca=`), PEM; without it, those of the system.
    pub ca: Option<PathBuf>,
    /// Delivery (`?qos=`); 1 by default.
    pub qos: QualityOfService,
    /// Whether the broker keeps the latest state for those who subscribe later (`?retain=`); true by default.
    pub retain: bool,
    /// Prefix of Home Assistant's discovery topics (`?discovery=`, usually `homeassistant`); `None` announces nothing.
    pub discovery: Option<String>,
}

/// The quality of service of MQTT (MQTT 3.1.1, section 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QualityOfService {
    /// At most once.
    AtMostOnce,
    /// At least once.
    #[default]
    AtLeastOnce,
    /// Exactly once.
    ExactlyOnce,
}

/// An Open Sound Control receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OscDestination {
    /// Name or address of the host; an IPv6 address without brackets.
    pub host: String,
    /// UDP port.
    pub port: u16,
    /// First part of every address pattern, with a slash at its beginning only.
    pub prefix: String,
}

/// Streams of LabStreamingLayer, for whoever on the network records them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LslDestination {
    /// Name of the stream of samples (`?name=`); that of the markers has `-markers` behind it.
    pub name: String,
    /// Where the streams come from, the same after an interruption (`?source-id=`); `None`: this computer and the name.
    pub source_id: Option<String>,
}

/// Why a URI names no destination. The text says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// The text is no URI.
    #[error(
        "'{0}' is no URI: use mqtt://HOST/TOPIC, osc://HOST:PORT, lsl:, file:///PATH, unix:///PATH or stdout:, with %20 for a blank"
    )]
    NotAUri(String),
    /// There is no such protocol.
    #[error("nothing publishes to '{0}:': use mqtt, mqtts, osc, lsl, file, unix or stdout")]
    UnknownScheme(String),
    /// The URI has no host.
    #[error("{0} needs a host, as in {0}://localhost")]
    NoHost(String),
    /// The URI has no port, which the protocol does not define.
    #[error("osc needs a port, as in osc://localhost:9000: the one that the receiver shows in its settings")]
    NoPort,
    /// The path is missing or relative.
    #[error("{0} needs an absolute path, as in {0}:///tmp/moods")]
    NoPath(String),
    /// A password in a URI would be seen in the list of processes.
    #[error(
        "a password in the URI can be read by every user of this computer: put it into the environment variable \
         {PASSWORD_VARIABLE}, or into a file and add ?password-file=PATH"
    )]
    Password,
    /// A topic for publication may have no wildcard (MQTT 3.1.1, section 4.7.1).
    #[error(
        "the topic '{0}' has a wildcard (+ or #), which is for subscribers only: publish to a topic without"
    )]
    Wildcard(String),
    /// A parameter that does not exist, or has no such value.
    #[error("unknown parameter '{0}': {1}")]
    Parameter(String, &'static str),
}

const MQTT_PARAMETERS: &str =
    "use qos=0, 1 or 2, retain=true or false, discovery=homeassistant, ca=PATH, password-file=PATH";
const LSL_PARAMETERS: &str = "use name=NAME, source-id=ID";

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        if text == "-" || text == "stdout:" {
            return Ok(Self::Stdout);
        }
        let url = Url::parse(text)
            .map_err(|_| DestinationError::NotAUri(mood_schema::redact_addresses(text).into()))?;
        if url.password().is_some() {
            return Err(DestinationError::Password);
        }
        let scheme = url.scheme();
        if !matches!(scheme, "mqtt" | "mqtts" | "lsl")
            && let Some((name, _)) = url.query_pairs().next()
        {
            return Err(DestinationError::Parameter(name.into(), "only mqtt, mqtts and lsl have any"));
        }
        match scheme {
            "mqtt" | "mqtts" => MqttDestination::from_url(&url).map(Self::Mqtt),
            "osc" => OscDestination::from_url(&url).map(Self::Osc),
            "lsl" => LslDestination::from_url(&url).map(Self::Lsl),
            "file" => Ok(Self::File(path(&url)?)),
            "unix" => Ok(Self::Socket(path(&url)?)),
            _ => Err(DestinationError::UnknownScheme(scheme.into())),
        }
    }
}

impl MqttDestination {
    /// The topic of a kind of publication, such as `state`, or any other below [`Self::topic`].
    pub fn topic_of(&self, kind: &str) -> String {
        format!("{}/{kind}", self.topic)
    }

    fn from_url(url: &Url) -> Result<Self, DestinationError> {
        let tls = url.scheme() == "mqtts";
        let topic = decode(url.path()).trim_matches('/').to_string();
        if topic.contains(['+', '#', '\0']) || url.fragment().is_some() {
            return Err(DestinationError::Wildcard(decode(
                url.as_str().split_once("://").map_or("", |(_, rest)| rest),
            )));
        }
        let mut destination = Self {
            host: host(url)?,
            port: url.port().unwrap_or(if tls { MQTT_TLS_PORT } else { MQTT_PORT }),
            user: Some(decode(url.username())).filter(|user| !user.is_empty()),
            password_file: None,
            topic: if topic.is_empty() { DEFAULT_NAME.into() } else { topic },
            tls,
            ca: None,
            qos: QualityOfService::default(),
            retain: true,
            discovery: None,
        };
        for (name, value) in url.query_pairs() {
            let unknown = || DestinationError::Parameter(format!("{name}={value}"), MQTT_PARAMETERS);
            match &*name {
                "qos" => {
                    destination.qos = match &*value {
                        "0" => QualityOfService::AtMostOnce,
                        "1" => QualityOfService::AtLeastOnce,
                        "2" => QualityOfService::ExactlyOnce,
                        _ => return Err(unknown()),
                    }
                }
                "retain" => destination.retain = value.parse().map_err(|_| unknown())?,
                "discovery" if !value.contains(['+', '#']) && !value.is_empty() => {
                    destination.discovery = Some(value.trim_matches('/').into());
                }
                "ca" if tls => destination.ca = Some(PathBuf::from(&*value)),
                "password-file" => destination.password_file = Some(PathBuf::from(&*value)),
                _ => return Err(unknown()),
            }
        }
        Ok(destination)
    }
}

impl OscDestination {
    fn from_url(url: &Url) -> Result<Self, DestinationError> {
        let prefix = decode(url.path());
        let prefix = prefix.trim_matches('/');
        Ok(Self {
            host: host(url)?,
            port: url.port().ok_or(DestinationError::NoPort)?,
            prefix: format!("/{}", if prefix.is_empty() { DEFAULT_NAME } else { prefix }),
        })
    }
}

impl LslDestination {
    fn from_url(url: &Url) -> Result<Self, DestinationError> {
        if !url.path().is_empty() || url.has_host() {
            let text = decode(url.as_str().split_once(':').map_or("", |(_, rest)| rest));
            return Err(DestinationError::Parameter(text, LSL_PARAMETERS));
        }
        let mut destination = Self { name: DEFAULT_NAME.into(), source_id: None };
        for (name, value) in url.query_pairs() {
            match &*name {
                "name" if is_stream_text(&value) => destination.name = value.into(),
                "source-id" if is_stream_text(&value) => destination.source_id = Some(value.into()),
                _ => return Err(DestinationError::Parameter(format!("{name}={value}"), LSL_PARAMETERS)),
            }
        }
        Ok(destination)
    }
}

/// Whether a C function and an XML attribute take it.
fn is_stream_text(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

/// As far as it is shown to users: protocol, host, port and path, no parameters and no user.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mqtt(mqtt) => {
                let scheme = if mqtt.tls { "mqtts" } else { "mqtt" };
                write!(f, "{scheme}://{}:{}/{}", bracketed(&mqtt.host), mqtt.port, mqtt.topic)
            }
            Self::Osc(osc) => write!(f, "osc://{}:{}{}", bracketed(&osc.host), osc.port, osc.prefix),
            Self::Lsl(lsl) if lsl.name == DEFAULT_NAME => f.write_str("lsl:"),
            Self::Lsl(lsl) => write!(f, "lsl:?name={}", lsl.name),
            Self::File(path) => write!(f, "file://{}", path.display()),
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
            Self::Stdout => f.write_str("stdout:"),
        }
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.into() }
}

fn host(url: &Url) -> Result<String, DestinationError> {
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| DestinationError::NoHost(url.scheme().into()))?;
    Ok(host.trim_start_matches('[').trim_end_matches(']').into())
}

fn path(url: &Url) -> Result<PathBuf, DestinationError> {
    let path = decode(url.path());
    if url.host_str().is_some_and(|host| !host.is_empty()) || path.len() < 2 || !path.starts_with('/') {
        return Err(DestinationError::NoPath(url.scheme().into()));
    }
    Ok(path.into())
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Destination, DestinationError> {
        text.parse()
    }

    #[test]
    fn uris_of_every_protocol_are_understood() {
        let mqtt = MqttDestination {
            host: "localhost".into(),
            port: 1883,
            user: None,
            password_file: None,
            topic: "gst-mood".into(),
            tls: false,
            ca: None,
            qos: QualityOfService::AtLeastOnce,
            retain: true,
            discovery: None,
        };
        assert_eq!(parse("mqtt://localhost"), Ok(Destination::Mqtt(mqtt.clone())));
        let full = "mqtts://ada@[::1]:9/room/a%20b/?qos=2&retain=false&discovery=homeassistant&ca=/ca.pem&password-file=/p";
        let expected = MqttDestination {
            host: "::1".into(),
            port: 9,
            user: Some("ada".into()),
            password_file: Some("/p".into()),
            topic: "room/a b".into(),
            tls: true,
            ca: Some("/ca.pem".into()),
            qos: QualityOfService::ExactlyOnce,
            retain: false,
            discovery: Some("homeassistant".into()),
        };
        assert_eq!(parse(full), Ok(Destination::Mqtt(expected)));
        assert_eq!(parse(full).unwrap().to_string(), "mqtts://[::1]:9/room/a b");
        let osc = OscDestination { host: "127.0.0.1".into(), port: 9000, prefix: "/gst-mood".into() };
        assert_eq!(parse("osc://127.0.0.1:9000"), Ok(Destination::Osc(osc)));
        assert_eq!(parse("osc://h:1/a/b").unwrap().to_string(), "osc://h:1/a/b");
        assert_eq!(parse("file:///tmp/a%20b"), Ok(Destination::File("/tmp/a b".into())));
        assert_eq!(parse("unix:/run/x"), Ok(Destination::Socket("/run/x".into())));
        assert_eq!(parse("stdout:"), Ok(Destination::Stdout));
        let lsl = LslDestination { name: "gst-mood".into(), source_id: None };
        assert_eq!(parse("lsl:"), Ok(Destination::Lsl(lsl.clone())));
        assert_eq!(parse("lsl:").unwrap().to_string(), "lsl:");
        let named = LslDestination { name: "room a".into(), source_id: Some("7".into()) };
        assert_eq!(parse("lsl:?name=room%20a&source-id=7"), Ok(Destination::Lsl(named.clone())));
        assert_eq!(Destination::Lsl(named).to_string(), "lsl:?name=room a");
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_remedy() {
        for (text, remedy) in [
            ("localhost", "is no URI"),
            ("kafka://h/t", "use mqtt, mqtts, osc"),
            ("mqtt:///topic", "needs a host"),
            ("osc://h", "needs a port"),
            ("file://relative/path", "absolute path"),
            ("unix:", "absolute path"),
            ("mqtt://h/a/+/b", "wildcard"),
            ("mqtt://h/a/%23", "wildcard"),
            ("mqtt://h/a/#", "wildcard"),
            ("mqtt://h/?qos=3", "use qos=0"),
            ("mqtt://h/?ca=/x", "unknown parameter"),
            ("mqtt://h/?discovery=%23", "unknown parameter"),
            ("osc://h:1/?x=1", "only mqtt"),
            ("lsl:gst-mood", "use name=NAME"),
            ("lsl://h", "use name=NAME"),
            ("lsl:?qos=1", "use name=NAME"),
            ("lsl:?name=", "use name=NAME"),
            ("lsl:?name=a%00", "use name=NAME"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(remedy), "{text}: {error}");
        }
        let error = parse("mqtt://ada:secret@h/").unwrap_err().to_string();
        assert!(error.contains(PASSWORD_VARIABLE) && !error.contains("secret"), "{error}");
    }
}
