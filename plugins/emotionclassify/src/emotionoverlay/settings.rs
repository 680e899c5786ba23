//! The properties of `emotionoverlay`.

use glib::prelude::*;
use glib::value::ValueTypeMismatchError;
use gst::prelude::*;

/// The values of the properties.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Whether the distribution is drawn beside each face.
    pub show_distribution: bool,
    /// Whether each face's id is drawn.
    pub show_id: bool,
    /// Whether faces are pixelated.
    pub blur_faces: bool,
    /// Whether the complete frame is pixelated while a person may be there who is not found.
    pub blur_strict: bool,
    /// Factor on the sizes of text and lines.
    pub font_scale: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            show_distribution: true,
            show_id: true,
            blur_faces: false,
            blur_strict: false,
            font_scale: 1.0,
        }
    }
}

impl Settings {
    /// The specifications of all properties.
    pub fn properties() -> Vec<glib::ParamSpec> {
        let default = Self::default();
        vec![
            glib::ParamSpecBoolean::builder("show-distribution")
                .nick("Show distribution")
                .blurb(
                    "Whether to draw the probabilities of the seven emotions as bars beside each face. By default \
                     they are drawn. Disable it where only the label matters or faces are close together",
                )
                .default_value(default.show_distribution)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("show-id")
                .nick("Show id")
                .blurb(
                    "Whether to draw each face's id, which stays the same while the face is tracked. By default it \
                     is drawn. Disable it where there is only one person",
                )
                .default_value(default.show_id)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("blur-faces")
                .nick("Blur faces")
                .blurb(
                    "Whether to make every face found unrecognisable, irreversibly, for 3 s also the place where a lost \
                     face is expected, and the whole picture where no detector has looked at it or an element behind the \
                     detector has changed it so that the faces' places are unknown. A face that the detector has never \
                     found stays visible. By default faces are not changed. Enable it to protect the persons' privacy",
                )
                .default_value(default.blur_faces)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("blur-strict")
                .nick("Blur strictly")
                .blurb(
                    "With blur-faces, whether to make the whole picture unrecognisable while somebody may be in it who is \
                     not found: at the start until a face is found in 5 consecutive frames, and whenever a face is lost \
                     until it is found again, or for 10 s if it is not. By default only faces and their expected places \
                     are. Enable it where one sharp face is worse than a hidden picture; a person whom the detector has \
                     never found stays visible beside others",
                )
                .default_value(default.blur_strict)
                .mutable_playing()
                .build(),
            glib::ParamSpecDouble::builder("font-scale")
                .nick("Font scale")
                .blurb(
                    "Factor on the sizes of text and lines. The default, 1, suits the frame's size; raise it for \
                     viewers far from the screen",
                )
                .minimum(0.25)
                .maximum(4.0)
                .default_value(default.font_scale)
                .mutable_playing()
                .build(),
        ]
    }

    /// Sets the property `name`, one of [`Self::properties`], whose range GObject has checked. Fails for a
    /// value of another type.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), ValueTypeMismatchError> {
        match name {
            "show-distribution" => self.show_distribution = value.get()?,
            "show-id" => self.show_id = value.get()?,
            "blur-faces" => self.blur_faces = value.get()?,
            "blur-strict" => self.blur_strict = value.get()?,
            "font-scale" => self.font_scale = value.get()?,
            _ => {}
        }
        Ok(())
    }

    /// The value of the property `name`; `None` where there is no such property.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "show-distribution" => self.show_distribution.to_value(),
            "show-id" => self.show_id.to_value(),
            "blur-faces" => self.blur_faces.to_value(),
            "blur-strict" => self.blur_strict.to_value(),
            "font-scale" => self.font_scale.to_value(),
            _ => return None,
        })
    }
}
