//! What expires, and when.

use std::time::Duration;

use headwater_env::{ManualClock, SeededRandom};
use headwater_types::Millis;

use super::{super::*, World, names_agree, object, upload};
use crate::{
    Expiration, LifecycleFilter, LifecycleRule, NULL_VERSION, NoncurrentExpiration, VersionInfo,
    testing::{put, read},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Aging {
    world: World,
    env: Env,
    clock: Arc<ManualClock>,
    store: DirectoryStore,
    bucket: BucketName,
}

impl Aging {
    /// A bucket with these rules, at the noon of some day.
    async fn new(rules: Vec<LifecycleRule>) -> Self {
        let clock = Arc::new(ManualClock::at(Millis(1_700_049_600_000)));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            ..Env::real()
        };
        let world = World::new();
        let store = world.open_in(env.clone()).await;
        let bucket = BucketName::parse("bucket").unwrap();
        store.create_bucket(&bucket).await.unwrap();
        let lifecycle = Lifecycle {
            rules,
            minimum_by_class: false,
        };
        let set = store.set_lifecycle(&bucket, Some(lifecycle));
        set.await.unwrap();
        Self {
            world,
            env,
            clock,
            store,
            bucket,
        }
    }

    async fn enable_versions(&self) {
        let set = self.store.set_versioning(&self.bucket, Versioning::Enabled);
        set.await.unwrap();
    }

    /// Lets days pass and removes what expired.
    async fn pass(&self, days: u32) {
        self.clock.advance(DAY * days);
        self.store.0.expire_all().await.unwrap();
    }

    /// Keys and ids of all versions, and whether they are objects.
    async fn versions(&self) -> Vec<(String, String, bool)> {
        let query = VersionQuery {
            bucket: self.bucket.clone(),
            prefix: String::new(),
            delimiter: None,
            after: None,
            limit: 1000,
        };
        let found = self.store.list_versions(&query).await.unwrap();
        let line = |v: VersionInfo| (v.key, v.id, v.object.is_some());
        found.versions.into_iter().map(line).collect()
    }

    async fn agrees(self) {
        let named = names_agree(&self.store).await;
        self.world.left_with(named).await;
    }
}

fn rule(expiration: Option<Expiration>) -> LifecycleRule {
    LifecycleRule {
        id: "rule".into(),
        enabled: true,
        filter: LifecycleFilter::default(),
        expiration,
        noncurrent: None,
        abort_uploads: None,
    }
}

fn with_prefix(prefix: &str, rule: LifecycleRule) -> LifecycleRule {
    let filter = LifecycleFilter {
        prefix: Some(prefix.to_owned()),
        ..Default::default()
    };
    LifecycleRule { filter, ..rule }
}

#[tokio::test]
async fn objects_without_versions_are_removed_when_their_day_has_come() {
    let days = Some(Expiration::Days(2));
    let aging = Aging::new(vec![with_prefix("old/", rule(days))]).await;
    // More than a page, and more than are removed at once.
    for number in 0..230 {
        put(&aging.store, &object(&format!("old/{number}")), b"x").await;
    }
    put(&aging.store, &object("young"), b"x").await;
    let told = aging.store.head(&Get::new(object("old/1"))).await.unwrap();
    let expires = told.object.expires.unwrap();
    // Two days after noon, and then the next midnight.
    assert_eq!(expires.at, Millis(1_700_049_600_000 + 216_000_000));
    aging.pass(2).await;
    assert_eq!(aging.versions().await.len(), 231);
    aging.pass(1).await;
    let left = aging.versions().await;
    assert_eq!(left, [("young".into(), NULL_VERSION.into(), true)]);
    let told = aging.store.head(&Get::new(object("young"))).await.unwrap();
    assert_eq!(told.object.expires, None);
    aging.agrees().await;
}

