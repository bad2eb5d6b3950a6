//! The suite that every implementation of [`ShardLog`] must pass, and a log that fails, for other tests.
//!
//! Every check uses shards of its own, from a number on that the caller gives, so that the suite runs against a log that
//! holds other things. A failed check panics, as in any test.
#![allow(
    clippy::unwrap_used,
    reason = "this is test code, though it is built as a part of the library"
)]

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{future::join_all, poll};
use headwater_types::Millis;

use crate::{
    Append, AppendError, Appended, Chunk, LogError, NewRecord, ReadLimit, Record, Retention,
    ShardLog, ShardNumber, ShardState,
};

/// Retention under which nothing expires.
pub const FOREVER: Retention = Retention {
    period: Duration::from_secs(1 << 40),
    floor: Millis::ZERO,
};

/// A read without a limit.
pub const ALL: ReadLimit = ReadLimit {
    records: usize::MAX,
    bytes: usize::MAX,
};

/// A log that can be closed and opened again.
pub trait Subject: Sync {
    /// Opens the log: with all that it kept, where it was open before and was closed.
    fn open(&self) -> impl Future<Output = Arc<dyn ShardLog>> + Send;

    /// Lets so much time pass on the clock that records are given their times by.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// Shards that one check may use.
const SHARDS_A_CHECK: u64 = 8;

/// Runs the whole suite against `subject`, in shards from `first` on that were never used before.
pub async fn contract(subject: &impl Subject, first: u64) {
    let mut shards = (first..).step_by(SHARDS_A_CHECK as usize);
    let mut next = || shards.next().unwrap();
    let log = subject.open().await;
    appends_come_back(&*log, shard(next())).await;
    a_batch_is_taken_append_by_append(&*log, next()).await;
    a_whole_batch_is_taken_or_none_of_it(&*log, next()).await;
    reads_keep_to_their_limits(&*log, shard(next())).await;
    shards_that_are_not_known(&*log, next()).await;
    seals(&*log, shard(next())).await;
    waiters(&*log, next()).await;
    removals(&*log, next()).await;
    expiry(subject, &*log, shard(next())).await;
    times(subject, &*log, shard(next())).await;
    callers_that_hang_up(&*log, shard(next())).await;
    many_writers_and_readers(&log, next()).await;
    log.close().await;
    drop(log);
    reopening(subject, next()).await;
    closing(subject, shard(next())).await;
}

/// The shard with this number.
pub fn shard(number: u64) -> ShardNumber {
    ShardNumber(number)
}

/// Appends records with these keys and values to one shard.
pub async fn append<K: AsRef<[u8]>, V: AsRef<[u8]>>(
    log: &dyn ShardLog,
    shard: ShardNumber,
    records: &[(K, V)],
) -> Result<Appended, AppendError> {
    let record = |(key, value): &'_ (K, V)| (key.as_ref().to_vec(), value.as_ref().to_vec());
    let owned: Vec<_> = records.iter().map(record).collect();
    let records: Vec<_> = owned
        .iter()
        .map(|(key, value)| NewRecord { key, value })
        .collect();
    let records = &records[..];
    let mut results = log.append(&[Append { shard, records }]).await;
    assert_eq!(results.len(), 1, "one result an append");
    results.pop().unwrap()
}

/// Appends values with one key to one shard.
pub async fn append_values(log: &dyn ShardLog, shard: ShardNumber, values: &[&str]) -> Appended {
    let records: Vec<_> = values.iter().map(|value| ("k", value)).collect();
    append(log, shard, &records).await.unwrap()
}

/// All readable records from `from` on, in as many reads as it takes.
pub async fn read_all(
    log: &dyn ShardLog,
    shard: ShardNumber,
    from: u64,
) -> Result<Vec<Record>, LogError> {
    let limit = ReadLimit {
        records: 7,
        bytes: 900,
    };
    let (mut records, mut next) = (Vec::new(), from);
    loop {
        let Chunk {
            records: more,
            next: then,
            ..
        } = log.read(shard, next, limit).await?;
        if more.is_empty() {
            return Ok(records);
        }
        records.extend(more);
        next = then;
    }
}

async fn values(log: &dyn ShardLog, shard: ShardNumber, from: u64) -> Vec<String> {
    let text = |record: Record| String::from_utf8(record.value.to_vec()).unwrap();
    let records = read_all(log, shard, from).await.unwrap();
    records.into_iter().map(text).collect()
}

async fn appends_come_back(log: &dyn ShardLog, shard: ShardNumber) {
    log.open_shards(&[shard], FOREVER).await.unwrap();
    assert_eq!(log.state(shard).await, Ok(ShardState::default()));
    let long = vec![7; 100_000];
    let parts: [&[(&[u8], &[u8])]; 3] = [
        &[(b"key", b"value"), (b"", b""), (b"\xff\x00", b"k")],
        &[(b"long", &long)],
        &[(b"", b"\x00"), (&[9; 256], b"")],
    ];
    let (mut expected, mut newest) = (Vec::new(), Millis::ZERO);
    for part in parts {
        let appended = append(log, shard, part).await.unwrap();
        assert_eq!(
            appended.first_offset,
            expected.len() as u64,
            "offsets are dense"
        );
        assert!(appended.time >= newest, "times never decrease");
        newest = appended.time;
        for (offset, (key, value)) in (appended.first_offset..).zip(part) {
            expected.push(Record {
                offset,
                time: newest,
                key: Bytes::copy_from_slice(key),
                value: Bytes::copy_from_slice(value),
            });
        }
        // An acknowledged append shows at once.
        let state = ShardState {
            first: 0,
            end: expected.len() as u64,
            newest,
            sealed: false,
        };
        assert_eq!(log.state(shard).await, Ok(state));
        assert_eq!(read_all(log, shard, 0).await.unwrap(), expected);
    }
    for from in 0..=expected.len() {
        let found = read_all(log, shard, from as u64).await.unwrap();
        assert_eq!(found, expected[from..], "from {from}");
    }
}

async fn a_batch_is_taken_append_by_append(log: &dyn ShardLog, first: u64) {
    let (one, two, unknown) = (shard(first), shard(first + 1), shard(first + 2));
    log.open_shards(&[one, two], FOREVER).await.unwrap();
    let record = |value: &'static str| NewRecord {
        key: b"k",
        value: value.as_bytes(),
    };
    let (a, b, c, d) = (
        [record("a"), record("b")],
        [record("x")],
        [record("y")],
        [record("c")],
    );
    let batch = [(one, &a[..]), (unknown, &b), (two, &c), (one, &d)]
        .map(|(shard, records)| Append { shard, records });
    let results = log.append(&batch).await;
    let offsets: Vec<_> = results
        .into_iter()
        .map(|result| result.map(|appended| appended.first_offset))
        .collect();
    let expected = [Ok(0), Err(AppendError::Unknown(unknown)), Ok(0), Ok(2)];
    assert_eq!(offsets, expected);
    assert_eq!(values(log, one, 0).await, ["a", "b", "c"]);
    assert_eq!(values(log, two, 0).await, ["y"]);
}

