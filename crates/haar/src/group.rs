//! From many overlapping candidates to one rectangle a face: OpenCV's groupRectangles.

/// How different two rectangles of one object may be, as a share of their sides.
const EPS: f64 = 0.2;

/// A window that passed, or the mean of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) w: i32,
    pub(crate) h: i32,
}

impl Candidate {
    fn resembles(&self, other: &Self) -> bool {
        let delta = EPS * f64::from(self.w.min(other.w) + self.h.min(other.h)) * 0.5;
        let near = |a: i32, b: i32| f64::from((a - b).abs()) <= delta;
        near(self.x, other.x)
            && near(self.y, other.y)
            && near(self.x + self.w, other.x + other.w)
            && near(self.y + self.h, other.y + other.h)
    }

    fn lies_in(&self, other: &Self) -> bool {
        let dx = (f64::from(other.w) * EPS).round_ties_even() as i32;
        let dy = (f64::from(other.h) * EPS).round_ties_even() as i32;
        self.x >= other.x - dx
            && self.y >= other.y - dy
            && self.x + self.w <= other.x + other.w + dx
            && self.y + self.h <= other.y + other.h + dy
    }
}

/// Groups candidates, in buffers that are kept from picture to picture.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grouping {
    /// A forest: candidates of one class have one root.
    parents: Vec<usize>,
    /// Sums of x, y, width and height, and how many there are, at the roots.
    sums: Vec<([i64; 4], u32)>,
    groups: Vec<(Candidate, u32)>,
}

impl Grouping {
    /// Means of the classes of more than `min_neighbors` similar candidates, each with its number; small ones inside
    /// better supported large ones are dropped. With 0 every candidate stands for itself.
    ///
    /// Two candidates are in one class where a chain of similar ones connects them, and means are taken of whole
    /// numbers: the order of the candidates (which is sorted here) changes nothing.
    pub(crate) fn group(
        &mut self,
        candidates: &mut [Candidate],
        min_neighbors: u32,
    ) -> impl Iterator<Item = (Candidate, u32)> {
        candidates.sort_unstable();
        self.groups.clear();
        if min_neighbors == 0 {
            self.groups.extend(candidates.iter().map(|&candidate| (candidate, 1)));
        } else {
            self.classify(candidates);
            let means = self.sums.iter().filter(|&&(_, support)| support > min_neighbors).map(mean);
            self.groups.extend(means);
        }
        let groups = &self.groups[..];
        let kept = move |&(index, &(small, support)): &(usize, &(Candidate, u32))| {
            min_neighbors == 0
                || !groups.iter().enumerate().any(|(other, &(large, larger))| {
                    other != index && small.lies_in(&large) && (larger > support.max(3) || support < 3)
                })
        };
        groups.iter().enumerate().filter(kept).map(|(_, &group)| group)
    }

    /// Sums up each class of sorted candidates.
    fn classify(&mut self, candidates: &[Candidate]) {
        let Self { parents, sums, .. } = self;
        parents.clear();
        parents.extend(0..candidates.len());
        for (index, one) in candidates.iter().enumerate() {
            // Candidates are sorted by x: none further right than this can be similar.
            let reach = EPS * f64::from(one.w + one.h) * 0.5;
            let near = |other: &&Candidate| f64::from(other.x - one.x) <= reach;
            for (offset, other) in candidates[index + 1..].iter().take_while(near).enumerate() {
                if one.resembles(other) {
                    let (a, b) = (root(parents, index), root(parents, index + 1 + offset));
                    parents[a.max(b)] = a.min(b);
                }
            }
        }
        sums.clear();
        sums.resize(candidates.len(), ([0; 4], 0));
        for (index, one) in candidates.iter().enumerate() {
            let (sum, support) = &mut sums[root(parents, index)];
            for (sum, value) in sum.iter_mut().zip([one.x, one.y, one.w, one.h]) {
                *sum += i64::from(value);
            }
            *support += 1;
        }
    }
}

/// The mean of a class, in single precision and by a multiplication as in OpenCV.
fn mean(&(sum, support): &([i64; 4], u32)) -> (Candidate, u32) {
    let share = 1.0 / support as f32;
    let [x, y, w, h] = sum.map(|sum| (sum as f32 * share).round_ties_even() as i32);
    (Candidate { x, y, w, h }, support)
}

fn root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(candidates: &mut [Candidate], min_neighbors: u32) -> Vec<(Candidate, u32)> {
        Grouping::default().group(candidates, min_neighbors).collect()
    }

    fn square(x: i32, y: i32, side: i32) -> Candidate {
        Candidate { x, y, w: side, h: side }
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
    fn a_small_one_inside_a_better_supported_large_one_goes() {
        let mut candidates = vec![square(30, 30, 20); 4];
        candidates.extend([square(10, 10, 100); 5]);
        assert_eq!(group(&mut candidates, 3), [(square(10, 10, 100), 5)]);
        candidates.extend([square(30, 30, 20); 5]);
        assert_eq!(group(&mut candidates, 3).len(), 2, "as well supported: both stay");
    }

    #[test]
    fn order_does_not_matter() {
        // A chain: the ends resemble each other only by way of the middle.
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
