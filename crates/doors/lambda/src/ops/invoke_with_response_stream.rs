//! InvokeWithResponseStream: the answer as events, its pieces as they come and then how it ended.
//!
//! The payload of a piece is the event's payload itself, so the messages are written here.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use headwater_functions::{Answer, Invocation, Request, StreamedAnswer};
use headwater_shapes::ByteStream;
use headwater_shapes_lambda::{
    InvokeWithResponseStreamRequest, InvokeWithResponseStreamResponse,
    ops::InvokeWithResponseStream,
};
use headwater_wire::{ApiError, Context, Handle, event_stream};
use serde_json::json;

use crate::{
    Lambda, errors,
    ops::invoke::{json_payload, read_context},
    target::{LATEST, Target},
};

impl Handle<InvokeWithResponseStream> for Lambda {
    async fn handle(
        &self,
        input: InvokeWithResponseStreamRequest,
        context: &Context,
    ) -> Result<InvokeWithResponseStreamResponse, ApiError> {
        let InvokeWithResponseStreamRequest {
            function_name,
            log_type,
            client_context,
            qualifier,
            payload,
            tenant_id,
            invocation_type,
        } = input;
        let qualifier = qualifier.as_deref();
        let target = Target::invoked(&function_name, qualifier, self.functions.options())?;
        if tenant_id.is_some() {
            return Err(ApiError::not_supported("X-Amz-Tenant-Id"));
        }
        let request = Request {
            request_id: context.request_id.clone(),
            payload: json_payload(payload)?,
            client_context: client_context.as_deref().map(read_context).transpose()?,
            qualifier: target.version()?,
        };
        let version = target.qualifier.as_deref().unwrap_or(LATEST);
        let failed = |error| errors::api(error, format!("{}:{version}", target.arn));
        if invocation_type.as_deref() == Some("DryRun") {
            let version = request.qualifier.as_ref();
            let found = self.functions.get_version(&target.name, version);
            found.await.map_err(failed)?;
            return Ok(InvokeWithResponseStreamResponse {
                status_code: Some(204),
                ..Default::default()
            });
        }
        let answer = self.functions.invoke_streaming(&target.name, request).await;
        let tail = log_type.as_deref() == Some("Tail");
        let (version, events) = match answer.map_err(failed)? {
            Answer::Whole(invocation) => (invocation.executed_version, whole(invocation, tail)),
            Answer::Streamed(answer) => (answer.executed_version, streamed(answer, tail)),
        };
        Ok(InvokeWithResponseStreamResponse {
            status_code: Some(200),
            executed_version: Some(version.to_string()),
            event_stream: events,
            response_stream_content_type: Some(event_stream::CONTENT_TYPE.to_owned()),
        })
    }
}

/// An answer that came at once: one piece, unless the function failed.
fn whole(invocation: Invocation, tail: bool) -> ByteStream {
    let mut events = Vec::new();
    if !invocation.failed && !invocation.payload.is_empty() {
        events.push(Ok(piece(&invocation.payload)));
    }
    events.push(Ok(complete(&invocation, tail)));
    ByteStream {
        chunks: Box::pin(stream::iter(events)),
        len: None,
    }
}

fn streamed(answer: StreamedAnswer, tail: bool) -> ByteStream {
    let events = stream::unfold(Some(answer), move |answer| async move {
        let mut answer = answer?;
        if let Some(next) = answer.next().await {
            return Some((piece(&next), Some(answer)));
        }
        let event = match answer.end().await {
            Ok(invocation) => complete(&invocation, tail),
            Err(error) => {
                ended(json!({ "ErrorCode": "ServiceException", "ErrorDetails": error.to_string() }))
            }
        };
        Some((event, None))
    });
    ByteStream {
        chunks: Box::pin(events.map(Ok)),
        len: None,
    }
}

fn piece(payload: &[u8]) -> Bytes {
    let headers = [
        (":event-type", "PayloadChunk"),
        (":content-type", "application/octet-stream"),
        (":message-type", "event"),
    ];
    event_stream::encode(&headers, payload)
}

/// The end of an answer: how it failed, if it did, and the end of the log for who asked.
fn complete(invocation: &Invocation, tail: bool) -> Bytes {
    let mut members = json!({});
    if invocation.failed {
        members["ErrorCode"] = json!("Unhandled");
        members["ErrorDetails"] = json!(String::from_utf8_lossy(&invocation.payload));
    }
    if tail {
        members["LogResult"] = json!(STANDARD.encode(&invocation.log_tail));
    }
    ended(members)
}

fn ended(members: serde_json::Value) -> Bytes {
    let headers = [
        (":event-type", "InvokeComplete"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    event_stream::encode(&headers, members.to_string().as_bytes())
}
