//! The window sizes and positions that a search covers: OpenCV's choice of pyramid levels and steps, cut into
//! stripes.

use crate::axis::ResizeAxis;
use crate::layout::{Layout, ROW_PADDING};
use crate::params::{Params, Size};

/// Sums in the integral images of a stripe, tilted ones included. With the squares these are at most 512 KiB,
/// so that a stripe stays in a second-level cache of 1 MiB; a third or twice as many sums were no faster
/// there.
const STRIPE_SUMS: usize = 64 << 10;

/// A level of the pyramid: the image at one scale.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    /// Side of the window in the image over its side in the cascade.
    pub(crate) scale: f32,
    /// Pixels in a row of the resized image.
    pub(crate) width: usize,
    /// Pixels from one window to the next, in both directions.
    pub(crate) step: usize,
    /// Number of columns of the resized image in which windows may begin.
    pub(crate) columns: usize,
    /// Number of rows of the resized image in which windows may begin.
    pub(crate) rows: usize,
    /// Width and height of a window in the image, pixels.
    pub(crate) window: (i32, i32),
    /// Horizontal resizing.
    pub(crate) x_axis: ResizeAxis,
    /// Vertical resizing.
    pub(crate) y_axis: ResizeAxis,
}

/// Consecutive window rows of a level: the unit of work of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stripe {
    /// Index of the level.
    pub(crate) level: usize,
    /// First row, in the resized image; a multiple of the level's step.
    pub(crate) first_row: usize,
    /// Number of rows in which windows may begin.
    pub(crate) window_rows: usize,
    /// Number of rows of pixels that these windows cover.
    pub(crate) pixel_rows: usize,
}

/// Everything about a search that depends on its window sizes and the image's size only.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScanPlan {
    /// The sides of the windows over that in the cascade, from [`window_scales`].
    scales: Vec<f32>,
    /// Width and height of the image, pixels.
    size: (usize, usize),
    /// The pyramid, from the smallest window on.
    pub(crate) levels: Vec<Level>,
    /// The stripes of all levels, in order.
    pub(crate) stripes: Vec<Stripe>,
    /// Fits the integral images of every stripe.
    pub(crate) layout: Layout,
    /// Number of windows evaluated if none is skipped.
    pub(crate) windows: usize,
}

impl ScanPlan {
    /// Whether this is the plan for windows of `scales` in an image of `size`, for the cascade that it was made for.
    pub(crate) fn is_for(&self, scales: &[f32], size: (usize, usize)) -> bool {
        self.scales == scales && self.size == size
    }

    /// The plan for windows of `scales`, see [`window_scales`], in an image of `size`, width and height. `window` is the
    /// cascade's, `tilted` whether it has tilted features.
    pub(crate) fn new(window: (u32, u32), tilted: bool, scales: Vec<f32>, size: (usize, usize)) -> Self {
        let mut plan = Self { scales, size, ..Self::default() };
        for &scale in &plan.scales {
            let first_columns = plan.levels.first().map(|level| level.columns);
            plan.levels.extend(build_level(window, scale, size.0, size.1, first_columns));
        }
        let widest = plan.levels.iter().map(|level| level.width + 1).max().unwrap_or(0);
        // Rounded up, so that searches in regions of similar size share one compiled cascade.
        let stride = (widest + ROW_PADDING).next_multiple_of(64);
        let window_height = window.1 as usize;
        let planes = Layout { tilted, ..Layout::default() }.planes();
        // Rows where stripes overlap are integrated twice, so windows begin in at least half of the rows.
        let rows = (STRIPE_SUMS / (stride * planes).max(1)).max(2 * window_height + 2);
        plan.layout = Layout { stride, rows, tilted, step: 1 };
        for (index, level) in plan.levels.iter().enumerate() {
            plan.windows += level.columns.div_ceil(level.step) * level.rows.div_ceil(level.step);
            // Even, so that every stripe begins with a row that is searched.
            let window_rows = (rows - window_height) & !1;
            for first_row in (0..level.rows).step_by(window_rows) {
                let window_rows = window_rows.min(level.rows - first_row);
                let pixel_rows = window_rows + window_height - 1;
                plan.stripes.push(Stripe { level: index, first_row, window_rows, pixel_rows });
            }
        }
        plan
    }
}

fn round(value: f64) -> i64 {
    value.round_ties_even() as i64
}

/// The scales of all levels that fit the image and the limits; where none fits the limits, the one nearest to
/// the smallest size.
pub(crate) fn window_scales(window: (u32, u32), params: &Params, width: usize, height: usize) -> Vec<f32> {
    let (window_width, window_height) = (f64::from(window.0), f64::from(window.1));
    let scaled_window = |factor: f64| (round(window_width * factor), round(window_height * factor));
    let mut fitting = Vec::new();
    let mut factor = 1.0;
    loop {
        let (w, h) = scaled_window(factor);
        if w > width as i64 || h > height as i64 {
            break;
        }
        fitting.push(factor as f32);
        factor *= params.scale_factor;
    }
    // From here on in single precision, as OpenCV does.
    let scaled_window = |scale: f32| {
        let round = |value: f32| value.round_ties_even() as i64;
        (round(window.0 as f32 * scale), round(window.1 as f32 * scale))
    };
    let Size { width: min_width, height: min_height } = params.min_size;
    let (min_width, min_height) = (i64::from(min_width), i64::from(min_height));
    let (max_width, max_height) = match params.max_size {
        Size { width: 0, .. } | Size { height: 0, .. } => (width as i64, height as i64),
        Size { width, height } => (i64::from(width), i64::from(height)),
    };
    let mut chosen = Vec::new();
    for &scale in &fitting {
        let (w, h) = scaled_window(scale);
        if w > max_width || h > max_height {
            break;
        }
        if w >= min_width && h >= min_height {
            chosen.push(scale);
        }
    }
    if chosen.is_empty() {
        let distance = |&scale: &f32| {
            let (w, h) = scaled_window(scale);
            (min_width - w).pow(2) + (min_height - h).pow(2)
        };
        chosen.extend(fitting.iter().copied().min_by_key(distance));
    }
    chosen
}

