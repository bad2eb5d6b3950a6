//! The embedded catalog: one SQLite file, one writer, commits that waited together made durable together.
//! `docs/format/catalog.md` describes the file.

mod format;
mod rows;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use headwater_env::Env;
use parking_lot::Mutex;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Catalog, CatalogError, Change, Version, Versioned,
    api::{check_keys, writes},
    limits, wal,
};

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
    writer: Writer,
}

struct Commit {
    changes: Vec<Change>,
    done: oneshot::Sender<Result<Version, CatalogError>>,
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
        format::prepare(&connection)?;
        fold_log(&connection);
        let readers = (0..limits::READERS)
            .map(|_| connect(&path, options.sync).map(|it| Mutex::new(Some(it))));
        let readers = Arc::new(Readers(readers.collect::<Result<_, _>>()?));
        let writer = Writer::start(&env, connection);
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

impl Drop for SqliteCatalog {
    fn drop(&mut self) {
        // A read goes on, or is about to begin, when its caller has gone away.
        self.readers.close();
    }
}

#[async_trait]
impl Catalog for SqliteCatalog {
    async fn get(&self, key: &str) -> Result<Option<Versioned>, CatalogError> {
        let key = key.to_owned();
        self.read(move |connection| rows::get(connection, &key))
            .await
    }

    async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, CatalogError> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.read(move |connection| rows::scan(connection, &prefix, after.as_deref(), limit))
            .await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Version, CatalogError> {
        check_keys(&changes)?;
        let (done, result) = oneshot::channel();
        self.writer.send(Commit { changes, done }).await?;
        result.await.map_err(|_| closed())?
    }
}

fn closed() -> CatalogError {
    CatalogError::Failed("the catalog is closed".into())
}

/// The thread that writes. A drop waits until it has folded the log and closed the file, as the last to do so: the next to
/// open the folder would otherwise read the log while it is cut.
struct Writer {
    commits: Option<mpsc::Sender<Commit>>,
    ended: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Writer {
    fn start(env: &Env, connection: Connection) -> Self {
        let (sender, commits) = mpsc::channel(limits::COMMITS_WAITING_MAX);
        let (end, ended) = std::sync::mpsc::sync_channel(0);
        env.tasks.thread(
            "catalog",
            Box::new(move || {
                write_until_closed(connection, commits);
                drop(end);
            }),
        );
        Self {
            commits: Some(sender),
            ended: Mutex::new(ended),
        }
    }

    async fn send(&self, commit: Commit) -> Result<(), CatalogError> {
        let commits = self.commits.as_ref().ok_or_else(closed)?;
        commits.send(commit).await.map_err(|_| closed())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.commits = None;
        // Nothing is ever sent: the wait ends when the thread drops its end.
        self.ended.get_mut().recv().unwrap_or_default();
    }
}

/// The connections for reads, until they are closed.
struct Readers(Vec<Mutex<Option<Connection>>>);

impl Readers {
    /// Runs `work` on a connection that is free, or waits for the first.
    fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        let free = self.0.iter().find_map(Mutex::try_lock);
        let reader = free.unwrap_or_else(|| self.0[0].lock());
        work(reader.as_ref().ok_or_else(closed)?)
    }

    /// Closes each connection once the read that has it is done; those that come later fail.
    fn close(&self) {
        self.0.iter().for_each(|reader| drop(reader.lock().take()));
    }
}

fn connect(path: &std::path::Path, sync: bool) -> Result<Connection, CatalogError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", if sync { "FULL" } else { "OFF" })?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(connection)
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
) -> Vec<Result<Version, CatalogError>> {
    transact(connection, commits).unwrap_or_else(|error| {
        tracing::error!(%error, "the catalog could not write");
        vec![Err(error); commits.len()]
    })
}

fn transact(
    connection: &mut Connection,
    commits: &[Commit],
) -> Result<Vec<Result<Version, CatalogError>>, CatalogError> {
    // A transaction that reads first and finds another connection's change when it writes is refused without a wait.
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let first = rows::revision(&transaction)?;
    let mut newest = first;
    let mut results = Vec::with_capacity(commits.len());
    for commit in commits {
        let revision = Version(newest.0 + u64::from(writes(&commit.changes)));
        match write_one(&mut transaction, &commit.changes, revision) {
            Ok(()) => {
                newest = revision;
                results.push(Ok(revision));
            }
            Err(conflict @ CatalogError::Conflict { .. }) => results.push(Err(conflict)),
            Err(failed) => return Err(failed),
        }
    }
    if newest != first {
        rows::set_revision(&transaction, newest)?;
    }
    transaction.commit()?;
    Ok(results)
}

/// Makes all changes of a commit, or none.
fn write_one(
    transaction: &mut rusqlite::Transaction<'_>,
    changes: &[Change],
    revision: Version,
) -> Result<(), CatalogError> {
    let together = transaction.savepoint()?;
    for change in changes {
        rows::apply(&together, change, revision)?;
    }
    Ok(together.commit()?)
}
