//! Tables as files: tab, comma or white space between cells, a header or none, plain or gzipped.
//!
//! One reader for every table of the crate. It accepts what spreadsheets and scripts leave behind (byte-order
//! mark, CRLF, spaces around cells, quoted cells, no final line feed, empty trailing cells) and keeps line
//! numbers and column names, so that whatever is wrong with a cell can be said with its place.

mod cell;
mod columns;
mod problems;
mod text;

pub(crate) use cell::{Cell, decimal_comma_hint, is_missing};
pub(crate) use columns::{list, nearest, quoted, select_columns};
pub(crate) use problems::CellProblems;
pub(crate) use text::read_text;

use crate::error::{Diagnostic, Diagnostics, Place, counted};
use csv::{ReaderBuilder, StringRecord, Terminator};
use std::path::{Path, PathBuf};

/// What stands between the cells of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    /// This byte; cells may be quoted.
    Byte(u8),
    /// Any run of spaces and tabs; lines that begin with `#` are comments.
    Whitespace,
}

/// Whether the first line names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// It must.
    Required,
    /// It does unless all its cells are numbers, as in the motion files of SPM and FSL.
    Detected,
}

/// A table held as text: column names, and rows that know their lines.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// The file.
    pub(crate) path: PathBuf,
    /// 1-based line of the header; of the first row where there is none.
    pub(crate) header_line: usize,
    /// Names of the columns; `column_1`, `column_2`, … where there is no header.
    pub(crate) columns: Vec<String>,
    /// Whether the file itself names its columns.
    pub(crate) has_header: bool,
    /// The rows; each has at least a cell a column.
    pub(crate) rows: Vec<Row>,
    /// First empty line that has rows below it.
    pub(crate) blank_line: Option<usize>,
}

/// One row of a [`Table`].
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// 1-based line in the file, header included.
    pub(crate) line: usize,
    cells: StringRecord,
}

impl Row {
    /// The text of one cell, without the spaces around it.
    pub(crate) fn text(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or("").trim()
    }
}

/// Names of the columns of a table with a header.
///
/// # Errors
/// The table cannot be read.
pub fn table_header(path: &Path) -> Result<Vec<String>, Diagnostics> {
    Table::read(path, None, Header::Detected).map(|table| table.columns)
}

impl Table {
    /// Reads a table. `.tsv` has tabs between cells, `.csv` whatever its first line has of commas, tabs and
    /// semicolons, in this order; for other suffixes the first line says: a tab, else a comma, else white space.
    /// `stated` is where the path was typed, if anywhere.
    ///
    /// # Errors
    /// The file cannot be read or decoded, has no header, or has rows of another length than its header.
    pub(crate) fn read(path: &Path, stated: Option<&Place>, header: Header) -> Result<Self, Diagnostics> {
        Self::parse(path, &read_text(path, stated)?, header)
    }

    /// Reads a table from text whose lines end with line feeds.
    fn parse(path: &Path, text: &str, header: Header) -> Result<Self, Diagnostics> {
        let mut lines = match Separator::of(path, text) {
            Separator::Byte(byte) => separated_lines(path, text, byte)?,
            Separator::Whitespace => white_space_lines(text),
        };
        let mut blank_lines = Vec::new();
        lines.retain(|row| {
            let blank = row.cells.iter().all(|cell| cell.trim().is_empty());
            if blank {
                blank_lines.push(row.line);
            }
            !blank
        });
        let Some(first) = lines.first() else {
            return Err(Diagnostic::error("table-empty", "the table is empty")
                .at(Place::file(path))
                .hint("expected a header line with the names of the columns")
                .into());
        };
        let header_line = first.line;
        let last_line = lines.last().map_or(0, |row| row.line);
        let blank_line = blank_lines.into_iter().find(|line| (header_line..last_line).contains(line));
        let numbers = first.cells.iter().all(|cell| matches!(Cell::parse(cell), Cell::Number(_)));
        let has_header = header == Header::Required || !numbers || is_counting(&first.cells);
        let columns: Vec<String> = if has_header {
            let mut names: Vec<String> = first.cells.iter().map(|cell| cell.trim().to_owned()).collect();
            while names.last().is_some_and(String::is_empty) {
                names.pop();
            }
            lines.remove(0);
            names
        } else {
            (1..=first.cells.len()).map(|number| format!("column_{number}")).collect()
        };
        let table = Self { path: path.to_path_buf(), header_line, columns, has_header, rows: lines, blank_line };
        table.check_lengths()?;
        Ok(table)
    }

    /// Index of the column of this name; of the first one where several have it.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The place of a cell.
    pub(crate) fn place(&self, row: &Row, column: usize) -> Place {
        Place::cell(&self.path, row.line, self.columns.get(column).map(String::as_str))
    }

    /// The place of the header.
    pub(crate) fn header_place(&self) -> Place {
        Place::cell(&self.path, self.header_line, None)
    }

    /// The numbers of a column from row `from` on. A cell that is no finite number is a problem with this code, and
    /// NaN in what is returned.
    pub(crate) fn numbers(
        &self,
        column: usize,
        from: usize,
        code: &'static str,
        problems: &mut CellProblems,
    ) -> Vec<f64> {
        let rows = self.rows.get(from..).unwrap_or_default();
        rows.iter()
            .map(|row| {
                Cell::parse(row.text(column)).number().unwrap_or_else(|| {
                    let found = row.text(column);
                    problems.add(self.not_a_number(code, found).at(self.place(row, column)), found);
                    f64::NAN
                })
            })
            .collect()
    }

