//! The older dialect of conditions and updates, as the trees of the newer.
