//! The policy of a form: until when it may be posted, and what its fields and its file may be. (Source: the S3 API
//! reference, "POST Policy"; texts of errors recorded on AWS by LocalStack.)

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_types::Millis;
use headwater_wire::ApiError;
use serde_json::{Map, Value, json};

/// Fields that no condition needs to name.
const FREE: [&str; 5] = [
    "policy",
    "signature",
    "x-amz-signature",
    "awsaccesskeyid",
    "file",
];
/// The start of the names of fields that mean nothing.
const IGNORED: &str = "x-ignore-";

/// A policy.
#[derive(Debug, PartialEq)]
pub struct Policy {
    expires: Millis,
    conditions: Vec<Condition>,
}

/// How many bytes a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub min: u64,
    pub max: u64,
}

#[derive(Debug, PartialEq)]
struct Condition {
    /// The field's name in small letters.
    field: String,
    kind: Kind,
    /// The condition as AWS shows it.
    shown: String,
}

#[derive(Debug, PartialEq)]
enum Kind {
    Equal(String),
    StartsWith(String),
    Sizes(Option<Sizes>),
}

impl Policy {
    /// The policy in a form's field.
    pub fn parse(base64: &str) -> Result<Self, ApiError> {
        let json = STANDARD
            .decode(base64)
            .map_err(|_| invalid("Invalid Base64."))?;
        let policy = serde_json::from_slice(&json).map_err(|_| invalid("Invalid JSON."))?;
        let Value::Object(policy) = policy else {
            return Err(invalid("Invalid JSON."));
        };
        let expires = policy
            .get("expiration")
            .ok_or_else(|| invalid("Policy missing expiration."))?;
        let Some(Value::Array(conditions)) = policy.get("conditions") else {
            return Err(invalid("Policy missing conditions."));
        };
        Ok(Self {
            expires: expiration(expires)?,
            conditions: conditions
                .iter()
                .map(Condition::parse)
                .collect::<Result<_, _>>()?,
        })
    }

    /// How large the file of a form may be; none where it may be of any size.
    pub fn check(
        &self,
        bucket: &str,
        fields: &BTreeMap<String, String>,
        now: Millis,
    ) -> Result<Option<Sizes>, ApiError> {
        if self.expires < now {
            return Err(denied("Policy expired."));
        }
        let mut sizes = None;
        for condition in &self.conditions {
            let value = match condition.field.as_str() {
                "bucket" => Some(bucket),
                name => fields.get(name).map(String::as_str),
            };
            match &condition.kind {
                Kind::Sizes(Some(given)) => sizes = Some(*given),
                kind if kind.holds(&condition.field, value) => {}
                _ => {
                    return Err(denied(&format!(
                        "Policy Condition failed: {}",
                        condition.shown
                    )));
                }
            }
        }
        // A condition on sizes is about no field, and so has no name.
        let covered = |name: &str| {
            let mut conditions = self.conditions.iter();
            !name.is_empty() && conditions.any(|one| one.field == name)
        };
        // A policy that names no bucket would be good for every other one, too.
        let given = fields.keys().map(String::as_str).chain(["bucket"]);
        let extra = given.filter(|name| !FREE.contains(name) && !name.starts_with(IGNORED));
        let extra: Vec<&str> = extra.filter(|name| !covered(name)).collect();
        match extra.is_empty() {
            true => Ok(sizes),
            false => Err(denied(&format!("Extra input fields: {}", extra.join(", ")))),
        }
    }
}

impl Kind {
    fn holds(&self, field: &str, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::Equal(wanted), Some(value)) => wanted == value,
            // A list of types must keep to the condition in each of them.
            (Self::StartsWith(start), Some(value)) if field == "content-type" => {
                value.split(',').all(|one| one.trim().starts_with(start))
            }
            (Self::StartsWith(start), Some(value)) => value.starts_with(start),
            // The empty start is that of anything, also of a field that is not there.
            (Self::StartsWith(start), None) => start.is_empty(),
            (Self::Equal(_), None) | (Self::Sizes(_), _) => false,
        }
    }
}

