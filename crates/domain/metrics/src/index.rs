//! The series there are: their names, in order, and when each was last put to.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use headwater_types::Millis;

use crate::{Metric, Unit, limits};

/// The number of a series, under which its points are kept. A series that is forgotten and comes back has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct SeriesId(pub u32);

/// All series, in memory.
#[derive(Clone, Default)]
pub(crate) struct Index {
    by_key: BTreeMap<Arc<[u8]>, SeriesId>,
    known: HashMap<SeriesId, Known>,
    next: u32,
    /// The bytes of all names.
    bytes: usize,
}

/// A series, as it is known.
#[derive(Clone)]
pub(crate) struct Known {
    pub key: Arc<[u8]>,
    /// The minute of its last datum.
    pub last_minute: u32,
}

/// The metrics that a list wants: those that have all that is named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The namespace.
    pub namespace: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// Dimensions by name, and by value where one is given.
    pub dimensions: Vec<(String, Option<String>)>,
    /// Whether there was a datum in the last three hours, and not only in the last two weeks.
    pub recent_only: bool,
}

impl Index {
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The bytes of all names.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The id that the next new series has.
    pub fn next(&self) -> SeriesId {
        SeriesId(self.next)
    }

    pub fn find(&self, key: &[u8]) -> Option<SeriesId> {
        self.by_key.get(key).copied()
    }

    /// Adds a series, in place of one of the same name.
    pub fn add(&mut self, id: SeriesId, key: &[u8], last_minute: u32) {
        let key: Arc<[u8]> = key.into();
        match self.by_key.insert(key.clone(), id) {
            Some(before) => drop(self.known.remove(&before)),
            None => self.bytes += key.len(),
        }
        self.known.insert(id, Known { key, last_minute });
        self.next = self.next.max(id.0.saturating_add(1));
    }

    /// Notes when a series was put to.
    pub fn note(&mut self, id: SeriesId, at: Millis) {
        if let Some(known) = self.known.get_mut(&id) {
            known.last_minute = known.last_minute.max(minute(at));
        }
    }

    /// The series of a metric, by unit.
    pub fn of_metric(&self, metric: &Metric) -> Vec<(Unit, SeriesId)> {
        let start = metric.key();
        let found = self
            .by_key
            .range::<[u8], _>((Bound::Included(&start[..]), Bound::Unbounded));
        found
            .take_while(|(key, _)| key.starts_with(&start))
            .filter_map(|(key, id)| Some((Metric::of_series(key)?.1, *id)))
            .collect()
    }

    /// At most `limit` metrics that come after `after`, in order.
    pub fn list(
        &self,
        filter: &Filter,
        after: Option<&Metric>,
        limit: usize,
        now: Millis,
    ) -> Vec<Metric> {
        let start = filter.key_start();
        let from = match after {
            // No series of a metric has this as its unit's number.
            Some(after) => [&after.key()[..], &[u8::MAX]].concat().max(start.clone()),
            None => start.clone(),
        };
        let oldest = minute(now.minus(match filter.recent_only {
            true => limits::RECENT_FOR,
            false => limits::LISTED_FOR,
        }));
        let is_alive = |id: &SeriesId| {
            self.known
                .get(id)
                .is_some_and(|known| known.last_minute >= oldest)
        };
        let mut metrics: Vec<Metric> = Vec::new();
        let range = self
            .by_key
            .range::<[u8], _>((Bound::Included(&from[..]), Bound::Unbounded));
        for (key, id) in range.take_while(|(key, _)| key.starts_with(&start)) {
            if metrics.len() == limit
                && !metrics
                    .last()
                    .is_some_and(|last| key.starts_with(&last.key()))
            {
                break;
            }
            if !is_alive(id) {
                continue;
            }
            let Some((metric, _)) = Metric::of_series(key) else {
                continue;
            };
            if filter.takes(&metric) && metrics.last() != Some(&metric) {
                metrics.push(metric);
            }
        }
        metrics.truncate(limit);
        metrics
    }

    /// All series, by their ids.
    pub fn all(&self) -> Vec<(SeriesId, Known)> {
        let mut all: Vec<_> = self
            .known
            .iter()
            .map(|(id, known)| (*id, known.clone()))
            .collect();
        all.sort_by_key(|series| series.0);
        all
    }

    /// Forgets the series without a datum since `oldest`.
    pub fn forget(&mut self, oldest: Millis) {
        let oldest = minute(oldest);
        self.known.retain(|_, known| known.last_minute >= oldest);
        let known = &self.known;
        self.by_key.retain(|_, id| known.contains_key(id));
        self.bytes = self.by_key.keys().map(|key| key.len()).sum();
    }
}

