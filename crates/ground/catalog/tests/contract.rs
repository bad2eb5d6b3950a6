//! The suite that every engine of the catalog must pass, run against each of them.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{collections::HashMap, path::Path, sync::Arc};

use bytes::Bytes;
use headwater_catalog::{
    Catalog, Change, Expect, MemoryCatalog, Options, SqliteCatalog, Version, Write,
    testing::contract,
};
use headwater_env::Env;
use parking_lot::Mutex;
use proptest::prelude::*;

fn sqlite(dir: &Path) -> SqliteCatalog {
    SqliteCatalog::open(
        Env::real(),
        Options {
            dir: dir.to_owned(),
            sync: true,
        },
    )
    .unwrap()
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let stores: Mutex<HashMap<String, Arc<MemoryCatalog>>> = Mutex::default();
    contract(async |name| stores.lock().entry(name.to_owned()).or_default().clone() as _).await;
}

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract(async |name| Arc::new(sqlite(&dir.path().join(name))) as _).await;
}

#[derive(Debug, Clone)]
enum Action {
    Commit(Vec<(u8, Write, Expect)>),
    Reopen,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let write = prop_oneof![
        3 => any::<u8>().prop_map(|value| Write::Put(Bytes::from(vec![value]))),
        1 => Just(Write::Remove),
        1 => Just(Write::Nothing),
    ];
    let expect = prop_oneof![
        Just(Expect::Any),
        Just(Expect::Absent),
        Just(Expect::Present),
        (1..8u64).prop_map(|version| Expect::At(Version(version))),
    ];
    let action = prop_oneof![
        9 => proptest::collection::vec((0..6u8, write, expect), 1..4).prop_map(Action::Commit),
        1 => Just(Action::Reopen),
    ];
    proptest::collection::vec(action, 1..30)
}

fn change((key, write, expect): (u8, Write, Expect)) -> Change {
    Change {
        key: format!("k/{key}"),
        expect,
        write,
    }
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
