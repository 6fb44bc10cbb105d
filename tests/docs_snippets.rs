//! The pipelines in the README and the guide are ones that `boldly check` accepts.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::path::Path;
use toml::{Table, Value};

/// The `toml` blocks of a page, with the line each begins on.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = None;
    for (index, line) in page.lines().enumerate() {
        match open {
            None => open = line.starts_with("```").then_some(line == "```toml"),
            Some(_) if line == "```" => open = None,
            Some(false) => {}
            Some(true) => match found.last_mut().filter(|_| !page.lines().nth(index - 1).unwrap().starts_with("```")) {
                Some((_, text)) => text.extend([line, "\n"]),
                None => found.push((index + 1, format!("{line}\n"))),
            },
        }
    }
    found
}

/// Replaces tables of a whole pipeline by those of a part. A part that continues `[[glm]]` continues the first model.
fn with_part(mut whole: Table, part: Table) -> Table {
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(Value::Array(models)), Value::Table(keys)) => models[0].as_table_mut().unwrap().extend(keys),
            (_, value) => drop(whole.insert(key, value)),
        }
    }
    whole
}

/// Copies a folder with all below it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Checks every block of a page; those without `schema` are parts of the first.
fn assert_checked(page: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = support::Project::new("");
    // dataset last: its truth is the one that pages name
    for folder in ["calcium", "spikes", "convolution", "dataset"] {
        copy(&root.join("sample_data").join(folder), project.path());
    }
    for folder in ["neural", "dataset"] {
        copy(&root.join("sample_data").join(folder).join("sub-01/func"), project.path()); // for pipelines beside their images
    }
    let blocks = blocks(&std::fs::read_to_string(root.join(page)).unwrap());
    let tables: Vec<Table> = blocks
        .iter()
        .map(|(line, text)| text.parse().unwrap_or_else(|error| panic!("{page}:{line}: {error}")))
        .collect();
    for ((line, text), table) in blocks.iter().zip(&tables) {
        let text = if table.contains_key("schema") {
            text.clone()
        } else {
            toml::to_string(&with_part(tables[0].clone(), table.clone())).unwrap()
        };
        std::fs::write(project.path().join("pipeline.toml"), &text).unwrap();
        let output = project.boldly(&["check", "pipeline.toml"]);
        let said = String::from_utf8_lossy(&output.stderr);
        // 1: there are warnings
        assert!(
            matches!(output.status.code(), Some(0 | 1)) && !said.contains("error["),
            "{page}:{line}:\n{said}\n{text}"
        );
    }
    blocks.len()
}

#[test]
fn the_reader_of_pages_finds_blocks() {
    let page = "a\n```toml\nb = 1\n\n[c]\n```\n```text\n```\n```toml\nd = 2\n```\n";
    assert_eq!(blocks(page), [(3, "b = 1\n\n[c]\n".to_owned()), (10, "d = 2\n".to_owned())]);
    let merged =
        with_part("[[glm]]\nname = 'a'\n[x]\ny = 1".parse().unwrap(), "glm.z = 3\n[x]\nw = 2".parse().unwrap());
    assert_eq!(merged, "[[glm]]\nname = 'a'\nz = 3\n[x]\nw = 2".parse::<Table>().unwrap());
}

#[test]
fn pipelines_of_the_guide_are_checked() {
    assert!(assert_checked("docs/guide.md") >= 10);
}

#[test]
fn pipelines_of_the_readme_are_checked() {
    assert_checked("README.md");
}
