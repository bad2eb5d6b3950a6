//! Alarms over values that the test gives, on a clock that it moves.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use headwater_alarms::{
    Actions, Alarms, Comparison, Error, HistoryKind, HistoryQuery, MetricAlarm, Missing, NewAlarm,
    Owed, Perform, Range, Reading, Readings, Source, State, Statistic, Watches,
};
use headwater_catalog::testing::MortalCatalog;
use headwater_env::{
    Env, ManualClock, SeededRandom, SimDisk, Spawn, TokioTasks,
    testing::{CountedTasks, drop_at_every_await},
};
use headwater_types::Millis;

/// 2023-11-15T00:00:30Z.
const START: Millis = Millis(1_700_006_430_000);

/// Values that the test gives: the same for each period, by the metric's name.
#[derive(Default)]
struct Values(Mutex<BTreeMap<String, f64>>);

#[async_trait]
impl Readings for Values {
    async fn readings(&self, source: &Source, range: Range) -> Result<Vec<Reading>, String> {
        let Source::Statistic(statistic) = source else {
            return Err("no statistic".into());
        };
        let value = self.0.lock().unwrap().get(&statistic.metric).copied();
        let begins = (range.from.0..range.to.0).step_by(range.period as usize * 1000);
        let readings = begins.filter_map(|at| {
            Some(Reading {
                at: Millis(at),
                value: value?,
                samples: Some(1.0),
            })
        });
        Ok(readings.collect())
    }
}

/// What was done, as `action alarm state`; it fails where the test wants it.
#[derive(Default)]
struct Doer {
    done: Mutex<Vec<String>>,
    fails: Mutex<bool>,
}

#[async_trait]
impl Perform for Doer {
    async fn perform(&self, owed: &Owed) -> Result<(), String> {
        if *self.fails.lock().unwrap() {
            return Err("the line is cut".into());
        }
        let state = owed.alarm.state.value.name();
        let done = format!("{} {} {state}", owed.action, owed.alarm.name);
        self.done.lock().unwrap().push(done);
        Ok(())
    }
}

struct World {
    clock: Arc<ManualClock>,
    env: Env,
    catalog: Arc<MortalCatalog>,
    values: Arc<Values>,
    doer: Arc<Doer>,
    alarms: Alarms,
}

impl World {
    async fn with(tasks: Arc<dyn Spawn>) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(7)),
            disk: Arc::new(SimDisk::new(7)),
            tasks,
        };
        let catalog = Arc::new(MortalCatalog::default());
        let alarms = Alarms::open(env.clone(), catalog.clone()).await.unwrap();
        let world = Self {
            clock,
            env,
            catalog,
            values: Arc::default(),
            doer: Arc::default(),
            alarms,
        };
        world.begin();
        world
    }

    async fn new() -> Self {
        Self::with(Arc::new(TokioTasks)).await
    }

    fn begin(&self) {
        self.alarms.begin(self.values.clone(), self.doer.clone());
    }

    /// Opens all anew, as after a crash.
    async fn reopen(&mut self) {
        let opened = Alarms::open(self.env.clone(), self.catalog.clone()).await;
        self.alarms = opened.unwrap();
        self.begin();
    }

    fn is(&self, metric: &str, value: Option<f64>) {
        let mut values = self.values.0.lock().unwrap();
        match value {
            Some(value) => drop(values.insert(metric.to_owned(), value)),
            None => drop(values.remove(metric)),
        }
    }

    /// A minute later, evaluated and with all done that is owed.
    async fn minute(&self) {
        self.clock.advance(Duration::from_secs(60));
        self.alarms.evaluate().await;
        self.alarms.perform().await;
    }

    fn state(&self, name: &str) -> (State, String) {
        let alarm = self.alarms.get(name).unwrap();
        (alarm.state.value, alarm.state.reason.clone())
    }

    fn done(&self) -> Vec<String> {
        std::mem::take(&mut *self.doer.done.lock().unwrap())
    }

    async fn history(&self, kind: HistoryKind) -> Vec<String> {
        let query = HistoryQuery {
            kind: Some(kind),
            oldest_first: true,
            ..HistoryQuery::default()
        };
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.alarms.history(&query, after.as_ref(), 1).await;
            let Some((key, item)) = page.unwrap().pop() else {
                return all;
            };
            all.push(format!("{}: {}", item.alarm, item.summary));
            after = Some((item.at, key));
        }
    }
}

