//! Two tables, cell by cell: numbers within the tolerance, words exactly.

use super::tally::{Place, Tally};
use super::{Difference, Tolerance, both, unreadable};
use crate::error::Diagnostics;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

struct Table {
    columns: Vec<String>,
    /// Line and cells.
    rows: Vec<(u64, Vec<String>)>,
}

/// Compares two tables; the count is of cells.
pub(super) fn compare_tables(
    a: &Path,
    b: &Path,
    tolerance: Tolerance,
) -> Result<(usize, Option<Difference>), Diagnostics> {
    let (a, b) = both(a, b, read_table)?;
    if a.columns != b.columns {
        let [a, b] = [a, b].map(|table| table.columns.join(", "));
        return Ok((0, Some(Difference::Shape { what: "columns", a, b })));
    }
    if a.rows.len() != b.rows.len() {
        let [a, b] = [a, b].map(|table| table.rows.len().to_string());
        return Ok((0, Some(Difference::Shape { what: "numbers of rows", a, b })));
    }
    let mut tally = Tally::default();
    for ((line, left), (_, right)) in a.rows.iter().zip(&b.rows) {
        for ((column, left), right) in a.columns.iter().zip(left).zip(right) {
            let place = || Place::Cell { line: *line, column: column.clone() };
            match (as_number(left), as_number(right)) {
                (Some(left), Some(right)) => tally.numbers(tolerance, left, right, place),
                _ => tally.texts(left, right, place),
            }
        }
    }
    Ok(tally.finish())
}

/// The number in a cell; `n/a` is one that is not a number.
fn as_number(cell: &str) -> Option<f64> {
    if cell == "n/a" { Some(f64::NAN) } else { cell.parse().ok() }
}

fn read_table(path: &Path) -> Result<Table, Diagnostics> {
    let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let name = path.to_string_lossy().to_ascii_lowercase();
    let plain = name.strip_suffix(".gz");
    let reader: Box<dyn Read> = if plain.is_some() {
        Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(file)))
    } else {
        Box::new(file)
    };
    let delimiter = if plain.unwrap_or(&name).strip_suffix(".csv").is_some() { b',' } else { b'\t' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(reader);
    let fail = |error: csv::Error| Diagnostics::from(unreadable(path, &error.to_string()));
    let columns = reader.headers().map_err(fail)?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(fail)?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.iter().map(|cell| cell.trim().to_owned()).collect()));
    }
    Ok(Table { columns, rows })
}
