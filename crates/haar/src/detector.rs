//! The search: a plan for the image's size, workers that scan its stripes, and grouping.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gray_image::{GrayImage, PixelRect, TurnedRect};

use crate::backend::Backend;
use crate::cascade::Cascade;
use crate::compiled::CompiledCascade;
use crate::group::Grouping;
use crate::integral::Integrals;
use crate::kernel::{AnyKernel, Scalar, Survivors};
use crate::params::{Params, ParamsError};
use crate::scan::{SearchArea, scan};
use crate::scan_plan::{ScanPlan, window_scales};

/// Number of windows for which another thread pays off: starting a thread takes about as long as evaluating
/// these.
const WINDOWS_PER_THREAD: usize = 4000;

/// Number of shares of the stripes for each thread. The stripes of a share are consecutive and integrate the
/// rows they have in common once, so large shares save work; small shares keep the threads from waiting for
/// the last one.
const SHARES_PER_THREAD: usize = 16;

/// Upper limit of the number of threads, whatever the settings request.
const MAX_THREADS: usize = 256;

/// An object that a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detection {
    /// Its place, inside the image; both sides are at least 1.
    pub rect: PixelRect,
    /// Number of similar windows that passed the cascade, at least 1.
    pub neighbors: u32,
}

impl Detection {
    /// The confidence, 0-1: 1 - exp(-neighbors / 5).
    ///
    /// A cascade only accepts or rejects a window, so the number of windows that agree is the only evidence.
    /// The value is no probability: it grows with the evidence, and with finer scale factors, which evaluate
    /// more windows.
    pub fn confidence(&self) -> f64 {
        1.0 - (-f64::from(self.neighbors) / 5.0).exp()
    }
}

/// Finds the objects that a cascade was trained for.
///
/// Buffers are kept from image to image: with one thread, further images of one size allocate only where more
/// windows pass than ever before.
#[derive(Clone, Debug)]
pub struct Detector {
    cascade: Arc<Cascade>,
    params: Params,
    /// Width and height of the images that the plan is for; `None` where the settings have changed since.
    planned_size: Option<(usize, usize)>,
    plan: ScanPlan,
    kernel: AnyKernel,
    /// The cascade compiled for levels of step 1 and of step 2.
    compiled: Option<[CompiledCascade; 2]>,
    workers: Vec<Worker>,
    /// The windows of all workers that passed, in any order.
    candidates: Vec<PixelRect<i32>>,
    grouping: Grouping,
}

/// The buffers of one thread.
#[derive(Clone, Debug, Default)]
struct Worker {
    integrals: Integrals,
    survivors: Survivors,
    /// The windows that passed.
    candidates: Vec<PixelRect<i32>>,
}

impl Detector {
    /// A detector with the fastest backend of this CPU.
    ///
    /// # Errors
    /// [`ParamsError::ScaleFactor`] for a scale factor out of range.
    pub fn new(cascade: impl Into<Arc<Cascade>>, params: Params) -> Result<Self, ParamsError> {
        params.check()?;
        Ok(Self {
            cascade: cascade.into(),
            params,
            planned_size: None,
            plan: ScanPlan::default(),
            kernel: AnyKernel::new(Backend::default()).unwrap_or(AnyKernel::Scalar(Scalar)),
            compiled: None,
            workers: Vec::new(),
            candidates: Vec::new(),
            grouping: Grouping::default(),
        })
    }

    /// The same detector with another backend.
    ///
    /// # Errors
    /// [`ParamsError::Backend`] where the CPU lacks its instructions.
    pub fn with_backend(mut self, backend: Backend) -> Result<Self, ParamsError> {
        self.kernel = AnyKernel::new(backend).ok_or(ParamsError::Backend(backend))?;
        Ok(self)
    }

    /// The settings of the next search.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Changes the settings from the next image on.
    ///
    /// # Errors
    /// [`ParamsError::ScaleFactor`] for a scale factor out of range; the settings stay as they were.
    pub fn set_params(&mut self, params: Params) -> Result<(), ParamsError> {
        params.check()?;
        if self.params != params {
            self.params = params;
            self.planned_size = None;
        }
        Ok(())
    }

    /// Searches an image. The largest detection comes first; those of one size are ordered from top to
    /// bottom, then from left to right.
    ///
    /// The rectangles equal those of OpenCV 4's `detectMultiScale` in the same image, also before grouping.
    /// There are none in an image smaller than the cascade's window.
    pub fn detect(&mut self, image: &GrayImage) -> Vec<Detection> {
        let mut detections = Vec::new();
        self.detect_into(image, &mut detections);
        detections
    }

    /// Like [`detect`](Self::detect), into a list that is cleared first.
    pub fn detect_into(&mut self, image: &GrayImage, detections: &mut Vec<Detection>) {
        self.detect_where(image, None, detections);
    }

    /// Like [`detect_into`](Self::detect_into), but only in windows whose centre lies inside `area` and at least
    /// `margin` times the window's side away from its sides. Windows elsewhere cost little time.
    pub fn detect_within(
        &mut self,
        image: &GrayImage,
        area: &TurnedRect,
        margin: f64,
        detections: &mut Vec<Detection>,
    ) {
        self.detect_where(image, Some(&SearchArea { rect: *area, margin }), detections);
    }

