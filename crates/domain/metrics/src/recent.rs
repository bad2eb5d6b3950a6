//! What was put since the last fold, in memory.

use std::collections::{BTreeMap, HashMap};

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::{cell::Cell, index::SeriesId};

/// How finely points are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// Points of several series.
pub(crate) type Runs<'a> = Vec<(SeriesId, &'a [Dot])>;

/// Points by series, each series' in the order of their times.
#[derive(Default)]
pub(crate) struct Recent {
    dots: HashMap<(Level, SeriesId), Vec<Dot>>,
    weight: usize,
}

impl Recent {
    pub fn is_empty(&self) -> bool {
        self.dots.is_empty()
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Adds what was put at a time to the period that it is in.
    pub fn add(&mut self, series: SeriesId, level: Level, at: Millis, cell: Cell) {
        if cell.summary.count == 0.0 {
            return;
        }
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

    /// The points of each part of time, by series.
    pub fn windows(&self) -> BTreeMap<(Level, u64), Runs<'_>> {
        let mut windows: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((level, series), dots) in &self.dots {
            for dots in dots.chunk_by(|a, b| level.window_of(a.at) == level.window_of(b.at)) {
                let window = (*level, level.window_of(dots[0].at));
                windows.entry(window).or_default().push((*series, dots));
            }
        }
        windows
    }
}

/// Bytes that a point takes beside its cell, with the room that is kept for more.
const DOT_OVERHEAD: usize = 32;

/// Adds points, which came later, to those of a series by their times, summed up to a level.
pub(crate) fn add_dots(to: &mut BTreeMap<u64, Dot>, level: Level, later: Vec<Dot>) {
    for dot in later {
        let at = dot.at / level.seconds() * level.seconds();
        let cell = &dot.cell;
        to.entry(at)
            .or_insert_with(|| Dot {
                at,
                cell: Cell::default(),
            })
            .cell
            .add(cell);
    }
}
