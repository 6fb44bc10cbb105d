//! The words of a proposed pipeline.

use super::choices::Choices;
use super::policies::Policies;
use super::{Findings, relative_to};
use crate::error::counted;
use std::fmt::Write as _;
use std::path::Path;

/// Conditions with fewer events than this in a run are pointed at: their response is hardly known.
const FEW_EVENTS: usize = 5;
/// … unless they last, together, seconds a run.
const LITTLE_S: f64 = 15.0;
/// Voxels closer than this are smoothed by twice their distance: larger ones hold averages already.
const SMOOTHED_BELOW_MM: f64 = 5.0;
/// Conditions that others are compared with.
const BASELINES: [&str; 6] = ["baseline", "blank", "control", "fixation", "null", "rest"];
/// Characters of a line of a long comment.
const COMMENT_WIDTH: usize = 100;
/// Pairs of conditions that are proposed: those of ten conditions.
const MOST_PAIRS: usize = 45;
/// Grids with fewer voxels along an axis have no room for the automatic mask, which is eroded by two voxels.
const LEAST_AXIS: usize = 12;
/// Confound columns by which a table of fMRIPrep is known.
const MOTION: [&str; 6] = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"];
/// What the strategies `motion` and `wm_csf` ask for besides.
const OF_STRATEGIES: [&str; 4] = ["trans_x_derivative1_power2", "rot_z_derivative1_power2", "white_matter", "csf"];

/// The pipeline, with paths relative to `folder`; without findings only what is needed to plan it.
pub(super) fn pipeline(choices: &Choices, policies: &Policies, findings: Option<&Findings>, folder: &Path) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# Made by `boldly init`. Look it over, then: boldly check FILE, boldly run FILE");
    let _ = writeln!(out, "schema  = 1\nname    = {}\n", quoted(&choices.name));
    bids(&mut out, choices, findings, folder);
    mask(&mut out, choices, findings);
    preprocess(&mut out, findings);
    confounds(&mut out, choices, policies);
    events(&mut out, policies, findings);
    design(&mut out, policies, findings);
    model(&mut out, choices, findings);
    out
}

fn bids(out: &mut String, choices: &Choices, findings: Option<&Findings>, folder: &Path) {
    let quoted_path = |path: &Path| quoted(&relative_to(path, folder).to_string_lossy());
    let _ = writeln!(out, "[bids]\nroot        = {}", quoted_path(&choices.root));
    match choices.derivatives.as_slice() {
        [] => {}
        [one] => {
            let _ = writeln!(out, "derivatives = {}", quoted_path(one));
        }
        several => {
            let several: Vec<String> = several.iter().map(|folder| quoted_path(folder)).collect();
            let _ = writeln!(out, "derivatives = [{}]", several.join(", "));
        }
    }
    for pick in &choices.picks {
        let _ = writeln!(out, "{:<11} = {}", pick.entity, quoted(&pick.label));
        for (label, count) in &pick.others {
            let _ = writeln!(out, "# {:<9} = {}   # {}", pick.entity, quoted(label), counted(*count, "image"));
        }
    }
    let Some(findings) = findings else {
        out.push('\n');
        return;
    };
    let _ = writeln!(
        out,
        "# {} with {} in all; subjects = [\"01\"] restricts the work, sessions and runs do too",
        counted(findings.n_subjects, "subject"),
        counted(findings.n_runs, "run")
    );
    for (subject, problems) in &findings.refused {
        let first = problems.iter().next().map_or_else(String::new, |problem| problem.message.clone());
        let _ = writeln!(out, "# sub-{subject} cannot be analysed: {}", one_line(&first));
    }
    out.push('\n');
}

