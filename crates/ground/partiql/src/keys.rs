//! What conditions want of a key: the one item that they are about, or where the items are for which they hold.

use std::collections::BTreeMap;

use headwater_expressions::{Comparison, Condition, KeyCondition, Operand, Path, SortCondition};
use headwater_items::{Item, Value, key};

use crate::{Refused, limits};

/// A condition that is about one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneItem {
    /// The item's key.
    pub key: Item,
    /// What else must hold.
    pub rest: Option<Condition>,
    /// The attribute of the key that is to have two values; the second is part of the rest.
    pub twice: Option<String>,
}

/// The item that a condition is about: it wants each attribute of the key, which are these, to equal a value. `listed` says
/// whether `IN` with one value says that too. None where it is about no one item.
pub fn one_item(condition: Condition, names: &[&str], listed: bool) -> Option<OneItem> {
    let mut conjuncts = Vec::new();
    split(condition, &mut conjuncts);
    let (mut key, mut rest, mut twice) = (Item::new(), None, None);
    for conjunct in conjuncts {
        let wanted = names.iter().find_map(|name| {
            let values = values_of(&conjunct, name)?;
            match (&*values, &conjunct) {
                ([_], Condition::In(..)) if !listed => None,
                ([value], _) => Some((*name, value.clone())),
                _ => None,
            }
        });
        if let Some((name, value)) = wanted {
            let known = key.entry(name.to_owned()).or_insert_with(|| value.clone());
            if *known == value {
                continue;
            }
            twice = Some(name.to_owned());
        }
        rest = Some(match rest {
            Some(before) => Condition::And(Box::new(before), Box::new(conjunct)),
            None => conjunct,
        });
    }
    (key.len() == names.len()).then_some(OneItem { key, rest, twice })
}

/// Where the items are for which a condition holds, in a table or an index with this key: every such item is in one of these
/// places, and none in two. None where they may be anywhere.
///
/// # Errors
/// The places are too many, or the condition wants two that are not apart.
pub fn reads(
    condition: &Condition,
    partition: &str,
    sort: Option<&str>,
) -> Result<Option<Vec<KeyCondition>>, Refused> {
    let Some(places) = places(condition, partition, sort) else {
        return Ok(None);
    };
    if places.len() > limits::READS {
        return Refused::told("Too many decomposed read operations for a given query.");
    }
    let mut by_partition: BTreeMap<Vec<u8>, Vec<KeyCondition>> = BTreeMap::new();
    let mut order = Vec::new();
    for place in places {
        let mut bytes = Vec::new();
        key::encode(&place.partition.1, &mut bytes);
        if !by_partition.contains_key(&bytes) {
            order.push(bytes.clone());
        }
        by_partition.entry(bytes).or_default().push(place);
    }
    let mut apart = Vec::new();
    for bytes in order {
        apart.extend(set_apart(by_partition.remove(&bytes).unwrap_or_default())?);
    }
    Ok(Some(apart))
}

/// Places of one partition, so that none overlaps another: what are no single keys become the whole partition.
fn set_apart(mut places: Vec<KeyCondition>) -> Result<Vec<KeyCondition>, Refused> {
    let mut others = places.iter().enumerate();
    let overlap = others.any(|(at, place)| {
        let before = places.get(..at).unwrap_or_default();
        before.contains(place) || (places.len() > 1 && place.sort.is_none())
    });
    if overlap {
        return Refused::told(
            "Overlapping conditions with range keys are not supported in where clause",
        );
    }
    let is_single =
        |place: &KeyCondition| matches!(&place.sort, Some((_, SortCondition::Equal(_))));
    if places.len() > 1 && !places.iter().all(is_single) {
        places.truncate(1);
        places.iter_mut().for_each(|place| place.sort = None);
    }
    Ok(places)
}

