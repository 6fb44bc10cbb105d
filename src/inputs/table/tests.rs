use super::*;
use crate::config::Located;

fn parse(name: &str, text: &str) -> Result<Table, Diagnostics> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    let text = read_text(&path, None)?;
    Table::parse(Path::new(name), &text, Header::Detected)
}

fn cells(table: &Table) -> Vec<(usize, Vec<&str>)> {
    table.rows.iter().map(|row| (row.line, (0..table.columns.len()).map(|column| row.text(column)).collect())).collect()
}

#[test]
fn accepts_what_spreadsheets_leave_behind() {
    let text = "\u{feff}\u{feff}onset\t duration \ttrial_type\t\r\n1.5\t0\t\"a \"\"b\"\"\"\r\n\r\n 2\t 3 \tc\t\t\r\n\t\t\r\n\r\n";
    let table = parse("e.tsv", text).unwrap();
    assert_eq!(table.columns, ["onset", "duration", "trial_type"]);
    assert_eq!(cells(&table), [(2, vec!["1.5", "0", "a \"b\""]), (4, vec!["2", "3", "c"])]);
    assert_eq!((table.header_line, table.blank_line), (1, Some(3)));
}

#[test]
fn line_numbers_survive_blank_lines_old_mac_ends_and_a_missing_final_feed() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["", "", "a\tb", "1\t2", "", "", "3\t4"].join(end);
        let table = parse("e.tsv", &text).unwrap();
        assert_eq!(cells(&table), [(4, vec!["1", "2"]), (7, vec!["3", "4"])], "{end:?}");
        assert_eq!((table.header_line, table.blank_line), (3, Some(5)));
    }
}

#[test]
fn trailing_blank_lines_leave_no_gap() {
    assert_eq!(parse("e.tsv", "a\n1\n\n\n").unwrap().blank_line, None);
}

#[test]
fn the_separator_follows_the_suffix_then_the_first_line() {
    for (name, text) in [
        ("e.tsv", "a x\tb\n1\t2\n"),
        ("e.csv", "a x,b\n1,2\n"),
        ("tabs.csv", "a x\tb\n1\t2\n"),
        ("excel.csv", "a x;b\n1;2\n"),
        ("e.dat", "a x,b\n1,2\n"),
        ("e.txt", "a x\tb\n1\t2\n"),
    ] {
        assert_eq!(parse(name, text).unwrap().columns, ["a x", "b"], "{name}");
    }
    let table = parse("rp.txt", "# made by\n  1.0  2e-1\n  3  4 \n").unwrap();
    assert_eq!(table.columns, ["column_1", "column_2"]);
    assert!(!table.has_header);
    assert_eq!(cells(&table), [(2, vec!["1.0", "2e-1"]), (3, vec!["3", "4"])]);
}

#[test]
fn counting_numbers_are_names() {
    let table = parse("e.tsv", "0\t1\t2\n5\t6\t7\n").unwrap();
    assert_eq!(table.columns, ["0", "1", "2"]);
    assert_eq!(table.rows.len(), 1);
}

