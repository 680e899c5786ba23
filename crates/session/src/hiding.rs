//! Which areas of each frame must be hidden, so that no face of the recording can be recognised, also where the
//! detector has missed it.
//!
//! A recording is planned as a whole, so that what was found later helps earlier:
//!
//! 1. The finds of a face id, and of ids that continue each other in place and size, belong to one person.
//! 2. Where a person is not found, the area between the finds before and after is hidden, and before the first find and
//!    after the last one the area of that find, for [`NEARBY`]. It is the wider the longer the next find is away.
//! 3. The position of a person counts as known for [`KNOWN_TIME`] around each find. Where the positions of fewer people are
//!    known than there are, the whole frame is hidden. As many people are taken to be there as were told, else the most
//!    that were certainly there at once within [`NEARBY`]; somebody who has left through the edge of the frame is not
//!    missed. Only people who were found for [`MIN_EVIDENCE`] count, so that a single false detection hides its own area
//!    and not everything.

use std::collections::HashMap;

use mood_schema::Rect;

use crate::Timeline;

/// How long a lost person is expected to be still there, and one who appears to have been there before, ns.
pub const NEARBY: u64 = 10_000_000_000;
/// How far from a find the position of a person counts as known, ns. A person who walks through the picture moves by about
/// the width of a face in this time, which the widened area covers.
pub const KNOWN_TIME: u64 = 1_000_000_000;
/// For how long a person must have been found in all to be counted, ns.
pub const MIN_EVIDENCE: u64 = 500_000_000;
/// By how much the area is wider than the face on each side, in sides of the face, as soon as the face is lost.
const MARGIN: f64 = 0.15;
/// By how much more a second later.
const MARGIN_PER_SECOND: f64 = 0.75;
/// The margin at most: a person who has moved further is not known to be anywhere.
const MAX_MARGIN: f64 = 2.0;
/// Faces count as the same person's if one appears no further than this from where the other was lost, in sides of the
/// face, and by as much further for each second in between.
const MAX_STEP: f64 = 1.0;
/// The largest ratio of the sides of one person's faces before and after a loss.
const MAX_GROWTH: f64 = 2.0;
/// A face has left the frame if its middle, moving on as it did last, is outside after this time, ns.
const LEAVING_TIME: u64 = 500_000_000;
/// The shortest time, ns, over which motion is measured: the boxes of a face at rest vary by some percent of its side.
const MIN_MOTION_TIME: u64 = 200_000_000;

/// What must be hidden in a frame, beside the faces found in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Hiding {
    /// These areas, in shares of the frame; they may reach beyond it.
    Areas(Vec<Rect>),
    /// The whole frame: it is not known where all faces are.
    Everything,
}

impl Default for Hiding {
    fn default() -> Self {
        Self::Areas(Vec::new())
    }
}

/// What must be hidden in all frames of a timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HidingPlan {
    /// One for each frame.
    pub frames: Vec<Hiding>,
    /// Whether a face was found at all.
    pub has_faces: bool,
}

impl HidingPlan {
    /// Plans the hiding of everybody in a timeline whose frames are in order of time. `people`: how many there are in every
    /// frame; `None` where that is not known.
    pub fn new(timeline: &Timeline, people: Option<usize>) -> Self {
        let persons = find_persons(timeline);
        let scenes = find_scenes(timeline, &persons);
        let mut first_scene = 0;
        let frames = timeline.frames.iter().map(|frame| {
            let time = frame.pts;
            while scenes.get(first_scene).is_some_and(|scene| scene.end.saturating_add(NEARBY) < time) {
                first_scene += 1;
            }
            let nearby = || {
                let scenes = scenes.get(first_scene..).unwrap_or_default();
                scenes.iter().take_while(|scene| scene.begin <= time.saturating_add(NEARBY))
            };
            let known = persons.iter().filter(|person| person.counts() && person.is_known(time)).count();
            let expected = people.unwrap_or_else(|| {
                let counts = nearby().map(|scene| scene.count_expected(&persons, time));
                counts.max().unwrap_or(0)
            });
            if known < expected {
                return Hiding::Everything;
            }
            Hiding::Areas(persons.iter().filter_map(|person| person.area(time)).collect())
        });
        Self { frames: frames.collect(), has_faces: !persons.is_empty() }
    }

