//! Commands that print what the binary knows of itself.

use crate::cli::args::{Cli, CompletionArgs, SchemaArgs};
use crate::cli::exit::Exit;
use crate::config;
use clap::CommandFactory;
use std::io::Write;

/// Prints the JSON Schema of the pipeline file, or its manual.
pub(in crate::cli) fn schema(words: &SchemaArgs) -> Exit {
    let text = if words.markdown { config::reference_markdown() } else { config::json_schema() };
    // A reader that closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Exit::Done
}

/// Prints a completion script.
pub(in crate::cli) fn completions(words: &CompletionArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(words.shell, &mut Cli::command(), "boldly", &mut script);
    let _ = std::io::stdout().write_all(&script);
    Exit::Done
}
