//! The command line: words to a command, the command's outcome to an exit code.
//!
//! stdout is data, stderr is messages.

pub mod args;
mod commands;
mod exit;
mod messages;
mod resources;
mod signals;

pub use exit::Exit;

use args::{Cli, Command};
use clap::Parser;
use messages::Messages;

/// Parses the process's own arguments, runs the command, and says what became of it.
pub fn main() -> Exit {
    crate::model::hold_blas_to_one_thread();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version go to stdout and are no failure. A closed pipe is nothing to complain about.
            let _ = usage.print();
            return if usage.use_stderr() { Exit::WrongInput } else { Exit::Done };
        }
    };
    let messages = Messages::new(&cli.messages);
    signals::say_that_a_panic_is_our_bug();
    match cli.command {
        Command::Run(words) => commands::run(&words, &messages),
        Command::Check(words) => commands::check(&words, &messages),
        Command::Calibrate(words) => commands::calibrate(&words, &messages),
        Command::Design(words) => commands::design(&words, &messages),
        Command::Submit(words) => commands::submit(&words, &messages),
        Command::Status(words) => commands::status(&words, &messages),
        Command::Init(words) => commands::init(&words, &messages),
        Command::Bids(words) => commands::bids(&words, &messages),
        Command::Report(words) => commands::report(&words, &messages),
        Command::Compare(words) => commands::compare(&words, &messages),
        Command::Simulate(words) => commands::simulate(&words, &messages),
        Command::Schema(words) => commands::schema(&words),
        Command::Completions(words) => commands::completions(&words),
    }
}
