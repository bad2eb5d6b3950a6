//! The tree of a condition, and the checks that want names and values. AWS makes them of one comparison or function after
//! the other, and of each in this order: names and values, numbers of operands, operands that are the same, their kinds.

use headwater_items::{Kind, Value};

use crate::{
    Comparison, Condition, Invalid, Operand, Path, Placeholders, condition::order, kinds, limits,
};

use super::raw::{Call, Node, RawOperand, wrong_number};

/// The symbols of kinds, in AWS's order.
const KINDS: &str = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}";

/// The same, where a path stands whose kind is not known; AWS's order is another here.
const ANY_KIND: &str = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}";

/// The condition that was read.
///
/// # Errors
/// The first part of it that is refused.
pub fn condition(node: &Node<'_>, placeholders: &mut Placeholders) -> Result<Condition, Invalid> {
    boxed(node, placeholders).map(|condition| *condition)
}

/// The same in a box: hundreds of conditions can be within each other, and a condition is large for the stack.
fn boxed(node: &Node<'_>, placeholders: &mut Placeholders) -> Result<Box<Condition>, Invalid> {
    let (join, one, other): (Join, _, _) = match node {
        Node::And(one, other) => (Condition::And, one, other),
        Node::Or(one, other) => (Condition::Or, one, other),
        Node::Not(inner) => return boxed(inner, placeholders).map(not),
        leaf => return boxed_test(leaf, placeholders),
    };
    let one = boxed(one, placeholders)?;
    let other = boxed(other, placeholders)?;
    Ok(joined(join, one, other))
}

type Join = fn(Box<Condition>, Box<Condition>) -> Condition;

fn joined(join: Join, one: Box<Condition>, other: Box<Condition>) -> Box<Condition> {
    Box::new(join(one, other))
}

fn not(inner: Box<Condition>) -> Box<Condition> {
    Box::new(Condition::Not(inner))
}

fn boxed_test(node: &Node<'_>, placeholders: &mut Placeholders) -> Result<Box<Condition>, Invalid> {
    test(node, placeholders).map(Box::new)
}

/// A condition that has no others in it.
fn test(node: &Node<'_>, placeholders: &mut Placeholders) -> Result<Condition, Invalid> {
    match node {
        Node::Compare(comparison, operands) => {
            let [one, other] = &**operands;
            let wrong = operands.iter().find_map(wrong_count);
            let (one, other) = (operand(one, placeholders)?, operand(other, placeholders)?);
            refuse(wrong)?;
            compare(*comparison, one, other)
        }
        Node::Between(operands) => {
            let [value, low, high] = &**operands;
            let wrong = operands.iter().find_map(wrong_count);
            let value = operand(value, placeholders)?;
            let (low, high) = (operand(low, placeholders)?, operand(high, placeholders)?);
            refuse(wrong)?;
            between(value, low, high)
        }
        Node::In(value, others) => {
            let wrong = wrong_count(value).or_else(|| others.iter().find_map(wrong_count));
            let value = operand(value, placeholders)?;
            let others = operands(others, placeholders)?;
            refuse(wrong)?;
            one_of(value, others)
        }
        Node::Call(call) => function(call, placeholders),
        Node::And(..) | Node::Or(..) | Node::Not(_) => condition(node, placeholders),
    }
}

/// The value that is meant; a function among values is `size`.
fn operand(written: &RawOperand<'_>, placeholders: &mut Placeholders) -> Result<Operand, Invalid> {
    Ok(match written {
        RawOperand::Path(path) => Operand::Path(path.resolve(placeholders)?),
        RawOperand::Value(value) => Operand::Value(placeholders.value(value)?),
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

/// The comparison of two values.
///
/// # Errors
/// They are the same path, or of a kind without an order that is asked for.
pub fn compare(comparison: Comparison, one: Operand, other: Operand) -> Result<Condition, Invalid> {
    let sign = sign(comparison);
    check_distinct(sign, &one, [&other])?;
    if matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
        check_sizes([&one, &other])?;
    } else {
        check_kinds(sign, [&one, &other], kinds::is_ordered)?;
    }
    Ok(Condition::Compare(comparison, one, other))
}

/// The condition that a value lies between two others.
///
/// # Errors
/// One is of a kind without an order, or the bounds are not in order.
pub fn between(value: Operand, low: Operand, high: Operand) -> Result<Condition, Invalid> {
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

/// The condition that a value equals one of others.
///
/// # Errors
/// They are too many, or the same path.
pub fn one_of(value: Operand, others: Vec<Operand>) -> Result<Condition, Invalid> {
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
    let wrong = call.arguments().find_map(wrong_count);
    let operands = call.arguments();
    let operands = operands.map(|written| operand(written, placeholders));
    let operands = operands.collect::<Result<_, _>>()?;
    refuse(wrong)?;
    called(call.function, operands)
}

/// The condition that a function of this name, in small letters, makes of operands.
///
/// # Errors
/// There is no such function, or it does not take these.
pub fn called(name: &str, operands: Vec<Operand>) -> Result<Condition, Invalid> {
    let right = match name {
        "attribute_exists" | "attribute_not_exists" => 1,
        _ => 2,
    };
    refuse(wrong_number(name, operands.len(), right))?;
    let mut operands = operands.into_iter();
    let (Some(first), second) = (operands.next(), operands.next()) else {
        return Err(Invalid::misplaced(name));
    };
    check_distinct(name, &first, &second)?;
    check_sizes(std::iter::once(&first).chain(&second))?;
    match (name, second) {
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
    if let Operand::Value(value) = operand
        && let Value::String(symbol) = &**value
    {
        return kinds::of_symbol(symbol).ok_or_else(|| {
            Invalid::new(format!(
                "Invalid attribute type name found; type: {symbol}, valid types: {KINDS}"
            ))
        });
    }
    let kind = known_kind(operand).map_or(ANY_KIND, kinds::symbol);
    Err(Invalid::operand_type(function, kind))
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
