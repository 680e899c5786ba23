//! The connection to an MQTT broker: its options, and what is wrong with it, for a user.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Packet, QoS,
    StateError, TlsConfiguration, Transport,
};

use crate::{MqttDestination, PASSWORD_VARIABLE, tls};

/// Messages that are sent and not yet acknowledged, or about to be sent.
const IN_FLIGHT: u16 = 64;
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a connection, and a write to a broker that has stalled, may take, s.
const NETWORK_TIMEOUT: u64 = 5;
/// How long the broker may take to acknowledge what was sent last at the end.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);
/// The largest message that is received, bytes: frames with hundreds of faces are smaller.
const MAX_MESSAGE: usize = 256 * 1024;

/// What a new client of `destination` is to do. The broker publishes `offline` to the topic `status` below the destination's
/// where the client leaves without a word, if one is given.
///
/// # Errors
/// What cannot be read, for a user.
pub(crate) fn options(
    destination: &MqttDestination,
    status: Option<&str>,
    qos: QoS,
) -> Result<MqttOptions, String> {
    // Unique, or the broker ends the connection of the other one with this name (MQTT 3.1.1, section 3.1.4).
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = format!("gst-mood-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut options = MqttOptions::new(id, &destination.host, destination.port);
    options.set_keep_alive(KEEP_ALIVE).set_inflight(IN_FLIGHT).set_max_packet_size(MAX_MESSAGE, MAX_MESSAGE);
    if let Some(status) = status {
        options.set_last_will(LastWill::new(destination.topic_of(status), "offline", qos, true));
    }
    if let Some(user) = &destination.user {
        options.set_credentials(user, password(destination)?);
    }
    if destination.tls {
        let config = tls::client_config(destination.ca.as_deref())?;
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(config))));
    }
    Ok(options)
}

/// Connects; returns once the broker has accepted.
pub(crate) async fn connect(options: MqttOptions) -> Result<(AsyncClient, EventLoop), ConnectionError> {
    let (client, mut events) = AsyncClient::new(options, usize::from(IN_FLIGHT));
    events.network_options.set_connection_timeout(NETWORK_TIMEOUT);
    while !matches!(events.poll().await?, Event::Incoming(Packet::ConnAck(_))) {}
    Ok((client, events))
}

fn password(destination: &MqttDestination) -> Result<String, String> {
    let Some(path) = &destination.password_file else {
        return Ok(std::env::var(PASSWORD_VARIABLE).unwrap_or_default());
    };
    let text = fs::read_to_string(path)
        .map_err(|error| format!("the password's file {} cannot be read: {error}", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().into())
}

/// What is wrong and what to do, for a user.
pub(crate) fn describe(destination: &MqttDestination, error: &ConnectionError) -> String {
    let host = &destination.host;
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => format!(
            "the broker refuses the user name or the password; give USER@ in the URI and the password in \
             {PASSWORD_VARIABLE} or ?password-file=PATH"
        ),
        ConnectionError::ConnectionRefused(code) => {
            format!("the broker refuses the connection: {code:?}")
        }
        ConnectionError::Tls(rumqttc::TlsError::Io(error)) if tls::is_certificate_error(error) => {
            format!("{error}; give the certificate of the authority that signed the broker's with ?ca=PATH")
        }
        ConnectionError::Tls(error) => {
            format!("no encrypted connection: {error}; is {} the port for TLS?", destination.port)
        }
        ConnectionError::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            format!(
                "nobody listens on port {} of {host}; start the broker, or correct the port",
                destination.port
            )
        }
        ConnectionError::NetworkTimeout => {
            format!("{host} does not answer; check the host and the network")
        }
        ConnectionError::FlushTimeout => "the broker takes nothing".into(),
        ConnectionError::Io(error) => format!("{error}; check the host {host} and the network"),
        ConnectionError::MqttState(StateError::Deserialization(
            rumqttc::mqttbytes::Error::PayloadSizeLimitExceeded(size),
        )) => format!(
            "a message of {size} bytes below the topic {} is too large; who publishes it there is no program of ours",
            destination.topic
        ),
        error => error.to_string(),
    }
}
