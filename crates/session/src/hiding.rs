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
//!    missed. In another shot, behind a cut or where the camera was moved, a position is known from the first find on, and
//!    nobody has left. Only people who were found for [`MIN_EVIDENCE`] count, so that a single false detection hides its own area
//!    and not everything.

use std::collections::HashMap;

use mood_schema::{FrameLine, Rect};

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
        let moments = moments(timeline);
        let persons = find_persons(timeline, &moments);
        let scenes = find_scenes(&moments, &persons);
        let mut first_scene = 0;
        let frames = moments.iter().map(|&moment| {
            let time = moment.time;
            while scenes.get(first_scene).is_some_and(|scene| scene.end.saturating_add(NEARBY) < time) {
                first_scene += 1;
            }
            let nearby = || {
                let scenes = scenes.get(first_scene..).unwrap_or_default();
                scenes.iter().take_while(|scene| scene.begin <= time.saturating_add(NEARBY))
            };
            let known = persons.iter().filter(|person| person.counts() && person.is_known(moment)).count();
            let expected = people.unwrap_or_else(|| {
                let counts = nearby().map(|scene| scene.count_expected(&persons, moment));
                counts.max().unwrap_or(0)
            });
            if known < expected {
                return Hiding::Everything;
            }
            Hiding::Areas(persons.iter().flat_map(|person| person.areas(moment)).collect())
        });
        Self { frames: frames.collect(), has_faces: !persons.is_empty() }
    }

    /// The share of the frames, 0-1, in which it is not known where all faces are.
    pub fn unverified_share(&self) -> f64 {
        let unverified = self.frames.iter().filter(|hiding| **hiding == Hiding::Everything).count();
        unverified as f64 / self.frames.len().max(1) as f64
    }
}

/// When a frame is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    /// ns of stream time.
    time: u64,
    /// Number of the shot in the timeline, from 0, whatever parts it was recorded in.
    shot: u32,
}

/// A face found at a time.
#[derive(Clone, Copy, Debug)]
struct Find {
    /// ns of stream time.
    time: u64,
    /// As in [`Moment::shot`].
    shot: u32,
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
    fn is_known(&self, moment: Moment) -> bool {
        let (previous, next) = self.neighbours(moment.time);
        let [previous, next] = [previous, next].map(|find| find.filter(|find| find.shot == moment.shot));
        // Whoever is found behind a cut may have been elsewhere before, in a shot too short to be noticed.
        let next = next.filter(|_| previous.is_some() || moment.shot == 0);
        [previous, next].into_iter().flatten().any(|find| find.time.abs_diff(moment.time) <= KNOWN_TIME)
    }

    /// Whether the person was certainly in the frame.
    fn is_present(&self, moment: Moment) -> bool {
        (self.first().time..=self.last().time).contains(&moment.time) && self.is_known(moment)
    }

