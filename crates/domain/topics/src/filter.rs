//! Filters: which messages a subscription wants.
//!
//! The pattern is parsed by `headwater-patterns`, in the flavor that subscriptions have; the bounds of AWS's on their size
//! stand here. Texts are those recorded on AWS by the tests of localstack, as far as they are in there.

use headwater_patterns::{Flavor, Pattern, json_fault};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{Message, Value, limits::FILTER_BYTES_MAX};

/// The most names at a filter's root.
const KEYS_MAX: usize = 5;
/// The most combinations of a filter's values.
const COMBINATIONS_MAX: usize = 150;
const TOO_COMPLEX: &str = "Filter policy is too complex";
/// The member that joins objects of which one must match.
const OR: &str = "$or";

/// What a filter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The attributes of messages.
    #[default]
    Attributes,
    /// Their bodies, as JSON.
    Body,
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterFault {
    /// It is no pattern; why.
    #[error("FilterPolicy: {0}")]
    Pattern(String),
    /// Attributes have no members.
    #[error("Filter policy scope MessageAttributes does not support nested filter policy")]
    Nested,
}

/// A filter, ready to match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    pattern: Pattern,
    scope: Scope,
}

impl Filter {
    /// The filter of that text.
    pub fn parse(text: &str, scope: Scope) -> Result<Self, FilterFault> {
        let fault = |text: String| FilterFault::Pattern(text);
        if text.len() > FILTER_BYTES_MAX {
            return Err(fault(TOO_COMPLEX.to_owned()));
        }
        // As AWS quotes it in errors.
        let text = &*compact(text).map_err(fault)?;
        let policy = serde_json::from_str::<Map<String, Json>>(text);
        if let Ok(policy) = &policy {
            if policy.len() > KEYS_MAX {
                let text = format!("Filter policy can not have more than {KEYS_MAX} keys");
                return Err(fault(text));
            }
            if combinations(policy, 1, vec![1]).iter().sum::<usize>() > COMBINATIONS_MAX {
                return Err(fault(TOO_COMPLEX.to_owned()));
            }
        }
        let pattern = Pattern::parse_as(text, Flavor::Subscriptions);
        let pattern = pattern.map_err(|error| fault(error.to_string()))?;
        // A text that is a pattern and yet cannot be counted has too many levels, or something behind it.
        let policy = policy.map_err(|_| fault(TOO_COMPLEX.to_owned()))?;
        if scope == Scope::Attributes && is_nested(&policy) {
            return Err(FilterFault::Nested);
        }
        Ok(Self { pattern, scope })
    }

    /// Whether the subscription wants `message`. A body that is no object is wanted by no filter of bodies.
    pub fn wants(&self, message: &Message, body: &str) -> bool {
        let event = match self.scope {
            Scope::Attributes => Json::Object(attributes(message)),
            Scope::Body => match serde_json::from_str(body) {
                Ok(event) => event,
                Err(_) => return false,
            },
        };
        self.pattern.matches(&event)
    }
}

/// A text of JSON without blanks between its words.
///
/// # Errors
/// It is no JSON; why.
pub fn compact(text: &str) -> Result<String, String> {
    if let Some(fault) = json_fault(text) {
        return Err(format!(
            "failed to parse JSON. {}",
            redacted(&fault.to_string())
        ));
    }
    let (mut compact, mut in_string, mut escaped) = (String::new(), false, false);
    for c in text.chars() {
        if in_string || !c.is_whitespace() {
            compact.push(c);
        }
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = in_string,
            '"' => in_string = !in_string,
            _ => {}
        }
    }
    Ok(compact)
}

/// A parser's error without the text that it is about, which AWS does not repeat here.
fn redacted(error: &str) -> String {
    const SOURCE: &str = "\n at [Source: (String)\"";
    let parts = error
        .find(SOURCE)
        .zip(error.rfind("\"; line: "))
        .filter(|(source, place)| source < place);
    match parts {
        Some((source, place)) => format!(
            "{}\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled){}",
            &error[..source],
            &error[place + 1..]
        ),
        None => error.to_owned(),
    }
}

/// How many combinations of values each way of a policy has: the values of a list count as often as it lies deep. Ways
/// that are too complex already are not gone on with.
fn combinations(policy: &Map<String, Json>, depth: usize, before: Vec<usize>) -> Vec<usize> {
    let mut ways = before;
    for (name, value) in policy {
        ways = match value {
            _ if ways.iter().sum::<usize>() > COMBINATIONS_MAX => return ways,
            Json::Array(objects) if name == OR => {
                let objects = objects.iter().filter_map(Json::as_object);
                objects
                    .flat_map(|object| combinations(object, depth, ways.clone()))
                    .collect()
            }
            Json::Array(values) => {
                let count: usize = values.iter().map(operands).sum();
                let count = count.max(1).saturating_mul(depth);
                ways.iter().map(|way| way.saturating_mul(count)).collect()
            }
            Json::Object(members) => combinations(members, depth + 1, ways),
            _ => ways,
        };
    }
    ways
}

/// How many values one of a list stands for: a list of what it must not be counts whole.
fn operands(value: &Json) -> usize {
    let not = value.get("anything-but");
    let list = not.and_then(|not| {
        let of = |name| not.get(name)?.as_array();
        not.as_array()
            .or_else(|| of("prefix"))
            .or_else(|| of("suffix"))
    });
    list.map_or(1, |list| list.len().max(1))
}

/// Whether a policy has objects for values, other than in `$or`.
fn is_nested(policy: &Map<String, Json>) -> bool {
    policy.iter().any(|(name, value)| match value {
        Json::Array(objects) if name == OR => {
            objects.iter().filter_map(Json::as_object).any(is_nested)
        }
        value => value.is_object(),
    })
}

/// The attributes of a message as patterns see them. Binary ones are not looked at, and a list that is no JSON has no
/// values.
fn attributes(message: &Message) -> Map<String, Json> {
    let value = |data_type: &str, value: &Value| match (data_type.split('.').next(), value) {
        (_, Value::Base64(_)) => None,
        (Some("Number"), Value::Text(text)) => serde_json::from_str(text).ok(),
        (_, Value::Text(text)) if data_type == "String.Array" => serde_json::from_str(text).ok(),
        (_, Value::Text(text)) => Some(Json::String(text.clone())),
    };
    let attributes = message.attributes.iter();
    attributes
        .filter_map(|(name, it)| Some((name.clone(), value(&it.data_type, &it.value)?)))
        .collect()
}

#[cfg(test)]
mod tests;
