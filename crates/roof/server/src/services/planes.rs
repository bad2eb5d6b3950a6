//! Which operations the trail keeps, held against the document; and the actions that `headwater trail policy` prints, held
//! against those that the tables ask for.

use std::collections::{BTreeMap, BTreeSet};

use headwater_cloudtrail::event::event_name;
use headwater_tools::policy::action;
use headwater_wire::{Plane, Table};

use crate::{
    ground::Ground,
    services::{SERVICES, open_listed},
};

/// The tables of all services.
async fn tables() -> Vec<Table> {
    let dir = tempfile::tempdir().unwrap();
    let ground = Ground::for_tests(dir.path()).await;
    let services = open_listed(SERVICES, &ground).await.unwrap();
    services.iter().map(|service| service.table()).collect()
}

/// The data operations by service, as the document lists them.
fn documented() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let text = include_str!("../../../../../docs/trail.md");
    let (_, rows) = text.split_once("## Data operations").unwrap();
    let row = |line: &'static str| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (service, operations) = (cells.next()?, cells.next()?);
        let operations = operations.trim_end_matches(" |").split(", ");
        Some((service, operations.collect()))
    };
    rows.lines().filter_map(row).skip(1).collect()
}

#[tokio::test]
async fn each_operation_is_of_data_or_of_management_as_the_document_says() {
    let mut documented = documented();
    assert!(documented.len() >= 9, "{documented:?}");
    for table in tables().await {
        let service = table.service;
        let expected = documented.remove(service.name).unwrap_or_default();
        for name in &expected {
            assert!(
                service.operation(name).is_some(),
                "{} has no {name}",
                service.name
            );
        }
        for (name, route) in &table.routes {
            let is_data = route.line.plane == Plane::Data;
            assert_eq!(is_data, expected.contains(name), "{}:{name}", service.name);
        }
    }
    assert!(
        documented.is_empty(),
        "there is no such service: {documented:?}"
    );
}

#[tokio::test]
async fn a_policy_has_the_actions_that_the_tables_ask_for() {
    for table in tables().await {
        let (name, signed) = (table.service.name, table.service.signing_name);
        let source = format!("{signed}.amazonaws.com");
        let routes = table.routes.iter();
        for (operation, route) in routes.filter(|(_, it)| it.line.plane == Plane::Management) {
            let asked = route.line.action.map(str::to_owned);
            // IAM calls what is signed for `monitoring` by the service's name.
            let service = if signed == "monitoring" { name } else { signed };
            let asked = asked.unwrap_or_else(|| format!("{service}:{operation}"));
            match action(&source, &event_name(name, operation)) {
                Some(action) => assert_eq!(action, asked, "{name}"),
                None => assert_eq!(asked, "sts:GetCallerIdentity"),
            }
        }
    }
}
