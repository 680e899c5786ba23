//! The properties of `emotionoverlay`.

use std::collections::BTreeMap;
use std::sync::Arc;

use glib::prelude::*;
use glib::value::ValueTypeMismatchError;
use gst::prelude::*;

/// The longest name that is drawn, letters.
const MAX_NAME: usize = 24;

/// Why a property cannot be set.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    /// The value has another type.
    #[error(transparent)]
    Type(#[from] ValueTypeMismatchError),
    /// The names are not what the blurb says.
    #[error("names: give a JSON object such as {{\"1\": \"Ada\"}} ({0})")]
    Names(#[from] serde_json::Error),
}

/// The values of the properties.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Whether the distribution is drawn beside each face.
    pub show_distribution: bool,
    /// Whether each face's id is drawn.
    pub show_id: bool,
    /// What is drawn instead of ids.
    pub names: Arc<BTreeMap<u32, String>>,
    /// Why the latest `names` were refused before the element was started, which fails then: whoever set them may not have
    /// watched the bus yet.
    pub refusal: Option<String>,
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
            names: Arc::default(),
            refusal: None,
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
            glib::ParamSpecString::builder("names")
                .nick("Names")
                .blurb(
                    "What to draw instead of ids, as a JSON object by id, such as {\"1\": \"Ada\"}; names of more than 24 letters \
                     are shortened. By default, empty, ids are drawn. Set it where the faces belong to known people who agree",
                )
                .default_value(Some(""))
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("blur-faces")
                .nick("Blur faces")
                .blurb(
                    "Whether to make every face found unrecognisable, irreversibly, for 3 s also the place where a lost \
                     face is expected, and the whole picture for 3 s behind a cut at which not everybody is found, and where no detector has looked at it or an element behind the \
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
    /// value of another type, and for names that are no JSON object of them.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), SettingsError> {
        match name {
            "show-distribution" => self.show_distribution = value.get()?,
            "show-id" => self.show_id = value.get()?,
            "names" => {
                self.names = parse_names(value.get::<Option<&str>>()?.unwrap_or_default())?.into();
                self.refusal = None;
            }
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
            "names" if self.names.is_empty() => "".to_value(),
            "names" => serde_json::to_string(&*self.names).ok().to_value(),
            "blur-faces" => self.blur_faces.to_value(),
            "blur-strict" => self.blur_strict.to_value(),
            "font-scale" => self.font_scale.to_value(),
            _ => return None,
        })
    }
}

/// Parses names by id. They become one line, and are shortened where they are long.
fn parse_names(text: &str) -> Result<BTreeMap<u32, String>, serde_json::Error> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut names: BTreeMap<u32, String> = serde_json::from_str(text)?;
    for name in names.values_mut() {
        let line: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let line = line.trim();
        *name = match line.chars().count() {
            count if count > MAX_NAME => line.chars().take(MAX_NAME - 1).chain(['…']).collect(),
            _ => line.to_owned(),
        };
    }
    names.retain(|_, name| !name.is_empty());
    Ok(names)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn names_are_single_lines_of_limited_length() {
        let names =
            parse_names(r#"{"1": "Ada\nL.", "7": "A name that is much longer than a tag", "8": " "}"#)
                .unwrap();
        assert_eq!(names, [(1, "Ada L.".to_owned()), (7, "A name that is much lon…".to_owned())].into());
        assert!(parse_names(" ").unwrap().is_empty());
        for wrong in ["Ada", "{\"x\": \"Ada\"}", "{\"1\": 2}", "[]"] {
            let error = SettingsError::from(parse_names(wrong).unwrap_err()).to_string();
            assert!(error.starts_with("names: give a JSON object such as {\"1\": \"Ada\"}"), "{error}");
        }
    }
}
