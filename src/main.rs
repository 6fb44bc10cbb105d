//! The `boldly` binary.
fn main() {}
