//! For how much of the time a person was found, and why not for the rest, as far as the images beside the gaps show it.

use std::collections::BTreeMap;

use mood_schema::QualityLimit;

use crate::percent::format_percent;
use crate::{Timeline, Warning, WarningKind};

/// A person who was found for a smaller share of the time was found seldom.
const USUAL_SHARE: f64 = 0.8;
/// Images within this time of a gap show how the face looked when it was lost, or found again, ns.
const NEARBY: u64 = 2_000_000_000;
/// What limits the quality for a smaller share of that time is not named.
const MIN_SHARE: f64 = 0.15;
/// Most reasons that are named.
const MAX_REASONS: usize = 3;

/// A warning where the person `id` of the timeline, called `name`, was not found for a share of the time (`missing`, 0-1) above
/// one fifth.
pub(crate) fn seldom_found_warning(
    timeline: &Timeline,
    id: u32,
    name: &str,
    missing: f64,
) -> Option<Warning> {
    if missing <= 1.0 - USUAL_SHARE {
        return None;
    }
    let cause = describe_gaps(timeline, id);
    let text = format!(
        "the face of {name} was found {} of the time only, and nothing is known of the rest; {cause}",
        format_percent(1.0 - missing)
    );
    Some(Warning { share: Some(missing), ..Warning::new(WarningKind::SeldomFound, text) })
}

/// Why the person `id` may not have been found for the rest of the time: what limits the quality of the images beside the gaps.
pub(crate) fn describe_gaps(timeline: &Timeline, id: u32) -> String {
    let reasons: Vec<String> = limits_beside_gaps(timeline, id)
        .into_iter()
        .take_while(|(_, share)| *share >= MIN_SHARE)
        .take(MAX_REASONS)
        .map(|(limit, share)| format!("{} ({} of that time)", describe_limit(limit), format_percent(share)))
        .collect();
    match reasons.split_last() {
        None => {
            "just before and after, its image was good: perhaps it was out of the picture, or turned away at once".to_owned()
        }
        Some((last, [])) => format!("just before and after, it was {last}, which may be why"),
        Some((last, others)) => {
            format!("just before and after, it was {} and {last}, which may be why", others.join(", "))
        }
    }
}

/// What limits the quality of a person's images close to the gaps in which the person is not found, with its share of the
/// time there, the largest first.
fn limits_beside_gaps(timeline: &Timeline, person_id: u32) -> Vec<(QualityLimit, f64)> {
    let frames: Vec<_> = timeline
        .frames_with_duration()
        .map(|(frame, duration)| (frame.pts, duration, Timeline::find_face(frame, person_id)))
        .collect();
    let is_gap = |index: usize| frames[index].2.is_none();
    let near = |index: usize, gap: Option<usize>| {
        gap.is_some_and(|gap: usize| frames[gap].0.abs_diff(frames[index].0) <= NEARBY)
    };
    let mut next_gaps = vec![None; frames.len()];
    let mut next = None;
    for index in (0..frames.len()).rev() {
        if is_gap(index) {
            next = Some(index);
        }
        next_gaps[index] = next;
    }
    let mut last = None;
    let mut total = 0u64;
    let mut times: BTreeMap<QualityLimit, u64> = BTreeMap::new();
    for (index, &(_, duration, face)) in frames.iter().enumerate() {
        let Some(face) = face else {
            last = Some(index);
            continue;
        };
        if near(index, last) || near(index, next_gaps[index]) {
            total = total.saturating_add(duration);
            if let Some(limit) = face.quality_limit {
                let time = times.entry(limit).or_default();
                *time = time.saturating_add(duration);
            }
        }
    }
    let mut shares: Vec<_> =
        times.into_iter().map(|(limit, time)| (limit, time as f64 / total.max(1) as f64)).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

/// What a face was, as an adjective.
fn describe_limit(limit: QualityLimit) -> &'static str {
    match limit {
        QualityLimit::Turned => "turned away or partly hidden",
        QualityLimit::Bright => "overexposed",
        QualityLimit::Flat => "in flat light",
        QualityLimit::Other => "hard to see",
        limit => limit.as_str(),
    }
}
