//! One run: signals and noise summed frame by frame, rounded and written as they come.
//!
//! `y[v, t] = B[v] (1 + (sum_k loading_k[v] course_k[t] + n[v, t]) / 100)`, where the courses of conditions, neural activity and motion
//! have mean zero over the run (and those of the drift by nature), so that loadings are percent of the voxel's mean.

use super::field::{UnitSmoother, WaveField};
use super::head::Head;
use super::image::{ImageKind, ImageWriter, Stored};
use super::motion::{motion, standardised};
use super::noise::{NoiseMaps, NoiseProcess, RunItem, innovation_stream, innovations};
use super::random::{Purpose, Stream};
use super::response::{regressor, stepwise_response};
use super::schedule::{TimedEvent, schedule};
use super::{Progress, SimulationSpec, neural};
use crate::error::{CancelToken, Diagnostic, Diagnostics, Place};
use rayon::prelude::*;
use std::path::Path;

/// Frames made at once, in parallel; fixed, though no value depends on it.
const BATCH: usize = 8;

/// What all runs of a dataset share.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) spec: &'a SimulationSpec,
    pub(super) head: Head,
    /// Effect of each condition, percent.
    pub(super) effects: Vec<Vec<f32>>,
    /// How strongly each source of neural activity is followed, percent.
    pub(super) neural_loadings: Vec<Vec<f32>>,
    pub(super) noise: NoiseMaps,
    smoother: UnitSmoother,
    /// Places in the head's maps of each region's voxels.
    pub(super) regions: Vec<Vec<usize>>,
}

impl<'a> World<'a> {
    /// Lays out a simulation.
    pub(super) fn new(spec: &'a SimulationSpec) -> Self {
        let head = Head::new(spec);
        Self {
            spec,
            effects: spec.conditions.iter().map(|condition| head.effect(&condition.blobs)).collect(),
            neural_loadings: spec.neural.iter().map(|source| head.effect(&source.blobs)).collect(),
            noise: NoiseMaps::new(spec, &head),
            smoother: UnitSmoother::new(spec.grid.shape, spec.grid.voxel_mm, spec.noise.fwhm_mm),
            regions: spec.rois.iter().map(|roi| head.sphere(roi.centre_mm, roi.radius_mm)).collect(),
            head,
        }
    }

    /// When each volume is measured, seconds.
    pub(super) fn frame_times_s(&self) -> Vec<f64> {
        (0..self.spec.volumes).map(|frame| frame as f64 * self.spec.tr_s).collect()
    }
}

/// What happened in a run, before any noise.
#[derive(Debug)]
pub(super) struct RunTruth {
    pub(super) item: RunItem,
    pub(super) events: Vec<TimedEvent>,
    /// Response to each condition at each volume, in units of the response to sustained stimulation.
    pub(super) regressors: Vec<Vec<f64>>,
    /// Activity of each neural source, a value a step.
    pub(super) activity: Vec<Vec<f64>>,
    /// Response to each of them at each volume, in the same units.
    pub(super) neural_responses: Vec<Vec<f64>>,
    /// The six columns of [`motion::COLUMNS`](super::motion::COLUMNS).
    pub(super) motion: [Vec<f64>; 6],
}

impl RunTruth {
    /// Draws what happens in a run.
    pub(super) fn new(world: &World<'_>, item: RunItem) -> Result<Self, Diagnostics> {
        let events = schedule(world.spec, item.subject, item.run)?;
        let frame_times_s = world.frame_times_s();
        let of_condition = |condition: usize| {
            let own: Vec<TimedEvent> = events.iter().copied().filter(|event| event.condition == condition).collect();
            regressor(&own, &frame_times_s)
        };
        let regressors = (0..world.spec.conditions.len()).map(of_condition).collect();
        let activity: Vec<Vec<f64>> =
            (0..world.spec.neural.len()).map(|source| neural::activity(world.spec, item, source)).collect();
        let step_s = neural::step_s(world.spec);
        let neural_responses =
            activity.iter().map(|activity| stepwise_response(activity, step_s, &frame_times_s)).collect();
        Ok(Self { item, events, regressors, activity, neural_responses, motion: motion(world.spec, item) })
    }
}

