//! MQTT 3.1.1 (OASIS standard of 29 October 2014).
//!
//! | topic below the destination's | payload | retained |
//! |---|---|---|
//! | `status` | `online`; `offline` at the end and as the last will | yes |
//! | `state` | [`State`](crate::State) as JSON | as the destination says |
//! | `frame`, `mood`, `track`, `safety`, `marker` | the line as JSON | no |

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use flume::Receiver;
use rumqttc::{
    AsyncClient, ClientError, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions,
    Outgoing, Packet, QoS, TlsConfiguration, Transport,
};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::backoff::Backoff;
use crate::destination::STATUS;
use crate::outbox::Outbox;
use crate::{MqttDestination, PASSWORD_VARIABLE, Publication, QualityOfService, home_assistant};

/// Publications that are sent and not yet acknowledged, or about to be sent.
const IN_FLIGHT: u16 = 64;
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a connection, and a write to a broker that has stalled, may take, s.
const NETWORK_TIMEOUT: u64 = 5;
/// How long the broker may take to acknowledge the last publications at the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Publishes until the sender is gone.
pub(crate) fn serve(destination: &MqttDestination, receiver: &Receiver<Publication>, outbox: &Outbox) {
    let served = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map(|runtime| runtime.block_on(Session::new(destination, outbox).run(receiver)));
    if let Err(error) = served {
        outbox.fail(error.to_string());
    }
}

/// A message for the broker.
struct Message {
    topic: String,
    payload: String,
    retain: bool,
    /// Whether it counts as a publication.
    counts: bool,
}

/// Who publishes where, over one connection after the other.
struct Session<'a> {
    destination: &'a MqttDestination,
    outbox: &'a Outbox,
    qos: QoS,
}

/// What has been handed to a connection's client and is not known to have arrived.
#[derive(Default)]
struct InFlight {
    /// In the order of sending; whether each counts as a publication.
    messages: VecDeque<bool>,
}

impl InFlight {
    /// The oldest has arrived.
    fn confirm(&mut self, outbox: &Outbox) {
        if self.messages.pop_front() == Some(true) {
            outbox.succeed();
        }
    }

    /// None will be confirmed.
    fn give_up(&mut self, outbox: &Outbox) {
        outbox.lose(self.messages.drain(..).filter(|&counts| counts).count() as u64);
    }
}

impl<'a> Session<'a> {
    fn new(destination: &'a MqttDestination, outbox: &'a Outbox) -> Self {
        let qos = match destination.qos {
            QualityOfService::AtMostOnce => QoS::AtMostOnce,
            QualityOfService::AtLeastOnce => QoS::AtLeastOnce,
            QualityOfService::ExactlyOnce => QoS::ExactlyOnce,
        };
        Self { destination, outbox, qos }
    }

