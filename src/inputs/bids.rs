//! BIDS datasets.
mod file;
mod ignore;
mod name;
mod walk;
pub use file::{BidsFile, Folder, Origin, Presence};
pub use name::{BidsName, NameProblem, compare_labels, same_label};
pub use walk::Skipped;
