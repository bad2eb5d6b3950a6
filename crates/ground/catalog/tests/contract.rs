//! What every engine of the catalog must do, run against each of them.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::sync::Arc;

use bytes::Bytes;
use headwater_catalog::{
    Catalog, CatalogError, Change, Expect, MemoryCatalog, Options, SqliteCatalog, Version,
    Versioned,
};
use headwater_env::Env;
use proptest::prelude::*;

fn sqlite(dir: &std::path::Path) -> SqliteCatalog {
    SqliteCatalog::open(
        Env::real(),
        Options {
            dir: dir.to_owned(),
            sync: true,
        },
    )
    .unwrap()
}

fn put(key: &str, value: &str, expect: Expect) -> Change {
    Change {
        key: key.into(),
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
        expect,
    }
}

fn delete(key: &str, expect: Expect) -> Change {
    Change {
        key: key.into(),
        value: None,
        expect,
    }
}

fn versioned(value: &str, version: u64) -> Versioned {
    Versioned {
        value: Bytes::copy_from_slice(value.as_bytes()),
        version: Version(version),
    }
}

async fn each(test: impl AsyncFn(Arc<dyn Catalog>)) {
    let dir = tempfile::tempdir().unwrap();
    test(Arc::new(MemoryCatalog::default())).await;
    test(Arc::new(sqlite(dir.path()))).await;
}

#[tokio::test]
async fn a_key_counts_its_changes() {
    each(async |catalog| {
        assert_eq!(
            catalog.commit(vec![put("a/1", "x", Expect::Absent)]).await,
            Ok(vec![Version(1)])
        );
        assert_eq!(
            catalog
                .commit(vec![put("a/1", "y", Expect::At(Version(1)))])
                .await,
            Ok(vec![Version(2)])
        );
        assert_eq!(catalog.get("a/1").await, Ok(Some(versioned("y", 2))));
        assert_eq!(
            catalog
                .commit(vec![delete("a/1", Expect::At(Version(2)))])
                .await,
            Ok(vec![Version(0)])
        );
        assert_eq!(catalog.get("a/1").await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn a_conflict_keeps_nothing_of_its_commit() {
    each(async |catalog| {
        catalog
            .commit(vec![put("a/1", "x", Expect::Any)])
            .await
            .unwrap();
        let both = vec![
            put("a/2", "new", Expect::Absent),
            put("a/1", "z", Expect::Absent),
        ];
        assert_eq!(
            catalog.commit(both).await,
            Err(CatalogError::Conflict { key: "a/1".into() })
        );
        assert_eq!(catalog.get("a/2").await, Ok(None));
        assert_eq!(catalog.get("a/1").await, Ok(Some(versioned("x", 1))));
    })
    .await;
}

#[tokio::test]
async fn one_of_many_that_race_wins() {
    each(async |catalog| {
        let commits =
            (0..50).map(|i| catalog.commit(vec![put("a/1", &i.to_string(), Expect::Absent)]));
        let results = futures_util::future::join_all(commits).await;
        assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_scan_keeps_to_its_prefix_and_its_place() {
    each(async |catalog| {
        for key in [
            "a",
            "a/",
            "a/1",
            "a/2",
            "a/2/3",
            "a/\u{10ffff}z",
            "a0",
            "b/1",
        ] {
            catalog
                .commit(vec![put(key, key, Expect::Any)])
                .await
                .unwrap();
        }
        let keys = async |after, limit| {
            let found = catalog.scan("a/", after, limit).await.unwrap();
            found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(
            keys(None, 100).await,
            ["a/", "a/1", "a/2", "a/2/3", "a/\u{10ffff}z"]
        );
        assert_eq!(keys(Some("a/1"), 2).await, ["a/2", "a/2/3"]);
        assert_eq!(catalog.scan("", None, 100).await.unwrap().len(), 8);
    })
    .await;
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    sqlite(dir.path())
        .commit(vec![put("a/1", "x", Expect::Absent)])
        .await
        .unwrap();
    assert_eq!(
        sqlite(dir.path()).get("a/1").await,
        Ok(Some(versioned("x", 1)))
    );
}

#[tokio::test]
async fn a_changed_byte_is_reported_by_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = sqlite(dir.path());
    catalog
        .commit(vec![put("a/1", "x", Expect::Absent)])
        .await
        .unwrap();
    let file = rusqlite::Connection::open(dir.path().join("catalog.sqlite")).unwrap();
    file.execute("UPDATE entries SET value = x'00'", [])
        .unwrap();
    let damaged = |result| matches!(result, Err(CatalogError::Damaged { key, .. }) if key == "a/1");
    assert!(damaged(catalog.get("a/1").await.map(drop)));
    assert!(damaged(catalog.scan("a/", None, 10).await.map(drop)));
}

#[tokio::test]
async fn the_file_of_another_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = rusqlite::Connection::open(dir.path().join("catalog.sqlite")).unwrap();
    file.pragma_update(None, "user_version", 7).unwrap();
    let opened = SqliteCatalog::open(
        Env::real(),
        Options {
            dir: dir.path().to_owned(),
            sync: true,
        },
    );
    assert!(matches!(opened, Err(CatalogError::Failed(_))));
}

#[derive(Debug, Clone)]
enum Action {
    Commit(Vec<(u8, Option<u8>, u8)>),
    Reopen,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let change = (0..6u8, proptest::option::of(any::<u8>()), 0..4u8);
    let action = prop_oneof![
        9 => proptest::collection::vec(change, 1..4).prop_map(Action::Commit),
        1 => Just(Action::Reopen),
    ];
    proptest::collection::vec(action, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// SQLite answers as memory does, whatever is done and however often it is opened anew.
    #[test]
    fn sqlite_does_what_memory_does(actions in actions()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let (model, mut catalog) = (MemoryCatalog::default(), sqlite(dir.path()));
            for action in actions {
                match action {
                    Action::Reopen => catalog = sqlite(dir.path()),
                    Action::Commit(changes) => {
                        let changes: Vec<Change> = changes.into_iter().map(change).collect();
                        prop_assert_eq!(catalog.commit(changes.clone()).await, model.commit(changes).await);
                    }
                }
                prop_assert_eq!(catalog.scan("", None, 100).await, model.scan("", None, 100).await);
            }
            Ok(())
        })?;
    }
}

fn change((key, value, expect): (u8, Option<u8>, u8)) -> Change {
    let expect = match expect {
        0 => Expect::Absent,
        1 => Expect::At(Version(1)),
        2 => Expect::At(Version(2)),
        _ => Expect::Any,
    };
    Change {
        key: format!("k/{key}"),
        value: value.map(|v| Bytes::from(vec![v])),
        expect,
    }
}