fn mask(out: &mut String, choices: &Choices, findings: Option<&Findings>) {
    let Some([x, y, z]) = findings.and_then(|findings| findings.shape) else { return };
    if choices.derivatives.is_empty() && x.min(y).min(z) < LEAST_AXIS {
        let _ = writeln!(out, "[mask]\nkind = \"all\"   # {x} x {y} x {z} voxels are too few for an automatic mask");
        let _ = writeln!(out, "# path = \"mask.nii.gz\"   # instead: one image for all runs\n");
    }
}

fn preprocess(out: &mut String, findings: Option<&Findings>) {
    let Some(voxel_mm) = findings.and_then(|findings| findings.voxel_mm) else { return };
    let _ = writeln!(out, "[preprocess]");
    if voxel_mm < SMOOTHED_BELOW_MM {
        let fwhm_mm = (2.0 * voxel_mm * 2.0).round() / 2.0;
        let _ = writeln!(out, "smooth_fwhm_mm = {fwhm_mm:.1}   # twice the voxels' {voxel_mm:.3} mm; 0.0 is none\n");
    } else {
        let _ = writeln!(out, "smooth_fwhm_mm = 0.0   # voxels are {voxel_mm:.1} mm wide\n");
    }
}

fn confounds(out: &mut String, choices: &Choices, policies: &Policies) {
    if choices.confounds.is_empty() {
        return;
    }
    let has = |column: &str| choices.confounds.iter().any(|own| own == column);
    let motion = MOTION.iter().all(|column| has(column));
    let _ = writeln!(out, "{}", if motion { "[confounds]" } else { "# [confounds]" });
    if motion && OF_STRATEGIES.iter().all(|column| has(column)) {
        let _ = writeln!(out, "strategy = [\"motion\", \"wm_csf\"]   # docs/confounds.md has what each strategy takes");
        let _ = writeln!(out, "motion = \"full\"   # 24 columns; \"basic\" is the six parameters");
        if has("framewise_displacement") {
            let _ = writeln!(out, "# scrub = {{ fd_mm = 0.5 }}   # leaves out volumes during motion");
        }
    } else if motion {
        let _ = writeln!(out, "columns = [\"trans_?\", \"rot_?\"]   # the six parameters of motion");
        keys(out, policies, "confounds");
    } else {
        let _ = writeln!(out, "# columns = [\"…\"]   # none of the columns below is known: choose, with globs");
    }
    let shown: Vec<&str> = choices.confounds.iter().map(String::as_str).take(40).collect();
    let more = choices.confounds.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let listed = format!("columns there are: {}{more}", one_line(&shown.join(", ")));
    out.push_str(&comment(&listed));
    out.push('\n');
}

fn events(out: &mut String, policies: &Policies, findings: Option<&Findings>) {
    let conditions = findings.map(|findings| &findings.conditions);
    if policies.of("events").next().is_none() && conditions.is_none_or(std::collections::BTreeMap::is_empty) {
        return;
    }
    let _ = writeln!(out, "[events]");
    keys(out, policies, "events");
    for (condition, count) in conditions.into_iter().flatten() {
        let few = count.events < FEW_EVENTS * count.runs && count.seconds < LITTLE_S * count.runs as f64;
        let few = if few { ": few, so little is known of it" } else { "" };
        let name = one_line(condition);
        let (events, runs) = (counted(count.events, "event"), counted(count.runs, "run"));
        let _ = writeln!(out, "# {name}: {events} in {runs}{few}");
    }
    if let Some((first, _)) = conditions.and_then(|conditions| conditions.iter().next()) {
        let _ = writeln!(out, "# ignore = [{}]   # conditions left out of the model", quoted(first));
    }
    out.push('\n');
}

fn design(out: &mut String, policies: &Policies, findings: Option<&Findings>) {
    let absent = findings.is_some_and(|findings| findings.incomplete);
    let stated = policies.of("design").next().is_some();
    if !absent && !stated {
        return;
    }
    let _ = writeln!(out, "[design]");
    keys(out, policies, "design");
    if !stated {
        let _ = writeln!(out, "when_condition_absent = \"skip-run\"   # some runs lack a condition");
    }
    out.push('\n');
}

