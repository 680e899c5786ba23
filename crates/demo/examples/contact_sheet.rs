//! Draws a contact sheet of the actor with two frames per scene:
//! `cargo run -p mood-demo --example contact_sheet -- [OUTPUT.png]`.

use std::error::Error;

use mood_demo::Actor;
use tiny_skia::{IntSize, Pixmap, PixmapPaint, Transform};

/// Width of a frame, px.
const WIDTH: u32 = 640;
/// Height of a frame, px.
const HEIGHT: u32 = 360;

fn main() -> Result<(), Box<dyn Error>> {
    let output = std::env::args().nth(1).unwrap_or_else(|| "sheet.png".into());
    let actor = Actor::new(WIDTH, HEIGHT)?;
    let size = IntSize::from_wh(WIDTH, HEIGHT).ok_or("invalid frame size")?;
    let mut sheet =
        Pixmap::new(2 * WIDTH, actor.script().len() as u32 * HEIGHT).ok_or("the sheet is too large")?;
    for (row, scene) in actor.script().iter().enumerate() {
        let duration = scene.end - scene.start;
        for (column, time) in
            [scene.start + duration / 3, scene.start + duration * 2 / 3].into_iter().enumerate()
        {
            let frame = Pixmap::from_vec(actor.render(time), size).ok_or("the frame has another size")?;
            let (x, y) = (column as i32 * WIDTH as i32, row as i32 * HEIGHT as i32);
            sheet.draw_pixmap(x, y, frame.as_ref(), &PixmapPaint::default(), Transform::identity(), None);
        }
    }
    sheet.save_png(&output)?;
    println!("{output}");
    Ok(())
}