async fn reads_keep_to_their_limits(log: &dyn ShardLog, shard: ShardNumber) {
    log.open_shards(&[shard], FOREVER).await.unwrap();
    append_values(log, shard, &["one", "two"]).await;
    append_values(log, shard, &["three"]).await;
    for (records, bytes) in [(10, 1), (10, 8), (1, 1000), (2, 1000), (0, 0)] {
        for from in 0..3 {
            let chunk = log.read(shard, from, ReadLimit { records, bytes }).await;
            let Chunk {
                records: found,
                next,
                state,
            } = chunk.unwrap();
            let size: usize = found.iter().map(|r| r.key.len() + r.value.len()).sum();
            assert!(!found.is_empty(), "at least one record where there is one");
            assert!(found.len() <= records.max(1));
            assert!(size <= bytes || found.len() == 1);
            assert!(found.iter().map(|r| r.offset).eq(from..next));
            assert_eq!((state.first, state.end), (0, 3));
        }
    }
    for past in [3, 4, 1 << 40] {
        let chunk = log.read(shard, past, ALL).await.unwrap();
        assert!(
            chunk.records.is_empty() && chunk.next == 3,
            "past the end is the end"
        );
    }
}

async fn shards_that_are_not_known(log: &dyn ShardLog, first: u64) {
    let unknown = shard(first);
    let error = LogError::Unknown(unknown);
    assert_eq!(log.state(unknown).await, Err(error.clone()));
    assert_eq!(log.read(unknown, 0, ALL).await.err().as_ref(), Some(&error));
    assert_eq!(
        log.offset_at(unknown, Millis::ZERO).await,
        Err(error.clone())
    );
    assert_eq!(log.seal(unknown).await, Err(error));
    assert_eq!(
        append(log, unknown, &[("k", "v")]).await,
        Err(AppendError::Unknown(unknown))
    );
    log.wait(unknown, 0).await;
    log.remove_shards(&[unknown]).await.unwrap();
    assert!(!log.shards().await.unwrap().contains(&unknown));
    log.open_shards(&[], FOREVER).await.unwrap();
}

