//! Pictures that are flipped, turned, cropped, bordered and scaled: the face is found where it is, or nowhere.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use frame_witness::{Locator, LumaSample, Orientation, Placement, Size, Witness};
use gray_image::GrayImage;
use mood_schema::Rect;

/// Random numbers: xorshift (Marsaglia 2003, doi:10.18637/jss.v008.i14).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }

    /// Uniform between two values.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.below(1 << 20) as f64 / (1u64 << 20) as f64
    }
}

struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// Smooth spots of all sizes on a gradient.
    fn random(random: &mut Random, width: usize, height: usize) -> Self {
        let (w, h) = (width as f64, height as f64);
        let mut values: Vec<f64> =
            (0..width * height).map(|i| 90.0 + 40.0 * (i % width) as f64 / w).collect();
        for _ in 0..40 {
            let (x, y) = (random.between(0.0, w), random.between(0.0, h));
            let (rx, ry) = (random.between(0.01, 0.2) * w, random.between(0.01, 0.2) * h);
            let depth = random.between(-60.0, 60.0);
            for (index, value) in values.iter_mut().enumerate() {
                let (dx, dy) = (((index % width) as f64 - x) / rx, ((index / width) as f64 - y) / ry);
                *value += depth * (-dx * dx - dy * dy).exp();
            }
        }
        Self {
            width,
            height,
            pixels: values.into_iter().map(|value| value.clamp(0.0, 255.0) as u8).collect(),
        }
    }

    fn sample(&self) -> LumaSample {
        let mut sample = LumaSample::default();
        sample.read_image(&GrayImage::new(&self.pixels, self.width, self.height, self.width).unwrap());
        sample
    }

    fn size(&self) -> Size {
        Size { width: self.width as u32, height: self.height as u32, pixel_aspect: 1.0 }
    }

    /// The picture at a placement in one of `width` x `height` pixels, on a uniform border.
    fn placed(&self, placement: &Placement, width: usize, height: usize, border: u8) -> Self {
        let pixel = |index: usize| {
            let (x, y) = ((index % width) as f64 + 0.5, (index / width) as f64 + 0.5);
            let turned = |position: f64, start: f64, length: f64, is_mirrored: bool| {
                let share = (position - start) / length;
                if is_mirrored { 1.0 - share } else { share }
            };
            let Orientation { is_transposed, is_mirrored_x, is_mirrored_y } = placement.orientation;
            let u = turned(x / width as f64, placement.area.x, placement.area.w, is_mirrored_x);
            let v = turned(y / height as f64, placement.area.y, placement.area.h, is_mirrored_y);
            let (u, v) = if is_transposed { (v, u) } else { (u, v) };
            if !(0.0..1.0).contains(&u) || !(0.0..1.0).contains(&v) {
                return border;
            }
            let (column, row) = ((u * self.width as f64) as usize, (v * self.height as f64) as usize);
            self.pixels[row * self.width + column]
        };
        Self { width, height, pixels: (0..width * height).map(pixel).collect() }
    }
}

/// The largest distance of an edge of `found` from the one of `truth`, in sides of the face.
fn error(found: &Rect, truth: &Rect) -> f64 {
    let horizontal = [found.x - truth.x, found.x + found.w - truth.x - truth.w].map(|d| d.abs() / truth.w);
    let vertical = [found.y - truth.y, found.y + found.h - truth.y - truth.h].map(|d| d.abs() / truth.h);
    horizontal.into_iter().chain(vertical).fold(0.0, f64::max)
}

#[test]
fn every_placement_that_is_looked_for_is_found() {
    let mut random = Random(0x1234_5678_9abc_def1);
    for round in 0..24 {
        let source = Picture::random(&mut random, 256, 192);
        let side = random.between(0.15, 0.4);
        let face =
            Rect { x: random.between(0.2, 0.8 - side), y: random.between(0.2, 0.8 - side), w: side, h: side };
        let orientation = Orientation::all().nth(round % 8).unwrap();
        let (width, height) = if orientation.is_transposed { (192.0, 256.0) } else { (256.0, 192.0) };
        // Cropped or bordered by up to a fifth on each side, then scaled.
        let [left, right, top, bottom] = std::array::from_fn(|_| random.between(-0.2, 0.2));
        let (w, h) = (1.0 + left + right, 1.0 + top + bottom);
        let area = Rect { x: left / w, y: top / h, w: 1.0 / w, h: 1.0 / h };
        let scale = if round % 2 == 0 { 1.0 } else { random.between(0.5, 2.0) };
        let placement = Placement { orientation, area };
        let seen = source.placed(&placement, (width * w * scale) as usize, (height * h * scale) as usize, 16);
        let witness = Witness::capture(&source.sample(), source.size(), [(1, face)]);
        let mut locator = Locator::default();
        let found = locator.locate(&witness, &seen.sample(), seen.size());
        let truth = placement.map(&face);
        assert!(!found.is_empty(), "{round}: nothing found for {placement:?}");
        let error = found.iter().map(|found| error(&found.map(&face), &truth)).fold(f64::INFINITY, f64::min);
        assert!(error < 0.15, "{round}: {error} off, {placement:?}: {found:?}");
        // The next frame is placed like this one, without a search.
        assert_eq!(locator.locate(&witness, &seen.sample(), seen.size()).first(), found.first());
    }
}

#[test]
fn other_picture_is_found_nowhere() {
    let mut random = Random(0xfeed_beef);
    for _ in 0..10 {
        let [source, other] = [(); 2].map(|()| Picture::random(&mut random, 200, 150));
        let witness =
            Witness::capture(&source.sample(), source.size(), [(1, Rect { x: 0.3, y: 0.3, w: 0.3, h: 0.3 })]);
        assert_eq!(Locator::default().locate(&witness, &other.sample(), other.size()), []);
        // Nor where the right half is mirrored to the left, so that a face might be there twice.
        let half = |index: usize| {
            let (x, row) = (index % 200, index / 200 * 200);
            source.pixels[row + if x < 100 { 199 - x } else { x }]
        };
        let mirrored = Picture { pixels: (0..200 * 150).map(half).collect(), ..source };
        assert_eq!(Locator::default().locate(&witness, &mirrored.sample(), mirrored.size()), []);
    }
}

#[test]
fn uniform_and_empty_pictures_are_found_nowhere() {
    let picture = Picture { width: 64, height: 48, pixels: vec![80; 64 * 48] };
    let face = Rect { x: 0.3, y: 0.3, w: 0.3, h: 0.3 };
    let witness = Witness::capture(&picture.sample(), picture.size(), [(1, face)]);
    assert_eq!(Locator::default().locate(&witness, &picture.sample(), picture.size()), []);
    let empty = Size { width: 0, height: 0, pixel_aspect: f64::NAN };
    assert_eq!(Locator::default().locate(&witness, &LumaSample::default(), empty), []);
}

#[test]
fn drawing_on_small_parts_does_not_matter() {
    let mut random = Random(77);
    let mut picture = Picture::random(&mut random, 320, 240);
    let face = Rect { x: 0.4, y: 0.4, w: 0.3, h: 0.3 };
    let witness = Witness::capture(&picture.sample(), picture.size(), [(1, face)]);
    for (index, pixel) in picture.pixels.iter_mut().enumerate() {
        if index / 320 < 24 && index % 320 < 120 {
            *pixel = if index % 7 < 3 { 255 } else { 0 };
        }
    }
    let found = Locator::default().locate(&witness, &picture.sample(), picture.size());
    assert!(found[0].is_identity(), "{found:?}");
}
