//! `emotionoverlay blur-faces=true` behind elements that flip, turn, crop, border, scale and convert what a detector has
//! searched: no block of a known face survives, whatever stands between.
//!
//! The true place of the face is that of a white box sent through the same elements. `MOOD_TEST_SECONDS` makes the test of
//! random chains longer, `MOOD_TEST_SEED` repeats a chain that it reports.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Once;
use std::time::{Duration, Instant};

use frame_witness::{LumaSample, Size, Witness};
use gray_image::GrayImage;
use gst::prelude::*;
use mood_schema::{Face, Frame, Rect};

/// The side of the blocks that are compared, pixels.
const BLOCK: usize = 8;

fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstemotionclassify::plugin_register_static().unwrap();
        gstfacedetect::plugin_register_static().unwrap();
    });
}

/// A grey picture with a face.
struct Picture {
    name: String,
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    face: Rect,
}

impl Picture {
    /// The drawn actor. The box was measured with `haarfacedetect`.
    fn actor(width: u32, height: u32) -> Self {
        let rgba = mood_demo::Actor::new(width, height).unwrap().render(Duration::from_secs(9));
        let grey =
            |p: &[u8]| ((u32::from(p[0]) * 77 + u32::from(p[1]) * 150 + u32::from(p[2]) * 29) >> 8) as u8;
        let (aspect, side) = (f64::from(width) / f64::from(height), 0.55);
        let face = Rect { x: 0.5 - side / aspect / 2.0, y: 0.22, w: side / aspect, h: side };
        Self {
            name: "actor".into(),
            width: width as usize,
            height: height as usize,
            pixels: rgba.chunks_exact(4).map(grey).collect(),
            face,
        }
    }

    /// The actor at the left, with a wide border.
    fn actor_at_the_left() -> Self {
        let actor = Self::actor(320, 240);
        let (width, share) = (560, 320.0 / 560.0);
        let rows = actor.pixels.chunks_exact(320).flat_map(|row| row.iter().copied().chain([60; 240]));
        let face = Rect { x: actor.face.x * share, w: actor.face.w * share, ..actor.face };
        Self { name: "actor at the left".into(), width, height: 240, pixels: rows.collect(), face }
    }

    /// The same with a pattern on the plain border, which shows whether it is hidden.
    fn actor_beside_a_pattern() -> Self {
        let mut picture = Self::actor_at_the_left();
        let width = picture.width;
        for (index, pixel) in picture.pixels.iter_mut().enumerate().filter(|(i, _)| i % width >= 400) {
            *pixel = if index % 3 == 0 { 200 } else { 60 };
        }
        picture
    }

    /// A photograph of the test data with the box given there for one of its faces; `None` where there is none.
    fn photograph() -> Option<Self> {
        let folder = std::env::var("MOOD_TEST_DATA").unwrap_or_else(|_| "../../../shared/data".into());
        let path = std::path::Path::new(&folder).join("images/dlib/2008_002506.jpg");
        if !path.exists() {
            println!("skipped: no photograph {}", path.display());
            return None;
        }
        let launch = format!("filesrc location={} ! jpegdec", path.display());
        let (pixels, width, height) = run(&format!("{launch} ! {GREY_SINK}"), None, &mut Vec::new());
        let [x, y, w, h] = PHOTOGRAPH_BOX;
        let (fw, fh) = (width as f64, height as f64);
        let face = Rect { x: x / fw, y: y / fh, w: w / fw, h: h / fh };
        Some(Self { name: "photograph".into(), width, height, pixels, face })
    }

    fn buffer(&self, pixels: Vec<u8>) -> gst::Buffer {
        let mut buffer = gst::Buffer::from_slice(pixels);
        buffer.make_mut().set_pts(gst::ClockTime::ZERO);
        buffer
    }

    /// The picture with the metadata that `haarfacedetect` writes.
    fn with_metadata(&self) -> gst::Buffer {
        let mut buffer = self.buffer(self.pixels.clone());
        let face = Face {
            id: 1,
            bbox: self.face,
            classification: None,
            quality: 0.9,
            roll: 0.0,
            source: Default::default(),
            resembles: None,
            quality_limit: None,
        };
        mood_meta::frame::write(buffer.make_mut(), &Frame { faces: vec![face], shot: 0 }).unwrap();
        let mut sample = LumaSample::default();
        sample.read_image(&GrayImage::new(&self.pixels, self.width, self.height, self.width).unwrap());
        let size = Size { width: self.width as u32, height: self.height as u32, pixel_aspect: 1.0 };
        let witness = Witness::capture(&sample, size, [(1, self.face)]);
        mood_meta::witness::write(buffer.make_mut(), &witness).unwrap();
        buffer
    }

