//! The commands that run outside the server: replay, trip generator, load generator.
