//! Outlets of LabStreamingLayer (<https://labstreaminglayer.readthedocs.io>): streams of samples that programs on the network record.
//!
//! liblsl is a C++ library with a C interface, which few machines have. It is looked for when it is needed, and its absence is an
//! error with the remedy. Its functions are declared as in `lsl_c.h` of liblsl 1.13 and later, which keeps them compatible.

mod functions;

use std::ffi::{CString, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::OnceLock;

use functions::{Functions, IRREGULAR_RATE};

/// The environment variable with the path of liblsl, the one that pylsl has.
pub const LIBRARY_VARIABLE: &str = "PYLSL_LIB";

/// Names of liblsl, as its own packages and distributions have it.
const LIBRARY_NAMES: [&str; 2] = ["liblsl.so.2", "liblsl.so"];

/// Why there is no outlet. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LslError {
    /// There is no liblsl, or it cannot be loaded.
    #[error(
        "liblsl cannot be loaded ({0}); install it, from https://github.com/sccn/liblsl/releases for example, or give the path \
         of liblsl.so in {LIBRARY_VARIABLE}"
    )]
    NotLoaded(String),
    /// A library was loaded that is no liblsl, or too old.
    #[error("{0} is no liblsl 1.13 or later ({1}); give the path of another one in {LIBRARY_VARIABLE}")]
    Unsuitable(String, String),
    /// liblsl makes no stream of this description.
    #[error("liblsl refuses the stream '{0}'; give it another name")]
    Refused(String),
    /// liblsl does not take a sample; its error code.
    #[error("liblsl does not take a sample (error {0})")]
    NotTaken(i32),
    /// A text with a character 0, which ends a text in C.
    #[error("a text for liblsl has a character 0: {0:?}")]
    Text(String),
    /// A sample with another number of values than the stream has channels.
    #[error("a sample of {found} values in a stream of {channels}")]
    Channels {
        /// Values in the sample.
        found: usize,
        /// Channels of the stream.
        channels: usize,
    },
}

/// liblsl, loaded. It stays so until the process ends, because it has threads of its own.
#[derive(Clone, Copy, Debug)]
pub struct Lsl(&'static Functions);

/// What a stream is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Name of the stream, by which people choose it.
    pub name: String,
    /// Kind of content, such as `Markers` (<https://github.com/sccn/xdf/wiki/Meta-Data>).
    pub kind: String,
    /// Where it comes from, by which receivers find it again after an interruption.
    pub source_id: String,
}

/// A channel of a stream of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// What its values are, such as `valence`; receivers show it.
    pub label: &'static str,
    /// Unit or range of the values.
    pub unit: &'static str,
}

impl Lsl {
    /// liblsl as [`LIBRARY_VARIABLE`] names it, or the system's.
    ///
    /// # Errors
    /// [`LslError::NotLoaded`] and [`LslError::Unsuitable`]; it may succeed later, once the library is installed.
    pub fn load() -> Result<Self, LslError> {
        static LOADED: OnceLock<Functions> = OnceLock::new();
        if let Some(functions) = LOADED.get() {
            return Ok(Self(functions));
        }
        let functions = match std::env::var(LIBRARY_VARIABLE) {
            Ok(path) if !path.is_empty() => Functions::load(&[&path])?,
            _ => Functions::load(&LIBRARY_NAMES)?,
        };
        Ok(Self(LOADED.get_or_init(|| functions)))
    }

    /// LabStreamingLayer's time on this computer, s.
    pub fn now(self) -> f64 {
        (self.0.local_clock)()
    }

    /// A stream of numbers at irregular times.
    ///
    /// # Errors
    /// [`LslError::Refused`] and [`LslError::Text`].
    pub fn open_numbers(self, info: &StreamInfo, channels: &[Channel]) -> Result<NumberOutlet, LslError> {
        Ok(NumberOutlet { outlet: self.open(info, channels, functions::FLOAT32)?, channels: channels.len() })
    }

    /// A stream of texts at irregular times.
    ///
    /// # Errors
    /// [`LslError::Refused`] and [`LslError::Text`].
    pub fn open_texts(self, info: &StreamInfo) -> Result<TextOutlet, LslError> {
        Ok(TextOutlet { outlet: self.open(info, &[], functions::STRING)? })
    }