async fn a_whole_batch_is_taken_or_none_of_it(log: &dyn ShardLog, first: u64) {
    let [one, two, unknown] = [first, first + 1, first + 2].map(shard);
    log.open_shards(&[one, two], FOREVER).await.unwrap();
    let record = |value: &'static str| NewRecord {
        key: b"k",
        value: value.as_bytes(),
    };
    let (a, b) = ([record("a"), record("b")], [record("c")]);
    let to = |shard, records| Append { shard, records };
    let batch = [to(one, &a), to(two, &b), to(one, &b)];
    let offsets = log.append_whole(&batch).await.unwrap().into_iter();
    let offsets: Vec<_> = offsets.map(|appended| appended.first_offset).collect();
    assert_eq!(offsets, [0, 0, 2]);
    let refused = log.append_whole(&[to(one, &a), to(unknown, &b)]).await;
    assert_eq!(refused, Err(AppendError::Unknown(unknown)));
    log.seal(two).await.unwrap();
    let refused = log.append_whole(&[to(one, &a), to(two, &b)]).await;
    assert_eq!(refused, Err(AppendError::Sealed));
    assert_eq!(append_values(log, one, &["d"]).await.first_offset, 3);
    assert_eq!(values(log, one, 0).await, ["a", "b", "c", "d"]);
    assert_eq!(values(log, two, 0).await, ["c"]);
}

async fn seals(log: &dyn ShardLog, shard: ShardNumber) {
    log.open_shards(&[shard], FOREVER).await.unwrap();
    append_values(log, shard, &["a"]).await;
    // An append from before the seal is taken, and one from after it is refused.
    let records = [("k", "b")];
    let (before, end, after) = {
        let before = append(log, shard, &records);
        let sealed = log.seal(shard);
        let after = append(log, shard, &records);
        futures_util::join!(before, sealed, after)
    };
    assert_eq!(before.map(|appended| appended.first_offset), Ok(1));
    assert_eq!(
        (end, after),
        (Ok(2), Err(AppendError::Sealed)),
        "a seal is in order with the appends"
    );
    assert_eq!(log.seal(shard).await, Ok(2));
    assert_eq!(append(log, shard, &records).await, Err(AppendError::Sealed));
    let state = log.state(shard).await.unwrap();
    assert!(state.sealed && state.end == 2);
    assert_eq!(values(log, shard, 0).await, ["a", "b"]);
    log.wait(shard, 5).await;
    log.open_shards(&[shard], FOREVER).await.unwrap();
    assert!(
        log.state(shard).await.unwrap().sealed,
        "to open a shard again does not unseal it"
    );
}

