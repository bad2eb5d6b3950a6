//! The queries of GetMetricData, held against what the service takes: all that is wrong with them is told at once.

use std::collections::BTreeSet;

use headwater_metrics::{
    Metric, Statistic, Unit,
    math::{Expression, MathError},
};
use headwater_shapes_cloudwatch as shapes;
use headwater_shapes_cloudwatch::{MetricDataQuery, MetricStat};
use headwater_wire::{ApiError, Context};

use crate::{
    errors::{too_many, validation},
    labels::Label,
    names, ranges,
};

/// Queries of one request (API reference, GetMetricData).
const QUERIES_MAX: usize = 500;

/// A query that can be answered.
pub(crate) struct Asked {
    pub id: String,
    /// The label that was given.
    pub label: Option<Label>,
    /// Whether its points are answered, and not only calculated with.
    pub is_returned: bool,
    pub what: What,
}

/// What a query asks for.
pub(crate) enum What {
    Stat(Stat),
    Expression(Expression),
}

/// A statistic of a metric by period.
pub(crate) struct Stat {
    pub metric: Metric,
    pub unit: Option<Unit>,
    /// The length of a period in seconds.
    pub period: u32,
    pub statistic: Statistic,
    /// The statistic's name, as it was given.
    pub name: String,
}

/// All queries of a request.
pub(crate) fn read(
    queries: Vec<MetricDataQuery>,
    context: &Context,
) -> Result<Vec<Asked>, ApiError> {
    if queries.is_empty() {
        return Err(validation("The parameter MetricDataQueries is required.\n"));
    }
    if queries.len() > QUERIES_MAX {
        return Err(too_many("MetricDataQueries", QUERIES_MAX));
    }
    let (mut asked, mut faults) = (Vec::new(), String::new());
    for (at, query) in queries.into_iter().enumerate() {
        let mut reading = Reading {
            place: format!("MetricDataQueries.member.{}", at + 1),
            faults: &mut faults,
        };
        asked.extend(reading.query(query, context)?);
    }
    let ids: BTreeSet<&str> = asked.iter().map(|asked| &*asked.id).collect();
    if faults.is_empty() && ids.len() < asked.len() {
        faults = "The values for parameter id in MetricDataQueries are not unique.\n".to_owned();
    }
    match faults.is_empty() {
        true => Ok(asked),
        false => Err(validation(faults)),
    }
}

struct Reading<'a> {
    /// The place of a query in its request, as errors name it.
    place: String,
    faults: &'a mut String,
}

impl Reading<'_> {
    /// The query, where nothing is wrong with it.
    ///
    /// # Errors
    /// It asks for what is not supported.
    fn query(
        &mut self,
        query: MetricDataQuery,
        context: &Context,
    ) -> Result<Option<Asked>, ApiError> {
        let MetricDataQuery {
            id,
            metric_stat,
            expression,
            label,
            return_data,
            period,
            account_id,
        } = query;
        if account_id.is_some_and(|account| account != context.account.0) {
            return Err(ApiError::not_supported("AccountId of another account"));
        }
        if !is_id(&id) {
            self.fault(
                "Id",
                format_args!("The value {id} for"),
                "is not a valid id",
            );
        }
        if let Some(period) = period.filter(|period| !ranges::is_period(*period)) {
            self.wrong_period("Period", period);
        }
        let label = label.map(|label| Label::parse(&label)).transpose()?;
        let place = &self.place;
        let what = match (metric_stat, expression) {
            (Some(_), Some(_)) => {
                let text = format!(
                    "The parameters {place}.Expression and {place}.MetricStat are mutually exclusive and you have \
                     specified both.\n"
                );
                self.faults.push_str(&text);
                None
            }
            (None, None) => {
                self.lacks("MetricStat");
                None
            }
            (Some(stat), None) => self.stat(stat).map(What::Stat),
            (None, Some(text)) => self.expression(&id, &text)?.map(What::Expression),
        };
        Ok(what.map(|what| Asked {
            id,
            label,
            is_returned: return_data != Some(false),
            what,
        }))
    }

    fn stat(&mut self, stat: MetricStat) -> Option<Stat> {
        let MetricStat {
            metric,
            period,
            stat: name,
            unit,
        } = stat;
        let shapes::Metric {
            namespace,
            metric_name,
            dimensions,
        } = metric;
        for (member, is_there) in [
            ("Namespace", namespace.is_some()),
            ("MetricName", metric_name.is_some()),
        ] {
            if !is_there {
                self.lacks(&format!("MetricStat.Metric.{member}"));
            }
        }
        let statistic = Statistic::parse(&name);
        if statistic.is_none() {
            let value = format_args!("The value {name} for");
            self.fault("MetricStat.Stat", value, "is not a valid statistic");
        }
        if !ranges::is_period(period) {
            self.wrong_period("MetricStat.Period", period);
        }
        Some(Stat {
            metric: names::metric(&namespace?, &metric_name?, dimensions),
            unit: names::unit(unit.as_deref()),
            period: u32::try_from(period).ok()?,
            statistic: statistic?,
            name,
        })
    }

    fn expression(&mut self, id: &str, text: &str) -> Result<Option<Expression>, ApiError> {
        let begins = text.trim_start().get(..6).unwrap_or_default();
        if begins.eq_ignore_ascii_case("SELECT") {
            return Err(ApiError::not_supported("Metrics Insights (SELECT)"));
        }
        match Expression::parse(text) {
            Ok(expression) => Ok(Some(expression)),
            Err(error @ MathError::NotSupported(_)) => Err(in_expression(id, &error)),
            Err(error) => {
                self.faults.push_str(&text_of(id, &error));
                Ok(None)
            }
        }
    }

    fn fault(&mut self, name: &str, value: std::fmt::Arguments<'_>, what: &str) {
        let place = &self.place;
        let text = format!("{value} parameter {place}.{name} {what}.\n");
        self.faults.push_str(&text);
    }

    fn lacks(&mut self, name: &str) {
        self.fault(name, format_args!("The"), "is required");
    }

    fn wrong_period(&mut self, name: &str, period: i32) {
        let value = format_args!("The value {period} for");
        self.fault(name, value, "must be 1, 5, 10, 20, 30 or a multiple of 60");
    }
}

/// Whether a text is an id: a small letter, and letters, digits and underscores behind it.
fn is_id(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The error of an expression that has no value.
pub(crate) fn in_expression(id: &str, error: &MathError) -> ApiError {
    match error {
        MathError::NotSupported(function) => {
            ApiError::not_supported(format_args!("metric math's function {function}"))
        }
        _ => validation(text_of(id, error)),
    }
}

fn text_of(id: &str, error: &MathError) -> String {
    format!("Error in expression '{id}': {error}\n")
}
