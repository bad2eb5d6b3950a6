//! Alarms read metrics, and have topics and functions told.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_alarms::{Owed, Part, PartOf, Perform, Range, Reading, Readings, Source, Statistic};
use headwater_cloudwatch::notices;
use headwater_env::Env;
use headwater_functions::{Functions, Request};
use headwater_lambda::{Asked, Permissions};
use headwater_metrics::{
    Metric, Metrics, Query, Unit,
    math::{Expression, Inputs, TimeSeries, Value},
};
use headwater_topics::{Message, Topics};
use headwater_types::{Account, Arn, Millis, Region};

use super::invoke::named;

/// The metrics of this server, as alarms read them.
pub struct MetricReadings(pub Arc<Metrics>);

#[async_trait]
impl Readings for MetricReadings {
    async fn readings(&self, source: &Source, range: Range) -> Result<Vec<Reading>, String> {
        match source {
            Source::Statistic(statistic) => self.of_statistic(statistic, range).await,
            Source::Parts(parts) => self.of_parts(parts, range).await,
        }
    }
}

impl MetricReadings {
    /// The values of a statistic. Where a metric was put with several units, those of the first.
    async fn of_statistic(
        &self,
        statistic: &Statistic,
        range: Range,
    ) -> Result<Vec<Reading>, String> {
        let wanted = headwater_metrics::Statistic::parse(&statistic.statistic);
        let wanted = wanted.ok_or_else(|| format!("there is no {}", statistic.statistic))?;
        let read = self.0.read(Query {
            metric: Metric::new(
                &statistic.namespace,
                &statistic.metric,
                statistic.dimensions.clone(),
            ),
            unit: statistic.unit.as_deref().and_then(Unit::from_name),
            from: range.from,
            to: range.to,
            period: statistic.period,
        });
        let series = read.await.map_err(|error| error.to_string())?;
        let points = series.into_iter().next().map(|series| series.points);
        let points = points.unwrap_or_default().into_iter();
        let reading = |point: headwater_metrics::Point| {
            Some(Reading {
                at: point.at,
                value: point.statistic(&wanted)?,
                samples: Some(point.summary.count),
            })
        };
        Ok(points.filter_map(reading).collect())
    }

    /// The values of the one part that is returned, calculated of the others.
    async fn of_parts(&self, parts: &[Part], range: Range) -> Result<Vec<Reading>, String> {
        let mut inputs = Inputs {
            from: range.from,
            to: range.to,
            period: range.period,
            ..Inputs::default()
        };
        let mut waiting = Vec::new();
        for part in parts {
            match &part.of {
                PartOf::Statistic(statistic) => {
                    let readings = self.of_statistic(statistic, range).await?;
                    let points = readings.iter().map(|reading| (reading.at, reading.value));
                    let series = TimeSeries {
                        id: Some(part.id.clone()),
                        period: statistic.period,
                        points: points.collect(),
                    };
                    inputs.metrics.push(part.id.clone());
                    inputs.values.insert(part.id.clone(), Value::Series(series));
                }
                PartOf::Expression { text, .. } => {
                    let parsed = Expression::parse(text).map_err(|error| error.to_string())?;
                    waiting.push((part.id.as_str(), parsed));
                }
            }
        }
        evaluate(waiting, &mut inputs)?;
        let mut returned = parts.iter().filter(|part| part.is_returned != Some(false));
        let returned = returned.next().ok_or("no part is returned")?;
        match inputs.values.remove(&returned.id) {
            Some(Value::Series(series)) => Ok(series.points.into_iter().map(reading).collect()),
            Some(Value::Array(_) | Value::Scalar(_)) | None => {
                Err(format!("{} is not one series", returned.id))
            }
        }
    }
}

fn reading((at, value): (Millis, f64)) -> Reading {
    Reading {
        at,
        value,
        samples: None,
    }
}

/// Evaluates expressions, each when those that it names have their values.
fn evaluate(mut waiting: Vec<(&str, Expression)>, inputs: &mut Inputs) -> Result<(), String> {
    while !waiting.is_empty() {
        let is_waiting = |id: &str| waiting.iter().any(|(waiting, _)| *waiting == id);
        let is_ready = |(_, of): &(_, Expression)| !of.ids().into_iter().any(is_waiting);
        let at = waiting.iter().position(is_ready);
        let (id, expression) =
            waiting.remove(at.ok_or("expressions are calculated of themselves")?);
        let value = expression
            .evaluate(inputs)
            .map_err(|error| error.to_string())?;
        inputs.values.insert(id.to_owned(), value);
    }
    Ok(())
}

/// The name that policies of functions have for alarms.
const ALARMS: &str = "lambda.alarms.cloudwatch.amazonaws.com";

/// The topics and functions of this server, which are opened after the alarms.
pub struct AlarmActions {
    /// Gives each event its id.
    pub env: Env,
    /// The account of the alarms.
    pub account: Account,
    /// Their region.
    pub region: Region,
    /// The topics.
    pub topics: Arc<OnceLock<Arc<Topics>>>,
    /// The functions.
    pub functions: Arc<OnceLock<Functions>>,
}

#[async_trait]
impl Perform for AlarmActions {
    async fn perform(&self, owed: &Owed) -> Result<(), String> {
        let to: Arn = owed.action.parse().map_err(|_| "it is no ARN".to_owned())?;
        match &*to.service {
            "sns" => self.publish(&to, owed).await,
            "lambda" => self.invoke(&to, owed).await,
            service => Err(format!("nothing can be done by {service}")),
        }
    }
}

impl AlarmActions {
    async fn publish(&self, topic: &Arn, owed: &Owed) -> Result<(), String> {
        let topics = self.topics.get().ok_or("topics are not open yet")?;
        let message = Message {
            subject: Some(notices::subject(owed, &self.region)),
            body: notices::message(owed, &self.account, &self.region),
            ..Message::default()
        };
        let published = topics.publish(&topic.resource, vec![message]).await;
        published.map(drop).map_err(|error| error.to_string())
    }

    async fn invoke(&self, function: &Arn, owed: &Owed) -> Result<(), String> {
        let functions = self.functions.get().ok_or("functions are not open yet")?;
        let (name, qualifier) = named(function).ok_or("it is no function")?;
        let asked = Asked::invoke(owed.alarm.arn.clone(), &*self.account.0);
        let permissions = Permissions::new(self.env.clone(), functions.clone());
        let may = permissions.service_may(ALARMS, &asked, &name, qualifier.as_ref());
        match may.await {
            Ok(true) => {}
            Ok(false) => return Err(format!("{ALARMS} may not invoke {function}")),
            Err(error) => return Err(error.to_string()),
        }
        let id = self.env.random.uuid();
        let event = notices::event(owed, &self.account, &self.region, &id);
        let request = Request {
            request_id: self.env.random.uuid(),
            payload: Bytes::from(event),
            client_context: None,
            qualifier,
        };
        let kept = functions.invoke_later(&name, request).await;
        kept.map_err(|error| error.to_string())
    }
}
