//! The rectangles equal those of OpenCV's `detectMultiScale`, before and after grouping. Compares with the
//! files that expected/make.py writes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haar::{Backend, Cascade, Detection, Detector, GrayImage, Params, PixelRect, Size};

/// The text of a file of expected results.
fn read_expected(kind: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/expected/{kind}.txt", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A line `picture` of an expected file.
struct TestImage {
    name: String,
    width: usize,
    height: usize,
    /// FNV-1a of the grey pixels.
    hash: u64,
}

/// A line `search` of an expected file, and the lines of rectangles after it.
struct Search<'a> {
    image: &'a TestImage,
    cascade: &'a str,
    params: Params,
    /// Number and hash of the ungrouped rectangles.
    ungrouped: (usize, u64),
    /// x, y, width, height, neighbours.
    grouped: Vec<[u32; 5]>,
}

/// The 64-bit FNV-1a hash.
fn fnv(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100000001b3);
    bytes.into_iter().fold(0xcbf29ce484222325, step)
}

fn parse_images(text: &str) -> Vec<TestImage> {
    let parse_image = |line: &str| {
        let words: Vec<_> = line.strip_prefix("picture ")?.split(' ').collect();
        Some(TestImage {
            name: words[0].into(),
            width: words[1].parse().unwrap(),
            height: words[2].parse().unwrap(),
            hash: u64::from_str_radix(words[3], 16).unwrap(),
        })
    };
    text.lines().filter_map(parse_image).collect()
}

fn parse_searches<'a>(text: &'a str, images: &'a [TestImage]) -> Vec<Search<'a>> {
    let mut images = images.iter();
    let mut image = None;
    let mut searches = Vec::new();
    for line in text.lines().skip(1) {
        let words: Vec<_> = line.split(' ').collect();
        match words[0] {
            "picture" => image = images.next(),
            "search" => searches.push(Search {
                image: image.unwrap(),
                cascade: words[1],
                params: Params {
                    scale_factor: words[2].parse().unwrap(),
                    min_size: Size::square(words[3].parse().unwrap()),
                    max_size: Size::square(words[4].parse().unwrap()),
                    ..Params::default()
                },
                ungrouped: (words[5].parse().unwrap(), u64::from_str_radix(words[6], 16).unwrap()),
                grouped: Vec::new(),
            }),
            _ => {
                let numbers: Vec<_> = words.iter().map(|word| word.parse().unwrap()).collect();
                searches.last_mut().unwrap().grouped.push(numbers.try_into().unwrap());
            }
        }
    }
    searches
}

/// A made-up cascade, or an installed one of OpenCV's; `None` where it is not installed.
fn load_cascade(name: &str) -> Option<Arc<Cascade>> {
    let made_up: PathBuf = format!("{}/tests/expected/{name}.xml", env!("CARGO_MANIFEST_DIR")).into();
    let path = if made_up.exists() { made_up } else { haar::find(name).ok()? };
    Some(Arc::new(Cascade::load(path).unwrap()))
}

/// Runs every search whose cascade is installed, and returns their number.
fn check_searches(
    text: &str,
    images: &[TestImage],
    backends: impl Fn(usize) -> Vec<Backend>,
    make_pixels: impl Fn(&TestImage) -> Vec<u8>,
) -> usize {
    let mut cascades = HashMap::new();
    let mut current: Option<(&str, Vec<u8>)> = None;
    let mut run = 0;
    for (index, search) in parse_searches(text, images).iter().enumerate() {
        let test_image = search.image;
        if current.as_ref().is_none_or(|(name, _)| *name != test_image.name) {
            let pixels = make_pixels(test_image);
            assert_eq!(fnv(pixels.iter().copied()), test_image.hash, "pixels of {}", test_image.name);
            current = Some((&test_image.name, pixels));
        }
        let (_, pixels) = current.as_ref().unwrap();
        let cascade = cascades.entry(search.cascade).or_insert_with(|| load_cascade(search.cascade));
        let Some(cascade) = cascade else {
            println!("skipped: no cascade {}: install opencv-data", search.cascade);
            continue;
        };
        run += 1;
        let context = format!("{} in {} with {:?}", search.cascade, test_image.name, search.params);
        let image = GrayImage::new(pixels, test_image.width, test_image.height, test_image.width).unwrap();
        // The result must not depend on the number of threads.
        let params = Params { threads: [1, 2, 0, 5][index % 4], ..search.params };
        for backend in backends(index) {
            let detector = Detector::new(Arc::clone(cascade), params).unwrap();
            let mut detector = detector.with_backend(backend).unwrap();
            let mut detect = |min_neighbors| {
                detector.set_params(Params { min_neighbors, ..params }).unwrap();
                detector.detect(&image)
            };
            let corners = |PixelRect { x, y, w, h }| [x, y, w, h];
            let mut ungrouped: Vec<_> = detect(0).iter().map(|detection| corners(detection.rect)).collect();
            ungrouped.sort_unstable();
            let hash = fnv(ungrouped.iter().flatten().flat_map(|number| number.to_le_bytes()));
            assert_eq!((ungrouped.len(), hash), search.ungrouped, "before grouping: {context}, {backend}");
            let mut grouped: Vec<_> = detect(3)
                .iter()
                .map(|&Detection { rect: PixelRect { x, y, w, h }, neighbors }| [x, y, w, h, neighbors])
                .collect();
            grouped.sort_unstable();
            assert_eq!(grouped, search.grouped, "after grouping: {context}, {backend}");
        }
    }
    run
}

