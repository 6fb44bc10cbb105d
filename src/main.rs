//! The `boldly` binary.

use boldly::cli::{self, Exit};

fn main() -> Exit {
    // Subjects are isolated further in; this catches what is left, so that a bug always ends with its own exit code.
    std::panic::catch_unwind(cli::main).unwrap_or(Exit::Bug)
}