    /// The share of the frames, 0-1, in which it is not known where all faces are.
    pub fn unverified_share(&self) -> f64 {
        let unverified = self.frames.iter().filter(|hiding| **hiding == Hiding::Everything).count();
        unverified as f64 / self.frames.len().max(1) as f64
    }
}

/// A face found at a time.
#[derive(Clone, Copy, Debug)]
struct Find {
    /// ns of stream time.
    time: u64,
    face: Rect,
}

/// All that was found of a person.
#[derive(Clone, Debug)]
struct Person {
    /// In order of time; at least one.
    finds: Vec<Find>,
    /// For how long the person was found, ns.
    evidence: u64,
    /// Whether the person came through the edge of the frame.
    has_entered: bool,
    /// Whether the person left through the edge of the frame.
    has_left: bool,
}

impl Person {
    /// Whether there is enough evidence for the person to be counted.
    fn counts(&self) -> bool {
        self.evidence >= MIN_EVIDENCE
    }

    fn first(&self) -> Find {
        self.finds[0]
    }

    fn last(&self) -> Find {
        self.finds[self.finds.len() - 1]
    }

    /// The last find until `time` and the first one after it.
    fn neighbours(&self, time: u64) -> (Option<Find>, Option<Find>) {
        let next = self.finds.partition_point(|find| find.time <= time);
        let previous = next.checked_sub(1).and_then(|index| self.finds.get(index));
        (previous.copied(), self.finds.get(next).copied())
    }

    /// The time to the nearest find, ns.
    fn distance(&self, time: u64) -> u64 {
        let (previous, next) = self.neighbours(time);
        let distances =
            previous.map(|find| time - find.time).into_iter().chain(next.map(|find| find.time - time));
        distances.min().unwrap_or(u64::MAX)
    }

    /// Whether `time` is so near to the finds that the person matters.
    fn is_nearby(&self, time: u64) -> bool {
        time.saturating_add(NEARBY) >= self.first().time && time <= self.last().time.saturating_add(NEARBY)
    }

    /// Whether it is known where the person is.
    fn is_known(&self, time: u64) -> bool {
        self.is_nearby(time) && self.distance(time) <= KNOWN_TIME
    }

    /// Whether the person was certainly in the frame.
    fn is_present(&self, time: u64) -> bool {
        (self.first().time..=self.last().time).contains(&time) && self.is_known(time)
    }

    /// The area in which the person is where not found at `time`; `None` where found, or not nearby.
    fn area(&self, time: u64) -> Option<Rect> {
        if !self.is_nearby(time) {
            return None;
        }
        let distance = self.distance(time);
        if distance == 0 || distance > NEARBY {
            return None;
        }
        let face = match self.neighbours(time) {
            (Some(previous), Some(next)) => {
                let share = (time - previous.time) as f64 / (next.time - previous.time) as f64;
                interpolate(previous.face, next.face, share)
            }
            (previous, next) => previous.or(next)?.face,
        };
        let margin = (MARGIN + MARGIN_PER_SECOND * seconds(distance)).min(MAX_MARGIN);
        Some(widen(face, margin))
    }

    /// How well this person's first find continues `earlier`: the distance in sides of the face; `None` where it cannot be
    /// the same person.
    fn continues(&self, earlier: &Self) -> Option<f64> {
        let (before, after) = (earlier.last(), self.first());
        let gap = after.time.checked_sub(before.time).filter(|gap| (1..=NEARBY).contains(gap))?;
        let side = |face: Rect| face.w.max(face.h).max(f64::EPSILON);
        let growth = side(after.face) / side(before.face);
        let larger = Rect {
            w: before.face.w.max(after.face.w).max(f64::EPSILON),
            h: before.face.h.max(after.face.h).max(f64::EPSILON),
            ..before.face
        };
        let (from, to) = (centre(before.face), centre(after.face));
        let distance = ((to.0 - from.0) / larger.w).hypot((to.1 - from.1) / larger.h);
        let is_same =
            (1.0 / MAX_GROWTH..=MAX_GROWTH).contains(&growth) && distance <= MAX_STEP * (1.0 + seconds(gap));
        is_same.then_some(distance)
    }
}

