//! How far event time has come in each shard.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use headwater_producer::Shard;
use headwater_types::HashKey;

/// One shard's event times: its watermark is the largest with nothing older in flight.
#[derive(Default)]
pub struct Tracker(Mutex<Times>);

#[derive(Default)]
struct Times {
    /// Events in flight by time; a time all of whose events are done stays while an older one is not.
    pending: BTreeMap<i64, usize>,
    watermark: Option<i64>,
}

impl Tracker {
    fn sent(&self, time: i64) {
        *self
            .0
            .lock()
            .expect("no holder panics")
            .pending
            .entry(time)
            .or_default() += 1;
    }

    /// An event of that time is stored, or given up.
    pub fn done(&self, time: i64) {
        let mut times = self.0.lock().expect("no holder panics");
        if let Some(count) = times.pending.get_mut(&time) {
            *count -= 1;
        }
        while let Some(first) = times
            .pending
            .first_entry()
            .filter(|first| *first.get() == 0)
        {
            let (time, _) = first.remove_entry();
            times.watermark = times.watermark.max(Some(time));
        }
    }

    fn watermark(&self) -> Option<i64> {
        self.0.lock().expect("no holder panics").watermark
    }
}

/// The open shards and their event times.
#[derive(Default)]
pub struct Watermarks(Vec<(HashKey, Arc<Tracker>)>);

impl Watermarks {
    /// Takes the open shards as they are now; a shard that is new starts without a watermark.
    pub fn set_shards(&mut self, open: &[Shard]) {
        let known = std::mem::take(&mut self.0);
        let tracker = |start| {
            known
                .iter()
                .find(|(s, _)| *s == start)
                .map(|(_, t)| t.clone())
        };
        let starts = open.iter().map(|shard| shard.range.start);
        self.0 = starts
            .map(|start| (start, tracker(start).unwrap_or_default()))
            .collect();
    }

    /// An event of that hash key is about to be sent; its shard's tracker wants to know when it is done.
    pub fn sent(&self, hash: HashKey, time: i64) -> Option<Arc<Tracker>> {
        let index = self
            .0
            .partition_point(|(start, _)| *start <= hash)
            .checked_sub(1)?;
        let tracker = self.0[index].1.clone();
        tracker.sent(time);
        Some(tracker)
    }

    /// The watermark of each shard that has one, by its StartingHashKey.
    pub fn now(&self) -> Vec<(HashKey, i64)> {
        self.0
            .iter()
            .filter_map(|(start, tracker)| Some((*start, tracker.watermark()?)))
            .collect()
    }
}

/// A watermark as an event.
pub fn event(time: i64) -> Bytes {
    format!(
        "{{\"watermark\":\"{}\",\"type\":\"watermark\"}}\n",
        iso(time)
    )
    .into()
}

/// A time in milliseconds since the epoch as ISO 8601 with milliseconds and Z.
pub fn iso(time: i64) -> String {
    match jiff::Timestamp::from_millisecond(time) {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        // Beyond the years that ISO 8601 has.
        Err(_) => time.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::HashRange;

    use super::*;

    fn shards(count: u32) -> Vec<Shard> {
        let ranges = HashRange::split_evenly(count).into_iter();
        ranges
            .map(|range| Shard {
                id: range.start.to_string(),
                range,
                open: true,
            })
            .collect()
    }

    #[test]
    fn a_watermark_waits_for_what_is_older() {
        let mut watermarks = Watermarks::default();
        watermarks.set_shards(&shards(2));
        let trackers: Vec<_> = [10, 20, 20, 30]
            .map(|t| watermarks.sent(HashKey(1), t).unwrap())
            .into();
        assert_eq!(watermarks.now(), []);
        trackers[1].done(20);
        assert_eq!(watermarks.now(), []);
        trackers[0].done(10);
        assert_eq!(watermarks.now(), [(HashKey(0), 10)]);
        trackers[3].done(30);
        trackers[2].done(20);
        assert_eq!(watermarks.now(), [(HashKey(0), 30)]);
        watermarks.sent(HashKey(0), 5).unwrap().done(5);
        assert_eq!(watermarks.now(), [(HashKey(0), 30)], "it never goes back");
    }

    #[test]
    fn shards_that_stay_keep_their_times() {
        let mut watermarks = Watermarks::default();
        watermarks.set_shards(&shards(2));
        let half = shards(2)[1].range.start;
        watermarks.sent(HashKey(7), 10).unwrap().done(10);
        watermarks.sent(HashKey(u128::MAX), 20).unwrap().done(20);
        assert_eq!(watermarks.now(), [(HashKey(0), 10), (half, 20)]);
        watermarks.set_shards(&shards(4));
        assert_eq!(
            watermarks.now(),
            [(HashKey(0), 10), (half, 20)],
            "the new quarters have none yet"
        );
    }

    #[test]
    fn the_text_is_that_of_the_pipeline() {
        assert_eq!(
            event(1_514_765_528_007),
            "{\"watermark\":\"2018-01-01T00:12:08.007Z\",\"type\":\"watermark\"}\n"
        );
    }
}
