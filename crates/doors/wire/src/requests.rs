//! Counting the requests that were answered, by service, operation and outcome, with how long they took.
//!
//! There is one counter an operation of the tables, found by its place there, so that a request costs a few additions and
//! the number of counters is fixed. All that has no place is counted together.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::{
    observe::{Observe, Seen},
    table::Table,
};

/// The bounds of the ranges that times are counted in; there is one more range, without an end.
pub const TIMES: [Duration; 7] = [
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_millis(2500),
    Duration::from_secs(10),
];

/// The outcomes that are told apart, by the first digit of the status; what is below is counted with the first.
pub const OUTCOMES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// The name of what has no place in a table.
const OTHER: &str = "other";

/// Counts requests; an observer of the pipeline with the same tables.
pub struct Requests {
    tables: Vec<Counted>,
    other: Counters,
}

/// The counters of one table.
struct Counted {
    service: &'static str,
    /// By the places of the routes.
    routes: Vec<(&'static str, Counters)>,
    other: Counters,
}

/// The counters of one operation. Operations do not share a line of the processors' caches.
#[derive(Default)]
#[repr(align(128))]
struct Counters {
    outcomes: [AtomicU64; OUTCOMES.len()],
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    times: [AtomicU64; TIMES.len() + 1],
    nanos: AtomicU64,
}

/// The requests of one operation that were answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The service; `other` where it is none of ours.
    pub service: &'static str,
    /// The operation; `other` where it is not built.
    pub operation: &'static str,
    /// How many had each of [`OUTCOMES`].
    pub outcomes: [u64; OUTCOMES.len()],
    /// Bytes of their bodies that were read.
    pub bytes_in: u64,
    /// Bytes of their answers.
    pub bytes_out: u64,
    /// How many took at most as long as each of [`TIMES`] and longer than the one before; the last ones took longer.
    pub times: [u64; TIMES.len() + 1],
    /// The time of all together.
    pub total: Duration,
}

impl Requests {
    /// Counts requests to these tables, in the pipeline's order.
    pub fn new<'a>(tables: impl IntoIterator<Item = &'a Table>) -> Self {
        let counted = |table: &Table| {
            let mut routes: Vec<_> = table.routes.values().collect();
            routes.sort_unstable_by_key(|route| route.place);
            let counters = |route: &&crate::Route| (route.shape.name, Counters::default());
            Counted {
                service: table.service.name,
                routes: routes.iter().map(counters).collect(),
                other: Counters::default(),
            }
        };
        Self {
            tables: tables.into_iter().map(counted).collect(),
            other: Counters::default(),
        }
    }

    fn counters(&self, seen: &Seen<'_>) -> &Counters {
        let table = seen.table.and_then(|table| self.tables.get(table));
        let Some(table) = table else {
            return &self.other;
        };
        let route = seen.route.and_then(|route| table.routes.get(route));
        route.map_or(&table.other, |(_, counters)| counters)
    }

    /// The requests that were answered so far, of the operations that were called.
    pub fn answered(&self) -> Vec<Answered> {
        let of_table = |table: &'_ Counted| {
            let routes = table.routes.iter();
            let routes = routes.map(|(name, counters)| counters.now(table.service, name));
            let other = table.other.now(table.service, OTHER);
            routes.chain([other]).collect::<Vec<_>>()
        };
        let tables = self.tables.iter().flat_map(of_table);
        let all = tables.chain([self.other.now(OTHER, OTHER)]);
        all.filter(|answered| answered.outcomes.iter().any(|count| *count > 0))
            .collect()
    }
}

impl Observe for Requests {
    fn observe(&self, seen: &Seen<'_>) {
        self.counters(seen).count(seen);
    }
}

impl Counters {
    fn count(&self, seen: &Seen<'_>) {
        let outcome = usize::from(seen.status / 100).clamp(2, 5) - 2;
        let time = TIMES.iter().position(|most| seen.took <= *most);
        let nanos = u64::try_from(seen.took.as_nanos()).unwrap_or(u64::MAX);
        self.outcomes[outcome].fetch_add(1, Relaxed);
        self.bytes_in.fetch_add(seen.bytes_in, Relaxed);
        self.bytes_out.fetch_add(seen.bytes_out, Relaxed);
        self.times[time.unwrap_or(TIMES.len())].fetch_add(1, Relaxed);
        self.nanos.fetch_add(nanos, Relaxed);
    }

    fn now(&self, service: &'static str, operation: &'static str) -> Answered {
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        Answered {
            service,
            operation,
            outcomes: std::array::from_fn(|i| of(&self.outcomes[i])),
            bytes_in: of(&self.bytes_in),
            bytes_out: of(&self.bytes_out),
            times: std::array::from_fn(|i| of(&self.times[i])),
            total: Duration::from_nanos(of(&self.nanos)),
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::{Account, Region};

    use super::*;

    fn requests() -> Requests {
        let table = |service, routes: &[&'static str]| Counted {
            service,
            routes: routes
                .iter()
                .map(|name| (*name, Counters::default()))
                .collect(),
            other: Counters::default(),
        };
        Requests {
            tables: vec![table("a", &["Get", "Put"]), table("b", &["Get"])],
            other: Counters::default(),
        }
    }

    #[test]
    fn requests_are_counted_where_they_have_their_place_and_else_together() {
        let requests = requests();
        let see = |table, route, status, millis| {
            requests.observe(&Seen {
                request_id: "",
                service: "",
                operation: "",
                table,
                route,
                line: None,
                caller: "",
                account: &Account("0".into()),
                region: &Region("r".into()),
                headers: &http::HeaderMap::new(),
                address: None,
                status,
                error: None,
                bytes_in: 10,
                bytes_out: 100,
                took: Duration::from_millis(millis),
            });
        };
        see(Some(0), Some(1), 200, 1);
        see(Some(0), Some(1), 204, 2);
        see(Some(0), Some(1), 400, 60_000);
        see(Some(1), None, 501, 0);
        see(Some(1), Some(7), 404, 0);
        see(None, None, 100, 0);
        see(Some(9), Some(0), 304, 0);
        let answered = requests.answered();
        let named: Vec<_> = answered
            .iter()
            .map(|one| (one.service, one.operation, one.outcomes))
            .collect();
        assert_eq!(
            named,
            [
                ("a", "Put", [2, 0, 1, 0]),
                ("b", "other", [0, 0, 1, 1]),
                ("other", "other", [1, 1, 0, 0]),
            ]
        );
        let put = answered[0];
        assert_eq!((put.bytes_in, put.bytes_out), (30, 300));
        assert_eq!(put.times, [1, 1, 0, 0, 0, 0, 0, 1]);
        assert_eq!(put.total, Duration::from_millis(60_003));
    }
}
