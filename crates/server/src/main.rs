//! The binary headwater: command line, configuration, wiring, health, shutdown.
fn main() {}
