//! The expressions of a request, evaluated: each when those that it names have their values, all within one budget.

use std::collections::BTreeMap;

use headwater_metrics::math::{Expression, Inputs, Value, limits::POINTS_MAX};
use headwater_wire::ApiError;

use crate::{
    errors::validation,
    queries::{Asked, What, in_expression},
};

/// The values of all queries, by id. Blocks.
///
/// # Errors
/// An expression has no value, or all of them have too many points together.
pub(crate) fn evaluate(
    asked: &[Asked],
    mut inputs: Inputs,
) -> Result<BTreeMap<String, Value>, ApiError> {
    let mut points: usize = inputs.values.values().map(Value::points).sum();
    for (id, expression) in in_order(asked)? {
        let value = expression.evaluate(&inputs);
        let value = value.map_err(|error| in_expression(id, &error))?;
        points += value.points();
        if points > POINTS_MAX {
            return Err(validation(format!(
                "Error in expression '{id}': it and the queries before it have more than {POINTS_MAX} points together\n"
            )));
        }
        inputs.values.insert(id.to_owned(), value);
    }
    Ok(inputs.values)
}

/// The expressions of queries, each behind those that it names.
fn in_order(asked: &[Asked]) -> Result<Vec<(&str, &Expression)>, ApiError> {
    let expressions: BTreeMap<&str, &Expression> = asked
        .iter()
        .filter_map(|asked| match &asked.what {
            What::Stat(_) => None,
            What::Expression(expression) => Some((asked.id.as_str(), expression)),
        })
        .collect();
    let mut named_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut waits_for: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, expression) in &expressions {
        let names = expression.ids().into_iter();
        let names: Vec<_> = names.filter(|id| expressions.contains_key(id)).collect();
        waits_for.insert(id, names.len());
        for name in names {
            named_by.entry(name).or_default().push(id);
        }
    }
    let mut ready: Vec<&str> = waits_for
        .iter()
        .filter_map(|(id, names)| (*names == 0).then_some(*id))
        .collect();
    let mut order = Vec::with_capacity(expressions.len());
    while let Some(id) = ready.pop() {
        waits_for.remove(id);
        order.push((id, expressions[id]));
        for by in named_by.remove(id).unwrap_or_default() {
            let names = waits_for.entry(by).or_default();
            *names = names.saturating_sub(1);
            if *names == 0 {
                ready.push(by);
            }
        }
    }
    match waits_for.keys().next() {
        None => Ok(order),
        Some(id) => Err(validation(format!(
            "Error in expression '{id}': it is calculated of itself\n"
        ))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "this is test code")]
mod tests {
    use headwater_types::Millis;

    use super::*;

    fn asked(expressions: impl IntoIterator<Item = (String, String)>) -> Vec<Asked> {
        let asked = expressions.into_iter().map(|(id, text)| Asked {
            id,
            label: None,
            is_returned: true,
            what: What::Expression(Expression::parse(&text).unwrap()),
        });
        asked.collect()
    }

    fn refused(asked: &[Asked], points: u64) -> String {
        evaluate(asked, inputs(points))
            .unwrap_err()
            .message()
            .to_owned()
    }

    fn inputs(points: u64) -> Inputs {
        Inputs {
            to: Millis(points * 60_000),
            period: 60,
            ..Inputs::default()
        }
    }

    #[test]
    fn expressions_are_evaluated_behind_those_that_they_name() {
        const LAST: usize = 499;
        let chain = (0..=LAST).map(|n| match n {
            LAST => (format!("e{n}"), "TIME_SERIES(1)".to_owned()),
            _ => (format!("e{n}"), format!("e{} + 1", n + 1)),
        });
        let values = evaluate(&asked(chain), inputs(1)).unwrap();
        let first = &values["e0"].series()[0];
        assert_eq!(first.points, [(Millis(0), 500.0)]);
    }

    #[test]
    fn what_is_calculated_of_itself_is_refused() {
        let circle = [
            ("a", "b + 1"),
            ("b", "c + 1"),
            ("c", "b + 1"),
            ("d", "TIME_SERIES(1)"),
        ];
        let circle = asked(circle.map(|(id, text)| (id.to_owned(), text.to_owned())));
        let text = "Error in expression 'a': it is calculated of itself\n";
        assert_eq!(refused(&circle, 1), text);
    }

    #[test]
    fn all_expressions_have_one_budget_of_points() {
        let many = (0..500).map(|n| (format!("e{n}"), "TIME_SERIES(1)".to_owned()));
        let many = asked(many);
        assert!(evaluate(&many, inputs(1_000)).is_ok());
        let text = refused(&many, 200_000);
        assert!(
            text.ends_with("have more than 500000 points together\n"),
            "{text}"
        );
    }

    #[test]
    fn all_expressions_have_one_budget_of_steps() {
        let sum = vec!["1 * TIME_SERIES(1)"; 90].join(" + ");
        let sums = (0..500).map(|n| (format!("e{n}"), format!("SUM({sum})")));
        let sums = asked(sums);
        assert!(evaluate(&sums, inputs(10)).is_ok());
        let text = refused(&sums, 10_000);
        assert!(
            text.ends_with("make more than 10000000 points on the way\n"),
            "{text}"
        );
    }
}
