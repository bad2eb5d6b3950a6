//! The tree of a condition, and the checks that want names and values. AWS makes them of one comparison or function after
//! the other, and of each in this order: names and values, numbers of operands, operands that are the same, their kinds.

use headwater_items::{Kind, Value};

use crate::{
    Comparison, Condition, Invalid, Operand, Path, Placeholders, condition::order, kinds, limits,
};

use super::raw::{Call, Node, RawOperand};

/// The symbols of kinds, in AWS's order.
const KINDS: &str = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}";

/// The same, where a path stands whose kind is not known; AWS's order is another here.
const ANY_KIND: &str = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}";

/// The condition that was read.
///
/// # Errors
/// The first part of it that is refused.
pub fn condition(node: &Node<'_>, placeholders: &mut Placeholders) -> Result<Condition, Invalid> {
    Ok(match node {
        Node::And(one, other) => {
            let one = condition(one, placeholders)?;
            Condition::And(Box::new(one), Box::new(condition(other, placeholders)?))
        }
        Node::Or(one, other) => {
            let one = condition(one, placeholders)?;
            Condition::Or(Box::new(one), Box::new(condition(other, placeholders)?))
        }
        Node::Not(inner) => Condition::Not(Box::new(condition(inner, placeholders)?)),
        Node::Compare(comparison, one, other) => {
            let wrong = wrong_count(one).or_else(|| wrong_count(other));
            let (one, other) = (operand(one, placeholders)?, operand(other, placeholders)?);
            refuse(wrong)?;
            compare(*comparison, one, other)?
        }
        Node::Between(value, low, high) => {
            let wrong = [value, low, high].into_iter().find_map(wrong_count);
            let value = operand(value, placeholders)?;
            let (low, high) = (operand(low, placeholders)?, operand(high, placeholders)?);
            refuse(wrong)?;
            between(value, low, high)?
        }
        Node::In(value, others) => {
            let wrong = wrong_count(value).or_else(|| others.iter().find_map(wrong_count));
            let value = operand(value, placeholders)?;
            let others = operands(others, placeholders)?;
            refuse(wrong)?;
            one_of(value, others)?
        }
        Node::Call(call) => function(call, placeholders)?,
    })
}

/// The value that is meant; a function among values is `size`.
fn operand(written: &RawOperand<'_>, placeholders: &mut Placeholders) -> Result<Operand, Invalid> {
    Ok(match written {
        RawOperand::Path(path) => Operand::Path(path.resolve(placeholders)?),
        RawOperand::Value(value) => Operand::Value(placeholders.value(value)?.clone()),
        RawOperand::Call(call) => {
            let size = Operand::Size(Box::new(operand(&call.first, placeholders)?));
            // Those that are too many are refused later, but what they name must be there.
            operands(&call.rest, placeholders)?;
            size
        }
    })
}

fn operands(
    written: &[RawOperand<'_>],
    placeholders: &mut Placeholders,
) -> Result<Vec<Operand>, Invalid> {
    written
        .iter()
        .map(|written| operand(written, placeholders))
        .collect()
}

/// What is wrong with the number of operands of the functions in a value.
fn wrong_count(written: &RawOperand<'_>) -> Option<Invalid> {
    match written {
        RawOperand::Call(call) => call
            .arguments()
            .find_map(wrong_count)
            .or_else(|| call.wrong_count(1)),
        _ => None,
    }
}

fn refuse(wrong: Option<Invalid>) -> Result<(), Invalid> {
    wrong.map_or(Ok(()), Err)
}

fn compare(comparison: Comparison, one: Operand, other: Operand) -> Result<Condition, Invalid> {
    let sign = sign(comparison);
    check_distinct(sign, &one, [&other])?;
    if matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
        check_sizes([&one, &other])?;
    } else {
        check_kinds(sign, [&one, &other], kinds::is_ordered)?;
    }
    Ok(Condition::Compare(comparison, one, other))
}

fn between(value: Operand, low: Operand, high: Operand) -> Result<Condition, Invalid> {
    check_kinds("BETWEEN", [&value, &low, &high], kinds::is_ordered)?;
    if let (Operand::Value(low), Operand::Value(high)) = (&low, &high) {
        let wanted = match order(low, high) {
            None => "same data type for lower and upper bounds",
            Some(order) if order.is_gt() => {
                "upper bound to be greater than or equal to lower bound"
            }
            Some(_) => "",
        };
        if !wanted.is_empty() {
            return Err(Invalid::new(format!(
                "The BETWEEN operator requires {wanted}; lower bound operand: {}, \
                 upper bound operand: {}",
                bound(low),
                bound(high)
            )));
        }
    }
    Ok(Condition::Between(value, low, high))
}