#[test]
fn gzip_is_known_by_its_bytes() {
    use std::io::Write as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("e.tsv.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"a\tb\n1\t2\n").unwrap();
    let whole = encoder.finish().unwrap();
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(cells(&Table::read(&path, None, Header::Required).unwrap()), [(2, vec!["1", "2"])]);
    std::fs::write(&path, &whole[..whole.len() - 6]).unwrap();
    let problems = Table::read(&path, None, Header::Required).unwrap_err();
    assert_eq!(problems.iter().next().unwrap().code, "file-damaged");
}

#[test]
fn damage_is_said_with_its_line() {
    let shown = |text: &str| parse("e.tsv", text).unwrap_err().to_string();
    insta::assert_snapshot!(shown("a\tb\n1\t2\n3\n4\t5\t6\n"), @"
    error[table-ragged-row]: the row has 1 cell, the header 2
     --> e.tsv:3
       = note: also on line 4 (3 cells)
    ");
    insta::assert_snapshot!(shown("a\tb\n1\t2\t3\n3\t4\t5\n"), @"
    error[table-ragged-row]: the row has 3 cells, the header 2
     --> e.tsv:2
       = note: also on line 3 (3 cells)
       = hint: every row has one cell more than the header: row names without a column?
    ");
    insta::assert_snapshot!(shown("a\tb\n1\t\"2\n3\t4\n"), @"
    error[table-unclosed-quote]: a quoted cell runs over the end of its line
     --> e.tsv:2
       = hint: close the quote, or remove it
    ");
    insta::assert_snapshot!(shown(" \n\n"), @"
    error[table-empty]: the table is empty
     --> e.tsv
       = hint: expected a header line with the names of the columns
    ");
    let directory = tempfile::tempdir().unwrap();
    for (bytes, expected) in [
        (&b"a\tb\n1\t\xe9\n"[..], "byte 0xe9 is not UTF-8"),
        (&b"\xff\xfea\x00"[..], "the file is UTF-16, expected UTF-8"),
    ] {
        let path = directory.path().join("latin.tsv");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(read_text(&path, None).unwrap_err().iter().next().unwrap().message, expected);
    }
}

#[test]
fn a_missing_file_is_said_where_its_path_was_typed() {
    let stated = Place::cell(Path::new("p.toml"), 3, None);
    let problems = read_text(Path::new("/nowhere/e.tsv"), Some(&stated)).unwrap_err();
    let problem = problems.iter().next().unwrap();
    assert_eq!((problem.code, problem.place.as_ref()), ("file-not-found", Some(&stated)));
}

#[test]
fn globs_choose_in_the_files_order_and_say_what_they_miss() {
    let table = parse("c.tsv", "trans_x\trot_y\ttrans_y\tcsf\todd[1]\n1\t2\t3\t4\t5\n").unwrap();
    let globs = |patterns: &[&str]| {
        let globs: Vec<_> = patterns.iter().map(|pattern| Located::unplaced((*pattern).to_owned())).collect();
        let mut problems = Diagnostics::new();
        let chosen = select_columns(&table, &globs, Some("csf"), &mut problems);
        if problems.is_empty() { Ok(chosen) } else { Err(problems) }
    };
    assert_eq!(globs(&["trans_*", "rot_?", "trans_x"]).unwrap(), [0, 1, 2]);
    assert_eq!(globs(&["*"]).unwrap(), [0, 1, 2, 4]);
    assert_eq!(globs(&["odd[1]"]).unwrap(), [4]);
    insta::assert_snapshot!(globs(&["tarns_*", "[", "zzz"]).unwrap_err(), @"
    error[table-unknown-column]: no column matches `tarns_*`
     --> c.tsv:1
       = note: columns of c.tsv: trans_x, rot_y, trans_y, csf, odd[1]
       = hint: did you mean `trans_x` or `trans_y`?

    error[table-bad-glob]: `[` is no glob: unclosed character class; missing ']'
     --> c.tsv:1

    error[table-unknown-column]: no column matches `zzz`
     --> c.tsv:1
       = note: columns of c.tsv: trans_x, rot_y, trans_y, csf, odd[1]
    ");
}

proptest::proptest! {
    #[test]
    fn rows_are_the_lines_they_say_whatever_the_text(text in "[a1 \t\n\r,;#\u{feff}\u{e9}\"]{0,80}", name in "e\\.(tsv|csv|txt)") {
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
        let Ok(table) = Table::parse(Path::new(&name), &text, Header::Detected) else { return Ok(()) };
        let lines: Vec<&str> = text.split('\n').collect();
        for row in &table.rows {
            let line = lines[row.line - 1];
            for column in 0..table.columns.len() {
                let cell = row.text(column);
                proptest::prop_assert!(line.replace('"', "").contains(&cell.replace('"', "")), "{cell:?} of {line:?}");
            }
        }
        let filled = lines.iter().filter(|line| !line.trim().is_empty()).count();
        proptest::prop_assert!(table.rows.len() <= filled);
    }
}
