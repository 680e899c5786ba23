//! Finds faces, or other objects that a cascade was trained for, in images. Prints a line `IMAGE COUNT` for
//! each image, then a line `x y w h` for each object.
//!
//!     cargo run --release -p haar --example detect -- --scale-factor 1.1 photo.jpg
//!
//! Colour is converted to grey as by OpenCV's `cvtColor`; a grey image is used unchanged. For a PNG the
//! result equals `cv2.imread(path, cv2.IMREAD_GRAYSCALE)`; JPEG decoders may differ by a grey level in some
//! pixels.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use haar::{Backend, Cascade, Detector, GrayImage, Params, PixelRect, Size};
use image::{DynamicImage, GrayImage as Luma, Rgb};

/// The command line.
#[derive(Parser)]
#[command(about = "Find objects with a Haar cascade, as OpenCV's detectMultiScale does")]
struct Options {
    /// Cascade file, or the NAME in haarcascade_NAME.xml
    #[arg(long, default_value = "frontalface_default")]
    cascade: PathBuf,
    /// Ratio of one window size to the next smaller one
    #[arg(long, default_value_t = Params::default().scale_factor)]
    scale_factor: f64,
    /// An object needs more than this many similar windows; 0 prints every window
    #[arg(long, default_value_t = Params::default().min_neighbors)]
    min_neighbors: u32,
    /// Smallest side searched, pixels
    #[arg(long, default_value_t = 0)]
    min_size: u32,
    /// Largest side searched, pixels; 0 is no limit
    #[arg(long, default_value_t = 0)]
    max_size: u32,
    /// Number of threads; 0 is as many as are useful
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// No vector instructions: the same as --backend scalar
    #[arg(long)]
    no_simd: bool,
    /// Instruction set: scalar, portable, neon, avx2 or avx512; the default is the fastest available
    #[arg(long, conflicts_with = "no_simd")]
    backend: Option<Backend>,
    /// Search every image this many times more and print the milliseconds of each search to standard error
    #[arg(long, default_value_t = 0)]
    repeat: usize,
    /// Images: PNG, JPEG or WebP
    #[arg(required = true)]
    images: Vec<PathBuf>,
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
    for path in &options.images {
        let pixels = read_grey(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (width, height) = (pixels.width() as usize, pixels.height() as usize);
        let image = GrayImage::new(&pixels, width, height, width)?;
        let detections = detector.detect(&image);
        println!("{} {}", path.display(), detections.len());
        for PixelRect { x, y, w, h } in detections.iter().map(|detection| detection.rect) {
            println!("{x} {y} {w} {h}");
        }
        for _ in 0..options.repeat {
            let start = Instant::now();
            detector.detect(&image);
            eprintln!("{:.3}", milliseconds(start.elapsed()));
        }
    }
    Ok(())
}

/// A duration in milliseconds.
fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Reads an image and converts it to grey.
fn read_grey(path: &Path) -> image::ImageResult<Luma> {
    Ok(match image::open(path)? {
        grey @ (DynamicImage::ImageLuma8(_) | DynamicImage::ImageLuma16(_)) => grey.into_luma8(),
        colour => {
            let colour = colour.into_rgb8();
            let pixels = colour.pixels().map(luma).collect();
            Luma::from_raw(colour.width(), colour.height(), pixels).unwrap_or_default()
        }
    })
}

/// The luma of a pixel: 0.299 red + 0.587 green + 0.114 blue in fixed point with 15 fractional bits, rounded.
fn luma(&Rgb([red, green, blue]): &Rgb<u8>) -> u8 {
    ((9798 * u32::from(red) + 19235 * u32::from(green) + 3735 * u32::from(blue) + (1 << 14)) >> 15) as u8
}
