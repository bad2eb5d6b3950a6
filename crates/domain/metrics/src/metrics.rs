//! The store, opened and used.

use std::{path::PathBuf, sync::Arc};

use headwater_catalog::Catalog;
use headwater_env::Env;
use headwater_log::{ShardLog, ShardNumber};
use headwater_types::{Millis, kept::ShardSpace};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    Datum, Error, Filter, Metric, Query, Series, keeper, limits,
    read::{Periods, aligned},
    state::State,
    writer::{Beside, Put, Writer},
};

/// The one shard of the journal.
pub(crate) const JOURNAL: ShardNumber = ShardNumber::new(ShardSpace::Metrics, 0);

/// How a store is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of its files; made when it is not there.
    pub dir: PathBuf,
}

/// All metrics of a place.
pub struct Metrics {
    core: Arc<Core>,
    /// The way to the writer; none once the store is closed.
    puts: Mutex<Option<mpsc::Sender<Put>>>,
    /// The end of the writer and the keeper; none once somebody ended them.
    running: tokio::sync::Mutex<Option<Running>>,
}

/// The writer and the keeper, as they are ended.
struct Running {
    /// Resolves when the writer is done, which it is once nobody can put any more.
    writer: oneshot::Receiver<()>,
    /// Tells the keeper to end.
    stop: oneshot::Sender<()>,
    keeper: oneshot::Receiver<()>,
}

/// What a store takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Series that are known.
    pub series: u64,
    /// Bytes of memory that their names take.
    pub series_bytes: u64,
    /// About how many bytes of memory the points take that are in no file yet.
    pub recent_bytes: u64,
    /// Files of points.
    pub files: u64,
    /// Their bytes.
    pub file_bytes: u64,
    /// The points in them.
    pub file_points: u64,
}

/// What the parts of a store share.
pub(crate) struct Core {
    pub env: Env,
    pub catalog: Arc<dyn Catalog>,
    pub log: Arc<dyn ShardLog>,
    pub options: Options,
    pub state: RwLock<State>,
    /// Wakes the keeper, for there is much to fold.
    pub fold_wanted: Arc<Notify>,
    /// Wakes the writer, for it is folded or could not be.
    pub folded: Notify,
    /// Held by the one who looks after files.
    pub keeping: tokio::sync::Mutex<()>,
}

impl Metrics {
    /// Opens the store whose journal is in `log` and whose list of files is in `catalog`.
    ///
    /// # Errors
    /// When the catalog, the log or the disk fails, or what they have is damaged.
    pub async fn open(
        env: Env,
        catalog: Arc<dyn Catalog>,
        log: Arc<dyn ShardLog>,
        options: Options,
    ) -> Result<Arc<Self>, Error> {
        let core = Arc::new(Core {
            env,
            catalog,
            log,
            options,
            state: RwLock::default(),
            fold_wanted: Arc::default(),
            folded: Notify::new(),
            keeping: tokio::sync::Mutex::default(),
        });
        core.recover().await?;
        let (puts, waiting) = mpsc::channel(limits::PUTS_WAITING_MAX);
        let writer = Writer { core: core.clone() };
        let (stop, stopped) = oneshot::channel();
        let keeper = keeper::run(Arc::downgrade(&core), core.env.clone(), stopped);
        let running = Running {
            writer: started(&core.env, writer.run(waiting)),
            stop,
            keeper: started(&core.env, keeper),
        };
        Ok(Arc::new(Self {
            core,
            puts: Mutex::new(Some(puts)),
            running: tokio::sync::Mutex::new(Some(running)),
        }))
    }

    /// Adds data to the periods that they are in: all of them or, where it fails, none; durable when it returns. A caller
    /// that goes away leaves it open whether it was done.
    ///
    /// # Errors
    /// [`Error::TooManySeries`], [`Error::Closed`], or what failed below.
    pub async fn put(&self, data: Vec<Datum>) -> Result<(), Error> {
        self.send(None, data, None).await
    }

    /// The same with a record of another shard of the log, in one append that is whole.
    ///
    /// # Errors
    /// Those of [`Self::put`]. After [`Error::Log`] nobody knows whether both were written or neither.
    pub async fn put_beside(&self, data: Vec<Datum>, beside: Beside) -> Result<(), Error> {
        self.send(None, data, Some(beside)).await
    }

    /// The same with all that the server itself measured in a minute, once: where this minute or a later one is there
    /// already, nothing is done.
    ///
    /// # Errors
    /// Those of [`Self::put`].
    pub async fn put_minute(&self, minute: Millis, data: Vec<Datum>) -> Result<(), Error> {
        self.send(Some(minute), data, None).await
    }

