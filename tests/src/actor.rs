//! The drawn actor as a photo, as a camera and as a recording: input with a face that needs no test media.

use std::path::{Path, PathBuf};

use mood_demo::Actor;
use mood_schema::Emotion;

use crate::process::TIMEOUT;
use crate::{command, run};

/// Frame size, pixels.
const SIZE: (u32, u32) = (320, 240);

/// Writes a photo of the smiling actor, `smile.png`.
pub fn write_photo(folder: &Path) -> PathBuf {
    let (width, height) = SIZE;
    let actor = Actor::new(width, height).unwrap();
    let scene = actor.script().iter().find(|scene| scene.emotion == Emotion::Happy).unwrap();
    let image = actor.render(scene.start + (scene.end - scene.start) / 2);
    let path = folder.join("smile.png");
    image::RgbaImage::from_raw(width, height, image).unwrap().save(&path).unwrap();
    path
}

/// A pipeline description of a live source that shows the smiling actor at 10 frames a second; `-1` frames are without
/// end. The photo that it shows is written to `folder`.
pub fn camera(folder: &Path, frames: i32) -> String {
    format!(
        "filesrc location={} ! pngdec ! videoconvert ! imagefreeze is-live=true num-buffers={frames} ! \
         video/x-raw,framerate=10/1",
        write_photo(folder).display()
    )
}

/// Writes a recording of the smiling actor with a tone, H.264 and AAC, two seconds long.
pub fn write_recording(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let mut ffmpeg = command("ffmpeg");
    ffmpeg
        .args(["-nostdin", "-v", "error", "-y", "-loop", "1", "-framerate", "25", "-i"])
        .arg(write_photo(folder));
    ffmpeg.args(["-f", "lavfi", "-i", "sine=frequency=440", "-t", "2", "-pix_fmt", "yuv420p"]);
    ffmpeg.args(["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]).arg(&path);
    run(ffmpeg, TIMEOUT).assert_success();
    path
}
