//! Tables: what is written to them and read of them, what was refused, and the index that they share.

use headwater_tables::Tables;

use super::{Samples, families::*};

/// Adds what every table counts and holds.
pub fn measure(tables: &Tables, to: &mut Samples) {
    for told in tables.metrics() {
        let (labels, counts) = ([&*told.table], told.counts);
        to.add(&TABLE_WRITTEN_ITEMS, &labels, counts.written_items);
        to.add(&TABLE_WRITTEN_BYTES, &labels, counts.written_bytes);
        to.add(&TABLE_EXPIRED_ITEMS, &labels, counts.expired_items);
        to.add(&TABLE_READ_ITEMS, &labels, counts.read_items);
        to.add(&TABLE_READ_BYTES, &labels, counts.read_bytes);
        for (access, throttled) in [
            ("read", counts.throttled_reads),
            ("write", counts.throttled_writes),
        ] {
            to.add(&TABLE_THROTTLED, &[&*told.table, access], throttled);
        }
        to.add(&TABLE_CONDITIONS, &labels, counts.failed_conditions);
        to.add(&TABLE_CANCELLED, &labels, counts.cancelled_transactions);
        to.add(&TABLE_PARTITIONS, &labels, u64::from(told.partitions));
        to.add(&TABLE_STREAMS, &labels, told.streams as u64);
        to.add(&TABLE_BUILDING, &labels, told.building_indexes as u64);
    }
    let index = tables.index_metrics();
    to.add(&TABLES_UNSYNCED, &[], index.unsynced_bytes);
    to.add(&TABLES_UNSETTLED, &[], index.unsettled_partitions as u64);
}
