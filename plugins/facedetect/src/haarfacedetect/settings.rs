//! The properties of `haarfacedetect`.

use std::sync::Arc;

use face_search::{ParseAreaError, SearchArea, SearchSettings};
use glib::prelude::*;
use glib::value::ValueTypeMismatchError;
use gray_image::GrayImage;
use gst::prelude::*;
use mood_meta::property::MAX_DURATION;

use super::Messages;

/// The default of the property `cascade`.
const DEFAULT_CASCADE: &str = "frontalface_default";
/// The default of the property `roll-range`, degrees: three searches of a frame, for faces upright and leaning by 35
/// degrees to either side, find nine in ten faces that lean by 45 (benches/RESULTS.md, chapter tilt).
const DEFAULT_ROLL_RANGE: f64 = 45.0;

/// The largest number of rectangles or faces that a property may ask for: more than any frame has.
const MAX_COUNT: u32 = 1000;

/// The default of the property `follow`: as long as looks aside mostly last. What ends following is the
/// appearance of the face, see `face_search`.
const DEFAULT_FOLLOW: u64 = 5_000_000_000;

/// A value that a property does not take.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    /// The value has another type than the property.
    #[error(transparent)]
    Type(#[from] ValueTypeMismatchError),
    /// The text of `roi` is no list of rectangles.
    #[error("roi: {0}")]
    Roi(#[from] ParseAreaError),
}

/// The values of the properties.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Path or name of the cascade for faces.
    pub cascade: String,
    /// Path or name of the cascade for eyes; empty: eyes are not searched for.
    pub eyes_cascade: String,
    /// What to search for, and when.
    pub search: SearchSettings,
    /// The parts of the frame that are searched; empty: all of it.
    pub roi: Arc<[SearchArea]>,
    /// Why the latest `roi` was refused before the element was started, which fails then: places that were to be left out must
    /// not be searched, and whoever set it may not have watched the bus yet.
    pub refusal: Option<String>,
    /// When element messages are posted.
    pub messages: Messages,
    /// Whether frames get a witness.
    pub witness: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cascade: DEFAULT_CASCADE.into(),
            eyes_cascade: String::new(),
            search: SearchSettings {
                scale_factor: 1.2,
                min_neighbors: 3,
                min_size: 0,
                max_size: 0,
                scan_interval: 0,
                max_faces: 0,
                threads: 0,
                roll_range: DEFAULT_ROLL_RANGE,
                follow: DEFAULT_FOLLOW,
                people: 0,
                keep_people: false,
            },
            roi: Arc::default(),
            refusal: None,
            messages: Messages::default(),
            witness: true,
        }
    }
}

