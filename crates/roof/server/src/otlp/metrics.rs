//! Metrics in OTLP's JSON.

use std::fmt::Write;

use headwater_env::Clock;
use serde_json::Value;

use super::attributes;
use crate::metrics::{
    families::{Kind, Metric},
    samples::{Form, Histogram, Labels, Number},
};

/// OTLP's word for counts that begin with the process and go on.
const CUMULATIVE: u8 = 2;

/// The form of the metrics: a data point for each value.
pub struct OtlpForm {
    /// The members of every data point that say when: from the start of the process until now.
    times: String,
}

impl OtlpForm {
    /// Data points of now.
    pub fn new(clock: &dyn Clock) -> Self {
        let now = u128::from(clock.now().0) * 1_000_000;
        let start = now.saturating_sub(clock.elapsed().as_nanos());
        Self {
            times: format!("\"startTimeUnixNano\":\"{start}\",\"timeUnixNano\":\"{now}\""),
        }
    }

    fn begin(&self, metric: &Metric, labels: Labels<'_>, points: &mut String) {
        let comma = if points.is_empty() { "" } else { "," };
        let pairs: Vec<_> = labels.pairs(metric).collect();
        // Writing to a string does not fail.
        let _ = write!(
            points,
            "{comma}{{\"attributes\":{},{}",
            attributes(&pairs),
            self.times
        );
    }
}

impl Form for OtlpForm {
    fn value(&self, metric: &Metric, labels: Labels<'_>, value: Number, points: &mut String) {
        self.begin(metric, labels, points);
        let _ = match value {
            // 64 bits are a text in JSON.
            Number::Whole(value) => write!(points, ",\"asInt\":\"{value}\"}}"),
            Number::Real(value) => write!(points, ",\"asDouble\":{}}}", Value::from(value)),
        };
    }

    fn histogram(
        &self,
        metric: &Metric,
        labels: Labels<'_>,
        of: Histogram<'_>,
        points: &mut String,
    ) {
        self.begin(metric, labels, points);
        let counts: Vec<_> = of.counts.iter().map(u64::to_string).collect();
        let (count, sum) = (of.counts.iter().sum::<u64>(), Value::from(of.sum));
        let (bounds, counts) = (Value::from(of.bounds), Value::from(counts));
        let _ = write!(
            points,
            ",\"count\":\"{count}\",\"sum\":{sum},\"bucketCounts\":{counts},\"explicitBounds\":{bounds}}}"
        );
    }

    fn family(&self, metric: &Metric, points: &str, text: &mut String) {
        let comma = if text.is_empty() { "" } else { "," };
        let (name, help) = (metric.name, Value::from(metric.help));
        let of_kind = match metric.kind {
            Kind::Counter => format!(
                "\"sum\":{{\"aggregationTemporality\":{CUMULATIVE},\"isMonotonic\":true,\"dataPoints\":[{points}]}}"
            ),
            Kind::Gauge => format!("\"gauge\":{{\"dataPoints\":[{points}]}}"),
            Kind::Histogram => format!(
                "\"histogram\":{{\"aggregationTemporality\":{CUMULATIVE},\"dataPoints\":[{points}]}}"
            ),
        };
        let _ = write!(
            text,
            "{comma}{{\"name\":\"{name}\",\"description\":{help},{of_kind}}}"
        );
    }
}

/// The body of a request with metrics that were written in this form.
pub fn request(resource: &str, metrics: &str) -> String {
    format!(
        "{{\"resourceMetrics\":[{{\"resource\":{{\"attributes\":{resource}}},\
         \"scopeMetrics\":[{{\"scope\":{{\"name\":\"headwater\"}},\"metrics\":[{metrics}]}}]}}]}}"
    )
}

#[cfg(test)]
mod tests {
    use headwater_env::ManualClock;
    use headwater_types::Millis;
    use serde_json::{Value, json};

    use super::*;
    use crate::metrics::{Samples, families::*};

    #[test]
    fn each_kind_of_metric_has_its_form() {
        let clock = ManualClock::at(Millis(5_000));
        let mut samples = Samples::of_region("eu-1", Box::new(OtlpForm::new(&clock)));
        samples.add(&LOG_FILES, &[], 2);
        samples.add(&QUEUE_OLDEST, &["q\"1"], 0.25);
        samples.add(&QUEUE_OLDEST, &["q2"], 1.0);
        samples.add(&LOG_COMMITS, &[], u64::MAX);
        let took = Histogram {
            bounds: &[0.5],
            counts: &[3, 1],
            sum: 9.5,
        };
        samples.add_histogram(&REQUEST_DURATION, &["s", "o"], took);
        let body = request(&attributes(&[("service.name", "x")]), &samples.into_text());
        let body: Value = serde_json::from_str(&body).unwrap();
        let of = &body["resourceMetrics"][0];
        let name = json!([{"key": "service.name", "value": {"stringValue": "x"}}]);
        assert_eq!(of["resource"]["attributes"], name);
        let metrics = of["scopeMetrics"][0]["metrics"].as_array().unwrap();
        let of = |metric: &Metric| {
            let found = metrics
                .iter()
                .find(|told| told["name"] == metric.name)
                .unwrap();
            assert_eq!(found["description"], metric.help);
            found
        };
        let files = &of(&LOG_FILES)["gauge"]["dataPoints"][0];
        assert_eq!(
            (&files["asInt"], &files["timeUnixNano"]),
            (&json!("2"), &json!("5000000000"))
        );
        let oldest = of(&QUEUE_OLDEST)["gauge"]["dataPoints"].as_array().unwrap();
        let queue = json!({"key": "queue", "value": {"stringValue": "q\"1"}});
        assert_eq!((oldest.len(), &oldest[0]["attributes"][1]), (2, &queue));
        assert_eq!(
            (&oldest[0]["asDouble"], &oldest[1]["asDouble"]),
            (&json!(0.25), &json!(1.0))
        );
        let commits = &of(&LOG_COMMITS)["sum"];
        assert_eq!(commits["isMonotonic"], true);
        assert_eq!(commits["dataPoints"][0]["asInt"], "18446744073709551615");
        let took = &of(&REQUEST_DURATION)["histogram"]["dataPoints"][0];
        assert_eq!((&took["count"], &took["sum"]), (&json!("4"), &json!(9.5)));
        assert_eq!(
            (&took["bucketCounts"], &took["explicitBounds"]),
            (&json!(["3", "1"]), &json!([0.5]))
        );
    }
}