impl Condition {
    fn parse(value: &Value) -> Result<Self, ApiError> {
        match value {
            Value::Object(pair) => Self::simple(pair),
            Value::Array(parts) => Self::of_parts(parts),
            _ => Err(invalid(
                "Invalid Condition: Conditions must be objects or lists.",
            )),
        }
    }

    /// `{"field": "value"}`.
    fn simple(pair: &Map<String, Value>) -> Result<Self, ApiError> {
        let mut pairs = pair.iter();
        let (Some((name, value)), None) = (pairs.next(), pairs.next()) else {
            return Err(invalid(
                "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
            ));
        };
        let Value::String(value) = value else {
            return Err(invalid("Invalid Simple-Condition: value must be a string."));
        };
        Ok(Self {
            field: name.to_ascii_lowercase(),
            kind: Kind::Equal(value.clone()),
            shown: shown(&json!(["eq", format!("${name}"), value])),
        })
    }

    /// `["eq", "$field", "value"]` and its kind.
    fn of_parts(parts: &[Value]) -> Result<Self, ApiError> {
        let [Value::String(operator), first, second] = parts else {
            return Err(invalid("Invalid Condition: wrong number of arguments."));
        };
        let shown = shown(&json!([operator, first, second]));
        if operator.eq_ignore_ascii_case("content-length-range") {
            let sizes = number(first).zip(number(second));
            return Ok(Self {
                field: String::new(),
                kind: Kind::Sizes(sizes.map(|(min, max)| Sizes { min, max })),
                shown,
            });
        }
        let (Value::String(name), Value::String(value)) = (first, second) else {
            return Err(invalid("Invalid Condition: arguments must be strings."));
        };
        let kind = match operator.to_ascii_lowercase().as_str() {
            "eq" => Kind::Equal(value.clone()),
            "starts-with" => Kind::StartsWith(value.clone()),
            _ => {
                return Err(invalid(&format!(
                    "Invalid Condition: unknown operation '{operator}'."
                )));
            }
        };
        // Without the sign it names no field, and never holds.
        let field = name.strip_prefix('$').unwrap_or_default();
        Ok(Self {
            field: field.to_ascii_lowercase(),
            kind,
            shown,
        })
    }
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    }
}

