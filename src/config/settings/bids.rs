//! `[bids]`, resolved.

use crate::config::Located;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which runs of a BIDS dataset are analysed. Labels are without their keys; an empty list is all.
#[derive(Debug, Clone, Serialize)]
pub struct BidsSettings {
    /// The raw dataset.
    pub root: Located<PathBuf>,
    /// Preprocessed data; empty: the images are those of the raw dataset.
    pub derivatives: Vec<Located<PathBuf>>,
    /// `task-`.
    pub task: Option<Located<String>>,
    /// `space-`.
    pub space: Option<Located<String>>,
    /// `res-`.
    pub res: Option<Located<String>>,
    /// `desc-`.
    pub desc: Option<Located<String>>,
    /// `echo-`.
    pub echo: Option<Located<String>>,
    /// `acq-`.
    pub acq: Option<Located<String>>,
    /// Other entities, by key: `rec`, `dir`, `part`, `den`.
    pub others: BTreeMap<String, Located<String>>,
    /// Repetition time of all runs, seconds; `None`: as sidecars and headers say.
    pub tr_s: Option<Located<f64>>,
    /// `sub-`.
    pub subjects: Vec<Located<String>>,
    /// `ses-`.
    pub sessions: Vec<Located<String>>,
    /// `run-`.
    pub runs: Vec<Located<String>>,
}