    fn detect_where(
        &mut self,
        image: &GrayImage,
        area: Option<&SearchArea>,
        detections: &mut Vec<Detection>,
    ) {
        self.prepare(image);
        self.search(image, area);
        let grouped = self.grouping.group(&mut self.candidates, self.params.min_neighbors);
        detections.clear();
        detections.extend(grouped.filter_map(|(rect, neighbors)| {
            clip_to_image(rect, image).map(|rect| Detection { rect, neighbors })
        }));
        detections
            .sort_unstable_by_key(|Detection { rect, .. }| (Reverse(rect.area()), rect.y, rect.x, rect.w));
    }

    /// Makes the plan for images of this size and compiles the cascade for its layout, unless that has been
    /// done.
    fn prepare(&mut self, image: &GrayImage) {
        let size = (image.width(), image.height());
        if self.planned_size != Some(size) {
            let tilted = self.cascade.has_tilted_features();
            let scales = window_scales(self.cascade.window, &self.params, size.0, size.1);
            // Other settings may search the same windows, as those around a face that moves do from frame to frame.
            if !self.plan.is_for(&scales, size) {
                self.plan = ScanPlan::new(self.cascade.window, tilted, scales, size);
            }
            self.planned_size = Some(size);
        }
        let layout = self.plan.layout;
        if !self.plan.stripes.is_empty()
            && self.compiled.as_ref().is_none_or(|[compiled, _]| compiled.layout() != layout)
        {
            let previous = self.compiled.take();
            let compile = |step: usize| {
                let previous = previous.as_ref().map(|compiled| &compiled[step - 1]);
                CompiledCascade::new(&self.cascade, layout.with_step(step), previous)
            };
            self.compiled = Some([compile(1), compile(2)]);
        }
    }

    /// Collects the windows that pass in `candidates`.
    fn search(&mut self, image: &GrayImage, area: Option<&SearchArea>) {
        self.candidates.clear();
        let Some(compiled) = self.compiled.as_ref().filter(|_| !self.plan.stripes.is_empty()) else { return };
        let (plan, kernel) = (&self.plan, self.kernel);
        let threads = choose_threads(&self.params, plan);
        if self.workers.len() < threads {
            self.workers.resize_with(threads, Worker::default);
        }
        let next_stripe = AtomicUsize::new(0);
        let share_len = match threads {
            1 => plan.stripes.len(),
            _ => plan.stripes.len().div_ceil(threads * SHARES_PER_THREAD),
        };
        if let [worker] = &mut self.workers[..threads] {
            worker.run(kernel, compiled, plan, image, area, &next_stripe, share_len);
        } else if let Some((own_worker, others)) = self.workers[..threads].split_first_mut() {
            std::thread::scope(|scope| {
                for worker in others {
                    let next_stripe = &next_stripe;
                    // If the system cannot start a thread, the other threads take its stripes.
                    let _ = std::thread::Builder::new().name("haar".into()).spawn_scoped(scope, move || {
                        worker.run(kernel, compiled, plan, image, area, next_stripe, share_len)
                    });
                }
                own_worker.run(kernel, compiled, plan, image, area, &next_stripe, share_len);
            });
        }
        for worker in &mut self.workers {
            self.candidates.append(&mut worker.candidates);
        }
    }
}

impl Worker {
    /// Takes shares of `share_len` stripes from `next_stripe` on and scans them, until none is left.
    #[allow(clippy::too_many_arguments, reason = "what the threads of a search share")]
    fn run(
        &mut self,
        kernel: AnyKernel,
        [single_step, double_step]: &[CompiledCascade; 2],
        plan: &ScanPlan,
        image: &GrayImage,
        area: Option<&SearchArea>,
        next_stripe: &AtomicUsize,
        share_len: usize,
    ) {
        self.integrals.reset();
        let stripes = &plan.stripes[..];
        let take_share = || {
            let first = next_stripe.fetch_add(share_len, Ordering::Relaxed).min(stripes.len());
            Some(&stripes[first..stripes.len().min(first + share_len)]).filter(|share| !share.is_empty())
        };
        for stripe in std::iter::from_fn(take_share).flatten() {
            let level = &plan.levels[stripe.level];
            let cascade = if level.step == 1 { single_step } else { double_step };
            self.integrals.compute(kernel, cascade.layout(), image, level, stripe);
            let (w, h) = level.window;
            scan(kernel, cascade, &self.integrals, level, stripe, area, &mut self.survivors, |x, y| {
                let scale = |position: usize| (position as f32 * level.scale).round_ties_even() as i32;
                self.candidates.push(PixelRect { x: scale(x), y: scale(y), w, h });
            });
        }
    }
}

/// The number of threads for a search.
fn choose_threads(params: &Params, plan: &ScanPlan) -> usize {
    let threads = match params.threads {
        0 => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            cores.min(plan.windows / WINDOWS_PER_THREAD)
        }
        threads => threads,
    };
    threads.min(plan.stripes.len()).clamp(1, MAX_THREADS)
}

/// The part of `rect` inside the image, `None` where there is none.
fn clip_to_image(rect: PixelRect<i32>, image: &GrayImage) -> Option<PixelRect> {
    let clip = |from: i32, length: i32, limit: usize| {
        let start = from.max(0);
        let end = (from + length).min(limit as i32);
        (end > start).then_some((start as u32, (end - start) as u32))
    };
    let (x, w) = clip(rect.x, rect.w, image.width())?;
    let (y, h) = clip(rect.y, rect.h, image.height())?;
    Some(PixelRect { x, y, w, h })
}
