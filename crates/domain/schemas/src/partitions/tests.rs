//! Partitions through their lives.

use std::sync::Arc;

use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::Env;
use serde_json::json;

use super::*;
use crate::Definition;

async fn with_table(catalog: Arc<dyn Catalog>) -> Schemas {
    let schemas = Schemas::new(Env::real(), catalog);
    schemas.create_database("d", json!({})).await.unwrap();
    let definition = Definition {
        columns: Vec::new(),
        document: json!({}),
    };
    let made = schemas.create_table("d", "t", definition, "me").await;
    made.unwrap();
    schemas
}

async fn world() -> Schemas {
    with_table(Arc::new(MemoryCatalog::default())).await
}

fn values(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

fn create(text: &str) -> (Vec<String>, PartitionChange) {
    (values(text), PartitionChange::Create(json!({ "at": text })))
}

async fn change(
    schemas: &Schemas,
    changes: &[(Vec<String>, PartitionChange)],
) -> Vec<Result<(), Error>> {
    let outcomes = schemas.change_partitions("d", "t", changes).await;
    outcomes.unwrap()
}

async fn listed(schemas: &Schemas, after: Option<&str>, limit: usize) -> Vec<String> {
    let after = after.map(values);
    let found = schemas.partitions("d", "t", after.as_deref(), limit).await;
    let found = found.unwrap().into_iter();
    found.map(|(values, _)| values.join("/")).collect()
}

#[tokio::test]
async fn partitions_are_made_once_and_listed_by_their_values() {
    let schemas = world().await;
    assert_eq!(listed(&schemas, None, 10).await, [] as [&str; 0]);
    let made = [create("2024/b"), create("2023/z"), create("2024/a")];
    assert_eq!(change(&schemas, &made).await, [Ok(()), Ok(()), Ok(())]);
    let again = [create("2024/a"), create("2025/a"), create("2025/a")];
    let exists = Err(Error::PartitionExists);
    assert_eq!(
        change(&schemas, &again).await,
        [exists.clone(), Ok(()), exists]
    );
    let all = ["2023/z", "2024/a", "2024/b", "2025/a"];
    assert_eq!(listed(&schemas, None, 10).await, all);
    assert_eq!(listed(&schemas, Some("2023/z"), 2).await, all[1..3]);
    assert_eq!(
        listed(&schemas, Some("2024"), 1).await,
        ["2024/a"],
        "none need have the values to go on after"
    );
    let found = schemas.partition("d", "t", &values("2024/a")).await;
    assert_eq!(found.unwrap().document, json!({ "at": "2024/a" }));
}

#[tokio::test]
async fn what_is_not_there_is_neither_changed_nor_removed() {
    let schemas = world().await;
    let update = |text: &str| (values(text), PartitionChange::Update(json!("new")));
    let delete = |text: &str| (values(text), PartitionChange::Delete);
    let none = Err(Error::NoPartition);
    assert_eq!(
        change(&schemas, &[update("a"), delete("a")]).await,
        [none.clone(), none.clone()]
    );
    change(&schemas, &[create("a"), create("b")]).await;
    let changes = [update("a"), update("c"), delete("b"), delete("b")];
    assert_eq!(
        change(&schemas, &changes).await,
        [Ok(()), none.clone(), Ok(()), none.clone()]
    );
    let found = schemas.partition("d", "t", &values("a")).await;
    assert_eq!(found.unwrap().document, json!("new"));
    let gone = schemas.partition("d", "t", &values("b")).await;
    assert_eq!(gone, Err(Error::NoPartition));
    let missing = schemas.change_partitions("d", "none", &[create("a")]).await;
    assert_eq!(missing, Err(Error::NoTable("none".to_owned())));
}

#[tokio::test]
async fn a_table_takes_its_partitions_along_and_they_do_not_come_back() {
    let schemas = world().await;
    let many: Vec<_> = (0..limits::PARTITIONS_A_COMMIT + 3)
        .map(|at| create(&format!("{at}")))
        .collect();
    change(&schemas, &many).await;
    schemas.delete_table("d", "t").await.unwrap();
    assert!(schemas.partitions.all().await.unwrap().is_empty());
    let definition = Definition {
        columns: Vec::new(),
        document: json!({}),
    };
    let again = schemas.create_table("d", "t", definition, "me").await;
    again.unwrap();
    assert_eq!(listed(&schemas, None, 1).await, [] as [&str; 0]);
    change(&schemas, &[create("a")]).await;
    schemas.delete_database("d").await.unwrap();
    assert!(schemas.partitions.all().await.unwrap().is_empty());
    assert!(schemas.partitions_deleted.all().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_deletion_that_was_cut_off_is_finished_at_the_next_start() {
    let schemas = world().await;
    change(&schemas, &[create("a"), create("b")]).await;
    let table = schemas.find_table("d", "t").await.unwrap().value;
    let id = table.partitions.unwrap();
    let note = schemas.partitions_deleted.write(&id, &(), Expect::Any);
    note.await.unwrap();
    schemas.finish_deletions().await.unwrap();
    assert!(schemas.partitions.all().await.unwrap().is_empty());
    assert!(schemas.partitions_deleted.all().await.unwrap().is_empty());
}

#[tokio::test]
async fn values_that_the_catalog_cannot_hold_are_refused_by_themselves() {
    let schemas = world().await;
    let long = "x".repeat(limits::VALUES_BYTES_MAX);
    let longer = format!("{long}x");
    assert_eq!(
        change(&schemas, &[create(&long), create(&longer)]).await,
        [Ok(()), Err(Error::ValuesTooLong(longer.len()))]
    );
}
