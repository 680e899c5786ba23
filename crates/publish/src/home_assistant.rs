//! Discovery by Home Assistant (<https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery>): retained messages that
//! describe the values, so that they appear without configuration.

use mood::Strategy;
use mood_schema::{Emotion, Mood};
use serde_json::{Value, json};

use crate::MqttDestination;
use crate::command::{AUTOMATIC, CONTROL, CONTROL_STATUS, OFF, ON, PRESS};
use crate::destination::STATUS;

/// A sensor: its key in the state's JSON, name, unit, icon and how the value is read.
struct Sensor {
    key: &'static str,
    name: &'static str,
    icon: &'static str,
    template: &'static str,
    is_number: bool,
}

const SENSORS: [Sensor; 6] = [
    Sensor {
        key: "mood",
        name: "Mood",
        icon: "mdi:emoticon",
        template: "{{ value_json.mood }}",
        is_number: false,
    },
    Sensor {
        key: "confidence",
        name: "Confidence",
        icon: "mdi:gauge",
        template: "{{ (value_json.confidence * 100) | round(0) if value_json.confidence is not none else none }}",
        is_number: true,
    },
    Sensor {
        key: "valence",
        name: "Valence",
        icon: "mdi:emoticon-happy-outline",
        template: "{{ value_json.valence | round(2) if value_json.valence is not none else none }}",
        is_number: true,
    },
    Sensor {
        key: "arousal",
        name: "Arousal",
        icon: "mdi:pulse",
        template: "{{ value_json.arousal | round(2) if value_json.arousal is not none else none }}",
        is_number: true,
    },
    Sensor {
        key: "people",
        name: "People",
        icon: "mdi:account-group",
        template: "{{ value_json.people }}",
        is_number: true,
    },
    Sensor {
        key: "track",
        name: "Track",
        icon: "mdi:music",
        template: "{{ value_json.track.title if value_json.track else '' }}",
        is_number: false,
    },
];

/// The discovery messages for what `destination` publishes: topic and payload of each. Empty where discovery is off.
pub(crate) fn discovery(destination: &MqttDestination) -> Vec<(String, String)> {
    let Some(prefix) = &destination.discovery else { return Vec::new() };
    let node = node_id(&destination.topic);
    let device = device(destination, &node);
    SENSORS
        .iter()
        .map(|sensor| {
            let mut config = json!({
                "name": sensor.name,
                "unique_id": format!("{node}_{}", sensor.key),
                "object_id": format!("{node}_{}", sensor.key),
                "state_topic": destination.topic_of("state"),
                "availability_topic": destination.topic_of(STATUS),
                "value_template": sensor.template,
                "icon": sensor.icon,
                "device": device,
            });
            if sensor.is_number {
                config["state_class"] = "measurement".into();
            }
            match sensor.key {
                "confidence" => config["unit_of_measurement"] = "%".into(),
                "mood" => {
                    config["device_class"] = "enum".into();
                    config["options"] = moods();
                }
                _ => {}
            }
            (format!("{prefix}/sensor/{node}/{}/config", sensor.key), config.to_string())
        })
        .collect()
}