    /// The areas in which the person may be where not found; none where found, or not nearby.
    fn areas(&self, moment: Moment) -> impl Iterator<Item = Rect> + use<> {
        let Moment { time, shot } = moment;
        let distance = self.distance(time);
        let is_lost = self.is_nearby(time) && distance != 0 && distance <= NEARBY;
        let place =
            |face, distance| widen(face, (MARGIN + MARGIN_PER_SECOND * seconds(distance)).min(MAX_MARGIN));
        let areas = match self.neighbours(time) {
            _ if !is_lost => [None; 2],
            (Some(previous), Some(next)) if [previous.shot, next.shot] == [shot; 2] => {
                let share = (time - previous.time) as f64 / (next.time - previous.time) as f64;
                [Some(place(interpolate(previous.face, next.face, share), distance)), None]
            }
            // There is no way between places in different shots, and it is not known to the frame where one shot ends.
            (previous, next) => [previous, next].map(|find| {
                let find = find.filter(|find| find.time.abs_diff(time) <= NEARBY)?;
                Some(place(find.face, find.time.abs_diff(time)))
            }),
        };
        areas.into_iter().flatten()
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
    /// How many of the scene's people must be expected. Who has left a shot may be in another one.
    fn count_expected(&self, persons: &[Person], moment: Moment) -> usize {
        let is_expected = |index: &&usize| {
            let Some(person) = persons.get(**index) else { return false };
            let (first, last) = (person.first(), person.last());
            let is_gone = person.has_left && last.time < moment.time && last.shot == moment.shot;
            let is_to_come = person.has_entered && first.time > moment.time && first.shot == moment.shot;
            !is_gone && !is_to_come
        };
        self.persons.iter().filter(is_expected).count()
    }
}

/// When each frame is shown.
fn moments(timeline: &Timeline) -> Vec<Moment> {
    let mut shot = 0;
    let mut last = None;
    let moment = |frame: &FrameLine| {
        // A detector that is started again counts from 0 again.
        if last.replace(frame.shot).is_some_and(|last| last != frame.shot) {
            shot += 1;
        }
        Moment { time: frame.pts, shot }
    };
    timeline.frames.iter().map(moment).collect()
}

/// Collects the finds of each person. `moments` has one for each frame.
fn find_persons(timeline: &Timeline, moments: &[Moment]) -> Vec<Person> {
    let mut persons: Vec<Person> = Vec::new();
    let mut index_of_id: HashMap<u32, usize> = HashMap::new();
    for ((frame, duration), moment) in timeline.frames_with_duration().zip(moments) {
        for face in &frame.faces {
            let find = Find { time: moment.time, shot: moment.shot, face: face.bbox };
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
    let is_recent = |find: &&Find| find.shot == last.shot && find.time.abs_diff(last.time) <= LEAVING_TIME;
    let recent = finds.take_while(is_recent);
    let Some(before) = recent.last().filter(|find| find.time.abs_diff(last.time) >= MIN_MOTION_TIME) else {
        return false;
    };
    let steps = LEAVING_TIME as f64 / last.time.abs_diff(before.time) as f64;
    let (from, to) = (centre(before.face), centre(last.face));
    let ahead = (to.0 + (to.0 - from.0) * steps, to.1 + (to.1 - from.1) * steps);
    !(0.0..=1.0).contains(&ahead.0) || !(0.0..=1.0).contains(&ahead.1)
}

/// Divides the timeline into spans in which the same people are certainly in the frame.
fn find_scenes(moments: &[Moment], persons: &[Person]) -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    for &moment in moments {
        let present = persons.iter().enumerate();
        let present = present.filter(|(_, person)| person.counts() && person.is_present(moment));
        let present: Vec<usize> = present.map(|(index, _)| index).collect();
        match scenes.last_mut().filter(|scene| scene.persons == present) {
            Some(scene) => scene.end = moment.time,
            None => scenes.push(Scene { begin: moment.time, end: moment.time, persons: present }),
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
    use mood_schema::Face;

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
            FrameLine {
                frame,
                pts: frame * 100_000_000,
                faces: faces(frame).into_iter().map(face).collect(),
                shot: 0,
            }
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
        assert_eq!(find_persons(&recording, &moments(&recording)).len(), 2);
        let plan = HidingPlan::new(&recording, None);
        assert!(
            plan.frames.iter().all(|hiding| areas(hiding).len() == 1),
            "both places are hidden, not everything"
        );
    }

    /// The timeline with a new shot at each of the frames `cuts`.
    fn with_cuts(mut timeline: Timeline, cuts: &[usize]) -> Timeline {
        for (index, frame) in timeline.frames.iter_mut().enumerate() {
            frame.shot = cuts.iter().filter(|cut| **cut <= index).count() as u32;
        }
        timeline
    }

    #[test]
    fn everything_is_hidden_from_a_cut_to_the_next_find_of_everybody() {
        let elsewhere = Rect { x: 0.7, y: 0.6, ..FACE };
        // The face is lost in frame 40, the cut comes in frame 44, and the face is found elsewhere in frame 48.
        let found = |frame: u64| match frame {
            0..40 => vec![(1, FACE)],
            40..48 => vec![],
            _ => vec![(2, elsewhere)],
        };
        let plan = HidingPlan::new(&with_cuts(timeline(10, found), &[44]), None);
        assert_eq!(hidden_spans(&plan), [(44, 47)]);
        // Before the cut the face is where it was, not on the way to another place.
        assert!(contains(areas(&plan.frames[43])[0], FACE));
        // A camera that is turned away and back: the places before and after are of no use in between.
        let found = |frame: u64| if (40..48).contains(&frame) { vec![] } else { vec![(1, FACE)] };
        let plan = HidingPlan::new(&with_cuts(timeline(10, found), &[42, 46]), Some(1));
        assert_eq!(hidden_spans(&plan), [(42, 47)]);
        // Of two people one is found at once.
        let both = |frame: u64| match frame {
            0..40 => vec![(1, FACE), (2, elsewhere)],
            40..45 => vec![(1, elsewhere)],
            _ => vec![(1, elsewhere), (2, FACE)],
        };
        let plan = HidingPlan::new(&with_cuts(timeline(10, both), &[40]), None);
        assert_eq!(hidden_spans(&plan), [(40, 44)]);
    }

    #[test]
    fn who_has_left_a_shot_is_missed_in_the_next() {
        let walking = |frame: u64| match frame {
            0..20 => vec![(1, FACE)],
            20..42 => vec![(1, Rect { x: 0.5 + 0.02 * (frame as f64 - 20.0), ..FACE })],
            _ => vec![],
        };
        let recording = timeline(20, walking);
        assert_eq!(hidden_spans(&HidingPlan::new(&recording, None)), []);
        let plan = HidingPlan::new(&with_cuts(recording, &[60]), None);
        assert_eq!(hidden_spans(&plan), [(60, 141)]);
    }

    #[test]
    fn a_cut_where_everybody_is_found_hides_nothing() {
        let recording = with_cuts(timeline(5, |frame| vec![(frame as u32 / 10, FACE)]), &[7, 10, 30, 31]);
        assert_eq!(hidden_spans(&HidingPlan::new(&recording, Some(1))), []);
    }

    /// Numbers that look random, by xorshift (Marsaglia 2003).
    struct Random(u64);

    impl Random {
        /// A number from 0 to `end`.
        fn below(&mut self, end: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % end
        }

        /// A number from -1 to 1.
        fn signed(&mut self) -> f64 {
            self.below(2001) as f64 / 1000.0 - 1.0
        }
    }

    #[test]
    fn no_face_is_sharp_whatever_is_cut_lost_and_moved() {
        // Sides of a face in a tenth of a second: what the margin is made for.
        const SPEED: f64 = 0.035;
        let mut hidden = 0;
        for seed in 1..=300 {
            let mut random = Random(seed * 0x9e37_79b9_7f4a_7c15);
            let people = 1 + random.below(3) as usize;
            let place = |random: &mut Random| Rect {
                x: 0.45 + 0.45 * random.signed(),
                y: 0.4 + 0.4 * random.signed(),
                ..FACE
            };
            let mut truth: Vec<(u32, Rect)> = (0..people).map(|id| (id as u32, place(&mut random))).collect();
            let (mut is_lost, mut shot) = (vec![false; people], 0i32);
            let mut recording = timeline(12, |_| Vec::new());
            let mut faces_of_frames = Vec::new();
            for frame in &mut recording.frames {
                // A cut, a camera that is turned upside down, or one that is knocked.
                match random.below(60) {
                    0 => truth = truth.iter().map(|(id, _)| (*id + 10, place(&mut random))).collect(),
                    1 => {
                        for (_, face) in &mut truth {
                            *face = Rect { x: 1.0 - face.x - face.w, y: 1.0 - face.y - face.h, ..*face };
                        }
                    }
                    2 => truth.iter_mut().for_each(|(_, face)| face.x += 0.3),
                    _ => {
                        shot -= 1;
                        for (_, face) in &mut truth {
                            face.x += SPEED * random.signed() * face.w;
                            face.y += SPEED * random.signed() * face.h;
                        }
                    }
                }
                shot += 1;
                frame.shot = shot as u32;
                for (lost, (id, bbox)) in is_lost.iter_mut().zip(&truth) {
                    *lost = if *lost { random.below(8) > 0 } else { random.below(12) == 0 };
                    if !*lost {
                        let line = timeline(1, |_| vec![(*id, *bbox)]);
                        frame.faces.extend(line.frames[0].faces.first().cloned());
                    }
                }
                faces_of_frames.push(truth.clone());
            }
            let plan = HidingPlan::new(&recording, Some(people));
            for (index, faces) in faces_of_frames.iter().enumerate() {
                let Hiding::Areas(areas) = &plan.frames[index] else {
                    hidden += 1;
                    continue;
                };
                for (id, face) in faces {
                    let is_found = recording.frames[index].faces.iter().any(|found| found.id == *id);
                    let is_hidden = is_found || areas.iter().any(|area| contains(*area, *face));
                    assert!(is_hidden, "seed {seed}, frame {index}: {face:?} is not in {areas:?}");
                }
            }
        }
        assert!(hidden < 300 * 120 * 2 / 3, "most frames need not be hidden as a whole: {hidden}");
    }
}
