//! From many overlapping candidates to one rectangle a face: OpenCV's groupRectangles.

/// How different two rectangles of one object may be, as a share of their sides.
const EPS: f64 = 0.2;

/// A window that passed, or the mean of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    /// Calls `found` with the place of each that resembles this one among others no smaller, sorted by size, x and y.
    ///
    /// By jumps, so that even a cascade that lets every window pass, with a million candidates, takes no square of that.
    fn for_similar(&self, others: &[Self], mut found: impl FnMut(usize)) {
        let reach = (EPS * f64::from(self.w + self.h) * 0.5) as i32;
        let mut first = 0;
        // Edges on both sides differ by no more than the reach, and so sizes by no more than twice that.
        while let Some(size) = others.get(first).filter(|other| other.w - self.w <= 2 * reach) {
            let alike = others[first..].partition_point(|other| (other.w, other.h) == (size.w, size.h));
            let alike = &others[first..first + alike];
            let mut at = alike.partition_point(|other| other.x < self.x - reach);
            while let Some(&Self { x, .. }) = alike.get(at).filter(|other| other.x <= self.x + reach) {
                at += alike[at..].partition_point(|other| other.x == x && other.y < self.y - reach);
                let column = alike[at..].iter().take_while(|other| other.x == x && other.y <= self.y + reach);
                for (down, other) in column.enumerate() {
                    if self.resembles(other) {
                        found(first + at + down);
                    }
                }
                at += alike[at..].partition_point(|other| other.x == x);
            }
            first += alike.len();
        }
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
        candidates.sort_unstable_by_key(|candidate| (candidate.w, candidate.h, candidate.x, candidate.y));
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

    /// Sums up each class of candidates sorted by size, x and y.
    fn classify(&mut self, candidates: &[Candidate]) {
        let Self { parents, sums, .. } = self;
        parents.clear();
        parents.extend(0..candidates.len());
        for (index, one) in candidates.iter().enumerate() {
            one.for_similar(&candidates[index..], |offset| {
                let (a, b) = (root(parents, index), root(parents, index + offset));
                parents[a.max(b)] = a.min(b);
            });
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
    fn similar_ones_are_found_by_jumps() {
        let mut state = 5_u32;
        let mut random = |end: i32| {
            state = state.wrapping_mul(1103515245).wrapping_add(12345) & 0x7fffffff;
            (state >> 16) as i32 % end
        };
        let mut all: Vec<_> = (0..600)
            .map(|_| {
                let size = random(12);
                Candidate { x: random(60), y: random(60), w: 8 + size * size, h: 6 + size * size }
            })
            .collect();
        all.sort_unstable_by_key(|candidate| (candidate.w, candidate.h, candidate.x, candidate.y));
        for (index, one) in all.iter().enumerate() {
            let mut found = Vec::new();
            one.for_similar(&all[index..], |offset| found.push(index + offset));
            found.sort_unstable();
            let expected: Vec<_> = (index..all.len()).filter(|&other| one.resembles(&all[other])).collect();
            assert_eq!(found, expected);
        }
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
