//! The JSON Schema and the manual in `docs` are those the code prints.

use std::path::Path;

/// Compares a checked-in file with what the code prints, apart from line ends that a checkout may change.
fn assert_fresh(file: &str, printed: &str, command: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let differing = checked_in.lines().zip(printed.lines()).position(|(old, new)| old != new);
    assert!(
        checked_in == printed,
        "{file} is stale (first at line {}): run `{command} > {file}`",
        differing.unwrap_or_else(|| checked_in.lines().count().min(printed.lines().count())) + 1
    );
}

#[test]
fn the_json_schema_is_fresh() {
    assert_fresh("docs/pipeline.schema.json", &boldly::config::json_schema(), "cargo run -- schema");
}

#[test]
fn the_reference_manual_is_fresh() {
    let manual = boldly::config::reference_markdown();
    assert_fresh("docs/pipeline-reference.md", &manual, "cargo run -- schema --markdown");
}
