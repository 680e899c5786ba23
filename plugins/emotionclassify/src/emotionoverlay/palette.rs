//! The overlay's colours: those of the emotions, which the report uses too, and those of text and
//! backgrounds.

use mood_schema::{Emotion, Label, Mood};

/// Red, green and blue, sRGB, 0-1 each.
pub(super) type Rgb = [f64; 3];

/// Converts from 0xRRGGBB.
const fn rgb(hex: u32) -> Rgb {
    [(hex >> 16 & 255) as f64 / 255.0, (hex >> 8 & 255) as f64 / 255.0, (hex & 255) as f64 / 255.0]
}

/// A face without classification, and text on a background.
pub(super) const FOREGROUND: Rgb = rgb(0xFFFFFF);
/// An uncertain or absent emotion, and secondary text.
pub(super) const MUTED: Rgb = rgb(0xB0B0B0);
/// The background of text and bars.
pub(super) const BACKGROUND: Rgb = rgb(0x101010);

/// The colour of an emotion.
pub(super) fn emotion_colour(emotion: Emotion) -> Rgb {
    Mood::from(emotion).colour().map(|value| f64::from(value) / 255.0)
}

/// The colour of a face's box: that of its label, or white for a face without classification.
pub(super) fn label_colour(label: Option<Label>) -> Rgb {
    match label {
        Some(Label::Known(emotion)) => emotion_colour(emotion),
        Some(Label::Uncertain) => MUTED,
        None => FOREGROUND,
    }
}

/// The colour for text on `background`: black or white, whichever has the higher contrast ratio by WCAG 2.1.
pub(super) fn text_colour(background: Rgb) -> Rgb {
    // Black and white have the same contrast ratio to a background of luminance 0.179.
    if luminance(background) > 0.179 { [0.0; 3] } else { [1.0; 3] }
}

/// The relative luminance defined in WCAG 2.1, 0-1.
fn luminance(colour: Rgb) -> f64 {
    let [r, g, b] = colour.map(|v| if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_sufficient_contrast_on_every_colour() {
        for emotion in Emotion::ALL {
            let background = emotion_colour(emotion);
            let background_luminance = luminance(background) + 0.05;
            let text_luminance = luminance(text_colour(background)) + 0.05;
            let contrast = (background_luminance / text_luminance).max(text_luminance / background_luminance);
            // Level AA of WCAG 2.1.
            assert!(contrast >= 4.5, "{emotion}: {contrast}");
        }
    }
}