    /// A stream with these channels, or with one that has no label.
    fn open(self, info: &StreamInfo, channels: &[Channel], format: i32) -> Result<Outlet, LslError> {
        let refused = || LslError::Refused(info.name.clone());
        let [name, kind, source_id] = [&info.name, &info.kind, &info.source_id].map(|text| c_text(text));
        let (name, kind, source_id) = (name?, kind?, source_id?);
        let labels: Vec<[CString; 2]> = channels
            .iter()
            .map(|channel| Ok([c_text(channel.label)?, c_text(channel.unit)?]))
            .collect::<Result<_, LslError>>()?;
        let count = i32::try_from(channels.len().max(1)).map_err(|_| refused())?;
        let lsl = self.0;
        // SAFETY: every text ends with 0 and outlives the calls, which copy it. The description is released once, after the outlet has
        // copied it; its elements belong to it. liblsl answers with null instead of an exception.
        let handle = unsafe {
            let description = (lsl.create_streaminfo)(
                name.as_ptr(),
                kind.as_ptr(),
                count,
                IRREGULAR_RATE,
                format,
                source_id.as_ptr(),
            );
            let description = NonNull::new(description).ok_or_else(refused)?;
            if !labels.is_empty() {
                let parent = (lsl.append_child)((lsl.get_desc)(description.as_ptr()), c"channels".as_ptr());
                for [label, unit] in &labels {
                    let channel = (lsl.append_child)(parent, c"channel".as_ptr());
                    (lsl.append_child_value)(channel, c"label".as_ptr(), label.as_ptr());
                    (lsl.append_child_value)(channel, c"unit".as_ptr(), unit.as_ptr());
                }
            }
            let handle = (lsl.create_outlet)(description.as_ptr(), 0, functions::BUFFERED);
            (lsl.destroy_streaminfo)(description.as_ptr());
            handle
        };
        let handle = NonNull::new(handle).ok_or_else(refused)?;
        Ok(Outlet { lsl, handle, thread: PhantomData })
    }
}

/// An outlet of liblsl; receivers are told that it ends when it is dropped.
#[derive(Debug)]
struct Outlet {
    /// liblsl.
    lsl: &'static Functions,
    /// The `lsl_outlet`.
    handle: NonNull<c_void>,
    /// Used by one thread.
    thread: PhantomData<*const ()>,
}

impl Drop for Outlet {
    fn drop(&mut self) {
        // SAFETY: the handle is that of an outlet, and nobody else has it.
        unsafe { (self.lsl.destroy_outlet)(self.handle.as_ptr()) }
    }
}

/// A stream of numbers.
#[derive(Debug)]
pub struct NumberOutlet {
    /// Its samples are 32-bit floats, [`functions::FLOAT32`].
    outlet: Outlet,
    /// Values of a sample.
    channels: usize,
}

impl NumberOutlet {
    /// Sends a sample, one value a channel, with its time on the clock of [`Lsl::now`], s.
    ///
    /// # Errors
    /// [`LslError::Channels`] and [`LslError::NotTaken`].
    pub fn push(&mut self, values: &[f32], time: f64) -> Result<(), LslError> {
        if values.len() != self.channels {
            return Err(LslError::Channels { found: values.len(), channels: self.channels });
        }
        let Outlet { lsl, handle, .. } = &self.outlet;
        // SAFETY: the handle is that of an outlet of floats with as many channels as there are values, which are copied.
        check(unsafe { (lsl.push_sample_f)(handle.as_ptr(), values.as_ptr(), time, functions::PUSH_THROUGH) })
    }
}

/// A stream of texts.
#[derive(Debug)]
pub struct TextOutlet {
    /// Its samples are one string each, [`functions::STRING`].
    outlet: Outlet,
}

impl TextOutlet {
    /// Sends a text with its time on the clock of [`Lsl::now`], s.
    ///
    /// # Errors
    /// [`LslError::Text`] and [`LslError::NotTaken`].
    pub fn push(&mut self, text: &str, time: f64) -> Result<(), LslError> {
        let text = c_text(text)?;
        let sample = [text.as_ptr()];
        let Outlet { lsl, handle, .. } = &self.outlet;
        // SAFETY: the handle is that of an outlet of strings with one channel; the text ends with 0 and is copied.
        check(unsafe {
            (lsl.push_sample_str)(handle.as_ptr(), sample.as_ptr(), time, functions::PUSH_THROUGH)
        })
    }
}

/// An error code of liblsl as a result.
fn check(code: i32) -> Result<(), LslError> {
    if code == 0 { Ok(()) } else { Err(LslError::NotTaken(code)) }
}

/// A text as C has it.
fn c_text(text: &str) -> Result<CString, LslError> {
    CString::new(text).map_err(|_| LslError::Text(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_missing_or_another_one_is_an_error_with_the_remedy() {
        let missing =
            Functions::load(&["/nonexistent/liblsl.so", "liblsl.so.nonexistent"]).unwrap_err().to_string();
        assert!(missing.contains("liblsl.so.nonexistent") && missing.contains("install it"), "{missing}");
        let other = Functions::load(&["libc.so.6"]).unwrap_err().to_string();
        assert!(other.contains("libc.so.6 is no liblsl") && other.contains(LIBRARY_VARIABLE), "{other}");
    }

    #[test]
    fn a_text_that_c_would_cut_off_is_refused() {
        assert!(matches!(c_text("laughs\0"), Err(LslError::Text(_))));
    }
}
