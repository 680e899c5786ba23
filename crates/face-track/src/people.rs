//! Who returned: the people of a stream by their looks.

use gray_image::PixelRect;

use crate::appearance::Appearance;

/// A returning face is the person whom it resembles this closely, unless it resembles another nearly as much.
/// Sightings of one person in one shot are at most 0.28 apart and mostly 0.07 to 0.22; those of different people at
/// least 0.29 and mostly 0.35 to 0.45 (six people in seven clips).
const MAX_DISTANCE: f32 = 0.22;
/// The same for a face in the place where that person was last.
const MAX_DISTANCE_IN_PLACE: f32 = 0.28;
/// How much closer than any other absent person the resembled one must be. In the scenes of `tests/returning.rs`, with
/// people alike in age, hair, light and camera, 37 of 40 are right and none is wrong.
const MARGIN: f32 = 0.03;
/// The same for a face in the place where that person was last.
const MARGIN_IN_PLACE: f32 = 0.02;
/// The largest distance of a person who can be nobody else, because the number of people is known. What is
/// mistaken for a face is at least 0.40 from the people of its clip.
const MAX_DISTANCE_IF_KNOWN: f32 = 0.36;
/// A face farther than this from a person is not that person, even in the same place.
const MIN_DIFFERENCE: f32 = 0.36;
/// A face as close as this to another person may be the same one.
const MAX_RESEMBLANCE: f32 = 0.28;
/// Weight of the clothes, where they are visible; the rest is the face's.
const CLOTHES_WEIGHT: f32 = 0.3;
/// Intersection over union from which a face is in the place where a person was last.
const SAME_PLACE: f64 = 0.3;
/// Time between two looks at a person, ns.
const SAMPLE_INTERVAL: u64 = 200_000_000;
/// A look that is as close as this to an earlier one adds nothing.
const MIN_NOVELTY: f32 = 0.09;
/// Most looks kept of one person.
const MAX_LOOKS: usize = 12;
/// Most people remembered.
const MAX_PEOPLE: usize = 64;
/// Someone who was looked at this often is counted as one of the people.
const MIN_LOOKS_OF_PERSON: u32 = 3;

/// One person of the stream.
#[derive(Clone, Debug)]
struct Person {
    id: u32,
    /// Looks that differ, oldest first.
    looks: Vec<Appearance>,
    /// How often the person was looked at.
    look_count: u32,
    /// When the person was last looked at, ns.
    last_look: u64,
    /// When the person was last seen, ns.
    last_seen: u64,
    last_rect: PixelRect<f64>,
    /// Ids of the people who were seen in the same frame.
    seen_with: Vec<u32>,
}

impl Person {
    /// How different a face looks from the closest look at this person, 0-1.
    fn distance(&self, appearance: &Appearance) -> f32 {
        let distances = self.looks.iter().map(|look| {
            let face = look.face_distance(appearance);
            let Some(clothes) = look.clothes_distance(appearance) else { return face };
            face + CLOTHES_WEIGHT * (clothes - face)
        });
        distances.fold(1.0, f32::min)
    }
}

/// The people of a stream, so that one who was gone gets the same id again. Descriptors are in memory only, until
/// the stream ends or [`clear`](Self::clear).
#[derive(Clone, Debug, Default)]
pub struct People {
    people: Vec<Person>,
}

impl People {
    /// Forgets the looks of all people.
    pub fn clear(&mut self) {
        self.people.clear();
    }

    /// Has time begin anew, as where a stream is started again.
    pub fn restart_time(&mut self) {
        for person in &mut self.people {
            (person.last_look, person.last_seen) = (0, 0);
        }
    }

    /// Whether a look at the person `id` in the frame at `time` would be of use.
    pub fn is_look_due(&self, id: u32, time: u64) -> bool {
        let person = self.people.iter().find(|person| person.id == id);
        person.is_none_or(|person| time.saturating_sub(person.last_look) >= SAMPLE_INTERVAL)
    }

