//! Confound regressors of a run.

mod compcor;
mod legacy;
mod scrub;
mod steady_state;
mod strategy;

use crate::config::{ConfoundSettings, FirstRowNan, Located};
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use crate::inputs::table::{Cell, CellProblems, Header, Table, list, select_columns};
use std::path::{Path, PathBuf};

/// The chosen columns of a confound table, one row a frame that was not discarded, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfoundTable {
    /// The file.
    pub path: PathBuf,
    /// The JSON file beside it, where it was read.
    pub sidecar: Option<PathBuf>,
    /// Names of the columns: those of the strategy by name, then the others in the file's order.
    pub names: Vec<String>,
    /// The values: `columns[c][frame]`.
    pub columns: Vec<Vec<f64>>,
    /// Whether each frame is kept: neither scrubbed nor, under a strategy, before the steady state.
    pub kept: Vec<bool>,
    /// `framewise_displacement` of each frame, mm, for reports; not a number where the cell holds none, empty without
    /// such a column.
    pub displacement_mm: Vec<f64>,
    /// `std_dvars` of each frame, likewise.
    pub std_dvars: Vec<f64>,
}

/// Reads the confounds of one run: a row for each of the `n_acquired` volumes, of which the first `discarded` are
/// dropped. Columns of a strategy are taken first, in the order of their names, as nilearn has them; then those that the
/// globs match in the file's order; each once.
///
/// Files without a header are accepted when their first line holds only numbers. Their columns are `column_1`,
/// `column_2`, …; but SPM's `rp_*.txt` of six columns are `trans_x`, `trans_y`, `trans_z`, `rot_x`, `rot_y`, `rot_z`
/// and FSL's `.par` the same with rotations first, so that `trans_*` and `rot_*` mean in every file what they say.
///
/// `n/a` in the first row follows `first_row_nan`, unless that row is discarded; every other cell of a chosen
/// column must be a finite number. Scrubbing censors volumes above a threshold of `framewise_displacement` (mm)
/// or `std_dvars`, then runs of kept volumes shorter than `min_segment`; `n/a` in the first row counts as below. A
/// strategy censors fMRIPrep's non-steady-state volumes too, which do not make a run of kept volumes shorter.
///
/// # Errors
/// All problems of the file together.
pub fn read_confounds(
    path: &Located<PathBuf>,
    settings: &ConfoundSettings,
    n_acquired: usize,
    discarded: usize,
) -> Result<(ConfoundTable, Diagnostics), Diagnostics> {
    let table = name_motion_columns(Table::read(path, path.place().as_ref(), Header::Detected)?);
    table.refuse_blank_line()?;
    if settings.strategy.is_some() {
        legacy::refuse(&table)?;
    }
    let mut diagnostics = Diagnostics::new();
    let rows_agree = check_row_count(&table, n_acquired, discarded, &mut diagnostics);
    let strategy::Chosen { mut columns, sidecar } =
        settings.strategy.map(|strategy| strategy::choose(&table, &strategy, &mut diagnostics)).unwrap_or_default();
    for column in select_columns(&table, &settings.columns, None, &mut diagnostics) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let chosen = columns;
    let mut problems = CellProblems::new();
    let columns = read_columns(&table, &chosen, settings.first_row_nan, discarded, &mut problems);
    diagnostics.extend(problems.into_diagnostics());
    let kept = diagnostics.collect(kept_frames(&table, settings, discarded)).unwrap_or_default();
    let names: Vec<String> = chosen.iter().map(|&column| table.columns[column].clone()).collect();
    if rows_agree && !diagnostics.has_errors() {
        warn_of_constant(&table, &names, &columns, &mut diagnostics);
    }
    let [displacement_mm, std_dvars] = [scrub::DISPLACEMENT, scrub::DVARS].map(|name| quality(&table, name, discarded));
    let path = path.value.clone();
    diagnostics.finish(ConfoundTable { path, sidecar, names, columns, kept, displacement_mm, std_dvars })
}

/// Whether each frame that was not discarded is kept.
///
/// # Errors
/// A column that is needed is missing or holds something that is no number; every frame is censored.
fn kept_frames(table: &Table, settings: &ConfoundSettings, discarded: usize) -> Result<Vec<bool>, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut kept = vec![true; table.rows.len().saturating_sub(discarded)];
    if let Some(scrub) = &settings.scrub
        && let Some(scrubbed) = diagnostics.collect(scrub::kept_frames(table, scrub, discarded))
    {
        kept = scrubbed;
    }
    if settings.strategy.is_some()
        && let Some(steady) = diagnostics.collect(steady_state::kept_frames(table, discarded))
    {
        kept.iter_mut().zip(steady).for_each(|(kept, steady)| *kept &= steady);
    }
    if !diagnostics.has_errors() && !kept.is_empty() && !kept.contains(&true) {
        let (message, hint) = if settings.scrub.is_some() {
            let hint = "raise the thresholds of `[confounds] scrub`, lower `min_segment`, or leave the run out";
            ("scrubbing censors every volume", hint)
        } else {
            let hint = "correct the columns `non_steady_state*`, or leave the run out";
            ("every volume is marked as before the steady state", hint)
        };
        let problem = Diagnostic::error("confounds-all-censored", message);
        diagnostics.push(problem.at(Place::file(&table.path)).note(counted(kept.len(), "volume")).hint(hint));
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(kept) }
}