/// The discovery messages of the selects, switches and buttons that steer a session. Empty where discovery is off.
pub fn controls(destination: &MqttDestination) -> Vec<(String, String)> {
    let Some(prefix) = &destination.discovery else { return Vec::new() };
    let node = node_id(&destination.topic);
    let device = device(destination, &node);
    let announce = |component: &str, key: &str, name: &str, icon: &str, more: Value| {
        let mut config = json!({
            "name": name,
            "unique_id": format!("{node}_set_{key}"),
            "object_id": format!("{node}_set_{key}"),
            "command_topic": destination.topic_of(&format!("set/{key}")),
            "availability_topic": destination.topic_of(CONTROL_STATUS),
            "icon": icon,
            "device": device,
        });
        if let (Some(config), Value::Object(more)) = (config.as_object_mut(), more) {
            config.extend(more);
        }
        (format!("{prefix}/{component}/{node}/set_{key}/config"), config.to_string())
    };
    let moods = std::iter::once(AUTOMATIC).chain(Emotion::ALL.into_iter().map(Emotion::as_str));
    let strategies = Strategy::ALL.iter().map(|strategy| strategy.nick());
    let with_state = |template: &str, key: &str, value: Value| {
        let state_topic = destination.topic_of(CONTROL);
        json!({ "state_topic": state_topic, "value_template": template, key: value })
    };
    let button = json!({ "payload_press": PRESS });
    let switch = |condition: &str| {
        let template = format!("{{{{ '{ON}' if {condition} else '{OFF}' }}}}");
        with_state(&template, "payload_on", ON.into())
    };
    vec![
        announce(
            "select",
            "mood",
            "Mood by hand",
            "mdi:emoticon-outline",
            with_state("{{ value_json.mood }}", "options", moods.collect()),
        ),
        announce(
            "select",
            "strategy",
            "Strategy",
            "mdi:routes",
            with_state("{{ value_json.strategy }}", "options", strategies.collect()),
        ),
        announce("switch", "pause", "Pause", "mdi:pause", switch("value_json.status != 'playing'")),
        announce("switch", "hold", "Hold the music", "mdi:music-note-plus", switch("value_json.hold")),
        announce("button", "skip", "Skip", "mdi:skip-next", button.clone()),
        announce("button", "previous", "Previous", "mdi:skip-previous", button.clone()),
        announce("button", "like", "Like", "mdi:thumb-up", button.clone()),
        announce("button", "dislike", "Dislike", "mdi:thumb-down", button.clone()),
        announce("button", "exclude", "Never again", "mdi:cancel", button),
    ]
}

/// The device to which all entities belong.
fn device(destination: &MqttDestination, node: &str) -> Value {
    json!({
        "identifiers": [node],
        "name": destination.topic,
        "manufacturer": "gst-mood",
        "model": "emotionpublish",
        "sw_version": env!("CARGO_PKG_VERSION"),
    })
}

fn moods() -> Value {
    let moods = Emotion::ALL.into_iter().map(Mood::from).chain([Mood::Uncertain, Mood::Absent]);
    moods.map(|mood| Value::from(mood.as_str())).collect()
}

/// The topic as an identifier of letters, digits, `_` and `-`, as discovery topics demand.
fn node_id(topic: &str) -> String {
    topic.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Destination;

    #[test]
    fn every_value_is_announced_with_what_home_assistant_needs() {
        let Ok(Destination::Mqtt(destination)) = "mqtt://h/room 1/a?discovery=homeassistant".parse() else {
            panic!()
        };
        let messages = discovery(&destination);
        assert_eq!(messages.len(), 6);
        for (topic, payload) in &messages {
            let key = topic
                .strip_prefix("homeassistant/sensor/room_1_a/")
                .unwrap()
                .strip_suffix("/config")
                .unwrap();
            let config: Value = serde_json::from_str(payload).unwrap();
            assert_eq!(config["unique_id"], format!("room_1_a_{key}"));
            assert_eq!(config["state_topic"], "room 1/a/state");
            assert!(config["value_template"].as_str().unwrap().contains(&format!("value_json.{key}")));
        }
        let Ok(Destination::Mqtt(silent)) = "mqtt://h".parse() else { panic!() };
        assert!(discovery(&silent).is_empty() && controls(&silent).is_empty());
    }

    #[test]
    fn every_control_sends_what_is_a_command() {
        let Ok(Destination::Mqtt(destination)) = "mqtt://h/a?discovery=ha".parse() else { panic!() };
        let messages = controls(&destination);
        assert_eq!(messages.len(), 9);
        for (topic, payload) in &messages {
            let config: Value = serde_json::from_str(payload).unwrap();
            let payloads: Vec<Value> = match topic.split('/').nth(1).unwrap() {
                "select" => config["options"].as_array().unwrap().clone(),
                "switch" => vec![config["payload_on"].clone(), OFF.into()],
                _ => vec![config["payload_press"].clone()],
            };
            assert!(!payloads.is_empty());
            for payload in payloads {
                let message = crate::Message {
                    topic: config["command_topic"].as_str().unwrap().strip_prefix("a/").unwrap().into(),
                    payload: payload.as_str().unwrap().into(),
                    retained: false,
                };
                assert!(matches!(crate::Command::parse(&message), Ok(Some(_))), "{message:?}");
            }
        }
    }
}
