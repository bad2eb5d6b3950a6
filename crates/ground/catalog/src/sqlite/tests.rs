//! The file itself: its formats, and what damage does to it.

use std::path::Path;

use super::*;
use crate::{
    Expect,
    testing::{put, remove},
};

fn open(dir: &Path) -> Result<SqliteCatalog, CatalogError> {
    let dir = dir.to_owned();
    SqliteCatalog::open(Env::real(), Options { dir, sync: true })
}

fn file(dir: &Path) -> Connection {
    Connection::open(dir.join("catalog.sqlite")).unwrap()
}

/// A catalog as format 1 had it, with one row, which was changed 7 times.
fn format_1(dir: &Path) {
    let crc = {
        let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
        digest.update(b"a/1");
        digest.update(&7u64.to_le_bytes());
        digest.update(b"old");
        digest.finalize()
    };
    file(dir)
        .execute_batch(&format!(
            "CREATE TABLE entries (
                 key BLOB PRIMARY KEY, version INTEGER NOT NULL, crc INTEGER NOT NULL, value BLOB NOT NULL
             ) WITHOUT ROWID;
             INSERT INTO entries VALUES (CAST('a/1' AS BLOB), 7, {crc}, CAST('old' AS BLOB));
             PRAGMA application_id = {};
             PRAGMA user_version = 1;",
            0x4857_4354
        ))
        .unwrap();
}

#[tokio::test]
async fn a_catalog_of_format_1_goes_on_with_higher_versions() {
    let dir = tempfile::tempdir().unwrap();
    format_1(dir.path());
    let catalog = open(dir.path()).unwrap();
    let found = catalog.get("a/1").await.unwrap().unwrap();
    assert_eq!((&*found.value, found.version), (&b"old"[..], Version(7)));
    let changes = vec![put("a/1", "new", Expect::At(Version(7)))];
    assert_eq!(catalog.commit(changes).await, Ok(Version(8)));
    let removed = vec![remove("a/1", Expect::Present)];
    assert_eq!(catalog.commit(removed).await, Ok(Version(9)));
    drop(catalog);
    let catalog = open(dir.path()).unwrap();
    let anew = vec![put("a/1", "anew", Expect::Absent)];
    assert_eq!(catalog.commit(anew).await, Ok(Version(10)));
}

#[tokio::test]
async fn a_dropped_catalog_has_closed_its_files() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..50u8 {
        let catalog = open(dir.path()).unwrap();
        let change = put(&format!("a/{round}"), "x", Expect::Absent);
        catalog.commit(vec![change]).await.unwrap();
        drop(catalog);
        // SQLite removes its log with the last connection to the file.
        assert!(!dir.path().join("catalog.sqlite-wal").exists(), "{round}");
    }
}

#[tokio::test]
async fn a_read_that_outlives_the_catalog_holds_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = open(dir.path()).unwrap();
    let change = put("a/1", "x", Expect::Absent);
    catalog.commit(vec![change]).await.unwrap();
    let readers = catalog.readers.clone();
    drop(catalog);
    assert!(!dir.path().join("catalog.sqlite-wal").exists());
    let late = readers.with(|connection| rows::get(connection, "a/1"));
    assert_eq!(late, Err(closed()));
}

#[tokio::test]
async fn an_empty_catalog_of_format_1_begins_with_the_first_revision() {
    let dir = tempfile::tempdir().unwrap();
    format_1(dir.path());
    file(dir.path()).execute("DELETE FROM entries", []).unwrap();
    let catalog = open(dir.path()).unwrap();
    let changes = vec![put("a/1", "x", Expect::Absent)];
    assert_eq!(catalog.commit(changes).await, Ok(Version(1)));
}

#[tokio::test]
async fn a_changed_byte_is_reported_by_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = open(dir.path()).unwrap();
    catalog
        .commit(vec![put("a/1", "x", Expect::Absent)])
        .await
        .unwrap();
    file(dir.path())
        .execute("UPDATE entries SET value = x'00'", [])
        .unwrap();
    let damaged = |result| matches!(result, Err(CatalogError::Damaged { key, .. }) if key == "a/1");
    assert!(damaged(catalog.get("a/1").await.map(drop)));
    assert!(damaged(catalog.scan("a/", None, 10).await.map(drop)));
}

#[tokio::test]
async fn a_changed_revision_stops_writing() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = open(dir.path()).unwrap();
    let write = async || catalog.commit(vec![put("a/1", "x", Expect::Any)]).await;
    for _ in 0..5 {
        write().await.unwrap();
    }
    file(dir.path())
        .execute("UPDATE revision SET value = 2", [])
        .unwrap();
    assert!(matches!(write().await, Err(CatalogError::Failed(_))));
    assert!(matches!(open(dir.path()), Err(CatalogError::Failed(_))));
}

#[tokio::test]
async fn the_file_of_another_program_or_of_a_later_format_is_refused() {
    for (application, version) in [(0, 7), (0x4857_4354, 3)] {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        let set = |name, value: i64| file.pragma_update(None, name, value).unwrap();
        set("application_id", application);
        set("user_version", version);
        assert!(matches!(open(dir.path()), Err(CatalogError::Failed(_))));
    }
}
