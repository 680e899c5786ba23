//! The actor: frame sizes, determinism, and motion from frame to frame.

use std::time::Duration;

use mood_demo::Actor;
use mood_schema::Emotion;

#[test]
fn every_size_gives_a_complete_opaque_frame() {
    for (width, height) in [(1, 1), (7, 300), (640, 360), (333, 17)] {
        let pixels = Actor::new(width, height).unwrap().render(Duration::from_secs(9));
        assert_eq!(pixels.len(), (width * height * 4) as usize);
        assert!(pixels.chunks_exact(4).all(|pixel| pixel[3] == 255), "{width}x{height}");
    }
    for (width, height) in [(0, 1), (1, 0), (Actor::MAX_SIDE + 1, 1)] {
        assert!(Actor::new(width, height).unwrap_err().to_string().contains("pixels"));
    }
}

#[test]
fn script_has_no_gaps_and_shows_the_emotions_of_the_demo() {
    let actor = Actor::new(64, 36).unwrap();
    let script = actor.script();
    assert_eq!(script[0].start, Duration::ZERO);
    assert_eq!(script[script.len() - 1].end, actor.duration());
    assert!(script.windows(2).all(|pair| pair[0].end == pair[1].start));
    for emotion in [Emotion::Neutral, Emotion::Happy, Emotion::Sad, Emotion::Surprise] {
        assert!(script.iter().any(|scene| scene.emotion == emotion));
    }
}

#[test]
fn frames_are_deterministic_and_differ_over_time() {
    let actor = Actor::new(160, 90).unwrap();
    let frame_at = |ms| actor.render(Duration::from_millis(ms));
    assert!(frame_at(3000) == frame_at(3000));
    assert!(frame_at(3000) != frame_at(3040));
    assert!(frame_at(3000) == actor.render(actor.duration() + Duration::from_millis(3000)));
}

#[test]
fn changes_from_frame_to_frame_are_small() {
    let actor = Actor::new(80, 45).unwrap();
    let mut previous = actor.render(Duration::ZERO);
    // 80 ms apart, the frame interval of 12.5 frames a second.
    for frame in 1..actor.duration().as_millis() as u64 / 80 {
        let current = actor.render(Duration::from_millis(frame * 80));
        let change: u64 = previous.iter().zip(&current).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = change as f64 / current.len() as f64;
        assert!(mean < 6.0, "frame {frame} changes by {mean} of 255 on average");
        previous = current;
    }
}
