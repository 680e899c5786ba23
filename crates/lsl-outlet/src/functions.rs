//! The functions of liblsl that are used, by their C declarations.

use std::ffi::{c_char, c_double, c_float, c_int, c_void};

use libloading::Library;

use crate::LslError;

/// `lsl_irregular_rate`.
pub(crate) const IRREGULAR_RATE: c_double = 0.0;
/// `cft_float32` and `cft_string` of `lsl_channel_format_t`.
pub(crate) const FLOAT32: c_int = 1;
/// See [`FLOAT32`].
pub(crate) const STRING: c_int = 3;
/// Samples that are kept for a receiver that stalls, in hundreds at an irregular rate; the default of `lsl_cpp.h`.
pub(crate) const BUFFERED: c_int = 360;
/// Samples are sent at once, not with the next ones.
pub(crate) const PUSH_THROUGH: c_int = 1;

/// `lsl_streaminfo`, `lsl_outlet` and `lsl_xml_ptr` point to structures that only liblsl knows.
type Handle = *mut c_void;

/// The functions, as `lsl_c.h` declares them, and the library that they are in.
#[derive(Debug)]
pub(crate) struct Functions {
    /// `lsl_create_streaminfo`: name, type, channels, rate, format, source id; null where that is no stream.
    pub create_streaminfo:
        unsafe extern "C" fn(*const c_char, *const c_char, c_int, c_double, c_int, *const c_char) -> Handle,
    /// `lsl_destroy_streaminfo`.
    pub destroy_streaminfo: unsafe extern "C" fn(Handle),
    /// `lsl_get_desc`: the element that describes the stream.
    pub get_desc: unsafe extern "C" fn(Handle) -> Handle,
    /// `lsl_append_child`: the new element.
    pub append_child: unsafe extern "C" fn(Handle, *const c_char) -> Handle,
    /// `lsl_append_child_value`: the parent.
    pub append_child_value: unsafe extern "C" fn(Handle, *const c_char, *const c_char) -> Handle,
    /// `lsl_create_outlet`: description, samples that are sent together (0: as they come), [`BUFFERED`]; null on failure.
    pub create_outlet: unsafe extern "C" fn(Handle, c_int, c_int) -> Handle,
    /// `lsl_destroy_outlet`.
    pub destroy_outlet: unsafe extern "C" fn(Handle),
    /// `lsl_push_sample_ftp`: values, time, [`PUSH_THROUGH`]; an error code.
    pub push_sample_f: unsafe extern "C" fn(Handle, *const c_float, c_double, c_int) -> c_int,
    /// `lsl_push_sample_strtp`: texts, time, [`PUSH_THROUGH`]; an error code.
    pub push_sample_str: unsafe extern "C" fn(Handle, *const *const c_char, c_double, c_int) -> c_int,
    /// `lsl_local_clock`, s.
    pub local_clock: extern "C" fn() -> c_double,
    /// Keeps the functions.
    _library: Library,
}

impl Functions {
    /// Those of the first library among `names`, paths or names in the system's folders, that can be loaded.
    pub fn load(names: &[&str]) -> Result<Self, LslError> {
        let mut reasons = Vec::new();
        for &name in names {
            // SAFETY: the library is the one that the user has installed or named as liblsl; what it does when it is loaded is its own.
            match unsafe { Library::new(name) } {
                Ok(library) => return Self::find(library, name),
                Err(error) => reasons.push(format!("{name}: {}", reason(&error))),
            }
        }
        Err(LslError::NotLoaded(reasons.join("; ")))
    }

    fn find(library: Library, name: &str) -> Result<Self, LslError> {
        // SAFETY: each name is that of a function of liblsl, with the type that `lsl_c.h` declares. The library is kept beside them.
        let found = unsafe {
            (|| {
                Ok(Self {
                    create_streaminfo: *library.get("lsl_create_streaminfo")?,
                    destroy_streaminfo: *library.get("lsl_destroy_streaminfo")?,
                    get_desc: *library.get("lsl_get_desc")?,
                    append_child: *library.get("lsl_append_child")?,
                    append_child_value: *library.get("lsl_append_child_value")?,
                    create_outlet: *library.get("lsl_create_outlet")?,
                    destroy_outlet: *library.get("lsl_destroy_outlet")?,
                    push_sample_f: *library.get("lsl_push_sample_ftp")?,
                    push_sample_str: *library.get("lsl_push_sample_strtp")?,
                    local_clock: *library.get("lsl_local_clock")?,
                    _library: library,
                })
            })()
        };
        found.map_err(|error: libloading::Error| LslError::Unsuitable(name.into(), reason(&error)))
    }
}

/// What the system says.
fn reason(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
