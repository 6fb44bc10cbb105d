//! From a parsed contrast to its weights in the columns of one run's design.

use super::super::orthogonal_basis::OrthogonalBasis;
use super::super::run_design::{ColumnRole, ContrastMatrix, RunDesign};
use super::expression::{Source, Term};
use super::glob::{is_glob, matches};
use super::{ParsedContrast, ParsedRow};
use crate::config::{AbsentCondition, ContrastKind};
use crate::error::{Diagnostic, Diagnostics};
use ndarray::{Array2, s};
use std::collections::BTreeSet;

/// The weights of a contrast in a run's design: rows x columns.
///
/// `known_elsewhere` are the conditions of all runs that share the model. A name that is no column here but belongs to
/// one of those conditions is subject to `when_absent`: under [`AbsentCondition::SkipRun`] the answer is `None`, and
/// the run does not enter this contrast.
///
/// # Errors
/// Unknown names, conditions absent by policy, a condition that has a column per delay, globs of unequal counts, a
/// glob in a t, rows that are zero or combinations of others: all that are found, pointed at in the pipeline file.
pub fn resolve_contrast(
    contrast: &ParsedContrast,
    design: &RunDesign,
    when_absent: AbsentCondition,
    known_elsewhere: &BTreeSet<String>,
) -> Result<Option<ContrastMatrix>, Diagnostics> {
    let mut resolver =
        Resolver { contrast, design, when_absent, known_elsewhere, skips: false, problems: Diagnostics::new() };
    let mut weights: Vec<Vec<f64>> = Vec::new();
    for row in &contrast.rows {
        if let Some(rows) = resolver.rows(row, &row.terms)
            && resolver.rows_are_sound(row, &rows, &weights)
        {
            weights.extend(rows);
        }
    }
    let skips = resolver.skips;
    let flat: Vec<f64> = weights.iter().flatten().copied().collect();
    let mut matrix = Array2::zeros((weights.len(), design.n_columns()));
    matrix.iter_mut().zip(flat).for_each(|(cell, weight)| *cell = weight);
    let resolved = ContrastMatrix { name: contrast.name.value.clone(), kind: contrast.kind, weights: matrix };
    resolver.problems.finish((!skips).then_some(resolved)).map(|(resolved, _)| resolved)
}

struct Resolver<'a> {
    contrast: &'a ParsedContrast,
    design: &'a RunDesign,
    when_absent: AbsentCondition,
    known_elsewhere: &'a BTreeSet<String>,
    skips: bool,
    problems: Diagnostics,
}

