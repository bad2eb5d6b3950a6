//! The embedded catalog: one SQLite file, one writer, commits that waited together made durable together.
//! `docs/format/catalog.md` describes the file.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_env::Env;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Catalog, CatalogError, Change, Version, Versioned,
    api::{after_commit, is_expected},
    limits, wal,
};

const APPLICATION_ID: i64 = 0x4857_4354;
const FORMAT_VERSION: i64 = 1;

/// Where the catalog is and how it is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of the file; it is made when it is not there.
    pub dir: PathBuf,
    /// Whether a commit waits for the disk.
    pub sync: bool,
}

/// A catalog in one SQLite file.
pub struct SqliteCatalog {
    env: Env,
    readers: Arc<Readers>,
    writer: mpsc::Sender<Commit>,
}

struct Commit {
    changes: Vec<Change>,
    done: oneshot::Sender<Result<Vec<Version>, CatalogError>>,
}

impl SqliteCatalog {
    /// Opens the catalog in `options.dir`, or makes it.
    pub fn open(env: Env, options: Options) -> Result<Self, CatalogError> {
        env.disk
            .create_dir_all(&options.dir)
            .map_err(|e| CatalogError::Failed(e.to_string().into()))?;
        let path = options.dir.join("catalog.sqlite");
        if options.sync {
            check_log(&env, &options.dir.join("catalog.sqlite-wal"))?;
        }
        let connection = connect(&path, options.sync)?;
        prepare(&connection)?;
        fold_log(&connection);
        let readers = (0..limits::READERS).map(|_| connect(&path, options.sync).map(Mutex::new));
        let readers = Arc::new(Readers(readers.collect::<Result<_, _>>()?));
        let (writer, commits) = mpsc::channel(limits::COMMITS_WAITING_MAX);
        env.tasks.thread(
            "catalog",
            Box::new(move || write_until_closed(connection, commits)),
        );
        Ok(Self {
            env,
            readers,
            writer,
        })
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, CatalogError> {
        let readers = self.readers.clone();
        self.env.blocking(move || readers.with(work)).await
    }
}

#[async_trait]
impl Catalog for SqliteCatalog {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        let key = key.to_owned();
        self.read(move |connection| {
            let mut select = connection
                .prepare_cached("SELECT version, crc, value FROM entries WHERE key = ?1")?;
            let row = select.query_row([key.as_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            });
            row.optional()?
                .map(|(version, crc, value)| check(&key, version, crc, value))
                .transpose()
        })
        .await
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.read(move |connection| scan(connection, &prefix, after.as_deref(), limit))
            .await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Version>, CatalogError> {
        if let Some(change) = changes.iter().find(|c| c.key.len() > limits::KEY_BYTES_MAX) {
            return Err(CatalogError::Failed(
                format!("a key of {} bytes is too long", change.key.len()).into(),
            ));
        }
        let (done, result) = oneshot::channel();
        let closed = || CatalogError::Failed("the catalog is closed".into());
        self.writer
            .send(Commit { changes, done })
            .await
            .map_err(|_| closed())?;
        result.await.map_err(|_| closed())?
    }
}

struct Readers(Vec<Mutex<Connection>>);

impl Readers {
    /// Runs `work` on a connection that is free, or waits for the first.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> T) -> T {
        let free = self.0.iter().find_map(Mutex::try_lock);
        work(&free.unwrap_or_else(|| self.0[0].lock()))
    }
}

fn connect(path: &std::path::Path, sync: bool) -> Result<Connection, CatalogError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", if sync { "FULL" } else { "OFF" })?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(connection)
}

/// Makes the table in a new file; refuses a file of another program or of a newer Headwater.
fn prepare(connection: &Connection) -> Result<(), CatalogError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    match (pragma("application_id")?, pragma("user_version")?) {
        (APPLICATION_ID, FORMAT_VERSION) => Ok(()),
        (0, 0) => Ok(connection.execute_batch(&format!(
            "BEGIN;
             CREATE TABLE entries (
                 key BLOB PRIMARY KEY, version INTEGER NOT NULL, crc INTEGER NOT NULL, value BLOB NOT NULL
             ) WITHOUT ROWID;
             PRAGMA application_id = {APPLICATION_ID};
             PRAGMA user_version = {FORMAT_VERSION};
             COMMIT;"
        ))?),
        (APPLICATION_ID, newer) => Err(CatalogError::Failed(
            format!("the catalog has format {newer}, this program knows {FORMAT_VERSION}: use a newer one")
                .into(),
        )),
        _ => Err(CatalogError::Failed("catalog.sqlite belongs to another program".into())),
    }
}

/// Looks for damage that SQLite would take for the log's end.
fn check_log(env: &Env, path: &std::path::Path) -> Result<(), CatalogError> {
    match env.disk.open_read(path) {
        Ok(file) => wal::check(&*file),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(CatalogError::Failed(
            format!("{}: {e}", path.display()).into(),
        )),
    }
}