impl Filter {
    /// The beginning of the keys of all that it takes.
    fn key_start(&self) -> Vec<u8> {
        crate::metric::key_start(self.namespace.as_deref(), self.name.as_deref())
    }

    fn takes(&self, metric: &Metric) -> bool {
        let has = |(name, value): &(String, Option<String>)| {
            let mut dimensions = metric.dimensions.iter();
            dimensions.any(|found| {
                found.0 == *name && value.as_ref().is_none_or(|value| found.1 == *value)
            })
        };
        self.name.as_ref().is_none_or(|name| metric.name == *name)
            && self.dimensions.iter().all(has)
    }
}

/// The minute of a time, counted from the epoch.
pub(crate) fn minute(at: Millis) -> u32 {
    u32::try_from(at.seconds() / 60).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn metric(name: &str, dimensions: &[(&str, &str)]) -> Metric {
        let dimensions = dimensions
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Metric::new("space", name, dimensions.collect())
    }

    fn index() -> Index {
        let mut index = Index::default();
        let hours = |hours: u64| minute(Millis(NOW.0 - hours * 3_600_000));
        for (number, (metric, unit, last)) in [
            (metric("a", &[]), Unit::Count, hours(0)),
            (metric("a", &[]), Unit::Bytes, hours(4)),
            (metric("a", &[("d", "1")]), Unit::Bytes, hours(4)),
            (
                metric("a", &[("d", "2"), ("e", "1")]),
                Unit::Bytes,
                hours(0),
            ),
            (metric("b", &[]), Unit::None, hours(14 * 24 + 1)),
            (Metric::new("space2", "a", Vec::new()), Unit::None, hours(0)),
        ]
        .into_iter()
        .enumerate()
        {
            index.add(SeriesId(number as u32), &metric.series_key(unit), last);
        }
        index
    }

    fn names(filter: &Filter) -> Vec<String> {
        let index = index();
        let (mut names, mut after) = (Vec::new(), None);
        while let Some(metric) = index.list(filter, after.as_ref(), 1, NOW).pop() {
            let dimensions: Vec<_> = metric
                .dimensions
                .iter()
                .map(|d| format!("{}={}", d.0, d.1))
                .collect();
            names.push(format!(
                "{}/{} {}",
                metric.namespace,
                metric.name,
                dimensions.join(",")
            ));
            after = Some(metric);
        }
        assert_eq!(index.list(filter, None, 100, NOW).len(), names.len());
        names
    }

    #[test]
    fn lists_are_filtered_and_go_on_behind_what_they_gave() {
        let all = Filter::default();
        assert_eq!(
            names(&all),
            ["space/a ", "space/a d=1", "space/a d=2,e=1", "space2/a "]
        );
        let in_space = Filter {
            namespace: Some("space".into()),
            ..Filter::default()
        };
        assert_eq!(
            names(&in_space),
            ["space/a ", "space/a d=1", "space/a d=2,e=1"]
        );
        let named = Filter {
            name: Some("b".into()),
            ..Filter::default()
        };
        assert!(names(&named).is_empty(), "it had no datum for two weeks");
        let with = |value: Option<&str>| Filter {
            dimensions: vec![("d".into(), value.map(str::to_owned))],
            ..in_space.clone()
        };
        assert_eq!(names(&with(None)), ["space/a d=1", "space/a d=2,e=1"]);
        assert_eq!(names(&with(Some("2"))), ["space/a d=2,e=1"]);
        let recent = Filter {
            recent_only: true,
            ..Filter::default()
        };
        assert_eq!(names(&recent), ["space/a ", "space/a d=2,e=1", "space2/a "]);
    }

    #[test]
    fn a_series_that_comes_back_has_another_id() {
        let mut index = index();
        let series = metric("a", &[]);
        assert_eq!(
            index.of_metric(&series),
            [(Unit::Bytes, SeriesId(1)), (Unit::Count, SeriesId(0))]
        );
        index.forget(Millis(NOW.0 - 3_600_000));
        assert_eq!(index.of_metric(&series), [(Unit::Count, SeriesId(0))]);
        index.add(index.next(), &series.series_key(Unit::Bytes), 0);
        assert_eq!(
            index.of_metric(&series),
            [(Unit::Bytes, SeriesId(6)), (Unit::Count, SeriesId(0))]
        );
        index.add(index.next(), &series.series_key(Unit::Bytes), 0);
        assert_eq!((index.len(), index.all().len()), (4, 4));
    }
}
