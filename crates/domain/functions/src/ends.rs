//! The end of an event in AWS's words: the record that destinations get, and the error of a dead letter.

use bytes::Bytes;
use headwater_types::{Arn, Millis};
use serde_json::{Value, json, value::RawValue};

use crate::{
    EventSettings, Function, Invocation, Options, events::QueuedEvent, limits, outcomes::Outcome,
    ports::DeadLetter,
};

/// How an event ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Succeeded(Invocation),
    /// The function failed as often as it is tried; the last time so.
    Failed(Invocation),
    /// It grew too old, perhaps after the function failed.
    TooOld(Option<Invocation>),
    /// Its function may run nothing.
    Stopped,
}

impl End {
    fn condition(&self) -> &'static str {
        match self {
            Self::Succeeded(_) => "Success",
            Self::Failed(_) => "RetriesExhausted",
            Self::TooOld(_) => "EventAgeExceeded",
            Self::Stopped => "ZeroReservedConcurrency",
        }
    }

    fn invocation(&self) -> Option<&Invocation> {
        match self {
            Self::Succeeded(ran) | Self::Failed(ran) => Some(ran),
            Self::TooOld(ran) => ran.as_ref(),
            Self::Stopped => None,
        }
    }

    fn succeeded(&self) -> bool {
        matches!(self, Self::Succeeded(_))
    }
}

/// The outcomes of an event's end: where its settings have it told, and where its function's dead letters go.
pub(crate) fn outcomes(
    event: &QueuedEvent,
    end: &End,
    settings: &EventSettings,
    function: Option<&Function>,
    (options, now): (&Options, Millis),
) -> Vec<Outcome> {
    let outcome = |place: &Arn, body: String, dead| Outcome {
        place: place.clone(),
        function: event.function.clone(),
        request_id: event.request_id.clone(),
        ended: now,
        body: sendable_json(&body),
        dead,
        trace: event.trace.clone(),
    };
    let place = match end.succeeded() {
        true => &settings.on_success,
        false => &settings.on_failure,
    };
    let mut all = Vec::new();
    if let Some(place) = place {
        all.push(outcome(place, record(event, end, options, now), None));
    }
    let dead_letters = function.and_then(|function| function.configuration.dead_letters.as_ref());
    if let Some(place) = dead_letters.filter(|_| !end.succeeded()) {
        all.push(outcome(
            place,
            event.payload.clone(),
            Some(dead_letter(end)),
        ));
    }
    all
}

/// The account of an event's end (version 1.0, as recorded on AWS).
fn record(event: &QueuedEvent, end: &End, options: &Options, now: Millis) -> String {
    let version = event.qualifier.as_deref().unwrap_or("$LATEST");
    let arn = format!("{}:{version}", options.function_arn(&event.function));
    let context = format!(
        r#"{{"requestId":{},"functionArn":{},"condition":{},"approximateInvokeCount":{}}}"#,
        json!(event.request_id),
        json!(arn),
        json!(end.condition()),
        event.tries,
    );
    let mut text = format!(
        r#"{{"version":"1.0","timestamp":{},"requestContext":{context},"requestPayload":{}"#,
        json!(timestamp(now)),
        event.payload,
    );
    if let Some(ran) = end.invocation() {
        let version = ran.executed_version.to_string();
        text += &format!(
            r#","responseContext":{{"statusCode":200,"executedVersion":{}{}}},"responsePayload":{}"#,
            json!(version),
            if ran.failed {
                r#","functionError":"Unhandled""#
            } else {
                ""
            },
            payload(&ran.payload),
        );
    }
    text.push('}');
    text
}

/// A function's answer within a record: as it is where it is JSON, else as a text.
fn payload(answer: &Bytes) -> String {
    if answer.is_empty() {
        return "null".to_owned();
    }
    match serde_json::from_slice::<&RawValue>(answer) {
        Ok(raw) => raw.get().to_owned(),
        Err(_) => json!(String::from_utf8_lossy(answer)).to_string(),
    }
}

/// The error of a dead letter: the function's own, or that it was throttled.
fn dead_letter(end: &End) -> DeadLetter {
    let Some(ran) = end.invocation() else {
        return DeadLetter {
            code: 429,
            message: "Rate Exceeded.".to_owned(),
        };
    };
    let parsed: Option<Value> = serde_json::from_slice(&ran.payload).ok();
    let message = parsed.and_then(|error| Some(error.get("errorMessage")?.as_str()?.to_owned()));
    let mut message = sendable(&message.unwrap_or_default());
    let mut end = message.len().min(limits::DEAD_LETTER_MESSAGE_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.truncate(end);
    DeadLetter { code: 200, message }
}

/// A text without the characters that no message may have.
fn sendable(text: &str) -> String {
    let is_sendable = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    let char_of = |c: char| Some(c).filter(is_sendable).unwrap_or('\u{fffd}');
    text.chars().map(char_of).collect()
}

/// JSON whose texts have those characters escaped; the others of them it has escaped already.
fn sendable_json(json: &str) -> String {
    json.replace('\u{fffe}', r"\ufffe")
        .replace('\u{ffff}', r"\uffff")
}

fn timestamp(now: Millis) -> String {
    let time = i64::try_from(now.0).ok();
    let time = time.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let time = time.unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_message_may_have_is_replaced() {
        assert_eq!(
            sendable("\u{1b}[31mno\0\ta\u{ffff}"),
            "\u{fffd}[31mno\u{fffd}\ta\u{fffd}"
        );
        let json = sendable_json("{\"a\":\"\u{fffe}\u{ffff}b\"}");
        assert_eq!(json, r#"{"a":"\ufffe\uffffb"}"#);
        let parsed: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed["a"], "\u{fffe}\u{ffff}b");
    }
}
