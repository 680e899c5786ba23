//! `emotionoverlay` frees the memory of each drawing, so that it does not grow over hours of video.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use gst_check::Harness;
use mood_schema::{Affect, Classification, Emotion, Face, Frame, Rect};

#[test]
fn memory_of_each_drawing_is_freed() {
    gst::init().unwrap();
    gstemotionclassify::plugin_register_static().unwrap();
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, 640, 360).fps((25, 1)).build();
    let info = info.unwrap();
    let mut harness = Harness::new("emotionoverlay");
    harness.set_src_caps(info.to_caps().unwrap());
    let mut probabilities = [0.05; 7];
    probabilities[Emotion::Happy.index()] = 0.7;
    let face = Face {
        id: 1,
        bbox: Rect { x: 0.3, y: 0.2, w: 0.3, h: 0.5 },
        classification: Some(Classification {
            label: Emotion::Happy.into(),
            confidence: 0.7,
            probabilities,
            raw: None,
            affect: Affect::from_distribution(&probabilities),
        }),
        quality: 0.9,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    };
    let frame = Frame { faces: vec![face], shot: 0 };
    let mut draw_frames = |count: u64| {
        for index in 0..count {
            let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
            let buffer_ref = buffer.get_mut().unwrap();
            buffer_ref.set_pts(gst::ClockTime::from_mseconds(40) * index);
            mood_meta::frame::write(buffer_ref, &frame).unwrap();
            harness.push_and_pull(buffer).unwrap();
        }
    };
    // Fonts are loaded with the first frame and kept.
    draw_frames(2);
    let allocated = allocation_counter::measure(|| draw_frames(50));
    assert!(allocated.bytes_total > 1_000_000, "frames are drawn: {allocated:?}");
    assert!(allocated.bytes_current < 100_000, "{allocated:?}");
}