#[tokio::test]
async fn a_version_is_marked_then_removed_and_then_its_marker() {
    let whole = LifecycleRule {
        noncurrent: Some(NoncurrentExpiration {
            days: 1,
            newer: None,
        }),
        ..rule(Some(Expiration::Days(1)))
    };
    let aging = Aging::new(vec![whole]).await;
    put(&aging.store, &object("k"), b"null").await;
    aging.enable_versions().await;
    put(&aging.store, &object("k"), b"one").await;
    assert_eq!(aging.versions().await.len(), 2);
    aging.pass(2).await;
    let [marker, version] = &aging.versions().await[..] else {
        panic!("a marker and the version that it came before")
    };
    assert!(!marker.2 && version.2, "the null version was older");
    aging.pass(2).await;
    // The marker is all that is left, and as old by now.
    assert!(aging.versions().await.is_empty());
    aging.agrees().await;
}

#[tokio::test]
async fn so_many_versions_are_kept_however_old() {
    let kept = LifecycleRule {
        noncurrent: Some(NoncurrentExpiration {
            days: 1,
            newer: Some(2),
        }),
        ..rule(None)
    };
    let aging = Aging::new(vec![kept]).await;
    aging.enable_versions().await;
    for key in ["a", "b"] {
        for _ in 0..120 {
            put(&aging.store, &object(key), b"x").await;
        }
    }
    let newest = |all: Vec<(String, String, bool)>, key: &str| -> Vec<_> {
        let of_key = all.into_iter().filter(|(of, _, _)| of == key);
        of_key.take(3).collect()
    };
    let before = aging.versions().await;
    assert_eq!(before.len(), 240);
    aging.pass(3).await;
    let left = aging.versions().await;
    let expected = [newest(before.clone(), "a"), newest(before, "b")].concat();
    assert_eq!(left, expected);
    aging.agrees().await;
}

#[tokio::test]
async fn markers_that_nothing_is_left_behind_go_at_once_and_others_stay() {
    let markers = rule(Some(Expiration::DeleteMarkers(true)));
    let aging = Aging::new(vec![markers]).await;
    aging.enable_versions().await;
    put(&aging.store, &object("kept"), b"x").await;
    for key in ["kept", "lone"] {
        let marked = aging.store.delete(&Delete::new(object(key))).await;
        assert!(marked.unwrap().is_marker);
    }
    aging.pass(0).await;
    let left = aging.versions().await;
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|(key, _, _)| key == "kept"));
}

#[tokio::test]
async fn uploads_that_are_not_completed_are_aborted() {
    let abort = LifecycleRule {
        abort_uploads: Some(1),
        ..with_prefix("u", rule(None))
    };
    let aging = Aging::new(vec![abort]).await;
    let begun = aging.store.create_upload(upload(object("u"))).await;
    let part = super::part(&begun.unwrap().id);
    let written = aging.store.put_part(part, Body::from_bytes("part")).await;
    written.unwrap();
    aging
        .store
        .create_upload(upload(object("v")))
        .await
        .unwrap();
    let left = || aging.store.0.tables.uploads.all();
    aging.pass(1).await;
    assert_eq!(left().await.unwrap().len(), 2);
    aging.pass(1).await;
    let rows = left().await.unwrap();
    assert!(rows.len() == 1 && rows[0].0.starts_with("bucket/v"));
    aging.agrees().await;
}

/// Nobody asks for a pass: it comes with the day, with rules, and with a restart.
#[tokio::test]
async fn rules_are_followed_in_the_background() {
    let aging = Aging::new(vec![]).await;
    let gone = async |store: &DirectoryStore, key: &str| {
        while read(store, &object(key)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    for key in ["a", "b", "c"] {
        put(&aging.store, &object(key), b"x").await;
    }
    let date = |key, days| {
        let at = aging.env.clock.now().plus(DAY * days);
        with_prefix(key, rule(Some(Expiration::Date(at))))
    };
    let lifecycle = Lifecycle {
        rules: vec![date("a", 0), date("b", 1), date("c", 2)],
        minimum_by_class: false,
    };
    let set = aging.store.set_lifecycle(&aging.bucket, Some(lifecycle));
    set.await.unwrap();
    gone(&aging.store, "a").await;
    aging.clock.advance(DAY);
    gone(&aging.store, "b").await;
    assert_eq!(read(&aging.store, &object("c")).await.unwrap(), "x");
    while Arc::strong_count(&aging.store.0) > 1 {
        tokio::task::yield_now().await;
    }
    drop(aging.store);
    aging.clock.advance(DAY);
    let store = aging.world.open_in(aging.env).await;
    gone(&store, "c").await;
}
