//! Following a face by its appearance, where the detector does not find it.

use gray_image::{GrayImage, PixelRect};

use crate::correlation::{CorrelationFilter, Peak, SIDE, Workspace};
use crate::patch::{Pose, Region, sample};

/// Side of the patch that is followed, in sides of the face: the hair and the outline of the head belong to it,
/// which change less than the face when a head turns.
const CONTEXT: f64 = 2.0;
/// Share of a new patch in the filter, for a face that the detector found: patches a fifth of a second apart differ.
const DETECTED_RATE: f32 = 0.4;
/// The same for a face that was followed. Bolme et al. recommend 0.125 for every frame.
const FOLLOWED_RATE: f32 = 0.1;
/// Steps of size that are tried in each frame, up and down.
const SCALE_STEP: f64 = 1.04;
/// Steps of roll that are tried in each frame, degrees in each direction.
const ROLL_STEP: f64 = 4.0;
/// Another size or roll than that of the frame before must have a peak higher by this factor.
const CHANGE_ADVANTAGE: f32 = 1.02;
/// Largest roll, degrees: heads that lean more are rare.
const MAX_ROLL: f64 = 90.0;
/// Largest difference of the size from the one last detected, as a factor.
const MAX_SIZE_RATIO: f64 = 2.0;
/// Share of the face's area that must lie in the image.
const MIN_VISIBLE: f64 = 0.6;

/// The memory that followers share.
#[derive(Debug, Default)]
pub struct FollowWorkspace {
    transforms: Workspace,
    patch: Vec<f32>,
}

/// The appearance of one face, by which it can be found again in the next frame.
#[derive(Clone, Debug)]
pub struct Follower {
    filter: CorrelationFilter,
    pose: Pose,
    /// Side when it was last detected, pixels.
    detected_side: f64,
}

/// A face that was found by its appearance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Followed {
    /// Where it is.
    pub pose: Pose,
    /// Peak-to-sidelobe ratio of the correlation: how distinct the match is.
    pub confidence: f32,
}

impl Followed {
    /// The face's square, upright, in pixels.
    pub fn rect(&self) -> PixelRect<f64> {
        let Pose { centre: (x, y), side, .. } = self.pose;
        PixelRect { x: x - side / 2.0, y: y - side / 2.0, w: side, h: side }
    }
}

impl Follower {
    /// A follower of the face at `pose`.
    pub fn new(image: &GrayImage, pose: Pose, workspace: &mut FollowWorkspace) -> Self {
        workspace.load(image, &pose);
        Self { filter: CorrelationFilter::new(&workspace.transforms), pose, detected_side: pose.side }
    }

    /// Learns the appearance of the face, which the detector found at `pose`.
    pub fn learn(&mut self, image: &GrayImage, pose: Pose, workspace: &mut FollowWorkspace) {
        workspace.load(image, &pose);
        self.filter.learn(&workspace.transforms, DETECTED_RATE);
        (self.pose, self.detected_side) = (pose, pose.side);
    }

    /// Takes over where the detector found the face, without learning.
    pub fn move_to(&mut self, pose: Pose) {
        (self.pose, self.detected_side) = (pose, pose.side);
    }

    /// Finds the face near its last place; `None` where nothing there resembles it with a peak-to-sidelobe ratio
    /// of `min_confidence`.
    pub fn follow(
        &mut self,
        image: &GrayImage,
        min_confidence: f32,
        workspace: &mut FollowWorkspace,
    ) -> Option<Followed> {
        let mut best = self.correlate(image, self.pose, workspace)?;
        let Pose { side, roll, .. } = self.pose;
        let changes = [
            (side * SCALE_STEP, roll),
            (side / SCALE_STEP, roll),
            (side, roll + ROLL_STEP),
            (side, roll - ROLL_STEP),
        ];
        let unchanged = best.1.value;
        for (side, roll) in changes {
            let ratio = side / self.detected_side;
            if !(1.0 / MAX_SIZE_RATIO..=MAX_SIZE_RATIO).contains(&ratio) || roll.abs() > MAX_ROLL {
                continue;
            }
            let candidate = self.correlate(image, Pose { side, roll, ..self.pose }, workspace);
            if let Some(candidate) = candidate
                && candidate.1.value > best.1.value.max(unchanged * CHANGE_ADVANTAGE)
            {
                best = candidate;
            }
        }
        let (pose, peak) = best;
        if peak.ratio < min_confidence || visible_share(image, &pose) < MIN_VISIBLE {
            return None;
        }
        self.pose = pose;
        workspace.load(image, &pose);
        self.filter.learn(&workspace.transforms, FOLLOWED_RATE);
        Some(Followed { pose, confidence: peak.ratio })
    }