/// A span of time in which the same people are certainly in the frame.
#[derive(Clone, Debug)]
struct Scene {
    /// First frame, ns.
    begin: u64,
    /// Last frame, ns.
    end: u64,
    /// Indices of the people who count.
    persons: Vec<usize>,
}

impl Scene {
    /// How many of the scene's people must be expected at `time`.
    fn count_expected(&self, persons: &[Person], time: u64) -> usize {
        let is_expected = |index: &&usize| {
            let Some(person) = persons.get(**index) else { return false };
            let is_gone = person.has_left && person.last().time < time;
            let is_to_come = person.has_entered && person.first().time > time;
            !is_gone && !is_to_come
        };
        self.persons.iter().filter(is_expected).count()
    }
}

/// Collects the finds of each person.
fn find_persons(timeline: &Timeline) -> Vec<Person> {
    let mut persons: Vec<Person> = Vec::new();
    let mut index_of_id: HashMap<u32, usize> = HashMap::new();
    for (frame, duration) in timeline.frames_with_duration() {
        for face in &frame.faces {
            let find = Find { time: frame.pts, face: face.bbox };
            let index = *index_of_id.entry(face.id).or_insert(persons.len());
            match persons.get_mut(index) {
                // An id occurs once in a frame.
                Some(person) if person.last().time >= find.time => {}
                Some(person) => {
                    person.finds.push(find);
                    person.evidence = person.evidence.saturating_add(duration);
                }
                None => persons.push(Person {
                    finds: vec![find],
                    evidence: duration,
                    has_entered: false,
                    has_left: false,
                }),
            }
        }
    }
    let mut persons = join_persons(persons);
    for person in &mut persons {
        person.has_left = moves_out(person.finds.iter().rev());
        person.has_entered = moves_out(person.finds.iter());
    }
    persons
}

/// Joins people of whom one continues the other, in order of their first finds, the nearest first.
fn join_persons(found: Vec<Person>) -> Vec<Person> {
    let mut persons: Vec<Person> = Vec::new();
    for person in found {
        let distances = persons.iter().enumerate();
        let best = distances
            .filter_map(|(index, earlier)| Some((index, person.continues(earlier)?)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        match best.and_then(|(index, _)| persons.get_mut(index)) {
            Some(earlier) => {
                earlier.finds.extend(person.finds);
                earlier.evidence = earlier.evidence.saturating_add(person.evidence);
            }
            None => persons.push(person),
        }
    }
    persons
}

/// Whether a face whose `finds` come from the end of its way leaves the frame: its middle, going on as between the finds
/// up to [`LEAVING_TIME`] before, would be outside.
fn moves_out<'a>(mut finds: impl Iterator<Item = &'a Find>) -> bool {
    let Some(last) = finds.next() else { return false };
    let recent = finds.take_while(|find| find.time.abs_diff(last.time) <= LEAVING_TIME);
    let Some(before) = recent.last().filter(|find| find.time.abs_diff(last.time) >= MIN_MOTION_TIME) else {
        return false;
    };
    let steps = LEAVING_TIME as f64 / last.time.abs_diff(before.time) as f64;
    let (from, to) = (centre(before.face), centre(last.face));
    let ahead = (to.0 + (to.0 - from.0) * steps, to.1 + (to.1 - from.1) * steps);
    !(0.0..=1.0).contains(&ahead.0) || !(0.0..=1.0).contains(&ahead.1)
}

/// Divides the timeline into spans in which the same people are certainly in the frame.
fn find_scenes(timeline: &Timeline, persons: &[Person]) -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    for frame in &timeline.frames {
        let present = persons.iter().enumerate();
        let present = present.filter(|(_, person)| person.counts() && person.is_present(frame.pts));
        let present: Vec<usize> = present.map(|(index, _)| index).collect();
        match scenes.last_mut().filter(|scene| scene.persons == present) {
            Some(scene) => scene.end = frame.pts,
            None => scenes.push(Scene { begin: frame.pts, end: frame.pts, persons: present }),
        }
    }
    scenes
}