/// All backends that this CPU supports.
fn all_backends(_: usize) -> Vec<Backend> {
    Backend::ALL.into_iter().filter(|backend| backend.is_available()).collect()
}

/// One backend for each search, in turn: enough for many searches, since other tests compare the backends.
fn one_backend(index: usize) -> Vec<Backend> {
    let all = all_backends(index);
    vec![all[index % all.len()]]
}

fn noise(len: usize, mut state: u32) -> Vec<u8> {
    let next = || {
        state = state.wrapping_mul(1103515245).wrapping_add(12345) & 0x7fffffff;
        (state >> 16) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// An image from a formula of column and row.
fn draw(width: usize, height: usize, value: impl Fn(i64, i64) -> i64) -> Vec<u8> {
    (0..height as i64)
        .flat_map(|y| (0..width as i64).map(move |x| (x, y)))
        .map(|(x, y)| value(x, y) as u8)
        .collect()
}

/// The grey value of drawn faces at a pixel; `places` are their centres and radii.
fn face_value(width: usize, height: usize, places: &[(i64, i64, i64)], x: i64, y: i64) -> i64 {
    let mut value = 60 + 90 * x / width as i64 + 30 * y / height as i64;
    for &(cx, cy, r) in places {
        let ellipse = |ex: i64, ey: i64, a: i64, b: i64| {
            let (dx, dy) = ((x - cx) * 1000 - ex * r, (y - cy) * 1000 - ey * r);
            (dx.abs() * 1000 / (a * r)).pow(2) + (dy.abs() * 1000 / (b * r)).pow(2)
        };
        let head = ellipse(0, 0, 750, 1000);
        if head < 1000000 {
            value = 200 - head * 50 / 1000000;
        }
        for (ex, ey, a, b, shade) in [
            (-300, -330, 200, 60, 80),
            (-300, -150, 170, 90, 105),
            (-300, -150, 80, 80, 30),
            (300, -330, 200, 60, 80),
            (300, -150, 170, 90, 105),
            (300, -150, 80, 80, 30),
            (0, 130, 90, 190, 215),
            (0, 330, 130, 40, 130),
            (0, 560, 300, 80, 90),
        ] {
            if ellipse(ex, ey, a, b) < 1000000 {
                value = shade;
            }
        }
    }
    value
}

#[test]
fn images_drawn_by_formula() {
    let text = read_expected("synthetic");
    let images = parse_images(&text);
    let run =
        check_searches(&text, &images, all_backends, |&TestImage { ref name, width, height, .. }| match name
            .as_str()
        {
            "noise" => noise(width * height, 7),
            "small" => noise(width * height, 3),
            "waves" => draw(width, height, |x, y| (x * x / 7 + y * y / 5 + x * y / 3) / 16 % 256),
            "flat" => noise(width * height, 11).iter().map(|value| 100 + value / 7).collect(),
            "face" => draw(width, height, |x, y| face_value(width, height, &[(160, 120, 80)], x, y)),
            "faces" => {
                let places = [(120, 150, 60), (330, 180, 110), (540, 220, 33)];
                draw(width, height, |x, y| face_value(width, height, &places, x, y))
            }
            other => panic!("unknown image {other}"),
        });
    assert!(run >= 36, "the made-up cascades need no installation");
}

/// Pseudo-random numbers, the same as in make.py.
struct Random(u32);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(1103515245).wrapping_add(12345) & 0x7fffffff;
        (self.0 >> 16) as usize % end
    }
}

