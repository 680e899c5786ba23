//! The built-in demo's own material, made from nothing but code: a drawn [`Actor`] for the camera's place, and
//! [`music`] for the library's. The same input gives the same bytes on every run.

pub mod actor;
pub mod music;

pub use actor::{Actor, Scene};
