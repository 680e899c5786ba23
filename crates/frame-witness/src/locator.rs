//! Finds the places of a witness's faces in the frames of a stream.

use crate::agreement::Seen;
use crate::placement::{Orientation, Placement, WHOLE};
use crate::sample::LumaSample;
use crate::search;
use crate::witness::{Size, Witness};

/// Frames between two searches while no placement is found: a search costs as much as some dozen comparisons.
const SEARCH_PERIOD: u32 = 25;

/// Finds the places of witnesses in the frames of a stream, whose placement seldom changes.
#[derive(Clone, Debug, Default)]
pub struct Locator {
    /// The placement found last, with the sizes of the frames it holds for.
    last: Option<(Placement, Size, Size)>,
    /// The sizes of the frames that the last search failed on, and frames until the next one.
    failed: Option<(Size, Size, u32)>,
}

impl Locator {
    /// All placements found under which a frame agrees with a witness, the likeliest first. None where the frame does not
    /// show what the witness saw, or shows it in a way that is not looked for. `sample` is the frame's, `size` its size.
    pub fn locate(&mut self, witness: &Witness, sample: &LumaSample, size: Size) -> Vec<Placement> {
        let seen = Seen::new(sample);
        let sizes = (witness.size, size);
        let last = self.last.filter(|(placement, from, to)| (*from, *to) == sizes && placement.area != WHOLE);
        let mut candidates: Vec<Placement> =
            Orientation::all().map(|orientation| Placement { orientation, area: WHOLE }).collect();
        candidates.extend(last.map(|(placement, _, _)| placement));
        let mut placements = agreeing(&seen, witness, candidates);
        if placements.is_empty() && self.is_search_due(sizes) {
            placements = agreeing(&seen, witness, search::search(&seen, witness, size));
            self.failed = placements.is_empty().then_some((sizes.0, sizes.1, SEARCH_PERIOD));
        }
        if let Some(first) = placements.first() {
            self.last = Some((*first, sizes.0, sizes.1));
            self.failed = None;
        }
        placements
    }

    /// Whether a search is due for frames of these sizes. Counts the frames without one.
    fn is_search_due(&mut self, sizes: (Size, Size)) -> bool {
        match &mut self.failed {
            Some((from, to, frames)) if (*from, *to) == sizes && *frames > 0 => {
                *frames -= 1;
                false
            }
            _ => true,
        }
    }
}

/// The candidates under which the frame agrees with the witness, the best first.
fn agreeing(seen: &Seen, witness: &Witness, candidates: Vec<Placement>) -> Vec<Placement> {
    let scored = candidates
        .into_iter()
        .filter_map(|placement| Some((seen.agreement(witness, &placement)?, placement)));
    let mut scored: Vec<(f64, Placement)> = scored.collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().map(|(_, placement)| placement).collect()
}
