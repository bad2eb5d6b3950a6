//! Tests of what only a directory does: crashes, damage, sweeping.
