//! `Expected`, `QueryFilter`, `ScanFilter` and `KeyConditions`.

use headwater_items::{Kind, Value};

use crate::{
    Comparison, Condition, Invalid, KeyConditions, Operand, Path, SortCondition, condition::order,
    key_condition::Wanted, kinds,
};

use super::invalid;

/// What must hold of an attribute in `QueryFilter`, `ScanFilter` or `KeyConditions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Its name.
    pub attribute: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub values: Vec<Value>,
}

/// What is expected of an attribute in `Expected`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its name.
    pub attribute: String,
    /// How it is compared; without, `value` and `exists` count.
    pub operator: Option<Operator>,
    /// With what: `AttributeValueList`.
    pub values: Option<Vec<Value>>,
    /// What it is, or with what it is compared.
    pub value: Option<Value>,
    /// Whether it is there.
    pub exists: Option<bool>,
}

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `EQ`
    Equal,
    /// `NE`
    NotEqual,
    /// `LE`
    LessOrEqual,
    /// `LT`
    Less,
    /// `GE`
    GreaterOrEqual,
    /// `GT`
    Greater,
    /// `NOT_NULL`: it is there.
    NotNull,
    /// `NULL`: it is not there.
    Null,
    /// `CONTAINS`
    Contains,
    /// `NOT_CONTAINS`: it is there and does not contain the value.
    NotContains,
    /// `BEGINS_WITH`
    BeginsWith,
    /// `IN`
    In,
    /// `BETWEEN`
    Between,
}

/// How conditions are joined: `ConditionalOperator`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Join {
    /// `AND`: all hold.
    #[default]
    All,
    /// `OR`: one holds.
    Any,
}

/// The condition of a `QueryFilter` or `ScanFilter`; none where nothing is asked.
///
/// # Errors
/// The first that has a wrong number of values, or such as its operator does not take.
pub fn filter(filters: Vec<Filter>, join: Join) -> Result<Option<Condition>, Invalid> {
    conditions(filters.into_iter().map(Filter::test), join)
}

/// The condition of an `Expected`; none where nothing is expected.
///
/// # Errors
/// The first whose parts do not fit together.
pub fn expected(expected: Vec<Expected>, join: Join) -> Result<Option<Condition>, Invalid> {
    let tests = expected.into_iter().map(|one| one.filter()?.test());
    conditions(tests, join)
}

/// What `KeyConditions` want.
///
/// # Errors
/// As [`filter`], and when there are not one or two.
pub fn key_conditions(filters: Vec<Filter>) -> Result<KeyConditions, Invalid> {
    let wanted = filters.into_iter().map(|filter| {
        let (attribute, test) = filter.test()?;
        Ok((attribute, test.wanted()))
    });
    KeyConditions::new(wanted.collect::<Result<_, Invalid>>()?)
}

/// Joins tests to one condition, as flat as may be: there can be thousands.
fn conditions(
    tests: impl Iterator<Item = Result<(String, Test), Invalid>>,
    join: Join,
) -> Result<Option<Condition>, Invalid> {
    let mut conditions = tests
        .map(|test| test.map(|(attribute, test)| test.of(attribute)))
        .collect::<Result<Vec<_>, _>>()?;
    while conditions.len() > 1 {
        let mut pairs = Vec::with_capacity(conditions.len().div_ceil(2));
        let mut rest = conditions.into_iter();
        while let Some(one) = rest.next() {
            pairs.push(match (rest.next(), join) {
                (Some(other), Join::All) => Condition::And(Box::new(one), Box::new(other)),
                (Some(other), Join::Any) => Condition::Or(Box::new(one), Box::new(other)),
                (None, _) => one,
            });
        }
        conditions = pairs;
    }
    Ok(conditions.pop())
}

