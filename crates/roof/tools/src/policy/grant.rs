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
        for arn in arns(&event) {
            let actions = self.actions.entry(arn).or_default();
            actions.insert(action.clone());
        }
    }

    /// The actions that are allowed on everything, because the events do not tell what they were called on.
    pub fn on_everything(&self) -> impl Iterator<Item = &str> {
        let actions = self.actions.get(EVERYTHING).into_iter().flatten();
        actions.map(String::as_str)
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

/// The resource that is any.
const EVERYTHING: &str = "*";

/// The resources that an event's action needs a permission for.
fn arns(event: &Value) -> Vec<String> {
    if let Some(arns) = of_glue(event) {
        return arns;
    }
    let resources = event["resources"].as_array().map_or(&[][..], Vec::as_slice);
    let arns = resources.iter().filter_map(|it| it["ARN"].as_str());
    let arns: Vec<String> = arns.map(str::to_owned).collect();
    match arns.is_empty() {
        true => vec![EVERYTHING.to_owned()],
        false => arns,
    }
}

/// The resources of an event of Glue that is about a database: Glue asks for a permission on all that is above what an
/// operation changes, and on all below what it deletes. (Source: Glue developer guide, "Specifying AWS Glue resource
/// ARNs".)
fn of_glue(event: &Value) -> Option<Vec<String>> {
    if event["eventSource"] != "glue.amazonaws.com" {
        return None;
    }
    let text = |path: &str| event.pointer(path)?.as_str();
    let name = text("/eventName")?;
    let parameter = |path: &str| text(&format!("/requestParameters/{path}"));
    let account = parameter("catalogId").or_else(|| text("/recipientAccountId"))?;
    let place = format!("arn:aws:glue:{}:{account}", text("/awsRegion")?);
    let (named, made) = match name.contains("Database") {
        true => (parameter("name"), parameter("databaseInput/name")),
        false => (parameter("databaseName"), None),
    };
    let database = named.or(made)?;
    let mut arns = vec![
        format!("{place}:catalog"),
        format!("{place}:database/{database}"),
    ];
    let table = parameter("tableName").or_else(|| parameter("tableInput/name"));
    match (name, table.or_else(|| parameter("name"))) {
        ("DeleteDatabase", _) => {
            arns.push(format!("{place}:table/{database}/*"));
            arns.push(format!("{place}:userDefinedFunction/{database}/*"));
        }
        (name, _) if name.contains("Database") => {}
        (_, table) => arns.push(format!("{place}:table/{database}/{}", table.unwrap_or("*"))),
    }
    Some(arns)
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
        let on_everything: Vec<&str> = grants.on_everything().collect();
        assert_eq!(on_everything, ["kinesis:ListStreams"]);
    }

    #[test]
    fn a_table_of_glue_needs_its_database_and_catalog_too() {
        let arns_of = |name: &str, parameters: Value| {
            let event = json!({"eventSource": "glue.amazonaws.com", "eventName": name, "awsRegion": "r",
                "recipientAccountId": "1", "requestParameters": parameters});
            arns(&event).join(" ").replace("arn:aws:glue:r:1:", "")
        };
        let table = "catalog database/d table/d/t";
        for (name, parameters) in [
            ("GetTable", json!({"databaseName": "d", "name": "t"})),
            (
                "GetPartitions",
                json!({"databaseName": "d", "tableName": "t"}),
            ),
            (
                "CreateTable",
                json!({"databaseName": "d", "tableInput": {"name": "t"}}),
            ),
        ] {
            assert_eq!(arns_of(name, parameters), table, "{name}");
        }
        assert_eq!(
            arns_of("GetTables", json!({"databaseName": "d"})),
            "catalog database/d table/d/*"
        );
        assert_eq!(
            arns_of("CreateDatabase", json!({"databaseInput": {"name": "d"}})),
            "catalog database/d"
        );
        assert_eq!(
            arns_of("DeleteDatabase", json!({"name": "d"})),
            "catalog database/d table/d/* userDefinedFunction/d/*"
        );
        assert_eq!(arns_of("GetDatabases", Value::Null), "*");
    }
}
