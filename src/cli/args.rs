//! What may be typed after `boldly`: definitions alone, no I/O.

mod values;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use values::{parse_bytes, parse_threshold, parse_tolerance};

/// Exit codes, below the help of the whole program.
const EXIT_CODES: &str = "\
Exit codes:
  0        done
  1        `compare`, `check`, `calibrate` or `report` found something, or `status` subjects that are not done
  2        the command line or the pipeline is wrong, or every subject's input is
  3        the machine failed (disk, permission)
  4        some subjects failed, the others are complete
  130/143  interrupted; nothing is half-written
  101      a bug in boldly";

/// Declared fMRI analysis: a TOML file in, statistic maps out.
#[derive(Debug, Clone, Parser)]
#[command(name = "boldly", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How messages look and how many there are.
    #[command(flatten)]
    pub messages: MessageArgs,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Run every subject, run and model of a pipeline
    Run(RunArgs),
    /// Plan a pipeline and report on its inputs, timing and designs, without reading a voxel
    Check(CheckArgs),
    /// Tell how often the models of a pipeline find an effect where there is none, on their own designs
    Calibrate(CalibrateArgs),
    /// Write the design matrices of a pipeline as TSV and SVG, without reading a voxel
    Design(DesignArgs),
    /// Look at a BIDS dataset and write a pipeline for it
    Init(InitArgs),
    /// Analyse a BIDS dataset as BIDS-Apps are called: by a pipeline of your own, or the one that `init` proposes
    Bids(BidsArgs),
    /// Submit a pipeline to Slurm, one task a subject
    Submit(SubmitArgs),
    /// Tell how far each subject of a result folder is
    Status(StatusArgs),
    /// Make the HTML reports of a result folder anew, from what is saved in it
    Report(ReportArgs),
    /// Compare two maps or two result folders within tolerances
    Compare(CompareArgs),
    /// Write a seeded BIDS-like dataset with known truth
    Simulate(SimulateArgs),
    /// Print the JSON Schema of the pipeline file
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionArgs),
}

/// Messages, on stderr; stdout is data.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Messages")]
pub struct MessageArgs {
    /// Say more; twice, say it all
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say only what is wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Colour messages
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub color: Color,
}

/// When messages are coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How progress is shown, on stderr.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// Bars on a terminal, plain lines in a log
    #[default]
    Auto,
    /// Not at all
    Never,
    /// One JSON object a line
    Json,
}

/// Which pipeline, and what of it.
#[derive(Debug, Clone, Args)]
pub struct PipelineArgs {
    /// The pipeline file (TOML)
    #[arg(value_name = "PIPELINE.toml")]
    pub pipeline: PathBuf,
    /// Only this subject, without `sub-`; may be given more than once
    #[arg(long = "subject", value_name = "LABEL")]
    pub subjects: Vec<String>,
    /// Override one key, such as glm.objects.noise=ar1 (arrays of tables by name; the value is TOML, else text); may be given
    /// more than once
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Write here instead of `[output] dir`
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// What long work may use of the machine.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Resources")]
pub struct ResourceArgs {
    /// Worker threads; results do not depend on it [default: the processors this process may use]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub threads: Option<NonZeroUsize>,
    /// Memory to stay under, such as 2GiB or 500MB; results do not depend on it [default: 70 % of what is free]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, allow_negative_numbers = true)]
    pub max_memory: Option<u64>,
    /// Show progress
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    pub progress: Progress,
}

/// `boldly run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// The pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Redo subjects that are complete and unchanged
    #[arg(long)]
    pub force: bool,
    /// The machine.
    #[command(flatten)]
    pub resources: ResourceArgs,
}

/// `boldly check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Print the plan and what was found as JSON
    #[arg(long)]
    pub json: bool,
    /// The machine.
    #[command(flatten)]
    pub resources: ResourceArgs,
}

/// `boldly calibrate`.
#[derive(Debug, Clone, Args)]
pub struct CalibrateArgs {
    /// The pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// The machine.
    #[command(flatten)]
    pub resources: ResourceArgs,
}

/// `boldly design`.
#[derive(Debug, Clone, Args)]
pub struct DesignArgs {
    /// The pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
}