/// Up to three drawn faces, with noise that depends on the index.
fn draw_scene(index: usize) -> Vec<u8> {
    let mut random = Random(index as u32 * 7919 + 1);
    let (width, height) = (180 + random.below(260), 150 + random.below(200));
    let places: Vec<_> = (0..1 + random.below(3))
        .map(|_| {
            let (x, y) = (random.below(width), random.below(height));
            (x as i64, y as i64, 20 + random.below(width.min(height) / 3) as i64)
        })
        .collect();
    let grain = noise(width * height, index as u32 + 1);
    let strength = index as i64 % 6;
    let faces = draw(width, height, |x, y| face_value(width, height, &places, x, y));
    let add_noise =
        |(face, grain): (u8, u8)| i64::from(face) + i64::from(grain) * strength / 10 - 12 * strength;
    faces.into_iter().zip(grain).map(|pair| add_noise(pair).clamp(0, 255) as u8).collect()
}

/// A part of a photo, at full or half size; depending on the index mirrored, transposed, darker or lighter.
fn crop_and_alter(photo: &image::GrayImage, index: usize) -> Vec<u8> {
    let mut random = Random(index as u32 * 7919 + 1);
    let halved = index % 3 == 2 && photo.width().min(photo.height()) >= 400;
    let zoom = if halved { 2 } else { 1 };
    let (width, height) = (photo.width() as usize / zoom, photo.height() as usize / zoom);
    let pixel = |x: usize, y: usize| {
        let source =
            |dx: usize, dy: usize| u32::from(photo[((zoom * x + dx) as u32, (zoom * y + dy) as u32)].0[0]);
        if halved { (source(0, 0) + source(1, 0) + source(0, 1) + source(1, 1)) / 4 } else { source(0, 0) }
    };
    let (w, h) = (width.min(160 + random.below(200)), height.min(140 + random.below(180)));
    let (left, top) = (random.below(width - w + 1), random.below(height - h + 1));
    let (gain, offset) = ([256, 160, 80, 320][index % 4], random.below(60) as u32);
    let value = |x: usize, y: usize| {
        let x = if index % 2 == 1 { w - 1 - x } else { x };
        (pixel(left + x, top + y) * gain / 256 + offset).min(255) as u8
    };
    if index % 5 == 4 {
        (0..w).flat_map(|x| (0..h).map(move |y| value(x, y))).collect()
    } else {
        (0..h).flat_map(|y| (0..w).map(move |x| value(x, y))).collect()
    }
}

/// A photo in grey, by weights that make.py uses too.
fn read_photo(path: &Path) -> image::GrayImage {
    let colour = image::open(path).unwrap().to_rgb8();
    let grey = |p: &image::Rgb<u8>| {
        ((77 * u32::from(p[0]) + 150 * u32::from(p[1]) + 29 * u32::from(p[2]) + 128) >> 8) as u8
    };
    let pixels = colour.pixels().map(grey).collect();
    image::GrayImage::from_raw(colour.width(), colour.height(), pixels).unwrap()
}

/// The folder of test photos; `None`, with a message, where there is none.
fn photo_folder() -> Option<PathBuf> {
    let data = std::env::var_os("MOOD_TEST_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let folder = data.join("images/opencv");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no test photos in {}", folder.display());
    None
}

#[test]
fn drawn_scenes() {
    let text = read_expected("scenes");
    let images = parse_images(&text);
    let run = check_searches(&text, &images, one_backend, |image| {
        draw_scene(image.name.strip_prefix("scene/").unwrap().parse().unwrap())
    });
    println!("{run} searches in {} scenes", images.len());
}

#[test]
fn parts_of_photos() {
    let Some(folder) = photo_folder() else { return };
    let text = read_expected("parts");
    let images = parse_images(&text);
    let current = std::cell::RefCell::new((String::new(), image::GrayImage::default()));
    let run = check_searches(&text, &images, one_backend, |image| {
        let (name, index) = image.name.rsplit_once('/').unwrap();
        let mut current = current.borrow_mut();
        if current.0 != name {
            *current = (name.into(), read_photo(&folder.join(name)));
        }
        crop_and_alter(&current.1, index.parse().unwrap())
    });
    println!("{run} searches in {} parts of photos", images.len());
}

#[test]
fn photos() {
    let Some(folder) = photo_folder() else { return };
    let text = read_expected("opencv");
    let images = parse_images(&text);
    let run = check_searches(&text, &images, all_backends, |image| {
        read_photo(&folder.join(&image.name)).into_raw()
    });
    println!("{run} searches in {} photos", images.len());
}
