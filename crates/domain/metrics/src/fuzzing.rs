//! Ways in for the targets in `fuzz/`: what is read of the journal and of files, behind the checksums.

use crate::{Metric, journal::Record, names, page, recent::Level};

/// Reads bytes as each thing that is kept. What is read is written and read the same.
///
/// # Panics
/// When it is not.
pub fn kept(bytes: &[u8]) {
    if let Some(record) = Record::decode(bytes) {
        let written = record.encode();
        let again = Record::decode(&written).map(|record| record.encode());
        assert_eq!(again, Some(written));
    }
    if let Some(runs) = page::runs(bytes, Level::Minute) {
        let written = page(&runs);
        let again = page::runs(&written, Level::Minute).map(|runs| page(&runs));
        assert_eq!(again, Some(written));
    }
    if let Some((metric, unit)) = Metric::of_series(bytes) {
        let key = metric.series_key(unit);
        assert_eq!(Metric::of_series(&key), Some((metric, unit)));
    }
    names::read_all(bytes);
}

fn page(runs: &[page::Run]) -> Vec<u8> {
    let (mut bytes, mut before) = (Vec::new(), None);
    for run in runs {
        page::put_run(&mut bytes, before, run.series, Level::Minute, &run.dots);
        before = Some(run.series);
    }
    bytes
}
