//! The house rules that a compiler does not check: which room may use which, one file for LAPACK, one for `unsafe`,
//! short files, and a manual for every diagnostic.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The line along which data flow: a room may use those before it.
const LINE: [&str; 8] = ["config", "inputs", "preprocess", "design", "model", "inference", "outputs", "report"];
/// What every room on the line may use.
const GROUND: [&str; 2] = ["error", "signal"];
/// Lines a file may have.
const LONGEST_FILE: usize = 450;

/// Whether a room may use another.
fn may_use(room: &str, used: &str) -> bool {
    let place = |name: &str| LINE.iter().position(|room| *room == name);
    match room {
        _ if room == used => true,
        "error" => false,
        "signal" => used == "error",
        // the simulator's truth checks the design and the models, so it shares nothing with them, nor with `signal`
        "simulate" => ["error", "inputs", "preprocess", "outputs"].contains(&used),
        "compare" => ["error", "inputs", "outputs"].contains(&used),
        "pipeline" => GROUND.contains(&used) || place(used).is_some(),
        "cli" | "lib" | "main" => true,
        _ => GROUND.contains(&used) || matches!((place(used), place(room)), (Some(used), Some(own)) if used < own),
    }
}

/// A source file without its unit tests.
struct Source {
    /// Relative to `src`.
    path: PathBuf,
    /// Its text as it stands.
    text: String,
    /// Product code: no comments, nothing from the unit tests on.
    code: String,
}

impl Source {
    /// The room it belongs to.
    fn room(&self) -> String {
        let first = self.path.iter().next().unwrap().to_string_lossy();
        first.trim_end_matches(".rs").to_owned()
    }

    /// Whether it is compiled for tests alone, going by its name.
    fn is_test(&self) -> bool {
        self.path
            .iter()
            .any(|part| ["tests", "tests.rs", "fixture.rs", "test_images.rs"].iter().any(|name| part == *name))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = product_code(&text);
                found.push(Source { path: path.strip_prefix(&root).unwrap().to_path_buf(), text, code });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 20, "the walk found the sources");
    found
}

/// Drops comments, and unit tests that stand at the end of a file.
fn product_code(text: &str) -> String {
    let is_inline_module =
        |at: usize| text[at..].lines().nth(1).is_some_and(|line| line.starts_with("mod ") && line.contains('{'));
    let tests = text.match_indices("#[cfg(test)]\n").map(|(at, _)| at).find(|&at| is_inline_module(at));
    scan(&text[..tests.unwrap_or(text.len())]).0
}

/// Reads Rust source as far as to tell code, comments and string literals apart: the code without comments, and each
/// literal's content with the place in that code where it opens.
fn scan(text: &str) -> (String, Vec<(usize, String)>) {
    let (mut code, mut literals) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            let comment = rest.find('\n').unwrap_or(rest.len());
            rest = &rest[comment..];
            continue;
        } else if first == '"' {
            let inner = string_length(rest);
            literals.push((code.len(), rest[1..=inner].to_owned()));
            inner + 2
        } else if first == 'r'
            && (rest.starts_with("r\"") || rest.starts_with("r#"))
            && !joins(code.chars().next_back())
        {
            let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
            let close = format!("\"{}", "#".repeat(hashes));
            match rest[1 + hashes..].strip_prefix('"').and_then(|inner| inner.find(&close)) {
                Some(inner) => 1 + hashes + 1 + inner + close.len(),
                None => 1, // a raw identifier
            }
        } else if first == '\'' {
            // a character; a lifetime has no second quote
            let escaped = rest[1..].starts_with('\\');
            let inner = rest.chars().nth(1).map_or(0, char::len_utf8);
            let close = if escaped { rest[3..].find('\'').map(|at| at + 3) } else { Some(1 + inner) };
            close.filter(|&at| rest[at..].starts_with('\'')).map_or(1, |at| at + 1)
        } else {
            first.len_utf8()
        };
        let length = length.min(rest.len());
        code.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    (code, literals)
}

