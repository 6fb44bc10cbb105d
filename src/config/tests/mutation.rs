//! Seeded mutations of valid pipelines: whatever stands in the file, an answer comes back.

use super::*;
use proptest::prelude::*;

const PIECES: [&str; 26] = [
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "#",
    "${",
    "é",
    "\u{0}",
    "nan",
    "-1e999",
    "99999999999999999999999",
    "0x1F",
    "2026-11-23",
    "true",
    "[[glm]]\n",
    "[glm.design]\n",
    "= []\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, rng_seed: prop::test_runner::RngSeed::Fixed(20_261_123), ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_pipeline_is_loaded_or_refused_never_a_panic(
        valid in prop::sample::select(vec![SMALL, FULL, deconvolve::DECONVOLVE]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, any::<prop::sample::Index>()), 1..5),
    ) {
        let mut text: Vec<char> = valid.chars().collect();
        for (at, removed, piece) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            let piece = piece.get(&PIECES);
            text.splice(at..end, piece.chars());
        }
        check_answer(&text.into_iter().collect::<String>(), &[]);
    }

    #[test]
    fn a_value_of_any_kind_under_any_key_is_loaded_or_refused(
        valid in prop::sample::select(vec![FULL, deconvolve::DECONVOLVE]),
        line in any::<prop::sample::Index>(),
        value in prop::sample::select(vec!["1", "-1", "1.5", "inf", "\"\"", "\" \"", "\"x\"", "[]", "[1]", "[\"a\", 2]", "{}", "{ a = 1 }", "true", "2026-11-23", "[[]]", "\"${\"", "\"${NO}\"", "1e400", "-0.0", "18446744073709551616"]),
    ) {
        let lines: Vec<&str> = valid.lines().collect();
        let with_value: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains('=')).collect();
        let chosen = *line.get(&with_value);
        let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let key = lines[chosen].split('=').next().unwrap();
        changed[chosen] = format!("{key}= {value}");
        check_answer(&changed.join("\n"), &[]);
    }

    #[test]
    fn any_override_is_applied_or_refused(path in "[a-z.]{0,12}|glm[.]objects[.][a-z_]{1,8}|design[.][a-z_]{1,10}", value in "\\PC{0,12}") {
        check_answer(SMALL, &[&format!("{path}={value}")]);
    }
}

/// Every problem can be shown, and none is the last resort that the shape should have made impossible.
fn check_answer(text: &str, overrides: &[&str]) {
    if let Err(problems) = load_as_study(text, overrides) {
        assert!(problems.has_errors());
        assert!(!problems.to_string().is_empty());
        assert!(problems.iter().all(|problem| problem.code != "config-invalid"), "{problems}\n{text}");
    }
}