async fn waiters(log: &dyn ShardLog, first: u64) {
    let shards = [first, first + 1, first + 2].map(shard);
    log.open_shards(&shards, FOREVER).await.unwrap();
    append_values(log, shards[0], &["a"]).await;
    log.wait(shards[0], 0).await;
    let waits = [(0, 1), (1, 0), (2, 0)].map(|(shard, offset)| log.wait(shards[shard], offset));
    let wake = async {
        append_values(log, shards[0], &["b"]).await;
        log.seal(shards[1]).await.unwrap();
        log.remove_shards(&shards[2..]).await.unwrap();
    };
    futures_util::join!(join_all(waits), wake);
}

async fn removals(log: &dyn ShardLog, first: u64) {
    let (kept, removed) = (shard(first), [shard(first + 1), shard(first + 2)]);
    let all = [kept, removed[0], removed[1]];
    log.open_shards(&all, FOREVER).await.unwrap();
    for shard in all {
        append_values(log, shard, &["a"]).await;
    }
    let known = log.shards().await.unwrap();
    assert!(
        known.is_sorted() && all.iter().all(|shard| known.contains(shard)),
        "{known:?}"
    );
    log.remove_shards(&removed).await.unwrap();
    let known = log.shards().await.unwrap();
    assert!(known.contains(&kept) && !removed.iter().any(|shard| known.contains(shard)));
    for shard in removed {
        assert_eq!(log.state(shard).await, Err(LogError::Unknown(shard)));
    }
    log.remove_shards(&all[1..]).await.unwrap();
    assert_eq!(values(log, kept, 0).await, ["a"]);
}

async fn expiry(subject: &impl Subject, log: &dyn ShardLog, shard: ShardNumber) {
    const PERIOD: Duration = Duration::from_secs(60);
    let retention = Retention {
        period: PERIOD,
        floor: Millis::ZERO,
    };
    log.open_shards(&[shard], retention).await.unwrap();
    for value in ["a", "b", "c"] {
        append_values(log, shard, &[value, value]).await;
        subject.pass(PERIOD / 3).await;
    }
    // A moment more, for what is as old as the period is not yet expired.
    subject.pass(Duration::from_millis(1)).await;
    let state = log.state(shard).await.unwrap();
    assert_eq!((state.first, state.end), (2, 6));
    assert_eq!(values(log, shard, 0).await, ["b", "b", "c", "c"]);
    assert_eq!(log.read(shard, 1, ALL).await.unwrap().records[0].offset, 2);
    assert_eq!(log.offset_at(shard, Millis::ZERO).await, Ok(2));
    subject.pass(PERIOD).await;
    let state = log.state(shard).await.unwrap();
    assert_eq!(
        (state.first, state.end, state.sealed),
        (6, 6, false),
        "a shard outlives its records"
    );
    assert_eq!(append_values(log, shard, &["d"]).await.first_offset, 6);
    // A record from before the floor is expired, however long the period.
    let newest = append_values(log, shard, &["e"]).await.time;
    subject.pass(Duration::from_millis(1)).await;
    let kept = append_values(log, shard, &["f"]).await;
    assert!(kept.time > newest);
    let floor = Retention {
        floor: kept.time,
        ..FOREVER
    };
    log.open_shards(&[shard], floor).await.unwrap();
    assert_eq!(values(log, shard, 0).await, ["f"]);
}

async fn times(subject: &impl Subject, log: &dyn ShardLog, shard: ShardNumber) {
    log.open_shards(&[shard], FOREVER).await.unwrap();
    assert_eq!(log.offset_at(shard, Millis::ZERO).await, Ok(0));
    let mut appended = Vec::new();
    for value in ["a", "b", "c", "d"] {
        appended.push(append_values(log, shard, &[value, value]).await);
        subject.pass(Duration::from_millis(10)).await;
    }
    for Appended { first_offset, time } in &appended {
        assert_eq!(log.offset_at(shard, *time).await, Ok(*first_offset));
        let after = Millis(time.0 + 1);
        assert_eq!(log.offset_at(shard, after).await, Ok(first_offset + 2));
    }
    assert_eq!(log.offset_at(shard, Millis::ZERO).await, Ok(0));
    assert_eq!(log.offset_at(shard, Millis(u64::MAX)).await, Ok(8));
}

