//! A call as an event, in the form that CloudTrail gives it. (Source: CloudTrail user guide, "CloudTrail record contents for
//! management, data, and network activity events".)

mod identity;
mod naming;
mod resources;

use headwater_auth::sign::iso_date;
use headwater_trail::{Event, Resource};
use headwater_types::Millis;
use headwater_wire::{Access, Called, Context};
use http::HeaderValue;
use serde_json::{Map, Value, json};

pub use naming::event_name;
use resources::Named;

/// The version of the form.
const VERSION: &str = "1.11";
/// Bytes of parameters, and of what was answered, that an event has; with more it has none.
const PARAMETERS_BYTES_MAX: usize = 100 << 10;
/// Bytes of a user agent and of an error's message.
const TEXT_BYTES_MAX: usize = 1 << 10;

/// The event with this id and time of a call.
pub fn event(call: &Called<'_>, id: String, time: Millis) -> Event {
    let context = call.context;
    let name = event_name(call.service.name, call.operation.name);
    let source = format!("{}.amazonaws.com", call.service.signing_name);
    let read_only = call.line.access == Access::Read;
    let resources = resources::of(call);
    let mut text = Map::new();
    let mut put = |name: &str, value: Value| drop(text.insert(name.to_owned(), value));
    put("eventVersion", VERSION.into());
    put("userIdentity", identity::of(&context.caller));
    put("eventTime", iso_date(time).into());
    put("eventSource", source.as_str().into());
    put("eventName", name.as_str().into());
    put("awsRegion", context.region.0.as_str().into());
    put("sourceIPAddress", address(context).into());
    put("userAgent", user_agent(context).into());
    if let Some((code, message)) = error(call) {
        put("errorCode", code.into());
        put("errorMessage", message.into());
    }
    let (parameters, is_large) = bounded(parameters(call));
    let (answer, is_large_too) = bounded(call.output.cloned());
    put("requestParameters", parameters);
    put("responseElements", answer);
    if is_large || is_large_too {
        put("omitted", true.into());
    }
    put("requestID", context.request_id.as_str().into());
    put("eventID", id.as_str().into());
    put("readOnly", read_only.into());
    if !resources.is_empty() {
        put(
            "resources",
            resources.iter().map(|it| listed(it, context)).collect(),
        );
    }
    put("eventType", "AwsApiCall".into());
    put("managementEvent", true.into());
    put("recipientAccountId", context.account.0.as_str().into());
    put("eventCategory", "Management".into());
    if context.origin.secure {
        put(
            "tlsDetails",
            json!({"clientProvidedHostHeader": context.host}),
        );
    }
    Event {
        id,
        time,
        name,
        source,
        read_only,
        username: identity::name(&context.caller),
        access_key: Some(context.caller.access_key_id.clone()).filter(|id| !id.is_empty()),
        resources: resources.into_iter().map(Named::found_by).collect(),
        text: Value::Object(text).to_string(),
    }
}

impl Named {
    fn found_by(self) -> Resource {
        Resource {
            kind: self.kind.to_owned(),
            name: self.name,
        }
    }
}

fn listed(named: &Named, context: &Context) -> Value {
    json!({"accountId": context.account.0, "type": named.kind, "ARN": named.arn})
}

/// The parameters of a request; none where it has none.
fn parameters(call: &Called<'_>) -> Option<Value> {
    let mut parameters = call.input?.clone();
    if call.service.speaks_xml()
        && let Some(members) = parameters.as_object_mut()
    {
        members.insert("Host".to_owned(), call.context.host.as_str().into());
    }
    Some(parameters)
}

/// Parameters as an event has them, and whether they were too large for it.
fn bounded(value: Option<Value>) -> (Value, bool) {
    match value {
        Some(Value::Object(members)) if members.is_empty() => (Value::Null, false),
        Some(value) if value.to_string().len() > PARAMETERS_BYTES_MAX => (Value::Null, true),
        value => (value.unwrap_or_default(), false),
    }
}

/// The code and the text of the error that a call was refused with.
fn error<'a>(call: &Called<'a>) -> Option<(&'a str, &'a str)> {
    match call.error {
        Some(error) if call.context.is_form() => Some((error.query_code(), error.message())),
        Some(error) => Some((error.code(), error.message())),
        None if call.seen.status >= 500 => Some(("InternalFailure", "An internal error occurred.")),
        None => None,
    }
    .map(|(code, message)| (code, cut(message)))
}

