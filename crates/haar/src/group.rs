//! Grouping of overlapping windows into one rectangle for each object: OpenCV's `groupRectangles`.

use gray_image::PixelRect;

/// By how much the edges of two rectangles of one object may differ, as a share of their mean side (OpenCV's
/// `GROUP_EPS`).
const EPS: f64 = 0.2;

/// Whether two windows may be of one object.
fn are_similar(a: &PixelRect<i32>, b: &PixelRect<i32>) -> bool {
    let delta = EPS * f64::from(a.w.min(b.w) + a.h.min(b.h)) * 0.5;
    let is_near = |a: i32, b: i32| f64::from((a - b).abs()) <= delta;
    is_near(a.x, b.x) && is_near(a.y, b.y) && is_near(a.x + a.w, b.x + b.w) && is_near(a.y + a.h, b.y + b.h)
}

/// Calls `report` with the index of each rectangle similar to `rect` among others no smaller, sorted by size,
/// x and y.
///
/// Binary searches skip those out of reach, so that even a million candidates, from a cascade that every
/// window passes, do not take quadratic time.
fn for_each_similar(rect: &PixelRect<i32>, others: &[PixelRect<i32>], mut report: impl FnMut(usize)) {
    let reach = (EPS * f64::from(rect.w + rect.h) * 0.5) as i32;
    let mut first = 0;
    // Both edges differ by no more than the reach, and so the sizes by no more than twice that.
    while let Some(size) = others.get(first).filter(|other| other.w - rect.w <= 2 * reach) {
        let count = others[first..].partition_point(|other| (other.w, other.h) == (size.w, size.h));
        let same_size = &others[first..first + count];
        let mut index = same_size.partition_point(|other| other.x < rect.x - reach);
        while let Some(&PixelRect { x, .. }) = same_size.get(index).filter(|other| other.x <= rect.x + reach)
        {
            index += same_size[index..].partition_point(|other| other.x == x && other.y < rect.y - reach);
            let column =
                same_size[index..].iter().take_while(|other| other.x == x && other.y <= rect.y + reach);
            for (offset, other) in column.enumerate() {
                if are_similar(rect, other) {
                    report(first + index + offset);
                }
            }
            index += same_size[index..].partition_point(|other| other.x == x);
        }
        first += same_size.len();
    }
}

/// Whether `inner` lies inside `outer`, enlarged on every side by [`EPS`] of that side.
fn lies_inside(inner: &PixelRect<i32>, outer: &PixelRect<i32>) -> bool {
    let dx = (f64::from(outer.w) * EPS).round_ties_even() as i32;
    let dy = (f64::from(outer.h) * EPS).round_ties_even() as i32;
    inner.x >= outer.x - dx
        && inner.y >= outer.y - dy
        && inner.x + inner.w <= outer.x + outer.w + dx
        && inner.y + inner.h <= outer.y + outer.h + dy
}

/// Groups windows, in buffers that are kept from image to image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grouping {
    /// A disjoint-set forest: the candidates of one class have one root.
    parents: Vec<usize>,
    /// At the root of each class: the sums of x, y, width and height, and the number of candidates.
    sums: Vec<([i64; 4], u32)>,
    /// The mean of each class and its number of candidates.
    groups: Vec<(PixelRect<i32>, u32)>,
}

impl Grouping {
    /// The means of the classes of more than `min_neighbors` similar candidates, each with its number of
    /// candidates; a small one inside a better supported large one is dropped. With 0 every candidate is a
    /// group of its own.
    ///
    /// Two candidates are in one class where a chain of similar ones connects them, and means are computed
    /// from integer sums, so the result does not depend on the order of the candidates, which are sorted
    /// here.
    pub(crate) fn group(
        &mut self,
        candidates: &mut [PixelRect<i32>],
        min_neighbors: u32,
    ) -> impl Iterator<Item = (PixelRect<i32>, u32)> {
        candidates.sort_unstable_by_key(|candidate| (candidate.w, candidate.h, candidate.x, candidate.y));
        self.groups.clear();
        if min_neighbors == 0 {
            self.groups.extend(candidates.iter().map(|&candidate| (candidate, 1)));
        } else {
            self.classify(candidates);
            let means = self.sums.iter().filter(|&&(_, support)| support > min_neighbors).map(class_mean);
            self.groups.extend(means);
        }
        let groups = &self.groups[..];
        let is_kept = move |&(index, &(small, support)): &(usize, &(PixelRect<i32>, u32))| {
            min_neighbors == 0
                || !groups.iter().enumerate().any(|(other, &(large, larger))| {
                    other != index && lies_inside(&small, &large) && (larger > support.max(3) || support < 3)
                })
        };
        groups.iter().enumerate().filter(is_kept).map(|(_, &group)| group)
    }

