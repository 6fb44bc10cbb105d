//! Thresholds of statistic maps: which height, which clusters, and what can be said of each.
//!
//! All of it is of z, whose tail probability is that of the statistic it comes from. A *family* is the columns that were
//! analysed: those left out hold 0 in a map, and count nowhere.

mod autocorrelation;
mod clusters;
mod discoveries;
mod heights;
mod passing;
mod random_field;
mod simulated_null;
mod smoothness;

pub use autocorrelation::{Autocorrelation, Distances, MixedAcf};
pub use clusters::{Cluster, Peak, clusters};
pub use discoveries::TrueDiscoveries;
pub use heights::{benjamini_hochberg, benjamini_yekutieli, bonferroni, p_of, uncorrected};
pub use passing::Passing;
pub use random_field::FieldOf;
pub use simulated_null::{ClusterNull, LargestClusters};
pub use smoothness::{Fwhm, PastLastPlane, Resels, Smoothness, resels};
