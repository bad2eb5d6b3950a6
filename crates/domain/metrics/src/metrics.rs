//! The store, opened and used.

use std::{path::PathBuf, sync::Arc, time::Duration};

use headwater_catalog::Catalog;
use headwater_env::Env;
use headwater_log::{ReadLimit, Retention, ShardLog, ShardNumber};
use headwater_types::{Millis, kept::ShardSpace};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Datum, Error, Filter, Metric, Query, Series,
    journal::Record,
    limits,
    read::{Periods, aligned},
    recent::Level,
    state::State,
    writer::{Put, Writer},
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
    /// Tells when the writer is done.
    ended: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

/// What the parts of a store share.
pub(crate) struct Core {
    pub env: Env,
    pub catalog: Arc<dyn Catalog>,
    pub log: Arc<dyn ShardLog>,
    pub options: Options,
    pub state: RwLock<State>,
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
        });
        core.replay().await?;
        let (puts, waiting) = mpsc::channel(limits::PUTS_WAITING_MAX);
        let (end, ended) = oneshot::channel();
        let writer = Writer { core: core.clone() };
        core.env.spawn(async move {
            writer.run(waiting).await;
            // Nobody may wait for it.
            let _ = end.send(());
        });
        Ok(Arc::new(Self {
            core,
            puts: Mutex::new(Some(puts)),
            ended: tokio::sync::Mutex::new(Some(ended)),
        }))
    }

    /// Adds data to the periods that they are in: all of them or, where it fails, none; durable when it returns. A caller
    /// that goes away leaves it open whether it was done.
    ///
    /// # Errors
    /// [`Error::TooManySeries`], [`Error::Closed`], or what failed below.
    pub async fn put(&self, data: Vec<Datum>) -> Result<(), Error> {
        self.send(None, data).await
    }

    /// The same with all that the server itself measured in a minute, once: where this minute or a later one is there
    /// already, nothing is done.
    ///
    /// # Errors
    /// Those of [`Self::put`].
    pub async fn put_minute(&self, minute: Millis, data: Vec<Datum>) -> Result<(), Error> {
        self.send(Some(minute), data).await
    }

    /// The last minute of the server's own that is durable.
    pub fn last_minute(&self) -> Option<Millis> {
        self.core.state.read().last_minute
    }

    async fn send(&self, minute: Option<Millis>, data: Vec<Datum>) -> Result<(), Error> {
        let puts = self.puts.lock().clone().ok_or(Error::Closed)?;
        let (done, answer) = oneshot::channel();
        let put = Put { minute, data, done };
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
        let state = self.core.state.read();
        let wanted = state.index.of_metric(&query.metric).into_iter();
        let wanted = wanted.filter(|(unit, _)| query.unit.is_none_or(|wanted| wanted == *unit));
        let series = wanted.map(|(unit, id)| {
            let mut periods = Periods::new(from, query.to, query.period);
            for level in [Level::Second, Level::Minute] {
                periods.add(state.recent.of(level, id));
            }
            Series {
                unit,
                points: periods.points(),
            }
        });
        Ok(series.filter(|series| !series.points.is_empty()).collect())
    }

    /// At most `limit` metrics that come after `after`, in an order that does not change: those that had a datum in the last
    /// two weeks.
    pub async fn list(&self, filter: &Filter, after: Option<&Metric>, limit: usize) -> Vec<Metric> {
        let now = self.core.env.clock.now();
        self.core.state.read().index.list(filter, after, limit, now)
    }

    /// Finishes what waits and stops.
    pub async fn close(&self) {
        drop(self.puts.lock().take());
        if let Some(ended) = self.ended.lock().await.take() {
            // A writer that is gone is done, too.
            let _ = ended.await;
        }
    }
}

impl Core {
    /// Reads what was put since the last fold.
    async fn replay(&self) -> Result<(), Error> {
        const FOREVER: Duration = Duration::from_secs(365_000 * 24 * 3600);
        let retention = Retention {
            period: FOREVER,
            floor: Millis::ZERO,
        };
        self.log.open_shards(&[JOURNAL], retention).await?;
        let limit = ReadLimit {
            records: usize::MAX,
            bytes: limits::REPLAY_BYTES,
        };
        let mut next = 0;
        loop {
            let chunk = self.log.read(JOURNAL, next, limit).await?;
            if chunk.records.is_empty() {
                return Ok(());
            }
            for record in &chunk.records {
                let decoded = Record::decode(&record.value).ok_or(Error::Damaged {
                    file: "the journal of metrics".into(),
                    what: "a record is none of this version",
                })?;
                self.state.write().apply(&decoded);
            }
            next = chunk.next;
        }
    }
}
