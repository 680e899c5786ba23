//! The mood plane: tracks where they lie in valence and arousal, as an SVG drawing.

use mood_schema::{Affect, Emotion, Mood};
use music_library::Track;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::failure::Failure;

/// Pixels.
const SIDE: u32 = 760;
const MARGIN: i32 = 46;
/// More names than this would cover each other, and more dots than this say no more.
const NAMES: usize = 30;
const DOTS: usize = 5_000;
/// From here on a place is a guess.
const DOUBT: f64 = 0.5;

const INK: RGBColor = RGBColor(0x44, 0x44, 0x44);
const FAINT: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);

/// Draws the tracks whose place is known or guessed.
pub fn draw(tracks: &[Track]) -> Result<String, Failure> {
    let mut svg = String::new();
    drawn(tracks, &mut svg).map_err(|error| Failure::Work(format!("the plane cannot be drawn: {error}")))?;
    Ok(svg)
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn drawn(tracks: &[Track], svg: &mut String) -> Drawn {
    let area = SVGBackend::with_string(svg, (SIDE, SIDE)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area).margin(MARGIN).build_cartesian_2d(-1.0..1.0, -1.0..1.0)?;
    let black = |size: u32, x, y| ("sans-serif", size).into_font().color(&INK).pos(Pos::new(x, y));
    let line = |from, to| PathElement::new(vec![from, to], FAINT);
    chart.draw_series([line((-1.0, 0.0), (1.0, 0.0)), line((0.0, -1.0), (0.0, 1.0))])?;
    chart.draw_series([Rectangle::new([(-1.0, -1.0), (1.0, 1.0)], FAINT)])?;
    let side = SIDE as i32;
    for (text, at, x, y) in [
        ("unpleasant", (MARGIN, side / 2), HPos::Left, VPos::Bottom),
        ("pleasant", (side - MARGIN, side / 2), HPos::Right, VPos::Bottom),
        ("activated", (side / 2, MARGIN), HPos::Center, VPos::Bottom),
        ("calm", (side / 2, side - MARGIN), HPos::Center, VPos::Top),
    ] {
        area.draw_text(text, &black(15, x, y), at)?;
    }

    // Where a face would be.
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
    let step = placed.len().div_ceil(DOTS).max(1);
    for (track, at) in placed.iter().step_by(step) {
        let guessed = track.doubt > DOUBT;
        let style = if guessed { INK.stroke_width(2) } else { INK.filled() };
        chart.draw_series([Circle::new((at.valence, at.arousal), 5, style)])?;
        if placed.len() <= NAMES {
            // Beside its dot, on the side that has room.
            let (side, shift) = if at.valence < 0.7 { (HPos::Left, 0.025) } else { (HPos::Right, -0.025) };
            let text = Text::new(
                track.title.clone(),
                (at.valence + shift, at.arousal),
                black(13, side, VPos::Center),
            );
            chart.draw_series([text])?;
        }
    }

    let known = format!("{} of {} tracks", placed.len().div_ceil(step), tracks.len());
    let legend = side - 14;
    area.draw_text(&known, &black(14, HPos::Right, VPos::Bottom), (side - MARGIN, legend))?;
    area.draw(&Circle::new((MARGIN + 5, legend - 6), 5, INK.filled()))?;
    area.draw_text("placed by tags or people", &black(14, HPos::Left, VPos::Bottom), (MARGIN + 16, legend))?;
    area.draw(&Circle::new((MARGIN + 195, legend - 6), 5, INK.stroke_width(2)))?;
    area.draw_text("guessed from the sound", &black(14, HPos::Left, VPos::Bottom), (MARGIN + 206, legend))?;
    area.present()?;
    Ok(())
}
