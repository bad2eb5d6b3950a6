//! The older parameters as the language takes them.

use std::collections::BTreeMap;

use headwater_expressions::legacy::{
    AttributeUpdate, Expected, Filter, Join, Operator, UpdateAction,
};
use headwater_shapes_dynamodb::{AttributeValueUpdate, Condition, ExpectedAttributeValue};
use headwater_wire::ApiError;

use crate::{
    errors::{constraint, validation},
    items::values::{check_name, value, values},
};

/// What `Expected` expects.
pub(crate) fn expected(
    sent: BTreeMap<String, ExpectedAttributeValue>,
) -> Result<Vec<Expected>, ApiError> {
    let expected = sent.into_iter().map(|(attribute, sent)| {
        let ExpectedAttributeValue {
            value: one,
            exists,
            comparison_operator,
            attribute_value_list,
        } = sent;
        check_name(&attribute)?;
        Ok(Expected {
            attribute,
            operator: comparison_operator.as_deref().map(operator).transpose()?,
            values: attribute_value_list.map(values).transpose()?,
            value: one.map(value).transpose()?,
            exists,
        })
    });
    expected.collect()
}

/// What `KeyConditions`, `QueryFilter` or `ScanFilter` want.
pub(crate) fn filters(sent: BTreeMap<String, Condition>) -> Result<Vec<Filter>, ApiError> {
    let filters = sent.into_iter().map(|(attribute, sent)| {
        let Condition {
            attribute_value_list,
            comparison_operator,
        } = sent;
        check_name(&attribute)?;
        Ok(Filter {
            attribute,
            operator: operator(&comparison_operator)?,
            values: values(attribute_value_list.unwrap_or_default())?,
        })
    });
    filters.collect()
}

/// What `AttributeUpdates` do.
pub(crate) fn updates(
    sent: BTreeMap<String, AttributeValueUpdate>,
) -> Result<Vec<AttributeUpdate>, ApiError> {
    let updates = sent.into_iter().map(|(attribute, sent)| {
        let AttributeValueUpdate { value: to, action } = sent;
        check_name(&attribute)?;
        let action = match action.as_deref() {
            None | Some("PUT") => UpdateAction::Put,
            Some("ADD") => UpdateAction::Add,
            Some("DELETE") => UpdateAction::Delete,
            Some(other) => {
                let set = "Member must satisfy enum value set: [ADD, DELETE, PUT]";
                let member = format!("attributeUpdates.{attribute}.member.action");
                return Err(constraint(&member, other, set));
            }
        };
        Ok(AttributeUpdate {
            attribute,
            action,
            value: to.map(value).transpose()?,
        })
    });
    updates.collect()
}

/// How so many conditions are joined.
///
/// # Errors
/// `ConditionalOperator` was sent, and there are no two to join.
pub(crate) fn join(operator: Option<&str>, conditions: usize) -> Result<Join, ApiError> {
    match (operator, conditions) {
        (None, _) => Ok(Join::All),
        (Some(_), 0) => Err(validation(
            "ConditionalOperator cannot be used without Filter or Expected",
        )),
        (Some(_), 1) => Err(validation(
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        )),
        (Some("OR"), _) => Ok(Join::Any),
        (Some(_), _) => Ok(Join::All),
    }
}

fn operator(sent: &str) -> Result<Operator, ApiError> {
    Ok(match sent {
        "EQ" => Operator::Equal,
        "NE" => Operator::NotEqual,
        "LE" => Operator::LessOrEqual,
        "LT" => Operator::Less,
        "GE" => Operator::GreaterOrEqual,
        "GT" => Operator::Greater,
        "NOT_NULL" => Operator::NotNull,
        "NULL" => Operator::Null,
        "CONTAINS" => Operator::Contains,
        "NOT_CONTAINS" => Operator::NotContains,
        "BEGINS_WITH" => Operator::BeginsWith,
        "IN" => Operator::In,
        "BETWEEN" => Operator::Between,
        other => {
            let set = "Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, \
                       LE, BEGINS_WITH, GE, CONTAINS]";
            return Err(constraint("comparisonOperator", other, set));
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;

    #[test]
    fn only_two_conditions_are_joined() {
        assert_eq!(join(None, 0).unwrap(), Join::All);
        assert_eq!(join(Some("OR"), 2).unwrap(), Join::Any);
        assert_eq!(join(Some("AND"), 2).unwrap(), Join::All);
        assert_eq!(
            join(Some("AND"), 0).unwrap_err().message(),
            "ConditionalOperator cannot be used without Filter or Expected"
        );
        assert_eq!(
            join(Some("OR"), 1).unwrap_err().message(),
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
        );
    }
}