    /// Divides candidates, sorted by size, x and y, into classes, and sums up each class.
    fn classify(&mut self, candidates: &[PixelRect<i32>]) {
        let Self { parents, sums, .. } = self;
        parents.clear();
        parents.extend(0..candidates.len());
        for (index, candidate) in candidates.iter().enumerate() {
            for_each_similar(candidate, &candidates[index..], |offset| {
                let (a, b) = (find_root(parents, index), find_root(parents, index + offset));
                parents[a.max(b)] = a.min(b);
            });
        }
        sums.clear();
        sums.resize(candidates.len(), ([0; 4], 0));
        for (index, &PixelRect { x, y, w, h }) in candidates.iter().enumerate() {
            let (sum, support) = &mut sums[find_root(parents, index)];
            for (sum, value) in sum.iter_mut().zip([x, y, w, h]) {
                *sum += i64::from(value);
            }
            *support += 1;
        }
    }
}

/// The mean of a class and its number of candidates, in single precision and by a multiplication as in
/// OpenCV.
fn class_mean(&(sum, support): &([i64; 4], u32)) -> (PixelRect<i32>, u32) {
    let share = 1.0 / support as f32;
    let [x, y, w, h] = sum.map(|sum| (sum as f32 * share).round_ties_even() as i32);
    (PixelRect { x, y, w, h }, support)
}

/// The root of a candidate's class; shortens the path to it.
fn find_root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(candidates: &mut [PixelRect<i32>], min_neighbors: u32) -> Vec<(PixelRect<i32>, u32)> {
        Grouping::default().group(candidates, min_neighbors).collect()
    }

    fn square(x: i32, y: i32, side: i32) -> PixelRect<i32> {
        PixelRect { x, y, w: side, h: side }
    }

    #[test]
    fn a_class_needs_more_than_the_minimum() {
        let mut three = vec![square(10, 10, 50), square(11, 10, 50), square(12, 12, 50)];
        assert_eq!(group(&mut three, 3), []);
        assert_eq!(group(&mut three, 2), [(square(11, 11, 50), 3)]);
        assert_eq!(group(&mut three, 0).len(), 3);
        assert_eq!(group(&mut [], 3), []);
    }

    #[test]
    fn a_small_group_inside_a_better_supported_large_one_is_dropped() {
        let mut candidates = vec![square(30, 30, 20); 4];
        candidates.extend([square(10, 10, 100); 5]);
        assert_eq!(group(&mut candidates, 3), [(square(10, 10, 100), 5)]);
        candidates.extend([square(30, 30, 20); 5]);
        assert_eq!(group(&mut candidates, 3).len(), 2, "as well supported: both stay");
    }

    #[test]
    fn binary_search_finds_every_similar_rectangle() {
        let mut state = 5_u32;
        let mut random = |end: i32| {
            state = state.wrapping_mul(1103515245).wrapping_add(12345) & 0x7fffffff;
            (state >> 16) as i32 % end
        };
        let mut all: Vec<_> = (0..600)
            .map(|_| {
                let size = random(12);
                PixelRect { x: random(60), y: random(60), w: 8 + size * size, h: 6 + size * size }
            })
            .collect();
        all.sort_unstable_by_key(|candidate| (candidate.w, candidate.h, candidate.x, candidate.y));
        for (index, rect) in all.iter().enumerate() {
            let mut found = Vec::new();
            for_each_similar(rect, &all[index..], |offset| found.push(index + offset));
            found.sort_unstable();
            let expected: Vec<_> =
                (index..all.len()).filter(|&other| are_similar(rect, &all[other])).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_order_of_candidates_does_not_matter() {
        // A chain, whose ends are similar only by way of its middle.
        let chain: Vec<_> = (0..12).map(|i| square(10 + 3 * i, 40 - 2 * i, 60 + i % 3)).collect();
        let expected = group(&mut chain.clone(), 1);
        assert_eq!(expected.len(), 1);
        for turn in 1..12 {
            let mut turned = chain.clone();
            turned.rotate_left(turn);
            turned.swap(0, turn % 7);
            assert_eq!(group(&mut turned, 1), expected);
        }
    }
}