/// Bytes between the quotes of the string literal that `text` begins with.
fn string_length(text: &str) -> usize {
    let mut at = 1;
    while let Some(byte) = text.as_bytes().get(at).filter(|byte| **byte != b'"') {
        at += 1 + usize::from(*byte == b'\\');
    }
    at.min(text.len()) - 1
}

/// Whether a character is part of a word.
fn joins(character: Option<char>) -> bool {
    character.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// The rooms named in paths that begin with `crate::`, grouped imports included.
fn rooms_used(code: &str) -> BTreeSet<String> {
    let identifier = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            used.insert(identifier(rest));
            continue;
        };
        // the first word of each item of the group, whatever is nested deeper
        let (mut depth, mut item_begins) = (0, true);
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => item_begins = true,
                _ if character.is_whitespace() => {}
                _ => {
                    if std::mem::take(&mut item_begins) {
                        used.insert(identifier(&group[at..]));
                    }
                }
            }
        }
    }
    used
}

/// Whether `word` stands in `code` as a word of its own.
fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| !joins(code[..at].chars().next_back()) && !joins(code[at + word.len()..].chars().next()))
}

#[test]
fn the_readers_of_source_text_see_what_they_should() {
    let code = product_code(
        "#[cfg(test)]\nmod fixture;\nuse crate::{error::{A, B}, inputs::C,\n    model};\nfn f() { crate::design::g() } // crate::cli\n\
         #[cfg(test)]\nmod tests { use crate::outputs; }\n",
    );
    assert_eq!(Vec::from_iter(rooms_used(&code)), ["design", "error", "inputs", "model"]);
    assert!(has_word("unsafe { }", "unsafe") && !has_word("#![deny(unsafe_code)]", "unsafe"));
    assert!(may_use("model", "design") && !may_use("design", "model") && !may_use("simulate", "signal"));
}

#[test]
fn data_flow_one_way() {
    let mut against = Vec::new();
    for source in sources() {
        let room = source.room();
        let rooms: BTreeSet<&str> =
            LINE.into_iter().chain(GROUND).chain(["pipeline", "cli", "simulate", "compare"]).collect();
        assert!(
            rooms.contains(room.as_str()) || ["lib", "main"].contains(&room.as_str()),
            "a room unknown here: {room}"
        );
        for used in rooms_used(&source.code).iter().filter(|used| rooms.contains(used.as_str())) {
            if !may_use(&room, used) {
                against.push(format!("src/{}: `{room}` uses `{used}`", source.path.display()));
            }
        }
    }
    assert!(against.is_empty(), "arrows against the flow:\n{}", against.join("\n"));
}

#[test]
fn one_file_knows_lapack_and_one_is_unsafe() {
    let naming = |word: &str| -> Vec<PathBuf> {
        let files = sources().into_iter().filter(|source| has_word(&source.code, word));
        files.map(|source| source.path).collect()
    };
    let lapack = naming("ndarray_linalg");
    assert!(lapack.iter().all(|path| path == Path::new("model/linalg.rs")), "ndarray_linalg outside: {lapack:?}");
    let foreign = naming("unsafe");
    assert!(foreign.len() <= 1, "unsafe in more than one file: {foreign:?}");
    for path in foreign {
        let source = sources().into_iter().find(|source| source.path == path).unwrap();
        assert!(has_word(&source.code, "extern"), "unsafe in {}, which calls no foreign function", path.display());
    }
}

#[test]
fn files_stay_short() {
    let long: Vec<String> = sources()
        .iter()
        .map(|source| (source.text.lines().count(), source.path.display().to_string()))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, path)| format!("src/{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "files over {LONGEST_FILE} lines; split them by concept:\n{}", long.join("\n"));
}

/// Hyphenated literals of the sources that are no codes of diagnostics.
const NOT_CODES: [&str; 5] = [
    "aria-label", // attributes of HTML and SVG
    "text-anchor",
    "kebab-case",  // how serde spells enums
    "noise-level", // a choice of lambda
    "sub-01",      // a folder of a simulated dataset
];

