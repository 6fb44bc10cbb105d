//! The table as Markdown and as tab-separated values.

use crate::measure::{Outcome, Row};
use std::fmt::Write as _;

const HEADER: &str =
    "tr_s\tdesign\tnoise\tvariation\tfwhm\tframes\truns\tmethod\tvoxels\trate_05\tse_05\trate_001\tse_001\tpower\n";

pub fn tsv(rows: &[Row]) -> String {
    let mut text = HEADER.to_owned();
    for row in rows {
        let cell = &row.cell;
        let (design, noise, variation) = (cell.paradigm(), cell.spectrum(), cell.variation());
        for Outcome { method, n_voxels, rates: [at_05, at_001], power } in &row.outcomes {
            let power = if power.is_nan() { "n/a".to_owned() } else { format!("{power:.4}") };
            writeln!(
                text,
                "{}\t{design}\t{noise}\t{variation}\t{}\t{}\t{}\t{method}\t{n_voxels}\t{:.5}\t{:.5}\t{:.6}\t{:.6}\t{power}",
                cell.tr_s,
                cell.fwhm,
                cell.n_frames,
                row.n_runs,
                at_05.value,
                at_05.error,
                at_001.value,
                at_001.error,
            )
            .unwrap();
        }
    }
    text
}

/// Rates at .05 and .001 of every method; in bold those of the default that leave the cell's bounds.
pub fn markdown(rows: &[Row]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let methods: Vec<&str> = first.outcomes.iter().map(|outcome| outcome.method).collect();
    let mut text = String::from("| frames | TR s | design | noise | varies | FWHM |");
    for method in &methods {
        write!(text, " {method} |").unwrap();
    }
    text.push_str("\n|---|---|---|---|---|---|");
    text.push_str(&"---|".repeat(methods.len()));
    text.push('\n');
    for row in rows {
        let cell = &row.cell;
        let (design, noise, variation) = (cell.paradigm(), cell.spectrum(), cell.variation());
        write!(text, "| {} | {} | {design} | {noise} | {variation} | {} |", cell.n_frames, cell.tr_s, cell.fwhm)
            .unwrap();
        for method in &methods {
            let Some(outcome) = row.of(method) else {
                text.push_str("  |");
                continue;
            };
            let [at_05, at_001] = outcome.rates.map(|rate| rate.value);
            let outside = method.starts_with("pooled") && !inside(row, outcome);
            let mark = if outside { "**" } else { "" };
            write!(text, " {mark}{at_05:.4} / {at_001:.5}{mark} |").unwrap();
        }
        text.push('\n');
    }
    text
}

/// Whether rates keep a cell's bounds.
fn inside(row: &Row, outcome: &Outcome) -> bool {
    let pairs = row.cell.bounds().into_iter().zip(outcome.rates);
    pairs.into_iter().all(|((low, high), rate)| (low..=high).contains(&rate.value))
}

/// How many cells keep the bounds, and the least power.
pub fn summary(rows: &[Row]) -> String {
    let mut text = String::new();
    for (name, core) in [("core", true), ("stress", false)] {
        let of: Vec<(&Row, &Outcome)> = rows
            .iter()
            .filter(|row| row.cell.is_core() == core)
            .filter_map(|row| Some((row, row.of("pooled-ar")?)))
            .collect();
        if of.is_empty() {
            continue;
        }
        let range = |value: &dyn Fn(&Outcome) -> f64| {
            let values = of.iter().map(|(_, outcome)| value(outcome));
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
        };
        let within = of.iter().filter(|(row, outcome)| inside(row, outcome)).count();
        let (r05, r001) = (range(&|o| o.rates[0].value), range(&|o| o.rates[1].value));
        let power = range(&|o| o.power);
        let weak = of.iter().filter(|(_, outcome)| outcome.power < 0.98).count();
        writeln!(
            text,
            "{name}: pooled-ar inside the bounds in {within} of {} cells; {:.4}-{:.4} at .05, {:.5}-{:.5} at .001; power \
             {:.3}-{:.3}, below .98 in {weak}",
            of.len(),
            r05.0,
            r05.1,
            r001.0,
            r001.1,
            power.0,
            power.1,
        )
        .unwrap();
        for (row, outcome) in of.iter().filter(|(row, outcome)| !inside(row, outcome)) {
            let [a, b] = outcome.rates;
            writeln!(
                text,
                "  outside: {} {:.4} (SE {:.4}) / {:.5} (SE {:.5})",
                row.cell.name(),
                a.value,
                a.error,
                b.value,
                b.error
            )
            .unwrap();
        }
        // farther from nominal than nilearn's AR(1), by more than two standard errors
        for (level, nominal) in crate::rates::LEVELS.into_iter().enumerate() {
            for (row, outcome) in &of {
                let Some(other) = row.of("nilearn-ar1") else { continue };
                let (own, other) = (outcome.rates[level], other.rates[level]);
                let farther = (own.value - nominal).abs() - (other.value - nominal).abs();
                if farther > 2.0 * own.error.hypot(other.error) {
                    writeln!(
                        text,
                        "  farther from {nominal} than nilearn-ar1: {} {:.5}, {:.5}",
                        row.cell.name(),
                        own.value,
                        other.value
                    )
                    .unwrap();
                }
            }
        }
    }
    text
}
