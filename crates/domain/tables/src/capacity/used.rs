//! Counting the units that were taken of a table or an index and what was refused, for those who publish it.

use headwater_types::Tallied;

use super::Access;

/// What was taken and refused since this was asked last; each value is one request's of one partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Units of reading, in halves.
    pub read: Option<Tallied>,
    /// Units of writing, in halves.
    pub written: Option<Tallied>,
    /// Reads of items or pages that were refused.
    pub throttled_reads: u64,
    /// Writes of items that were refused.
    pub throttled_writes: u64,
}

impl Used {
    /// A request took units.
    pub(super) fn took(&mut self, access: Access, units: f64) {
        // The least that can be taken is half a unit.
        let halves = (units * 2.0).round() as u64;
        if halves == 0 {
            return;
        }
        let so_far = match access {
            Access::Read => &mut self.read,
            Access::Write => &mut self.written,
        };
        *so_far = Tallied::all([*so_far, Some(Tallied::one(halves))]);
    }

    /// Something was refused.
    pub(super) fn refused(&mut self, access: Access) {
        match access {
            Access::Read => self.throttled_reads += 1,
            Access::Write => self.throttled_writes += 1,
        }
    }
}
