//! Expressions, evaluated.

use super::{
    Inputs, MathError, TimeSeries, Value, functions, limits,
    parse::{Node, Operator},
};

pub(super) fn evaluate(node: &Node, inputs: &Inputs) -> Result<Value, MathError> {
    let value = match node {
        Node::Number(number) => Value::Scalar(*number),
        Node::Text(_) | Node::Word(_) => {
            return Err(MathError::Kind("a value should stand where a word does"));
        }
        Node::Id(id) => {
            let found = inputs.values.get(id);
            found.cloned().ok_or_else(|| MathError::NoId(id.clone()))?
        }
        Node::Negate(node) => evaluate(node, inputs)?.map(|number| -number),
        Node::Chain(first, rest) => {
            let mut value = evaluate(first, inputs)?;
            for (operator, node) in rest {
                let with = |left, right| operator.apply(left, right);
                value = bounded(value.zip(evaluate(node, inputs)?, with)?)?;
            }
            value
        }
        Node::Call(function, arguments) => functions::call(*function, arguments, inputs)?,
        Node::Array(nodes) => {
            let mut array: Vec<TimeSeries> = Vec::new();
            let mut points = 0;
            for node in nodes {
                let value = evaluate(node, inputs)?;
                points += value.points();
                if points > limits::POINTS_MAX {
                    return Err(MathError::TooManyPoints);
                }
                array.extend(value.array()?);
            }
            Value::Array(array)
        }
    };
    bounded(value)
}

fn bounded(value: Value) -> Result<Value, MathError> {
    match value.points() > limits::POINTS_MAX {
        true => Err(MathError::TooManyPoints),
        false => Ok(value),
    }
}

impl Operator {
    /// The operator's value; one for what is true and zero for what is not.
    fn apply(self, left: f64, right: f64) -> f64 {
        let is_true = match self {
            Self::Add => return left + right,
            Self::Subtract => return left - right,
            Self::Multiply => return left * right,
            Self::Divide => return left / right,
            Self::Power => return left.powf(right),
            Self::Or => left != 0.0 || right != 0.0,
            Self::And => left != 0.0 && right != 0.0,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        };
        f64::from(u8::from(is_true))
    }
}
