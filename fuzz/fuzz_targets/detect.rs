//! Searches with any cascade, image and settings: every backend finds what the scalar one finds, inside the image.

#![no_main]

use std::fmt::Write;
use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use haar::{Backend, Cascade, Detector, GrayImage, Params, PixelRect, Size};
use libfuzzer_sys::fuzz_target;

/// Most pixels times pyramid levels of a run, so that none takes seconds.
const MAX_WORK: f64 = 200_000.0;

fuzz_target!(|data: &[u8]| {
    let mut data = Unstructured::new(data);
    let _ = run(&mut data);
});

fn run(data: &mut Unstructured) -> Result<()> {
    let Ok(cascade) = Cascade::parse(&arbitrary_cascade(data)?) else { return Ok(()) };
    let cascade = Arc::new(cascade);
    let params = arbitrary_params(data)?;
    let (width, height) = (data.int_in_range(0..=180_usize)?, data.int_in_range(0..=90_usize)?);
    let stride = width + data.int_in_range(0..=9_usize)?;
    let levels = 4.0 / params.scale_factor.max(1.001).ln() + 1.0;
    if (width * height) as f64 * levels > MAX_WORK {
        return Ok(());
    }
    let pixels = arbitrary_pixels(data, stride * height)?;
    let Ok(image) = GrayImage::new(&pixels, width, height, stride) else { return Ok(()) };
    let [x, y, w, h] = [width / 5, height / 7, width / 2, height / 2].map(|side| side as u32);
    let part = image.crop(PixelRect { x, y, w, h });

    let Ok(scalar) = Detector::new(cascade.clone(), params) else { return Ok(()) };
    let Ok(mut scalar) = scalar.with_backend(Backend::Scalar) else { return Ok(()) };
    let expected = [scalar.detect(&image), scalar.detect(&part)];
    for detection in &expected[0] {
        let PixelRect { x, y, w, h } = detection.rect;
        assert!(w > 0 && h > 0 && detection.neighbors > 0, "{detection:?}");
        assert!((x + w) as usize <= width && (y + h) as usize <= height, "{detection:?}");
    }
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        let Ok(detector) = Detector::new(cascade.clone(), params) else { return Ok(()) };
        let Ok(mut detector) = detector.with_backend(backend) else { return Ok(()) };
        let detections = [detector.detect(&image), detector.detect(&part)];
        assert_eq!(detections, expected, "{backend}, {params:?}");
        assert_eq!(detector.detect(&image), expected[0], "{backend} the second time");
    }
    Ok(())
}

fn arbitrary_params(data: &mut Unstructured) -> Result<Params> {
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
        // Rarely, since starting threads takes most of the time.
        threads: if data.ratio(1, 8)? { data.int_in_range(0..=3)? } else { 1 },
    })
}

/// The next bytes repeated, each time shifted by a constant, so that a short input fills an image.
fn arbitrary_pixels(data: &mut Unstructured, len: usize) -> Result<Vec<u8>> {
    let drift: u8 = data.arbitrary()?;
    let tile = data.bytes(data.len().min(4096))?;
    let tile = if tile.is_empty() { &[0] } else { tile };
    Ok((0..len).map(|i| tile[i % tile.len()].wrapping_add(drift.wrapping_mul((i / tile.len()) as u8))).collect())
}

/// A mostly valid cascade: the feature shapes that OpenCV trains and others, upright and tilted, in stumps and trees.
fn arbitrary_cascade(data: &mut Unstructured) -> Result<String> {
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
            trees.push_str(&arbitrary_tree(data, count)?);
        }
        let threshold = arbitrary_vote(data)?;
        let _ = write!(stages, "<_><stageThreshold>{threshold}</stageThreshold><weakClassifiers>{trees}</weakClassifiers></_>");
    }
    Ok(format!(
        "<opencv_storage><cascade><stageType>BOOST</stageType><featureType>HAAR</featureType><height>{height}</height>\
         <width>{width}</width><stages>{stages}</stages><features>{features}</features></cascade></opencv_storage>"
    ))
}

fn arbitrary_vote(data: &mut Unstructured) -> Result<f32> {
    Ok(match data.int_in_range(0..=15)? {
        0 => data.arbitrary()?,
        _ => f32::from(data.int_in_range(-10..=10_i8)?) / 10.0,
    })
}

fn arbitrary_tree(data: &mut Unstructured, features: i32) -> Result<String> {
    let size = *data.choose(&[1, 1, 1, 2, 3, 9])?;
    let (mut nodes, mut leaves) = (String::new(), format!("{} ", arbitrary_vote(data)?));
    for index in 0..size {
        let child = if index + 1 < size { index + 1 } else { -size };
        let mut branches = [-index, child];
        if data.arbitrary()? {
            branches.reverse();
        }
        let feature = data.int_in_range(0..=features - 1)?;
        let threshold = f32::from(data.int_in_range(-20..=20_i8)?) / 200.0;
        let _ = write!(nodes, "{} {} {feature} {threshold} ", branches[0], branches[1]);
        let _ = write!(leaves, "{} ", arbitrary_vote(data)?);
    }
    Ok(format!("<_><internalNodes>{nodes}</internalNodes><leafValues>{leaves}</leafValues></_>"))
}