    async fn run(&self, receiver: &Receiver<Publication>) {
        let mut backoff = Backoff::default();
        loop {
            // Made anew each time: the password's file or the certificates may have been mended meanwhile.
            let failure = match self.options() {
                Ok(options) => {
                    let mut in_flight = InFlight::default();
                    let result = self.publish(options, receiver, &mut backoff, &mut in_flight).await;
                    in_flight.give_up(self.outbox);
                    match result {
                        Ok(()) => return,
                        Err(error) => self.describe(&error),
                    }
                }
                Err(reason) => reason,
            };
            self.outbox.fail(failure);
            let end = Instant::now() + backoff.next();
            while Instant::now() < end {
                if receiver.is_disconnected() {
                    self.outbox.lose(receiver.drain().count() as u64);
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Serves one connection. Ends without error once the sender is gone and everything has been handed over.
    async fn publish(
        &self,
        options: MqttOptions,
        receiver: &Receiver<Publication>,
        backoff: &mut Backoff,
        in_flight: &mut InFlight,
    ) -> Result<(), ConnectionError> {
        let (client, mut events) = AsyncClient::new(options, usize::from(IN_FLIGHT));
        events.network_options.set_connection_timeout(NETWORK_TIMEOUT);
        while !matches!(events.poll().await?, Event::Incoming(Packet::ConnAck(_))) {}
        *backoff = Backoff::default();
        self.outbox.restore();
        // What waits for a place in the client's queue, the next one last.
        let mut waiting = self.greeting();
        loop {
            while let Some(message) = waiting.pop() {
                if let Some(refused) = self.hand_over(&client, message, in_flight) {
                    waiting.push(refused);
                    break;
                }
            }
            tokio::select! {
                event = events.poll() => self.observe(&event?, in_flight),
                received = receiver.recv_async(), if waiting.is_empty() => match received {
                    Ok(publication) => waiting.push(self.message(&publication)),
                    Err(_) => break,
                },
            }
        }
        // A broker that does not answer is not waited for.
        let _ = timeout(FAREWELL, self.farewell(&client, &mut events, in_flight)).await;
        Ok(())
    }

    /// Says that nobody publishes any more, and waits until the broker has everything.
    async fn farewell(
        &self,
        client: &AsyncClient,
        events: &mut EventLoop,
        in_flight: &mut InFlight,
    ) -> Result<(), ConnectionError> {
        let mut offline = Some(self.status("offline"));
        while offline.is_some() || !in_flight.messages.is_empty() {
            offline = offline.and_then(|message| self.hand_over(client, message, in_flight));
            self.observe(&events.poll().await?, in_flight);
        }
        // Without it the broker would publish the last will.
        if client.try_disconnect().is_ok() {
            while !matches!(events.poll().await?, Event::Outgoing(Outgoing::Disconnect)) {}
        }
        Ok(())
    }

    fn observe(&self, event: &Event, in_flight: &mut InFlight) {
        let confirms = match event {
            Event::Outgoing(Outgoing::Publish(_)) => self.qos == QoS::AtMostOnce,
            Event::Incoming(Packet::PubAck(_)) => self.qos == QoS::AtLeastOnce,
            Event::Incoming(Packet::PubComp(_)) => self.qos == QoS::ExactlyOnce,
            _ => false,
        };
        if confirms {
            in_flight.confirm(self.outbox);
        }
    }

    /// What a new connection begins with, the first message last.
    fn greeting(&self) -> Vec<Message> {
        let discovery = home_assistant::discovery(self.destination)
            .into_iter()
            .map(|(topic, payload)| Message { topic, payload, retain: true, counts: false });
        discovery.chain([self.status("online")]).collect()
    }

    fn status(&self, status: &str) -> Message {
        Message {
            topic: self.destination.topic_of(STATUS),
            payload: status.into(),
            retain: true,
            counts: false,
        }
    }

    fn message(&self, publication: &Publication) -> Message {
        let retain = self.destination.retain && matches!(publication, Publication::State(_));
        Message {
            topic: self.destination.topic_of(publication.kind()),
            payload: publication.to_json(),
            retain,
            counts: true,
        }
    }

    /// Puts a message into the client's queue; returns it where that is full.
    fn hand_over(&self, client: &AsyncClient, message: Message, in_flight: &mut InFlight) -> Option<Message> {
        let Message { topic, payload, retain, counts } = &message;
        match client.try_publish(topic.as_str(), self.qos, *retain, payload.as_bytes()) {
            Ok(()) => {
                in_flight.messages.push_back(*counts);
                None
            }
            Err(ClientError::Request(_) | ClientError::TryRequest(_)) => Some(message),
        }
    }

    fn options(&self) -> Result<MqttOptions, String> {
        let destination = self.destination;
        // Unique, or the broker ends the connection of the other one with this name (MQTT 3.1.1, section 3.1.4).
        let id = format!("gst-mood-{}-{}", std::process::id(), next_client_number());
        let mut options = MqttOptions::new(id, &destination.host, destination.port);
        options.set_keep_alive(KEEP_ALIVE).set_inflight(IN_FLIGHT);
        options.set_last_will(LastWill::new(self.destination.topic_of(STATUS), "offline", self.qos, true));
        if let Some(user) = &destination.user {
            options.set_credentials(user, self.password()?);
        }
        if destination.tls {
            let config = tls_config(destination)?;
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(config))));
        }
        Ok(options)
    }

    fn password(&self) -> Result<String, String> {
        let Some(path) = &self.destination.password_file else {
            return Ok(std::env::var(PASSWORD_VARIABLE).unwrap_or_default());
        };
        let text = fs::read_to_string(path)
            .map_err(|error| format!("the password's file {} cannot be read: {error}", path.display()))?;
        Ok(text.lines().next().unwrap_or_default().into())
    }

    /// What is wrong and what to do, for a user.
    fn describe(&self, error: &ConnectionError) -> String {
        let host = &self.destination.host;
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
            ConnectionError::Tls(rumqttc::TlsError::Io(error)) if is_certificate_error(error) => format!(
                "{error}; give the certificate of the authority that signed the broker's with ?ca=PATH"
            ),
            ConnectionError::Tls(error) => {
                format!("no encrypted connection: {error}; is {} the port for TLS?", self.destination.port)
            }
            ConnectionError::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                format!(
                    "nobody listens on port {} of {host}; start the broker, or correct the port",
                    self.destination.port
                )
            }
            ConnectionError::NetworkTimeout => {
                format!("{host} does not answer; check the host and the network")
            }
            ConnectionError::FlushTimeout => "the broker takes nothing".into(),
            ConnectionError::Io(error) => format!("{error}; check the host {host} and the network"),
            error => error.to_string(),
        }
    }
}

/// A number that no other client of this process has.
fn next_client_number() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

fn is_certificate_error(error: &io::Error) -> bool {
    error
        .get_ref()
        .and_then(|error| error.downcast_ref())
        .is_some_and(|error| matches!(error, tokio_rustls::rustls::Error::InvalidCertificate(_)))
}

/// Trusts the destination's certificates, or those of the system.
fn tls_config(destination: &MqttDestination) -> Result<ClientConfig, String> {
    let mut trusted = RootCertStore::empty();
    if let Some(path) = &destination.ca {
        let unusable =
            |error: &dyn std::fmt::Display| format!("no certificate in {}: {error}", path.display());
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            trusted.add(certificate).map_err(|error| unusable(&error))?;
        }
    } else {
        trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if trusted.is_empty() {
        return Err(
            "no certificates to trust; install the package ca-certificates, or give one with ?ca=PATH".into(),
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(trusted).with_no_client_auth())
}