/// The places as the condition names them; of too many, some.
fn places(condition: &Condition, partition: &str, sort: Option<&str>) -> Option<Vec<KeyCondition>> {
    if let Condition::Or(one, other) = condition {
        let mut either = places(one, partition, sort)?;
        either.extend(places(other, partition, sort)?);
        return Some(either);
    }
    let mut conjuncts = Vec::new();
    borrow(condition, &mut conjuncts);
    let named = conjuncts.iter().find_map(|one| values_of(one, partition));
    let Some(partitions) = named else {
        return conjuncts.into_iter().find_map(|one| match one {
            Condition::Or(..) => places(one, partition, sort),
            _ => None,
        });
    };
    let named = |name| Some((name, conjuncts.iter().find_map(|one| sorts_of(one, name))?));
    let sorts: Vec<Option<(String, SortCondition)>> = match sort.and_then(named) {
        Some((name, sorts)) => {
            let named = sorts.into_iter().map(|sort| Some((name.to_owned(), sort)));
            named.collect()
        }
        None => vec![None],
    };
    let each = |value: Value| {
        sorts.iter().map(move |sort| KeyCondition {
            partition: (partition.to_owned(), value.clone()),
            sort: sort.clone(),
        })
    };
    let all = partitions.into_iter().flat_map(each);
    Some(all.take(limits::READS + 1).collect())
}

/// The conditions that must all hold.
fn split(condition: Condition, into: &mut Vec<Condition>) {
    match condition {
        Condition::And(one, other) => {
            split(*one, into);
            split(*other, into);
        }
        other => into.push(other),
    }
}

fn borrow<'a>(condition: &'a Condition, into: &mut Vec<&'a Condition>) {
    match condition {
        Condition::And(one, other) => {
            borrow(one, into);
            borrow(other, into);
        }
        other => into.push(other),
    }
}

/// The values of which an attribute is to equal one.
fn values_of(condition: &Condition, name: &str) -> Option<Vec<Value>> {
    match condition {
        Condition::Compare(Comparison::Equal, one, other) => {
            let value = beside(one, other, name).or_else(|| beside(other, one, name));
            value.map(|value| vec![value])
        }
        Condition::In(value, others) => {
            let others = others.iter().map(|other| beside(value, other, name));
            others.collect()
        }
        Condition::Or(one, other) => {
            let mut values = values_of(one, name)?;
            values.extend(values_of(other, name)?);
            Some(values)
        }
        _ => None,
    }
}

/// What an attribute that sorts is to be.
fn sorts_of(condition: &Condition, name: &str) -> Option<Vec<SortCondition>> {
    if let Some(values) = values_of(condition, name) {
        return Some(values.into_iter().map(SortCondition::Equal).collect());
    }
    let sort = match condition {
        Condition::Compare(comparison, one, other) => match beside(one, other, name) {
            Some(value) => compared(*comparison, value)?,
            None => compared(turned(*comparison), beside(other, one, name)?)?,
        },
        Condition::Between(value, low, high) => {
            SortCondition::Between(beside(value, low, name)?, beside(value, high, name)?)
        }
        Condition::BeginsWith(value, start) => {
            SortCondition::BeginsWith(beside(value, start, name)?)
        }
        _ => return None,
    };
    Some(vec![sort])
}

fn compared(comparison: Comparison, value: Value) -> Option<SortCondition> {
    Some(match comparison {
        Comparison::Equal => SortCondition::Equal(value),
        Comparison::NotEqual => return None,
        Comparison::Less => SortCondition::Less(value),
        Comparison::LessOrEqual => SortCondition::LessOrEqual(value),
        Comparison::Greater => SortCondition::Greater(value),
        Comparison::GreaterOrEqual => SortCondition::GreaterOrEqual(value),
    })
}

/// The comparison with its sides exchanged.
fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

/// The value that stands beside an attribute of this name.
fn beside(attribute: &Operand, value: &Operand, name: &str) -> Option<Value> {
    match (attribute, value) {
        (Operand::Path(Path { root, steps }), Operand::Value(value))
            if **root == *name && steps.is_empty() =>
        {
            Some(Value::clone(value))
        }
        _ => None,
    }
}
