//! Versions against a model of them, through restarts and crashes.

use std::time::Duration;

use headwater_env::{ManualClock, Random, SeededRandom, SimDisk};
use headwater_types::Millis;

use super::{
    super::{records::Version, *},
    World, names_agree, object_in,
};
use crate::{
    NULL_VERSION, VersionInfo,
    testing::{put, read},
};

/// What a bucket holds: of each key its versions, the oldest first.
#[derive(Default)]
struct Model {
    versioning: Option<Versioning>,
    keys: BTreeMap<String, Vec<Kept>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Kept {
    id: String,
    /// None for a delete marker.
    bytes: Option<Vec<u8>>,
}

impl Model {
    fn push(&mut self, key: &str, id: Option<String>, bytes: Option<Vec<u8>>) {
        let id = id.unwrap_or(NULL_VERSION.to_owned());
        assert_eq!(
            id == NULL_VERSION,
            self.versioning != Some(Versioning::Enabled)
        );
        self.remove(
            key,
            NULL_VERSION,
            self.versioning != Some(Versioning::Enabled),
        );
        self.keys
            .entry(key.to_owned())
            .or_default()
            .push(Kept { id, bytes });
    }

    fn remove(&mut self, key: &str, id: &str, really: bool) {
        if let Some(versions) = self.keys.get_mut(key).filter(|_| really) {
            versions.retain(|version| version.id != id);
        }
        self.keys.retain(|_, versions| !versions.is_empty());
    }

    fn lines(&self) -> Vec<(String, String, bool, bool)> {
        let lines = self.keys.iter().flat_map(|(key, versions)| {
            let latest = versions.len() - 1;
            let line = move |(at, version): (usize, &Kept)| {
                let is_marker = version.bytes.is_none();
                (key.clone(), version.id.clone(), at == latest, is_marker)
            };
            versions.iter().enumerate().rev().map(line)
        });
        lines.collect()
    }
}

struct Walk {
    world: World,
    env: Env,
    clock: Arc<ManualClock>,
    store: DirectoryStore,
    bucket: BucketName,
    chance: SeededRandom,
    model: Model,
    /// Ids that were ever given.
    ids: Vec<String>,
}

const KEYS: [&str; 4] = ["a", "a\u{1}", "a\u{1}\u{1}b", "b"];

impl Walk {
    async fn new(seed: u64) -> Self {
        let clock = Arc::new(ManualClock::at(Millis(1_000_000)));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(seed)),
            ..Env::real()
        };
        let world = World::new();
        let store = world.open_in(env.clone()).await;
        let bucket = BucketName::parse("bucket").unwrap();
        store.create_bucket(&bucket).await.unwrap();
        Self {
            world,
            env,
            clock,
            store,
            bucket,
            chance: SeededRandom::new(seed ^ 77),
            model: Model::default(),
            ids: vec![NULL_VERSION.to_owned()],
        }
    }

    fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 4];
        self.chance.fill(&mut bytes);
        u32::from_le_bytes(bytes) as usize % bound
    }

    async fn step(&mut self, number: usize) {
        let key = KEYS[self.below(KEYS.len())];
        let name = object_in("bucket", key);
        match self.below(12) {
            0..5 => {
                let bytes = format!("{number}").into_bytes();
                let id = put(&self.store, &name, &bytes).await.version;
                self.ids.extend(id.clone());
                self.model.push(key, id, Some(bytes));
            }
            5..7 => {
                let deleted = self.store.delete(&Delete::new(name)).await.unwrap();
                self.ids.extend(deleted.version.clone());
                match self.model.versioning {
                    None => self.model.remove(key, NULL_VERSION, true),
                    Some(_) => self.model.push(key, deleted.version, None),
                }
            }
            7..10 => {
                let id = self.ids[self.below(self.ids.len())].clone();
                let version = Some(id.clone());
                let delete = Delete {
                    version,
                    ..Delete::new(name)
                };
                self.store.delete(&delete).await.unwrap();
                self.model.remove(key, &id, true);
            }
            10 => {
                let versioning = [Versioning::Enabled, Versioning::Suspended][self.below(2)];
                // Few buckets begin with versions, so that there are null versions from before.
                if self.model.versioning.is_some() || number > 10 {
                    let set = self.store.set_versioning(&self.bucket, versioning);
                    set.await.unwrap();
                    self.model.versioning = Some(versioning);
                }
            }
            _ => {
                self.clock.advance(Duration::from_millis(1));
                // The sweep in the background is for the only store of the folder.
                while Arc::strong_count(&self.store.0) > 1 {
                    tokio::task::yield_now().await;
                }
                self.store = self.world.open_in(self.env.clone()).await;
            }
        }
    }

    async fn check(&self) {
        let query = VersionQuery {
            bucket: self.bucket.clone(),
            prefix: String::new(),
            delimiter: None,
            after: None,
            limit: 1000,
        };
        let found = self.store.list_versions(&query).await.unwrap();
        let line = |v: VersionInfo| (v.key, v.id, v.is_latest, v.object.is_none());
        let lines: Vec<_> = found.versions.into_iter().map(line).collect();
        assert_eq!(lines, self.model.lines());
        for (key, versions) in &self.model.keys {
            let name = object_in("bucket", key);
            let latest = read(&self.store, &name)
                .await
                .ok()
                .map(|read| read.to_vec());
            assert_eq!(latest, versions.last().unwrap().bytes);
            for version in versions {
                let get = Get {
                    version: Some(version.id.clone()),
                    ..Get::new(name.clone())
                };
                let bytes = match self.store.get(&get).await {
                    Ok((_, body)) => Some(body.collect(100).await.unwrap().to_vec()),
                    Err(_) => None,
                };
                assert_eq!(bytes, version.bytes, "{}", version.id);
            }
        }
        let kept = self.model.keys.values().flatten();
        let kept = kept.filter(|version| version.bytes.is_some()).count();
        assert_eq!(names_agree(&self.store).await, kept);
    }
}

