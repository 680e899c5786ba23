//! A contact sheet of the actor: `cargo run -p mood-demo --example sheet -- [OUT.png]`, two pictures a scene.

use std::error::Error;

use mood_demo::Actor;
use tiny_skia::{IntSize, Pixmap, PixmapPaint, Transform};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).unwrap_or_else(|| "sheet.png".into());
    let actor = Actor::new(WIDTH, HEIGHT)?;
    let size = IntSize::from_wh(WIDTH, HEIGHT).ok_or("no size")?;
    let mut sheet = Pixmap::new(2 * WIDTH, actor.script().len() as u32 * HEIGHT).ok_or("no memory")?;
    for (row, scene) in actor.script().iter().enumerate() {
        let length = scene.end - scene.start;
        for (column, time) in [scene.start + length / 3, scene.start + length * 2 / 3].into_iter().enumerate()
        {
            let picture = Pixmap::from_vec(actor.render(time), size).ok_or("the picture has another size")?;
            let (x, y) = (column as i32 * WIDTH as i32, row as i32 * HEIGHT as i32);
            sheet.draw_pixmap(x, y, picture.as_ref(), &PixmapPaint::default(), Transform::identity(), None);
        }
    }
    sheet.save_png(&out)?;
    println!("{out}");
    Ok(())
}
