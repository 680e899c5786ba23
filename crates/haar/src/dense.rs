//! A cascade of stumps made ready for many neighbouring windows at once.
//!
//! Three liberties against the order of evaluation change no result. Corners that rectangles share are loaded once:
//! with whole weights every sum is a whole number that fits single precision, so any order gives the same. Stumps of a
//! stage are sorted by shape, to loop without branches. Votes are added in single precision, and only where they come
//! so close to the stage's threshold that rounding could matter does the exact sum decide.

use std::collections::BTreeMap;

use crate::integral::Layout;
use crate::kernel::BATCH;
use crate::program::{Rects, Stage, Stump};

/// Largest whole number up to which single precision has every one.
const EXACT: f64 = (1 << 24) as f64;

/// The largest value of a pixel.
const WHITE: f64 = 255.0;

/// Stages in which neighbouring windows are looked at together. After them, most have failed.
const NEAR: usize = 4;

/// The stages in order.
#[derive(Clone, Debug)]
pub(crate) struct Dense {
    /// The first ones, for neighbouring windows in the integrals.
    pub(crate) near: Vec<DenseStage>,
    /// The others, for a patch: a copy of the integrals of a batch of windows, with a line of lanes for each corner.
    pub(crate) far: Vec<DenseStage>,
    /// How the corners' lines lie in a patch.
    pub(crate) patch: Layout,
    /// The largest offset from a window's corner.
    pub(crate) reach: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DenseStage {
    /// Two halves: six corners.
    pub(crate) halves: Vec<Halves>,
    /// A rectangle inside another: eight corners.
    pub(crate) insides: Vec<Inside>,
    /// Four quarters: nine corners.
    pub(crate) quarters: Vec<Quarters>,
    /// The votes where every value reaches its threshold.
    pub(crate) base: f32,
    /// From here on the stage is passed, whatever the rounding.
    pub(crate) passed: f32,
    /// Below this it is not.
    pub(crate) failed: f32,
}

/// Corners 0 and 1 less 2 and 3, and `factor` times 4 less 5.
pub(crate) type Halves = Weak<6, 1>;

/// Corners 0 and 1 less 2 and 3, and `factor` times 4 and 5 less 6 and 7.
pub(crate) type Inside = Weak<8, 1>;

/// Corners 0 to 3, 4 to 7, and 8, each with its factor.
pub(crate) type Quarters = Weak<9, 3>;

#[derive(Clone, Debug)]
pub(crate) struct Weak<const CORNERS: usize, const FACTORS: usize> {
    pub(crate) corners: [u32; CORNERS],
    pub(crate) factors: [i32; FACTORS],
    pub(crate) threshold: f32,
    /// What a value below the threshold adds to the votes.
    pub(crate) below: f32,
}

impl Dense {
    /// `None` where a feature has another shape than those of OpenCV's training, or sums might not be exact.
    ///
    /// `stumps` gives the stages for a layout.
    pub(crate) fn new(
        layout: Layout,
        (width, height): (i32, i32),
        stumps: impl Fn(Layout) -> Option<Vec<Stage<Stump>>>,
    ) -> Option<Self> {
        // Sums of squares have to fit a signed number too.
        if f64::from(width * height) * WHITE * WHITE > f64::from(i32::MAX) {
            return None;
        }
        let patch =
            Layout { stride: (width as usize + 1).next_multiple_of(2), rows: height as usize + 1, ..layout };
        let near = stumps(layout)?.iter().take(NEAR).map(DenseStage::new).collect::<Option<_>>()?;
        let mut far: Vec<_> = stumps(patch)?.iter().skip(NEAR).map(DenseStage::new).collect::<Option<_>>()?;
        for stage in &mut far {
            stage.spread(BATCH as u32);
        }
        // The last corner of the window, in either half of a row.
        let reach = layout.offset(width, height).max(layout.offset(width - 1, height)) as usize;
        Some(Self { near, far, patch, reach })
    }
}

impl DenseStage {
    fn new(stage: &Stage<Stump>) -> Option<Self> {
        let mut dense = Self::default();
        let (mut base, mut largest) = (0.0, 0.0);
        for stump in &stage.weak {
            let [below, above] = stump.leaves.map(f64::from);
            base += above;
            largest += above.abs() + (below - above).abs();
            dense.push(stump, (below - above) as f32)?;
        }
        dense.base = base as f32;
        // Each addition, and the making of each summand, errs by half a unit in the last place of at most `largest`:
        // twice that for every stump is more than all of it.
        let error =
            (stage.weak.len() + 4) as f64 * f64::from(f32::EPSILON) * largest + f64::from(f32::EPSILON);
        dense.passed = ((stage.threshold + error) as f32).next_up();
        dense.failed = ((stage.threshold - error) as f32).next_down();
        (largest < f64::from(f32::MAX) / 4.0 && dense.passed.is_finite() && dense.failed.is_finite())
            .then_some(dense)
    }