async fn callers_that_hang_up(log: &dyn ShardLog, shard: ShardNumber) {
    log.open_shards(&[shard], FOREVER).await.unwrap();
    for round in 0..10 {
        // Asked for and dropped: it may happen, but then whole.
        let records = [
            ("k", format!("{round} first")),
            ("k", format!("{round} second")),
        ];
        let _ = poll!(pin!(append(log, shard, &records)));
        append_values(log, shard, &["in between"]).await;
    }
    let found = read_all(log, shard, 0).await.unwrap();
    assert!(found.iter().map(|r| r.offset).eq(0..found.len() as u64));
    let values = values(log, shard, 0).await;
    assert_eq!(
        values.iter().filter(|value| *value == "in between").count(),
        10
    );
    for pair in values.chunk_by(|one, next| one.as_bytes()[0] == next.as_bytes()[0]) {
        let rounds: Vec<_> = pair.iter().filter(|value| *value != "in between").collect();
        assert!(
            rounds.is_empty() || rounds.len() == 2,
            "a half of an append: {pair:?}"
        );
    }
}

async fn many_writers_and_readers(log: &Arc<dyn ShardLog>, first: u64) {
    const WRITERS: usize = 8;
    const EACH: u64 = 60;
    const RECORDS: u64 = WRITERS as u64 * EACH;
    let shards = [shard(first), shard(first + 1)];
    log.open_shards(&shards, FOREVER).await.unwrap();
    let write = async |writer: usize| {
        for i in 0..EACH {
            let text = format!("{writer} {i}");
            let records = [NewRecord {
                key: b"k",
                value: text.as_bytes(),
            }];
            let records = &records[..];
            let batch = shards.map(|shard| Append { shard, records });
            assert!(log.append(&batch).await.iter().all(Result::is_ok));
        }
    };
    let limit = ReadLimit {
        records: 40,
        bytes: 4000,
    };
    let read = async |shard| {
        let (mut next, mut seen) = (0, [0; WRITERS]);
        while next < RECORDS {
            log.wait(shard, next).await;
            let chunk = log.read(shard, next, limit).await.unwrap();
            for record in chunk.records {
                assert_eq!(record.offset, next, "no gap, and none twice");
                next += 1;
                let text = String::from_utf8(record.value.to_vec()).unwrap();
                let (writer, i) = text.split_once(' ').unwrap();
                let seen = &mut seen[writer.parse::<usize>().unwrap()];
                assert_eq!(i, seen.to_string(), "each writer's records in their order");
                *seen += 1;
            }
        }
    };
    let writers = join_all((0..WRITERS).map(write));
    let readers = join_all([shards[0], shards[0], shards[1]].map(read));
    futures_util::join!(writers, readers);
}

async fn reopening(subject: &impl Subject, first: u64) {
    let [full, sealed, removed, new] = [0, 1, 2, 3].map(|i| shard(first + i));
    let log = subject.open().await;
    log.open_shards(&[full, sealed, removed], FOREVER)
        .await
        .unwrap();
    for round in 0..20 {
        let value = format!("{round} {}", "x".repeat(round * 20));
        for shard in [full, sealed, removed] {
            append_values(&*log, shard, &[&value]).await;
        }
    }
    log.seal(sealed).await.unwrap();
    log.remove_shards(&[removed]).await.unwrap();
    let (mut states, mut records) = (Vec::new(), Vec::new());
    for shard in [full, sealed] {
        states.push(log.state(shard).await.unwrap());
        records.push(read_all(&*log, shard, 0).await.unwrap());
    }
    log.close().await;
    drop(log);

    let log = subject.open().await;
    let known = log.shards().await.unwrap();
    assert!(known.contains(&full) && known.contains(&sealed));
    log.open_shards(&[full, sealed, new], FOREVER)
        .await
        .unwrap();
    log.remove_shards(&[removed]).await.unwrap();
    assert!(!log.shards().await.unwrap().contains(&removed));
    for ((shard, state), records) in [full, sealed].into_iter().zip(states).zip(records) {
        assert_eq!(log.state(shard).await, Ok(state));
        assert_eq!(read_all(&*log, shard, 0).await.unwrap(), records);
    }
    assert_eq!(
        append(&*log, sealed, &[("k", "v")]).await,
        Err(AppendError::Sealed)
    );
    assert_eq!(append_values(&*log, full, &["on"]).await.first_offset, 20);
    assert_eq!(append_values(&*log, new, &["on"]).await.first_offset, 0);
    log.close().await;
}