    /// Adds a look at the person `id`. Returns the id of an earlier person whom this one resembles and who was
    /// never seen in the same frame, if there is one.
    pub fn add_look(&mut self, id: u32, time: u64, appearance: Appearance) -> Option<u32> {
        let Some(index) = self.people.iter().position(|person| person.id == id) else {
            if self.people.len() == MAX_PEOPLE {
                self.forget_oldest();
            }
            self.people.push(Person {
                id,
                looks: vec![appearance.clone()],
                look_count: 1,
                last_look: time,
                last_seen: time,
                last_rect: PixelRect::default(),
                seen_with: Vec::new(),
            });
            return self.resembled(self.people.last()?, &appearance);
        };
        let resembled = self.resembled(&self.people[index], &appearance);
        let person = &mut self.people[index];
        person.last_look = time;
        person.look_count += 1;
        let novelty = person.looks.iter().map(|look| look.face_distance(&appearance)).fold(1.0, f32::min);
        if novelty >= MIN_NOVELTY {
            if person.looks.len() == MAX_LOOKS {
                person.looks.remove(least_novel(&person.looks));
            }
            person.looks.push(appearance);
        }
        resembled
    }

    /// Records who is in the frame at `time`, and where.
    pub fn see(&mut self, time: u64, faces: &[(u32, PixelRect<f64>)]) {
        for person in &mut self.people {
            let Some(&(_, rect)) = faces.iter().find(|(id, _)| *id == person.id) else { continue };
            (person.last_seen, person.last_rect) = (time, rect);
            for &(other, _) in faces {
                if other != person.id && !person.seen_with.contains(&other) {
                    person.seen_with.push(other);
                }
            }
        }
    }

    /// Whether a face may be the person `id`, as far as looks say so.
    pub fn may_be(&self, id: u32, appearance: &Appearance) -> bool {
        let person = self.people.iter().find(|person| person.id == id);
        person.is_none_or(|person| person.distance(appearance) < MIN_DIFFERENCE)
    }

    /// How different a face looks from the person `id`, without clothes, 0-1; 1 for somebody unknown.
    pub fn face_distance(&self, id: u32, appearance: &Appearance) -> f32 {
        let person = self.people.iter().find(|person| person.id == id);
        let looks = person.map_or(&[][..], |person| &person.looks);
        looks.iter().map(|look| look.face_distance(appearance)).fold(1.0, f32::min)
    }

    /// The person, none of `present`, whom a face at `rect` shows; `None` for somebody new, and where it is
    /// doubtful. `known_people` is how many people there are, 0 where that is unknown.
    pub fn identify(
        &self,
        appearance: &Appearance,
        rect: &PixelRect<f64>,
        present: &[u32],
        known_people: usize,
    ) -> Option<u32> {
        let mut distances: Vec<(f32, &Person)> =
            self.people.iter().map(|person| (person.distance(appearance), person)).collect();
        distances.sort_by(|a, b| a.0.total_cmp(&b.0));
        let &(distance, person) = distances.iter().find(|(_, person)| !present.contains(&person.id))?;
        let is_in_place = person.last_rect.intersection_over_union(rect) >= SAME_PLACE;
        let (limit, margin) =
            if is_in_place { (MAX_DISTANCE_IN_PLACE, MARGIN_IN_PLACE) } else { (MAX_DISTANCE, MARGIN) };
        let is_clear = distances.iter().all(|&(other, candidate)| {
            // Who is present already can hardly be this face too.
            let margin = if present.contains(&candidate.id) { 0.0 } else { margin };
            candidate.id == person.id || other >= distance + margin
        });
        let counted = self.people.iter().filter(|person| person.look_count >= MIN_LOOKS_OF_PERSON).count();
        let is_last_choice =
            known_people > 0 && counted >= known_people && person.look_count >= MIN_LOOKS_OF_PERSON;
        let is_recognised =
            is_clear && distance <= limit || is_last_choice && distance <= MAX_DISTANCE_IF_KNOWN;
        is_recognised.then_some(person.id)
    }

    /// The id of the earlier person whom a look at `person` resembles the most, closely enough to ask about.
    fn resembled(&self, person: &Person, appearance: &Appearance) -> Option<u32> {
        let others = self.people.iter().filter(|other| {
            other.id < person.id
                && other.look_count >= MIN_LOOKS_OF_PERSON
                && !other.seen_with.contains(&person.id)
        });
        let closest =
            others.map(|other| (other.distance(appearance), other.id)).min_by(|a, b| a.0.total_cmp(&b.0));
        closest.filter(|(distance, _)| *distance <= MAX_RESEMBLANCE).map(|(_, id)| id)
    }

    fn forget_oldest(&mut self) {
        let oldest = self.people.iter().enumerate().min_by_key(|(_, person)| person.last_seen);
        if let Some((index, _)) = oldest {
            self.people.remove(index);
        }
    }
}