#[tokio::test]
async fn whatever_is_done_versions_are_those_of_the_model() {
    for seed in 0..12 {
        let mut walk = Walk::new(seed).await;
        for number in 0..60 {
            walk.step(number).await;
            walk.check().await;
        }
        let kept = names_agree(&walk.store).await;
        walk.world.left_with(kept).await;
    }
}

#[tokio::test]
async fn whatever_step_the_disk_stops_at_versions_are_whole_or_not_there() {
    for step in 0.. {
        let disk = SimDisk::new(step);
        let env = Env {
            disk: Arc::new(disk.clone()),
            ..Env::real()
        };
        let catalog = Arc::new(headwater_catalog::MemoryCatalog::default());
        let (dir, object) = (Path::new("/objects"), object_in("bucket", "o"));
        let open = || DirectoryStore::open(env.clone(), dir, catalog.clone());
        let store = open().await.unwrap();
        store.create_bucket(object.bucket()).await.unwrap();
        let enabled = Versioning::Enabled;
        store
            .set_versioning(object.bucket(), enabled)
            .await
            .unwrap();
        disk.stop_at(disk.steps() + step);
        let mut acknowledged = Vec::new();
        for number in 0..4 {
            let body = Body::from_bytes(number.to_string());
            let Ok(written) = store.put(Put::new(object.clone()), body).await else {
                break;
            };
            acknowledged.push(written.version.unwrap());
        }
        drop(store);
        disk.crash();
        let store = open().await.unwrap();
        for (number, version) in acknowledged.iter().enumerate() {
            let get = Get {
                version: Some(version.clone()),
                ..Get::new(object.clone())
            };
            let (_, body) = store.get(&get).await.unwrap();
            assert_eq!(body.collect(10).await.unwrap(), number.to_string());
        }
        if acknowledged.len() == 4 {
            break;
        }
    }
}

/// A row of an object from before there were versions has no place, and is written without one still.
#[tokio::test]
async fn rows_without_versions_are_as_they_were() {
    let world = World::new();
    let (store, bucket) = world.with_bucket().await;
    let object = object_in("bucket", "o");
    put(&store, &object, b"x").await;
    let row = store.0.tables.objects.get("bucket/o").await.unwrap();
    let row = serde_json::to_value(row.unwrap().value).unwrap();
    assert_eq!(row.get("place"), None);
    let row = store.0.tables.buckets.get("bucket").await.unwrap();
    let row = serde_json::to_value(row.unwrap().value).unwrap();
    assert_eq!(row.as_object().unwrap().len(), 1);

    store
        .set_versioning(&bucket, Versioning::Enabled)
        .await
        .unwrap();
    put(&store, &object, b"y").await;
    let rows = store.0.tables.versions.all().await.unwrap();
    assert!(matches!(&rows[0].1.value.version, Version::Object(old) if old.place.is_none()));
}
