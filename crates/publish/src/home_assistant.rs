//! Discovery by Home Assistant (<https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery>): retained messages that
//! describe the values, so that they appear without configuration.

use mood_schema::{Emotion, Mood};
use serde_json::{Value, json};

use crate::MqttDestination;
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
    let device = json!({
        "identifiers": [node],
        "name": destination.topic,
        "manufacturer": "gst-mood",
        "model": "emotionpublish",
        "sw_version": env!("CARGO_PKG_VERSION"),
    });
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
        assert!(discovery(&silent).is_empty());
    }
}
