//! What was put since the last fold, in memory.

use std::collections::HashMap;

use headwater_types::Millis;

use crate::{cell::Cell, index::SeriesId};

/// How finely points are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    /// By the second.
    Second,
    /// By the minute.
    Minute,
    /// By five minutes.
    FiveMinutes,
    /// By the hour.
    Hour,
}

impl Level {
    /// The period of a point in seconds.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => 3600,
        }
    }
}

/// A cell and the second at which its period begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dot {
    pub at: u64,
    pub cell: Cell,
}

/// Points by series, each series' in the order of their times.
#[derive(Default)]
pub(crate) struct Recent {
    dots: HashMap<(Level, SeriesId), Vec<Dot>>,
    weight: usize,
}

impl Recent {
    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Adds what was put at a time to the period that it is in.
    pub fn add(&mut self, series: SeriesId, level: Level, at: Millis, cell: Cell) {
        let at = at.seconds() / level.seconds() * level.seconds();
        let dots = self.dots.entry((level, series)).or_default();
        let place = match dots.last() {
            Some(last) if last.at < at => Err(dots.len()),
            _ => dots.binary_search_by_key(&at, |dot| dot.at),
        };
        match place {
            Ok(place) => {
                let known = &mut dots[place].cell;
                let before = known.weight();
                known.add(&cell);
                self.weight += known.weight() - before.min(known.weight());
            }
            Err(place) => {
                self.weight += cell.weight() + DOT_OVERHEAD;
                dots.insert(place, Dot { at, cell });
            }
        }
    }

    /// The points of a series at one level.
    pub fn of(&self, level: Level, series: SeriesId) -> &[Dot] {
        self.dots.get(&(level, series)).map_or(&[], Vec::as_slice)
    }
}

/// Bytes that a point takes beside its cell, with the room that is kept for more.
const DOT_OVERHEAD: usize = 32;