impl Expected {
    fn filter(self) -> Result<Filter, Invalid> {
        let attribute = self.attribute;
        let refused = |text: &str| Err(invalid(format_args!("{text} for Attribute: {attribute}")));
        if self.values.is_some() && self.value.is_some() {
            return refused("Value and AttributeValueList cannot be used together");
        }
        let Some(operator) = self.operator else {
            if self.values.is_some() {
                return refused("AttributeValueList can only be used with a ComparisonOperator");
            }
            let (operator, values) = match (self.exists, self.value) {
                (Some(false), Some(_)) => {
                    return refused("Value cannot be used when Exists is false");
                }
                (Some(false), None) => (Operator::Null, Vec::new()),
                (_, Some(value)) => (Operator::Equal, vec![value]),
                (Some(true), None) => return refused("Value must be provided when Exists is true"),
                (None, None) => return refused("Value must be provided when Exists is null"),
            };
            return Ok(Filter {
                attribute,
                operator,
                values,
            });
        };
        if self.exists.is_some() {
            return refused("Exists and ComparisonOperator cannot be used together");
        }
        let given = self.values.or_else(|| self.value.map(|value| vec![value]));
        if given.is_none() && !matches!(operator, Operator::Null | Operator::NotNull) {
            let name = operator.name();
            return refused(&format!(
                "Value or AttributeValueList must be used with ComparisonOperator: {name}"
            ));
        }
        Ok(Filter {
            attribute,
            operator,
            values: given.unwrap_or_default(),
        })
    }
}

impl Filter {
    /// Makes sure that there are as many values as the operator takes, of one kind, which it takes.
    fn check(&self) -> Result<(), Invalid> {
        let name = self.operator.name();
        if !self.operator.takes(self.values.len()) {
            return Err(self.operator.wrong_number());
        }
        let Some(kind) = self.values.first().map(Value::kind) else {
            return Ok(());
        };
        if self.values.iter().any(|value| value.kind() != kind) {
            return Err(invalid(
                "AttributeValues inside AttributeValueList must be of same type",
            ));
        }
        if !self.operator.takes_kind(kind) {
            return Err(invalid(format_args!(
                "ComparisonOperator {name} is not valid for {} AttributeValue type",
                kinds::symbol(kind)
            )));
        }
        match (self.operator, self.values.as_slice()) {
            (Operator::Between, [low, high])
                if order(low, high).is_some_and(std::cmp::Ordering::is_gt) =>
            {
                Err(Invalid::bare(
                    "The BETWEEN condition was provided a range where the lower bound is greater \
                     than the upper bound",
                ))
            }
            _ => Ok(()),
        }
    }

    /// The test that it is.
    ///
    /// # Errors
    /// As [`Self::check`].
    fn test(self) -> Result<(String, Test), Invalid> {
        self.check()?;
        let operator = self.operator;
        if operator == Operator::In {
            return Ok((self.attribute, Test::In(self.values)));
        }
        let mut values = self.values.into_iter();
        let mut next = || values.next().ok_or_else(|| operator.wrong_number());
        let test = match operator {
            Operator::NotNull => Test::Exists,
            Operator::Null | Operator::In => Test::NotExists,
            Operator::Equal => Test::Compare(Comparison::Equal, next()?),
            Operator::NotEqual => Test::Compare(Comparison::NotEqual, next()?),
            Operator::LessOrEqual => Test::Compare(Comparison::LessOrEqual, next()?),
            Operator::Less => Test::Compare(Comparison::Less, next()?),
            Operator::GreaterOrEqual => Test::Compare(Comparison::GreaterOrEqual, next()?),
            Operator::Greater => Test::Compare(Comparison::Greater, next()?),
            Operator::Contains => Test::Contains(next()?),
            Operator::NotContains => Test::NotContains(next()?),
            Operator::BeginsWith => Test::BeginsWith(next()?),
            Operator::Between => Test::Between(next()?, next()?),
        };
        Ok((self.attribute, test))
    }
}

/// What is asked of an attribute.
enum Test {
    Exists,
    NotExists,
    Compare(Comparison, Value),
    Contains(Value),
    NotContains(Value),
    BeginsWith(Value),
    In(Vec<Value>),
    Between(Value, Value),
}

