//! BIDS datasets: from folders to runs, without opening an image.
//!
//! [`BidsDataset::open`] walks over a raw dataset and its derivatives and indexes the names of functional files;
//! [`BidsDataset::find`] answers queries; [`BidsDataset::match_runs`] takes what a user asks for, a [`Selection`], to
//! the [`BidsRun`]s of each subject: image, events, confounds, brain mask and sidecars. Tables and sidecars are found by the
//! inheritance principle; [`BidsDataset::timing_of`] and [`BidsDataset::metadata`] read the sidecars when asked.
//!
//! ```no_run
//! use boldly::inputs::bids::{BidsDataset, Choice, Selection};
//! # fn main() -> Result<(), boldly::error::Diagnostics> {
//! let dataset = BidsDataset::open("ds000105".as_ref(), &["ds000105/derivatives/fmriprep".into()])?;
//! let selection = Selection {
//!     space: Some(Choice::label("MNI152NLin2009cAsym")),
//!     ..Selection::of_task("objectviewing")
//! };
//! for (subject, runs) in dataset.match_runs(&selection)?.subjects {
//!     for run in runs? {
//!         let timing = dataset.timing_of(&run.file)?;
//!         println!("{subject} {} {:?} {:?}", run.bold.display(), run.events.required()?, timing.slice_time_ref()?);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod census;
mod companion;
mod dataset;
mod file;
#[cfg(test)]
mod fixture;
mod ignore;
mod inheritance;
mod matching;
mod name;
mod participants;
mod query;
mod run;
mod selection;
mod timing;
mod walk;

pub use companion::Companion;
pub use dataset::{BidsDataset, holds_bold};
pub use file::{BidsFile, Folder, Origin, Presence};
pub use inheritance::Metadata;
pub use matching::BidsRuns;
pub use name::{BidsName, NameProblem, compare_labels, same_label};
pub use participants::Participants;
pub use query::Query;
pub use run::BidsRun;
pub use selection::{Choice, Selection};
pub use timing::{BidsTiming, FrameTime};
pub use walk::Skipped;