/// Takes the log into the file. Where there is no room for that, the log stands for it as before.
fn fold_log(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::warn!(%error, "the catalog's log stays as it is");
    }
}

/// The writer: takes all commits that wait, makes them durable with one transaction, answers them.
fn write_until_closed(mut connection: Connection, mut commits: mpsc::Receiver<Commit>) {
    let mut waiting = Vec::new();
    while commits.blocking_recv_many(&mut waiting, limits::COMMITS_A_WRITE_MAX) > 0 {
        let results = write_together(&mut connection, &waiting);
        for (commit, result) in waiting.drain(..).zip(results) {
            // A caller that went away does not want its answer.
            drop(commit.done.send(result));
        }
    }
    fold_log(&connection);
}

fn write_together(
    connection: &mut Connection,
    commits: &[Commit],
) -> Vec<Result<Vec<Version>, CatalogError>> {
    transact(connection, commits).unwrap_or_else(|error| {
        tracing::error!(%error, "the catalog could not write");
        vec![Err(error); commits.len()]
    })
}

/// A conflict concerns its own commit; any other failure concerns all, and drops the transaction.
fn transact(
    connection: &mut Connection,
    commits: &[Commit],
) -> Result<Vec<Result<Vec<Version>, CatalogError>>, CatalogError> {
    // A transaction that reads first and finds another connection's change when it writes is refused without a wait.
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut results = Vec::with_capacity(commits.len());
    for commit in commits {
        match write_one(&mut transaction, &commit.changes) {
            Err(failed) if !matches!(failed, CatalogError::Conflict { .. }) => return Err(failed),
            result => results.push(result),
        }
    }
    transaction.commit()?;
    Ok(results)
}

fn write_one(
    transaction: &mut rusqlite::Transaction<'_>,
    changes: &[Change],
) -> Result<Vec<Version>, CatalogError> {
    let together = transaction.savepoint()?;
    let versions = changes
        .iter()
        .map(|change| apply(&together, change))
        .collect::<Result<_, _>>()?;
    together.commit()?;
    Ok(versions)
}

fn apply(connection: &Connection, change: &Change) -> Result<Version, CatalogError> {
    let key = change.key.as_bytes();
    let mut select = connection.prepare_cached("SELECT version FROM entries WHERE key = ?1")?;
    let current: Option<i64> = select.query_row([key], |row| row.get(0)).optional()?;
    let current = current.map(|version| Version(version as u64));
    if !is_expected(change, current) {
        return Err(CatalogError::Conflict {
            key: change.key.clone(),
        });
    }
    let version = after_commit(change, current);
    match &change.value {
        Some(value) => connection
            .prepare_cached(
                "INSERT OR REPLACE INTO entries (key, version, crc, value) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                key,
                version.0 as i64,
                checksum(key, version, value),
                value.as_ref()
            ])?,
        None => connection
            .prepare_cached("DELETE FROM entries WHERE key = ?1")?
            .execute([key])?,
    };
    Ok(version)
}

fn scan(
    connection: &Connection,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, Versioned)>, CatalogError> {
    let mut select = connection.prepare_cached(
        "SELECT key, version, crc, value FROM entries
         WHERE key >= ?1 AND key > ?2 AND (?3 IS NULL OR key < ?3) ORDER BY key LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let after = after.unwrap_or("").as_bytes();
    let rows = select.query_map(
        params![prefix.as_bytes(), after, end_of_prefix(prefix), limit],
        |row| {
            Ok((
                row.get::<_, Vec<u8>>(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
            ))
        },
    )?;
    let mut found = Vec::new();
    for row in rows {
        let (key, version, crc, value) = row?;
        let key = String::from_utf8_lossy(&key).into_owned();
        let value = check(&key, version, crc, value)?;
        found.push((key, value));
    }
    Ok(found)
}

/// The first bytes after all that start with `prefix`; none when nothing comes after.
fn end_of_prefix(prefix: &str) -> Option<Vec<u8>> {
    let mut end = prefix.as_bytes().to_vec();
    // UTF-8 has no byte 255, so the last byte can always be one more.
    *end.last_mut()? += 1;
    Some(end)
}

fn checksum(key: &[u8], version: Version, value: &[u8]) -> i64 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    digest.update(key);
    digest.update(&version.0.to_le_bytes());
    digest.update(value);
    digest.finalize() as i64
}

fn check(key: &str, version: i64, crc: i64, value: Vec<u8>) -> Result<Versioned, CatalogError> {
    let version = Version(version as u64);
    if checksum(key.as_bytes(), version, &value) != crc {
        return Err(CatalogError::Damaged {
            key: key.to_owned(),
            what: "its checksum is wrong".into(),
        });
    }
    Ok(Versioned {
        value: Bytes::from(value),
        version,
    })
}

impl From<rusqlite::Error> for CatalogError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Failed(error.to_string().into()),
        }
    }
}
