//! Events as the policy that allows them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::{Value, json};

use crate::policy::action;

/// The actions that were called, by what they were called on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Calls that succeeded.
    pub allowed: usize,
    /// Calls that were refused, or failed.
    pub failed: usize,
    /// By the ARN of a resource, or `*`.
    actions: BTreeMap<String, BTreeSet<String>>,
}

impl Grants {
    /// Adds an event, JSON. One that was refused, and one that needs no permission, grants nothing.
    pub fn add(&mut self, event: &str) {
        let Ok(event) = serde_json::from_str::<Value>(event) else {
            return;
        };
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        if event.get("errorCode").is_some() {
            self.failed += 1;
            return;
        }
        self.allowed += 1;
        let Some(action) = action(text("eventSource"), text("eventName")) else {
            return;
        };
        let resources = event["resources"].as_array().map_or(&[][..], Vec::as_slice);
        let arns = resources.iter().filter_map(|it| it["ARN"].as_str());
        let mut arns: Vec<&str> = arns.collect();
        if arns.is_empty() {
            arns.push("*");
        }
        for arn in arns {
            let actions = self.actions.entry(arn.to_owned()).or_default();
            actions.insert(action.clone());
        }
    }

    /// The policy: resources with the same actions share a statement.
    pub fn policy(&self) -> Value {
        let mut resources: BTreeMap<&BTreeSet<String>, Vec<&str>> = BTreeMap::new();
        for (arn, actions) in &self.actions {
            resources.entry(actions).or_default().push(arn);
        }
        let statement = |(actions, resources): (&BTreeSet<String>, &Vec<&str>)| json!({"Effect": "Allow", "Action": actions, "Resource": resources});
        let statements: Vec<Value> = resources.iter().map(|(&a, r)| statement((a, r))).collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    }
}

impl fmt::Display for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.policy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, arn: Option<&str>, error: Option<&str>) -> String {
        let mut event = json!({"eventSource": "kinesis.amazonaws.com", "eventName": name});
        if let Some(arn) = arn {
            event["resources"] = json!([{"ARN": arn}]);
        }
        if let Some(error) = error {
            event["errorCode"] = error.into();
        }
        event.to_string()
    }

    #[test]
    fn what_was_called_is_allowed_where_it_was_called_and_no_more() {
        let mut grants = Grants::default();
        grants.add(&event("ListStreams", None, None));
        for stream in ["arn:a", "arn:b"] {
            grants.add(&event("DescribeStream", Some(stream), None));
            grants.add(&event("CreateStream", Some(stream), None));
            grants.add(&event("CreateStream", Some(stream), None));
        }
        grants.add(&event("DeleteStream", Some("arn:c"), None));
        grants.add(&event(
            "MergeShards",
            Some("arn:a"),
            Some("AccessDeniedException"),
        ));
        grants.add("no event");
        let allow = |actions: &[&str], resources: &[&str]| json!({"Effect": "Allow", "Action": actions, "Resource": resources});
        assert_eq!(
            grants.policy()["Statement"],
            json!([
                allow(
                    &["kinesis:CreateStream", "kinesis:DescribeStream"],
                    &["arn:a", "arn:b"]
                ),
                allow(&["kinesis:DeleteStream"], &["arn:c"]),
                allow(&["kinesis:ListStreams"], &["*"]),
            ])
        );
        assert_eq!((grants.allowed, grants.failed), (8, 1));
    }
}
