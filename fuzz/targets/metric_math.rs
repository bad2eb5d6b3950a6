//! Expressions over metrics, read and evaluated.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::{NOW, target};
use headwater_metrics::math::{Expression, Inputs, TimeSeries, Value};
use headwater_types::Millis;

target!(|text: &str| {
    if let Ok(expression) = Expression::parse(text)
        && let Ok(value) = expression.evaluate(&inputs())
    {
        let mut values = value.series().iter().flat_map(|series| &series.points);
        assert!(values.all(|point| point.1.is_finite()));
    }
});

fn inputs() -> Inputs {
    let points = |number: u64| (0..4).map(move |minute| (Millis(NOW.0 + minute * 60_000), (number * minute) as f64));
    let series = |number: u64| TimeSeries {
        id: Some(format!("m{number}")),
        period: 60,
        points: points(number).collect(),
    };
    let metric = |number: u64| (format!("m{number}"), Value::Series(series(number)));
    Inputs {
        values: (0..3).map(metric).collect(),
        metrics: (0..3).map(|number| format!("m{number}")).collect(),
        from: NOW,
        to: Millis(NOW.0 + 300_000),
        period: 60,
    }
}
