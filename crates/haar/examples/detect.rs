//! Finds faces, or what a cascade was trained for, in pictures: a line `PICTURE COUNT` each, then `x y w h` lines.
//!
//!     cargo run --release -p haar --example detect -- --scale-factor 1.1 photo.jpg
//!
//! Colour becomes grey as in OpenCV's `cvtColor`; a grey picture is taken as it is. For a PNG that is what
//! `cv2.imread(path, cv2.IMREAD_GRAYSCALE)` reads; a JPEG decoder may differ by a grey level here and there.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use haar::{Backend, Cascade, Detector, GrayImage, Params, Size};
use image::{DynamicImage, GrayImage as Luma, Rgb};

#[derive(Parser)]
#[command(about = "Find objects with a Haar cascade, as OpenCV's detectMultiScale does")]
struct Options {
    /// A cascade's file, or the NAME in haarcascade_NAME.xml
    #[arg(long, default_value = "frontalface_default")]
    cascade: PathBuf,
    /// From one window size to the next
    #[arg(long, default_value_t = Params::default().scale_factor)]
    scale_factor: f64,
    /// More similar windows than this make an object; 0 prints every window
    #[arg(long, default_value_t = Params::default().min_neighbors)]
    min_neighbors: u32,
    /// Smallest side looked for, pixels
    #[arg(long, default_value_t = 0)]
    min_size: u32,
    /// Largest side looked for, pixels; 0 is no limit
    #[arg(long, default_value_t = 0)]
    max_size: u32,
    /// Threads that search; 0 is as many as useful
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Only portable code: the same as --backend scalar
    #[arg(long)]
    no_simd: bool,
    /// Instructions to use: scalar, portable, neon, avx2, avx512; the fastest where none is named
    #[arg(long, conflicts_with = "no_simd")]
    backend: Option<Backend>,
    /// Search every picture this often and print the milliseconds of each search to standard error
    #[arg(long, default_value_t = 0)]
    repeat: usize,
    /// PNG, JPEG or WebP
    #[arg(required = true)]
    pictures: Vec<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let params = Params {
        scale_factor: options.scale_factor,
        min_neighbors: options.min_neighbors,
        min_size: Size::square(options.min_size),
        max_size: Size::square(options.max_size),
        threads: options.threads,
    };
    let backend = if options.no_simd { Backend::Scalar } else { options.backend.unwrap_or_default() };
    let cascade = Arc::new(Cascade::load(haar::find(&options.cascade)?)?);
    let mut detector = Detector::new(cascade, params)?.with_backend(backend)?;
    for path in &options.pictures {
        let picture = read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let view = GrayImage::new(&picture, width, height, width)?;
        let found = detector.detect(&view);
        println!("{} {}", path.display(), found.len());
        for found in found {
            println!("{} {} {} {}", found.x, found.y, found.w, found.h);
        }
        for _ in 0..options.repeat {
            let start = Instant::now();
            detector.detect(&view);
            eprintln!("{:.3}", milliseconds(start.elapsed()));
        }
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn read(path: &Path) -> image::ImageResult<Luma> {
    Ok(match image::open(path)? {
        grey @ (DynamicImage::ImageLuma8(_) | DynamicImage::ImageLuma16(_)) => grey.into_luma8(),
        colour => {
            let colour = colour.into_rgb8();
            let pixels = colour.pixels().map(grey).collect();
            Luma::from_raw(colour.width(), colour.height(), pixels).unwrap_or_default()
        }
    })
}

/// 0.299 red, 0.587 green, 0.114 blue in 1/2^15, rounded.
fn grey(&Rgb([red, green, blue]): &Rgb<u8>) -> u8 {
    ((9798 * u32::from(red) + 19235 * u32::from(green) + 3735 * u32::from(blue) + (1 << 14)) >> 15) as u8
}