/// A measure of quality as far as it has numbers: nothing is computed from it here.
fn quality(table: &Table, name: &str, discarded: usize) -> Vec<f64> {
    let Some(column) = table.column(name) else { return Vec::new() };
    let number = |cell: &str| match Cell::parse(cell) {
        Cell::Number(value) => value,
        _ => f64::NAN,
    };
    table.rows.iter().skip(discarded).map(|row| number(row.text(column))).collect()
}

/// Names the columns of motion files that carry none, where the file's name says which program wrote it.
fn name_motion_columns(mut table: Table) -> Table {
    const TRANSLATIONS: [&str; 3] = ["trans_x", "trans_y", "trans_z"];
    const ROTATIONS: [&str; 3] = ["rot_x", "rot_y", "rot_z"];
    if table.has_header || table.columns.len() != 6 {
        return table;
    }
    let name = table.path.file_name().unwrap_or_default().to_string_lossy();
    let has_suffix = |suffix: &str| Path::new(name.as_ref()).extension().is_some_and(|found| found == suffix);
    let order = if has_suffix("txt") && name.starts_with("rp") {
        [TRANSLATIONS, ROTATIONS]
    } else if has_suffix("par") {
        [ROTATIONS, TRANSLATIONS]
    } else {
        return table;
    };
    table.columns = order.concat().into_iter().map(str::to_owned).collect();
    table
}

fn check_row_count(table: &Table, n_acquired: usize, discarded: usize, diagnostics: &mut Diagnostics) -> bool {
    let found = table.rows.len();
    if found == n_acquired {
        return true;
    }
    let message =
        format!("the confound table has {}, the image {}", counted(found, "row"), counted(n_acquired, "volume"));
    let mut problem = Diagnostic::error("confounds-row-count", message).at(Place::file(&table.path));
    if discarded > 0 && found + discarded == n_acquired {
        problem = problem
            .note(format!("it lacks just the {discarded} that `discard_volumes` drops"))
            .hint("expected a row for every acquired volume: `discard_volumes` drops rows and volumes together");
    } else {
        problem = problem.hint("expected a row for every acquired volume; is it the table of another run?");
    }
    diagnostics.push(problem);
    false
}

/// The values of the chosen columns, from the first frame that is not discarded.
fn read_columns(
    table: &Table,
    chosen: &[usize],
    first_row_nan: FirstRowNan,
    discarded: usize,
    problems: &mut CellProblems,
) -> Vec<Vec<f64>> {
    let mut empty_first = Vec::new();
    let mut columns = Vec::with_capacity(chosen.len());
    for &column in chosen {
        let is_empty =
            |frame: usize| table.rows.get(frame).is_some_and(|row| Cell::parse(row.text(column)) == Cell::Missing);
        let mut from = discarded;
        let mut first = None;
        if discarded == 0 && is_empty(0) {
            from = 1;
            first = Some(0.0);
            if first_row_nan == FirstRowNan::Error {
                empty_first.push(column);
            }
        }
        let mut values = table.numbers(column, from, "confounds-not-a-number", problems);
        if let Some(zero) = first {
            let next = values.first().copied();
            values.insert(0, if first_row_nan == FirstRowNan::CopyNext { next.unwrap_or(zero) } else { zero });
        }
        columns.push(values);
    }
    if let (Some(&column), Some(row)) = (empty_first.first(), table.rows.first()) {
        let names: Vec<String> = empty_first.iter().map(|&column| table.columns[column].clone()).collect();
        let message =
            format!("{} no value in the first row", if names.len() == 1 { "the column has" } else { "columns have" });
        let problem = Diagnostic::error("confounds-first-row", message)
            .at(table.place(row, column))
            .note(format!("columns: {}", list(&names)))
            .hint("`[confounds] first_row_nan = \"copy-next\"` takes the second row's value, \"zero\" takes 0");
        problems.add(problem, "");
    }
    columns
}

fn warn_of_constant(table: &Table, names: &[String], columns: &[Vec<f64>], diagnostics: &mut Diagnostics) {
    let constant: Vec<String> = names
        .iter()
        .zip(columns)
        .filter(|(_, values)| values.windows(2).all(|pair| pair[0] == pair[1]))
        .map(|(name, _)| name.clone())
        .collect();
    if !constant.is_empty() {
        let message = format!(
            "{} constant over the run and removes nothing",
            if constant.len() == 1 { "a confound is".to_owned() } else { format!("{} confounds are", constant.len()) }
        );
        let warning = Diagnostic::warning("confounds-constant", message).at(Place::file(&table.path));
        diagnostics.push(warning.note(format!("columns: {}", list(&constant))));
    }
}

#[cfg(test)]
#[path = "confounds/tests.rs"]
mod tests;
