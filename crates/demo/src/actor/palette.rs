//! Colours that several parts of the drawing share.

use super::canvas::Rgb;

/// Skin in even light.
pub(super) const SKIN: Rgb = 0xe3b596;
/// Shade on skin.
pub(super) const SKIN_SHADE: Rgb = 0x7d4630;
/// Highlight on skin.
pub(super) const SKIN_HIGHLIGHT: Rgb = 0xffe6cf;
/// Hair and brows.
pub(super) const HAIR: Rgb = 0x3b2720;
