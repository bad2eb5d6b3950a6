//! Versions of objects.

use super::{name, put, read};
use crate::{
    BucketName, Delete, Deleted, Get, NULL_VERSION, ObjectError, ObjectName, ObjectStore, Put,
    VersionListing, VersionQuery, Versioning, WriteCondition,
};

fn query(bucket: &BucketName) -> VersionQuery {
    VersionQuery {
        bucket: bucket.clone(),
        prefix: String::new(),
        delimiter: None,
        after: None,
        limit: 100,
    }
}

fn of_version(object: &ObjectName, version: &str) -> Get {
    Get {
        version: Some(version.to_owned()),
        ..Get::new(object.clone())
    }
}

async fn read_version(
    store: &dyn ObjectStore,
    object: &ObjectName,
    version: &str,
) -> Result<bytes::Bytes, ObjectError> {
    let (_, body) = store.get(&of_version(object, version)).await?;
    body.collect(usize::MAX).await
}

async fn remove(store: &dyn ObjectStore, object: &ObjectName, version: &str) -> Deleted {
    let delete = Delete {
        version: Some(version.to_owned()),
        ..Delete::new(object.clone())
    };
    store.delete(&delete).await.unwrap()
}

/// Puts a delete marker; its version.
async fn mark(store: &dyn ObjectStore, object: &ObjectName) -> String {
    let marked = store.delete(&Delete::new(object.clone())).await.unwrap();
    assert!(marked.is_marker);
    marked.version.unwrap()
}

async fn listed(store: &dyn ObjectStore, bucket: &BucketName) -> Vec<(String, String, bool, bool)> {
    let found = store.list_versions(&query(bucket)).await.unwrap().versions;
    let line = |v: crate::VersionInfo| (v.key, v.id, v.is_latest, v.object.is_none());
    found.into_iter().map(line).collect()
}

fn line(key: &str, id: &str, is_latest: bool, is_marker: bool) -> (String, String, bool, bool) {
    (key.to_owned(), id.to_owned(), is_latest, is_marker)
}

pub async fn without_versions(store: &dyn ObjectStore, bucket: BucketName) {
    assert_eq!(store.versioning(&bucket).await.unwrap(), None);
    let object = name(&bucket, "o");
    assert_eq!(put(store, &object, b"one").await.version, None);
    assert_eq!(put(store, &object, b"two").await.version, None);
    let lines = listed(store, &bucket).await;
    assert_eq!(lines, [line("o", NULL_VERSION, true, false)]);
    assert_eq!(
        read_version(store, &object, NULL_VERSION).await.unwrap(),
        "two"
    );
    let unknown = read_version(store, &object, "unknown").await;
    assert!(matches!(unknown, Err(ObjectError::InvalidVersion(_))));
    assert_eq!(
        remove(store, &object, NULL_VERSION).await,
        Deleted::default()
    );
    assert!(listed(store, &bucket).await.is_empty());
}

pub async fn versions(store: &dyn ObjectStore, bucket: BucketName) {
    let object = name(&bucket, "o");
    put(store, &object, b"before").await;
    let enabled = Versioning::Enabled;
    store.set_versioning(&bucket, enabled).await.unwrap();
    assert_eq!(store.versioning(&bucket).await.unwrap(), Some(enabled));
    let found = store.head(&Get::new(object.clone())).await.unwrap();
    assert_eq!(found.object.version.as_deref(), Some(NULL_VERSION));

    let one = put(store, &object, b"one").await.version.unwrap();
    let two = put(store, &object, b"two").await.version.unwrap();
    let marker = mark(store, &object).await;
    assert_eq!(
        listed(store, &bucket).await,
        [
            line("o", &marker, true, true),
            line("o", &two, false, false),
            line("o", &one, false, false),
            line("o", NULL_VERSION, false, false),
        ]
    );
    for (version, bytes) in [(&two[..], "two"), (&one, "one"), (NULL_VERSION, "before")] {
        let read = read_version(store, &object, version).await.unwrap();
        assert_eq!(read, bytes);
    }
    let deleted = read(store, &object).await;
    assert!(matches!(deleted, Err(ObjectError::Deleted { version, .. }) if version == marker));
    let of_marker = read_version(store, &object, &marker).await;
    assert!(
        matches!(of_marker, Err(ObjectError::DeleteMarker { version, .. }) if version == marker)
    );
    conditions_see_no_marker(store, &object).await;
    let latest = put(store, &object, b"three").await.version.unwrap();
    tags_of_versions(store, &object, &latest, &one).await;

    // What is removed is gone alone, and what was before it is the latest.
    let removed = remove(store, &object, &latest).await;
    assert_eq!(
        (removed.version.as_deref(), removed.is_marker),
        (Some(&latest[..]), false)
    );
    let gone = read_version(store, &object, &latest).await;
    assert!(matches!(gone, Err(ObjectError::NoSuchVersion { .. })));
    assert!(remove(store, &object, &marker).await.is_marker);
    assert_eq!(read(store, &object).await.unwrap(), "two");
    remove(store, &object, &one).await;
    let left = store.delete_bucket(&bucket).await;
    assert!(matches!(left, Err(ObjectError::VersionsLeft(_))));
    remove(store, &object, NULL_VERSION).await;
    remove(store, &object, &two).await;
    remove(store, &object, &two).await;
    assert!(listed(store, &bucket).await.is_empty());
    store.delete_bucket(&bucket).await.unwrap();
}