/// The index of the look that is closest to another one.
fn least_novel(looks: &[Appearance]) -> usize {
    let novelty = |index: usize| {
        let others = looks.iter().enumerate().filter(|(other, _)| *other != index);
        others.map(|(_, look)| look.face_distance(&looks[index])).fold(1.0, f32::min)
    };
    (0..looks.len()).min_by(|&a, &b| novelty(a).total_cmp(&novelty(b))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::Pose;
    use gray_image::GrayImage;

    const SIDE: usize = 160;
    const HERE: PixelRect<f64> = PixelRect { x: 40.0, y: 40.0, w: 80.0, h: 80.0 };
    const ELSEWHERE: PixelRect<f64> = PixelRect { x: 300.0, y: 40.0, w: 80.0, h: 80.0 };
    const SECOND: u64 = 1_000_000_000;

    /// What a person with a pattern of her own looks like. `change` is added noise, grey values.
    fn look(person: u32, change: u32) -> Appearance {
        let pixel = |i: usize| {
            let (x, y, k) = ((i % SIDE) as f64, (i / SIDE) as f64, f64::from(person));
            let noise = f64::from((i as u32 ^ change).wrapping_mul(2_654_435_761) >> 24) / 256.0 - 0.5;
            let wave = (x * (0.1 + 0.07 * k)).sin() * (y * (0.3 - 0.05 * k)).cos();
            (128.0 + 80.0 * wave + f64::from(change) * noise) as u8
        };
        let pixels: Vec<u8> = (0..SIDE * SIDE).map(pixel).collect();
        let image = GrayImage::new(&pixels, SIDE, SIDE, SIDE).unwrap();
        Appearance::describe(&image, &Pose::new(&HERE, 0.0))
    }

    /// Persons 1 and 2, seen together for a second.
    fn two_people() -> People {
        let mut people = People::default();
        for step in 0..5 {
            for id in [1, 2] {
                assert_eq!(people.add_look(id, step * SAMPLE_INTERVAL, look(id, 0)), None);
            }
            people.see(step * SAMPLE_INTERVAL, &[(1, HERE), (2, ELSEWHERE)]);
        }
        people
    }

    #[test]
    fn who_returns_is_recognised_in_any_place_and_order() {
        let people = two_people();
        assert_eq!(people.identify(&look(1, 3), &ELSEWHERE, &[], 0), Some(1));
        assert_eq!(people.identify(&look(2, 3), &HERE, &[], 0), Some(2));
        assert_eq!(people.identify(&look(2, 3), &HERE, &[1], 0), Some(2));
        assert_eq!(people.identify(&look(1, 3), &HERE, &[1, 2], 0), None, "both are there");
        assert_eq!(people.identify(&look(1, 3), &HERE, &[1], 0), None, "one person in two places");
    }

    #[test]
    fn somebody_else_is_somebody_new() {
        let people = two_people();
        assert_eq!(people.identify(&look(5, 0), &HERE, &[], 0), None);
        assert!(!people.may_be(1, &look(5, 0)) && people.may_be(1, &look(1, 3)));
        let mut people = people;
        people.clear();
        assert_eq!(people.identify(&look(1, 0), &HERE, &[], 0), None, "forgotten");
    }

    #[test]
    fn a_new_id_that_looks_like_an_earlier_one_says_so() {
        let mut people = two_people();
        assert_eq!(people.add_look(3, 9 * SECOND, look(1, 3)), Some(1));
        people.see(9 * SECOND, &[(3, HERE), (1, ELSEWHERE)]);
        assert_ne!(people.add_look(3, 10 * SECOND, look(1, 3)), Some(1), "they were seen together");
    }

    #[test]
    fn who_was_there_before_time_began_anew_is_recognised_and_looked_at() {
        let mut people = two_people();
        people.add_look(1, 60 * SECOND, look(1, 0));
        people.restart_time();
        assert_eq!(people.identify(&look(1, 3), &ELSEWHERE, &[], 0), Some(1));
        assert!(people.is_look_due(1, SAMPLE_INTERVAL));
    }

    #[test]
    fn memory_is_bounded() {
        let mut people = People::default();
        for id in 1..=2 * MAX_PEOPLE as u32 {
            for step in 0..3 * MAX_LOOKS as u32 {
                if id < 3 {
                    people.add_look(id, u64::from(step) * SECOND, look(step, 0));
                }
            }
            people.add_look(id, u64::from(id) * SECOND, look(id % 5, 0));
            people.see(u64::from(id) * SECOND, &[(id, HERE)]);
        }
        assert!(people.people.len() <= MAX_PEOPLE);
        assert!(people.people.iter().all(|person| person.looks.len() <= MAX_LOOKS));
    }
}