impl Settings {
    /// The specifications of all properties.
    pub fn properties() -> Vec<glib::ParamSpec> {
        let Self { search, messages, witness, .. } = Self::default();
        vec![
            glib::ParamSpecString::builder("cascade")
                .nick("Cascade")
                .blurb(
                    "Path of an OpenCV cascade file, or a name that is looked up as haarcascade_NAME.xml in \
                     $GST_MOOD_CASCADE_PATH, then in OpenCV's data folders. The default finds frontal faces; set it to \
                     detect something else",
                )
                .default_value(Some(DEFAULT_CASCADE))
                .mutable_ready()
                .build(),
            glib::ParamSpecString::builder("eyes-cascade")
                .nick("Eyes cascade")
                .blurb(
                    "Path or name, such as 'eye', of a cascade that searches the upper half of each face for eyes, which \
                     also give the roll of the head. Empty, the default: no search for eyes. Set it where heads lean",
                )
                .default_value(Some(""))
                .mutable_ready()
                .build(),
            glib::ParamSpecDouble::builder("scale-factor")
                .nick("Scale factor")
                .blurb(
                    "Ratio of one face size searched to the next smaller one. The default, 1.2, suits a few people in \
                     front of a camera; 1.1 finds more faces in about twice the time, with more false detections",
                )
                .minimum(1.01)
                .maximum(10.0)
                .default_value(search.scale_factor)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("min-neighbors")
                .nick("Minimum neighbors")
                .blurb(
                    "A face needs more than this number of similar rectangles. Raise it against false detections, lower \
                     it to find more faces; 0 reports every rectangle as a face",
                )
                .maximum(MAX_COUNT)
                .default_value(search.min_neighbors)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("min-size")
                .nick("Minimum size")
                .blurb(
                    "Side of the smallest face searched, in pixels. 0, the default: a twelfth of the frame's shorter \
                     side. Set it to find smaller faces, at a much higher cost, or to save time where faces are large",
                )
                .maximum(GrayImage::MAX_SIDE as u32)
                .default_value(search.min_size)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("max-size")
                .nick("Maximum size")
                .blurb(
                    "Side of the largest face searched, in pixels. 0, the default: no limit. Set it where large \
                     rectangles are false detections",
                )
                .maximum(GrayImage::MAX_SIDE as u32)
                .default_value(search.max_size)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt64::builder("scan-interval")
                .nick("Scan interval")
                .blurb(
                    "Time between two searches of the complete frame, in nanoseconds; in between only the surroundings of \
                     known faces are searched. 0, the default, searches every frame completely. Raise it to save \
                     processor time; a new face is then found up to one interval later",
                )
                .maximum(MAX_DURATION.nseconds())
                .default_value(search.scan_interval)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("max-faces")
                .nick("Maximum faces")
                .blurb(
                    "Largest number of faces reported for a frame; the largest faces are kept. 0, the default: no limit. \
                     Set it where the number of people is known",
                )
                .maximum(MAX_COUNT)
                .default_value(search.max_faces as u32)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("threads")
                .nick("Threads")
                .blurb(
                    "Number of threads that search a frame. 0, the default: as many as are useful; 1 searches on the \
                     streaming thread. Lower it to leave processors to others. Detections do not depend on it",
                )
                .maximum(256)
                .default_value(search.threads as u32)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt64::builder("follow")
                .nick("Follow")
                .blurb(
                    "How long a face that is no longer detected, because it turns away or is half hidden, is followed by \
                     its appearance at most, in nanoseconds. The default, 5 s, bridges most looks aside; 0 reports \
                     detected faces only. Lower it where a face must not be reported after it has gone",
                )
                .maximum(MAX_DURATION.nseconds())
                .default_value(search.follow)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("people")
                .nick("People")
                .blurb(
                    "Number of people in the video. Once so many were seen, a face that was gone gets the id of the \
                     person it resembles most, also where the resemblance alone would not decide. 0, the default: \
                     unknown. Set it for a recording of known people",
                )
                .maximum(64)
                .default_value(search.people as u32)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("keep-people")
                .nick("Keep people")
                .blurb(
                    "Whether people keep their ids over a flushing seek and where the element is stopped and started again. \
                     By default each such stream has people of its own, and their looks are forgotten with it. Set it \
                     for one camera that is switched off and on; the looks stay in memory, until it is set to false or \
                     the element is disposed of",
                )
                .default_value(search.keep_people)
                .mutable_ready()
                .build(),
            glib::ParamSpecDouble::builder("roll-range")
                .nick("Roll range")
                .blurb(
                    "How far a head may lean to either side and still be found, in degrees. The default finds heads as \
                     people hold them; 0 searches for upright faces only and finds the rectangles that OpenCV finds, in \
                     a third of the time. Raise it where cameras are tilted or people lie down",
                )
                .minimum(0.0)
                .maximum(90.0)
                .default_value(search.roll_range)
                .mutable_playing()
                .build(),
            glib::ParamSpecString::builder("roi")
                .nick("Regions of interest")
                .blurb(
                    "Rectangles x,y,w,h of the frame that are searched, with semicolons in between: left edge, upper edge, \
                     width and height in pixels, or with a percent sign in percent of the frame, such as '50%,0,50%,100%' \
                     for its right half. A new face must lie inside one completely. Empty, the default: all of the frame. \
                     Set it where only some places matter, or where others give false detections",
                )
                .default_value(Some(""))
                .mutable_playing()
                .build(),
            glib::ParamSpecEnum::builder_with_default("messages", messages)
                .nick("Messages")
                .blurb(
                    "When the element message 'faces' is posted. By default never; 'on-change' suits applications that \
                     react to people who come and go, 'every-frame' those that follow the faces' places",
                )
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("witness")
                .nick("Witness")
                .blurb(
                    "Whether each frame carries a coarse copy of its luma, by which emotionoverlay notices that the picture was \
                     flipped, cropped or changed in another way since, and hides it all where it does not know where the faces \
                     are. Set it to false only in a pipeline that shows no picture, to save a little time a frame",
                )
                .default_value(witness)
                .mutable_playing()
                .build(),
        ]
    }

    /// Sets the property `name`, one of [`Self::properties`], whose range GObject has checked. Fails for a
    /// value of another type, and for a `roi` that is no list of rectangles.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), SettingsError> {
        let search = &mut self.search;
        match name {
            "cascade" => {
                self.cascade = value.get::<Option<String>>()?.unwrap_or_else(|| DEFAULT_CASCADE.into());
            }
            "eyes-cascade" => self.eyes_cascade = value.get::<Option<String>>()?.unwrap_or_default(),
            "scale-factor" => search.scale_factor = value.get()?,
            "min-neighbors" => search.min_neighbors = value.get()?,
            "min-size" => search.min_size = value.get()?,
            "max-size" => search.max_size = value.get()?,
            "scan-interval" => search.scan_interval = value.get()?,
            "max-faces" => search.max_faces = value.get::<u32>()? as usize,
            "threads" => search.threads = value.get::<u32>()? as usize,
            "roll-range" => search.roll_range = value.get()?,
            "follow" => search.follow = value.get()?,
            "people" => search.people = value.get::<u32>()? as usize,
            "keep-people" => search.keep_people = value.get()?,
            "roi" => {
                self.roi = SearchArea::parse_list(value.get::<Option<&str>>()?.unwrap_or_default())?.into();
                self.refusal = None;
            }
            "messages" => self.messages = value.get()?,
            "witness" => self.witness = value.get()?,
            _ => {}
        }
        Ok(())
    }

    /// The rectangles of `roi` as the property has them.
    pub fn roi_text(&self) -> String {
        self.roi.iter().map(ToString::to_string).collect::<Vec<_>>().join(";")
    }

    /// The value of the property `name`; `None` where there is no such property.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        let search = &self.search;
        Some(match name {
            "cascade" => self.cascade.to_value(),
            "eyes-cascade" => self.eyes_cascade.to_value(),
            "scale-factor" => search.scale_factor.to_value(),
            "min-neighbors" => search.min_neighbors.to_value(),
            "min-size" => search.min_size.to_value(),
            "max-size" => search.max_size.to_value(),
            "scan-interval" => search.scan_interval.to_value(),
            "max-faces" => (search.max_faces as u32).to_value(),
            "threads" => (search.threads as u32).to_value(),
            "roll-range" => search.roll_range.to_value(),
            "follow" => search.follow.to_value(),
            "people" => (search.people as u32).to_value(),
            "keep-people" => search.keep_people.to_value(),
            "roi" => self.roi_text().to_value(),
            "messages" => self.messages.to_value(),
            "witness" => self.witness.to_value(),
            _ => return None,
        })
    }
}