/// What was measured on the way.
#[derive(Debug)]
pub(super) struct RunMeasures {
    /// Root mean square of the change since the volume before, over the brain, divided by its median over the run.
    pub(super) std_dvars: Vec<Option<f64>>,
    /// Mean over each region of the stored values, one a volume.
    pub(super) region_means: Vec<Vec<f64>>,
}

/// A signal: how strongly each voxel of the head follows a course, percent.
struct Component<'a> {
    loading: std::borrow::Cow<'a, [f32]>,
    course: Vec<f32>,
}

/// All signals of a run: conditions, neural activity, drift, motion.
fn components<'a>(world: &'a World<'_>, truth: &RunTruth) -> Vec<Component<'a>> {
    let spec = world.spec;
    let RunItem { subject, run } = truth.item;
    let scale_mm = spec.head.radii_mm.iter().copied().fold(0.0, f64::max) * 1.5;
    let mut all = Vec::new();
    let conditions = world.effects.iter().zip(&truth.regressors);
    for (effect, regressor) in conditions.chain(world.neural_loadings.iter().zip(&truth.neural_responses)) {
        let mean = regressor.iter().sum::<f64>() / regressor.len() as f64;
        let course = regressor.iter().map(|value| (value - mean) as f32).collect();
        all.push(Component { loading: effect.as_slice().into(), course });
    }
    if spec.drift.percent > 0.0 {
        let n = spec.volumes as f64;
        let count = libm::floor(2.0 * n * spec.tr_s / spec.drift.shortest_period_s) as usize;
        for order in 1..=count.min(spec.volumes - 1) {
            let field = WaveField::new(&mut Stream::new(spec.seed, Purpose::Drift, &[subject, run, order]), scale_mm);
            let loading = world.head.map(|point| spec.drift.percent / order as f64 * field.at(point)).into();
            let angle = |frame: usize| std::f64::consts::PI * order as f64 * (frame as f64 + 0.5) / n;
            let course = (0..spec.volumes).map(|frame| libm::cos(angle(frame)) as f32).collect();
            all.push(Component { loading, course });
        }
    }
    if spec.motion.percent > 0.0 {
        for (column, values) in truth.motion.iter().enumerate() {
            let stream = &mut Stream::new(spec.seed, Purpose::MotionCoupling, &[subject, column]);
            let field = WaveField::new(stream, scale_mm);
            // six columns, so each has a sixth of the declared largest size
            let loading = world.head.map(|point| spec.motion.percent / 6.0 * field.at(point)).into();
            let course = standardised(values).iter().map(|value| *value as f32).collect();
            all.push(Component { loading, course });
        }
    }
    all
}

/// Writes the image of a run to `path`.
pub(super) fn write_bold(
    world: &World<'_>,
    truth: &RunTruth,
    path: &Path,
    progress: &mut dyn FnMut(Progress),
    cancel: &CancelToken,
) -> Result<RunMeasures, Diagnostics> {
    let spec = world.spec;
    let components = components(world, truth);
    let stored = Stored::Int16 { slope: spec.image.scl_slope, inter: spec.image.scl_inter };
    let frames = Some((spec.volumes, spec.tr_s));
    let kind = ImageKind { grid: &world.head.grid, frames, stored, description: "simulated by boldly" };
    let mut writer = ImageWriter::create(path, kind, spec.image.compression_level)?;
    let mut process = NoiseProcess::new(spec, &world.noise);
    let mut measuring = Measuring::new(world);
    for first in (0..spec.volumes).step_by(BATCH) {
        cancel.check().map_err(|cancelled| Diagnostic::error("work-interrupted", cancelled.to_string()))?;
        let batch = first..(first + BATCH).min(spec.volumes);
        let innovations: Vec<Vec<f32>> = batch
            .clone()
            .into_par_iter()
            .map_init(Default::default, |scratch, frame| {
                let stream = &mut innovation_stream(spec, truth.item, frame);
                innovations(spec, &world.head, &world.smoother, stream, scratch)
            })
            .collect();
        let noise: Vec<Vec<f32>> = innovations
            .into_iter()
            .map(|innovations| {
                process.next(innovations, || {
                    let item = [truth.item.subject, truth.item.run];
                    let stream = &mut Stream::new(spec.seed, Purpose::StationaryStart, &item);
                    self::innovations(spec, &world.head, &world.smoother, stream, &mut Default::default())
                })
            })
            .collect();
        let frames: Vec<Result<Vec<i16>, OutOfRange>> = batch
            .clone()
            .into_par_iter()
            .zip(noise)
            .map(|(frame, noise)| synthesise(world, &components, truth.item, frame, noise))
            .collect();
        for (frame, values) in batch.zip(frames) {
            let values = values.map_err(|found| found.into_diagnostic(path, frame))?;
            measuring.add(&values);
            writer.write_i16(&values)?;
            progress(Progress { item: (truth.item.subject, truth.item.run), volumes_done: frame + 1 });
        }
    }
    writer.finish()?;
    Ok(measuring.finish())
}

