//! The store against a model of what it says: random puts, also late ones and by the second, folds, time that passes so
//! that levels are summed up, restarts and lost power. What was acknowledged is counted once, and what was not is there
//! whole or not at all.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::{collections::BTreeMap, time::Duration};

use headwater_metrics::{Datum, Summary, Values};
use headwater_types::Millis;
use proptest::prelude::*;
use support::{DAY, HOUR, START, World, datum, named};

const SERIES: [&str; 4] = ["a", "b", "c", "d"];

/// One datum: series, seconds ago, value in quarters, whether it is by the second.
type One = (usize, u64, u32, bool);

#[derive(Debug, Clone)]
enum Step {
    Put(Vec<One>),
    /// A minute of the server's own, as many minutes behind the last.
    Minute(Vec<One>, u64),
    Maintain,
    /// The disk stops after so many steps of a put and of a round of maintenance, and the power is lost.
    CutShort(Vec<One>, u64),
    Pass(u64),
    Reopen,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ago = prop_oneof![
        5 => 0u64..120,
        2 => 0u64..5 * HOUR,
        2 => 0u64..14 * DAY,
    ];
    let one = (0..SERIES.len(), ago, 0u32..4000, any::<bool>());
    let some = || prop::collection::vec(one.clone(), 1..6);
    let step = prop_oneof![
        8 => some().prop_map(Step::Put),
        3 => (some(), 0u64..3).prop_map(|(some, minutes)| Step::Minute(some, minutes)),
        4 => Just(Step::Maintain),
        4 => (some(), 0u64..60).prop_map(|(some, steps)| Step::CutShort(some, steps)),
        3 => (1u64..2 * HOUR).prop_map(Step::Pass),
        2 => (1u64..20 * DAY).prop_map(Step::Pass),
        1 => Just(Step::Reopen),
        2 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..30)
}

#[derive(Default)]
struct Model {
    /// What each series has, by the millisecond.
    data: Vec<(usize, Millis, f64)>,
    /// How many puts were tried, each with a series of its own.
    puts: u64,
    minute: Option<Millis>,
}

impl Model {
    /// The data of a put, and the name of the series that tells whether it was kept.
    fn put(&mut self, world: &World, ones: &[One]) -> (Vec<Datum>, String) {
        self.puts += 1;
        let mark = format!("put {}", self.puts);
        let data = ones.iter().map(|(series, ago, value, by_second)| Datum {
            is_high_resolution: *by_second,
            ..datum(SERIES[*series], world.ago(*ago), &[f64::from(*value) / 4.0])
        });
        (
            data.chain([datum(&mark, world.now(), &[1.0])]).collect(),
            mark,
        )
    }

    fn keep(&mut self, data: &[Datum]) {
        for datum in data {
            let Some(series) = SERIES.iter().position(|name| datum.metric == named(name)) else {
                continue;
            };
            let Values::Each(each) = &datum.values else {
                unreachable!("the test puts values")
            };
            self.data
                .extend(each.iter().map(|(value, _)| (series, datum.at, *value)));
        }
    }

    fn points(&self, series: usize, from: Millis, to: Millis, period: u64) -> Vec<(u64, Summary)> {
        let mut points: BTreeMap<u64, Summary> = BTreeMap::new();
        for (of, at, value) in &self.data {
            if *of == series && *at >= from && *at < to {
                let start = at.seconds() / period * period;
                points
                    .entry(start)
                    .or_default()
                    .add(&Summary::of(*value, 1.0));
            }
        }
        points.into_iter().collect()
    }
}

/// Every period has what the model has: hours of all times, minutes of two weeks, and seconds of three hours.
async fn agrees(world: &World, model: &Model) {
    let end = Millis(world.now().0 / 3_600_000 * 3_600_000 + 3_600_000);
    let since = |seconds: u64| Millis(end.0 - seconds * 1000);
    for (from, period) in [
        (START.minus(Duration::from_secs(20 * DAY)), HOUR),
        (since(14 * DAY), 60),
    ] {
        for (number, name) in SERIES.iter().enumerate() {
            let points = world.points(name, from, end, period).await;
            for point in &points {
                let median = point.distribution.as_ref().unwrap().at_share(0.5);
                assert!(median >= point.summary.min * 0.99 && median <= point.summary.max);
                assert_eq!(
                    point.distribution.as_ref().unwrap().count(),
                    point.summary.count
                );
            }
            let points: Vec<_> = points
                .iter()
                .map(|point| (point.at.seconds(), point.summary))
                .collect();
            assert_eq!(
                points,
                model.points(number, from, end, period),
                "{name} {period}"
            );
        }
    }
}

/// A put whose answer is not believed: the store says whether it is there.
async fn settle(world: &World, model: &mut Model, data: &[Datum], mark: &str, acknowledged: bool) {
    let seen = world
        .points(mark, START, world.now().plus(Duration::from_secs(60)), 60)
        .await;
    assert!(
        !acknowledged || !seen.is_empty(),
        "what was acknowledged is there"
    );
    if !seen.is_empty() {
        model.keep(data);
    }
}

async fn step(world: &mut World, model: &mut Model, step: Step) {
    match step {
        Step::Put(ones) => {
            let (data, _) = model.put(world, &ones);
            model.keep(&data);
            world.metrics.put(data).await.unwrap();
        }
        Step::Minute(ones, minutes) => {
            let (data, _) = model.put(world, &ones);
            let minute = Millis(model.minute.unwrap_or(START).0 + minutes * 60_000);
            world
                .metrics
                .put_minute(minute, data.clone())
                .await
                .unwrap();
            if model.minute.is_none_or(|last| minute > last) {
                model.keep(&data);
                model.minute = Some(minute);
            }
        }
        Step::Maintain => world.metrics.maintain().await.unwrap(),
        Step::CutShort(ones, steps) => {
            let (data, mark) = model.put(world, &ones);
            world.disk.stop_at(world.disk.steps() + steps);
            let put = world.metrics.put(data.clone()).await;
            let _ = world.metrics.maintain().await;
            world.crash().await;
            settle(world, model, &data, &mark, put.is_ok()).await;
        }
        Step::Pass(seconds) => world.pass(seconds),
        Step::Reopen => world.reopen().await,
        Step::Crash => world.crash().await,
    }
    assert_eq!(world.metrics.last_minute(), model.minute);
}

async fn run(seed: u64, steps: Vec<Step>) {
    let mut world = World::of_seed(seed).await;
    let mut model = Model::default();
    for one in steps {
        step(&mut world, &mut model, one).await;
        agrees(&world, &model).await;
    }
    world.metrics.maintain().await.unwrap();
    agrees(&world, &model).await;
    world.crash().await;
    agrees(&world, &model).await;
}

proptest! {
    // The variable PROPTEST_CASES says how many.
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn metrics_are_as_their_model(seed in any::<u64>(), steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.unwrap().block_on(run(seed, steps));
    }
}