fn new(name: &str, watches: Watches) -> NewAlarm {
    let one = |name: &str| vec![name.to_owned()];
    NewAlarm {
        name: name.to_owned(),
        arn: arn(name),
        description: None,
        does_actions: true,
        actions: Actions {
            ok: one("calm"),
            alarm: one("call"),
            insufficient_data: Vec::new(),
        },
        tags: BTreeMap::new(),
        watches,
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}")
}

/// An alarm that watches the metric of its name.
fn over(name: &str, missing: Missing) -> NewAlarm {
    let statistic = Statistic {
        namespace: "space".into(),
        metric: name.to_owned(),
        dimensions: Vec::new(),
        period: 60,
        statistic: "Sum".into(),
        unit: None,
    };
    new(
        name,
        Watches::Metric(MetricAlarm {
            source: Source::Statistic(statistic),
            periods: 1,
            to_alarm: None,
            threshold: 5.0,
            comparison: Comparison::Greater,
            missing: Some(missing),
            low_samples: None,
        }),
    )
}

#[tokio::test]
async fn an_alarm_goes_from_state_to_state_and_does_what_it_owes() {
    let world = World::new().await;
    world.alarms.put(over("m", Missing::Missing)).await.unwrap();
    let reason = "Unchecked: Initial alarm creation".to_owned();
    assert_eq!(world.state("m"), (State::InsufficientData, reason));
    world.is("m", Some(9.0));
    world.minute().await;
    let reason = "Threshold Crossed: 1 datapoint [9.0 (15/11/23 00:00:00)] was greater than the threshold (5.0).";
    assert_eq!(world.state("m"), (State::Alarm, reason.to_owned()));
    assert_eq!(world.done(), ["call m ALARM"]);
    world.minute().await;
    assert_eq!(world.done(), [""; 0], "nothing changed");
    world.is("m", Some(1.0));
    world.minute().await;
    assert_eq!(world.state("m").0, State::Ok);
    world.is("m", None);
    world.minute().await;
    assert_eq!(world.state("m").0, State::InsufficientData);
    assert_eq!(world.done(), ["calm m OK"]);
    let updates = world.history(HistoryKind::StateUpdate).await;
    assert_eq!(
        updates,
        [
            "m: Alarm updated from INSUFFICIENT_DATA to ALARM",
            "m: Alarm updated from ALARM to OK",
            "m: Alarm updated from OK to INSUFFICIENT_DATA",
        ]
    );
    let actions = world.history(HistoryKind::Action).await;
    let expected =
        ["call", "calm"].map(|action| format!("m: Successfully executed action {action}"));
    assert_eq!(actions, expected);
    let changes = world.history(HistoryKind::ConfigurationUpdate).await;
    assert_eq!(changes, ["m: Alarm \"m\" created"]);
}

