//! A plot of a library's tracks in the plane of valence and arousal, as SVG.
//!
//! It is in the command rather than in `music-library` so that the player, which links that crate, does not
//! depend on a plotting library.

use mood_schema::{Affect, Emotion, Mood};
use music_library::Track;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::CommandError;

/// Width and height of the drawing, pixels.
const SIZE: u32 = 760;
/// Distance of the plane from the edges of the drawing, pixels.
const MARGIN: i32 = 46;
/// The most tracks whose titles are drawn: more would cover each other.
const MAX_TITLES: usize = 30;
/// The most tracks that are drawn: more dots would only make the file larger.
const MAX_DOTS: usize = 5_000;
/// Tracks with a larger [`Track::uncertainty`] are drawn as guesses.
const MAX_UNCERTAINTY: f64 = 0.5;

/// Colour of text and dots.
const FOREGROUND: RGBColor = RGBColor(0x44, 0x44, 0x44);
/// Colour of axes and frame.
const GRID: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);

/// Plots the tracks whose valence and arousal are known or estimated, with the emotions for comparison.
/// Returns the SVG document.
pub fn plot_tracks(tracks: &[Track]) -> Result<String, CommandError> {
    let mut svg = String::new();
    write_plot(tracks, &mut svg)
        .map_err(|error| CommandError::Failed(format!("the plane cannot be drawn: {error}")))?;
    Ok(svg)
}

/// Appends the plot to `svg`.
fn write_plot(tracks: &[Track], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, (SIZE, SIZE)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area).margin(MARGIN).build_cartesian_2d(-1.0..1.0, -1.0..1.0)?;
    let text_style =
        |size: u32, x, y| ("sans-serif", size).into_font().color(&FOREGROUND).pos(Pos::new(x, y));
    let line = |from, to| PathElement::new(vec![from, to], GRID);
    chart.draw_series([line((-1.0, 0.0), (1.0, 0.0)), line((0.0, -1.0), (0.0, 1.0))])?;
    chart.draw_series([Rectangle::new([(-1.0, -1.0), (1.0, 1.0)], GRID)])?;
    let size = SIZE as i32;
    for (text, position, x, y) in [
        ("unpleasant", (MARGIN, size / 2), HPos::Left, VPos::Bottom),
        ("pleasant", (size - MARGIN, size / 2), HPos::Right, VPos::Bottom),
        ("activated", (size / 2, MARGIN), HPos::Center, VPos::Bottom),
        ("calm", (size / 2, size - MARGIN), HPos::Center, VPos::Top),
    ] {
        area.draw_text(text, &text_style(15, x, y), position)?;
    }

    // The emotions, for comparison.
    for emotion in Emotion::ALL {
        let Affect { valence, arousal } = Affect::from_emotion(emotion);
        let [red, green, blue] = Mood::from(emotion).colour();
        let colour = RGBColor(red, green, blue);
        chart.draw_series([Cross::new((valence, arousal), 6, colour.stroke_width(2))])?;
        let style = ("sans-serif", 14).into_font().color(&colour).pos(Pos::new(HPos::Center, VPos::Bottom));
        chart.draw_series([Text::new(emotion.as_str(), (valence, arousal + 0.02), style)])?;
    }

    let placed: Vec<(&Track, Affect)> =
        tracks.iter().filter_map(|track| Some((track, track.affect?))).collect();
    let step = placed.len().div_ceil(MAX_DOTS).max(1);
    for (track, affect) in placed.iter().step_by(step) {
        let is_guess = track.uncertainty > MAX_UNCERTAINTY;
        let style = if is_guess { FOREGROUND.stroke_width(2) } else { FOREGROUND.filled() };
        chart.draw_series([Circle::new((affect.valence, affect.arousal), 5, style)])?;
        if placed.len() <= MAX_TITLES {
            // Beside the dot, on the side where there is room.
            let (anchor, shift) =
                if affect.valence < 0.7 { (HPos::Left, 0.025) } else { (HPos::Right, -0.025) };
            let text = Text::new(
                track.title.clone(),
                (affect.valence + shift, affect.arousal),
                text_style(13, anchor, VPos::Center),
            );
            chart.draw_series([text])?;
        }
    }

    let count = format!("{} of {} tracks", placed.len().div_ceil(step), tracks.len());
    let legend_y = size - 14;
    area.draw_text(&count, &text_style(14, HPos::Right, VPos::Bottom), (size - MARGIN, legend_y))?;
    area.draw(&Circle::new((MARGIN + 5, legend_y - 6), 5, FOREGROUND.filled()))?;
    area.draw_text(
        "placed by tags or people",
        &text_style(14, HPos::Left, VPos::Bottom),
        (MARGIN + 16, legend_y),
    )?;
    area.draw(&Circle::new((MARGIN + 195, legend_y - 6), 5, FOREGROUND.stroke_width(2)))?;
    area.draw_text(
        "guessed from the sound",
        &text_style(14, HPos::Left, VPos::Bottom),
        (MARGIN + 206, legend_y),
    )?;
    area.present()?;
    Ok(())
}
