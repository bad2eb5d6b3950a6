//! Transactions over a log that takes a batch apart: what some partitions lack they get.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use headwater_log::{
    Append, AppendError, Appended, Chunk, LogError, ReadLimit, Retention, ShardLog, ShardNumber,
    ShardState,
};
use headwater_tables::{MemoryIndex, Tables, Transaction, WriteAction};
use headwater_types::Millis;
use support::{TABLE, World, in_time, item, key_of, new_table, number, write};

/// A log that takes only the first so many appends of a batch.
struct Splitting {
    log: Arc<dyn ShardLog>,
    takes: AtomicUsize,
}

#[async_trait]
impl ShardLog for Splitting {
    async fn open_shards(
        &self,
        shards: &[ShardNumber],
        retention: Retention,
    ) -> Result<(), LogError> {
        self.log.open_shards(shards, retention).await
    }

    async fn remove_shards(&self, shards: &[ShardNumber]) -> Result<(), LogError> {
        self.log.remove_shards(shards).await
    }

    async fn shards(&self) -> Result<Vec<ShardNumber>, LogError> {
        self.log.shards().await
    }

    async fn append(&self, batch: &[Append<'_>]) -> Vec<Result<Appended, AppendError>> {
        let taken = batch.len().min(self.takes.load(SeqCst));
        let mut results = match taken {
            0 => Vec::new(),
            _ => self.log.append(&batch[..taken]).await,
        };
        let away = AppendError::Log(LogError::Unreachable("away".into()));
        results.resize(batch.len(), Err(away));
        results
    }

    async fn append_whole(&self, batch: &[Append<'_>]) -> Result<Vec<Appended>, AppendError> {
        self.log.append_whole(batch).await
    }

    async fn read(
        &self,
        shard: ShardNumber,
        from: u64,
        limit: ReadLimit,
    ) -> Result<Chunk, LogError> {
        self.log.read(shard, from, limit).await
    }

    async fn offset_at(&self, shard: ShardNumber, time: Millis) -> Result<u64, LogError> {
        self.log.offset_at(shard, time).await
    }

    async fn state(&self, shard: ShardNumber) -> Result<ShardState, LogError> {
        self.log.state(shard).await
    }

    async fn wait(&self, shard: ShardNumber, offset: u64) {
        self.log.wait(shard, offset).await;
    }

    async fn seal(&self, shard: ShardNumber) -> Result<u64, LogError> {
        self.log.seal(shard).await
    }

    async fn close(&self) {
        self.log.close().await;
    }

    fn health(&self) -> Result<(), LogError> {
        self.log.health()
    }
}

/// Items in several partitions, with this attribute.
fn puts(x: i64) -> Transaction {
    let put = |partition: u8| {
        let item = item(&format!("p{partition}"), 1, &[("x", number(x))]);
        (
            TABLE.to_owned(),
            write(key_of(&item), WriteAction::Put(item)),
        )
    };
    Transaction {
        writes: (0..8).map(put).collect(),
        token: None,
    }
}

async fn world() -> (World, Arc<Splitting>) {
    let mut world = World::new().await;
    let splitting = Arc::new(Splitting {
        log: world.log.clone(),
        takes: AtomicUsize::new(usize::MAX),
    });
    let (env, catalog) = (world.env.clone(), world.catalog.clone());
    let tables = Tables::over(env, catalog, splitting.clone(), world.index.clone());
    world.tables = tables.await.unwrap();
    world.tables.create(new_table()).await.unwrap();
    assert_eq!(world.tables.transact(puts(1)).await, Ok(false));
    (world, splitting)
}

/// Whether all items have this attribute.
async fn is_all(world: &World, x: i64) -> bool {
    let found = world.scan(None).await;
    found.len() == 8 && found.iter().all(|item| item["x"] == number(x))
}

#[tokio::test]
async fn a_partition_gets_what_it_lacks_when_it_is_written_to_and_when_it_is_not() {
    for takes in 1..4 {
        let (world, log) = world().await;
        log.takes.store(takes, SeqCst);
        assert!(world.tables.transact(puts(2)).await.is_err());
        log.takes.store(usize::MAX, SeqCst);
        // A write to one of the partitions, which comes behind the transaction.
        let later = item("p0", 2, &[("x", number(2))]);
        world.put(later.clone()).await;
        world
            .write(key_of(&later), WriteAction::Delete)
            .await
            .unwrap();
        world.until(async |world| is_all(world, 2).await).await;
        let changes = world.changes().await;
        assert_eq!(changes.len(), 8 + 8 + 2);
    }
}

#[tokio::test]
async fn a_partition_gets_what_it_lacks_at_the_start() {
    for takes in 1..4 {
        let (mut world, log) = world().await;
        log.takes.store(takes, SeqCst);
        assert!(world.tables.transact(puts(2)).await.is_err());
        // The process ends here, and the next one finds the log whole and the index as it was.
        world.index = Arc::new(MemoryIndex::default());
        world.crash().await;
        assert!(is_all(&world, 2).await);
        assert_eq!(world.changes().await.len(), 16);
        world.crash().await;
        assert_eq!(world.changes().await.len(), 16);
    }
}

#[tokio::test]
async fn a_transaction_that_the_log_did_not_take_was_not_done() {
    let (mut world, log) = world().await;
    log.takes.store(0, SeqCst);
    assert!(world.tables.transact(puts(2)).await.is_err());
    log.takes.store(usize::MAX, SeqCst);
    world.put(item("p0", 1, &[("x", number(1))])).await;
    assert!(is_all(&world, 1).await);
    world.crash().await;
    assert!(is_all(&world, 1).await);
}

#[tokio::test]
async fn a_partition_that_cannot_be_lent_is_lent_once_it_can() {
    let (world, log) = world().await;
    log.takes.store(1, SeqCst);
    assert!(world.tables.transact(puts(2)).await.is_err());
    // The partitions get nothing of what they lack, so they cannot be lent.
    log.takes.store(0, SeqCst);
    assert!(world.tables.transact(puts(3)).await.is_err());
    log.takes.store(usize::MAX, SeqCst);
    let again = in_time(world.tables.transact(puts(4)));
    assert_eq!(again.await, Ok(false));
    assert!(is_all(&world, 4).await);
}