    /// The last minute of the server's own that is durable.
    pub fn last_minute(&self) -> Option<Millis> {
        self.core.state.read().last_minute
    }

    async fn send(
        &self,
        minute: Option<Millis>,
        data: Vec<Datum>,
        beside: Option<Beside>,
    ) -> Result<(), Error> {
        let puts = self.puts.lock().clone().ok_or(Error::Closed)?;
        let (done, answer) = oneshot::channel();
        let put = Put {
            minute,
            data,
            beside,
            done,
        };
        puts.send(put).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// The points of a metric, a series for each unit that it was put with, in the order of units. A metric that nobody
    /// put has none.
    ///
    /// # Errors
    /// When the disk fails or a file is damaged.
    pub async fn read(&self, query: Query) -> Result<Vec<Series>, Error> {
        let from = aligned(query.from, query.period, self.core.env.clock.now());
        let core = self.core.clone();
        let read = move || core.read(&query, from);
        self.core.env.blocking(read).await
    }

    /// At most `limit` metrics that come after `after`, in an order that does not change: those that had a datum in the last
    /// two weeks.
    pub async fn list(&self, filter: &Filter, after: Option<&Metric>, limit: usize) -> Vec<Metric> {
        let now = self.core.env.clock.now();
        self.core.state.read().index.list(filter, after, limit, now)
    }

    /// Folds what was put into files and does with files what is to be done by now, which otherwise happens once an hour and
    /// once a minute.
    ///
    /// # Errors
    /// What failed below; it is tried again later.
    pub async fn maintain(&self) -> Result<(), Error> {
        let core = self.core.clone();
        self.core
            .env
            .to_the_end(async move { core.keep(true).await })
            .await
    }

    /// What it takes.
    pub fn usage(&self) -> Usage {
        let state = self.core.state.read();
        let files = &state.files.manifest.files;
        let folding = state
            .folding
            .as_ref()
            .map_or(0, |folding| folding.recent.weight());
        Usage {
            series: state.index.len() as u64,
            series_bytes: state.index.bytes() as u64,
            recent_bytes: (state.recent.weight() + folding) as u64,
            files: files.len() as u64,
            file_bytes: files.iter().map(|file| file.bytes).sum(),
            file_points: files.iter().map(|file| file.points).sum(),
        }
    }

    /// The reason for which nothing can be folded into files, for the health page.
    ///
    /// # Errors
    /// What failed.
    pub fn health(&self) -> Result<(), Error> {
        self.core.state.read().trouble.clone().map_or(Ok(()), Err)
    }

    /// Finishes what waits and stops. What is in memory is in the journal, and read from there at the next start.
    pub async fn close(&self) {
        drop(self.puts.lock().take());
        if let Some(running) = self.running.lock().await.take() {
            // One that is gone is done, too. The writer may wait for the keeper, so it is ended first.
            let _ = running.writer.await;
            let _ = running.stop.send(());
            let _ = running.keeper.await;
        }
    }
}

/// Starts work; what is returned resolves when it is done.
fn started(env: &Env, work: impl Future<Output = ()> + Send + 'static) -> oneshot::Receiver<()> {
    let (end, ended) = oneshot::channel();
    env.spawn(async move {
        work.await;
        // Perhaps nobody waits for it.
        let _ = end.send(());
    });
    ended
}

impl Core {
    /// The points that are wanted: what is in files, in the order in which it was put, and then what is in memory. Blocks.
    fn read(&self, query: &Query, from: Millis) -> Result<Vec<Series>, Error> {
        let (wanted, files) = {
            // All of one moment, or what is folded meanwhile would be there twice or not at all.
            let state = self.state.read();
            let wanted = state.index.of_metric(&query.metric).into_iter();
            let wanted = wanted.filter(|(unit, _)| query.unit.is_none_or(|wanted| wanted == *unit));
            let wanted: Vec<_> = wanted
                .map(|(unit, id)| (unit, id, state.in_memory(id)))
                .collect();
            (
                wanted,
                state
                    .files
                    .within(from.seconds(), query.to.0.div_ceil(1000)),
            )
        };
        let mut found = Vec::new();
        for (unit, id, memory) in wanted {
            let mut periods = Periods::new(from, query.to, query.period);
            for file in &files {
                periods.add(&file.points(id)?);
            }
            memory.iter().for_each(|dots| periods.add(dots));
            let points = periods.points();
            if !points.is_empty() {
                found.push(Series { unit, points });
            }
        }
        Ok(found)
    }
}
