//! The suite that every engine of the catalog must pass. A failed check panics, as in any test.
#![allow(
    clippy::unwrap_used,
    reason = "this is test code, though it is built as a part of the library"
)]

use std::sync::Arc;

use bytes::Bytes;

use crate::{Catalog, CatalogError, Change, Expect, Version, Versioned, Write};

/// Runs the whole suite. `open` opens the store of a name, which is empty at first; the same name again opens the same
/// store anew.
pub async fn contract(open: impl AsyncFn(&str) -> Arc<dyn Catalog>) {
    a_version_is_the_revision_of_the_last_write(&*open("versions").await).await;
    a_commit_has_one_revision(&*open("commits").await).await;
    no_version_comes_twice(&open).await;
    a_conflict_keeps_nothing(&*open("conflicts").await).await;
    a_key_must_be_as_expected(&*open("expectations").await).await;
    a_check_writes_nothing(&*open("checks").await).await;
    changes_take_effect_in_their_order(&*open("order").await).await;
    one_of_many_that_race_wins(&*open("races").await).await;
    a_scan_keeps_to_its_prefix_and_its_place(&*open("scans").await).await;
    a_key_has_bounds(&*open("keys").await).await;
    a_commit_is_there_after_a_reopening(&open).await;
}

/// The change that writes `value`.
pub fn put(key: &str, value: &str, expect: Expect) -> Change {
    Change {
        key: key.into(),
        expect,
        write: Write::Put(Bytes::copy_from_slice(value.as_bytes())),
    }
}

/// The change that removes a key.
pub fn remove(key: &str, expect: Expect) -> Change {
    Change {
        key: key.into(),
        expect,
        write: Write::Remove,
    }
}

fn check(key: &str, expect: Expect) -> Change {
    Change {
        key: key.into(),
        expect,
        write: Write::Nothing,
    }
}

fn versioned(value: &str, version: Version) -> Versioned {
    Versioned {
        value: Bytes::copy_from_slice(value.as_bytes()),
        version,
    }
}

fn conflict(key: &str) -> Result<Version, CatalogError> {
    Err(CatalogError::Conflict { key: key.into() })
}

async fn make(catalog: &dyn Catalog, key: &str, value: &str) -> Version {
    let changes = vec![put(key, value, Expect::Any)];
    catalog.commit(changes).await.unwrap()
}

async fn a_version_is_the_revision_of_the_last_write(catalog: &dyn Catalog) {
    let first = make(catalog, "a/1", "x").await;
    let other = make(catalog, "a/2", "x").await;
    assert!(other > first);
    let changes = vec![put("a/1", "y", Expect::At(first))];
    let second = catalog.commit(changes).await.unwrap();
    assert!(second > other);
    assert_eq!(catalog.get("a/1").await, Ok(Some(versioned("y", second))));
    assert_eq!(catalog.get("a/2").await, Ok(Some(versioned("x", other))));
    let removed = vec![remove("a/1", Expect::At(second))];
    assert!(catalog.commit(removed).await.unwrap() > second);
    assert_eq!(catalog.get("a/1").await, Ok(None));
}

async fn a_commit_has_one_revision(catalog: &dyn Catalog) {
    let changes = vec![
        put("a/1", "x", Expect::Absent),
        put("a/2", "x", Expect::Absent),
    ];
    let version = catalog.commit(changes).await.unwrap();
    for key in ["a/1", "a/2"] {
        assert_eq!(catalog.get(key).await, Ok(Some(versioned("x", version))));
    }
}

/// Neither a removal nor a reopening takes the count back.
async fn no_version_comes_twice(open: &impl AsyncFn(&str) -> Arc<dyn Catalog>) {
    let mut newest = Version(0);
    for _ in 0..3 {
        let catalog = open("lives").await;
        let version = make(&*catalog, "a/1", "x").await;
        assert!(
            version > newest,
            "a key made anew is at a version of its own"
        );
        let removed = vec![remove("a/1", Expect::At(version))];
        newest = catalog.commit(removed).await.unwrap();
        assert!(newest > version);
    }
    let catalog = open("lives").await;
    let former = make(&*catalog, "a/1", "former").await;
    catalog
        .commit(vec![remove("a/1", Expect::Any)])
        .await
        .unwrap();
    let successor = make(&*catalog, "a/1", "successor").await;
    let stale = vec![put("a/1", "stale", Expect::At(former))];
    assert_eq!(catalog.commit(stale).await, conflict("a/1"));
    let found = catalog.get("a/1").await;
    assert_eq!(found, Ok(Some(versioned("successor", successor))));
}

