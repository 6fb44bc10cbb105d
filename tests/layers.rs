//! The house rules that a compiler does not check: which room may use which, one file for LAPACK, one for `unsafe`,
//! short files, and a manual for every diagnostic.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The line along which data flow: a room may use those before it.
const LINE: [&str; 7] = ["config", "inputs", "preprocess", "design", "model", "inference", "outputs"];
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
    let product = &text[..tests.unwrap_or(text.len())];
    product.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
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
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
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

/// String literals in `text`, with what stands before each.
fn literals(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let open = at + text[at..].find('"')?;
        let mut close = open + 1;
        while text.as_bytes().get(close).is_some_and(|byte| *byte != b'"') {
            close += 1 + usize::from(text.as_bytes()[close] == b'\\');
        }
        at = (close + 1).min(text.len());
        Some((&text[..open], text.get(open + 1..close)?))
    })
}

/// Whether a literal could be a code: words in lower case joined by hyphens.
fn is_code(literal: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    literal.split('-').all(word)
}

/// Codes of the diagnostics a file makes. Where a code is not written in the call itself, every hyphenated literal of
/// the file counts.
fn codes(code: &str) -> BTreeSet<String> {
    let makers = ["Diagnostic::error(", "Diagnostic::warning("];
    let makes = |before: &str| makers.iter().any(|maker| before.trim_end().ends_with(maker));
    let calls = makers.iter().map(|maker| code.matches(maker).count()).sum::<usize>();
    let direct: Vec<&str> = literals(code).filter(|(before, _)| makes(before)).map(|(_, literal)| literal).collect();
    let mut found: BTreeSet<String> = direct.iter().map(|literal| (*literal).to_owned()).collect();
    if direct.len() < calls {
        found.extend(literals(code).map(|(_, l)| l.to_owned()).filter(|l| l.contains('-') && is_code(l)));
    }
    found
}

#[test]
fn every_diagnostic_is_in_the_manual() {
    let manual = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md")).unwrap();
    let listed: BTreeSet<&str> =
        manual.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    for source in sources().iter().filter(|source| source.room() != "error") {
        for code in codes(&source.code) {
            assert!(is_code(&code), "src/{}: `{code}` is not kebab case", source.path.display());
            made.entry(code).or_insert_with(|| source.path.display().to_string());
        }
    }
    let missing: Vec<String> = made
        .iter()
        .filter(|(code, _)| !listed.contains(code.as_str()))
        .map(|(code, path)| format!("| `{code}` |  | (src/{path})"))
        .collect();
    assert!(missing.is_empty(), "codes that docs/errors.md does not explain:\n{}", missing.join("\n"));
    let gone: Vec<&&str> = listed.iter().filter(|code| !made.contains_key(**code)).collect();
    assert!(gone.is_empty(), "docs/errors.md explains codes that no source makes: {gone:?}");
    let empty: Vec<&str> = manual.lines().filter(|line| line.starts_with("| `") && line.ends_with("|  |")).collect();
    assert!(empty.is_empty(), "codes without a meaning in docs/errors.md: {empty:?}");
}
