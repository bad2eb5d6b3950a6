//! What is kept of metrics, for how long, and what stands in the way of it.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::path::PathBuf;

use headwater_env::Disk;
use headwater_metrics::{Datum, Error, Filter, Metric, Query, Statistic, Summary, Unit, Values};
use headwater_types::Millis;
use support::{DAY, HOUR, START, World, datum, named, summary};

async fn files(world: &World) -> Vec<PathBuf> {
    let disk = world.disk.clone();
    let list = move || disk.list("/metrics".as_ref()).unwrap();
    let entries = world.env.blocking(list).await.into_iter();
    entries
        .map(|entry| PathBuf::from("/metrics").join(entry.name))
        .collect()
}

#[tokio::test]
async fn values_of_a_period_are_added_up() {
    let mut world = World::new().await;
    world.put("m", START, &[5.0, 7.5]).await;
    world.put("m", Millis(START.0 + 59_999), &[1.0]).await;
    world.put("m", Millis(START.0 + 60_000), &[100.0]).await;
    for _ in 0..2 {
        let points = world
            .points(
                "m",
                START,
                world.ago(0).plus(std::time::Duration::from_secs(120)),
                60,
            )
            .await;
        assert_eq!(points.len(), 2);
        assert_eq!(points[0].summary, summary(&[5.0, 7.5, 1.0]));
        let of = |name: &str| points[0].statistic(&Statistic::parse(name).unwrap());
        assert_eq!(
            (of("p50"), of("p100"), of("Average")),
            (Some(5.0), Some(7.5), Some(4.5))
        );
        world.metrics.maintain().await.unwrap();
        world.crash().await;
    }
    let exclusive = world.sums("m", START, Millis(START.0 + 60_000), 60).await;
    assert_eq!(exclusive, [(0, 13.5)], "the end is not included");
}

#[tokio::test]
async fn a_series_is_a_metric_with_a_unit() {
    let world = World::new().await;
    let of = |unit, value| Datum {
        unit,
        ..datum("m", START, &[value])
    };
    let other = Datum {
        metric: Metric::new("space", "m", Vec::new()),
        ..datum("m", START, &[9.0])
    };
    let data = vec![of(Unit::Seconds, 1.0), of(Unit::Count, 2.0), other];
    world.metrics.put(data).await.unwrap();
    let query = Query {
        metric: named("m"),
        unit: None,
        from: START,
        to: Millis(START.0 + 1),
        period: 60,
    };
    let found = world.metrics.read(query.clone()).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|series| (series.unit, series.points[0].summary.sum))
        .collect();
    assert_eq!(found, [(Unit::Seconds, 1.0), (Unit::Count, 2.0)]);
    let in_bytes = Query {
        unit: Some(Unit::Bytes),
        ..query
    };
    assert_eq!(world.metrics.read(in_bytes).await.unwrap(), []);
}

#[tokio::test]
async fn a_set_has_percentiles_only_where_all_its_values_are_alike() {
    let world = World::new().await;
    let set = |count, sum, min, max| {
        Values::Set(Summary {
            count,
            sum,
            min,
            max,
        })
    };
    for (metric, values, expected) in [
        ("alike", set(3.0, 15.0, 5.0, 5.0), Some(5.0)),
        ("one", set(1.0, 5.0, 5.0, 5.0), Some(5.0)),
        ("many", set(2.0, 9.0, 4.0, 5.0), None),
        ("negative", Values::one(-1.0), None),
    ] {
        let put = Datum {
            values,
            ..datum(metric, START, &[])
        };
        world.metrics.put(vec![put]).await.unwrap();
        world.metrics.maintain().await.unwrap();
        let points = world
            .points(metric, START, Millis(START.0 + 60_000), 60)
            .await;
        let median = points[0].statistic(&Statistic::parse("p50").unwrap());
        assert_eq!(median, expected, "{metric}");
    }
}