    /// Correlates the filter with the patch at `pose`. Returns where the face is, with the same size and roll.
    fn correlate(
        &self,
        image: &GrayImage,
        pose: Pose,
        workspace: &mut FollowWorkspace,
    ) -> Option<(Pose, Peak)> {
        workspace.load(image, &pose);
        let peak = self.filter.correlate(&mut workspace.transforms)?;
        let pixel = pose.side * CONTEXT / SIDE as f64;
        let (dx, dy) = (f64::from(peak.shift.0) * pixel, f64::from(peak.shift.1) * pixel);
        let (sin, cos) = pose.roll.to_radians().sin_cos();
        let centre = (pose.centre.0 + dx * cos - dy * sin, pose.centre.1 + dx * sin + dy * cos);
        Some((Pose { centre, ..pose }, peak))
    }
}

impl FollowWorkspace {
    fn load(&mut self, image: &GrayImage, pose: &Pose) {
        sample(image, pose, &Region::centred(CONTEXT), (SIDE, SIDE), &mut self.patch);
        self.transforms.load(&self.patch);
    }
}

/// The share of the face's square that lies in the image, 0-1.
fn visible_share(image: &GrayImage, pose: &Pose) -> f64 {
    let inside = |centre: f64, length: usize| {
        let (start, end) = (centre - pose.side / 2.0, centre + pose.side / 2.0);
        (end.min(length as f64) - start.max(0.0)).max(0.0) / pose.side
    };
    inside(pose.centre.0, image.width()) * inside(pose.centre.1, image.height())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 320;
    const HEIGHT: usize = 240;

    /// A textured head at (x, y) on another texture.
    fn scene(x: f64, y: f64) -> Vec<u8> {
        let pixel = |i: usize| {
            let (column, row) = ((i % WIDTH) as f64, (i / WIDTH) as f64);
            let (u, v) = (column - x, row - y);
            let is_head = u * u / 900.0 + v * v / 1600.0 < 1.0;
            let value = if is_head {
                130.0 + 60.0 * (0.21 * u).cos() * (0.17 * v + 0.4).sin() + 30.0 * (0.4 * u - 0.3 * v).sin()
            } else {
                90.0 + 25.0 * (0.13 * column).sin() * (0.09 * row).cos()
            };
            value.clamp(0.0, 255.0) as u8
        };
        (0..WIDTH * HEIGHT).map(pixel).collect()
    }

    fn follow(follower: &mut Follower, pixels: &[u8], workspace: &mut FollowWorkspace) -> Option<Followed> {
        let image = GrayImage::new(pixels, WIDTH, HEIGHT, WIDTH).unwrap();
        follower.follow(&image, 7.0, workspace)
    }

    fn start(pixels: &[u8], workspace: &mut FollowWorkspace) -> Follower {
        let image = GrayImage::new(pixels, WIDTH, HEIGHT, WIDTH).unwrap();
        Follower::new(&image, Pose { centre: (100.0, 120.0), side: 64.0, roll: 0.0 }, workspace)
    }

    #[test]
    fn a_head_that_moves_is_followed() {
        let mut workspace = FollowWorkspace::default();
        let mut follower = start(&scene(100.0, 120.0), &mut workspace);
        for frame in 1..=30 {
            let x = 100.0 + 3.0 * f64::from(frame);
            let followed = follow(&mut follower, &scene(x, 120.0), &mut workspace).unwrap();
            let (found, _) = followed.pose.centre;
            assert!((found - x).abs() < 6.0, "{found} for {x}");
            assert!((followed.pose.side / 64.0 - 1.0).abs() < 0.2 && followed.pose.roll.abs() < 10.0);
        }
    }

    #[test]
    fn nothing_is_followed_in_flat_pictures_and_noise() {
        let noise: Vec<u8> =
            (0..WIDTH * HEIGHT).map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for pixels in [vec![0; WIDTH * HEIGHT], vec![128; WIDTH * HEIGHT], noise] {
            let mut workspace = FollowWorkspace::default();
            let mut follower = start(&scene(100.0, 120.0), &mut workspace);
            assert_eq!(follow(&mut follower, &pixels, &mut workspace), None);
        }
    }

    #[test]
    fn a_head_that_leaves_the_picture_is_lost() {
        let mut workspace = FollowWorkspace::default();
        let mut follower = start(&scene(100.0, 120.0), &mut workspace);
        let frames = 1..60;
        let lost = frames.into_iter().find(|&frame| {
            let pixels = scene(100.0 - 4.0 * f64::from(frame), 120.0);
            follow(&mut follower, &pixels, &mut workspace).is_none()
        });
        assert!(lost.is_some_and(|frame| (15..=32).contains(&frame)), "{lost:?}");
    }
}