/// An object whose latest version is a delete marker is not there for a condition.
async fn conditions_see_no_marker(store: &dyn ObjectStore, object: &ObjectName) {
    let put_if = |condition| {
        let put = Put {
            condition,
            ..Put::new(object.clone())
        };
        store.put(put, crate::Body::from_bytes("conditional"))
    };
    let matching = put_if(WriteCondition::IfMatch("\"x\"".into())).await;
    assert!(matches!(matching, Err(ObjectError::NoSuchKey(_))));
    let written = put_if(WriteCondition::IfAbsent).await.unwrap();
    remove(store, object, &written.version.unwrap()).await;
}

async fn tags_of_versions(store: &dyn ObjectStore, object: &ObjectName, latest: &str, one: &str) {
    let tags = |value: &str| [("stage".to_owned(), value.to_owned())].into();
    let set = store.set_tags(object, Some(one), tags("one")).await;
    assert_eq!(set.unwrap().as_deref(), Some(one));
    let set = store.set_tags(object, None, tags("latest")).await;
    assert_eq!(set.unwrap().as_deref(), Some(latest));
    for (version, value) in [(one, "one"), (latest, "latest")] {
        let found = store.head(&of_version(object, version)).await.unwrap();
        assert_eq!(found.object.attributes.tags, tags(value));
    }
}

pub async fn suspended(store: &dyn ObjectStore, bucket: BucketName) {
    let object = name(&bucket, "o");
    let set = |versioning| store.set_versioning(&bucket, versioning);
    set(Versioning::Enabled).await.unwrap();
    let one = put(store, &object, b"one").await.version.unwrap();
    set(Versioning::Suspended).await.unwrap();
    for bytes in [b"two", b"tri"] {
        put(store, &object, bytes).await;
        assert_eq!(
            listed(store, &bucket).await,
            [
                line("o", NULL_VERSION, true, false),
                line("o", &one, false, false),
            ]
        );
    }
    // A null version that is not the latest gives way too.
    set(Versioning::Enabled).await.unwrap();
    let four = put(store, &object, b"four").await.version.unwrap();
    set(Versioning::Suspended).await.unwrap();
    assert_eq!(mark(store, &object).await, NULL_VERSION);
    let expected = [
        line("o", NULL_VERSION, true, true),
        line("o", &four, false, false),
        line("o", &one, false, false),
    ];
    assert_eq!(listed(store, &bucket).await, expected);
    assert_eq!(mark(store, &object).await, NULL_VERSION);
    assert_eq!(listed(store, &bucket).await, expected);
    assert!(remove(store, &object, NULL_VERSION).await.is_marker);
    assert_eq!(read(store, &object).await.unwrap(), "four");
}

pub async fn pages(store: &dyn ObjectStore, bucket: BucketName) {
    let enabled = Versioning::Enabled;
    for key in ["a", "d/1"] {
        put(store, &name(&bucket, key), b"before").await;
    }
    store.set_versioning(&bucket, enabled).await.unwrap();
    for key in ["a", "a!", "b", "d/1", "d/2", "e"] {
        for bytes in [b"one", b"two"] {
            put(store, &name(&bucket, key), bytes).await;
        }
    }
    mark(store, &name(&bucket, "b")).await;
    mark(store, &name(&bucket, "never there")).await;

    let ids = |listing: &VersionListing| -> Vec<_> {
        let versions = listing.versions.iter();
        versions.map(|v| (v.key.clone(), v.id.clone())).collect()
    };
    for delimiter in [None, Some("/".to_owned())] {
        let all = VersionQuery {
            delimiter,
            ..query(&bucket)
        };
        let whole = store.list_versions(&all).await.unwrap();
        assert_eq!(whole.next, None);
        for limit in [1, 2, 3, 7] {
            let (mut paged, mut prefixes) = (Vec::new(), Vec::new());
            let mut page = VersionQuery {
                limit,
                ..all.clone()
            };
            loop {
                let found = store.list_versions(&page).await.unwrap();
                assert!(found.versions.len() + found.prefixes.len() <= limit);
                paged.extend(ids(&found));
                prefixes.extend(found.prefixes);
                page.after = found.next;
                if page.after.is_none() {
                    break;
                }
            }
            assert_eq!((paged, &prefixes), (ids(&whole), &whole.prefixes));
        }
    }
    removed_page_by_page(store, &bucket).await;
}

/// A page goes on behind a version that is gone.
async fn removed_page_by_page(store: &dyn ObjectStore, bucket: &BucketName) {
    let mut page = VersionQuery {
        limit: 2,
        ..query(bucket)
    };
    loop {
        let found = store.list_versions(&page).await.unwrap();
        for version in &found.versions {
            remove(store, &name(bucket, &version.key), &version.id).await;
        }
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    assert!(listed(store, bucket).await.is_empty());
    store.delete_bucket(bucket).await.unwrap();
}
