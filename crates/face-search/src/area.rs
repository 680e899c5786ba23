//! The areas to which a search is limited.

use std::fmt;
use std::str::FromStr;

use gray_image::PixelRect;

/// A rectangle of a frame, written as `x,y,w,h`: each in pixels, or with a percent sign as a share of the frame's width or
/// height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchArea {
    x: Length,
    y: Length,
    w: Length,
    h: Length,
}

/// A distance in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Length {
    /// Pixels.
    Pixels(f64),
    /// Percent of the frame's side, 0-100.
    Percent(f64),
}

/// A text that is no [`SearchArea`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no rectangle: write x,y,w,h in pixels of the frame, or in percent of it as in 50%,0,50%,100%; w and h above 0, \
     and several rectangles with semicolons in between"
)]
pub struct ParseAreaError(String);

impl SearchArea {
    /// The areas of a text with semicolons in between; spaces and empty parts are ignored.
    ///
    /// # Errors
    /// A part is no rectangle.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, ParseAreaError> {
        text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect()
    }

    /// The pixels of the area in a frame of `width` x `height`, rounded to whole ones; `None` where it lies outside.
    pub fn in_frame(&self, width: u32, height: u32) -> Option<PixelRect> {
        let span = |start: Length, length: Length, side: u32| {
            let (start, length) = (start.to_pixels(side), length.to_pixels(side));
            let edge = |value: f64| value.round().clamp(0.0, f64::from(side)) as u32;
            (edge(start), edge(start + length) - edge(start))
        };
        let ((x, w), (y, h)) = (span(self.x, self.w, width), span(self.y, self.h, height));
        (w > 0 && h > 0).then_some(PixelRect { x, y, w, h })
    }
}

impl FromStr for SearchArea {
    type Err = ParseAreaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseAreaError(text.to_owned());
        let lengths: Option<Vec<Length>> = text.split(',').map(Length::parse).collect();
        let [x, y, w, h] =
            lengths.and_then(|lengths| <[Length; 4]>::try_from(lengths).ok()).ok_or_else(error)?;
        if w.is_zero() || h.is_zero() {
            return Err(error());
        }
        Ok(Self { x, y, w, h })
    }
}

impl fmt::Display for SearchArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { x, y, w, h } = self;
        write!(f, "{x},{y},{w},{h}")
    }
}

impl Length {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number =
            |text: &str| text.trim().parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0);
        match text.strip_suffix('%') {
            Some(percent) => number(percent).filter(|percent| *percent <= 100.0).map(Self::Percent),
            None => number(text).map(Self::Pixels),
        }
    }

    fn is_zero(self) -> bool {
        matches!(self, Self::Pixels(0.0) | Self::Percent(0.0))
    }

    fn to_pixels(self, side: u32) -> f64 {
        match self {
            Self::Pixels(pixels) => pixels,
            Self::Percent(percent) => f64::from(side) * percent / 100.0,
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pixels(pixels) => write!(f, "{pixels}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_frame(text: &str) -> Option<PixelRect> {
        text.parse::<SearchArea>().unwrap().in_frame(640, 480)
    }

    #[test]
    fn areas_are_in_pixels_or_percent_and_end_with_the_frame() {
        assert_eq!(in_frame("10,20,30,40"), Some(PixelRect { x: 10, y: 20, w: 30, h: 40 }));
        assert_eq!(in_frame("50%, 25 %, 50%, 100"), Some(PixelRect { x: 320, y: 120, w: 320, h: 100 }));
        assert_eq!(in_frame("600,400,1e9,1e9"), Some(PixelRect { x: 600, y: 400, w: 40, h: 80 }));
        for outside in ["640,0,10,10", "0,480,10,10", "0,0,0.2,10", "100%,0,10,10", "1e300,0,1e300,9"] {
            assert_eq!(in_frame(outside), None, "{outside}");
        }
    }

    #[test]
    fn a_list_is_read_as_it_is_written() {
        let areas = SearchArea::parse_list(" 0,0,50%,100% ;; 12.5%,3,4,5;").unwrap();
        let written: Vec<String> = areas.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["0,0,50%,100%", "12.5%,3,4,5"]);
        assert_eq!(SearchArea::parse_list(&written.join(";")), Ok(areas));
        assert_eq!(SearchArea::parse_list(" "), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_rectangle_is_refused() {
        for text in [
            "1,2,3",
            "1,2,3,4,5",
            "a,b,c,d",
            "-1,0,5,5",
            "0,0,0,5",
            "0,0,5,0%",
            "0,0,101%,5",
            "0,0,NaN,5",
            "0,0,inf,5",
        ] {
            let error = SearchArea::parse_list(&format!("0,0,9,9;{text}")).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