    /// A black picture with a white box where the face is.
    fn marker(&self) -> gst::Buffer {
        let is_inside = |position: usize, side: usize, start: f64, length: f64| {
            let share = (position as f64 + 0.5) / side as f64;
            share >= start && share < start + length
        };
        let pixel = |index: usize| {
            let (x, y) = (index % self.width, index / self.width);
            let face = self.face;
            u8::from(is_inside(x, self.width, face.x, face.w) && is_inside(y, self.height, face.y, face.h))
                * 255
        };
        self.buffer((0..self.pixels.len()).map(pixel).collect())
    }

    fn caps(&self) -> String {
        format!(
            "video/x-raw,format=GRAY8,width={},height={},framerate=25/1,pixel-aspect-ratio=1/1",
            self.width, self.height
        )
    }

    /// Sends a buffer through a chain of elements. Returns the grey picture behind them.
    fn send(&self, buffer: gst::Buffer, chain: &str, warnings: &mut Vec<String>) -> (Vec<u8>, usize, usize) {
        let launch =
            format!("appsrc name=source format=time caps=\"{}\" ! {chain} ! {GREY_SINK}", self.caps());
        run(&launch, Some(buffer), warnings)
    }

    /// Checks that no block of the face survives a chain of elements in front of an overlay that blurs. Returns the texts of
    /// the warnings.
    fn check(&self, chain: &str) -> Vec<String> {
        let mut warnings = Vec::new();
        let (sharp, width, height) = self.send(self.buffer(self.pixels.clone()), chain, &mut warnings);
        let (marker, ..) = self.send(self.marker(), chain, &mut warnings);
        assert!(warnings.is_empty(), "{warnings:?}");
        let overlay = format!("{chain} ! emotionoverlay blur-faces=true");
        let (blurred, ..) = self.send(self.with_metadata(), &overlay, &mut warnings);
        let (mut blocks, mut survivors) = (0, Vec::new());
        for top in (0..height.saturating_sub(BLOCK - 1)).step_by(BLOCK / 2) {
            for left in (0..width.saturating_sub(BLOCK - 1)).step_by(BLOCK / 2) {
                let block = |pixels: &[u8]| -> Vec<f64> {
                    let rows = pixels.chunks_exact(width).skip(top).take(BLOCK);
                    rows.flat_map(|row| &row[left..left + BLOCK]).map(|&pixel| f64::from(pixel)).collect()
                };
                let (expected, seen) = (high_frequencies(&block(&sharp)), high_frequencies(&block(&blurred)));
                if block(&marker).iter().all(|&pixel| pixel > 128.0) && norm(&expected) > 40.0 {
                    blocks += 1;
                    let difference: Vec<f64> = expected.iter().zip(&seen).map(|(a, b)| a - b).collect();
                    // An edge of the mosaic may lie on an edge of the face; detail is more than one edge.
                    if norm(&difference) < 0.25 * norm(&expected) {
                        survivors.push((left, top));
                    }
                }
            }
        }
        let (name, count) = (&self.name, survivors.len());
        assert!(
            survivors.is_empty(),
            "{name}: {count} of {blocks} blocks survive {chain}: {survivors:?}, {warnings:?}"
        );
        warnings
    }
}

/// The box of one face of the photograph, from the data's own list; pixels.
const PHOTOGRAPH_BOX: [f64; 4] = [329.0, 78.0, 109.0, 109.0];

const GREY_SINK: &str =
    "videoconvert chroma-mode=none dither=none ! video/x-raw,format=GRAY8 ! appsink name=sink sync=false";

