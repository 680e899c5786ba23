//! Listening to an MQTT broker, on a thread of its own.

use std::collections::BTreeMap;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flume::{Receiver, Sender};
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS};
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::broker::{self, FAREWELL};
use crate::{Destination, MqttDestination};

/// What a [`Listener`] is to listen to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The broker, and the topic below which everything is.
    pub broker: MqttDestination,
    /// Topic filters below the broker's topic, such as `set/+`.
    pub filters: Vec<String>,
    /// The topic below the broker's topic that says `online` as long as the listener is connected, and `offline` otherwise; `None`
    /// for one that says nothing.
    pub status: Option<String>,
}

/// What happens at a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerEvent {
    /// The broker has accepted the connection.
    Connected,
    /// The broker cannot be reached, with the reason for a user; it is tried again. Told once until it is connected again.
    Lost(String),
    /// Somebody has published something.
    Message(Message),
}

/// What somebody has published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its topic, without that of the [`Subscription::broker`].
    pub topic: String,
    /// The bytes as they came.
    pub payload: Vec<u8>,
    /// Whether the broker had kept it, so that nobody knows how old it is.
    pub retained: bool,
}

/// Listens to one broker from a thread of its own, and can have the broker keep texts. Dropping it ends the thread; [`Self::stop`]
/// waits for it.
#[derive(Debug)]
pub struct Listener {
    sender: Sender<(String, String)>,
    thread: JoinHandle<()>,
}

impl Listener {
    /// Begins to listen; the broker need not be there yet. `handle` is called on the listener's thread.
    ///
    /// # Errors
    /// Those of the system where it cannot start a thread.
    pub fn start(
        subscription: Subscription,
        mut handle: impl FnMut(BrokerEvent) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = flume::unbounded();
        let thread = thread::Builder::new().name("mood-listen".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(serve(&subscription, &receiver, &mut handle)),
                Err(error) => handle(BrokerEvent::Lost(error.to_string())),
            }
        })?;
        Ok(Self { sender, thread })
    }

    /// Has the broker keep a text under a complete topic, now and after each interruption.
    pub fn keep(&self, topic: impl Into<String>, payload: impl Into<String>) {
        // A thread that has ended has told why.
        let _ = self.sender.send((topic.into(), payload.into()));
    }

    /// Says farewell to the broker, and waits for that for at most `patience`.
    pub fn stop(self, patience: Duration) {
        let Self { sender, thread } = self;
        drop(sender);
        let deadline = Instant::now() + patience;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Serves one connection after the other until the sender is gone.
async fn serve(
    subscription: &Subscription,
    receiver: &Receiver<(String, String)>,
    handle: &mut impl FnMut(BrokerEvent),
) {
    let broker = &subscription.broker;
    let mut backoff = Backoff::default();
    let mut kept = BTreeMap::new();
    let mut is_lost = false;
    loop {
        let failure = match broker::options(broker, subscription.status.as_deref(), QoS::AtLeastOnce) {
            Ok(options) => {
                let mut tell = |event| {
                    if event == BrokerEvent::Connected {
                        (backoff, is_lost) = (Backoff::default(), false);
                    }
                    handle(event);
                };
                match listen(options, subscription, receiver, &mut kept, &mut tell).await {
                    Ok(()) => return,
                    Err(error) => broker::describe(broker, &error),
                }
            }
            Err(reason) => reason,
        };
        if !std::mem::replace(&mut is_lost, true) {
            let name = Destination::Mqtt(broker.clone());
            let reason = mood_schema::redact_addresses(&failure);
            handle(BrokerEvent::Lost(format!("cannot listen to {name}: {reason}; it is tried again")));
        }
        if !backoff.wait(receiver).await {
            return;
        }
    }
}

/// Serves one connection. Ends without error once the sender is gone.
async fn listen(
    options: MqttOptions,
    subscription: &Subscription,
    receiver: &Receiver<(String, String)>,
    kept: &mut BTreeMap<String, String>,
    tell: &mut impl FnMut(BrokerEvent),
) -> Result<(), ConnectionError> {
    let broker = &subscription.broker;
    let (client, mut events) = broker::connect(options).await?;
    tell(BrokerEvent::Connected);
    kept.extend(receiver.drain());
    // At most once: what is delivered twice would be done twice, and what is delivered late may not be wanted any more.
    let mut filters: Vec<String> =
        subscription.filters.iter().map(|filter| broker.topic_of(filter)).collect();
    let status = subscription.status.as_ref().map(|status| broker.topic_of(status));
    let mut waiting: Vec<(String, String)> = Vec::new();
    waiting.extend(status.clone().map(|topic| (topic, "online".into())));
    waiting.extend(kept.clone());
    let prefix = broker.topic_of("");
    loop {
        // The client's own queue takes some at a time.
        while filters.last().is_some_and(|filter| client.try_subscribe(filter, QoS::AtMostOnce).is_ok()) {
            filters.pop();
        }
        while waiting.last().is_some_and(|(topic, payload)| publish(&client, topic, payload)) {
            waiting.pop();
        }
        tokio::select! {
            event = events.poll() => if let Event::Incoming(Packet::Publish(message)) = event? {
                let topic = message.topic.strip_prefix(&prefix).unwrap_or(&message.topic).to_string();
                tell(BrokerEvent::Message(Message {
                    topic,
                    payload: message.payload.to_vec(),
                    retained: message.retain,
                }));
            },
            received = receiver.recv_async(), if waiting.is_empty() => match received {
                Ok((topic, payload)) => {
                    kept.insert(topic.clone(), payload.clone());
                    waiting.push((topic, payload));
                }
                Err(_) => break,
            },
        }
    }
    // A broker that does not answer is not waited for.
    let _ = timeout(FAREWELL, say_farewell(&client, &mut events, status.as_deref())).await;
    Ok(())
}

fn publish(client: &AsyncClient, topic: &str, payload: &str) -> bool {
    client.try_publish(topic, QoS::AtLeastOnce, true, payload).is_ok()
}

async fn say_farewell(
    client: &AsyncClient,
    events: &mut EventLoop,
    status: Option<&str>,
) -> Result<(), ConnectionError> {
    while status.is_some_and(|topic| !publish(client, topic, "offline")) {
        events.poll().await?;
    }
    // Requests are sent in their order.
    while client.try_disconnect().is_err() {
        events.poll().await?;
    }
    while !matches!(events.poll().await?, Event::Outgoing(Outgoing::Disconnect)) {}
    Ok(())
}
