//! A store of metrics over a simulated log and disk, with a clock that the test moves.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part")]

mod mortal;

use std::{sync::Arc, time::Duration};

use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::{Env, ManualClock, SeededRandom, SimDisk, TokioTasks};
use headwater_log::EmbeddedLog;
use headwater_metrics::{
    Datum, Error, Filter, Metric, Metrics, Options, Point, Query, Summary, Unit, Values,
};
use headwater_types::Millis;
use mortal::Mortal;

/// 2023-11-15T00:00:00Z.
pub const START: Millis = Millis(1_700_006_400_000);
pub const HOUR: u64 = 3600;
pub const DAY: u64 = 24 * HOUR;

pub struct World {
    mortal: Arc<Mortal>,
    pub disk: SimDisk,
    pub clock: Arc<ManualClock>,
    pub env: Env,
    catalog: Arc<dyn Catalog>,
    log: Arc<EmbeddedLog>,
    pub metrics: Arc<Metrics>,
}

/// Small files, so that a few puts make many.
fn options() -> headwater_log::Options {
    headwater_log::Options {
        segment_bytes: 4_000,
        preallocate_bytes: 0,
        maintain_every: None,
        ..headwater_log::Options::new("/log")
    }
}

async fn open(
    env: &Env,
    catalog: Arc<dyn Catalog>,
    log: Arc<EmbeddedLog>,
) -> Result<Arc<Metrics>, Error> {
    let dir = "/metrics".into();
    Metrics::open(env.clone(), catalog, log, Options { dir }).await
}

impl World {
    pub async fn of_seed(seed: u64) -> Self {
        let disk = SimDisk::new(seed);
        let clock = Arc::new(ManualClock::at(START));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(seed)),
            disk: Arc::new(disk.clone()),
            tasks: Arc::new(TokioTasks),
        };
        let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
        let log = Arc::new(EmbeddedLog::open(env.clone(), options()).await.unwrap());
        let mortal = Mortal::of(&catalog);
        Self {
            metrics: open(&env, mortal.clone(), log.clone()).await.unwrap(),
            mortal,
            disk,
            clock,
            env,
            catalog,
            log,
        }
    }

    pub async fn new() -> Self {
        Self::of_seed(7).await
    }

    /// Opens all anew, as a server that starts.
    pub async fn reopen(&mut self) {
        self.metrics.close().await;
        headwater_log::ShardLog::close(&*self.log).await;
        self.open().await;
    }

    /// Cuts the power, and opens all anew.
    pub async fn crash(&mut self) {
        self.mortal.kill();
        self.disk.crash();
        self.open().await;
    }

    async fn open(&mut self) {
        self.mortal = Mortal::of(&self.catalog);
        let log = EmbeddedLog::open(self.env.clone(), options()).await;
        self.log = Arc::new(log.unwrap());
        self.metrics = self.try_open().await.unwrap();
    }

    pub async fn try_open(&self) -> Result<Arc<Metrics>, Error> {
        open(&self.env, self.mortal.clone(), self.log.clone()).await
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn now(&self) -> Millis {
        self.env.clock.now()
    }

    pub fn ago(&self, seconds: u64) -> Millis {
        self.now().minus(Duration::from_secs(seconds))
    }

    pub async fn put(&self, metric: &str, at: Millis, values: &[f64]) {
        self.metrics
            .put(vec![datum(metric, at, values)])
            .await
            .unwrap();
    }

    /// The points of a metric put as counts.
    pub async fn points(&self, metric: &str, from: Millis, to: Millis, period: u64) -> Vec<Point> {
        let query = Query {
            metric: named(metric),
            unit: Some(Unit::Count),
            from,
            to,
            period: u32::try_from(period).unwrap(),
        };
        let mut series = self.metrics.read(query).await.unwrap();
        series.pop().map_or(Vec::new(), |series| series.points)
    }

    /// The same, as seconds since the start and sums.
    pub async fn sums(
        &self,
        metric: &str,
        from: Millis,
        to: Millis,
        period: u64,
    ) -> Vec<(i64, f64)> {
        let points = self.points(metric, from, to, period).await.into_iter();
        let since = |at: Millis| at.seconds() as i64 - START.seconds() as i64;
        points
            .map(|point| (since(point.at), point.summary.sum))
            .collect()
    }

    pub async fn names(&self, filter: &Filter) -> Vec<String> {
        let found = self.metrics.list(filter, None, usize::MAX).await;
        found.into_iter().map(|metric| metric.name).collect()
    }
}

pub fn named(metric: &str) -> Metric {
    Metric::new("space", metric, vec![("d".to_owned(), "1".to_owned())])
}

pub fn datum(metric: &str, at: Millis, values: &[f64]) -> Datum {
    Datum {
        metric: named(metric),
        unit: Unit::Count,
        at,
        is_high_resolution: false,
        values: Values::Each(values.iter().map(|value| (*value, 1.0)).collect()),
    }
}

pub fn summary(values: &[f64]) -> Summary {
    let mut all = Summary::default();
    values
        .iter()
        .for_each(|value| all.add(&Summary::of(*value, 1.0)));
    all
}