/// The differences of each pixel of a block from its right and lower neighbours.
fn high_frequencies(block: &[f64]) -> Vec<f64> {
    let across = block.chunks_exact(BLOCK).flat_map(|row| row.windows(2).map(|pair| pair[1] - pair[0]));
    let down = block.iter().zip(block.iter().skip(BLOCK)).map(|(upper, lower)| lower - upper);
    across.chain(down).collect()
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Runs a pipeline with a buffer for its element `source`, until its element `sink` has the first frame: its grey pixels
/// without padding, width and height. Adds the texts of warnings.
fn run(launch: &str, buffer: Option<gst::Buffer>, warnings: &mut Vec<String>) -> (Vec<u8>, usize, usize) {
    let pipeline = gst::parse::launch(launch).unwrap_or_else(|error| panic!("{launch}: {error}"));
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    if let Some(buffer) = buffer {
        let source = pipeline.by_name("source").unwrap();
        let _ = source.emit_by_name::<gst::FlowReturn>("push-buffer", &[&buffer]);
        let _ = source.emit_by_name::<gst::FlowReturn>("end-of-stream", &[]);
    }
    let sink = pipeline.by_name("sink").unwrap();
    let timeout = gst::ClockTime::from_seconds(20);
    let sample = sink.emit_by_name::<Option<gst::Sample>>("try-pull-sample", &[&timeout]);
    let bus = pipeline.bus().unwrap();
    for message in bus.iter_filtered(&[gst::MessageType::Warning, gst::MessageType::Error]) {
        match message.view() {
            // Those of GStreamer's elements do not matter.
            gst::MessageView::Warning(warning)
                if warning.src().is_some_and(|src| src.name().starts_with("emotion")) =>
            {
                warnings.push(warning.error().to_string());
            }
            gst::MessageView::Error(error) => panic!("{launch}: {} {:?}", error.error(), error.debug()),
            _ => {}
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    let sample = sample.unwrap_or_else(|| panic!("no frame from {launch}"));
    let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    let (width, height, stride) = (info.width() as usize, info.height() as usize, info.stride()[0] as usize);
    let map = sample.buffer().unwrap().map_readable().unwrap();
    let pixels = map.chunks(stride).take(height).flat_map(|row| row[..width].iter().copied()).collect();
    (pixels, width, height)
}

/// Random numbers: xorshift (Marsaglia 2003, doi:10.18637/jss.v008.i14).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }

    fn pick<'a>(&mut self, values: &[&'a str]) -> &'a str {
        values[self.below(values.len() as u64) as usize]
    }
}

/// A random element with its properties.
fn random_element(random: &mut Random, is_rotate_available: bool) -> String {
    let directions = ["horiz", "vert", "90r", "90l", "180", "ul-lr", "ur-ll", "identity"];
    let formats =
        ["GRAY8", "RGB16", "RGB15", "NV12", "YUY2", "RGBA", "I420_10LE", "GRAY16_LE", "GBR", "Y41B", "v210"];
    fn sides(random: &mut Random, range: u64, minimum: i64) -> String {
        let sides = ["left", "right", "top", "bottom"];
        sides.map(|name| format!(" {name}={}", minimum + random.below(range) as i64)).concat()
    }
    match random.below(if is_rotate_available { 7 } else { 6 }) {
        0 => format!("videoflip video-direction={}", random.pick(&directions)),
        1 => format!("videocrop{}", sides(random, 40, 0)),
        2 => format!("videobox{}", sides(random, 100, -60)),
        3 | 4 => {
            let (width, height) = (120 + random.below(400), 100 + random.below(300));
            let borders = random.pick(&["true", "false"]);
            let aspect = random.pick(&["", ",pixel-aspect-ratio=1/1"]);
            format!("videoscale add-borders={borders} ! video/x-raw,width={width},height={height}{aspect}")
        }
        5 => format!("videoconvert ! video/x-raw,format={} ! videoconvert", random.pick(&formats)),
        _ => format!("videoconvert ! rotate angle=0.{}", 1 + random.below(9)),
    }
}

#[test]
fn no_block_of_a_face_survives_random_chains() {
    init();
    let time = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let duration = Duration::from_secs(time("MOOD_TEST_SECONDS").unwrap_or(8));
    let mut pictures = vec![Picture::actor(320, 240), Picture::actor_at_the_left(), Picture::actor(321, 181)];
    pictures.extend(Picture::photograph());
    let is_rotate_available = gst::ElementFactory::find("rotate").is_some();
    let start = Instant::now();
    let (mut chains, mut hidden) = (0, 0);
    let only = time("MOOD_TEST_SEED");
    for seed in only.map_or(1..=u64::MAX, |seed| seed..=seed) {
        if start.elapsed() > duration {
            break;
        }
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let picture = &pictures[random.below(pictures.len() as u64) as usize];
        let elements: Vec<String> =
            (0..=random.below(3)).map(|_| random_element(&mut random, is_rotate_available)).collect();
        let chain = elements.join(" ! videoconvert ! ");
        println!("seed {seed}: {}: {chain}", picture.name);
        let warnings = picture.check(&chain);
        (chains, hidden) = (chains + 1, hidden + usize::from(!warnings.is_empty()));
    }
    println!("{chains} chains, the whole picture hidden behind {hidden} of them");
    assert!(only.is_some() || chains >= 10, "only {chains} chains in {duration:?}");
}

