//! What is found in the designs that several models make of one run.

use crate::error::{Diagnostic, Diagnostics};

/// Problems and oddities with the models in which they were found.
#[derive(Default)]
pub(super) struct DesignFindings<'a>(Vec<(Diagnostic, Vec<&'a str>)>);

impl<'a> DesignFindings<'a> {
    pub(super) fn add(&mut self, model: &'a str, found: Diagnostics) {
        for problem in found {
            match self.0.iter_mut().find(|(known, _)| *known == problem) {
                Some((_, models)) if models.last() == Some(&model) => {}
                Some((_, models)) => models.push(model),
                None => self.0.push((problem, vec![model])),
            }
        }
    }

    /// Each once; where not all of `n_models` share it, with the names of those that do.
    pub(super) fn said(self, n_models: usize) -> Diagnostics {
        let said = |(problem, models): (Diagnostic, Vec<&str>)| match models.len() {
            n if n == n_models => problem,
            1 => problem.note(format!("model: {}", models[0])),
            _ => problem.note(format!("models: {}", models.join(", "))),
        };
        self.0.into_iter().map(said).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_models_share_is_said_once_and_what_some_find_with_their_names() {
        let odd = |code| Diagnostics::from(Diagnostic::warning(code, "odd"));
        let mut findings = DesignFindings::default();
        for model in ["a", "b", "c"] {
            findings.add(model, odd("shared"));
        }
        findings.add("b", odd("of-one"));
        findings.add("a", odd("of-two"));
        findings.add("c", odd("of-two"));
        let said: Vec<_> =
            findings.said(3).into_iter().map(|problem| (problem.code, problem.notes.join(";"))).collect();
        let expected = [("shared", ""), ("of-one", "model: b"), ("of-two", "models: a, c")];
        assert_eq!(said, expected.map(|(code, notes)| (code, notes.to_owned())));
    }
}
