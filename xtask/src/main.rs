//! Chores: code generation and its check.
fn main() {}