async fn a_conflict_keeps_nothing(catalog: &dyn Catalog) {
    let version = make(catalog, "a/1", "x").await;
    let both = vec![
        put("a/2", "new", Expect::Absent),
        put("a/1", "z", Expect::Absent),
    ];
    assert_eq!(catalog.commit(both).await, conflict("a/1"));
    assert_eq!(catalog.get("a/2").await, Ok(None));
    assert_eq!(catalog.get("a/1").await, Ok(Some(versioned("x", version))));
}

async fn a_key_must_be_as_expected(catalog: &dyn Catalog) {
    let present = make(catalog, "a/present", "x").await;
    let other = make(catalog, "a/other", "x").await;
    let cases = [
        ("a/present", Expect::Any, true),
        ("a/present", Expect::Absent, false),
        ("a/present", Expect::Present, true),
        ("a/present", Expect::At(present), true),
        ("a/present", Expect::At(other), false),
        ("a/absent", Expect::Any, true),
        ("a/absent", Expect::Absent, true),
        ("a/absent", Expect::Present, false),
        ("a/absent", Expect::At(present), false),
    ];
    for (key, expect, is_made) in cases {
        let made = catalog.commit(vec![check(key, expect)]).await;
        assert_eq!(made.is_ok(), is_made, "{key} {expect:?}");
        assert!(is_made || made == conflict(key));
    }
}

async fn a_check_writes_nothing(catalog: &dyn Catalog) {
    let first = make(catalog, "a/1", "x").await;
    let checked = catalog.commit(vec![check("a/1", Expect::At(first))]).await;
    assert_eq!(checked, Ok(first), "there is no new revision");
    let with_check = vec![
        check("a/1", Expect::At(first)),
        put("a/2", "x", Expect::Absent),
    ];
    let second = catalog.commit(with_check).await.unwrap();
    assert_eq!(catalog.get("a/1").await, Ok(Some(versioned("x", first))));
    assert_eq!(catalog.get("a/2").await, Ok(Some(versioned("x", second))));
    let refused = vec![
        put("a/2", "y", Expect::Any),
        check("a/1", Expect::At(second)),
    ];
    assert_eq!(catalog.commit(refused).await, conflict("a/1"));
    assert_eq!(catalog.get("a/2").await, Ok(Some(versioned("x", second))));
}

async fn changes_take_effect_in_their_order(catalog: &dyn Catalog) {
    let changes = vec![
        put("a/1", "x", Expect::Absent),
        remove("a/1", Expect::Present),
        put("a/1", "y", Expect::Absent),
        check("a/1", Expect::Present),
    ];
    let version = catalog.commit(changes).await.unwrap();
    assert_eq!(catalog.get("a/1").await, Ok(Some(versioned("y", version))));
}

async fn one_of_many_that_race_wins(catalog: &dyn Catalog) {
    let commits = (0..50).map(|i| catalog.commit(vec![put("a/1", &i.to_string(), Expect::Absent)]));
    let results = futures_util::future::join_all(commits).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
}

async fn a_scan_keeps_to_its_prefix_and_its_place(catalog: &dyn Catalog) {
    let keys = [
        "a",
        "a/",
        "a/1",
        "a/2",
        "a/2/3",
        "a/\u{10ffff}z",
        "a0",
        "b/1",
    ];
    for key in keys {
        make(catalog, key, key).await;
    }
    let found = async |prefix, after, limit| {
        let found = catalog.scan(prefix, after, limit).await.unwrap();
        found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(
        found("a/", None, 100).await,
        ["a/", "a/1", "a/2", "a/2/3", "a/\u{10ffff}z"]
    );
    assert_eq!(found("a/", Some("a/1"), 2).await, ["a/2", "a/2/3"]);
    assert_eq!(found("", None, 100).await, keys);
}

async fn a_key_has_bounds(catalog: &dyn Catalog) {
    for key in [String::new(), "x".repeat(2049)] {
        let made = catalog.commit(vec![put(&key, "x", Expect::Any)]).await;
        assert!(matches!(made, Err(CatalogError::Failed(_))), "{made:?}");
    }
    make(catalog, &"x".repeat(2048), "x").await;
}

async fn a_commit_is_there_after_a_reopening(open: &impl AsyncFn(&str) -> Arc<dyn Catalog>) {
    let version = make(&*open("reopened").await, "a/1", "x").await;
    let found = open("reopened").await.get("a/1").await;
    assert_eq!(found, Ok(Some(versioned("x", version))));
}