fn centre(face: Rect) -> (f64, f64) {
    (face.x + face.w / 2.0, face.y + face.h / 2.0)
}

fn interpolate(from: Rect, to: Rect, share: f64) -> Rect {
    let mix = |from: f64, to: f64| from + (to - from) * share;
    Rect { x: mix(from.x, to.x), y: mix(from.y, to.y), w: mix(from.w, to.w), h: mix(from.h, to.h) }
}

/// Adds a margin on each side, in sides of the rectangle.
fn widen(face: Rect, margin: f64) -> Rect {
    Rect {
        x: face.x - face.w * margin,
        y: face.y - face.h * margin,
        w: face.w * (1.0 + 2.0 * margin),
        h: face.h * (1.0 + 2.0 * margin),
    }
}

fn seconds(time: u64) -> f64 {
    time as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use mood_schema::{Face, FrameLine};

    const FACE: Rect = Rect { x: 0.4, y: 0.3, w: 0.1, h: 0.2 };

    /// A timeline of `seconds` at ten frames a second; `faces` gives the ids and boxes of a frame.
    fn timeline(seconds: u64, faces: impl Fn(u64) -> Vec<(u32, Rect)>) -> Timeline {
        let frame = |frame: u64| {
            let face = |(id, bbox)| Face {
                id,
                bbox,
                classification: None,
                quality: 1.0,
                roll: 0.0,
                source: Default::default(),
                resembles: None,
                quality_limit: None,
            };
            FrameLine { frame, pts: frame * 100_000_000, faces: faces(frame).into_iter().map(face).collect() }
        };
        Timeline { frames: (0..seconds * 10).map(frame).collect(), ..Timeline::default() }
    }

    fn areas(hiding: &Hiding) -> &[Rect] {
        match hiding {
            Hiding::Areas(areas) => areas,
            Hiding::Everything => panic!("everything is hidden"),
        }
    }

    fn contains(outer: Rect, inner: Rect) -> bool {
        outer.x <= inner.x
            && outer.y <= inner.y
            && outer.x + outer.w >= inner.x + inner.w
            && outer.y + outer.h >= inner.y + inner.h
    }

    /// The spans of frames that are hidden as a whole, as first and last frame.
    fn hidden_spans(plan: &HidingPlan) -> Vec<(usize, usize)> {
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for (index, _) in plan.frames.iter().enumerate().filter(|(_, hiding)| **hiding == Hiding::Everything)
        {
            match spans.last_mut().filter(|span| span.1 + 1 == index) {
                Some(span) => span.1 = index,
                None => spans.push((index, index)),
            }
        }
        spans
    }

    #[test]
    fn nothing_is_added_where_everybody_is_found() {
        let plan = HidingPlan::new(&timeline(5, |_| vec![(1, FACE)]), None);
        assert!(plan.frames.iter().all(|hiding| areas(hiding).is_empty()) && plan.unverified_share() == 0.0);
        let nobody = HidingPlan::new(&timeline(5, |_| vec![]), None);
        assert!(nobody.frames.iter().all(|hiding| areas(hiding).is_empty()) && !nobody.has_faces);
    }

    #[test]
    fn a_gap_is_bridged_on_the_way_between_the_finds() {
        let moved = |frame: u64| Rect { x: 0.2 + frame as f64 * 0.01, ..FACE };
        // The person gets a new id, as after a long loss.
        let found = |frame: u64| match frame {
            0..15 => vec![(1, moved(frame))],
            15..30 => vec![],
            _ => vec![(2, moved(frame))],
        };
        let plan = HidingPlan::new(&timeline(5, found), None);
        let mut widest = 0.0f64;
        for frame in 15..30 {
            let [area] = areas(&plan.frames[frame as usize]) else { panic!("one area") };
            assert!(contains(*area, moved(frame)), "{frame}: {area:?}");
            widest = widest.max(area.w);
        }
        let [first, _] = [15, 29].map(|frame| areas(&plan.frames[frame])[0].w);
        assert!(widest > 1.5 * first, "it is wider in the middle: {widest} {first}");
        assert_eq!(hidden_spans(&plan), []);
    }

    #[test]
    fn everything_is_hidden_where_a_person_is_lost_for_long() {
        let found = |frame: u64| if (20..60).contains(&frame) { vec![(1, FACE)] } else { vec![] };
        let plan = HidingPlan::new(&timeline(30, found), None);
        // Known for a second around the finds, expected for ten seconds.
        assert_eq!(hidden_spans(&plan), [(0, 9), (70, 159)]);
        assert_eq!(areas(&plan.frames[15]).len(), 1);
        assert!((plan.unverified_share() - 100.0 / 300.0).abs() < 1e-9);
    }

    #[test]
    fn everything_is_hidden_where_fewer_are_found_than_there_are() {
        let other = Rect { x: 0.7, ..FACE };
        let found = |frame: u64| match frame {
            0..30 => vec![(1, FACE), (2, other)],
            _ => vec![(1, FACE)],
        };
        let recording = timeline(30, found);
        assert_eq!(hidden_spans(&HidingPlan::new(&recording, None)), [(40, 129)]);
        assert_eq!(hidden_spans(&HidingPlan::new(&recording, Some(2))), [(40, 299)]);
        assert_eq!(hidden_spans(&HidingPlan::new(&recording, Some(1))), []);
        assert_eq!(hidden_spans(&HidingPlan::new(&recording, Some(3))), [(0, 299)]);
    }

    #[test]
    fn a_single_detection_hides_its_own_place_only() {
        let found = |frame: u64| if frame == 50 { vec![(1, FACE)] } else { vec![] };
        let plan = HidingPlan::new(&timeline(20, found), None);
        assert_eq!(hidden_spans(&plan), []);
        for frame in [0, 49, 51, 149] {
            let [area] = areas(&plan.frames[frame]) else { panic!("{frame}") };
            assert!(contains(*area, FACE) && area.w <= FACE.w * (1.0 + 2.0 * MAX_MARGIN) + 1e-9);
        }
        assert!(areas(&plan.frames[151]).is_empty());
    }

    #[test]
    fn a_person_who_leaves_through_the_edge_is_not_missed() {
        let walking = |frame: u64| Rect { x: 0.5 + 0.02 * (frame as f64 - 20.0), ..FACE };
        let found = |frame: u64| match frame {
            0..20 => vec![(1, FACE)],
            // The middle is at the edge in frame 42.
            20..42 => vec![(1, walking(frame))],
            _ => vec![],
        };
        let plan = HidingPlan::new(&timeline(20, found), None);
        assert_eq!(hidden_spans(&plan), []);
        assert_eq!(areas(&plan.frames[45]).len(), 1, "the rest of the face is hidden still");
        // The same backwards: somebody who enters was not there before.
        let entering = |frame: u64| if frame < 142 { vec![] } else { found(183 - frame) };
        assert_eq!(hidden_spans(&HidingPlan::new(&timeline(18, entering), None)), []);
    }

    #[test]
    fn ids_that_are_far_apart_are_two_people_but_only_one_is_expected() {
        let elsewhere = Rect { x: 0.8, y: 0.7, w: 0.1, h: 0.2 };
        let found = |frame: u64| if frame < 50 { vec![(1, FACE)] } else { vec![(2, elsewhere)] };
        let recording = timeline(10, found);
        assert_eq!(find_persons(&recording).len(), 2);
        let plan = HidingPlan::new(&recording, None);
        assert!(
            plan.frames.iter().all(|hiding| areas(hiding).len() == 1),
            "both places are hidden, not everything"
        );
    }
}
