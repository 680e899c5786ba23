//! A loader of synthetic tracks: the values of each rise a little with every sample from a value of its own,
//! so that the output shows which track plays and at which position.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use mood_schema::{Affect, Emotion};
use music_library::{Library, Track};

use crate::{
    AnalysisProgress, AudioFormat, Interrupted, LoadId, LoadRequest, LoadResult, LoadedTrack, Loudness,
    TrackEnd, TrackError, TrackLoader, TrackSource,
};

/// Sample rate, Hz.
pub const RATE: u64 = 8_000;
/// How much a track's value grows with each sample.
pub const SLOPE: f32 = 1e-6;

/// A track of rising values.
pub struct Ramp {
    value: f32,
    position: u64,
    length: u64,
    end: TrackEnd,
    buffered: u64,
    /// The number of samples that are decoded so far; `None` for all.
    decoded: Option<Rc<Cell<u64>>>,
}

impl TrackSource for Ramp {
    fn fill(&mut self, samples: usize, _wait: bool) -> Result<(), Interrupted> {
        self.buffered = match &self.decoded {
            Some(decoded) => self.length.min(decoded.get()) - self.position,
            None => self.buffered.max(samples as u64).min(self.length - self.position),
        };
        Ok(())
    }

    fn buffered(&self) -> usize {
        self.buffered as usize
    }

    fn end(&self) -> Option<&TrackEnd> {
        (self.position + self.buffered == self.length).then_some(&self.end)
    }

    fn read(&mut self, out: &mut [f32]) -> usize {
        let samples = self.buffered.min(out.len() as u64);
        out.iter_mut()
            .zip(self.position..self.position + samples)
            .for_each(|(out, position)| *out = self.value + position as f32 * SLOPE);
        self.position += samples;
        self.buffered -= samples;
        samples as usize
    }

    fn set_end(&mut self, end: u64) {
        self.length = self.length.min(end).max(self.position);
        self.buffered = self.buffered.min(self.length - self.position);
    }
}

/// Opens `file:///VALUE/SECONDS`. A third path segment makes a broken track: with `never` it cannot be
/// opened, with anything else it breaks off at its end.
#[derive(Default)]
pub struct FakeLoader {
    last_id: u64,
    requests: BTreeMap<LoadId, LoadRequest>,
    /// Whether loads finish only when they are waited for.
    pub slow: bool,
    /// Whether every [`TrackLoader::take`] is interrupted.
    pub interrupted: bool,
    /// Whether all tracks fail to open.
    pub disk_removed: bool,
    /// The addresses of files that are not there.
    pub missing: BTreeSet<String>,
    /// How often files were looked for.
    pub looks: usize,
    /// Whether tracks that are asked for soon are loaded with an estimate of -10 LUFS.
    pub estimates: bool,
    /// The requests that were expedited.
    expedited: BTreeSet<LoadId>,
    /// What is found out about tracks.
    pub analyses: BTreeMap<String, Result<AnalysisProgress, TrackError>>,
    /// The requests so far.
    pub loads: Vec<LoadRequest>,
    /// The number of samples that are decoded so far of each track; `None` for all.
    pub decoded: Option<Rc<Cell<u64>>>,
}

impl TrackLoader for FakeLoader {
    type Source = Ramp;

    fn load(&mut self, request: LoadRequest) -> LoadId {
        self.last_id += 1;
        self.loads.push(request.clone());
        self.requests.insert(LoadId(self.last_id), request);
        LoadId(self.last_id)
    }

    fn take(&mut self, id: LoadId, wait: bool) -> Result<Option<LoadResult<Ramp>>, Interrupted> {
        if self.interrupted {
            return Err(Interrupted);
        }
        if self.slow && !wait {
            return Ok(None);
        }
        let request = self.requests.remove(&id).expect("an open request");
        let parts: Vec<&str> = request.uri.trim_start_matches("file:///").split('/').collect();
        if self.missing.contains(&request.uri) {
            return Ok(Some(Err(TrackError::NotFound)));
        }
        if parts.get(2) == Some(&"never") || self.disk_removed {
            return Ok(Some(Err("cannot be opened".into())));
        }
        let start = request.start;
        let source = Ramp {
            value: parts[0].parse().unwrap(),
            position: start,
            length: (parts[1].parse::<f64>().unwrap() * RATE as f64) as u64,
            end: parts.get(2).map_or(TrackEnd::Complete, |_| TrackEnd::Broken("broke off".into())),
            buffered: 0,
            decoded: self.decoded.clone(),
        };
        let is_estimate = self.estimates && self.expedited.contains(&id);
        let integrated = if is_estimate { -10.0 } else { -16.0 };
        let loudness = Loudness { integrated, true_peak: 0.5 };
        let end = (!is_estimate).then_some(source.length);
        Ok(Some(Ok(LoadedTrack { source, start, end, loudness, is_estimate })))
    }

    fn expedite(&mut self, id: LoadId) {
        self.expedited.insert(id);
    }

    fn analysis(&mut self, uri: &str) -> Option<Result<AnalysisProgress, TrackError>> {
        self.analyses.remove(uri)
    }

    fn look_for(&mut self, uris: Vec<String>, _wait: bool) -> Vec<String> {
        self.looks += 1;
        uris.into_iter().filter(|uri| !self.missing.contains(uri)).collect()
    }

    fn measure(&mut self, _uri: &str, _format: AudioFormat) {}

    fn cancel(&mut self, id: LoadId) {
        self.requests.remove(&id);
    }

    fn close(&mut self, _source: Ramp) {}
}

/// A library of tracks for [`FakeLoader`], given as emotion and `VALUE/SECONDS`.
pub fn library(tracks: &[(Emotion, &str)]) -> Arc<Library> {
    let tracks = tracks.iter().map(|(emotion, path)| Track {
        uri: format!("file:///{path}"),
        title: (*path).into(),
        affect: Some(Affect::from_emotion(*emotion)),
        emotions: vec![*emotion],
        ..Track::default()
    });
    Arc::new(Library { tracks: tracks.collect(), ..Library::default() })
}
