//! Tables and calls for the tests beside the operations.

#![allow(clippy::unwrap_used, reason = "a test's support")]

use headwater_tables::{Billing, KeyKind, KeySchema, TableRecord, TableState};
use headwater_types::{Account, Millis, Region};
use headwater_wire::Context;

/// When the table of [`record`] was made.
pub(crate) const CREATED: Millis = Millis(1_700_000_000_123);

/// The table `taxi` with the key `a`, paid for by the request. An attribute `gone` is of no key.
pub(crate) fn record() -> TableRecord {
    let attributes = [
        ("a".to_owned(), KeyKind::String),
        ("gone".to_owned(), KeyKind::Number),
    ];
    TableRecord {
        name: "taxi".into(),
        number: 1,
        id: "0123".into(),
        created: CREATED,
        state: TableState::Active,
        partitions: 1,
        attributes: attributes.into(),
        key: KeySchema {
            partition: "a".into(),
            sort: None,
        },
        local: Default::default(),
        global: Default::default(),
        next_index: 1,
        billing: Billing::OnDemand {
            read_max: None,
            write_max: None,
        },
        on_demand_since: None,
        streams: Vec::new(),
        time_to_live: None,
        protected: false,
        infrequent_access: false,
        recovery_days: None,
        policy: None,
        destinations: Vec::new(),
        tags: Default::default(),
    }
}

/// A call of the account's root.
pub(crate) fn context() -> Context {
    let region = Region("us-east-1".into());
    Context::new(
        "r",
        region,
        Account("000000000000".into()),
        "localhost:4566",
    )
}
