//! Any cascade, picture and settings: every backend finds what the plain code finds, inside the picture.

#![no_main]

use std::fmt::Write;
use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use haar::{Backend, Cascade, Detector, GrayImage, Params, Size};
use libfuzzer_sys::fuzz_target;

/// Pixels times levels that a run may look at, so that none takes seconds.
const MOST_WORK: f64 = 200_000.0;

fuzz_target!(|data: &[u8]| {
    let mut data = Unstructured::new(data);
    let _ = run(&mut data);
});

fn run(data: &mut Unstructured) -> Result<()> {
    let Ok(cascade) = Cascade::parse(&cascade(data)?) else { return Ok(()) };
    let cascade = Arc::new(cascade);
    let params = params(data)?;
    let (width, height) = (data.int_in_range(0..=180_usize)?, data.int_in_range(0..=90_usize)?);
    let stride = width + data.int_in_range(0..=9_usize)?;
    let levels = 4.0 / params.scale_factor.max(1.001).ln() + 1.0;
    if (width * height) as f64 * levels > MOST_WORK {
        return Ok(());
    }
    let pixels = pixels(data, stride * height)?;
    let Ok(image) = GrayImage::new(&pixels, width, height, stride) else { return Ok(()) };
    let part = image.crop(width / 5, height / 7, width / 2, height / 2);

    let Ok(plain) = Detector::new(cascade.clone(), params) else { return Ok(()) };
    let Ok(mut plain) = plain.with_backend(Backend::Scalar) else { return Ok(()) };
    let expected = [plain.detect(&image), plain.detect(&part)];
    for found in &expected[0] {
        assert!(found.w > 0 && found.h > 0 && found.neighbors > 0, "{found:?}");
        assert!((found.x + found.w) as usize <= width && (found.y + found.h) as usize <= height, "{found:?}");
    }
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        let Ok(detector) = Detector::new(cascade.clone(), params) else { return Ok(()) };
        let Ok(mut detector) = detector.with_backend(backend) else { return Ok(()) };
        let found = [detector.detect(&image), detector.detect(&part)];
        assert_eq!(found, expected, "{backend}, {params:?}");
        assert_eq!(detector.detect(&image), expected[0], "{backend} the second time");
    }
    Ok(())
}

fn params(data: &mut Unstructured) -> Result<Params> {
    let size = |data: &mut Unstructured| -> Result<Size> {
        Ok(match data.int_in_range(0..=3)? {
            0 | 1 => Size::default(),
            2 => Size::square(data.int_in_range(0..=100)?),
            _ => Size { width: data.arbitrary()?, height: data.arbitrary()? },
        })
    };
    Ok(Params {
        scale_factor: match data.int_in_range(0..=3)? {
            0 => data.arbitrary()?,
            1 => 1.001 + f64::from(data.int_in_range(0..=100)?) / 100.0,
            _ => *data.choose(&[1.1, 1.2, 1.25, 1.5, 2.0, 3.7])?,
        },
        min_neighbors: data.int_in_range(0..=4)?,
        min_size: size(data)?,
        max_size: size(data)?,
        // Starting threads takes most of the time then.
        threads: if data.ratio(1, 8)? { data.int_in_range(0..=3)? } else { 1 },
    })
}

/// The last bytes again and again, each time a little lighter, so that a short input fills a picture.
fn pixels(data: &mut Unstructured, len: usize) -> Result<Vec<u8>> {
    let drift: u8 = data.arbitrary()?;
    let tile = data.bytes(data.len().min(4096))?;
    let tile = if tile.is_empty() { &[0] } else { tile };
    Ok((0..len).map(|i| tile[i % tile.len()].wrapping_add(drift.wrapping_mul((i / tile.len()) as u8))).collect())
}

/// Mostly sound: the shapes that OpenCV trains and others, stumps and trees, also tilted.
fn cascade(data: &mut Unstructured) -> Result<String> {
    let (width, height) = (data.int_in_range(3..=40)?, data.int_in_range(3..=40)?);
    let count = data.int_in_range(1..=12)?;
    let mut features = String::new();
    for _ in 0..count {
        let tilted = u8::from(data.ratio(1, 16)?);
        let (w, h) = (data.int_in_range(1..=width)?, data.int_in_range(1..=height)?);
        let (x, y) = (data.int_in_range(0..=width - w)?, data.int_in_range(0..=height - h)?);
        let rects = match data.int_in_range(0..=5)? {
            0 => format!("<_>{x} {y} {w} {h} -1.</_><_>{x} {y} {} {h} 2.</_>", w / 2),
            1 => format!("<_>{x} {y} {w} {h} -1.</_><_>{x} {} {w} {} 2.</_>", y + h / 2, h / 2),
            2 => format!("<_>{x} {y} {w} {h} -1.</_><_>{} {y} {} {h} 3.</_>", x + w / 3, w / 3),
            3 => format!("<_>{x} {y} {w} {h} -1.</_><_>{} {} {} {} 9.</_>", x + w / 3, y + h / 3, w / 3, h / 3),
            4 => format!("<_>{x} {y} {w} {h} -1.</_><_>{x} {y} {0} {1} 2.</_><_>{2} {3} {0} {1} 2.</_>", w / 2, h / 2, x + w / 2, y + h / 2),
            _ => format!("<_>{x} {y} {w} {h} {}</_>", data.arbitrary::<f32>()?),
        };
        let _ = write!(features, "<_><rects>{rects}</rects><tilted>{tilted}</tilted></_>");
    }
    let mut stages = String::new();
    for _ in 0..data.int_in_range(1..=9)? {
        let mut trees = String::new();
        for _ in 0..data.int_in_range(1..=5)? {
            trees.push_str(&tree(data, count)?);
        }
        let threshold = vote(data)?;
        let _ = write!(stages, "<_><stageThreshold>{threshold}</stageThreshold><weakClassifiers>{trees}</weakClassifiers></_>");
    }
    Ok(format!(
        "<opencv_storage><cascade><stageType>BOOST</stageType><featureType>HAAR</featureType><height>{height}</height>\
         <width>{width}</width><stages>{stages}</stages><features>{features}</features></cascade></opencv_storage>"
    ))
}

fn vote(data: &mut Unstructured) -> Result<f32> {
    Ok(match data.int_in_range(0..=15)? {
        0 => data.arbitrary()?,
        _ => f32::from(data.int_in_range(-10..=10_i8)?) / 10.0,
    })
}

fn tree(data: &mut Unstructured, features: i32) -> Result<String> {
    let size = *data.choose(&[1, 1, 1, 2, 3, 9])?;
    let (mut nodes, mut leaves) = (String::new(), format!("{} ", vote(data)?));
    for index in 0..size {
        let deeper = if index + 1 < size { index + 1 } else { -size };
        let mut next = [-index, deeper];
        if data.arbitrary()? {
            next.reverse();
        }
        let feature = data.int_in_range(0..=features - 1)?;
        let threshold = f32::from(data.int_in_range(-20..=20_i8)?) / 200.0;
        let _ = write!(nodes, "{} {} {feature} {threshold} ", next[0], next[1]);
        let _ = write!(leaves, "{} ", vote(data)?);
    }
    Ok(format!("<_><internalNodes>{nodes}</internalNodes><leafValues>{leaves}</leafValues></_>"))
}
