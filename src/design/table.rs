//! The design matrix as a table.

use super::RunDesign;
use std::fmt::Write as _;

/// Tab-separated text: column names, then a row a frame (censored frames included), no index column. Numbers are
/// written so that reading them gives the same f64 back.
pub fn tsv(design: &RunDesign) -> String {
    let mut out = design.names.iter().map(|name| without_breaks(name)).collect::<Vec<_>>().join("\t");
    out.push('\n');
    for row in design.matrix.rows() {
        for (index, value) in row.iter().enumerate() {
            if index > 0 {
                out.push('\t');
            }
            let magnitude = value.abs();
            // decimal notation of very small numbers is mostly zeros
            let _ = if *value != 0.0 && !(1e-5..1e15).contains(&magnitude) {
                write!(out, "{value:e}")
            } else {
                write!(out, "{}", value + 0.0)
            };
        }
        out.push('\n');
    }
    out
}

/// A name without the characters that would break the table.
fn without_breaks(name: &str) -> String {
    name.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::run_design::tests::small_design;
    use super::*;

    #[test]
    fn numbers_read_back_to_the_same_bits() {
        let mut design = small_design();
        design.matrix[[0, 0]] = 1.0 / 3.0;
        design.matrix[[1, 0]] = -1.234_567_890_123_456_7e-12;
        design.matrix[[2, 0]] = -0.0;
        let text = tsv(&design);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows[0], design.names);
        assert_eq!(rows.len(), design.matrix.nrows() + 1);
        for (row, cells) in design.matrix.rows().into_iter().zip(&rows[1..]) {
            for (value, cell) in row.iter().zip(cells) {
                assert_eq!(cell.parse::<f64>().unwrap(), *value);
            }
        }
        assert_eq!(rows[3][0], "0");
        assert_eq!(rows[2][0], "-1.2345678901234567e-12");
    }
}
