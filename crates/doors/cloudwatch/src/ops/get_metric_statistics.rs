//! GetMetricStatistics: statistics of a metric by period, those of each unit apart.

use std::collections::BTreeMap;

use headwater_metrics::{Point, Query, Statistic, Unit};
use headwater_shapes_cloudwatch::{
    Datapoint, GetMetricStatisticsInput, GetMetricStatisticsOutput, ops::GetMetricStatistics,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudWatch,
    errors::{combination, invalid, of_metrics},
    names, ranges,
};

/// Points in one answer.
const POINTS_MAX: u64 = 1440;

impl Handle<GetMetricStatistics> for CloudWatch {
    async fn handle(
        &self,
        input: GetMetricStatisticsInput,
        _: &Context,
    ) -> Result<GetMetricStatisticsOutput, ApiError> {
        let GetMetricStatisticsInput {
            namespace,
            metric_name,
            dimensions,
            start_time,
            end_time,
            period,
            statistics,
            extended_statistics,
            unit,
        } = input;
        let wanted = Wanted::read(statistics, extended_statistics)?;
        let (from, to) = (ranges::millis(start_time), ranges::millis(end_time));
        let period = checked_range(from, to, period)?;
        let read = self.metrics.read(Query {
            metric: names::metric(&namespace, &metric_name, dimensions),
            unit: names::unit(unit.as_deref()),
            from,
            to,
            period,
        });
        let series = read.await.map_err(of_metrics)?;
        let points = series.iter().flat_map(|series| {
            let points = series.points.iter();
            points.filter_map(|point| wanted.of(point, series.unit))
        });
        Ok(GetMetricStatisticsOutput {
            label: Some(metric_name),
            datapoints: Some(points.collect()),
        })
    }
}

/// The period in seconds, where the range has not too many.
fn checked_range(from: Millis, to: Millis, period: i32) -> Result<u32, ApiError> {
    if !ranges::is_period(period) {
        return Err(invalid(
            "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.",
        ));
    }
    if from >= to {
        return Err(invalid(
            "The parameter StartTime must be less than the parameter EndTime.",
        ));
    }
    let period = period.unsigned_abs();
    let points = ranges::periods(from, to, period);
    match points > POINTS_MAX {
        true => Err(combination(ranges::too_many_points(points, POINTS_MAX))),
        false => Ok(period),
    }
}

/// The statistics that are asked for.
struct Wanted {
    plain: Vec<Statistic>,
    extended: Vec<(String, Statistic)>,
}

impl Wanted {
    fn read(plain: Option<Vec<String>>, extended: Option<Vec<String>>) -> Result<Self, ApiError> {
        match (&plain, &extended) {
            (None, None) => {
                let text = "Must specify either Statistics or ExtendedStatistics";
                return Err(combination(text));
            }
            (Some(_), Some(_)) => {
                let text = "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified \
                            both.";
                return Err(combination(text));
            }
            _ => {}
        }
        let plain = plain.unwrap_or_default();
        let extended = extended.unwrap_or_default().into_iter();
        let extended = extended.map(|name| match Statistic::parse(&name) {
            Some(statistic) => Ok((name, statistic)),
            None => Err(invalid(format!(
                "The value {name} for parameter ExtendedStatistics is not supported."
            ))),
        });
        Ok(Self {
            // The model allows no other names than these have.
            plain: plain
                .iter()
                .filter_map(|name| Statistic::parse(name))
                .collect(),
            extended: extended.collect::<Result<_, _>>()?,
        })
    }

