//! The tree of an update, and the checks that want names and values. AWS makes each of them of the whole update: names,
//! values, paths, what is added and deleted, functions, and last how much it gives.

use std::collections::BTreeSet;

use headwater_items::{Kind, limits::ITEM_BYTES};

use crate::{Action, Invalid, Path, Placeholders, SetValue, Step, Update, UpdateError, kinds};

use super::{
    overlap,
    raw::{Call, Clause, RawOperand, RawPath, Sum},
};

/// The update that was read.
///
/// # Errors
/// The first check that it does not pass.
pub fn update(clauses: &[Clause<'_>], placeholders: &mut Placeholders) -> Result<Update, Invalid> {
    let targets = clauses
        .iter()
        .map(|clause| look_up_names(clause, placeholders))
        .collect::<Result<Vec<_>, _>>()?;
    for clause in clauses {
        look_up_values(clause, placeholders)?;
    }
    overlap::check(&targets)?;
    for clause in clauses {
        check_added(clause, placeholders)?;
    }
    let actions = clauses
        .iter()
        .zip(targets)
        .map(|(clause, path)| action(clause, path, placeholders))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Update(actions))
}

/// Makes sure that what an update gives is no larger than an item may be: the names of its places, and the values of the
/// request as often as they are used there. (Source: what DynamoDB Local refuses.)
///
/// # Errors
/// It is larger.
pub fn check_given(update: &Update) -> Result<(), Invalid> {
    let given = |action: &Action| match action {
        Action::Set(path, value) => names(path) + bytes(value),
        Action::Add(path, value) | Action::AddLegacy(path, value) => names(path) + value.size(),
        Action::Remove(_) | Action::Delete(..) | Action::DeleteLegacy(..) => 0,
    };
    match update.0.iter().map(given).sum::<usize>() {
        0..=ITEM_BYTES => Ok(()),
        _ => Err(Invalid::bare(UpdateError::TooLarge.to_string())),
    }
}

/// Bytes of the names of a path, each of which counts once.
fn names(path: &Path) -> usize {
    let fields = path.steps.iter().filter_map(|step| match step {
        Step::Field(name) => Some(name),
        Step::Index(_) => None,
    });
    let names: BTreeSet<_> = std::iter::once(&path.root).chain(fields).collect();
    names.into_iter().map(|name| name.len()).sum()
}

/// Bytes of the request's values in what is set.
fn bytes(value: &SetValue) -> usize {
    match value {
        SetValue::Path(_) => 0,
        SetValue::Value(value) => value.size(),
        SetValue::Plus(one, other)
        | SetValue::Minus(one, other)
        | SetValue::ListAppend(one, other) => bytes(one) + bytes(other),
        SetValue::IfNotExists(_, other) => bytes(other),
    }
}

impl<'a> Clause<'a> {
    fn target(&self) -> &RawPath<'a> {
        match self {
            Self::Set(path, _)
            | Self::Remove(path)
            | Self::Add(path, _)
            | Self::Delete(path, _) => path,
        }
    }

    /// Shows what `SET` puts together: paths and values, also those that functions are given.
    fn leaves(
        &self,
        mut see: impl FnMut(&RawOperand<'a>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        match self {
            Self::Set(_, Sum::One(one)) => one.leaves(&mut see),
            Self::Set(_, Sum::Plus(one, other) | Sum::Minus(one, other)) => {
                one.leaves(&mut see)?;
                other.leaves(&mut see)
            }
            _ => Ok(()),
        }
    }
}

impl<'a> RawOperand<'a> {
    fn leaves(
        &self,
        see: &mut impl FnMut(&RawOperand<'a>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        match self {
            Self::Call(call) => call
                .arguments()
                .try_for_each(|argument| argument.leaves(see)),
            leaf => see(leaf),
        }
    }
}

/// Looks all names of an action up. The path is that which it changes.
fn look_up_names(clause: &Clause<'_>, placeholders: &mut Placeholders) -> Result<Path, Invalid> {
    let target = clause.target().resolve(placeholders)?;
    clause.leaves(|leaf| match leaf {
        RawOperand::Path(path) => path.resolve(placeholders).map(drop),
        _ => Ok(()),
    })?;
    Ok(target)
}

fn look_up_values(clause: &Clause<'_>, placeholders: &mut Placeholders) -> Result<(), Invalid> {
    if let Clause::Add(_, value) | Clause::Delete(_, value) = clause {
        placeholders.value(value)?;
    }
    clause.leaves(|leaf| match leaf {
        RawOperand::Value(value) => placeholders.value(value).map(drop),
        _ => Ok(()),
    })
}

