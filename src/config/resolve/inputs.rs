//! `[[run]]`, `[[timeseries]]` and `[mask]`, and that inputs of one kind do not stand beside those of another.

use super::Resolver;
use super::labels::{LabelKeys, describe};
use crate::config::keys::{EventFormat, EventsOfRun, MaskConfig, MaskKind, RunConfig, SpikesConfig, TimeseriesConfig};
use crate::config::placed::{Placed, TextOr};
use crate::config::{
    BidsSettings, EventFiles, Inputs, Labels, Located, MaskSettings, RunSettings, SpikesSettings, TimeseriesSettings,
};
use crate::error::Diagnostic;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// AFNI files so far: how many runs of a subject used each.
type AfniRows = BTreeMap<(String, PathBuf), usize>;

impl Resolver<'_> {
    pub(super) fn inputs(
        &mut self,
        bids: Option<&Range<usize>>,
        runs: Vec<Placed<RunConfig>>,
        tables: Vec<Placed<TimeseriesConfig>>,
        spikes: Vec<Placed<SpikesConfig>>,
    ) -> Inputs {
        let firsts = [
            ("[bids]", bids.cloned()),
            ("[[run]]", runs.first().map(|run| run.span.clone())),
            ("[[timeseries]]", tables.first().map(|table| table.span.clone())),
            ("[[spikes]]", spikes.first().map(|table| table.span.clone())),
        ];
        let mut there: Vec<(&str, Range<usize>)> =
            firsts.into_iter().filter_map(|(kind, span)| span.map(|span| (kind, span))).collect();
        there.sort_by_key(|(_, span)| span.start);
        match there.as_slice() {
            [(first, _), (second, later), ..] => {
                let message = format!("`{first}` and `{second}` do not mix");
                self.say(Diagnostic::error("inputs-mixed", message).hint("write two pipeline files"), later);
            }
            [] if !["bids", "run", "timeseries", "spikes"].iter().any(|kind| self.told(kind)) => {
                let diagnostic = Diagnostic::error("no-input", "the pipeline has no input");
                let expected = "expected: `[bids]`, or one or more tables `[[run]]`, `[[timeseries]]` or `[[spikes]]`";
                self.say(diagnostic.note(expected), &(0..0));
            }
            _ => {}
        }
        // what is written decides the kind, also where something in it is wrong: else other rules would be thought broken
        let kind = there.first().map(|(kind, _)| *kind).filter(|_| there.len() == 1);
        let mut rows = AfniRows::new();
        let runs: Vec<RunSettings> =
            runs.into_iter().enumerate().filter_map(|(index, run)| self.run(index, run, &mut rows)).collect();
        let tables: Vec<TimeseriesSettings> =
            tables.into_iter().enumerate().filter_map(|(index, table)| self.table(index, table, &mut rows)).collect();
        let spikes: Vec<SpikesSettings> =
            spikes.into_iter().enumerate().filter_map(|(index, table)| self.spikes(index, table.value)).collect();
        if kind == Some("[[spikes]]") || (runs.is_empty() && tables.is_empty() && !spikes.is_empty()) {
            self.distinct(&spikes.iter().map(|table| (table.labels.clone(), table.table.clone())).collect::<Vec<_>>());
            Inputs::Spikes(spikes)
        } else if kind == Some("[[timeseries]]") || (runs.is_empty() && !tables.is_empty()) {
            self.distinct(&tables.iter().map(|table| (table.labels.clone(), table.table.clone())).collect::<Vec<_>>());
            Inputs::Timeseries(tables)
        } else {
            self.distinct(&runs.iter().map(|run| (run.labels.clone(), run.bold.clone())).collect::<Vec<_>>());
            Inputs::Runs(runs)
        }
    }

    fn run(&mut self, index: usize, run: Placed<RunConfig>, rows: &mut AfniRows) -> Option<RunSettings> {
        let run = run.value;
        let confounds = run.confounds.map(|path| self.path(path));
        let mask = run.mask.map(|path| self.path(path));
        let bold = run.bold.map(|path| self.path(path))?; // absent only where that was said
        let keys =
            LabelKeys { subject: run.subject, session: run.session, task: run.task, run: run.run, space: run.space };
        let labels = self.labels(keys, &bold, &format!("run[{index}]"));
        let events = run.events.map(|events| self.event_files(events, &labels, rows));
        let tr_s = run.tr_s.map(|tr_s| self.context.sources.located(tr_s));
        Some(RunSettings { labels, bold, events, confounds, mask, tr_s })
    }

    fn table(
        &mut self,
        index: usize,
        table: Placed<TimeseriesConfig>,
        rows: &mut AfniRows,
    ) -> Option<TimeseriesSettings> {
        let sources = self.context.sources;
        let config = table.value;
        if let (Some(_), Some(rate)) = (&config.tr_s, &config.sampling_hz) {
            let message = "`tr_s` and `sampling_hz` say the same thing twice";
            self.say(Diagnostic::error("sampling-twice", message).hint("leave one of them out"), &rate.span);
        }
        let from_rate = config.sampling_hz.map(|rate| Placed { value: 1.0 / rate.value, span: rate.span });
        let tr_s = config.tr_s.or(from_rate).map(|tr_s| sources.located(tr_s));
        let confounds = config.confounds.map(|path| self.path(path));
        let file = config.table.map(|path| self.path(path))?; // absent only where that was said
        let keys = LabelKeys {
            subject: config.subject,
            session: config.session,
            task: config.task,
            run: config.run,
            space: config.space,
        };
        let labels = self.labels(keys, &file, &format!("timeseries[{index}]"));
        let events = config.events.map(|events| self.event_files(events, &labels, rows));
        let columns = match config.columns {
            Some(columns) => self.globs(columns),
            None => self.defaults.timeseries_columns.map(|glob| Located::unplaced(glob.to_owned())).to_vec(),
        };
        Some(TimeseriesSettings { labels, table: file, columns, tr_s, events, confounds })
    }

    fn event_files(&mut self, events: Placed<EventsOfRun>, labels: &Labels, rows: &mut AfniRows) -> EventFiles {
        let span = events.span;
        let files = match events.value {
            TextOr::Text(path) => return EventFiles::Bids(self.path(Placed { value: path, span })),
            TextOr::Other(files) => files,
        };
        let named: Vec<(Located<String>, Located<PathBuf>)> = files
            .files
            .into_iter()
            .map(|(condition, file)| (self.context.sources.located(condition), self.path(file)))
            .collect();
        if files.format == EventFormat::Fsl {
            return EventFiles::Fsl(named);
        }
        // Two conditions may share a file, so each file counts once a run.
        let mut found: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for (_, file) in &named {
            let row = rows.get(&(labels.subject.clone(), file.value.clone())).copied().unwrap_or(0);
            found.insert(file.value.clone(), row);
        }
        for file in found.keys() {
            *rows.entry((labels.subject.clone(), file.clone())).or_default() += 1;
        }
        let row = found.values().copied().max().unwrap_or(0);
        if found.values().any(|other| *other != row) {
            let message = format!("the AFNI files of {} are not used by the same runs", describe(labels));
            let rows = found.iter().map(|(file, row)| format!("row {} of {}", row + 1, file.display()));
            let note = format!("this run would read {}", rows.collect::<Vec<_>>().join(", "));
            let hint = "name every condition's file in every run of the subject; a row `*` is a run without events";
            self.say(Diagnostic::error("afni-rows", message).note(note).hint(hint), &span);
        }
        EventFiles::Afni { files: named, row }
    }

    /// `bids`: the dataset whose runs are found later; those of derivatives have masks of their own.
    pub(super) fn mask(
        &mut self,
        mask: Option<Placed<MaskConfig>>,
        inputs: &Inputs,
        bids: Option<&BidsSettings>,
    ) -> MaskSettings {
        let config = mask.map(|mask| mask.value).unwrap_or_default();
        let path = config.path.map(|path| self.path(path));
        let runs: &[RunSettings] = match inputs {
            Inputs::Runs(runs) => runs,
            Inputs::Timeseries(_) | Inputs::Spikes(_) => return MaskSettings::All, // tables ignore the mask
        };
        let own = runs.iter().filter(|run| run.mask.is_some()).count();
        let of_dataset = path.is_none()
            && bids.is_some_and(|bids| !bids.derivatives.is_empty())
            && config.kind.as_ref().is_none_or(|kind| kind.value == MaskKind::File);
        let told_of_run = self.told_in_any("run", "mask");
        let stated_kind = config.kind.as_ref().map(|kind| kind.value);
        if own > 0 {
            self.own_masks(runs, path.as_ref(), told_of_run);
        } else if let Some(combine) = config.combine.as_ref().filter(|_| !told_of_run && !of_dataset) {
            let diagnostic = Diagnostic::error("config-idle-key", "`combine` has no effect: no run has its own `mask`");
            self.say(diagnostic, &combine.span);
        }
        if let Some(kind) = config.kind.as_ref().filter(|kind| kind.value != MaskKind::File)
            && (own > 0 || path.is_some())
        {
            let word = self.context.sources.text(&kind.span);
            let source = if path.is_some() { "`path` is given" } else { "runs have their own `mask`" };
            let diagnostic = Diagnostic::error("mask-kind", format!("`kind = {word}` although {source}"));
            self.say(diagnostic.hint("leave `kind` out, or write kind = \"file\""), &kind.span);
        }
        if own > 0 || of_dataset {
            return MaskSettings::PerRun(config.combine.map_or(self.defaults.mask_combine, |combine| combine.value));
        }
        match (path, stated_kind.unwrap_or(self.defaults.mask_kind)) {
            (Some(path), _) => MaskSettings::File(path),
            (None, MaskKind::Auto) => MaskSettings::Auto,
            (None, MaskKind::All) => MaskSettings::All,
            (None, MaskKind::File) => {
                if let Some(kind) = config.kind.filter(|_| !told_of_run && !self.told("mask.path")) {
                    let diagnostic = Diagnostic::error("mask-kind", "`kind = \"file\"` without `path`");
                    self.say(diagnostic.hint("add path = \"mask.nii.gz\", or a `mask` to every run"), &kind.span);
                }
                MaskSettings::Auto
            }
        }
    }

    fn own_masks(&mut self, runs: &[RunSettings], path: Option<&Located<PathBuf>>, told_of_run: bool) {
        if let Some(path) = path {
            let mut diagnostic = Diagnostic::error("mask-twice", "`[mask] path` beside the runs' own `mask`")
                .hint("leave one of them out");
            diagnostic.place = path.place_of_words();
            self.shape.problems.push(diagnostic);
        }
        for run in runs.iter().filter(|run| run.mask.is_none() && !told_of_run) {
            let message = format!("{} has no `mask`, but other runs have their own", describe(&run.labels));
            let mut diagnostic = Diagnostic::error("mask-missing", message);
            diagnostic = diagnostic.hint("add a `mask` to every run, or one for all as `[mask] path`");
            diagnostic.place = run.bold.place_of_words();
            self.shape.problems.push(diagnostic);
        }
    }
}
