//! How much of its source a replay has read, and how much there is: from that its end is foreseen.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

/// Counts of a source that is being read.
#[derive(Debug, Default)]
pub struct Extent {
    /// Bytes of all its files or objects, packed as they are; 0 as long as that is not known.
    total: AtomicU64,
    /// Bytes of them that were read.
    read: AtomicU64,
    /// Bytes that were read before the first event that counts, where events are left out.
    before: AtomicU64,
    /// Events that were read.
    events: AtomicU64,
    /// Whether there are no more.
    ended: AtomicBool,
}

impl Extent {
    /// Says how many bytes the whole source has.
    pub fn measured(&self, bytes: u64) {
        self.total.store(bytes, Relaxed);
    }

    /// Counts an event that was read; `after_others` where events before it were left out.
    pub fn event(&self, after_others: bool) {
        if self.events.fetch_add(1, Relaxed) == 0 && after_others {
            self.before.store(self.read.load(Relaxed), Relaxed);
        }
    }

    /// Says that all was read.
    pub fn end(&self) {
        self.ended.store(true, Relaxed);
    }

    /// How many events the source has: known at its end, and foreseen before from the bytes that those so far took.
    pub fn events(&self) -> Option<u64> {
        let events = self.events.load(Relaxed);
        if self.ended.load(Relaxed) {
            return Some(events);
        }
        let before = self.before.load(Relaxed);
        let read = self.read.load(Relaxed).saturating_sub(before);
        let total = self.total.load(Relaxed).saturating_sub(before);
        (events > 0 && read > 0 && total > 0).then(|| {
            let foreseen = u128::from(events) * u128::from(total) / u128::from(read);
            u64::try_from(foreseen).unwrap_or(u64::MAX).max(events)
        })
    }
}

/// A source's bytes on their way to the decoder, counted.
pub struct Counted<R> {
    /// The bytes.
    pub source: R,
    /// The counts.
    pub extent: Arc<Extent>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.extent.read.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(extent: &Arc<Extent>, bytes: usize) {
        let mut counted = Counted {
            source: io::repeat(0),
            extent: extent.clone(),
        };
        counted.read_exact(&mut vec![0; bytes]).unwrap();
    }

    #[test]
    fn the_number_of_events_is_foreseen_from_their_bytes_and_known_at_the_end() {
        let extent = Arc::new(Extent::default());
        read(&extent, 100);
        (0..10).for_each(|_| extent.event(false));
        assert_eq!(extent.events(), None, "nobody said how much there is");
        extent.measured(400);
        assert_eq!(extent.events(), Some(40));
        read(&extent, 900);
        assert_eq!(extent.events(), Some(10), "never fewer than there are");
        extent.end();
        extent.event(false);
        assert_eq!(extent.events(), Some(11));
    }

    #[test]
    fn events_that_are_left_out_take_no_share() {
        let extent = Arc::new(Extent::default());
        extent.measured(400);
        read(&extent, 200);
        extent.event(true);
        assert_eq!(extent.events(), None);
        read(&extent, 50);
        (0..9).for_each(|_| extent.event(true));
        assert_eq!(extent.events(), Some(40));
    }
}
