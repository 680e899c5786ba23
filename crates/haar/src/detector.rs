//! The search: a plan for the picture's size, workers over its stripes, grouping.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::group::{Candidate, Grouping};
use crate::integral::Integrals;
use crate::kernel::{Kernel, Survivors};
use crate::program::Program;
use crate::pyramid::Plan;
use crate::scan::scan;
use crate::{Backend, Cascade, GrayImage, ParamsError};

/// A further thread pays off from about this many windows on.
const WINDOWS_A_THREAD: usize = 4000;

/// Stripes are handed out some at a time: those that follow each other have rows in common, and the last ones handed
/// out must not keep the others waiting.
const SHARES_A_THREAD: usize = 16;

/// More threads than any machine for this has.
const MAX_THREADS: usize = 256;

/// A width and a height, pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Horizontal.
    pub width: u32,
    /// Vertical.
    pub height: u32,
}

impl Size {
    /// Both sides the same.
    pub fn square(side: u32) -> Self {
        Self { width: side, height: side }
    }
}

/// What to look for; the first four mean what they mean to OpenCV's `detectMultiScale`.
///
/// The defaults are OpenCV's but for the scale factor, 1.2 instead of 1.1: half of the time, and on every kind of picture
/// tried fewer false alarms for some faces less (`benches/quality.py`, whose figures stand in benches/RESULTS.md).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    /// From one window size to the next, 1.001-100.
    pub scale_factor: f64,
    /// A face needs more than this many similar windows; 0 gives every window, ungrouped.
    pub min_neighbors: u32,
    /// Smaller windows are not looked at. Where no window size of the pyramid lies between the limits, the one nearest
    /// to this is taken.
    pub min_size: Size,
    /// Larger windows are not looked at; 0 is no limit.
    pub max_size: Size,
    /// Threads that search, this one included; 0 is as many as useful. They change the time it takes, never the result.
    pub threads: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            scale_factor: 1.2,
            min_neighbors: 3,
            min_size: Size::default(),
            max_size: Size::default(),
            threads: 1,
        }
    }
}

/// A rectangle found, in pixels, inside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detection {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width, at least 1.
    pub w: u32,
    /// Height, at least 1.
    pub h: u32,
    /// Windows that agreed on it, at least 1.
    pub neighbors: u32,
}

impl Detection {
    /// How sure one can be, 0-1: 1 - exp(-neighbors / 5).
    ///
    /// A cascade only says yes or no, so the number of windows that agree is all the evidence there is. It is no
    /// probability: it grows with the evidence, and with finer scale factors, which look at more windows.
    pub fn confidence(&self) -> f64 {
        1.0 - (-f64::from(self.neighbors) / 5.0).exp()
    }
}

/// Finds what a cascade was trained for. Keeps its buffers: with one thread, pictures of one size cost no allocation but
/// what more windows that pass than ever before need.
#[derive(Clone, Debug)]
pub struct Detector {
    cascade: Arc<Cascade>,
    params: Params,
    /// For pictures of this width and height.
    planned: Option<(usize, usize)>,
    plan: Plan,
    kernel: Kernel,
    /// For levels of step 1 and 2.
    programs: Option<[Program; 2]>,
    workers: Vec<Worker>,
    candidates: Vec<Candidate>,
    grouping: Grouping,
}

#[derive(Clone, Debug, Default)]
struct Worker {
    integrals: Integrals,
    survivors: Survivors,
    found: Vec<Candidate>,
}

impl Detector {
    /// A search for what `cascade` knows. Fails on a scale factor out of range.
    pub fn new(cascade: impl Into<Arc<Cascade>>, params: Params) -> Result<Self, ParamsError> {
        check(&params)?;
        Ok(Self {
            cascade: cascade.into(),
            params,
            planned: None,
            plan: Plan::default(),
            kernel: Kernel::new(Backend::default()).unwrap_or(Kernel::Scalar),
            programs: None,
            workers: Vec::new(),
            candidates: Vec::new(),
            grouping: Grouping::default(),
        })
    }

    /// The same with other instructions than the fastest this machine has. Fails where it lacks them.
    pub fn with_backend(mut self, backend: Backend) -> Result<Self, ParamsError> {
        self.kernel = Kernel::new(backend).ok_or(ParamsError::Backend(backend))?;
        Ok(self)
    }

    /// The settings.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Changes the settings from the next picture on; where they are refused, the old ones stay.
    pub fn set_params(&mut self, params: Params) -> Result<(), ParamsError> {
        check(&params)?;
        if self.params != params {
            self.params = params;
            self.planned = None;
        }
        Ok(())
    }

    /// Searches a picture. The largest comes first, then by place from top to bottom and left to right.
    ///
    /// The rectangles are those of OpenCV 4's `detectMultiScale` in the same picture, also before grouping. A picture
    /// smaller than the cascade's window has none.
    pub fn detect(&mut self, image: &GrayImage) -> Vec<Detection> {
        let mut detections = Vec::new();
        self.detect_into(image, &mut detections);
        detections
    }

