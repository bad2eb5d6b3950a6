//! What an answer says of a batch.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use serde_json::{Value, value::RawValue};

use crate::ports::Answer;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All of it is done.
    Done,
    /// Those of these numbers failed, counted from 0 and ascending; there is one at least.
    Named(Vec<usize>),
    /// All of it failed.
    Failed,
}

/// Judges the answer to a call with records of these names. Where `item_failures`, an answer may name records
/// that failed; the rules are recorded on AWS: nothing named is a success, and a name that is none of the batch's, or none
/// at all, fails all of it.
pub(crate) fn judge(answer: &Answer, names: &[String], item_failures: bool) -> Verdict {
    if answer.failed {
        return Verdict::Failed;
    }
    if !item_failures {
        return Verdict::Done;
    }
    let Some(named) = failures(&answer.payload) else {
        return Verdict::Failed;
    };
    let is_name = |name: &Option<String>| name.as_deref().is_some_and(|name| !name.is_empty());
    if !named.iter().all(is_name) {
        return Verdict::Failed;
    }
    let named: HashSet<String> = named.into_iter().flatten().collect();
    let known: HashSet<&String> = names.iter().collect();
    if named.iter().any(|name| !known.contains(name)) {
        return Verdict::Failed;
    }
    let names = names.iter().enumerate();
    let failed = names.filter(|(_, name)| named.contains(*name));
    let failed: Vec<usize> = failed.map(|(at, _)| at).collect();
    match failed.is_empty() {
        true => Verdict::Done,
        false => Verdict::Named(failed),
    }
}

/// The names in an answer's list of failures; nothing where the answer is none of the kind.
fn failures(payload: &Bytes) -> Option<Vec<Option<String>>> {
    if payload.is_empty() {
        return Some(Vec::new());
    }
    let list = match serde_json::from_slice(payload).ok()? {
        Value::Null => return Some(Vec::new()),
        Value::String(text) if text.is_empty() => return Some(Vec::new()),
        Value::Array(list) if list.is_empty() => return Some(Vec::new()),
        Value::Object(mut members) => match members.remove("batchItemFailures") {
            None | Some(Value::Null) => return Some(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(_) => return None,
        },
        _ => return None,
    };
    let name = |item: Value| item["itemIdentifier"].as_str().map(str::to_owned);
    Some(list.into_iter().map(name).collect())
}

/// The state in an answer of a window's call, as the function wrote it; nothing where there is none, which AWS takes for a
/// failure (its guide on windows).
pub(crate) fn state(payload: &Bytes) -> Option<String> {
    let mut answer: HashMap<String, &RawValue> = serde_json::from_slice(payload).ok()?;
    match answer.remove("state")?.get() {
        "null" => Some("{}".to_owned()),
        state => Some(state.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(payload: &str) -> Verdict {
        let answer = Answer {
            request_id: String::new(),
            version: "$LATEST".into(),
            payload: payload.to_owned().into(),
            failed: false,
        };
        judge(&answer, &["1".into(), "2".into(), "3".into()], true)
    }

    #[test]
    fn nothing_named_is_a_success() {
        for payload in [
            "",
            "null",
            "\"\"",
            "{}",
            "[]",
            r#"{"batchItemFailures": null}"#,
            r#"{"batchItemFailures": []}"#,
        ] {
            assert_eq!(verdict(payload), Verdict::Done, "{payload}");
        }
    }

    #[test]
    fn those_that_are_named_failed() {
        let named = |names: &[&str]| {
            let items = names.iter().map(|name| json!({"itemIdentifier": name}));
            json!({"batchItemFailures": items.collect::<Vec<_>>()}).to_string()
        };
        assert_eq!(verdict(&named(&["3", "2"])), Verdict::Named(vec![1, 2]));
        assert_eq!(verdict(&named(&["1", "1"])), Verdict::Named(vec![0]));
        for names in [&[""][..], &["4"], &["2", "4"]] {
            assert_eq!(verdict(&named(names)), Verdict::Failed, "{names:?}");
        }
    }

    #[test]
    fn a_state_is_kept_as_it_was_written() {
        let of = |payload: &str| state(&Bytes::from(payload.to_owned()));
        let large = r#"{"n": 123456789012345678901234567890, "x": 1.10}"#;
        let answer = format!("{{\"state\": {large}, \"batchItemFailures\": []}}");
        assert_eq!(of(&answer).as_deref(), Some(large));
        assert_eq!(of(r#"{"state": null}"#).as_deref(), Some("{}"));
        for answer in ["", "null", "{}", "[]", "[1]", "7", "{\"state\": }"] {
            assert_eq!(of(answer), None, "{answer}");
        }
    }

    #[test]
    fn what_names_nothing_right_fails_all() {
        for payload in [
            r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
            r#"{"batchItemFailures": [{"foo": "1"}]}"#,
            r#"{"batchItemFailures": [1]}"#,
            r#"{"batchItemFailures": {}}"#,
            "\"a text\"",
            "7",
            "{",
        ] {
            assert_eq!(verdict(payload), Verdict::Failed, "{payload}");
        }
    }
}