/// Makes sure that what is added is a number or a set, and what is deleted a set.
fn check_added(clause: &Clause<'_>, placeholders: &mut Placeholders) -> Result<(), Invalid> {
    let (section, value) = match clause {
        Clause::Add(_, value) => ("ADD", value),
        Clause::Delete(_, value) => ("DELETE", value),
        Clause::Set(..) | Clause::Remove(_) => return Ok(()),
    };
    let kind = placeholders.value(value)?.kind();
    if kinds::is_set(kind) || (section == "ADD" && kind == Kind::Number) {
        return Ok(());
    }
    Err(Invalid::new(format!(
        "Incorrect operand type for operator or function; operator: {section}, operand type: {}, \
         typeSet: ALLOWED_FOR_{section}_OPERAND",
        kinds::word(kind)
    )))
}

fn action(
    clause: &Clause<'_>,
    path: Path,
    placeholders: &mut Placeholders,
) -> Result<Action, Invalid> {
    Ok(match clause {
        Clause::Set(_, sum) => Action::Set(path, set_value(sum, placeholders)?),
        Clause::Remove(_) => Action::Remove(path),
        Clause::Add(_, value) => Action::Add(path, placeholders.value(value)?),
        Clause::Delete(_, value) => Action::Delete(path, placeholders.value(value)?),
    })
}

fn set_value(sum: &Sum<'_>, placeholders: &mut Placeholders) -> Result<SetValue, Invalid> {
    let (plus, one, other) = match sum {
        Sum::One(one) => return operand(one, placeholders),
        Sum::Plus(one, other) => (true, one, other),
        Sum::Minus(one, other) => (false, one, other),
    };
    let one = operand(one, placeholders)?;
    let other = operand(other, placeholders)?;
    calculated(plus, one, other)
}

/// The sum of two values, or their difference.
///
/// # Errors
/// One is no number.
pub fn calculated(plus: bool, one: SetValue, other: SetValue) -> Result<SetValue, Invalid> {
    let (sign, how): (_, fn(_, _) -> _) = match plus {
        true => ("+", SetValue::Plus),
        false => ("-", SetValue::Minus),
    };
    check_kinds(sign, [&one, &other], Kind::Number)?;
    Ok(how(Box::new(one), Box::new(other)))
}

/// The elements of two lists.
///
/// # Errors
/// One is no list.
pub fn appended(one: SetValue, other: SetValue) -> Result<SetValue, Invalid> {
    check_kinds("list_append", [&one, &other], Kind::List)?;
    Ok(SetValue::ListAppend(Box::new(one), Box::new(other)))
}

/// The update that does all of these.
///
/// # Errors
/// Two are in each other's way.
pub fn all_of(actions: Vec<Action>) -> Result<Update, Invalid> {
    let places: Vec<Path> = actions
        .iter()
        .map(|action| action.place().clone())
        .collect();
    overlap::check(&places)?;
    Ok(Update(actions))
}

fn operand(written: &RawOperand<'_>, placeholders: &mut Placeholders) -> Result<SetValue, Invalid> {
    Ok(match written {
        RawOperand::Path(path) => SetValue::Path(path.resolve(placeholders)?),
        RawOperand::Value(value) => SetValue::Value(placeholders.value(value)?),
        RawOperand::Call(call) => function(call, placeholders)?,
    })
}

/// `list_append` or `if_not_exists`: others were refused before.
fn function(call: &Call<'_>, placeholders: &mut Placeholders) -> Result<SetValue, Invalid> {
    let name = call.function;
    if let Some(wrong) = call.wrong_count(2) {
        return Err(wrong);
    }
    let first = operand(&call.first, placeholders)?;
    let second = call
        .rest
        .first()
        .map(|second| operand(second, placeholders));
    match (name, first, second.transpose()?) {
        ("if_not_exists", SetValue::Path(path), Some(second)) => {
            Ok(SetValue::IfNotExists(path, Box::new(second)))
        }
        ("if_not_exists", ..) => Err(Invalid::wants_path(name)),
        ("list_append", first, Some(second)) => appended(first, second),
        _ => Err(Invalid::misplaced(name)),
    }
}

/// Makes sure that values of the request are of this kind; those of the item are not known yet.
fn check_kinds(operator: &str, operands: [&SetValue; 2], right: Kind) -> Result<(), Invalid> {
    for operand in operands {
        match operand {
            SetValue::Value(value) if value.kind() != right => {
                return Err(Invalid::operand_type(operator, kinds::symbol(value.kind())));
            }
            _ => {}
        }
    }
    Ok(())
}