fn one_of(value: Operand, others: Vec<Operand>) -> Result<Condition, Invalid> {
    if others.len() > limits::IN_OPERANDS {
        return Err(Invalid::new(format!(
            "The IN operator is provided with too many operands; number of operands: {}",
            others.len()
        )));
    }
    check_distinct("IN", &value, &others)?;
    check_sizes(std::iter::once(&value).chain(&others))?;
    Ok(Condition::In(value, others))
}

/// A function that is a condition.
fn function(call: &Call<'_>, placeholders: &mut Placeholders) -> Result<Condition, Invalid> {
    let name = call.function;
    let right = match name {
        "attribute_exists" | "attribute_not_exists" => 1,
        _ => 2,
    };
    let wrong = call
        .arguments()
        .find_map(wrong_count)
        .or_else(|| call.wrong_count(right));
    let first = operand(&call.first, placeholders)?;
    let rest = operands(&call.rest, placeholders)?;
    refuse(wrong)?;
    check_distinct(name, &first, &rest)?;
    check_sizes(std::iter::once(&first).chain(&rest))?;
    match (name, rest.into_iter().next()) {
        ("attribute_exists", None) => Ok(Condition::Exists(path(name, first)?)),
        ("attribute_not_exists", None) => Ok(Condition::NotExists(path(name, first)?)),
        ("attribute_type", Some(wanted)) => Ok(Condition::IsKind(first, kind(name, &wanted)?)),
        ("contains", Some(part)) => Ok(Condition::Contains(first, part)),
        ("begins_with", Some(start)) => {
            check_kinds(name, [&first, &start], |kind| {
                matches!(kind, Kind::String | Kind::Binary)
            })?;
            Ok(Condition::BeginsWith(first, start))
        }
        _ => Err(Invalid::misplaced(name)),
    }
}

fn path(function: &str, operand: Operand) -> Result<Path, Invalid> {
    match operand {
        Operand::Path(path) => Ok(path),
        _ => Err(Invalid::wants_path(function)),
    }
}

/// The kind whose symbol an operand is.
fn kind(function: &str, operand: &Operand) -> Result<Kind, Invalid> {
    match operand {
        Operand::Value(Value::String(symbol)) => kinds::of_symbol(symbol).ok_or_else(|| {
            Invalid::new(format!(
                "Invalid attribute type name found; type: {symbol}, valid types: {KINDS}"
            ))
        }),
        other => {
            let kind = known_kind(other).map_or(ANY_KIND, kinds::symbol);
            Err(Invalid::operand_type(function, kind))
        }
    }
}

/// Makes sure that the first operand is not the same path as another.
fn check_distinct<'a>(
    operator: &str,
    first: &Operand,
    rest: impl IntoIterator<Item = &'a Operand>,
) -> Result<(), Invalid> {
    match first {
        Operand::Path(path) if rest.into_iter().any(|other| other == first) => {
            Err(Invalid::new(format!(
                "The first operand must be distinct from the remaining operands for this operator \
                 or function; operator: {operator}, first operand: {path}"
            )))
        }
        _ => Ok(()),
    }
}

/// Makes sure that operands are of such kinds, where that is known already.
fn check_kinds<'a>(
    operator: &str,
    operands: impl IntoIterator<Item = &'a Operand> + Clone,
    fits: impl Fn(Kind) -> bool,
) -> Result<(), Invalid> {
    check_sizes(operands.clone())?;
    let wrong = operands
        .into_iter()
        .filter_map(known_kind)
        .find(|&kind| !fits(kind));
    wrong.map_or(Ok(()), |kind| {
        Err(Invalid::operand_type(operator, kinds::symbol(kind)))
    })
}

/// Makes sure that operands of `size` have one.
fn check_sizes<'a>(operands: impl IntoIterator<Item = &'a Operand>) -> Result<(), Invalid> {
    for operand in operands {
        if let Operand::Size(of) = operand {
            check_kinds("size", [&**of], |kind| {
                !matches!(kind, Kind::Number | Kind::Bool | Kind::Null)
            })?;
        }
    }
    Ok(())
}

/// The kind of an operand, where it does not depend on the item.
fn known_kind(operand: &Operand) -> Option<Kind> {
    match operand {
        Operand::Path(_) => None,
        Operand::Value(value) => Some(value.kind()),
        Operand::Size(_) => Some(Kind::Number),
    }
}

/// How AWS shows a bound.
fn bound(value: &Value) -> String {
    match value {
        Value::String(text) => format!("AttributeValue: {{S:{text}}}"),
        Value::Number(number) => format!("AttributeValue: {{N:{number}}}"),
        Value::Binary(bytes) => {
            let len = bytes.len();
            format!("AttributeValue: {{B:java.nio.HeapByteBuffer[pos=0 lim={len} cap={len}]}}")
        }
        other => format!("AttributeValue: {{{}}}", kinds::symbol(other.kind())),
    }
}

/// How a comparison is written.
pub fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}
