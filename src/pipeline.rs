//! The order of things: from settings to a plan, and from a plan to results, subject by subject.

mod check;
mod contrast_maps;
mod contrasts;
mod design_findings;
mod designs;
mod excluded;
mod failure;
mod mask_stage;
mod memory;
mod model_outputs;
mod plan;
mod plan_run;
mod plan_subject;
mod progress;
mod regions;
mod run;
mod run_data;
mod run_job;
mod shared_files;
mod space_job;
mod subject_job;
mod summary;

pub use check::CheckReport;
pub use contrasts::PlannedContrast;
pub use designs::write_designs;
pub use failure::Failure;
pub use memory::{Estimate, MemoryLimit};
pub use plan::{Plan, RefusedSubject};
pub use plan_run::{RunModel, RunPlan, RunSource};
pub use plan_subject::{RunGroup, SpacePlan, SubjectPlan};
pub use progress::{Progress, ProgressMode};
pub use run::{RunOptions, RunOutcome, run};
pub use shared_files::SharedFiles;
pub use subject_job::NUMERICS_VERSION;