#[test]
fn boxes_follow_flips_crops_borders_and_scales() {
    init();
    for picture in
        [Picture::actor(320, 240), Picture::actor_at_the_left()].into_iter().chain(Picture::photograph())
    {
        for chain in [
            "identity",
            "videoflip video-direction=horiz",
            "videoflip video-direction=vert",
            "videoflip video-direction=90r",
            "videoflip video-direction=180",
            "videoflip video-direction=90l",
            "videoflip video-direction=ul-lr",
            "videoflip video-direction=ur-ll",
            "videocrop left=40 bottom=10",
            "videobox right=-200 top=-30",
            "videobox left=-33 ! videoflip video-direction=90l",
            "videoscale ! video/x-raw,width=500,height=200,pixel-aspect-ratio=1/1",
            "videoscale add-borders=true ! video/x-raw,width=300,height=300,pixel-aspect-ratio=1/1",
            "videocrop right=50 ! videoscale add-borders=false ! video/x-raw,width=200",
            "videoconvert ! video/x-raw,format=RGB16 ! videoconvert ! video/x-raw,format=I420 ! jpegenc quality=60 ! jpegdec",
            "videoconvert ! video/x-raw,format=I420 ! videobalance contrast=0.7 brightness=0.1",
        ] {
            let warnings = picture.check(chain);
            assert!(warnings.is_empty(), "{}: {chain}: {warnings:?}", picture.name);
        }
    }
}

#[test]
fn picture_that_cannot_be_followed_is_hidden_with_one_warning() {
    init();
    let picture = Picture::actor_at_the_left();
    for chain in [
        "videoconvert ! rotate angle=0.5",
        "videoconvert ! fisheye",
        "videoconvert ! mirror",
        "videoconvert ! kaleidoscope",
    ] {
        let element = chain.split_whitespace().nth(2).unwrap();
        if gst::ElementFactory::find(element).is_none() {
            println!("skipped: no element {element}");
            continue;
        }
        let warnings = picture.check(chain);
        assert!(
            matches!(warnings.as_slice(), [one] if one.contains("whole picture") && one.contains("put this element before")),
            "{chain}: {warnings:?}"
        );
    }
}

