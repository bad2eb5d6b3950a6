//! Event-time order within a bounded window.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::replay::events::ReplayEvent;

/// Events read ahead, the earliest first; equal times in the order they came.
#[derive(Default)]
pub struct Window {
    heap: BinaryHeap<Reverse<WaitingEvent>>,
    count: u64,
    bytes: usize,
}

/// An event in the window, ordered by its time and then by its arrival.
struct WaitingEvent {
    place: (i64, u64),
    event: ReplayEvent,
}

impl Window {
    /// Adds an event.
    pub fn push(&mut self, event: ReplayEvent) {
        self.bytes += event.data.len();
        self.heap.push(Reverse(WaitingEvent {
            place: (event.time, self.count),
            event,
        }));
        self.count += 1;
    }

    /// Takes the earliest event.
    pub fn pop(&mut self) -> Option<ReplayEvent> {
        let Reverse(held) = self.heap.pop()?;
        self.bytes -= held.event.data.len();
        Some(held.event)
    }

    /// Events held.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Bytes of the events held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl PartialEq for WaitingEvent {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for WaitingEvent {}

impl PartialOrd for WaitingEvent {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for WaitingEvent {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn events_leave_by_time_and_equal_ones_as_they_came() {
        let mut window = Window::default();
        for (time, data) in [(3, "a"), (1, "b"), (3, "c"), (2, "d"), (1, "e")] {
            window.push(ReplayEvent {
                time,
                key: None,
                data: Bytes::from(data),
            });
        }
        assert_eq!((window.len(), window.bytes()), (5, 5));
        let order: Vec<Bytes> = std::iter::from_fn(|| window.pop())
            .map(|e| e.data)
            .collect();
        assert_eq!(order, ["b", "e", "d", "a", "c"]);
        assert_eq!((window.len(), window.bytes()), (0, 0));
    }
}
