//! Who the faces of a frame are, by more than their places.

use std::collections::HashMap;

use gray_image::GrayImage;

use crate::appearance::Appearance;
use crate::patch::Pose;
use crate::people::People;
use crate::tracker::{Observation, Recognizer};

/// How long a face may be missing and still be matched by its place alone, ns.
const MAX_UNVERIFIED_ABSENCE: u64 = 200_000_000;

/// Recognises the observations of one frame by what the people of the stream look like.
#[derive(Debug)]
pub struct FrameRecognizer<'a> {
    people: &'a People,
    image: &'a GrayImage<'a>,
    observations: &'a [Observation],
    known_people: usize,
    /// By the index of the observation.
    looks: HashMap<usize, Appearance>,
}

impl<'a> FrameRecognizer<'a> {
    /// A recognizer for the observations in `image`. `known_people` is how many people there are, 0 where that is
    /// unknown.
    pub fn new(
        people: &'a People,
        image: &'a GrayImage<'a>,
        observations: &'a [Observation],
        known_people: usize,
    ) -> Self {
        Self { people, image, observations, known_people, looks: HashMap::new() }
    }

    fn look(&mut self, index: usize) -> &Appearance {
        let Self { image, observations, .. } = *self;
        let describe =
            || Appearance::describe(image, &Pose::new(&observations[index].rect, observations[index].roll));
        self.looks.entry(index).or_insert_with(describe)
    }
}

impl Recognizer for FrameRecognizer<'_> {
    fn may_be(&mut self, index: usize, id: u32, absence: u64) -> bool {
        let people = self.people;
        absence <= MAX_UNVERIFIED_ABSENCE || people.may_be(id, self.look(index))
    }

    fn identify(&mut self, index: usize, present: &[u32]) -> Option<u32> {
        let (people, known_people, rect) = (self.people, self.known_people, self.observations[index].rect);
        people.identify(self.look(index), &rect, present, known_people)
    }
}
