//! A session steered over MQTT: from the broker's commands to the session's, and its state back.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use publish::{
    BrokerEvent, COMMAND_FILTER, CONTROL, CONTROL_STATUS, Command, ControlState, Destination, Listener,
    MqttDestination, Subscription, discover_controls,
};

use super::control::{PlaybackStatus, SessionCommand, SessionControl, SessionState};
use crate::error::CommandError;

/// How soon the end of the session is noticed.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long a broker may take for the farewell.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes commands from brokers until it is dropped.
pub struct MqttCommands {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl MqttCommands {
    /// Takes commands from every broker among `destinations`, URIs of `--publish`. Fails where there is none.
    pub fn start(destinations: &[String], control: &SessionControl) -> Result<Self, CommandError> {
        let brokers = destinations.iter().filter_map(|uri| match uri.parse() {
            Ok(Destination::Mqtt(broker)) => Some(broker),
            _ => None,
        });
        let mut commands = Self { is_over: Arc::default(), threads: Vec::new() };
        for broker in brokers {
            let listener = listen(&broker, control.clone()).map_err(CommandError::thread)?;
            let (control, is_over) = (control.clone(), commands.is_over.clone());
            let thread = thread::Builder::new()
                .name("mqtt-state".into())
                .spawn(move || echo(listener, &broker, &control, &is_over))
                .map_err(CommandError::thread)?;
            commands.threads.push(thread);
        }
        match commands.threads.is_empty() {
            true => Err(CommandError::Usage(
                "--allow-mqtt-commands needs a broker: give one with --publish mqtt://HOST".into(),
            )),
            false => Ok(commands),
        }
    }
}

impl Drop for MqttCommands {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Listens to a broker, and passes its commands on to the session.
fn listen(broker: &MqttDestination, control: SessionControl) -> std::io::Result<Listener> {
    let subscription = Subscription {
        broker: broker.clone(),
        filters: vec![COMMAND_FILTER.into()],
        status: Some(CONTROL_STATUS.into()),
    };
    let mut refused = HashSet::new();
    Listener::start(subscription, move |event| match event {
        BrokerEvent::Connected => {}
        BrokerEvent::Lost(text) => control.warn(text),
        BrokerEvent::Message(message) => match Command::parse(&message) {
            // A session that has ended wants nothing.
            Ok(Some(command)) => _ = control.send(to_session_command(command)),
            Ok(None) => {}
            // Once for each reason: whoever sends such a message may send many.
            Err(error) => {
                if refused.insert(error) {
                    control.warn(error.to_string());
                }
            }
        },
    })
}

fn to_session_command(command: Command) -> SessionCommand {
    match command {
        Command::Mood(mood) => SessionCommand::SetMood { mood },
        Command::Strategy(strategy) => SessionCommand::SetStrategy { strategy },
        Command::Pause(true) => SessionCommand::Pause,
        // Not `Play`: nobody far away switches on a camera that was switched off.
        Command::Pause(false) => SessionCommand::Resume,
        Command::Hold(on) => SessionCommand::HoldMusic { on },
        Command::Skip => SessionCommand::Skip,
        Command::Previous => SessionCommand::Previous,
        Command::Like => SessionCommand::Like,
        Command::Dislike => SessionCommand::Dislike,
        Command::Exclude => SessionCommand::Exclude,
    }
}

/// Has the broker keep what Home Assistant needs to find the controls, and the state whenever it changes.
fn echo(listener: Listener, broker: &MqttDestination, control: &SessionControl, is_over: &AtomicBool) {
    for (topic, payload) in discover_controls(broker) {
        listener.keep(topic, payload);
    }
    let (mut version, mut kept) = (0, None);
    while !is_over.load(Ordering::Relaxed) {
        let state = control.wait_for_change(version, INTERVAL);
        version = state.version;
        let shown = to_control_state(&state);
        if kept.as_ref() != Some(&shown) {
            listener.keep(broker.topic_of(CONTROL), shown.to_json());
            kept = Some(shown);
        }
        if state.has_ended {
            break;
        }
    }
    listener.stop(PATIENCE);
}

fn to_control_state(state: &SessionState) -> ControlState {
    let status = match state.status {
        PlaybackStatus::Playing => "playing",
        PlaybackStatus::Paused => "paused",
        PlaybackStatus::Stopped => "stopped",
    };
    let settings = &state.settings;
    ControlState::new(status, settings.manual_mood, settings.strategy, settings.hold_music)
}
