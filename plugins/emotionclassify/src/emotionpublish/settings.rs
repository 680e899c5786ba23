//! The properties of `emotionpublish`.

use std::time::Duration;

use glib::prelude::*;
use gst::prelude::*;
use mood_meta::property::MAX_DURATION;
use publish::{Destination, DestinationError, Pacing};

/// Largest value of `queue-size`.
const MAX_QUEUE_SIZE: u32 = 65_536;

/// The values of the properties.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The URIs as they were given.
    pub uri: Option<String>,
    /// What `uri` names.
    pub destinations: Vec<Destination>,
    /// Why the latest `uri` was refused: the element does not start then, since whoever set it may not have watched the bus yet.
    pub refusal: Option<DestinationError>,
    /// How often frames are published.
    pub pacing: Pacing,
    /// How many publications wait for each destination at most.
    pub queue_size: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            uri: None,
            destinations: Vec::new(),
            refusal: None,
            pacing: Pacing::default(),
            queue_size: 256,
        }
    }
}

impl Settings {
    /// The specifications of all properties.
    pub fn properties() -> Vec<glib::ParamSpec> {
        let default = Self::default();
        vec![
            glib::ParamSpecString::builder("uri")
                .nick("URI")
                .blurb(
                    "Where to publish: mqtt://[USER@]HOST[:PORT][/TOPIC], mqtts://..., osc://HOST:PORT[/PREFIX], \
                     lsl:, file:///PATH, unix:///PATH or stdout:, or several separated by blanks. There is no default: it must be \
                     set before the element starts. Passwords do not belong here: see GST_MOOD_MQTT_PASSWORD and \
                     password-file in the element's documentation",
                )
                .mutable_ready()
                .build(),
            glib::ParamSpecUInt64::builder("interval")
                .nick("Interval")
                .blurb(
                    "Shortest stream time between two publications of faces and state, ns. Raise it for slow networks and \
                     home automation, or set 0 to publish every frame. Moods, tracks and markers are published at once",
                )
                .maximum(MAX_DURATION.nseconds())
                .default_value(nanoseconds(default.pacing.interval))
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("changes-only")
                .nick("Changes only")
                .blurb(
                    "Publish faces and state only where the mood, the number of people or the track has changed; for home \
                     automation that acts on changes",
                )
                .default_value(default.pacing.changes_only)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("queue-size")
                .nick("Queue size")
                .blurb(
                    "How many publications wait at most while a destination is slow or gone, for each destination. Where \
                     there are more, the oldest are dropped and counted in stats. Raise it to lose less in short \
                     interruptions, at about 1 KB each",
                )
                .minimum(1)
                .maximum(MAX_QUEUE_SIZE)
                .default_value(default.queue_size)
                .mutable_ready()
                .build(),
            glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
                .nick("Statistics")
                .blurb(
                    "Since the start, over all destinations: sent and dropped, numbers of publications (guint64)",
                )
                .read_only()
                .build(),
        ]
    }

    /// Sets the property `name`, one of [`Self::properties`].
    ///
    /// # Errors
    /// A URI that names no destination; what was set before stays, and [`Self::refusal`] remembers the reason.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), DestinationError> {
        match name {
            "uri" => {
                let uri: Option<String> = value.get().unwrap_or_default();
                let uri = uri.filter(|uri| !uri.trim().is_empty());
                let parts = uri.iter().flat_map(|uri| uri.split_whitespace());
                match parts.map(str::parse).collect::<Result<_, DestinationError>>() {
                    Ok(destinations) => {
                        (self.destinations, self.uri, self.refusal) = (destinations, uri, None)
                    }
                    Err(error) => {
                        self.refusal = Some(error.clone());
                        return Err(error);
                    }
                }
            }
            "interval" => self.pacing.interval = Duration::from_nanos(value.get().unwrap_or_default()),
            "changes-only" => self.pacing.changes_only = value.get().unwrap_or_default(),
            "queue-size" => self.queue_size = value.get().unwrap_or(1),
            _ => {}
        }
        Ok(())
    }

    /// The value of the property `name`; `None` where it is no setting.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "uri" => self.uri.to_value(),
            "interval" => nanoseconds(self.pacing.interval).to_value(),
            "changes-only" => self.pacing.changes_only.to_value(),
            "queue-size" => self.queue_size.to_value(),
            _ => return None,
        })
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