    /// The same into a list, which is emptied first: no allocation where it has room.
    pub fn detect_into(&mut self, image: &GrayImage, detections: &mut Vec<Detection>) {
        self.prepare(image);
        self.search(image);
        let grouped = self.grouping.group(&mut self.candidates, self.params.min_neighbors);
        detections.clear();
        detections.extend(grouped.filter_map(|(candidate, neighbors)| clip(candidate, neighbors, image)));
        detections.sort_unstable_by_key(|d| (Reverse(u64::from(d.w) * u64::from(d.h)), d.y, d.x, d.w));
    }

    /// Plan and program for pictures of this size.
    fn prepare(&mut self, image: &GrayImage) {
        let size = (image.width(), image.height());
        if self.planned != Some(size) {
            let tilted = self.cascade.has_tilted_features();
            self.plan = Plan::new(self.cascade.window, tilted, &self.params, size.0, size.1);
            self.planned = Some(size);
        }
        let layout = self.plan.layout;
        if !self.plan.stripes.is_empty()
            && self.programs.as_ref().is_none_or(|[program, _]| program.layout != layout)
        {
            let before = self.programs.take();
            let program = |step: usize| {
                let before = before.as_ref().map(|programs| &programs[step - 1]);
                Program::new(&self.cascade, layout.stepping(step), before)
            };
            self.programs = Some([program(1), program(2)]);
        }
    }

    /// Fills the candidates, in any order.
    fn search(&mut self, image: &GrayImage) {
        self.candidates.clear();
        let Some(programs) = self.programs.as_ref().filter(|_| !self.plan.stripes.is_empty()) else { return };
        let (plan, kernel) = (&self.plan, self.kernel);
        let threads = threads(&self.params, plan);
        if self.workers.len() < threads {
            self.workers.resize_with(threads, Worker::default);
        }
        let next = AtomicUsize::new(0);
        let share = match threads {
            1 => plan.stripes.len(),
            _ => plan.stripes.len().div_ceil(threads * SHARES_A_THREAD),
        };
        if let [one] = &mut self.workers[..threads] {
            one.run(kernel, programs, plan, image, (&next, share));
        } else if let Some((here, others)) = self.workers[..threads].split_first_mut() {
            std::thread::scope(|scope| {
                for worker in others {
                    let next = &next;
                    // Where the system has no thread left, the others do its work.
                    let _ = std::thread::Builder::new().name("haar".into()).spawn_scoped(scope, move || {
                        worker.run(kernel, programs, plan, image, (next, share))
                    });
                }
                here.run(kernel, programs, plan, image, (&next, share));
            });
        }
        for worker in &mut self.workers {
            self.candidates.append(&mut worker.found);
        }
    }
}

impl Worker {
    /// Takes some stripes after others until none is left.
    fn run(
        &mut self,
        kernel: Kernel,
        [single, double]: &[Program; 2],
        plan: &Plan,
        image: &GrayImage,
        (next, share): (&AtomicUsize, usize),
    ) {
        self.integrals.forget();
        let share = || {
            let first = next.fetch_add(share, Ordering::Relaxed).min(plan.stripes.len());
            Some(&plan.stripes[first..plan.stripes.len().min(first + share)]).filter(|some| !some.is_empty())
        };
        for stripe in std::iter::from_fn(share).flatten() {
            let level = &plan.levels[stripe.level];
            let program = if level.step == 1 { single } else { double };
            self.integrals.fill(kernel, program.layout, image, level, stripe);
            let (w, h) = level.window;
            scan(kernel, program, &self.integrals, level, stripe, &mut self.survivors, |x, y| {
                let scaled = |at: usize| (at as f32 * level.scale).round_ties_even() as i32;
                self.found.push(Candidate { x: scaled(x), y: scaled(y), w, h });
            });
        }
    }
}

fn threads(params: &Params, plan: &Plan) -> usize {
    let threads = match params.threads {
        0 => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            cores.min(plan.windows / WINDOWS_A_THREAD)
        }
        threads => threads,
    };
    threads.min(plan.stripes.len()).clamp(1, MAX_THREADS)
}

fn check(params: &Params) -> Result<(), ParamsError> {
    let factor = params.scale_factor;
    if (1.001..=100.0).contains(&factor) { Ok(()) } else { Err(ParamsError::ScaleFactor(factor)) }
}

/// The part inside the picture, `None` where there is none.
fn clip(candidate: Candidate, neighbors: u32, image: &GrayImage) -> Option<Detection> {
    let side = |from: i32, length: i32, limit: usize| {
        let start = from.max(0);
        let end = (from + length).min(limit as i32);
        (end > start).then_some((start as u32, (end - start) as u32))
    };
    let (x, w) = side(candidate.x, candidate.w, image.width())?;
    let (y, h) = side(candidate.y, candidate.h, image.height())?;
    Some(Detection { x, y, w, h, neighbors })
}
