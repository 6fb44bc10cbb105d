//! What can keep a model from being fitted to a run.

use super::noise::needed_dof;
use crate::config::Noise;
use crate::error::{Cancelled, Diagnostic, Diagnostics};

/// Why a run has no fit; `run` is how messages call the run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No degrees of freedom are left for the noise.
    #[error(
        "{run} has {n_frames} frames for {n_columns} design columns (rank {rank}): none is left to estimate the noise"
    )]
    TooFewFrames {
        /// The run.
        run: String,
        /// Frames that enter the model.
        n_frames: usize,
        /// Columns of the design.
        n_columns: usize,
        /// Rank of the design.
        rank: usize,
    },
    /// The order of the noise is too long for what a run has.
    #[error("noise `{noise}` needs {needed} residual degrees of freedom, {run} has {dof}")]
    OrderTooLong {
        /// The run.
        run: String,
        /// The noise model, as the pipeline file has it.
        noise: String,
        /// Degrees of freedom that it needs.
        needed: usize,
        /// Residual degrees of freedom of the run.
        dof: usize,
    },
    /// A design column holds NaN or infinity.
    #[error("design column `{column}` of {run} is not finite at frame {frame}")]
    DesignNotFinite {
        /// The run.
        run: String,
        /// The column.
        column: String,
        /// 0-based frame among those not discarded.
        frame: usize,
    },
    /// Design, data and scaling are of different frames.
    #[error("{run}: the design is of {design} frames, the data of {data}")]
    FramesDiffer {
        /// The run.
        run: String,
        /// Frames of the design.
        design: usize,
        /// Frames of the data.
        data: usize,
    },
    /// Nothing is left in any column of the data beside what the design explains.
    #[error("the design of {run} leaves no noise in any column of the data")]
    NoNoise {
        /// The run.
        run: String,
    },
    /// Samples that lie on disk cannot be read back.
    #[error("the samples of {run} are lost: {cause}")]
    Samples {
        /// The run.
        run: String,
        /// What went wrong.
        cause: String,
    },
    /// Sums of stored samples were to be scaled in a way that only samples can be.
    #[error("the samples of {run} were summed before they were scaled")]
    NotScaled {
        /// The run.
        run: String,
    },
    /// Sums over time were asked for where the noise model looks at samples.
    #[error("the noise model of {run} needs samples, not sums of them")]
    NeedsSamples {
        /// The run.
        run: String,
    },
    /// No column responds to the design, so there is none to pool.
    #[error(
        "none of the {n_columns} columns of {run} responds (F of the effects of interest, p < .001), so no covariance can be pooled"
    )]
    NoResponse {
        /// The run.
        run: String,
        /// Columns of the data.
        n_columns: usize,
    },
    /// Restricted maximum likelihood found no covariance.
    #[error("no covariance of the noise of {run} is likeliest: restricted maximum likelihood did not converge")]
    NoCovariance {
        /// The run.
        run: String,
    },
    /// LAPACK gave up.
    #[error("the design of {run} cannot be decomposed: {cause}")]
    Decomposition {
        /// The run.
        run: String,
        /// What LAPACK says.
        cause: String,
    },
    /// The work was interrupted.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ModelError {
    /// What is wrong with estimating `noise` in a run of so many residual degrees of freedom.
    pub fn of_order(noise: Noise, run: &str, dof: usize) -> Option<Self> {
        let needed = needed_dof(noise);
        let Noise::Ar(order) = noise else { return None };
        (dof < needed).then(|| Self::OrderTooLong { run: run.to_owned(), noise: order.to_string(), needed, dof })
    }
}

impl From<ModelError> for Diagnostic {
    fn from(error: ModelError) -> Self {
        let message = error.to_string();
        match error {
            ModelError::TooFewFrames { .. } => Self::error("model-too-few-frames", message)
                .hint("use fewer confounds or a lower `high_pass_hz`, censor fewer volumes, or leave the run out"),
            ModelError::OrderTooLong { .. } => Self::error("noise-order", message)
                .note(
                    "expected: six a lag, so that what one series tells of its noise is enough for so many parameters",
                )
                .hint("choose a lower order, or a model that pools between voxels: noise = \"pooled-ar\""),
            ModelError::DesignNotFinite { .. } => Self::error("design-not-finite", message)
                .hint("look for n/a in the confounds and modulators of this run"),
            ModelError::NoNoise { .. } => {
                Self::error("model-without-noise", message).hint("look for data that are a column of their own design")
            }
            ModelError::FramesDiffer { .. } => Self::error("model-frames-differ", message),
            ModelError::Samples { .. } => Self::error("samples-not-kept", message)
                .hint("free space in the output folder, or raise `--max-memory` so that samples stay in memory"),
            ModelError::NotScaled { .. } | ModelError::NeedsSamples { .. } => Self::error("internal-bug", message),
            ModelError::NoResponse { .. } => Self::error("noise-no-response", message)
                .hint("take a `noise` that needs no response: `pooled-ar` for images, `arma11` for tables and regions"),
            ModelError::NoCovariance { .. } => Self::error("noise-no-covariance", message)
                .hint("take `pooled-ar` for images, `arma11` for tables and regions"),
            ModelError::Decomposition { .. } => Self::error("model-decomposition", message),
            ModelError::Cancelled(_) => Self::error("work-interrupted", message),
        }
    }
}

impl From<ModelError> for Diagnostics {
    fn from(error: ModelError) -> Self {
        Diagnostic::from(error).into()
    }
}