/// Whether a literal could be a code: two or more words in lower case, joined by hyphens.
fn is_code(literal: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    literal.contains('-') && literal.starts_with(|c: char| c.is_ascii_lowercase()) && literal.split('-').all(word)
}

/// How the literal of a code is used where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Error,
    Warning,
    /// Handed on by a variable: its severity is not visible here.
    Elsewhere,
}

/// Codes in product code. A code may be handed on through variables and tables, so every literal that looks like one
/// counts.
fn codes(code: &str) -> Vec<(String, Use)> {
    let (code, literals) = scan(code);
    let mut found = Vec::new();
    for (at, literal) in literals {
        let before = code[..at].trim_end();
        let used = if ["Diagnostic::error(", "Self::error("].iter().any(|maker| before.ends_with(maker)) {
            Use::Error
        } else if ["Diagnostic::warning(", "Self::warning("].iter().any(|maker| before.ends_with(maker)) {
            Use::Warning
        } else {
            Use::Elsewhere
        };
        if used != Use::Elsewhere || is_code(&literal) && !NOT_CODES.contains(&literal.as_str()) {
            found.push((literal, used));
        }
    }
    found
}

#[test]
fn the_reader_of_codes_sees_every_literal() {
    let source = r##"
        fn a<'a>(text: &'a str) -> char { '"' } // "not-this"
        const URL: &str = "https://example.org/not-this";
        fn b() { Diagnostic::error( "file-gone", r#"not-"this"#); x('\'', "table-of-codes", '\\') }
        fn c() { Diagnostic::warning(
            "file-odd", "\"not-this-1"); serde("kebab-case") }
    "##;
    let expected = [("file-gone", Use::Error), ("table-of-codes", Use::Elsewhere), ("file-odd", Use::Warning)];
    assert_eq!(codes(source), expected.map(|(code, used)| (code.to_owned(), used)));
}

/// A row of the manual: its codes, and the cells after them.
fn manual_rows(manual: &str) -> Vec<(Vec<&str>, Vec<&str>)> {
    let rows = manual.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let mut cells = line.trim().trim_matches('|').split(" | ").map(str::trim);
        let codes = cells.next().unwrap_or_default().split(", ").map(|code| code.trim_matches('`')).collect();
        (codes, cells.collect())
    })
    .collect()
}

#[test]
fn every_diagnostic_is_in_the_manual() {
    let manual = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md")).unwrap();
    let mut listed: BTreeMap<&str, bool> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (codes, cells) in manual_rows(&manual) {
        if cells.len() != 2 || cells.iter().any(|cell| cell.len() < 4) {
            wrong.push(format!("{codes:?} needs a meaning and what to do: {cells:?}"));
        }
        for code in codes {
            if listed.insert(code, cells.first().is_some_and(|cell| cell.starts_with("*Warning.*"))).is_some() {
                wrong.push(format!("`{code}` is said twice"));
            }
        }
    }
    let mut made = BTreeSet::new();
    for source in sources().iter().filter(|source| source.room() != "error" && !source.is_test()) {
        let path = source.path.display();
        for (code, used) in codes(&source.code) {
            if !is_code(&code) {
                wrong.push(format!("src/{path}: `{code}` is not two or more words joined by hyphens"));
            }
            match (listed.get(code.as_str()), used) {
                (None, _) => wrong.push(format!("src/{path}: `{code}` is not explained")),
                (Some(false), Use::Warning) => wrong.push(format!("`{code}` is a warning, but not marked")),
                (Some(true), Use::Error) => wrong.push(format!("`{code}` is an error, but marked as a warning")),
                _ => {}
            }
            made.insert(code);
        }
    }
    let gone = listed.keys().filter(|code| !made.contains(**code));
    wrong.extend(gone.map(|code| format!("`{code}` is explained, but no source makes it")));
    assert!(wrong.is_empty(), "docs/errors.md and the sources disagree:\n{}", wrong.join("\n"));
}
