//! A small simulation for tests.

use super::*;

/// 13 x 14 x 12 voxels, 60 volumes, two conditions, all kinds of signal and noise.
pub(super) fn small() -> SimulationSpec {
    let blob = |x_mm: f64, percent| BlobSpec {
        shape: BlobShape::Gaussian,
        centre_mm: [x_mm, 0.0, 0.0],
        size_mm: 20.0,
        percent,
    };
    let condition = |name: &str, events, duration_s, blob| ConditionSpec {
        name: name.to_owned(),
        events,
        duration_s,
        blobs: vec![blob],
    };
    SimulationSpec {
        name: "test".to_owned(),
        task: "test".to_owned(),
        seed: 11,
        subjects: 1,
        runs: 2,
        volumes: 60,
        tr_s: 2.0,
        grid: GridSpec { shape: [13, 14, 12], voxel_mm: [5.0; 3], origin_mm: None },
        head: HeadSpec {
            radii_mm: [26.0, 30.0, 24.0],
            centre_mm: [0.0; 3],
            baseline: 5000.0,
            tissue_contrast: 0.15,
            shading: 0.1,
            background_sd: 5.0,
        },
        noise: NoiseSpec {
            fwhm_mm: 8.0,
            sigma_percent: 1.0,
            sigma_variation: 0.2,
            rho: 0.4,
            rho_variation: 0.2,
            theta: -0.1,
        },
        drift: DriftSpec { percent: 1.0, shortest_period_s: 100.0 },
        motion: MotionSpec { translation_mm: 0.1, rotation_rad: 0.001, percent: 1.0, spikes: 1, spike_mm: 0.5 },
        schedule: ScheduleSpec { start_s: 4.0, gap_s: 3.0, jitter_s: 3.0 },
        conditions: vec![condition("face", 8, 1.5, blob(-15.0, 2.0)), condition("house", 8, 0.0, blob(15.0, -1.0))],
        neural: Vec::new(),
        neural_step_s: None,
        rois: vec![RoiSpec { name: "left".to_owned(), centre_mm: [-15.0, 0.0, 0.0], radius_mm: 8.0 }],
        image: ImageSpec { scl_slope: 0.25, scl_inter: 100.0, compression_level: 1 },
    }
}
