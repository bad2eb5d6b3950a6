//! The bounds of this crate.

/// Bytes of a body that are held to learn its length or checksum; a longer object goes up in parts of this size.
pub const PIECE_BYTES: usize = 8 << 20;
/// Bytes of a part that is held whole, because its checksum comes behind it.
pub const HELD_PART_BYTES: usize = 64 << 20;
/// All that is held at once, in MiB; what does not fit waits.
pub const HELD_MIB: usize = 256;