/// A time of the one form that S3 takes: `2030-01-01T00:00:00.000Z`, the fraction as one likes.
fn expiration(value: &Value) -> Result<Millis, ApiError> {
    let wrong = || invalid(&format!("Invalid 'expiration' value: '{}'", text_of(value)));
    let is_written_so = |text: &&str| text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z');
    let at: jiff::Timestamp = value
        .as_str()
        .filter(is_written_so)
        .and_then(|text| text.parse().ok())
        .ok_or_else(wrong)?;
    u64::try_from(at.as_millisecond())
        .map(Millis)
        .map_err(|_| wrong())
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A list as AWS writes it, with a blank behind each comma.
fn shown(list: &Value) -> String {
    let parts = list.as_array().into_iter().flatten();
    let parts: Vec<String> = parts.map(|part| json!(text_of(part)).to_string()).collect();
    format!("[{}]", parts.join(", "))
}

fn denied(why: &str) -> ApiError {
    ApiError::new(
        403,
        "AccessDenied",
        format!("Invalid according to Policy: {why}"),
    )
}

fn invalid(why: &str) -> ApiError {
    ApiError::new(
        400,
        "InvalidPolicyDocument",
        format!("Invalid Policy: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn check(conditions: Value, fields: &[(&str, &str)]) -> Result<Option<Sizes>, ApiError> {
        let policy = json!({"expiration": "2030-01-01T00:00:00.000Z", "conditions": conditions});
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let fields = fields.iter().map(owned).collect();
        Policy::parse(&STANDARD.encode(policy.to_string()))?.check("bucket", &fields, NOW)
    }

    #[test]
    fn fields_keep_to_conditions_and_each_has_one() {
        let fields = [("key", "user/a"), ("x-ignore-me", "x"), ("policy", "p")];
        let conditions = json!([
            {"bUcKeT": "bucket"},
            ["starts-with", "$KEY", "user/"],
            ["starts-with", "$acl", ""],
            ["content-length-range", 1, "10"]
        ]);
        let sizes = check(conditions, &fields).unwrap();
        assert_eq!(sizes, Some(Sizes { min: 1, max: 10 }));
        let extra = check(
            json!([{"bucket": "bucket"}, ["eq", "$key", "user/a"]]),
            &[fields[0], ("b", "x"), ("a", "y")],
        );
        assert_eq!(
            extra.unwrap_err().message(),
            "Invalid according to Policy: Extra input fields: a, b"
        );
    }

    #[test]
    fn a_policy_must_name_the_bucket_and_a_condition_without_a_name_covers_nothing() {
        for (conditions, fields) in [
            (json!([["eq", "$key", "a"]]), &[("key", "a")][..]),
            (
                json!([{"bucket": "bucket"}, ["content-length-range", 1, 10]]),
                &[("", "a")],
            ),
        ] {
            let error = check(conditions, fields).unwrap_err();
            assert!(
                error.message().contains("Extra input fields: "),
                "{error:?}"
            );
        }
    }

    #[test]
    fn what_fails_is_shown_as_aws_shows_it() {
        for (condition, told) in [
            (json!({"key": "b"}), "[\"eq\", \"$key\", \"b\"]"),
            (json!(["eq", "$Key", "A"]), "[\"eq\", \"$Key\", \"A\"]"),
            (json!(["eq", "key", "a"]), "[\"eq\", \"key\", \"a\"]"),
            (
                json!(["starts-with", "$acl", "p"]),
                "[\"starts-with\", \"$acl\", \"p\"]",
            ),
            (
                json!(["content-length-range", "test", "10"]),
                "[\"content-length-range\", \"test\", \"10\"]",
            ),
        ] {
            let failed = check(json!([condition]), &[("key", "a")]).unwrap_err();
            assert_eq!(failed.status(), 403);
            let text = format!("Invalid according to Policy: Policy Condition failed: {told}");
            assert_eq!(failed.message(), text);
        }
    }

    #[test]
    fn types_in_a_list_all_keep_to_their_start() {
        let condition =
            || json!([{"bucket": "bucket"}, ["starts-with", "$Content-Type", "image/"]]);
        check(condition(), &[("content-type", "image/a, image/b")]).unwrap();
        assert!(check(condition(), &[("content-type", "image/a,text/b")]).is_err());
    }

    #[test]
    fn a_policy_that_is_none_or_is_over_is_refused() {
        let parse = |policy: Value| Policy::parse(&STANDARD.encode(policy.to_string()));
        for policy in [
            json!([]),
            json!({"conditions": []}),
            json!({"expiration": "soon", "conditions": []}),
            json!({"expiration": "2030-01-01 00:00:00+00:00", "conditions": []}),
            json!({"expiration": "2030-01-01T00:00:00Z"}),
            json!({"expiration": "2030-01-01T00:00:00Z", "conditions": [{}]}),
            json!({"expiration": "2030-01-01T00:00:00Z", "conditions": [{"a": "b", "c": "d"}]}),
            json!({"expiration": "2030-01-01T00:00:00Z", "conditions": [["content-length-range", 0]]}),
            json!({"expiration": "2030-01-01T00:00:00Z", "conditions": [["ends-with", "$a", "b"]]}),
        ] {
            let refused = parse(policy).unwrap_err();
            assert_eq!(
                (refused.status(), refused.code()),
                (400, "InvalidPolicyDocument")
            );
        }
        let over = json!({"expiration": "2020-01-01T00:00:00Z", "conditions": []});
        let over = parse(over).unwrap().check("bucket", &BTreeMap::new(), NOW);
        assert_eq!(
            over.unwrap_err().message(),
            "Invalid according to Policy: Policy expired."
        );
    }

    proptest! {
        #[test]
        fn any_text_is_taken_without_a_panic(text in ".*", json in "[\\[\\]{}\",:$a1]{0,30}") {
            let _ = Policy::parse(&text);
            let _ = Policy::parse(&STANDARD.encode(&json));
            let whole = format!("{{\"expiration\":\"2030-01-01T00:00:00Z\",\"conditions\":[{json}]}}");
            let _ = Policy::parse(&STANDARD.encode(whole));
        }
    }
}