impl Resolver<'_> {
    /// The rows a sum of terms comes to; `None` where a name has no column, which is then reported or skipped.
    fn rows(&mut self, row: &ParsedRow, terms: &[Term]) -> Option<Vec<Vec<f64>>> {
        let parts: Vec<Option<Vec<Vec<f64>>>> = terms.iter().map(|term| self.term(row, term)).collect();
        let parts: Vec<Vec<Vec<f64>>> = parts.into_iter().collect::<Option<_>>()?;
        let count = parts.iter().map(Vec::len).max().unwrap_or(0);
        let mut total = vec![vec![0.0; self.design.n_columns()]; count];
        for (term, part) in terms.iter().zip(&parts) {
            if part.len() != 1 && part.len() != count {
                let found = format!(
                    "globs of {} and {count} columns are combined in contrast `{}`",
                    part.len(),
                    self.contrast.name.value
                );
                self.report(row, term, Diagnostic::error("contrast-glob-counts", found), None);
                return None;
            }
            // one column beside a glob counts in each of its rows
            for (k, sum) in total.iter_mut().enumerate() {
                for (cell, weight) in sum.iter_mut().zip(&part[if part.len() == 1 { 0 } else { k }]) {
                    *cell += term.weight * weight;
                }
            }
        }
        Some(total)
    }

    fn term(&mut self, row: &ParsedRow, term: &Term) -> Option<Vec<Vec<f64>>> {
        match &term.source {
            Source::Column { text, quoted } => {
                let columns = self.columns(text, *quoted);
                if columns.is_empty() {
                    self.report_nameless(row, term, text, *quoted);
                    return None;
                }
                let unit = |column: usize| {
                    let mut weights = vec![0.0; self.design.n_columns()];
                    weights[column] = 1.0;
                    weights
                };
                Some(columns.into_iter().map(unit).collect())
            }
            Source::Mean(sums) => {
                let parts: Vec<Option<Vec<Vec<f64>>>> = sums.iter().map(|sum| self.rows(row, sum)).collect();
                let rows: Vec<Vec<f64>> =
                    parts.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
                let count = rows.len() as f64;
                let mut mean = vec![0.0; self.design.n_columns()];
                for row in rows {
                    mean.iter_mut().zip(row).for_each(|(cell, weight)| *cell += weight / count);
                }
                Some(vec![mean])
            }
        }
    }

    /// The columns a name means, in the design's order: the column of that very name, else all that a glob matches.
    fn columns(&self, text: &str, quoted: bool) -> Vec<usize> {
        let names = &self.design.names;
        match names.iter().position(|name| name == text) {
            Some(column) => vec![column],
            None if quoted && is_glob(text) => (0..names.len()).filter(|&j| matches(text, &names[j])).collect(),
            None => Vec::new(),
        }
    }

    /// A name without a column: a condition with a column per delay, one that only other runs have, or a mistake.
    fn report_nameless(&mut self, row: &ParsedRow, term: &Term, text: &str, quoted: bool) {
        let name = &self.contrast.name.value;
        let run = &self.design.run;
        let conditions = self.conditions();
        let listed = || {
            let listed = conditions.iter().copied().collect::<Vec<_>>().join(", ");
            format!("conditions in {run}: {}", if listed.is_empty() { "none" } else { &listed })
        };
        let delays = format!("{text}_delay_");
        if self.design.names.iter().any(|column| column.starts_with(&delays)) {
            let found =
                format!("condition `{text}` has a column for each delay, none of its own, under an FIR or tent model");
            let problem = Diagnostic::error("contrast-needs-delay", found).hint(format!(
                "in a list `{text}_delay_*` (with its backticks) is a row for each delay of an F; mean(`{text}_delay_*`) averages them in a t"
            ));
            return self.report(row, term, problem, None);
        }
        if let Some(condition) = self.absent_condition(text, quoted, &conditions) {
            if self.when_absent == AbsentCondition::SkipRun {
                self.skips = true;
                return;
            }
            let found = format!("condition `{condition}` of contrast `{name}` is not in {run}");
            let problem = Diagnostic::error("contrast-condition-absent", found)
                .note(listed())
                .hint("`when_condition_absent = \"skip-run\"` leaves such runs out of this contrast");
            return self.report(row, term, problem, None);
        }
        let what = if quoted && is_glob(text) { "no column matches" } else { "unknown condition" };
        let problem = Diagnostic::error("contrast-unknown-condition", format!("{what} `{text}` in contrast `{name}`"));
        let problem = problem.note(self.delays_listed(text, &conditions).unwrap_or_else(listed));
        let label = self.nearest(text, &conditions).map(|near| format!("did you mean `{near}`?"));
        self.report(row, term, problem, label);
    }

    /// The delays there are, where a name is a condition at another delay.
    fn delays_listed(&self, text: &str, conditions: &BTreeSet<&str>) -> Option<String> {
        let named = |condition: &&str| text.strip_prefix(*condition).is_some_and(|rest| rest.starts_with("_delay_"));
        let condition = conditions.iter().copied().find(named)?;
        let delays = format!("{condition}_delay_");
        let names = self.design.names.iter().map(String::as_str).filter(|name| name.starts_with(&delays));
        let columns: Vec<&str> = names.collect();
        (!columns.is_empty()).then(|| format!("delays of `{condition}`: {}", columns.join(", ")))
    }

    fn conditions(&self) -> BTreeSet<&str> {
        self.design
            .roles
            .iter()
            .filter_map(|role| match role {
                ColumnRole::Task { condition, .. } => Some(condition.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The condition of another run that a name or glob without a column here belongs to: `house` for `house`,
    /// `house_derivative`, `house:rt` and `house_delay_*`.
    fn absent_condition(&self, text: &str, quoted: bool, present: &BTreeSet<&str>) -> Option<&str> {
        let belongs = |condition: &str| {
            text == condition
                || text.strip_prefix(condition).is_some_and(|rest| rest.starts_with(['_', ':']))
                || (quoted && is_glob(text) && matches(text, condition))
        };
        self.known_elsewhere
            .iter()
            .map(String::as_str)
            .find(|condition| !present.contains(condition) && belongs(condition))
    }

    /// The condition or column most like a name, where one is like it at all: a third of its letters may differ.
    fn nearest(&self, text: &str, conditions: &BTreeSet<&str>) -> Option<String> {
        let candidates = conditions.iter().copied().chain(self.design.names.iter().map(String::as_str));
        let distance = |name: &str| strsim::damerau_levenshtein(&text.to_lowercase(), &name.to_lowercase());
        let near = (text.chars().count() / 3).max(1);
        candidates
            .map(|name| (distance(name), name))
            .filter(|(distance, _)| *distance <= near)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, name)| name.to_owned())
    }

    /// Whether a statistic can be made of the rows of one expression; reports why not.
    fn rows_are_sound(&mut self, row: &ParsedRow, rows: &[Vec<f64>], before: &[Vec<f64>]) -> bool {
        let name = &self.contrast.name.value;
        let problem = if rows.iter().any(|weights| weights.iter().all(|weight| *weight == 0.0)) {
            Diagnostic::error("contrast-all-zero", format!("all weights of contrast `{name}` are zero"))
                .hint("its columns cancel each other")
        } else if self.contrast.kind == ContrastKind::T && rows.len() > 1 {
            let found = format!("a glob of {} columns in the t contrast `{name}`", rows.len());
            Diagnostic::error("contrast-glob-in-t", found)
                .hint("a list, as in `expr = [\"...\"]`, tests them together in an F; mean(...) averages them")
        } else if dependent(rows, before) {
            Diagnostic::error("contrast-rows-dependent", format!("a row of contrast `{name}` repeats what others test"))
                .note("it is a combination of the rows before it; an F needs independent rows")
                .hint("leave it out: the F is the same")
        } else {
            return true;
        };
        self.problems.push(super::super::placed(problem, row.source.place()));
        false
    }

    fn report(&mut self, row: &ParsedRow, term: &Term, problem: Diagnostic, label: Option<String>) {
        let place = row.source.place_within(term.range.clone());
        // without a place there are no carets for the label to stand beside
        let problem = match (label, &place) {
            (Some(label), Some(_)) => problem.label(label),
            (Some(label), None) => problem.hint(label),
            (None, _) => problem,
        };
        self.problems.push(super::super::placed(problem, place));
    }
}

/// Whether the rows are linearly dependent, on each other or on those before them.
fn dependent(rows: &[Vec<f64>], before: &[Vec<f64>]) -> bool {
    let all: Vec<&Vec<f64>> = before.iter().chain(rows).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let mut transposed = Array2::zeros((columns, all.len()));
    for (k, weights) in all.iter().enumerate() {
        transposed.slice_mut(s![.., k]).iter_mut().zip(*weights).for_each(|(cell, weight)| *cell = *weight);
    }
    OrthogonalBasis::of(&transposed).rank() < all.len()
}
