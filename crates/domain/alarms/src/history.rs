//! What happened to alarms.

use std::collections::BTreeMap;

use headwater_catalog::{CatalogError, Table};
use headwater_types::Millis;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Alarm, StateRecord, Watches, limits, reason::json};

/// Something that happened to an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryItem {
    /// The alarm's name.
    pub alarm: String,
    /// Whether it watches alarms, and not a metric.
    pub is_composite: bool,
    /// When it happened.
    pub at: Millis,
    /// What kind of thing it was.
    pub kind: HistoryKind,
    /// What happened, in words.
    pub summary: String,
    /// What happened, as JSON.
    pub data: String,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryKind {
    /// The alarm was made, changed or deleted.
    ConfigurationUpdate,
    /// It went into another state.
    StateUpdate,
    /// An action was done, or was not.
    Action,
}

/// What is wanted of the history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryQuery {
    /// Of one alarm.
    pub alarm: Option<String>,
    /// Of alarms that watch alarms, or of those that do not.
    pub is_composite: Option<bool>,
    /// Of one kind.
    pub kind: Option<HistoryKind>,
    /// From this time on.
    pub from: Option<Millis>,
    /// Until this time, itself not included.
    pub to: Option<Millis>,
    /// The oldest first, and not the newest.
    pub oldest_first: bool,
}

/// A change of an alarm's definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Create,
    Update,
    Delete,
}

impl HistoryItem {
    fn of(alarm: &Alarm, at: Millis, kind: HistoryKind, summary: String, data: String) -> Self {
        Self {
            alarm: alarm.name.clone(),
            is_composite: matches!(alarm.watches, Watches::Alarms(_)),
            at,
            kind,
            summary,
            data,
        }
    }

    pub(crate) fn of_change(alarm: &Alarm, change: Change, at: Millis) -> Self {
        #[derive(Serialize)]
        struct Data {
            version: &'static str,
            r#type: &'static str,
        }
        let (r#type, done) = match change {
            Change::Create => ("Create", "created"),
            Change::Update => ("Update", "updated"),
            Change::Delete => ("Delete", "deleted"),
        };
        let version = "1.0";
        let data = json(&Data { version, r#type });
        let summary = format!("Alarm \"{}\" {done}", alarm.name);
        Self::of(alarm, at, HistoryKind::ConfigurationUpdate, summary, data)
    }

    pub(crate) fn of_transition(alarm: &Alarm, before: &StateRecord) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct State<'a> {
            state_value: &'static str,
            state_reason: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            state_reason_data: Option<Box<RawValue>>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Data<'a> {
            version: &'static str,
            old_state: State<'a>,
            new_state: State<'a>,
        }
        fn state(record: &StateRecord) -> State<'_> {
            // What a caller set may be no JSON.
            let data = record.data.clone();
            State {
                state_value: record.value.name(),
                state_reason: &record.reason,
                state_reason_data: data.and_then(|data| RawValue::from_string(data).ok()),
            }
        }
        let data = json(&Data {
            version: "1.0",
            old_state: state(before),
            new_state: state(&alarm.state),
        });
        let (old, new) = (before.value.name(), alarm.state.value.name());
        let summary = format!("Alarm updated from {old} to {new}");
        Self::of(
            alarm,
            alarm.state.transitioned,
            HistoryKind::StateUpdate,
            summary,
            data,
        )
    }

    pub(crate) fn of_action(alarm: &Alarm, action: &str, error: Option<&str>, at: Millis) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Data<'a> {
            action_state: &'static str,
            state_update_timestamp: u64,
            notification_resource: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a str>,
        }
        let (action_state, done) = match error {
            None => ("Succeeded", "Successfully executed"),
            Some(_) => ("Failed", "Failed to execute"),
        };
        let data = json(&Data {
            action_state,
            state_update_timestamp: alarm.state.transitioned.0,
            notification_resource: action,
            error,
        });
        let summary = format!("{done} action {action}");
        Self::of(alarm, at, HistoryKind::Action, summary, data)
    }
}

impl HistoryQuery {
    fn takes(&self, item: &HistoryItem) -> bool {
        self.alarm.as_ref().is_none_or(|alarm| *alarm == item.alarm)
            && self.is_composite.is_none_or(|is| is == item.is_composite)
            && self.kind.is_none_or(|kind| kind == item.kind)
            && self.from.is_none_or(|from| item.at >= from)
            && self.to.is_none_or(|to| item.at < to)
    }
}

/// The beginning of the keys of an alarm's items.
fn key_start(alarm: &str) -> String {
    format!("{}:{alarm}/", alarm.len())
}

/// The key of an item; `number` tells apart what happens within a millisecond.
pub(crate) fn key(alarm: &str, at: Millis, number: u64) -> String {
    format!("{}{:016x}-{number:016x}", key_start(alarm), at.0)
}

/// At most `limit` items that come after `after`, each with the key by which it goes on.
pub(crate) async fn read(
    items: &Table<HistoryItem>,
    query: &HistoryQuery,
    after: Option<&(Millis, String)>,
    limit: usize,
) -> Result<Vec<(String, HistoryItem)>, CatalogError> {
    let start = query.alarm.as_deref().map(key_start).unwrap_or_default();
    let mut found: BTreeMap<(Millis, String), HistoryItem> = BTreeMap::new();
    let mut last: Option<String> = None;
    loop {
        let page = items
            .scan(&start, last.as_deref(), limits::ROWS_AT_ONCE)
            .await?;
        let Some((key, _)) = page.last() else { break };
        last = Some(key.clone());
        for (key, item) in page {
            let place = (item.value.at, key);
            let is_after = after.is_none_or(|after| match query.oldest_first {
                true => place > *after,
                false => place < *after,
            });
            if is_after && query.takes(&item.value) {
                found.insert(place, item.value);
            }
            if found.len() > limit {
                // What comes last in the order that is wanted.
                match query.oldest_first {
                    true => found.pop_last(),
                    false => found.pop_first(),
                };
            }
        }
    }
    let items = found.into_iter().map(|((_, key), item)| (key, item));
    Ok(match query.oldest_first {
        true => items.collect(),
        false => items.rev().collect(),
    })
}

/// Removes what happened before `oldest`.
pub(crate) async fn forget(
    catalog: &dyn headwater_catalog::Catalog,
    items: &Table<HistoryItem>,
    oldest: Millis,
) -> Result<(), CatalogError> {
    let mut last: Option<String> = None;
    loop {
        let page = items
            .scan("", last.as_deref(), limits::ROWS_AT_ONCE)
            .await?;
        let Some((key, _)) = page.last() else {
            return Ok(());
        };
        last = Some(key.clone());
        let old = page.iter().filter(|(_, item)| item.value.at < oldest);
        let changes: Vec<_> = old
            .map(|(key, _)| items.delete(key, headwater_catalog::Expect::Any))
            .collect();
        if !changes.is_empty() {
            catalog.commit(changes).await?;
        }
    }
}