fn keys(out: &mut String, policies: &Policies, table: &str) {
    for (key, policy) in policies.of(table) {
        let _ = writeln!(out, "{key} = {}   # {}", policy.value, policy.reason);
    }
}

fn model(out: &mut String, choices: &Choices, findings: Option<&Findings>) {
    let name: String = choices.name.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = if name.is_empty() { "model".to_owned() } else { name };
    let _ = writeln!(out, "[[glm]]\nname = {}", quoted(&name));
    let Some(findings) = findings else {
        // enough to plan, with events or without
        let _ = writeln!(out, "condition_contrasts = true");
        return;
    };
    let _ = writeln!(out, "condition_contrasts = true   # a map of each condition against baseline");
    let mut conditions: Vec<&String> = findings.conditions.keys().collect();
    // what is subtracted comes last
    conditions.sort_by_key(|condition| BASELINES.contains(&condition.to_lowercase().as_str()));
    let pairs = conditions.iter().enumerate().flat_map(|(at, a)| conditions[at + 1..].iter().map(|b| (*a, *b)));
    let pairs: Vec<(&String, &String)> = pairs.take(MOST_PAIRS).collect();
    if pairs.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n# Proposed; each is written as a map. Names are letters and digits.");
    for (index, (a, b)) in pairs.iter().enumerate() {
        let comment = if index == 0 { "" } else { "# " };
        let contrast = format!("{}Vs{}", word(a, false), word(b, true));
        let expression = format!("{} - {}", term(a), term(b));
        let _ = write!(
            out,
            "\n{comment}[[glm.contrast]]\n{comment}name = {}\n{comment}expr = {}\n",
            quoted(&contrast),
            quoted(&expression)
        );
    }
}

/// A condition in the name of a contrast: letters and digits.
fn word(condition: &str, capital: bool) -> String {
    let mut word = String::new();
    let mut upper = capital;
    for c in condition.chars() {
        if c.is_ascii_alphanumeric() {
            word.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        } else {
            upper = !word.is_empty() || capital;
        }
    }
    if word.is_empty() { "other".to_owned() } else { word }
}

/// A condition in an expression.
fn term(condition: &str) -> String {
    let mut chars = condition.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let plain = starts && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    if plain { condition.to_owned() } else { format!("`{condition}`") }
}

/// A TOML string on one line: every escape of JSON is one of TOML too.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string().replace('\u{7f}', "\\u007f")
}

/// A comment of as many lines as it takes; ends with a line feed.
fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split(' ') {
        if let Some(line) = lines.last_mut() {
            if line.chars().count() + 1 + word.chars().count() > COMMENT_WIDTH && line.len() > 1 {
                lines.push(format!("#   {word}"));
            } else {
                line.push(' ');
                line.push_str(word);
            }
        }
    }
    lines.join("\n") + "\n"
}

/// What came from a file must not end a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_become_names_and_terms() {
        assert_eq!([word("face", false), word("face", true)], ["face", "Face"]);
        assert_eq!(word("left-hand button", true), "LeftHandButton");
        assert_eq!(word("§", true), "other");
        assert_eq!([term("face"), term("2back"), term("a b")], ["face", "`2back`", "`a b`"]);
        assert_eq!(one_line("a\nb"), "a b");
        let long = comment(&["framewise_displacement"; 9].join(", "));
        let lines: Vec<&str> = long.lines().collect();
        assert!(lines.iter().all(|line| line.starts_with("# ") && line.len() <= COMMENT_WIDTH), "{long}");
        assert_eq!((lines.len(), long.matches("framewise").count()), (3, 9));
        assert_eq!(comment(&"x".repeat(200)).lines().count(), 1, "a word is not broken");
        assert_eq!(quoted("it's \"so\"\n"), "\"it's \\\"so\\\"\\n\"");
    }
}
