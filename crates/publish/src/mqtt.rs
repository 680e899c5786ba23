//! MQTT 3.1.1 (OASIS standard of 29 October 2014).
//!
//! | topic below the destination's | payload | retained |
//! |---|---|---|
//! | `status` | `online`; `offline` at the end and as the last will | yes |
//! | `state` | [`State`](crate::State) as JSON | as the destination says |
//! | `frame`, `mood`, `track`, `safety`, `marker` | the line as JSON | no |

use std::collections::VecDeque;

use flume::Receiver;
use rumqttc::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS,
};
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::broker::{self, FAREWELL};
use crate::destination::STATUS;
use crate::outbox::Outbox;
use crate::{MqttDestination, Publication, QualityOfService, home_assistant};

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
            let failure = match broker::options(self.destination, Some(STATUS), self.qos) {
                Ok(options) => {
                    let mut in_flight = InFlight::default();
                    let result = self.publish(options, receiver, &mut backoff, &mut in_flight).await;
                    in_flight.give_up(self.outbox);
                    match result {
                        Ok(()) => return,
                        Err(error) => broker::describe(self.destination, &error),
                    }
                }
                Err(reason) => reason,
            };
            self.outbox.fail(failure);
            if !backoff.wait(receiver).await {
                self.outbox.lose(receiver.drain().count() as u64);
                return;
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
        let (client, mut events) = broker::connect(options).await?;
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
}