#[tokio::test]
async fn what_is_old_is_told_apart_less_and_goes_after_455_days() {
    let world = World::new().await;
    let by_second = |second: u64, value| Datum {
        is_high_resolution: true,
        ..datum("m", Millis(START.0 + second * 1000), &[value])
    };
    let values = [(0, 1.0), (1, 2.0), (70, 4.0), (700, 8.0)];
    let data = values.map(|(second, value)| by_second(second, value));
    world.metrics.put(data.to_vec()).await.unwrap();
    let whole = async |period: u64| {
        world.metrics.maintain().await.unwrap();
        world
            .sums("m", START, Millis(START.0 + HOUR * 1000), period)
            .await
    };
    assert_eq!(whole(1).await, [(0, 1.0), (1, 2.0), (70, 4.0), (700, 8.0)]);
    assert_eq!(whole(30).await, [(0, 3.0), (60, 4.0), (690, 8.0)]);
    world.pass(4 * HOUR);
    assert_eq!(whole(1).await, [(0, 3.0), (60, 4.0), (660, 8.0)]);
    world.pass(15 * DAY);
    assert_eq!(whole(60).await, [(0, 3.0), (60, 4.0), (660, 8.0)]);
    world.pass(DAY);
    assert_eq!(whole(300).await, [(0, 7.0), (600, 8.0)]);
    world.pass(48 * DAY);
    assert_eq!(whole(3600).await, [(0, 15.0)]);
    world.pass(391 * DAY);
    assert_eq!(whole(3600).await, [(0, 15.0)]);
    world.pass(32 * DAY);
    assert_eq!(whole(3600).await, []);
    assert_eq!(world.metrics.usage().files, 0);
    // The name goes with the next fold.
    world.pass(HOUR);
    world.put("n", world.now(), &[1.0]).await;
    world.metrics.maintain().await.unwrap();
    assert_eq!(world.metrics.usage().series, 1);
}

#[tokio::test]
async fn metrics_are_listed_for_two_weeks() {
    let mut world = World::new().await;
    world.put("a", world.now(), &[1.0]).await;
    world.put("b", world.ago(DAY), &[1.0]).await;
    let recent = Filter {
        recent_only: true,
        ..Filter::default()
    };
    assert_eq!(world.names(&Filter::default()).await, ["a", "b"]);
    assert_eq!(world.names(&recent).await, ["a"]);
    world.metrics.maintain().await.unwrap();
    world.crash().await;
    assert_eq!(world.names(&recent).await, ["a"]);
    world.pass(13 * DAY + 1);
    assert_eq!(world.names(&Filter::default()).await, ["a", "b"]);
    world.pass(60);
    assert_eq!(world.names(&Filter::default()).await, ["a"]);
    world.put("b", world.now(), &[1.0]).await;
    assert_eq!(world.names(&recent).await, ["b"]);
}

#[tokio::test]
async fn a_minute_of_the_servers_own_is_counted_once() {
    let mut world = World::new().await;
    assert_eq!(world.metrics.last_minute(), None);
    let minute = |number: u64| Millis(START.0 + number * 60_000);
    for number in [0, 1, 1, 0, 2] {
        let data = vec![datum("m", minute(number), &[1.0])];
        world
            .metrics
            .put_minute(minute(number), data)
            .await
            .unwrap();
        world.crash().await;
        let data = vec![datum("m", minute(number), &[1.0])];
        world
            .metrics
            .put_minute(minute(number), data)
            .await
            .unwrap();
        world.metrics.maintain().await.unwrap();
    }
    assert_eq!(world.metrics.last_minute(), Some(minute(2)));
    let sums = world.sums("m", START, minute(3), 60).await;
    assert_eq!(sums, [(0, 1.0), (60, 1.0), (120, 1.0)]);
}

#[tokio::test]
async fn a_file_that_is_damaged_is_named() {
    let world = World::new().await;
    world.put("m", START, &[1.0]).await;
    world.metrics.maintain().await.unwrap();
    let points = files(&world)
        .await
        .into_iter()
        .find(|file| file.extension().unwrap() == "points");
    let points = points.unwrap();
    world.disk.corrupt(&points, |bytes| bytes[12] ^= 1).unwrap();
    let query = Query {
        metric: named("m"),
        unit: None,
        from: START,
        to: Millis(START.0 + 1),
        period: 60,
    };
    let read = world.metrics.read(query).await;
    let what = "a checksum does not hold";
    assert_eq!(read, Err(Error::Damaged { file: points, what }));
}

#[tokio::test]
async fn a_full_disk_keeps_what_is_in_memory() {
    let mut world = World::new().await;
    world.put("m", START, &[1.0]).await;
    world.disk.set_room(Some(0));
    assert!(world.metrics.maintain().await.is_err());
    let sums = async |world: &World| world.sums("m", START, Millis(START.0 + 1), 60).await;
    assert_eq!(sums(&world).await, [(0, 1.0)]);
    world.disk.set_room(None);
    world.put("m", START, &[4.0]).await;
    world.metrics.maintain().await.unwrap();
    world.metrics.maintain().await.unwrap();
    assert_eq!(sums(&world).await, [(0, 5.0)]);
    world.crash().await;
    assert_eq!(sums(&world).await, [(0, 5.0)]);
    assert_eq!(
        files(&world).await.len(),
        3,
        "what failed is removed at the start"
    );
}

#[tokio::test]
async fn a_store_that_is_closed_takes_nothing() {
    let world = World::new().await;
    world.metrics.close().await;
    world.metrics.close().await;
    assert_eq!(world.metrics.put(Vec::new()).await, Err(Error::Closed));
}