/// The level of a scale; `None` where no window fits after rounding. `first_columns` is the number of
/// columns of the first level, `None` for that level itself.
fn build_level(
    window: (u32, u32),
    scale: f32,
    width: usize,
    height: usize,
    first_columns: Option<usize>,
) -> Option<Level> {
    let resized = |side: usize| (side as f32 / scale).round_ties_even() as usize;
    let (level_width, level_height) = (resized(width), resized(height));
    let columns = (level_width + 1).checked_sub(window.0 as usize).filter(|&columns| columns > 0)?;
    let rows = (level_height + 1).checked_sub(window.1 as usize).filter(|&rows| rows > 0)?;
    let step = if scale >= 2.0 { 1 } else { 2 };
    // OpenCV divides the rows into as many shares as the first level has blocks of 32 columns, and does not
    // search a last odd row that remains.
    let shares = first_columns.unwrap_or(columns).div_ceil(32);
    let share_rows = ((rows / step).div_ceil(shares)).max(1) * step;
    let scaled_side = |side: u32| (side as f32 * scale).round_ties_even() as i32;
    Some(Level {
        scale,
        width: level_width,
        step,
        columns,
        rows: rows.min(shares * share_rows),
        window: (scaled_side(window.0), scaled_side(window.1)),
        x_axis: ResizeAxis::new(width, level_width),
        y_axis: ResizeAxis::new(height, level_height),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(min: u32, max: u32) -> Params {
        Params { min_size: Size::square(min), max_size: Size::square(max), ..Params::default() }
    }

    #[test]
    fn scales_respect_the_limits() {
        let all = window_scales((24, 24), &params(0, 0), 320, 240);
        assert_eq!(all[0], 1.0);
        assert!(all.iter().all(|scale| scale * 24.0 < 240.5));
        let limited = window_scales((24, 24), &params(40, 100), 320, 240);
        assert!(limited.iter().all(|scale| (39.5..100.5).contains(&(scale * 24.0))));
        assert_eq!(
            window_scales((24, 24), &params(50, 50), 320, 240).len(),
            1,
            "the nearest where none fits"
        );
        assert!(window_scales((24, 24), &params(0, 0), 23, 240).is_empty());
    }

    #[test]
    fn limits_between_the_same_windows_share_a_plan() {
        // Windows of 24, 29, 35, 41, 50, 60, 72, 86, 103 pixels and so on.
        for ((min, max), (smallest, largest)) in
            [((24, 24), (24, 24)), ((30, 60), (35, 60)), ((36, 85), (41, 72)), ((0, 30), (24, 29))]
        {
            let [scales, same] = [(min, max), (smallest, largest)]
                .map(|(min, max)| window_scales((24, 24), &params(min, max), 320, 240));
            let plan = ScanPlan::new((24, 24), false, scales, (320, 240));
            let sides = [plan.levels.first(), plan.levels.last()].map(|level| level.unwrap().window.0 as u32);
            assert_eq!(sides, [smallest, largest]);
            assert!(plan.is_for(&same, (320, 240)), "{min} {max}");
            assert!(!plan.is_for(&same, (320, 239)));
            assert!(!plan.is_for(&window_scales((24, 24), &params(min, max + 60), 320, 240), (320, 240)));
        }
    }

    #[test]
    fn stripes_cover_every_row_once() {
        for tilted in [false, true] {
            let plan = ScanPlan::new(
                (24, 24),
                tilted,
                window_scales((24, 24), &params(0, 0), 1000, 700),
                (1000, 700),
            );
            assert!(plan.stripes.len() > plan.levels.len());
            for (index, level) in plan.levels.iter().enumerate() {
                let mut next = 0;
                for stripe in plan.stripes.iter().filter(|stripe| stripe.level == index) {
                    assert_eq!(stripe.first_row, next);
                    assert_eq!(stripe.first_row % level.step, 0);
                    assert!(stripe.pixel_rows < plan.layout.rows);
                    assert!(stripe.first_row + stripe.pixel_rows < level.rows + 24);
                    next += stripe.window_rows;
                }
                assert_eq!(next, level.rows);
            }
        }
    }

    #[test]
    fn an_image_smaller_than_the_window_has_no_stripes() {
        for (width, height) in [(0, 0), (1, 1), (23, 100), (100, 23)] {
            let plan = ScanPlan::new(
                (24, 24),
                false,
                window_scales((24, 24), &params(0, 0), width, height),
                (width, height),
            );
            assert!(plan.stripes.is_empty() && plan.windows == 0);
        }
    }
}
