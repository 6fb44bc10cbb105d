//! `[bids]`.

use super::Resolver;
use crate::config::keys::{BidsConfig, EntityLabel};
use crate::config::placed::{Placed, TextOr};
use crate::config::{BidsSettings, Located};
use crate::error::Diagnostic;

impl Resolver<'_> {
    /// `None` where `root` is missing, which was said.
    pub(super) fn bids(&mut self, config: BidsConfig) -> Option<BidsSettings> {
        let root = self.path(config.root?);
        let folders = config.derivatives.map(|folders| match folders.value {
            TextOr::Text(one) => vec![Placed { value: one, span: folders.span }],
            TextOr::Other(several) => several,
        });
        let folders = folders.unwrap_or_default().into_iter();
        let derivatives =
            folders.map(|folder| self.path(Placed { value: folder.value.0, span: folder.span })).collect();
        let [task, space, res, desc, echo, acq] = [
            (config.task, "task"),
            (config.space, "space"),
            (config.res, "res"),
            (config.desc, "desc"),
            (config.echo, "echo"),
            (config.acq, "acq"),
        ]
        .map(|(label, entity)| label.map(|label| self.entity_label(label, entity)));
        let others = [(config.rec, "rec"), (config.dir, "dir"), (config.part, "part"), (config.den, "den")];
        let others = others.into_iter().filter_map(|(label, entity)| Some((entity, label?)));
        let others = others.map(|(entity, label)| (entity.to_owned(), self.entity_label(label, entity))).collect();
        let tr_s = config.tr_s.map(|tr_s| self.context.sources.located(tr_s));
        let lists = [(config.subjects, "sub"), (config.sessions, "ses"), (config.runs, "run")];
        let [subjects, sessions, runs] = lists.map(|(labels, entity)| {
            let labels = labels.unwrap_or_default().into_iter();
            let labels: Vec<Located<String>> = labels.map(|label| self.entity_label(label, entity)).collect();
            self.each_once(&labels);
            labels
        });
        Some(BidsSettings {
            root,
            derivatives,
            task,
            space,
            res,
            desc,
            echo,
            acq,
            others,
            tr_s,
            subjects,
            sessions,
            runs,
        })
    }

    fn entity_label(&mut self, label: Placed<EntityLabel>, entity: &str) -> Located<String> {
        let label = Placed { value: label.value.0, span: label.span };
        self.require_label(&label, entity);
        self.context.sources.located(label)
    }

    fn each_once(&mut self, labels: &[Located<String>]) {
        for (index, label) in labels.iter().enumerate() {
            if labels[..index].iter().any(|earlier| earlier.value == label.value) {
                let mut problem = Diagnostic::error("bids-label-twice", format!("`{}` is listed twice", label.value));
                problem.place = label.place_of_words();
                self.shape.problems.push(problem.hint("leave one of them out"));
            }
        }
    }
}
