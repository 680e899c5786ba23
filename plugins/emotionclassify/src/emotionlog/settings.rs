//! The properties of `emotionlog`.

use std::path::PathBuf;

use glib::prelude::*;
use glib::value::ValueTypeMismatchError;
use gst::prelude::*;

use super::Format;

/// The values of the properties.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// The file to write; `None` is an error when the element starts.
    pub location: Option<PathBuf>,
    /// The file's format.
    pub format: Format,
    /// Whether an existing file is continued.
    pub append: bool,
}

impl Settings {
    /// The specifications of all properties.
    pub fn properties() -> Vec<glib::ParamSpec> {
        let default = Self::default();
        vec![
            glib::ParamSpecString::builder("location")
                .nick("Location")
                .blurb("Path of the file to write. There is no default: it must be set before the element starts")
                .mutable_ready()
                .build(),
            glib::ParamSpecEnum::builder_with_default("format", default.format)
                .nick("Format")
                .blurb(
                    "Format of the file. The default, jsonl, holds everything and is what gst-mood reads; csv holds one \
                     row for each face of each frame, for spreadsheets and statistics programs",
                )
                .mutable_ready()
                .build(),
            glib::ParamSpecBoolean::builder("append")
                .nick("Append")
                .blurb(
                    "Whether to continue an existing file. By default it is replaced; set it to collect several runs in \
                     one file",
                )
                .default_value(default.append)
                .mutable_ready()
                .build(),
        ]
    }

    /// Sets the property `name`, one of [`Self::properties`]. Fails for a value of another type.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), ValueTypeMismatchError> {
        match name {
            "location" => {
                let location: Option<String> = value.get()?;
                self.location = location.filter(|location| !location.is_empty()).map(PathBuf::from);
            }
            "format" => self.format = value.get()?,
            "append" => self.append = value.get()?,
            _ => {}
        }
        Ok(())
    }

    /// The value of the property `name`; `None` where there is no such property.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "location" => self.location.as_ref().and_then(|location| location.to_str()).to_value(),
            "format" => self.format.to_value(),
            "append" => self.append.to_value(),
            _ => return None,
        })
    }
}