    /// The problem of a cell that should be a number, without its place.
    pub(crate) fn not_a_number(&self, code: &'static str, found: &str) -> Diagnostic {
        let problem = match Cell::parse(found) {
            Cell::Missing if found.is_empty() => Diagnostic::error(code, "the cell is empty"),
            Cell::Missing => Diagnostic::error(code, format!("there is no value: `{found}`")),
            Cell::Text(_) => Diagnostic::error(code, format!("`{found}` is not a number")),
            Cell::Number(_) => Diagnostic::error(code, format!("{found} is beyond single precision")),
        };
        let problem = problem.note("expected a finite number");
        match self.separator_hint().or_else(|| decimal_comma_hint(found)) {
            Some(hint) => problem.hint(hint),
            None if matches!(Cell::parse(found), Cell::Missing) => {
                problem.hint("fill the cell, or leave its column out")
            }
            None => problem,
        }
    }

    /// The columns as a message lists them.
    pub(crate) fn describe_columns(&self) -> String {
        list(&self.columns)
    }

    /// What to do where a column is missing because the cells are not separated as the file's name says.
    pub(crate) fn separator_hint(&self) -> Option<String> {
        let [only] = self.columns.as_slice() else { return None };
        let found = [(',', "commas"), (';', "semicolons"), ('\t', "tabs"), (' ', "spaces")]
            .into_iter()
            .find(|(separator, _)| only.contains(*separator))?
            .1;
        Some(format!(
            "the header has {found} and is read as one column: `.tsv` needs tabs between cells, `.csv` commas"
        ))
    }

    /// Refuses empty lines among rows that stand for frames: what is missing there would shift all that follows.
    pub(crate) fn refuse_blank_line(&self) -> Result<(), Diagnostics> {
        match self.blank_line {
            None => Ok(()),
            Some(line) => Err(Diagnostic::error("table-blank-line", "empty line between rows")
                .at(Place::cell(&self.path, line, None))
                .note("each row is a frame, so a missing one would shift all that follow")
                .hint("fill it or delete it")
                .into()),
        }
    }

    fn check_lengths(&self) -> Result<(), Diagnostics> {
        let expected = self.columns.len();
        let mut problems = CellProblems::new();
        let mut one_more = 0;
        for row in &self.rows {
            let found = row.cells.len();
            let surplus = row.cells.iter().skip(expected).any(|cell| !cell.trim().is_empty());
            if found >= expected && !surplus {
                continue;
            }
            one_more += usize::from(found == expected + 1);
            let diagnostic = Diagnostic::error(
                "table-ragged-row",
                format!("the row has {}, the header {expected}", counted(found, "cell")),
            )
            .at(Place::cell(&self.path, row.line, None));
            problems.add(diagnostic, &counted(found, "cell"));
        }
        let mut diagnostics = problems.into_diagnostics();
        if one_more == self.rows.len() && one_more > 1 && self.has_header {
            diagnostics = diagnostics
                .into_iter()
                .map(|diagnostic| {
                    diagnostic.hint("every row has one cell more than the header: row names without a column?")
                })
                .collect();
        }
        if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
    }
}

/// Whether the cells count 0, 1, 2, …: what pandas writes above columns that have no names.
fn is_counting(cells: &StringRecord) -> bool {
    cells.len() > 1 && cells.iter().enumerate().all(|(index, cell)| cell.trim() == index.to_string())
}

impl Separator {
    fn of(path: &Path, text: &str) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
        match name.rsplit('.').next() {
            Some("tsv") => Self::Byte(b'\t'),
            Some("csv") => {
                Self::Byte([b',', b'\t', b';'].into_iter().find(|byte| first.as_bytes().contains(byte)).unwrap_or(b','))
            }
            _ if first.trim().contains('\t') => Self::Byte(b'\t'),
            _ if first.contains(',') => Self::Byte(b','),
            _ => Self::Whitespace,
        }
    }
}

fn white_space_lines(text: &str) -> Vec<Row> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with('#'))
        .map(|(index, line)| Row { line: index + 1, cells: line.split_whitespace().collect::<Vec<_>>().into() })
        .collect()
}

fn separated_lines(path: &Path, text: &str, separator: u8) -> Result<Vec<Row>, Diagnostics> {
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let (mut line, mut counted_to) = (1, 0);
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(rows),
            Err(error) => {
                let problem = Diagnostic::error("table-unreadable", format!("cannot read the table: {error}"));
                return Err(problem.at(Place::cell(path, line, None)).into());
            }
        }
        // The reader passes over empty lines before it takes a record's position; count them, and keep them as rows.
        let start = record.position().map_or(0, |position| position.byte() as usize).min(text.len());
        let skipped = text[start..].bytes().take_while(|byte| *byte == b'\n').count();
        line += text[counted_to..start].matches('\n').count();
        for blank in 0..skipped {
            rows.push(Row { line: line + blank, cells: StringRecord::new() });
        }
        line += skipped;
        counted_to = start + skipped;
        if record.iter().any(|cell| cell.contains('\n')) {
            return Err(Diagnostic::error("table-unclosed-quote", "a quoted cell runs over the end of its line")
                .at(Place::cell(path, line, None))
                .hint("close the quote, or remove it")
                .into());
        }
        rows.push(Row { line, cells: record.clone() });
    }
}

#[cfg(test)]
#[path = "table/tests.rs"]
mod tests;
