//! What a person, a log or a program sees while work goes on. Everything goes to stderr.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar on a terminal, plain lines in a log.
    Auto,
    /// Nothing.
    Never,
    /// One JSON object a line.
    Json,
}

/// Shows which subject, runs and stages are at work; told by every thread that works on a run.
pub struct Progress {
    shown: Shown,
    started: Instant,
    total: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: usize,
    /// The stages at work, one a run, and since when; stages of the current subject that are over.
    current: Vec<(StageName, Instant)>,
    finished: Vec<StageTime>,
}

/// Which run and stage.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StageName {
    run: String,
    stage: String,
}

/// How long a stage took.
#[derive(Debug, Clone, Serialize)]
pub struct StageTime {
    run: String,
    stage: String,
    seconds: f64,
}

enum Shown {
    Bar(ProgressBar),
    Lines,
    Json,
    Nothing,
}

impl Progress {
    /// Progress over `total` steps (runs read, models fitted and combined).
    pub fn new(mode: ProgressMode, total: usize) -> Self {
        let shown = match mode {
            ProgressMode::Never => Shown::Nothing,
            ProgressMode::Json => Shown::Json,
            ProgressMode::Auto if std::io::stderr().is_terminal() => Shown::Bar(bar(total)),
            ProgressMode::Auto => Shown::Lines,
        };
        Self { shown, started: Instant::now(), total, state: Mutex::default() }
    }

    /// Says what is being worked on in a run, whose stage before is over with it.
    pub fn stage(&self, subject: &str, run: &str, stage: &str) {
        let mut state = self.state();
        state.end_stage(run);
        state.current.push((StageName { run: run.to_owned(), stage: stage.to_owned() }, Instant::now()));
        match &self.shown {
            Shown::Bar(bar) => bar.set_message(format!("{run}: {stage}")),
            Shown::Lines | Shown::Nothing => {}
            Shown::Json => {
                let line = serde_json::json!({
                    "event": "stage", "subject": subject, "run": run, "stage": stage,
                    "done": state.done, "total": self.total, "elapsed_s": round_ms(self.started.elapsed()),
                });
                say(&line.to_string());
            }
        }
    }

    /// The stage of a run is over, and no step with it.
    pub fn end_stage(&self, run: &str) {
        self.state().end_stage(run);
    }

    /// The stages of the subject that is done, with the time each took; the next subject starts afresh.
    pub fn take_timings(&self) -> Vec<StageTime> {
        let mut state = self.state();
        while let Some((StageName { run, .. }, _)) = state.current.first().cloned() {
            state.end_stage(&run);
        }
        std::mem::take(&mut state.finished)
    }

    /// One step is finished, and with it the stage of the run.
    pub fn step(&self, run: &str) {
        let mut state = self.state();
        state.end_stage(run);
        state.done += 1;
        if let Shown::Bar(bar) = &self.shown {
            bar.inc(1);
        }
    }

    /// What a thread that panicked left is as good as ever: each change is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A subject is finished; `outcome` is one word, `detail` a short phrase.
    pub fn subject(&self, subject: &str, outcome: &str, detail: &str) {
        let text = format!("sub-{subject}: {outcome}, {detail}");
        match &self.shown {
            Shown::Bar(bar) => bar.println(text),
            Shown::Lines => say(&text),
            Shown::Nothing => {}
            Shown::Json => {
                let line = serde_json::json!({
                    "event": "subject", "subject": subject, "outcome": outcome, "detail": detail,
                    "done": self.state().done, "total": self.total, "elapsed_s": round_ms(self.started.elapsed()),
                });
                say(&line.to_string());
            }
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

impl State {
    fn end_stage(&mut self, run: &str) {
        if let Some(at) = self.current.iter().position(|(name, _)| name.run == run) {
            let (StageName { run, stage }, since) = self.current.remove(at);
            self.finished.push(StageTime { run, stage, seconds: round_ms(since.elapsed()) });
        }
    }
}

fn bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("{bar:24} {pos}/{len} {msg} ({per_sec}, elapsed {elapsed}, left {eta})")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A reader of stderr that went away must not end the analysis.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn round_ms(elapsed: Duration) -> f64 {
    elapsed.as_millis() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_ends_with_the_next_of_its_run_alone() {
        let progress = Progress::new(ProgressMode::Never, 3);
        progress.stage("01", "all runs", "mask");
        progress.end_stage("all runs");
        progress.stage("01", "run-01", "reading");
        progress.stage("01", "run-02", "reading");
        progress.stage("01", "run-01", "model a");
        progress.step("run-01");
        let of = |times: Vec<StageTime>| {
            times.into_iter().map(|time| format!("{} {}", time.run, time.stage)).collect::<Vec<_>>()
        };
        let finished = ["all runs mask", "run-01 reading", "run-01 model a", "run-02 reading"];
        assert_eq!(of(progress.take_timings()), finished, "what is at work ends with the subject");
        assert_eq!(of(progress.take_timings()), Vec::<String>::new());
    }
}