fn address(context: &Context) -> String {
    let address = context.origin.address;
    address.map_or_else(|| "AWS Internal".to_owned(), |address| address.to_string())
}

fn user_agent(context: &Context) -> &str {
    let agent = context.origin.user_agent.as_ref();
    cut(agent
        .map(HeaderValue::as_bytes)
        .and_then(|it| str::from_utf8(it).ok())
        .unwrap_or_default())
}

/// The beginning of a text, as much as an event has of it.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use headwater_shapes_cloudtrail::SERVICE;
    use headwater_types::{Account, Region};
    use headwater_wire::{ApiError, READS, Seen, WRITES};

    use super::*;

    /// The event of a call with this input, which was answered so.
    fn made(
        input: &Value,
        output: Option<&Value>,
        error: Option<&ApiError>,
        secure: bool,
    ) -> Event {
        let mut context = Context::new("R", Region("r-1".into()), Account("1".repeat(12)), "host");
        context.origin.secure = secure;
        let seen = Seen {
            request_id: "R",
            service: "cloudtrail",
            operation: "CreateTrail",
            table: None,
            route: None,
            line: None,
            caller: "",
            account: &context.account,
            region: &context.region,
            address: None,
            status: error.map_or(200, ApiError::status),
            error: None,
            bytes_in: 0,
            bytes_out: 0,
            took: Default::default(),
        };
        let call = Called {
            seen: &seen,
            context: &context,
            service: &SERVICE,
            operation: SERVICE.operation("CreateTrail").unwrap(),
            line: if output.is_some() { WRITES } else { READS },
            input: Some(input),
            output,
            error,
        };
        event(&call, "id".to_owned(), Millis(1_764_547_200_000))
    }

    fn text(event: &Event) -> Value {
        serde_json::from_str(&event.text).unwrap()
    }

    #[test]
    fn a_call_has_all_that_cloudtrail_tells() {
        let (input, output) = (json!({"name": "audit"}), json!({"trailARN": "arn"}));
        let event = made(&input, Some(&output), None, true);
        let arn = "arn:aws:cloudtrail:r-1:111111111111:trail/audit";
        let expected = json!({
            "eventVersion": "1.11",
            "userIdentity": identity::of(&headwater_wire::Caller::root(Account("1".repeat(12)))),
            "eventTime": "2025-12-01T00:00:00Z",
            "eventSource": "cloudtrail.amazonaws.com",
            "eventName": "CreateTrail",
            "awsRegion": "r-1",
            "sourceIPAddress": "AWS Internal",
            "userAgent": "",
            "requestParameters": {"name": "audit"},
            "responseElements": {"trailARN": "arn"},
            "requestID": "R",
            "eventID": "id",
            "readOnly": false,
            "resources": [{"accountId": "111111111111", "type": "AWS::CloudTrail::Trail", "ARN": arn}],
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": "111111111111",
            "eventCategory": "Management",
            "tlsDetails": {"clientProvidedHostHeader": "host"},
        });
        assert_eq!(text(&event), expected);
        assert_eq!(
            (event.name.as_str(), event.read_only),
            ("CreateTrail", false)
        );
        assert_eq!(event.resources[0].name, "audit");
    }

    #[test]
    fn an_error_is_told_with_the_beginning_of_its_text() {
        let error = ApiError::new(400, "TooMuch", "é".repeat(2000));
        let text = text(&made(&json!({}), None, Some(&error), false));
        assert_eq!(text["errorCode"], "TooMuch");
        assert_eq!(text["errorMessage"].as_str().unwrap().len(), TEXT_BYTES_MAX);
        assert_eq!(
            (&text["requestParameters"], &text["responseElements"]),
            (&Value::Null, &Value::Null)
        );
        assert!(text.get("omitted").is_none() && text.get("tlsDetails").is_none());
    }

    #[test]
    fn large_parameters_are_omitted() {
        let input = json!({"name": "a".repeat(PARAMETERS_BYTES_MAX)});
        let text = text(&made(&input, None, None, false));
        assert_eq!(
            (&text["requestParameters"], &text["omitted"]),
            (&Value::Null, &json!(true))
        );
    }
}
