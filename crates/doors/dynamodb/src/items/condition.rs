//! The condition of a write.

use std::collections::BTreeMap;

use headwater_expressions::{Condition, Placeholders, legacy};
use headwater_shapes_dynamodb::ExpectedAttributeValue;
use headwater_wire::ApiError;

use crate::{
    errors::validation,
    items::{
        dialect::Parameter,
        older::{expected, join},
        placeholders::refused,
    },
};

/// A condition in either dialect, as it was sent.
#[derive(Debug, Default)]
pub(crate) struct Conditional {
    /// `ConditionExpression`.
    pub expression: Option<String>,
    /// `Expected`.
    pub expected: Option<BTreeMap<String, ExpectedAttributeValue>>,
    /// `ConditionalOperator`.
    pub operator: Option<String>,
}

impl Conditional {
    /// The expression's parameter.
    pub fn expression_sent(&self) -> Parameter {
        ("ConditionExpression", self.expression.is_some())
    }

    /// The older parameters.
    pub fn older_sent(&self) -> [Parameter; 2] {
        [
            ("Expected", self.expected.is_some()),
            ("ConditionalOperator", self.operator.is_some()),
        ]
    }

    /// The condition, where there is one.
    ///
    /// # Errors
    /// What was sent is none.
    pub fn read(self, placeholders: &mut Placeholders) -> Result<Option<Condition>, ApiError> {
        if let Some(text) = &self.expression {
            let condition = headwater_expressions::condition(text, placeholders);
            return condition.map(Some).map_err(refused("ConditionExpression"));
        }
        let expected = expected(self.expected.unwrap_or_default())?;
        let join = join(self.operator.as_deref(), expected.len())?;
        let condition = legacy::expected(expected, join);
        condition.map_err(|invalid| validation(invalid.text))
    }
}
