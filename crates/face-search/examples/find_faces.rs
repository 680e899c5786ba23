//! Finds faces in images, or in the frames of a video given as images, as `haarfacedetect` does. Prints a line
//! `IMAGE COUNT` for each image, then a line `id x y w h neighbors roll` for each face; a face that was followed has 0
//! neighbors.
//!
//!     cargo run --release -p face-search --example find_faces -- --video frames/*.png

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use face_search::{FaceFinder, SearchSettings};
use haar::{Cascade, GrayImage};

/// The command line.
#[derive(Parser)]
#[command(about = "Find faces with a Haar cascade, tilted ones too")]
struct Options {
    /// Ratio of one window size to the next smaller one
    #[arg(long, default_value_t = 1.2)]
    scale_factor: f64,
    /// A face needs more than this many similar windows
    #[arg(long, default_value_t = 3)]
    min_neighbors: u32,
    /// Smallest side searched, pixels; 0 is a twelfth of the shorter side
    #[arg(long, default_value_t = 0)]
    min_size: u32,
    /// How far faces may lean, degrees
    #[arg(long, default_value_t = 45.0)]
    roll_range: f64,
    /// Milliseconds between full searches of a video
    #[arg(long, default_value_t = 0)]
    scan_interval: u64,
    /// Milliseconds for which a face that is no longer detected is followed in a video
    #[arg(long, default_value_t = 0)]
    follow: u64,
    /// The images are frames of one video, at this many milliseconds a frame; otherwise each is searched alone
    #[arg(long, num_args = 0..=1, default_missing_value = "40")]
    video: Option<u64>,
    /// Search every image this many times more and print the microseconds of CPU time of a search
    #[arg(long, default_value_t = 0)]
    repeat: u32,
    /// Images: PNG, JPEG or WebP, converted to grey
    #[arg(required = true)]
    images: Vec<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let settings = SearchSettings {
        scale_factor: options.scale_factor,
        min_neighbors: options.min_neighbors,
        min_size: options.min_size,
        max_size: 0,
        scan_interval: options.scan_interval * 1_000_000,
        max_faces: 0,
        threads: 1,
        roll_range: options.roll_range,
        follow: options.follow * 1_000_000,
        people: 0,
        keep_people: false,
    };
    let cascade = Arc::new(Cascade::load(haar::find("frontalface_default")?)?);
    let mut finder = FaceFinder::new(cascade, None)?;
    for (index, path) in options.images.iter().enumerate() {
        let pixels = image::open(path).map_err(|error| format!("{}: {error}", path.display()))?.into_luma8();
        let (width, height) = (pixels.width() as usize, pixels.height() as usize);
        let image = GrayImage::new(&pixels, width, height, width)?;
        let time = options.video.map_or(0, |period| index as u64 * period * 1_000_000);
        if options.video.is_none() {
            finder.reset();
        }
        let faces = finder.find_faces(&image, Some(time), &settings)?;
        println!("{} {}", path.display(), faces.len());
        for face in &faces {
            let rect = face.face.rect;
            let (x, y, w, h) = (rect.x, rect.y, rect.w, rect.h);
            println!(
                "{} {x} {y} {w} {h} {} {:.1}",
                face.id,
                if face.is_followed { 0 } else { face.face.neighbors },
                face.roll.unwrap_or_default()
            );
        }
        if options.repeat > 0 {
            let start = cpu_time()?;
            for _ in 0..options.repeat {
                finder.reset();
                finder.find_faces(&image, Some(0), &settings)?;
            }
            println!("{} us", (cpu_time()? - start) / u64::from(options.repeat));
        }
    }
    Ok(())
}

/// CPU time of this thread, microseconds, from Linux's scheduler statistics.
fn cpu_time() -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: u64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1000)
}