    /// A point as it is shown; none where nothing of what is asked for is known of it.
    fn of(&self, point: &Point, unit: Unit) -> Option<Datapoint> {
        let extended = self.extended.iter();
        let extended: BTreeMap<String, f64> = extended
            .filter_map(|(name, statistic)| Some((name.clone(), point.statistic(statistic)?)))
            .collect();
        if self.plain.is_empty() && extended.is_empty() {
            return None;
        }
        let plain = |statistic: Statistic| {
            let is_wanted = self.plain.contains(&statistic);
            point.statistic(&statistic).filter(|_| is_wanted)
        };
        Some(Datapoint {
            timestamp: Some(ranges::timestamp(point.at)),
            sample_count: plain(Statistic::SampleCount),
            average: plain(Statistic::Average),
            sum: plain(Statistic::Sum),
            minimum: plain(Statistic::Minimum),
            maximum: plain(Statistic::Maximum),
            unit: Some(unit.name().to_owned()),
            extended_statistics: (!extended.is_empty()).then_some(extended),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_cloudwatch::ops::{GetMetricStatistics, PutMetricData};
    use serde_json::{Value, json};

    use crate::testing::{START, World};

    /// The second at which tests begin, and the minute that it is in.
    const NOW: u64 = START / 1000;
    const MINUTE: u64 = NOW / 60 * 60;

    async fn put(world: &World, data: Value) {
        let put = json!({"Namespace": "n", "MetricData": data});
        world.ok::<PutMetricData>(put).await;
    }

    fn asked(more: Value) -> Value {
        let mut asked = json!({
            "Namespace": "n", "MetricName": "m", "Period": 60, "StartTime": NOW - 60, "EndTime": NOW + 60,
        });
        let members = asked.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        asked
    }

    /// localstack's `test_put_metric_data_values_list`.
    #[tokio::test]
    async fn values_are_summed_up() {
        let world = World::new().await;
        let datum =
            json!({"MetricName": "m", "Values": [1.0, 10.0], "Counts": [2, 4], "Unit": "Count"});
        put(&world, json!([datum])).await;
        let asked = asked(json!({"Statistics": ["SampleCount", "Sum", "Maximum"]}));
        let point = json!({"Maximum": 10.0, "SampleCount": 6.0, "Sum": 42.0, "Timestamp": MINUTE, "Unit": "Count"});
        assert_eq!(
            world.ok::<GetMetricStatistics>(asked).await,
            json!({"Label": "m", "Datapoints": [point]})
        );
    }

    /// localstack's `test_handle_different_units`.
    #[tokio::test]
    async fn each_unit_has_points_of_its_own() {
        let world = World::new().await;
        let data = [("Seconds", 1), ("Count", 5), ("None", 10)];
        let data =
            data.map(|(unit, value)| json!({"MetricName": "m", "Value": value, "Unit": unit}));
        put(&world, json!(data)).await;
        let all = world
            .ok::<GetMetricStatistics>(asked(json!({"Statistics": ["Average"]})))
            .await;
        let all = all["Datapoints"].as_array().unwrap().iter();
        let mut all: Vec<_> = all
            .map(|p| (p["Unit"].as_str().unwrap(), p["Average"].as_f64()))
            .collect();
        all.sort_unstable_by_key(|point| point.0);
        assert_eq!(
            all,
            [
                ("Count", Some(5.0)),
                ("None", Some(10.0)),
                ("Seconds", Some(1.0))
            ]
        );
        let one = asked(json!({"Statistics": ["Average"], "Unit": "Bytes"}));
        assert_eq!(
            world.ok::<GetMetricStatistics>(one).await["Datapoints"],
            json!([])
        );
    }

    #[tokio::test]
    async fn percentiles_are_asked_for_by_name() {
        let world = World::new().await;
        let datum = json!({"MetricName": "m", "Values": [1, 2, 3, 4]});
        put(&world, json!([datum])).await;
        let wanted = asked(json!({"ExtendedStatistics": ["p50", "tm75"]}));
        let found = world.ok::<GetMetricStatistics>(wanted).await;
        let extended = &found["Datapoints"][0]["ExtendedStatistics"];
        assert_eq!(*extended, json!({"p50": 2.0, "tm75": 2.0}));
    }

    /// localstack's `test_invalid_amount_of_datapoints`.
    #[tokio::test]
    async fn ranges_are_bounded() {
        let world = World::new().await;
        let (value, combination) = (
            "InvalidParameterValueException",
            "InvalidParameterCombinationException",
        );
        let statistics = json!(["SampleCount"]);
        for (more, code, text) in [
            (
                json!({"Statistics": statistics, "StartTime": NOW, "EndTime": NOW + 86400, "Period": 1}),
                combination,
                "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the \
                 datapoints requested by increasing Period, or decreasing the time range.",
            ),
            (
                json!({"Statistics": statistics, "StartTime": NOW, "EndTime": NOW}),
                value,
                "The parameter StartTime must be less than the parameter EndTime.",
            ),
            (
                json!({}),
                combination,
                "Must specify either Statistics or ExtendedStatistics",
            ),
            (
                json!({"ExtendedStatistics": ["q9"]}),
                value,
                "The value q9 for parameter ExtendedStatistics is not supported.",
            ),
        ] {
            assert_eq!(
                world.refused::<GetMetricStatistics>(asked(more)).await,
                (code.to_owned(), text.to_owned())
            );
        }
    }
}