async fn closing(subject: &impl Subject, shard: ShardNumber) {
    let log = subject.open().await;
    log.open_shards(&[shard], FOREVER).await.unwrap();
    assert_eq!(log.health(), Ok(()));
    let records = [("k", "v")];
    let appending = append(&*log, shard, &records);
    let (appended, ..) = futures_util::join!(appending, log.wait(shard, 7), log.close());
    assert!(
        appended.is_ok(),
        "what was under way is finished: {appended:?}"
    );
    assert_eq!(
        append(&*log, shard, &[("k", "late")]).await,
        Err(AppendError::Log(LogError::Closed))
    );
    log.wait(shard, 9).await;
    log.close().await;
    drop(log);
    let log = subject.open().await;
    log.open_shards(&[shard], FOREVER).await.unwrap();
    assert_eq!(values(&*log, shard, 0).await, ["v"]);
    log.close().await;
}

/// A log that cannot be reached when it is told so.
pub struct MortalLog {
    log: Arc<dyn ShardLog>,
    is_dead: AtomicBool,
}

impl MortalLog {
    /// `log`, which can be reached.
    pub fn new(log: Arc<dyn ShardLog>) -> Self {
        Self {
            log,
            is_dead: AtomicBool::new(false),
        }
    }

    /// Lets every call fail that can.
    pub fn fail(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
    }

    /// Lets calls pass again.
    pub fn mend(&self) {
        self.is_dead.store(false, Ordering::SeqCst);
    }
}

#[async_trait]
impl ShardLog for MortalLog {
    async fn open_shards(
        &self,
        shards: &[ShardNumber],
        retention: Retention,
    ) -> Result<(), LogError> {
        self.health()?;
        self.log.open_shards(shards, retention).await
    }

    async fn remove_shards(&self, shards: &[ShardNumber]) -> Result<(), LogError> {
        self.health()?;
        self.log.remove_shards(shards).await
    }

    async fn shards(&self) -> Result<Vec<ShardNumber>, LogError> {
        self.health()?;
        self.log.shards().await
    }

    async fn append(&self, batch: &[Append<'_>]) -> Vec<Result<Appended, AppendError>> {
        match self.health() {
            Ok(()) => self.log.append(batch).await,
            Err(error) => vec![Err(AppendError::Log(error)); batch.len()],
        }
    }

    async fn append_whole(&self, batch: &[Append<'_>]) -> Result<Vec<Appended>, AppendError> {
        self.health()?;
        self.log.append_whole(batch).await
    }

    async fn settle(&self) -> Result<(), LogError> {
        self.health()?;
        self.log.settle().await
    }

    async fn read(
        &self,
        shard: ShardNumber,
        from: u64,
        limit: ReadLimit,
    ) -> Result<Chunk, LogError> {
        self.health()?;
        self.log.read(shard, from, limit).await
    }

    async fn offset_at(&self, shard: ShardNumber, time: Millis) -> Result<u64, LogError> {
        self.health()?;
        self.log.offset_at(shard, time).await
    }

    async fn state(&self, shard: ShardNumber) -> Result<ShardState, LogError> {
        self.health()?;
        self.log.state(shard).await
    }

    async fn wait(&self, shard: ShardNumber, offset: u64) {
        self.log.wait(shard, offset).await;
    }

    async fn seal(&self, shard: ShardNumber) -> Result<u64, LogError> {
        self.health()?;
        self.log.seal(shard).await
    }

    async fn close(&self) {
        self.log.close().await;
    }

    fn health(&self) -> Result<(), LogError> {
        if self.is_dead.load(Ordering::SeqCst) {
            return Err(LogError::Unreachable("the log is dead".into()));
        }
        self.log.health()
    }
}