#[test]
fn box_is_drawn_at_the_face_behind_a_flip() {
    init();
    let picture = Picture::actor_at_the_left();
    let mut warnings = Vec::new();
    let flip = "videoflip video-direction=horiz";
    let (plain, width, height) = picture.send(picture.with_metadata(), flip, &mut warnings);
    let overlay = format!("{flip} ! emotionoverlay show-id=false");
    let (drawn, ..) = picture.send(picture.with_metadata(), &overlay, &mut warnings);
    let columns =
        (0..height * width).filter(|&index| plain[index] != drawn[index]).map(|index| index % width);
    let (first, last) = (columns.clone().min().unwrap(), columns.max().unwrap());
    let share = |column: usize| column as f64 / width as f64;
    let expected = 1.0 - picture.face.x - picture.face.w;
    assert!((share(first) - expected).abs() < 0.02, "{first} of {width}, expected {expected}");
    assert!((share(last) - expected - picture.face.w).abs() < 0.02, "{last} of {width}");
    // A second overlay finds the face in what the first one has drawn on.
    warnings.extend(picture.check(&format!("{flip} ! emotionoverlay ! videoflip video-direction=vert")));
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn lost_face_stays_hidden_and_strict_mode_hides_everything_meanwhile() {
    init();
    let picture = Picture::actor_beside_a_pattern();
    let right_part = |pixels: &[u8]| -> Vec<u8> {
        pixels.chunks_exact(picture.width).flat_map(|row| row[500..].to_vec()).collect()
    };
    for is_strict in [false, true] {
        let mut harness = gst_check::Harness::new("emotionoverlay");
        harness.set_src_caps(picture.caps().parse().unwrap());
        let element = harness.element().unwrap();
        element.set_property("blur-faces", true);
        element.set_property("blur-strict", is_strict);
        let mut push = |frame: u64, has_face: bool| {
            let mut buffer = picture.with_metadata();
            if !has_face {
                let mut witness = mood_meta::witness::read(&buffer).unwrap().unwrap();
                witness.faces.clear();
                mood_meta::frame::write(buffer.make_mut(), &Frame::default()).unwrap();
                mood_meta::witness::write(buffer.make_mut(), &witness).unwrap();
            }
            buffer.make_mut().set_pts(gst::ClockTime::from_mseconds(40 * frame));
            let pixels = harness.push_and_pull(buffer).unwrap().map_readable().unwrap().to_vec();
            let face = |pixels: &[u8]| -> Vec<u8> {
                pixels
                    .chunks_exact(picture.width)
                    .skip(80)
                    .take(80)
                    .flat_map(|row| row[120..200].to_vec())
                    .collect()
            };
            let is_face_hidden = face(&pixels) != face(&picture.pixels);
            (is_face_hidden, right_part(&pixels) != right_part(&picture.pixels))
        };
        for frame in 0..10 {
            assert_eq!(push(frame, true), (true, is_strict && frame < 4), "{is_strict} {frame}");
        }
        assert_eq!(push(10, false), (true, is_strict));
        assert_eq!(push(40, false), (true, is_strict));
        assert_eq!(push(41, true), (true, false));
        assert!(push(60, false).0);
        assert_eq!(push(41 + 76, false), (is_strict, is_strict), "3 s later");
        assert_eq!(push(41 + 251, false), (false, false), "10 s later");
    }
}

#[test]
fn behind_a_cut_everything_is_hidden_until_everybody_is_found() {
    init();
    let picture = Picture::actor_beside_a_pattern();
    for is_strict in [false, true] {
        let mut harness = gst_check::Harness::new("emotionoverlay");
        harness.set_src_caps(picture.caps().parse().unwrap());
        let element = harness.element().unwrap();
        element.set_property("blur-faces", true);
        element.set_property("blur-strict", is_strict);
        let mut push = |frame: u64, shot: u32, has_face: bool| {
            let mut buffer = picture.with_metadata();
            let mut metadata = mood_meta::frame::read(&buffer).unwrap();
            metadata.shot = shot;
            if !has_face {
                metadata.faces.clear();
                let mut witness = mood_meta::witness::read(&buffer).unwrap().unwrap();
                witness.faces.clear();
                mood_meta::witness::write(buffer.make_mut(), &witness).unwrap();
            }
            mood_meta::frame::write(buffer.make_mut(), &metadata).unwrap();
            buffer.make_mut().set_pts(gst::ClockTime::from_mseconds(40 * frame));
            let pixels = harness.push_and_pull(buffer).unwrap().map_readable().unwrap().to_vec();
            let differs = |columns: std::ops::Range<usize>| {
                let rows = pixels.chunks_exact(picture.width).zip(picture.pixels.chunks_exact(picture.width));
                rows.into_iter().any(|(row, sharp)| row[columns.clone()] != sharp[columns.clone()])
            };
            // The middle of the face, and what is beside all places where it is expected.
            (differs(120..200), differs(picture.width - 40..picture.width))
        };
        for frame in 0..10 {
            push(frame, 4, true);
        }
        assert_eq!(push(10, 4, true), (true, false), "{is_strict}");
        // Where a face is found behind the cut, nothing else is hidden.
        assert_eq!(push(11, 5, true), (true, false), "{is_strict}");
        assert_eq!(push(12, 6, false), (true, true), "{is_strict}");
        assert_eq!(push(13, 7, false), (true, true), "another cut");
        assert_eq!(push(13 + 75, 7, false), (true, true), "3 s");
        assert_eq!(push(13 + 76, 7, false), (is_strict, is_strict), "later");
        assert_eq!(push(100, 7, true), (true, false), "{is_strict}");
    }
}

#[test]
fn face_found_by_the_detector_is_hidden_behind_a_flip() {
    init();
    let picture = Picture::actor(320, 240);
    let before = "videobox right=-400 fill=black";
    let flip = "videoflip video-direction=horiz";
    let mut warnings = Vec::new();
    let plain = picture.buffer(picture.pixels.clone());
    let (sharp, width, height) = picture.send(plain.copy(), &format!("{before} ! {flip}"), &mut warnings);
    let chain =
        format!("{before} ! haarfacedetect ! emotionclassify ! {flip} ! emotionoverlay blur-faces=true");
    let (hidden, ..) = picture.send(plain, &chain, &mut warnings);
    assert!(warnings.is_empty(), "{warnings:?}");
    // The actor's eyes and mouth lie in the middle of the right part.
    let detail = |pixels: &[u8]| -> u64 {
        let rows = pixels.chunks_exact(width).take(height * 7 / 10).skip(height * 4 / 10);
        rows.flat_map(|row| row[width - 200..width - 120].windows(2))
            .map(|p| u64::from(p[0].abs_diff(p[1])))
            .sum()
    };
    assert!(detail(&hidden) * 4 < detail(&sharp), "{} of {}", detail(&hidden), detail(&sharp));
}
