//! The overlay's colours: an emotion's own, which the report shows too, and what words and bars stand on.

use mood_schema::{Emotion, Label, Mood};

/// Red, green and blue, 0-1.
pub(super) type Rgb = [f64; 3];

const fn rgb(hex: u32) -> Rgb {
    [(hex >> 16 & 255) as f64 / 255.0, (hex >> 8 & 255) as f64 / 255.0, (hex & 255) as f64 / 255.0]
}

/// For a face that nothing classified.
pub(super) const PLAIN: Rgb = rgb(0xFFFFFF);
/// For what cannot be told.
pub(super) const MUTED: Rgb = rgb(0xB0B0B0);
/// Behind words and bars.
pub(super) const BACKING: Rgb = rgb(0x101010);

/// An emotion's colour.
pub(super) fn of_emotion(emotion: Emotion) -> Rgb {
    Mood::from(emotion).colour().map(|value| f64::from(value) / 255.0)
}

/// The colour of a face's box: its label's, or white where there is none.
pub(super) fn of_label(label: Option<Label>) -> Rgb {
    match label {
        Some(Label::Known(emotion)) => of_emotion(emotion),
        Some(Label::Uncertain) => MUTED,
        None => PLAIN,
    }
}

/// Black or white, whichever reads better on `ground` (contrast ratio of WCAG 2.1).
pub(super) fn ink_on(ground: Rgb) -> Rgb {
    // Black and white contrast equally at a luminance of 0.179.
    if luminance(ground) > 0.179 { [0.0; 3] } else { [1.0; 3] }
}

/// Relative luminance of WCAG 2.1, 0-1.
fn luminance(colour: Rgb) -> f64 {
    let [r, g, b] = colour.map(|v| if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_out_from_every_colour() {
        for emotion in Emotion::ALL {
            let ground = of_emotion(emotion);
            let (one, other) = (luminance(ground) + 0.05, luminance(ink_on(ground)) + 0.05);
            let contrast = (one / other).max(other / one);
            assert!(contrast >= 4.5, "{emotion}: {contrast}");
        }
    }
}