impl Test {
    /// The condition that it is of this attribute.
    fn of(self, attribute: String) -> Condition {
        let path = Path::attribute(attribute);
        let it = Operand::Path;
        let value = |value: Value| Operand::Value(value.into());
        match self {
            Self::Exists => Condition::Exists(path),
            Self::NotExists => Condition::NotExists(path),
            Self::Compare(comparison, other) => {
                Condition::Compare(comparison, it(path), value(other))
            }
            Self::Contains(part) => Condition::Contains(it(path), value(part)),
            // An attribute that is not there neither contains a value nor does not.
            Self::NotContains(part) => {
                let contains = Condition::Contains(it(path.clone()), value(part));
                let lacks = Condition::Not(Box::new(contains));
                Condition::And(Box::new(Condition::Exists(path)), Box::new(lacks))
            }
            Self::BeginsWith(start) => Condition::BeginsWith(it(path), value(start)),
            Self::In(others) => Condition::In(it(path), others.into_iter().map(value).collect()),
            Self::Between(low, high) => Condition::Between(it(path), value(low), value(high)),
        }
    }

    /// What it wants of an attribute of a key.
    fn wanted(self) -> Wanted {
        Wanted::Sort(match self {
            Self::Compare(Comparison::Equal, value) => SortCondition::Equal(value),
            Self::Compare(Comparison::Less, value) => SortCondition::Less(value),
            Self::Compare(Comparison::LessOrEqual, value) => SortCondition::LessOrEqual(value),
            Self::Compare(Comparison::Greater, value) => SortCondition::Greater(value),
            Self::Compare(Comparison::GreaterOrEqual, value) => {
                SortCondition::GreaterOrEqual(value)
            }
            Self::Between(low, high) => SortCondition::Between(low, high),
            Self::BeginsWith(start) => SortCondition::BeginsWith(start),
            _ => return Wanted::NotIndexable,
        })
    }
}

impl Operator {
    /// The operator that AWS calls so.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "EQ" => Self::Equal,
            "NE" => Self::NotEqual,
            "LE" => Self::LessOrEqual,
            "LT" => Self::Less,
            "GE" => Self::GreaterOrEqual,
            "GT" => Self::Greater,
            "NOT_NULL" => Self::NotNull,
            "NULL" => Self::Null,
            "CONTAINS" => Self::Contains,
            "NOT_CONTAINS" => Self::NotContains,
            "BEGINS_WITH" => Self::BeginsWith,
            "IN" => Self::In,
            "BETWEEN" => Self::Between,
            _ => return None,
        })
    }

    /// What AWS calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "EQ",
            Self::NotEqual => "NE",
            Self::LessOrEqual => "LE",
            Self::Less => "LT",
            Self::GreaterOrEqual => "GE",
            Self::Greater => "GT",
            Self::NotNull => "NOT_NULL",
            Self::Null => "NULL",
            Self::Contains => "CONTAINS",
            Self::NotContains => "NOT_CONTAINS",
            Self::BeginsWith => "BEGINS_WITH",
            Self::In => "IN",
            Self::Between => "BETWEEN",
        }
    }

    /// Whether it takes so many values.
    fn takes(self, values: usize) -> bool {
        match self {
            Self::NotNull | Self::Null => values == 0,
            Self::In => values > 0,
            Self::Between => values == 2,
            _ => values == 1,
        }
    }

    /// Whether it takes values of this kind.
    fn takes_kind(self, kind: Kind) -> bool {
        match self {
            Self::Equal | Self::NotEqual | Self::NotNull | Self::Null => true,
            Self::Contains | Self::NotContains => {
                !kinds::is_set(kind) && !matches!(kind, Kind::List | Kind::Map)
            }
            Self::BeginsWith => matches!(kind, Kind::String | Kind::Binary),
            _ => kinds::is_ordered(kind),
        }
    }

    fn wrong_number(self) -> Invalid {
        invalid(format_args!(
            "Invalid number of argument(s) for the {} ComparisonOperator",
            self.name()
        ))
    }
}
