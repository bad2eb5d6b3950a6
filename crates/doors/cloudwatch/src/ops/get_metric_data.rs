//! GetMetricData: statistics of many metrics by period, and what is calculated of them.

use std::collections::BTreeMap;

use headwater_metrics::{
    Query, Series, Unit,
    math::{Expression, Inputs, TimeSeries, Value},
};
use headwater_shapes::Timestamp;
use headwater_shapes_cloudwatch::{
    GetMetricDataInput, GetMetricDataOutput, LabelOptions, MessageData, ops::GetMetricData,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudWatch,
    errors::{of_metrics, validation},
    labels::Making,
    page::{Drawn, POINTS_MAX, Page},
    queries::{self, Asked, Stat, What, in_expression},
    ranges,
};

impl Handle<GetMetricData> for CloudWatch {
    async fn handle(
        &self,
        input: GetMetricDataInput,
        context: &Context,
    ) -> Result<GetMetricDataOutput, ApiError> {
        let GetMetricDataInput {
            metric_data_queries,
            start_time,
            end_time,
            next_token,
            scan_by,
            max_datapoints,
            label_options,
        } = input;
        check_zone(label_options)?;
        let range = Range::read(start_time, end_time)?;
        let asked = queries::read(metric_data_queries, context)?;
        let is_ascending = scan_by.as_deref() == Some("TimestampAscending");
        let page = Page::read(next_token.as_deref(), max_datapoints, is_ascending)?;
        let is_plain = asked
            .iter()
            .all(|asked| matches!(asked.what, What::Stat(_)));
        let drawn = match is_plain {
            true => self.plain(&asked, range, &page, context).await?,
            false => self.calculated(&asked, range, context).await?,
        };
        let (results, next_token) = page.cut(drawn);
        Ok(GetMetricDataOutput {
            metric_data_results: Some(results),
            next_token,
            messages: Some(Vec::new()),
        })
    }
}

/// Holds a time zone to its form: it is about the times in labels, and none that is taken has one.
fn check_zone(options: Option<LabelOptions>) -> Result<(), ApiError> {
    let LabelOptions { timezone } = options.unwrap_or_default();
    let is_zone = |zone: &String| {
        let digits = zone.strip_prefix(['+', '-']).unwrap_or_default();
        digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit())
    };
    match timezone.filter(|zone| !is_zone(zone)) {
        None => Ok(()),
        Some(zone) => Err(validation(format!(
            "The value {zone} for parameter LabelOptions.Timezone is not a valid timezone.\n"
        ))),
    }
}

/// A range of time.
#[derive(Clone, Copy)]
struct Range {
    from: Millis,
    to: Millis,
}

impl Range {
    fn read(from: Timestamp, to: Timestamp) -> Result<Self, ApiError> {
        let (from, to) = (ranges::millis(from), ranges::millis(to));
        let fault = match from {
            _ if from > to => "The parameter EndTime must be greater than StartTime.",
            _ if from == to => "The parameter StartTime must not equal parameter EndTime.",
            _ => return Ok(Self { from, to }),
        };
        Err(validation(fault))
    }
}

impl CloudWatch {
    /// The series of queries for metrics alone. What no page comes to is not read.
    async fn plain(
        &self,
        asked: &[Asked],
        range: Range,
        page: &Page,
        context: &Context,
    ) -> Result<Vec<Drawn>, ApiError> {
        let making = Making::of(asked);
        let (mut drawn, mut points) = (Vec::new(), 0);
        for asked in asked.iter().filter(|asked| asked.is_returned) {
            let What::Stat(stat) = &asked.what else {
                continue;
            };
            let found = match page.is_before(drawn.len()) || points > page.most {
                true => None,
                false => Some(self.read(stat, range).await?),
            };
            points += found.as_ref().map_or(0, |found| found.points.len());
            let (of_metric, messages) = match found {
                Some(found) => (Some(found.points), found.messages),
                None => (None, Vec::new()),
            };
            let label = label(
                asked,
                &making,
                of_metric.as_deref().unwrap_or_default(),
                context,
            );
            drawn.push(Drawn {
                id: asked.id.clone(),
                label,
                points: of_metric,
                messages,
            });
        }
        Ok(drawn)
    }

    /// The series of queries of which some calculate with others.
    async fn calculated(
        &self,
        asked: &[Asked],
        range: Range,
        context: &Context,
    ) -> Result<Vec<Drawn>, ApiError> {
        let (inputs, mut messages) = self.inputs(asked, range).await?;
        let values = evaluate(asked, inputs)?;
        let making = Making::of(asked);
        let made: BTreeMap<&str, String> = asked
            .iter()
            .map(|asked| (asked.id.as_str(), making.make(asked)))
            .collect();
        let mut drawn = Vec::new();
        for asked in asked.iter().filter(|asked| asked.is_returned) {
            let (series, is_array) = match values.get(&asked.id) {
                Some(Value::Series(series)) => (std::slice::from_ref(series), false),
                Some(Value::Array(array)) => (&array[..], true),
                Some(Value::Scalar(_)) | None => {
                    let id = &asked.id;
                    return Err(validation(format!(
                        "Error in expression '{id}': its value is a number, and no series\n"
                    )));
                }
            };
            for series in series {
                let mut label = label(asked, &making, &series.points, context);
                if let Some(of) = series.id.as_ref().filter(|_| is_array) {
                    let of = made.get(of.as_str()).unwrap_or(of);
                    label = match asked.label {
                        Some(_) => format!("{label} {of}"),
                        None => of.clone(),
                    };
                }
                drawn.push(Drawn {
                    id: asked.id.clone(),
                    label,
                    points: Some(series.points.clone()),
                    messages: messages.remove(&asked.id).unwrap_or_default(),
                });
            }
        }
        Ok(drawn)
    }

