//! Validation: whether an input has the types and keeps the constraints of its shape, in AWS's words.
//!
//! All inputs but those of operations that carry data come through here on their way from a body to their type. Those
//! are decoded straight into their types, and come here when that fails or a constraint does not hold. It may then also
//! find nothing wrong, because AWS reads some values leniently (fractions for integers, numbers out of range); it gives
//! the input as AWS would have read it.

mod constraints;
mod raw;
mod render;
mod types;
mod words;

use headwater_shapes::{
    Direct, ErrorShape, Member, OperationShape, Protocol, Service, Shape, Structure, Tree, Unfit,
    Valid, Value,
};
use serde_json::Map;

use crate::ApiError;
pub(crate) use raw::Raw;
use words::{Place, Words};

/// The tree of an input as AWS would read it, or AWS's error.
pub(crate) fn tree(raw: Raw, shape: &OperationShape, service: &Service) -> Result<Value, ApiError> {
    tree_with(raw, shape, service, None)
}

/// The same for an operation that says of the absence of a member before all else, in words of its own.
pub(crate) fn tree_with(
    raw: Raw,
    shape: &OperationShape,
    service: &Service,
    needs: Option<&'static Needed>,
) -> Result<Value, ApiError> {
    let words = Words::of(service);
    let members = words.structure(raw, shape.input, Place::Member);
    let members = members.map_err(serialization)?;
    if let Some(text) = needs.and_then(|needed| needed.lacking(&members)) {
        return Err(validation(shape, text.to_owned()));
    }
    if service.speaks(Protocol::Json)
        && service.speaks(Protocol::Query)
        && let Some(missing) = first_missing(&members, shape.input, service)
    {
        let text = match is_cloudwatch(service) {
            true => format!("The parameter {missing} is required."),
            false => format!("The request must contain the parameter {missing}."),
        };
        return Err(ApiError::of(&MISSING, text));
    }
    // Lambda's kind of service names one constraint more.
    let names_null = service.speaks(Protocol::RestJson);
    let broken = constraints::check(&members, shape.input, names_null);
    if broken.is_empty() {
        return Ok(Value::Object(members));
    }
    if is_of_logs(shape) && names_too_long(&members) {
        return Err(validation(shape, NAMES_OF_LOGS.to_owned()));
    }
    let (count, plural) = (broken.len(), if broken.len() == 1 { "" } else { "s" });
    let broken = broken.join("; ");
    Err(validation(
        shape,
        format!("{count} validation error{plural} detected: {broken}"),
    ))
}

/// A member that an operation says is absent before all else, and its words for that.
#[derive(Debug, Clone, Copy)]
pub struct Needed {
    /// Its name on the wire.
    pub member: &'static str,
    /// The text of the error.
    pub text: &'static str,
    /// Its words for a text that is empty, where it has such.
    pub empty: Option<&'static str>,
}

impl Needed {
    /// The words for what is lacking, if anything is.
    fn lacking(&self, members: &Map<String, Value>) -> Option<&'static str> {
        match members.get(self.member) {
            None => Some(self.text),
            Some(value) => self.empty.filter(|_| value.as_str() == Some("")),
        }
    }
}

/// The error of a service that speaks AWS JSON and the query protocol, which has one for each that is missing.
static MISSING: ErrorShape = ErrorShape {
    name: "MissingRequiredParameterException",
    query_code: Some("MissingParameter"),
    status: 400,
};

/// Whether a service is CloudWatch, which names what stands in lists as forms do, and in other words than SQS.
fn is_cloudwatch(service: &Service) -> bool {
    service.signing_name == "monitoring"
}

/// The first member that must be there and is not, where it stands.
fn first_missing(
    members: &Map<String, Value>,
    structure: &Structure,
    service: &Service,
) -> Option<String> {
    let is_there = |member: &&Member| members.get(member.wire_name).is_some_and(|v| !v.is_null());
    let lacking = |member: &&Member| member.required && !is_there(member);
    if let Some(member) = structure.members.iter().find(lacking) {
        return Some(member.wire_name.to_owned());
    }
    structure.members.iter().find_map(|member| {
        let value = members.get(member.wire_name)?;
        missing_within(value, member, service)
    })
}

/// The same within the value of a member.
fn missing_within(value: &Value, member: &Member, service: &Service) -> Option<String> {
    match (value, member.shape) {
        (Value::Object(members), Shape::Structure(structure)) => {
            let name = first_missing(members, structure, service)?;
            Some(match is_cloudwatch(service) {
                true => format!("{}.{name}", member.wire_name),
                false => name,
            })
        }
        (Value::Array(items), Shape::List { member: of, .. }) => {
            let Shape::Structure(structure) = of else {
                return None;
            };
            let (at, name) = items.iter().enumerate().find_map(|(at, item)| {
                let name = first_missing(item.as_object()?, structure, service)?;
                Some((at + 1, name))
            })?;
            Some(match is_cloudwatch(service) {
                true => format!("{}.member.{at}.{name}", member.wire_name),
                false => format!("{}.{at}.{name}", structure.name),
            })
        }
        _ => None,
    }
}

/// The input of an operation that carries data as AWS would read it, or AWS's error.
pub(crate) fn repair<Op: Direct>(raw: Raw) -> Result<Op::Input, ApiError> {
    let tree = tree(raw, Op::SHAPE, Op::SERVICE)?;
    let input = Op::Input::from_value(tree).map_err(|error| unfit(Op::SHAPE, &error))?;
    match input.valid() {
        true => Ok(input),
        false => Err(does_not_satisfy(Op::SHAPE)),
    }
}

/// A tree that its type does not read, although it is valid after the tables: the two contradict each other.
pub(crate) fn unfit(shape: &OperationShape, error: &Unfit) -> ApiError {
    tracing::warn!(operation = shape.name, %error, "a valid input does not fit its type");
    does_not_satisfy(shape)
}

fn does_not_satisfy(shape: &OperationShape) -> ApiError {
    let name = shape.name;
    let message = format!("The input of {name} does not satisfy its constraints.");
    validation(shape, message)
}

/// AWS's answer to a body that cannot be read; the text may be empty.
pub(crate) fn serialization(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "SerializationException", message)
}

/// AWS's answer to a broken constraint. CloudWatch Logs has a code of its own for it, which its operations' models name.
fn validation(shape: &OperationShape, message: String) -> ApiError {
    let code = match is_of_logs(shape) {
        true => CODE_OF_LOGS,
        false => CODE,
    };
    ApiError::new(400, code, message)
}

const CODE: &str = "ValidationException";
const CODE_OF_LOGS: &str = "InvalidParameterException";

fn is_of_logs(shape: &OperationShape) -> bool {
    let names = |code| shape.errors.iter().any(|error| error.name == code);
    names(CODE_OF_LOGS) && !names(CODE)
}

/// CloudWatch Logs' words for a name over [`NAME_OF_LOGS_MAX`], as answers of AWS have it.
const NAMES_OF_LOGS: &str =
    "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";
const NAME_OF_LOGS_MAX: usize = 512;

fn names_too_long(members: &Map<String, Value>) -> bool {
    let names = ["logGroupName", "logStreamName"].into_iter();
    let mut names = names.filter_map(|name| members.get(name)?.as_str());
    names.any(|name| name.chars().count() > NAME_OF_LOGS_MAX)
}

#[cfg(test)]
mod tests;