#[tokio::test]
async fn a_state_that_was_set_lasts_until_the_next_evaluation() {
    let mut world = World::new().await;
    world.alarms.put(over("m", Missing::Missing)).await.unwrap();
    world.is("m", Some(1.0));
    world.minute().await;
    let (reason, data) = ("for a test".to_owned(), Some("{\"a\":1}".to_owned()));
    let set = world
        .alarms
        .set_state("m", State::Alarm, reason.clone(), data);
    set.await.unwrap();
    world.reopen().await;
    assert_eq!(world.state("m"), (State::Alarm, reason));
    let updates = HistoryQuery {
        kind: Some(HistoryKind::StateUpdate),
        ..HistoryQuery::default()
    };
    let newest = world.alarms.history(&updates, None, 1).await;
    let item = newest.unwrap().remove(0).1;
    let expected = r#""stateReason":"for a test","stateReasonData":{"a":1}"#;
    assert!(item.data.contains(expected), "{}", item.data);
    world.alarms.perform().await;
    world.minute().await;
    assert_eq!(world.state("m").0, State::Ok);
    assert_eq!(world.done(), ["calm m OK", "call m ALARM", "calm m OK"]);
    let set = world.alarms.set_state("n", State::Ok, String::new(), None);
    assert_eq!(set.await, Err(Error::NoAlarm("n".into())));
}

#[tokio::test]
async fn what_is_owed_is_done_after_a_crash_and_tried_again() {
    let mut world = World::new().await;
    *world.doer.fails.lock().unwrap() = true;
    world
        .alarms
        .put(over("m", Missing::Breaching))
        .await
        .unwrap();
    world.minute().await;
    world.reopen().await;
    *world.doer.fails.lock().unwrap() = false;
    world.minute().await;
    assert_eq!(world.done(), ["call m ALARM"]);
    *world.doer.fails.lock().unwrap() = true;
    world.is("m", Some(0.0));
    for _ in 0..12 {
        world.minute().await;
    }
    *world.doer.fails.lock().unwrap() = false;
    world.minute().await;
    assert_eq!(world.done(), [""; 0], "it was given up");
    let actions = world.history(HistoryKind::Action).await;
    let expected = [
        "m: Successfully executed action call",
        "m: Failed to execute action calm",
    ];
    assert_eq!(actions, expected);
}

