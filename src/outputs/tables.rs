//! Tables: tab-separated, numbers in the fewest digits that read back as the same f64, `n/a` where there is none.

use crate::config::ContrastKind;
use crate::design::RunDesign;
use std::io::{self, Write};

/// A number as text: the shortest that reads back the same; `n/a` for one that is not a number.
pub fn number(value: f64) -> String {
    if value.is_nan() { "n/a".to_owned() } else { format!("{value:?}") }
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Column<'a> {
    /// Words.
    Text(&'a [String]),
    /// Numbers.
    Numbers(&'a [f64]),
}

impl Column<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
        }
    }

    fn cell(&self, row: usize) -> String {
        match self {
            Self::Text(cells) => cells[row].clone(),
            Self::Numbers(cells) => number(cells[row]),
        }
    }
}

/// Writes a table of named columns. Names or words that hold a tab, a quote or a line end are quoted.
///
/// # Errors
/// The columns differ in length, or the sink fails.
pub fn write_table(sink: impl Write, columns: &[(&str, Column<'_>)]) -> io::Result<()> {
    let n_rows = columns.first().map_or(0, |(_, column)| column.len());
    if let Some((name, column)) = columns.iter().find(|(_, column)| column.len() != n_rows) {
        let message = format!("column `{name}` has {} rows, the first column {n_rows}", column.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let mut writer = tab_separated(sink);
    writer.write_record(columns.iter().map(|(name, _)| name)).map_err(io::Error::from)?;
    for row in 0..n_rows {
        writer.write_record(columns.iter().map(|(_, column)| column.cell(row))).map_err(io::Error::from)?;
    }
    writer.flush()
}

/// Writes a design matrix: a row per frame, censored frames included, a column per regressor.
///
/// # Errors
/// The sink fails.
pub fn write_design(sink: impl Write, design: &RunDesign) -> io::Result<()> {
    let mut writer = tab_separated(sink);
    writer.write_record(&design.names).map_err(io::Error::from)?;
    for row in design.matrix.rows() {
        writer.write_record(row.iter().map(|value| number(*value))).map_err(io::Error::from)?;
    }
    writer.flush()
}

/// Writes series frame by frame, each one value a name.
///
/// # Errors
/// A frame has another number of values, or the sink fails.
pub fn write_series(sink: impl Write, names: &[String], frames: impl IntoIterator<Item = Vec<f64>>) -> io::Result<()> {
    let mut writer = tab_separated(sink);
    writer.write_record(names).map_err(io::Error::from)?;
    for frame in frames {
        // a record of another length is csv's error
        writer.write_record(frame.into_iter().map(number)).map_err(io::Error::from)?;
    }
    writer.flush()
}

/// The statistics of one contrast, a value a column of the input table or a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContrastColumns<'a> {
    /// Effect of a t.
    pub effect: &'a [f64],
    /// Its variance.
    pub variance: &'a [f64],
    /// t or F.
    pub statistic: &'a [f64],
    /// Degrees of freedom, of the denominator for an F.
    pub dof: &'a [f64],
    /// z score.
    pub z: &'a [f64],
    /// p value.
    pub p: &'a [f64],
}

/// Writes a contrast's statistics: `name effect variance t dof z p` of a t, `name F dof z p` of an F, whose effects are
/// as many as its rows.
///
/// # Errors
/// The columns differ in length, or the sink fails.
pub fn write_contrast(
    sink: impl Write,
    names: &[String],
    kind: ContrastKind,
    values: &ContrastColumns<'_>,
) -> io::Result<()> {
    let mut columns = vec![("name", Column::Text(names))];
    match kind {
        ContrastKind::T => columns.extend([
            ("effect", Column::Numbers(values.effect)),
            ("variance", Column::Numbers(values.variance)),
            ("t", Column::Numbers(values.statistic)),
        ]),
        ContrastKind::F => columns.push(("F", Column::Numbers(values.statistic))),
    }
    columns.extend([
        ("dof", Column::Numbers(values.dof)),
        ("z", Column::Numbers(values.z)),
        ("p", Column::Numbers(values.p)),
    ]);
    write_table(sink, &columns)
}

fn tab_separated<W: Write>(sink: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().delimiter(b'\t').from_writer(sink)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_read_back_the_same(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            prop_assert_eq!(number(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }

    #[test]
    fn a_design_reads_back_to_the_same_numbers() {
        let names = ["face", "drift 1"].map(str::to_owned).to_vec();
        let matrix = ndarray::array![[1.0 / 3.0, 0.0], [-1.234_567_890_123_456_7e-12, 1.0]];
        let design = RunDesign {
            run: "sub-01".into(),
            roles: vec![crate::design::ColumnRole::Drift; 2],
            peak_heights: vec![1.0; 2],
            timing: crate::inputs::Timing::new(2.0, 2, 0, 0.0),
            names: names.clone(),
            matrix: matrix.clone(),
        };
        let mut text = Vec::new();
        write_design(&mut text, &design).unwrap();
        let text = String::from_utf8(text).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows[0], names);
        assert_eq!(rows.len(), matrix.nrows() + 1);
        for (row, cells) in matrix.rows().into_iter().zip(&rows[1..]) {
            for (value, cell) in row.iter().zip(cells) {
                assert_eq!(cell.parse::<f64>().unwrap(), *value);
            }
        }
    }

    #[test]
    fn tables_are_tab_separated() {
        let names = ["V1".to_owned(), "a\tb".to_owned()];
        let values = ContrastColumns {
            effect: &[1.0, -0.1],
            variance: &[1e-20, f64::NAN],
            statistic: &[2.5, 1e30],
            dof: &[97.0, 97.5],
            z: &[2.0, 0.0],
            p: &[5e-324, f64::INFINITY],
        };
        let mut out = Vec::new();
        write_contrast(&mut out, &names, ContrastKind::T, &values).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "name\teffect\tvariance\tt\tdof\tz\tp\n\
             V1\t1.0\t1e-20\t2.5\t97.0\t2.0\t5e-324\n\
             \"a\tb\"\t-0.1\tn/a\t1e30\t97.5\t0.0\tinf\n"
        );
        let mut out = Vec::new();
        write_contrast(&mut out, &names, ContrastKind::F, &values).unwrap();
        let header = String::from_utf8(out).unwrap().lines().next().unwrap().to_owned();
        assert_eq!(header, "name\tF\tdof\tz\tp", "the effect of an F's first row is not the F's");
        let short = ContrastColumns { p: &[1.0], ..values };
        assert!(write_contrast(Vec::new(), &names, ContrastKind::F, &short).is_err());
    }

    #[test]
    fn series_are_written_frame_by_frame() {
        let mut out = Vec::new();
        let names = ["a".to_owned(), "b".to_owned()];
        write_series(&mut out, &names, [vec![0.0, 0.5], vec![1.0, 0.5]]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a\tb\n0.0\t0.5\n1.0\t0.5\n");
        assert!(write_series(Vec::new(), &names, [vec![0.0], vec![0.0; 2]]).is_err());
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn a_sink_that_fails_is_an_error() {
        let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
            eprintln!("skipped: no /dev/full here");
            return;
        };
        assert!(write_series(full, &["a".to_owned()], [vec![0.0]]).is_err());
    }
}
