//! The same rectangles as OpenCV's `detectMultiScale`, before and after grouping: against the files of expected/make.py.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haar::{Backend, Cascade, Detector, GrayImage, Params, Size};

fn expected(kind: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/expected/{kind}.txt", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

struct Picture {
    name: String,
    width: usize,
    height: usize,
    hash: u64,
}

struct Search<'a> {
    picture: &'a Picture,
    cascade: &'a str,
    params: Params,
    /// Ungrouped: how many, and their hash.
    single: (usize, u64),
    /// x, y, width, height, neighbours.
    grouped: Vec<[u32; 5]>,
}

fn fnv(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100000001b3);
    bytes.into_iter().fold(0xcbf29ce484222325, step)
}

fn pictures(text: &str) -> Vec<Picture> {
    let picture = |line: &str| {
        let words: Vec<_> = line.strip_prefix("picture ")?.split(' ').collect();
        Some(Picture {
            name: words[0].into(),
            width: words[1].parse().unwrap(),
            height: words[2].parse().unwrap(),
            hash: u64::from_str_radix(words[3], 16).unwrap(),
        })
    };
    text.lines().filter_map(picture).collect()
}

fn searches<'a>(text: &'a str, pictures: &'a [Picture]) -> Vec<Search<'a>> {
    let mut pictures = pictures.iter();
    let mut picture = None;
    let mut searches = Vec::new();
    for line in text.lines().skip(1) {
        let words: Vec<_> = line.split(' ').collect();
        match words[0] {
            "picture" => picture = pictures.next(),
            "search" => searches.push(Search {
                picture: picture.unwrap(),
                cascade: words[1],
                params: Params {
                    scale_factor: words[2].parse().unwrap(),
                    min_size: Size::square(words[3].parse().unwrap()),
                    max_size: Size::square(words[4].parse().unwrap()),
                    ..Params::default()
                },
                single: (words[5].parse().unwrap(), u64::from_str_radix(words[6], 16).unwrap()),
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

fn load(name: &str) -> Option<Arc<Cascade>> {
    let mine: PathBuf = format!("{}/tests/expected/{name}.xml", env!("CARGO_MANIFEST_DIR")).into();
    let path = if mine.exists() { mine } else { haar::find(name).ok()? };
    Some(Arc::new(Cascade::load(path).unwrap()))
}

/// Runs every search that there is a cascade for; gives the number run.
fn check(
    text: &str,
    pictures: &[Picture],
    backends: impl Fn(usize) -> Vec<Backend>,
    pixels: impl Fn(&Picture) -> Vec<u8>,
) -> usize {
    let mut cascades = HashMap::new();
    let mut drawn: Option<(&str, Vec<u8>)> = None;
    let mut run = 0;
    for (index, search) in searches(text, pictures).iter().enumerate() {
        let picture = search.picture;
        if drawn.as_ref().is_none_or(|(name, _)| *name != picture.name) {
            let pixels = pixels(picture);
            assert_eq!(fnv(pixels.iter().copied()), picture.hash, "pixels of {}", picture.name);
            drawn = Some((&picture.name, pixels));
        }
        let (_, pixels) = drawn.as_ref().unwrap();
        let cascade = cascades.entry(search.cascade).or_insert_with(|| load(search.cascade));
        let Some(cascade) = cascade else {
            println!("skipped: no cascade {}: install opencv-data", search.cascade);
            continue;
        };
        run += 1;
        let what = format!("{} in {} with {:?}", search.cascade, picture.name, search.params);
        let image = GrayImage::new(pixels, picture.width, picture.height, picture.width).unwrap();
        // Any number of threads finds the same.
        let params = Params { threads: [1, 2, 0, 5][index % 4], ..search.params };
        for backend in backends(index) {
            let detector = Detector::new(Arc::clone(cascade), params).unwrap();
            let mut detector = detector.with_backend(backend).unwrap();
            let mut found = |min_neighbors| {
                detector.set_params(Params { min_neighbors, ..params }).unwrap();
                detector.detect(&image)
            };
            let mut single: Vec<_> = found(0).iter().map(|d| [d.x, d.y, d.w, d.h]).collect();
            single.sort_unstable();
            let hash = fnv(single.iter().flatten().flat_map(|number| number.to_le_bytes()));
            assert_eq!((single.len(), hash), search.single, "before grouping: {what}, {backend}");
            let mut grouped: Vec<_> = found(3).iter().map(|d| [d.x, d.y, d.w, d.h, d.neighbors]).collect();
            grouped.sort_unstable();
            assert_eq!(grouped, search.grouped, "after grouping: {what}, {backend}");
        }
    }
    run
}

fn every_backend(_: usize) -> Vec<Backend> {
    Backend::ALL.into_iter().filter(|backend| backend.is_available()).collect()
}

/// Enough where searches are many, since backends are compared with each other elsewhere.
fn backends_in_turn(index: usize) -> Vec<Backend> {
    let all = every_backend(index);
    vec![all[index % all.len()]]
}

fn noise(len: usize, mut state: u32) -> Vec<u8> {
    let next = || {
        state = state.wrapping_mul(1103515245).wrapping_add(12345) & 0x7fffffff;
        (state >> 16) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn draw(width: usize, height: usize, value: impl Fn(i64, i64) -> i64) -> Vec<u8> {
    (0..height as i64)
        .flat_map(|y| (0..width as i64).map(move |x| (x, y)))
        .map(|(x, y)| value(x, y) as u8)
        .collect()
}

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
        for (ex, ey, a, b, part) in [
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
                value = part;
            }
        }
    }
    value
}

#[test]
fn pictures_drawn_by_formula() {
    let text = expected("synthetic");
    let pictures = pictures(&text);
    let run = check(&text, &pictures, every_backend, |&Picture { ref name, width, height, .. }| {
        match name.as_str() {
            "noise" => noise(width * height, 7),
            "small" => noise(width * height, 3),
            "waves" => draw(width, height, |x, y| (x * x / 7 + y * y / 5 + x * y / 3) / 16 % 256),
            "flat" => noise(width * height, 11).iter().map(|value| 100 + value / 7).collect(),
            "face" => draw(width, height, |x, y| face_value(width, height, &[(160, 120, 80)], x, y)),
            "faces" => {
                let places = [(120, 150, 60), (330, 180, 110), (540, 220, 33)];
                draw(width, height, |x, y| face_value(width, height, &places, x, y))
            }
            other => panic!("unknown picture {other}"),
        }
    });
    assert!(run >= 36, "the made-up cascades are always there");
}

/// The same numbers here and in make.py.
struct Random(u32);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(1103515245).wrapping_add(12345) & 0x7fffffff;
        (self.0 >> 16) as usize % end
    }
}

/// Some drawn faces in noise that grows with the index.
fn scene(index: usize) -> Vec<u8> {
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
    let grained =
        |(face, grain): (u8, u8)| i64::from(face) + i64::from(grain) * strength / 10 - 12 * strength;
    faces.into_iter().zip(grain).map(|pair| grained(pair).clamp(0, 255) as u8).collect()
}

/// A part of a picture, at full or half size, mirrored, on its side, darker or lighter.
fn part(whole: &image::GrayImage, index: usize) -> Vec<u8> {
    let mut random = Random(index as u32 * 7919 + 1);
    let halved = index % 3 == 2 && whole.width().min(whole.height()) >= 400;
    let zoom = if halved { 2 } else { 1 };
    let (width, height) = (whole.width() as usize / zoom, whole.height() as usize / zoom);
    let pixel = |x: usize, y: usize| {
        let at =
            |dx: usize, dy: usize| u32::from(whole[((zoom * x + dx) as u32, (zoom * y + dy) as u32)].0[0]);
        if halved { (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4 } else { at(0, 0) }
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

fn photograph(path: &Path) -> image::GrayImage {
    let colour = image::open(path).unwrap().to_rgb8();
    let grey = |p: &image::Rgb<u8>| {
        ((77 * u32::from(p[0]) + 150 * u32::from(p[1]) + 29 * u32::from(p[2]) + 128) >> 8) as u8
    };
    let pixels = colour.pixels().map(grey).collect();
    image::GrayImage::from_raw(colour.width(), colour.height(), pixels).unwrap()
}

/// The folder of test images, where there is one.
fn folder() -> Option<PathBuf> {
    let data = std::env::var_os("MOOD_TEST_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let folder = data.join("images/opencv");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no test images in {}", folder.display());
    None
}

#[test]
fn many_scenes() {
    let text = expected("scenes");
    let pictures = pictures(&text);
    let run = check(&text, &pictures, backends_in_turn, |picture| {
        scene(picture.name.strip_prefix("scene/").unwrap().parse().unwrap())
    });
    println!("{run} searches in {} scenes", pictures.len());
}

#[test]
fn many_parts_of_photographs() {
    let Some(folder) = folder() else { return };
    let text = expected("parts");
    let pictures = pictures(&text);
    let whole = std::cell::RefCell::new((String::new(), image::GrayImage::default()));
    let run = check(&text, &pictures, backends_in_turn, |picture| {
        let (name, index) = picture.name.rsplit_once('/').unwrap();
        let mut whole = whole.borrow_mut();
        if whole.0 != name {
            *whole = (name.into(), photograph(&folder.join(name)));
        }
        part(&whole.1, index.parse().unwrap())
    });
    println!("{run} searches in {} parts of photographs", pictures.len());
}

#[test]
fn photographs() {
    let Some(folder) = folder() else { return };
    let text = expected("opencv");
    let pictures = pictures(&text);
    let run =
        check(&text, &pictures, every_backend, |picture| photograph(&folder.join(&picture.name)).into_raw());
    println!("{run} searches in {} photographs", pictures.len());
}