#[tokio::test]
async fn alarms_over_alarms_follow_them() {
    let mut world = World::new().await;
    for name in ["a", "b"] {
        world
            .alarms
            .put(over(name, Missing::NotBreaching))
            .await
            .unwrap();
    }
    let any = Watches::Alarms(format!("ALARM(\"{}\") OR ALARM(b)", arn("a")));
    world.alarms.put(new("any", any)).await.unwrap();
    let none = Watches::Alarms("NOT ALARM(any)".to_owned());
    world.alarms.put(new("none", none)).await.unwrap();
    let created = format!(
        "{} was created and its alarm rule evaluates to OK",
        arn("any")
    );
    assert_eq!(world.state("any"), (State::Ok, created));
    assert_eq!(world.state("none").0, State::Alarm);
    world.alarms.perform().await;
    assert_eq!(world.done(), ["calm any OK", "call none ALARM"]);
    world.is("a", Some(6.0));
    world.minute().await;
    let at = "Wednesday 15 November, 2023 00:01:30 UTC";
    let reason = format!("{} transitioned to ALARM at {at}", arn("a"));
    assert_eq!(world.state("any"), (State::Alarm, reason));
    assert_eq!(world.state("none").0, State::Ok);
    let data = world.alarms.get("any").unwrap().state.data.clone();
    let state = r#"{"value":"ALARM","timestamp":"2023-11-15T00:01:30.000+0000"}"#;
    let trigger = format!(
        r#"{{"triggeringAlarms":[{{"arn":"{}","state":{state}}}]}}"#,
        arn("a")
    );
    assert_eq!(data, Some(trigger));
    let done = [
        "call a ALARM",
        "call any ALARM",
        "calm none OK",
        "calm b OK",
    ];
    assert_eq!(world.done(), done);
    world.reopen().await;
    world.is("b", Some(6.0));
    world.minute().await;
    assert!(
        world.state("any").1.starts_with(&arn("a")),
        "it did not change"
    );
    assert_eq!(world.done(), ["call b ALARM"]);
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused() {
    let world = World::new().await;
    world.alarms.put(over("a", Missing::Ignore)).await.unwrap();
    let put = async |name: &str, rule: &str| {
        let new = new(name, Watches::Alarms(rule.to_owned()));
        world.alarms.put(new).await
    };
    put("one", "ALARM(a)").await.unwrap();
    put("two", "OK(one) OR ALARM(a)").await.unwrap();
    assert_eq!(
        put("one", "ALARM(two)").await,
        Err(Error::Cycle("one".into()))
    );
    assert_eq!(
        put("one", "ALARM(one)").await,
        Err(Error::Cycle("one".into()))
    );
    let missing = Error::NoChildren(vec!["x".into()]);
    assert_eq!(put("one", "ALARM(x)").await, Err(missing));
    assert!(matches!(put("one", "ALARM(").await, Err(Error::Rule(_))));
    assert_eq!(put("a", "TRUE").await, Err(Error::OtherKind("a".into())));
}

#[tokio::test]
async fn alarms_are_changed_and_deleted() {
    let mut world = World::new().await;
    let mut tagged = over("m", Missing::Breaching);
    tagged.tags.insert("k".into(), "v".into());
    world.alarms.put(tagged).await.unwrap();
    let names = vec!["m".to_owned(), "x".to_owned()];
    world.alarms.set_actions(names, false).await.unwrap();
    world.minute().await;
    assert_eq!(
        (world.state("m").0, world.done()),
        (State::Alarm, Vec::new())
    );
    world.alarms.put(over("m", Missing::Ignore)).await.unwrap();
    let tag = |tags: &mut BTreeMap<_, _>| drop(tags.insert("l".to_owned(), "w".to_owned()));
    world.alarms.tag("m", tag).await.unwrap();
    world.clock.advance(Duration::from_millis(1));
    world.reopen().await;
    let kept = world.alarms.get("m").unwrap();
    assert_eq!((kept.state.value, kept.tags.len()), (State::Alarm, 2));
    assert!(kept.does_actions);
    let deleted = world.alarms.delete(vec!["m".into(), "x".into()]).await;
    assert_eq!(deleted, Err(Error::NoAlarm("x".into())));
    assert_eq!(world.alarms.all().len(), 1);
    world
        .alarms
        .delete(vec!["m".into(), "m".into()])
        .await
        .unwrap();
    world.reopen().await;
    assert!(world.alarms.all().is_empty());
    let changes = ["created", "updated", "updated", "deleted"];
    let changes = changes.map(|change| format!("m: Alarm \"m\" {change}"));
    assert_eq!(
        world.history(HistoryKind::ConfigurationUpdate).await,
        changes
    );
    world.clock.advance(Duration::from_secs(31 * 24 * 3600));
    for _ in 0..60 {
        world.minute().await;
    }
    assert_eq!(
        world.history(HistoryKind::ConfigurationUpdate).await,
        [""; 0]
    );
}

/// Whoever hangs up when, memory has what the catalog has.
#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing_half_done() {
    let tasks = CountedTasks::default();
    let world = async || {
        let world = World::with(Arc::new(tasks.clone())).await;
        world.alarms.put(over("a", Missing::Ignore)).await.unwrap();
        let any = new("any", Watches::Alarms("ALARM(a)".into()));
        world.alarms.put(any).await.unwrap();
        world.catalog.yield_in(world.env.clone());
        world
    };
    let call = async |world: &World| {
        world.alarms.put(over("b", Missing::Ignore)).await?;
        let set = world.alarms.set_state("a", State::Alarm, "r".into(), None);
        set.await?;
        world.alarms.set_actions(vec!["a".into()], false).await?;
        world.alarms.delete(vec!["b".into()]).await
    };
    let check = async |world: World| {
        let kept = Alarms::open(world.env.clone(), world.catalog.clone())
            .await
            .unwrap();
        assert_eq!(kept.all(), world.alarms.all());
        let is_alarm = |name: &str| kept.get(name).unwrap().state.value == State::Alarm;
        assert_eq!(is_alarm("a"), is_alarm("any"));
    };
    let done = drop_at_every_await(&tasks, world, call, check).await;
    done.unwrap();
}
