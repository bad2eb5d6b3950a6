//! Conditions that are key conditions: comparisons of attributes with values, joined by `AND`.

use std::sync::Arc;

use headwater_items::Value;

use crate::{
    Comparison, Condition, Invalid, KeyConditions, Operand, SortCondition, key_condition::Wanted,
};

use super::build::sign;

/// What a condition wants of the attributes of a key.
///
/// # Errors
/// When it is no such condition.
pub fn conditions(condition: Condition) -> Result<KeyConditions, Invalid> {
    let mut found = Vec::new();
    gather(condition, &mut found)?;
    KeyConditions::new(found)
}

fn gather(condition: Condition, found: &mut Vec<(String, Wanted)>) -> Result<(), Invalid> {
    let (name, wanted) = match condition {
        Condition::And(one, other) => {
            gather(*one, found)?;
            return gather(*other, found);
        }
        Condition::Compare(comparison, one, other) if comparison != Comparison::NotEqual => {
            compare(comparison, one, other)?
        }
        Condition::Between(value, low, high) => {
            check_first("BETWEEN", &value)?;
            let (name, low, high) = match attribute([value, low, high])? {
                (_, name, [Some(low), Some(high), ..]) => (name, low, high),
                _ => return Err(many_names()),
            };
            (name, SortCondition::Between(low, high))
        }
        Condition::BeginsWith(value, start) => {
            check_first("begins_with", &value)?;
            match attribute([value, start])? {
                (_, name, [Some(start), ..]) => (name, SortCondition::BeginsWith(start)),
                _ => return Err(many_names()),
            }
        }
        other => return Err(wrong_operator(&other)),
    };
    if found.iter().any(|(other, _)| *other == name) {
        return Err(Invalid::new(
            "KeyConditionExpressions must only contain one condition per key",
        ));
    }
    found.push((name, Wanted::Sort(wanted)));
    Ok(())
}

/// A comparison, turned round where the attribute is on the right.
fn compare(
    comparison: Comparison,
    one: Operand,
    other: Operand,
) -> Result<(String, SortCondition), Invalid> {
    let (at, name, [Some(value), ..]) = attribute([one, other])? else {
        return Err(many_names());
    };
    let wanted = match (comparison, at) {
        (Comparison::Less, 0) | (Comparison::Greater, 1..) => SortCondition::Less(value),
        (Comparison::LessOrEqual, 0) | (Comparison::GreaterOrEqual, 1..) => {
            SortCondition::LessOrEqual(value)
        }
        (Comparison::Greater, 0) | (Comparison::Less, 1..) => SortCondition::Greater(value),
        (Comparison::GreaterOrEqual, 0) | (Comparison::LessOrEqual, 1..) => {
            SortCondition::GreaterOrEqual(value)
        }
        (Comparison::Equal | Comparison::NotEqual, _) => SortCondition::Equal(value),
    };
    Ok((name, wanted))
}

/// The one attribute among operands, where it stands, and the values beside it.
fn attribute<const N: usize>(
    operands: [Operand; N],
) -> Result<(usize, String, [Option<Value>; N]), Invalid> {
    let mut found = None;
    let mut values = [const { None }; N];
    let mut free = values.iter_mut();
    for (at, operand) in operands.into_iter().enumerate() {
        match operand {
            Operand::Path(_) if found.is_some() => return Err(many_names()),
            Operand::Path(path) if !path.steps.is_empty() => {
                return Err(Invalid::new(
                    "KeyConditionExpressions cannot have conditions on nested attributes",
                ));
            }
            Operand::Path(path) => found = Some((at, path.root.to_string())),
            Operand::Value(value) => {
                if let Some(slot) = free.next() {
                    *slot = Some(Arc::unwrap_or_clone(value));
                }
            }
            Operand::Size(_) => {
                return Err(Invalid::new(
                    "KeyConditionExpressions cannot contain nested operations",
                ));
            }
        }
    }
    let (at, name) = found.ok_or_else(|| {
        Invalid::bare("Invalid condition in KeyConditionExpression: No key attribute specified")
    })?;
    Ok((at, name, values))
}

fn check_first(operator: &str, first: &Operand) -> Result<(), Invalid> {
    if matches!(first, Operand::Path(_)) {
        return Ok(());
    }
    Err(Invalid::bare(format!(
        "Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute \
         as its first operand"
    )))
}

fn many_names() -> Invalid {
    Invalid::bare(
        "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
    )
}

fn wrong_operator(condition: &Condition) -> Invalid {
    let operator = match condition {
        Condition::And(..) => "AND",
        Condition::Or(..) => "OR",
        Condition::Not(_) => "NOT",
        Condition::Compare(comparison, ..) => sign(*comparison),
        Condition::Between(..) => "BETWEEN",
        Condition::In(..) => "IN",
        Condition::Exists(_) => "attribute_exists",
        Condition::NotExists(_) => "attribute_not_exists",
        Condition::IsKind(..) => "attribute_type",
        Condition::BeginsWith(..) => "begins_with",
        Condition::Contains(..) => "contains",
    };
    Invalid::bare(format!(
        "Invalid operator used in KeyConditionExpression: {operator}"
    ))
}
