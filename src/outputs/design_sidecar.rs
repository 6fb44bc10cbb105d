//! The JSON beside a design matrix: what each column is for, when its rows were measured and which of them enter the
//! model, the events behind it, the contrasts in its columns, and how the head moved.

use crate::config::ContrastKind;
use crate::design::{ColumnRole, ContrastMatrix, RunDesign, checks, leverage};
use crate::inputs::{ConfoundTable, EventTable, Timing};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The sidecar of `_design.tsv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DesignSidecar {
    /// What the table is, in a sentence.
    pub description: String,
    /// The run, as messages call it.
    pub run: String,
    /// Seconds from row to row.
    pub repetition_time: f64,
    /// Frames before the first row.
    pub discarded_frames: usize,
    /// When the first row was measured, seconds on the clock of the events.
    pub start_time: f64,
    /// Rows of the table that do not enter the model, counted from 0.
    pub censored_rows: Vec<usize>,
    /// What each column is for, in the table's order.
    pub columns: Vec<DesignColumn>,
    /// The events, condition by condition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ConditionEvents>,
    /// The contrasts that the run enters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contrasts: Vec<DesignContrast>,
    /// Leverage of each row in the fit, the diagonal of the hat matrix; null where it is censored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leverage: Vec<Option<f64>>,
    /// Framewise displacement of each row, mm, where the confound table has it; null where it has no number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub framewise_displacement: Vec<Option<f64>>,
    /// Standardised DVARS of each row, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub std_dvars: Vec<Option<f64>>,
}

/// A column of the design.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DesignColumn {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The condition of a task regressor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What sets it apart from the condition's main column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// When after an onset it speaks of the response, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<f64>,
    /// Variance inflation of a task regressor; left out where it is a combination of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance_inflation: Option<f64>,
}

/// What a column of a design is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A convolved regressor.
    Task,
    /// A confound.
    Confound,
    /// Slow drift.
    Drift,
    /// The constant.
    Constant,
}

/// The events of a condition; the lists have one entry an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConditionEvents {
    /// Its name.
    pub condition: String,
    /// Seconds from the start of the first acquired frame.
    pub onsets: Vec<f64>,
    /// Seconds; 0 for an impulse.
    pub durations: Vec<f64>,
}

/// A contrast in the columns of the design.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DesignContrast {
    /// Its name.
    pub name: String,
    /// t or F.
    pub kind: ContrastKind,
    /// A list a row of the contrast, a weight a column of the design.
    pub weights: Vec<Vec<f64>>,
    /// `1 / trace(C (X'X)^- C')` under white noise: compares designs of this contrast and these heights of regressors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<f64>,
}

impl DesignSidecar {
    /// The sidecar of a design, with what else is known of its run.
    pub fn new<'a>(
        design: &RunDesign,
        events: Option<&EventTable>,
        confounds: Option<&ConfoundTable>,
        contrasts: impl Iterator<Item = &'a ContrastMatrix>,
    ) -> Self {
        let timing = &design.timing;
        let numbers = |values: &[f64]| values.iter().map(|value| value.is_finite().then_some(*value)).collect();
        let [displacement, dvars]: [&[f64]; 2] =
            confounds.map_or([&[], &[]], |table| [&table.displacement_mm, &table.std_dvars]);
        Self {
            description: "design matrix, a row a frame, censored ones included".to_owned(),
            run: design.run.clone(),
            repetition_time: timing.tr_s,
            discarded_frames: timing.discarded,
            start_time: timing.frame_times_s.first().copied().unwrap_or_default(),
            censored_rows: (0..timing.n_frames()).filter(|&row| !timing.kept[row]).collect(),
            columns: DesignColumn::of(design),
            events: events.map(events_of).unwrap_or_default(),
            contrasts: contrasts.map(|contrast| DesignContrast::new(design, contrast)).collect(),
            leverage: leverage_of_rows(design),
            framewise_displacement: numbers(displacement),
            std_dvars: numbers(dvars),
        }
    }

    /// The design again, from the sidecar and the table's columns; `None` where the two do not fit each other.
    pub fn design(&self, names: &[String], matrix: Array2<f64>) -> Option<RunDesign> {
        let fits = self.columns.len() == names.len()
            && self.columns.iter().zip(names).all(|(column, name)| column.name == *name)
            && matrix.ncols() == names.len()
            && self.censored_rows.iter().all(|row| *row < matrix.nrows());
        if !fits {
            return None;
        }
        let n_acquired = matrix.nrows() + self.discarded_frames;
        let mut timing = Timing::new(self.repetition_time, n_acquired, self.discarded_frames, 0.0);
        for (row, time_s) in timing.frame_times_s.iter_mut().enumerate() {
            *time_s = self.start_time + row as f64 * self.repetition_time;
        }
        self.censored_rows.iter().for_each(|&row| timing.kept[row] = false);
        let peak = |column: ndarray::ArrayView1<'_, f64>| column.iter().fold(0.0_f64, |peak, x| peak.max(x.abs()));
        Some(RunDesign {
            run: self.run.clone(),
            names: names.to_vec(),
            roles: self.columns.iter().map(DesignColumn::role).collect(),
            peak_heights: matrix.columns().into_iter().map(peak).collect(),
            matrix,
            timing,
        })
    }
}

impl DesignColumn {
    fn of(design: &RunDesign) -> Vec<Self> {
        let inflation: BTreeMap<String, f64> = checks::variance_inflation(design).into_iter().collect();
        let known = |name: &String| inflation.get(name).copied().filter(|inflation| inflation.is_finite());
        let columns = design.names.iter().zip(&design.roles);
        columns.map(|(name, role)| Self { variance_inflation: known(name), ..Self::new(name, role) }).collect()
    }

    fn new(name: &str, role: &ColumnRole) -> Self {
        let bare = |role| Self {
            name: name.to_owned(),
            role,
            condition: None,
            part: None,
            delay: None,
            variance_inflation: None,
        };
        match role {
            ColumnRole::Task { condition, part, delay_s } => Self {
                condition: Some(condition.clone()),
                part: (!part.is_empty()).then(|| part.clone()),
                delay: *delay_s,
                ..bare(Role::Task)
            },
            ColumnRole::Confound => bare(Role::Confound),
            ColumnRole::Drift => bare(Role::Drift),
            ColumnRole::Constant => bare(Role::Constant),
        }
    }

    fn role(&self) -> ColumnRole {
        match self.role {
            Role::Task => ColumnRole::Task {
                condition: self.condition.clone().unwrap_or_else(|| self.name.clone()),
                part: self.part.clone().unwrap_or_default(),
                delay_s: self.delay,
            },
            Role::Confound => ColumnRole::Confound,
            Role::Drift => ColumnRole::Drift,
            Role::Constant => ColumnRole::Constant,
        }
    }
}

impl DesignContrast {
    fn new(design: &RunDesign, contrast: &ContrastMatrix) -> Self {
        let efficiency = Some(leverage::efficiency(design, contrast));
        let weights = contrast.weights.rows().into_iter().map(|row| row.to_vec()).collect();
        Self { name: contrast.name.clone(), kind: contrast.kind, weights, efficiency }
    }
}

fn leverage_of_rows(design: &RunDesign) -> Vec<Option<f64>> {
    let mut rows = vec![None; design.timing.n_frames()];
    let kept = design.timing.kept_frames().into_iter();
    kept.zip(leverage::leverage(design)).for_each(|(row, leverage)| rows[row] = Some(leverage));
    rows
}

fn events_of(table: &EventTable) -> Vec<ConditionEvents> {
    let of_condition = |condition: String| {
        let own = || table.events.iter().filter(|event| event.condition == condition);
        let (onsets, durations) = (own().map(|e| e.onset_s).collect(), own().map(|e| e.duration_s).collect());
        ConditionEvents { condition, onsets, durations }
    };
    table.conditions().into_iter().map(of_condition).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Event;
    use ndarray::array;

    fn design() -> RunDesign {
        let task = ColumnRole::Task { condition: "face".into(), part: "derivative".into(), delay_s: Some(2.0) };
        let mut timing = Timing::new(2.0, 4, 1, 0.5);
        timing.kept[1] = false;
        RunDesign {
            run: "sub-01 run-01".into(),
            names: ["face_derivative", "trans_x", "drift_1", "constant"].map(str::to_owned).to_vec(),
            roles: vec![task, ColumnRole::Confound, ColumnRole::Drift, ColumnRole::Constant],
            matrix: array![[1.0, 0.5, -1.0, 1.0], [0.0, 0.25, 0.0, 1.0], [-2.0, 0.0, 1.0, 1.0]],
            timing,
            peak_heights: vec![2.0, 0.5, 1.0, 1.0],
        }
    }

    #[test]
    fn a_design_is_read_back_from_table_and_sidecar() {
        let event = |condition: &str, onset_s: f64| Event {
            condition: condition.into(),
            onset_s,
            duration_s: 1.0,
            amplitude: 1.0,
            values: Vec::new(),
            line: 2,
        };
        let events = EventTable {
            path: "e.tsv".into(),
            events: vec![event("face", 1.0), event("<b>", 2.0), event("face", 4.0)],
            value_columns: Vec::new(),
        };
        let confounds = ConfoundTable {
            sidecar: None,
            path: "c.tsv".into(),
            names: Vec::new(),
            columns: Vec::new(),
            kept: vec![true; 3],
            displacement_mm: vec![f64::NAN, 0.25, 0.5],
            std_dvars: Vec::new(),
        };
        let contrast =
            ContrastMatrix { name: "f".into(), kind: ContrastKind::T, weights: array![[1.0, 0.0, 0.0, 0.0]] };
        let design = design();
        let sidecar = DesignSidecar::new(&design, Some(&events), Some(&confounds), [&contrast].into_iter());
        assert_eq!(sidecar.columns[0].variance_inflation, None, "two rows: a combination of the others");
        assert_eq!(sidecar.leverage[1], None, "a censored row has none");
        assert!((sidecar.leverage.iter().flatten().sum::<f64>() - 2.0).abs() < 1e-12, "{:?}", sidecar.leverage);
        assert!(sidecar.contrasts[0].efficiency.is_some_and(|efficiency| efficiency > 0.0));
        assert_eq!(sidecar.framewise_displacement, [None, Some(0.25), Some(0.5)]);
        assert_eq!(sidecar.events[1].onsets, [1.0, 4.0], "conditions in code-point order");
        let text = serde_json::to_string(&sidecar).unwrap();
        assert!(!text.contains("StdDvars"), "what is not known is left out: {text}");
        let read: DesignSidecar = serde_json::from_str(&text).unwrap();
        assert_eq!(read, sidecar);
        let again = read.design(&design.names, design.matrix.clone()).unwrap();
        assert_eq!(
            (&again.roles, &again.timing, &again.peak_heights),
            (&design.roles, &design.timing, &design.peak_heights)
        );
    }

    #[test]
    fn a_table_that_is_not_the_sidecars_is_not_taken() {
        let design = design();
        let sidecar = DesignSidecar::new(&design, None, None, std::iter::empty());
        let mut names = design.names.clone();
        names[1] = "trans_y".to_owned();
        assert!(sidecar.design(&names, design.matrix.clone()).is_none());
        assert!(sidecar.design(&design.names[..3], design.matrix.clone()).is_none());
        assert!(
            sidecar.design(&design.names, array![[1.0, 1.0, 1.0, 1.0]]).is_none(),
            "a censored row that is not there"
        );
    }
}