    /// Multiplies the offsets.
    fn spread(&mut self, by: u32) {
        let corners = (self.halves.iter_mut().flat_map(|weak| &mut weak.corners))
            .chain(self.insides.iter_mut().flat_map(|weak| &mut weak.corners))
            .chain(self.quarters.iter_mut().flat_map(|weak| &mut weak.corners));
        for corner in corners {
            *corner *= by;
        }
    }

    /// Sorts a stump in by its shape.
    fn push(&mut self, stump: &Stump, below: f32) -> Option<()> {
        let threshold = stump.threshold;
        let factors = factors(&stump.rects)?;
        let mut corners: Vec<_> = factors.into_iter().filter(|&(_, factor)| factor != 0).collect();
        // Units first, and pluses before minuses.
        corners.sort_by_key(|&(corner, factor)| (factor.abs(), -factor, corner));
        let factor = |index: usize| corners.get(index).map_or(0, |&(_, factor)| factor);
        let is = |signs: &[i32]| {
            signs.len() == corners.len()
                && signs.iter().enumerate().all(|(index, &sign)| factor(index) == sign)
        };
        let offsets = corners.iter().map(|&(corner, _)| corner);
        let large = factor(4);
        if is(&[1, 1, -1, -1, large, -large]) {
            let corners = collect(offsets)?;
            self.halves.push(Weak { corners, factors: [large], threshold, below });
        } else if is(&[1, 1, -1, -1, large, large, -large, -large]) {
            let corners = collect(offsets)?;
            self.insides.push(Weak { corners, factors: [large], threshold, below });
        } else {
            let [small, last] = [factor(0), factor(8)];
            if !is(&[small, small, small, small, large, large, large, large, last]) {
                return None;
            }
            let corners = collect(offsets)?;
            self.quarters.push(Weak { corners, factors: [small, large, last], threshold, below });
        }
        Some(())
    }
}

fn collect<const N: usize>(corners: impl Iterator<Item = u32>) -> Option<[u32; N]> {
    corners.collect::<Vec<_>>().try_into().ok()
}

/// How often each corner counts; `None` where that is no whole number, or a sum might not be exact.
fn factors(rects: &Rects) -> Option<BTreeMap<u32, i32>> {
    let mut factors = BTreeMap::new();
    let mut largest = 0.0;
    for ((corners, &weight), &area) in rects.corners.iter().zip(&rects.weights).zip(&rects.areas) {
        largest += f64::from(weight).abs() * f64::from(area) * WHITE;
        if weight.fract() != 0.0 || f64::from(weight).abs() >= EXACT {
            return None;
        }
        for (&corner, sign) in corners.iter().zip([1, -1, -1, 1]) {
            *factors.entry(corner).or_default() += sign * weight as i32;
        }
    }
    (largest < EXACT).then_some(factors)
}