    /// The series of all metrics, for expressions to be evaluated over, and what is to be said of them.
    async fn inputs(
        &self,
        asked: &[Asked],
        range: Range,
    ) -> Result<(Inputs, BTreeMap<String, Vec<MessageData>>), ApiError> {
        let mut messages = BTreeMap::new();
        let mut points = 0;
        let mut inputs = Inputs {
            from: range.from,
            to: range.to,
            ..Inputs::default()
        };
        for asked in asked {
            let What::Stat(stat) = &asked.what else {
                continue;
            };
            let found = self.read(stat, range).await?;
            points += found.points.len();
            if points > POINTS_MAX {
                let text = ranges::too_many_points(points as u64, POINTS_MAX as u64);
                return Err(validation(text));
            }
            // Expressions that name no metric have the shortest period of any.
            inputs.period = match inputs.period {
                0 => stat.period,
                shortest => shortest.min(stat.period),
            };
            inputs.metrics.push(asked.id.clone());
            messages.insert(asked.id.clone(), found.messages);
            let series = TimeSeries {
                id: Some(asked.id.clone()),
                period: stat.period,
                points: found.points,
            };
            inputs
                .values
                .insert(asked.id.clone(), Value::Series(series));
        }
        if inputs.period == 0 {
            inputs.period = PERIOD_OF_NONE;
        }
        Ok((inputs, messages))
    }

    /// The points of a metric. Where it was put with several units, one of them counts.
    async fn read(&self, stat: &Stat, range: Range) -> Result<Found, ApiError> {
        let read = self.metrics.read(Query {
            metric: stat.metric.clone(),
            unit: stat.unit,
            from: range.from,
            to: range.to,
            period: stat.period,
        });
        let mut series = read.await.map_err(of_metrics)?;
        series.sort_by_key(|series| UNITS.iter().position(|unit| *unit == series.unit));
        let mut messages = Vec::new();
        if series.len() > 1 {
            let units: Vec<_> = series.iter().map(|series| series.unit.name()).collect();
            let units = units.join(", ");
            messages.push(MessageData {
                code: Some("MultipleUnits".to_owned()),
                value: Some(format!("Multiple units returned: '[{units}]'")),
            });
        }
        let points = series.first().map(|series| values(series, stat));
        Ok(Found {
            points: points.unwrap_or_default(),
            messages,
        })
    }
}

/// The period in seconds of expressions where no metric is asked for.
const PERIOD_OF_NONE: u32 = 60;

/// The points of a metric, in the order of their times, and what is to be said of them.
struct Found {
    points: Vec<(Millis, f64)>,
    messages: Vec<MessageData>,
}

/// The order in which the units of a metric go before one another, as localstack recorded it.
const UNITS: [Unit; 27] = [
    Unit::Megabits,
    Unit::Terabits,
    Unit::Gigabits,
    Unit::Count,
    Unit::Bytes,
    Unit::Gigabytes,
    Unit::GigabytesPerSecond,
    Unit::Kilobytes,
    Unit::KilobitsPerSecond,
    Unit::Terabytes,
    Unit::TerabitsPerSecond,
    Unit::BytesPerSecond,
    Unit::Percent,
    Unit::Megabytes,
    Unit::MegabitsPerSecond,
    Unit::Milliseconds,
    Unit::Microseconds,
    Unit::KilobytesPerSecond,
    Unit::GigabitsPerSecond,
    Unit::MegabytesPerSecond,
    Unit::Bits,
    Unit::BitsPerSecond,
    Unit::CountPerSecond,
    Unit::Seconds,
    Unit::Kilobits,
    Unit::TerabytesPerSecond,
    Unit::None,
];

fn values(series: &Series, stat: &Stat) -> Vec<(Millis, f64)> {
    let points = series.points.iter();
    let value = |value: f64| value.is_finite().then_some(value);
    points
        .filter_map(|point| Some((point.at, point.statistic(&stat.statistic).and_then(value)?)))
        .collect()
}

fn label(asked: &Asked, making: &Making, points: &[(Millis, f64)], context: &Context) -> String {
    let made = making.make(asked);
    let stat = match &asked.what {
        What::Stat(stat) => Some(stat),
        What::Expression(_) => None,
    };
    match &asked.label {
        Some(label) => label.fill(&made, stat, points, context),
        None => made,
    }
}

/// The values of all queries, by id: an expression's when those that it names have theirs.
fn evaluate(asked: &[Asked], mut inputs: Inputs) -> Result<BTreeMap<String, Value>, ApiError> {
    let mut waiting: Vec<(&str, &Expression)> = asked
        .iter()
        .filter_map(|asked| match &asked.what {
            What::Stat(_) => None,
            What::Expression(expression) => Some((asked.id.as_str(), expression)),
        })
        .collect();
    while !waiting.is_empty() {
        let is_waiting = |id: &str| waiting.iter().any(|(waiting, _)| *waiting == id);
        let is_ready = |(_, of): &(_, &Expression)| !of.ids().into_iter().any(is_waiting);
        let Some(at) = waiting.iter().position(is_ready) else {
            let id = waiting[0].0;
            return Err(validation(format!(
                "Error in expression '{id}': it is calculated of itself\n"
            )));
        };
        let (id, expression) = waiting.remove(at);
        let value = expression.evaluate(&inputs);
        let value = value.map_err(|error| in_expression(id, &error))?;
        inputs.values.insert(id.to_owned(), value);
    }
    Ok(inputs.values)
}
