//! A pattern: what an event must have so that it matches.

use std::{collections::HashSet, sync::Arc};

use serde_json::Value;

use crate::{PatternError, compile::compile, event::Event, matcher::Matcher};

/// Whose patterns they are: services take different operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// Rules of EventBridge and event source mappings.
    Events,
    /// Subscriptions of topics, which have no `wildcard`, and of `anything-but` only values and `prefix`.
    Subscriptions,
}

/// An event pattern, ready to match.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// The ways to match: one, or several where the text has `$or`.
    ways: Vec<Way>,
    /// The paths that conditions are about, and those above them.
    wanted: HashSet<String>,
}

/// Conditions that all have to hold; several ways share one.
pub(crate) type Way = Vec<Arc<Condition>>;

/// What the values at one path of an event must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    /// The names from the event's root on, joined by dots, as AWS joins them.
    pub path: String,
    /// Any of these will do.
    pub any_of: Vec<Matcher>,
}

impl Pattern {
    /// Parses the JSON text of a pattern for events.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::parse_as(text, Flavor::Events)
    }

    /// Parses the JSON text of a pattern of that flavor.
    pub fn parse_as(text: &str, flavor: Flavor) -> Result<Self, PatternError> {
        let ways = compile(text, flavor)?;
        let paths = ways.iter().flatten().map(|condition| &*condition.path);
        let wanted = paths.flat_map(with_those_above).map(str::to_owned);
        Ok(Self {
            wanted: wanted.collect(),
            ways,
        })
    }

    /// Whether `event` matches; nothing but an object does.
    pub fn matches(&self, event: &Value) -> bool {
        let Value::Object(members) = event else {
            return false;
        };
        let is_wanted = |path: &str| self.wanted.contains(path);
        let event = Event::of(members, &is_wanted);
        self.ways.iter().any(|way| event.satisfies(way))
    }
}

/// A path, and the paths above it.
fn with_those_above(path: &str) -> impl Iterator<Item = &str> {
    let dots = path.match_indices('.').map(|(at, _)| &path[..at]);
    dots.chain([path])
}

/// Whether `path` is `wanted` or above it.
pub(crate) fn leads_to(path: &str, wanted: &str) -> bool {
    wanted
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
