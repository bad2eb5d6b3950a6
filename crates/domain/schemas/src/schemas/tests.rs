//! Databases, tables and versions through their lives.

use futures_util::future::BoxFuture;
use headwater_catalog::{MemoryCatalog, testing::MortalCatalog};
use headwater_env::{
    ManualClock,
    testing::{CountedTasks, drop_at_every_await},
};
use headwater_types::Millis;
use serde_json::json;

use super::*;
use crate::PartitionChange;

fn world() -> (Schemas, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Millis(1000)));
    let env = Env {
        clock: clock.clone(),
        ..Env::real()
    };
    (Schemas::new(env, Arc::new(MemoryCatalog::default())), clock)
}

fn of_type(data_type: &str) -> Definition {
    let columns = vec![Column {
        name: "c".to_owned(),
        data_type: data_type.to_owned(),
    }];
    Definition {
        columns,
        document: json!({ "of": data_type }),
    }
}

fn update(data_type: &str) -> Update {
    Update {
        definition: of_type(data_type),
        archive: true,
        expected: None,
    }
}

async fn with_table() -> Schemas {
    let (schemas, _) = world();
    schemas.create_database("d", json!({})).await.unwrap();
    schemas
        .create_table("d", "t", of_type("int"), "me")
        .await
        .unwrap();
    schemas
}

#[tokio::test]
async fn databases_and_tables_are_made_once_and_listed_by_name() {
    let schemas = with_table().await;
    assert_eq!(
        schemas.create_database("d", json!({})).await,
        Err(Error::DatabaseExists("d".to_owned()))
    );
    assert_eq!(
        schemas.create_table("d", "t", of_type("int"), "me").await,
        Err(Error::TableExists("t".to_owned()))
    );
    let none = schemas.create_table("e", "t", of_type("int"), "me").await;
    assert_eq!(none, Err(Error::NoDatabase("e".to_owned())));
    schemas
        .create_database("d2", json!({ "x": 1 }))
        .await
        .unwrap();
    for (database, table) in [("d", "a"), ("d", "u"), ("d2", "b")] {
        schemas
            .create_table(database, table, of_type("int"), "me")
            .await
            .unwrap();
    }
    let names =
        |found: Vec<(String, Table)>| found.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(
        names(schemas.tables("d", None, 10).await.unwrap()),
        ["a", "t", "u"]
    );
    assert_eq!(
        names(schemas.tables("d", Some("a"), 1).await.unwrap()),
        ["t"]
    );
    assert_eq!(
        schemas.tables("none", None, 1).await,
        Err(Error::NoDatabase("none".to_owned()))
    );
    let databases = schemas.databases(Some("d"), 10).await.unwrap();
    assert_eq!(
        databases,
        [(
            "d2".to_owned(),
            Database {
                created: Millis(1000),
                document: json!({ "x": 1 })
            }
        )]
    );
}

#[tokio::test]
async fn an_update_makes_a_version_and_keeps_the_one_before() {
    let (schemas, clock) = world();
    schemas.create_database("d", json!({})).await.unwrap();
    schemas
        .create_table("d", "t", of_type("int"), "me")
        .await
        .unwrap();
    clock.advance(std::time::Duration::from_secs(1));
    schemas
        .update_table("d", "t", &update("bigint"))
        .await
        .unwrap();
    schemas
        .update_table(
            "d",
            "t",
            &Update {
                archive: false,
                ..update("string")
            },
        )
        .await
        .unwrap();
    schemas
        .update_table("d", "t", &update("date"))
        .await
        .unwrap();
    let of = async |wanted| {
        schemas
            .columns("d", "t", wanted)
            .await
            .map(|columns| columns[0].data_type.clone())
    };
    assert_eq!(of(Wanted::Latest).await.unwrap(), "date");
    assert_eq!(of(Wanted::Version(0)).await.unwrap(), "int");
    assert_eq!(
        of(Wanted::Version(1)).await,
        Err(Error::NoVersion(1)),
        "not archived"
    );
    assert_eq!(of(Wanted::Version(3)).await.unwrap(), "date");
    let latest = schemas.version("d", "t", Wanted::Latest).await.unwrap();
    assert_eq!(
        (latest.created, latest.updated, latest.archived),
        (Millis(1000), Millis(2000), 2)
    );
    let versions = async |before, limit| {
        let found = schemas.versions("d", "t", before, limit).await.unwrap();
        found
            .into_iter()
            .map(|table| table.version)
            .collect::<Vec<_>>()
    };
    assert_eq!(versions(None, 10).await, [3, 2, 0]);
    assert_eq!(versions(None, 2).await, [3, 2]);
    assert_eq!(versions(Some(2), 2).await, [0]);
}