/// A value that 16 bits cannot hold.
struct OutOfRange {
    value: f64,
}

impl OutOfRange {
    fn into_diagnostic(self, path: &Path, frame: usize) -> Diagnostic {
        let message = format!("a value of {:.1} in volume {frame} does not fit in 16 bits", self.value);
        Diagnostic::error("simulation-value-range", message)
            .at(Place::file(path))
            .hint("raise `scl_slope` in [image], or lower `baseline` in [head]")
    }
}

/// The stored values of one frame. `signal` enters as the noise, percent.
fn synthesise(
    world: &World<'_>,
    components: &[Component<'_>],
    item: RunItem,
    frame: usize,
    mut signal: Vec<f32>,
) -> Result<Vec<i16>, OutOfRange> {
    let spec = world.spec;
    for component in components {
        let height = component.course[frame];
        for (signal, loading) in signal.iter_mut().zip(&*component.loading) {
            *signal += height * loading;
        }
    }
    let (slope, inter) = (spec.image.scl_slope, spec.image.scl_inter);
    let store = |value: f64| {
        let steps = libm::rint((value - inter) / slope);
        if (f64::from(i16::MIN)..=f64::from(i16::MAX)).contains(&steps) {
            Ok(steps as i16)
        } else {
            Err(OutOfRange { value })
        }
    };
    let mut background = Stream::new(spec.seed, Purpose::Background, &[item.subject, item.run, frame]);
    let mut values = Vec::with_capacity(world.head.grid.n_voxels());
    let mut place = 0;
    for at in 0..world.head.grid.n_voxels() {
        let value = if world.head.index.get(place).is_some_and(|&voxel| voxel as usize == at) {
            place += 1;
            f64::from(world.head.baseline[place - 1]) * (1.0 + 0.01 * f64::from(signal[place - 1]))
        } else {
            spec.head.background_sd * background.rayleigh()
        };
        values.push(store(value)?);
    }
    Ok(values)
}

/// What is measured of each frame as it is written.
struct Measuring<'a> {
    world: &'a World<'a>,
    previous: Option<Vec<i16>>,
    dvars: Vec<Option<f64>>,
    region_means: Vec<Vec<f64>>,
}

impl<'a> Measuring<'a> {
    fn new(world: &'a World<'a>) -> Self {
        Self { world, previous: None, dvars: Vec::new(), region_means: vec![Vec::new(); world.regions.len()] }
    }

    fn add(&mut self, frame: &[i16]) {
        let head = &self.world.head;
        let (slope, inter) = (self.world.spec.image.scl_slope, self.world.spec.image.scl_inter);
        self.dvars.push(self.previous.as_ref().map(|previous| {
            let brain = head.index.iter().zip(&head.brain).filter(|(_, brain)| **brain).map(|(&at, _)| at as usize);
            let (sum, n) = brain.fold((0.0, 0.0), |(sum, n), at| {
                let change = f64::from(frame[at]) - f64::from(previous[at]);
                (sum + change * change, n + 1.0_f64)
            });
            slope * libm::sqrt(sum / n.max(1.0))
        }));
        for (region, means) in self.world.regions.iter().zip(&mut self.region_means) {
            let sum: f64 = region.iter().map(|&place| f64::from(frame[head.index[place] as usize])).sum();
            means.push(inter + slope * sum / region.len() as f64);
        }
        self.previous = Some(frame.to_vec());
    }

    fn finish(self) -> RunMeasures {
        let mut sorted: Vec<f64> = self.dvars.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().filter(|median| *median > 0.0).unwrap_or(1.0);
        let std_dvars = self.dvars.into_iter().map(|dvars| dvars.map(|value| value / median)).collect();
        RunMeasures { std_dvars, region_means: self.region_means }
    }
}