/// `boldly submit`.
#[derive(Debug, Clone, Args)]
pub struct SubmitArgs {
    /// The pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Redo subjects that are complete and unchanged
    #[arg(long)]
    pub force: bool,
    /// Processors of a task [default: 2]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub threads: Option<NonZeroUsize>,
    /// Give `sbatch` an option, such as --sbatch=--partition=short; it wins over what boldly asks for; may be given more than once
    #[arg(long = "sbatch", value_name = "OPTION")]
    pub options: Vec<String>,
    /// Print the jobs, and submit nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `boldly status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// The folder of the results
    pub out: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `boldly init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The raw BIDS dataset
    #[arg(value_name = "BIDS_DIR")]
    pub dataset: PathBuf,
    /// A folder of preprocessed images, such as fMRIPrep's; may be given more than once [default: the one in
    /// `BIDS_DIR/derivatives`, if any]
    #[arg(long, value_name = "DIR")]
    pub derivatives: Vec<PathBuf>,
    /// The task, without `task-` [default: the one with most runs]
    #[arg(long, value_name = "LABEL")]
    pub task: Option<String>,
    /// The pipeline file to write; `-` prints it
    #[arg(long, value_name = "FILE", default_value = "pipeline.toml")]
    pub out: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
}

/// The level of a BIDS-App.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnalysisLevel {
    /// Each subject on its own
    Participant,
}

/// `boldly bids`.
#[derive(Debug, Clone, Args)]
pub struct BidsArgs {
    /// The raw BIDS dataset
    #[arg(value_name = "BIDS_DIR")]
    pub dataset: PathBuf,
    /// The folder of the results
    #[arg(value_name = "OUT_DIR")]
    pub out: PathBuf,
    /// What is analysed together
    #[arg(value_enum)]
    pub level: AnalysisLevel,
    /// Only these subjects, without `sub-`
    #[arg(long, alias = "participant_label", value_name = "LABEL", num_args = 1..)]
    pub participant_label: Vec<String>,
    /// Only these sessions, without `ses-`
    #[arg(long, alias = "session_label", value_name = "LABEL", num_args = 1..)]
    pub session_label: Vec<String>,
    /// The task, without `task-` [default: the one with most runs]
    #[arg(long, alias = "task_label", value_name = "LABEL")]
    pub task_label: Option<String>,
    /// A folder of preprocessed images, such as fMRIPrep's; may be given more than once [default: the pipeline's;
    /// without one, that in `BIDS_DIR/derivatives`, if any]
    #[arg(long, value_name = "DIR")]
    pub derivatives: Vec<PathBuf>,
    /// The pipeline; its `[bids]` is taken, with what is said here in its place [default: the one that `init` proposes]
    #[arg(long, value_name = "PIPELINE.toml")]
    pub pipeline: Option<PathBuf>,
    /// Taken for the convention's sake: the dataset is not validated
    #[arg(long, alias = "skip_bids_validation", hide = true)]
    pub skip_bids_validation: bool,
    /// Redo subjects that are complete and unchanged
    #[arg(long)]
    pub force: bool,
    /// The machine.
    #[command(flatten)]
    pub resources: ResourceArgs,
}

/// `boldly report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// The folder that `boldly run` wrote to
    #[arg(value_name = "OUT")]
    pub out: PathBuf,
    /// Leave out the viewers of maps, which are most of a report's bytes
    #[arg(long)]
    pub no_viewer: bool,
    /// Show and count voxels with a larger absolute z
    #[arg(long, value_name = "Z", default_value_t = crate::report::DEFAULT_THRESHOLD, value_parser = parse_threshold, allow_negative_numbers = true)]
    pub threshold: f32,
}

/// `boldly compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// A map or a result folder: the reference
    pub a: PathBuf,
    /// A map or a result folder: what is compared with it
    pub b: PathBuf,
    /// Absolute tolerance; a value x of A may differ by the larger of it and `rtol` times |x|
    #[arg(long, value_name = "NUMBER", default_value = "1e-6", value_parser = parse_tolerance, allow_negative_numbers = true)]
    pub atol: f64,
    /// Relative tolerance
    #[arg(long, value_name = "NUMBER", default_value = "1e-6", value_parser = parse_tolerance, allow_negative_numbers = true)]
    pub rtol: f64,
}

/// `boldly simulate`.
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// What to simulate (TOML)
    #[arg(value_name = "SPEC.toml")]
    pub spec: PathBuf,
    /// Write here [default: the folder of the specification]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `boldly schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// Print the reference manual of the pipeline file in Markdown instead
    #[arg(long)]
    pub markdown: bool,
}

/// `boldly completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::fmt::Write as _;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_long_command_line_is_read() {
        let typed = "boldly run p.toml --subject 01 --subject 02 --set a.b=1 --set c=d --out o --force --threads 3 \
                     --max-memory 2GiB --progress json --color never -vv";
        let cli = Cli::try_parse_from(typed.split_whitespace()).unwrap();
        assert_eq!((cli.messages.verbose, cli.messages.color), (2, Color::Never));
        let Command::Run(run) = cli.command else { panic!("run") };
        assert_eq!(run.pipeline.subjects, ["01", "02"]);
        assert_eq!(run.pipeline.overrides, ["a.b=1", "c=d"]);
        assert_eq!(run.resources.max_memory, Some(2_147_483_648));
        assert_eq!((run.force, run.resources.progress), (true, Progress::Json));
    }

    #[test]
    fn nonsense_is_refused() {
        for typed in [
            "boldly",
            "boldly run",
            "boldly run p --threads 0",
            "boldly run p --max-memory 0",
            "boldly run p -q -v",
            "boldly compare a",
            "boldly compare a b --atol -1",
            "boldly compare a b --rtol nan",
            "boldly completions cmd",
            "boldly report",
            "boldly report x --threshold 0",
        ] {
            assert!(Cli::try_parse_from(typed.split_whitespace()).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_negative_number_is_out_of_range_and_no_option() {
        let said = |typed: &str| Cli::try_parse_from(typed.split_whitespace()).unwrap_err().to_string();
        let threshold = said("boldly report x --threshold -1");
        assert!(threshold.contains("'-1'") && threshold.contains("a number above 0"), "{threshold}");
        assert!(said("boldly compare a b --atol -1").contains("expected a number from 0 up"));
        assert!(!said("boldly run p --threads -1").contains("--' --"));
    }

    #[test]
    fn help_is_short_and_whole() {
        let mut command = Cli::command().term_width(100);
        let mut all = command.render_help().to_string();
        for name in ["run", "check", "compare", "simulate", "schema"] {
            let subcommand = command.find_subcommand_mut(name).unwrap();
            write!(all, "\n---- {name} ----\n{}", subcommand.clone().term_width(100).render_help()).unwrap();
        }
        insta::assert_snapshot!(all);
    }
}