#[tokio::test]
async fn an_update_for_another_version_changes_nothing() {
    let schemas = with_table().await;
    let stale = Update {
        expected: Some(7),
        ..update("date")
    };
    assert_eq!(
        schemas.update_table("d", "t", &stale).await,
        Err(Error::Changed)
    );
    schemas
        .update_table(
            "d",
            "t",
            &Update {
                expected: Some(0),
                ..update("date")
            },
        )
        .await
        .unwrap();
    assert_eq!(
        schemas.update_table("d", "none", &stale).await,
        Err(Error::NoTable("none".to_owned()))
    );
}

#[tokio::test]
async fn versions_are_deleted_but_the_latest() {
    let schemas = with_table().await;
    schemas
        .update_table("d", "t", &update("bigint"))
        .await
        .unwrap();
    assert_eq!(
        schemas.delete_version("d", "t", 1).await,
        Err(Error::LatestVersion(1))
    );
    schemas.delete_version("d", "t", 0).await.unwrap();
    assert_eq!(
        schemas.delete_version("d", "t", 0).await,
        Err(Error::NoVersion(0))
    );
    assert_eq!(
        schemas
            .version("d", "t", Wanted::Latest)
            .await
            .unwrap()
            .archived,
        0
    );
}

#[tokio::test]
async fn what_is_deleted_takes_all_that_is_in_it_along() {
    let schemas = with_table().await;
    schemas.create_database("d2", json!({})).await.unwrap();
    schemas
        .create_table("d2", "t", of_type("int"), "me")
        .await
        .unwrap();
    schemas
        .update_table("d", "t", &update("bigint"))
        .await
        .unwrap();
    schemas.delete_table("d", "t").await.unwrap();
    assert_eq!(
        schemas.delete_table("d", "t").await,
        Err(Error::NoTable("t".to_owned()))
    );
    schemas
        .create_table("d", "t", of_type("date"), "me")
        .await
        .unwrap();
    assert_eq!(
        schemas.versions("d", "t", None, 10).await.unwrap().len(),
        1,
        "the old versions are gone"
    );
    schemas.delete_database("d").await.unwrap();
    assert_eq!(
        schemas.database("d").await,
        Err(Error::NoDatabase("d".to_owned()))
    );
    schemas.create_database("d", json!({})).await.unwrap();
    assert_eq!(schemas.tables("d", None, 10).await.unwrap(), []);
    assert_eq!(schemas.tables("d2", None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn names_that_the_catalog_cannot_hold_are_refused() {
    let (schemas, _) = world();
    let long = "x".repeat(limits::NAMES_BYTES_MAX);
    schemas.create_database(&long, json!({})).await.unwrap();
    let refused = schemas.create_table(&long, "t", of_type("int"), "me").await;
    assert_eq!(
        refused,
        Err(Error::NamesTooLong(limits::NAMES_BYTES_MAX + 1))
    );
}

type Call = for<'a> fn(&'a Schemas) -> BoxFuture<'a, Result<(), Error>>;

/// Every operation that changes a database or a table. `d` has the table `t` with one version before the latest and a
/// partition.
const CALLS: &[(&str, Call)] = &[
    ("create_database", |s| {
        Box::pin(s.create_database("new", json!({})))
    }),
    ("update_database", |s| {
        Box::pin(s.update_database("d", json!({ "x": 1 })))
    }),
    ("delete_database", |s| Box::pin(s.delete_database("d"))),
    ("create_table", |s| {
        Box::pin(s.create_table("d", "new", of_type("int"), "me"))
    }),
    ("update_table", |s| {
        Box::pin(async move { s.update_table("d", "t", &update("date")).await })
    }),
    ("delete_table", |s| Box::pin(s.delete_table("d", "t"))),
    ("delete_version", |s| {
        Box::pin(s.delete_version("d", "t", 0))
    }),
    ("change_partitions", |s| {
        Box::pin(async move {
            let new = (vec!["b".to_owned()], PartitionChange::Create(json!({})));
            s.change_partitions("d", "t", &[new]).await.map(drop)
        })
    }),
];

/// Each table has its database, each version its table, which knows how many there are, and each partition its table, or
/// a note that it is to go.
async fn agrees(schemas: Schemas) {
    let databases = schemas.databases.all().await.unwrap();
    let tables = schemas.tables.all().await.unwrap();
    let versions = schemas.versions.all().await.unwrap();
    let mut archived = 0;
    for (key, table) in &tables {
        let is_in = |(name, _): &(String, Versioned<Database>)| key.starts_with(&within(name));
        assert!(databases.iter().any(is_in), "{key:?}");
        let of_table = versions
            .iter()
            .filter(|(version, _)| version.starts_with(&within(key)));
        assert_eq!(of_table.count(), table.value.archived);
        archived += table.value.archived;
    }
    assert_eq!(versions.len(), archived);
    let notes = schemas.partitions_deleted.all().await.unwrap();
    for (key, _) in schemas.partitions.all().await.unwrap() {
        let (id, _) = key.split_once('/').unwrap();
        let of_table = tables
            .iter()
            .any(|(_, table)| table.value.partitions.as_deref() == Some(id));
        assert!(of_table || notes.iter().any(|(note, _)| note == id));
    }
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_leaves_rows_that_agree() {
    let tasks = CountedTasks::default();
    for (what, call) in CALLS {
        println!("{what}");
        let ready = async || {
            let env = Env {
                tasks: Arc::new(tasks.clone()),
                ..Env::real()
            };
            let catalog = Arc::new(MortalCatalog::default());
            let schemas = Schemas::new(env.clone(), catalog.clone());
            schemas.create_database("d", json!({})).await.unwrap();
            let created = schemas.create_table("d", "t", of_type("int"), "me");
            created.await.unwrap();
            schemas
                .update_table("d", "t", &update("long"))
                .await
                .unwrap();
            let partition = (vec!["a".to_owned()], PartitionChange::Create(json!({})));
            let partition = [partition];
            let made = schemas.change_partitions("d", "t", &partition);
            made.await.unwrap();
            catalog.yield_in(env);
            schemas
        };
        let done = drop_at_every_await(&tasks, ready, async |s: &Schemas| call(s).await, agrees);
        assert_eq!(done.await, Ok(()), "{what}");
    }
}

#[tokio::test]
async fn a_database_that_is_deleted_takes_what_is_changed_meanwhile_with_it() {
    for (_, call) in CALLS {
        // However far the one has come when the other begins.
        for behind in 0..20 {
            let catalog = Arc::new(MortalCatalog::default());
            let schemas = Schemas::new(Env::real(), catalog.clone());
            schemas.create_database("d", json!({})).await.unwrap();
            let created = schemas.create_table("d", "t", of_type("int"), "me");
            created.await.unwrap();
            let update = update("long");
            schemas.update_table("d", "t", &update).await.unwrap();
            catalog.yield_in(Env::real());
            let later = async |turns: usize| {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
            };
            let change = async {
                later(10).await;
                drop(call(&schemas).await);
            };
            let delete = async {
                later(behind).await;
                drop(schemas.delete_database("d").await);
            };
            tokio::join!(change, delete);
            agrees(schemas).await;
        }
    }
}
