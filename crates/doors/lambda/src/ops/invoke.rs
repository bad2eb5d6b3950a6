//! Invoke: waited for, as an event, or as a dry run.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_functions::{Invocation, Request};
use headwater_shapes::Blob;
use headwater_shapes_lambda::{
    InvocationRequest, InvocationResponse, errors as shapes, ops::Invoke,
};
use headwater_wire::{ApiError, Context, Handle};
use serde::de::IgnoredAny;

use crate::{
    Lambda, errors,
    target::{LATEST, Target},
};

impl Handle<Invoke> for Lambda {
    async fn handle(
        &self,
        input: InvocationRequest,
        context: &Context,
    ) -> Result<InvocationResponse, ApiError> {
        let InvocationRequest {
            function_name,
            invocation_type,
            log_type,
            client_context,
            durable_execution_name,
            payload,
            qualifier,
            tenant_id,
        } = input;
        let qualifier = qualifier.as_deref();
        let target = Target::invoked(&function_name, qualifier, self.functions.options())?;
        self.permit(&target, context).await?;
        for (set, what) in [
            (
                durable_execution_name.is_some(),
                "X-Amz-Durable-Execution-Name",
            ),
            (tenant_id.is_some(), "X-Amz-Tenant-Id"),
        ] {
            if set {
                return Err(ApiError::not_supported(what));
            }
        }
        let request = Request {
            request_id: context.request_id.clone(),
            payload: json_payload(payload)?,
            client_context: client_context.as_deref().map(read_context).transpose()?,
            qualifier: target.version()?,
        };
        // As recorded on AWS, an error names the version that would have run.
        let version = target.qualifier.as_deref().unwrap_or(LATEST);
        let failed = |error| errors::api(error, format!("{}:{version}", target.arn));
        match invocation_type.as_deref() {
            Some("Event") => {
                self.functions
                    .invoke_later(&target.name, request)
                    .await
                    .map_err(failed)?;
                Ok(InvocationResponse {
                    status_code: Some(202),
                    ..Default::default()
                })
            }
            Some("DryRun") => {
                let version = request.qualifier.as_ref();
                let found = self.functions.get_version(&target.name, version);
                found.await.map_err(failed)?;
                Ok(InvocationResponse {
                    status_code: Some(204),
                    ..Default::default()
                })
            }
            _ => {
                let invocation = self
                    .functions
                    .invoke(&target.name, request)
                    .await
                    .map_err(failed)?;
                Ok(answer(invocation, log_type.as_deref() == Some("Tail")))
            }
        }
    }
}

fn answer(invocation: Invocation, tail: bool) -> InvocationResponse {
    InvocationResponse {
        status_code: Some(200),
        function_error: invocation.failed.then(|| "Unhandled".to_owned()),
        log_result: tail.then(|| STANDARD.encode(&invocation.log_tail)),
        payload: Some(Blob(invocation.payload)),
        executed_version: Some(invocation.executed_version.to_string()),
        durable_execution_arn: None,
    }
}

/// The payload, which is JSON; nothing is an empty object.
pub(super) fn json_payload(given: Option<Blob>) -> Result<Bytes, ApiError> {
    let payload = given.map_or(Bytes::new(), |blob| blob.0);
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    serde_json::from_slice::<IgnoredAny>(&payload).map_err(|error| {
        bad_content(format!(
            "Could not parse request body into json: Could not parse payload into json: {error}"
        ))
    })?;
    Ok(payload)
}

/// JSON in base64, made into JSON in one line.
pub(super) fn read_context(given: &str) -> Result<String, ApiError> {
    let text = STANDARD
        .decode(given)
        .map_err(|error| bad_content(format!("Client context: {error}")))?;
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|error| {
        bad_content(format!(
            "Client context must be a valid Json-encoded object: {error}"
        ))
    })?;
    Ok(value.to_string())
}

fn bad_content(message: String) -> ApiError {
    ApiError::of(&shapes::INVALID_REQUEST_CONTENT_EXCEPTION, message)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use headwater_shapes_lambda::ops::{CreateFunction, Invoke};
    use serde_json::{Value, json};

    use crate::testing::{World, function};

    fn decoded(answer: &Value, member: &str) -> String {
        String::from_utf8(STANDARD.decode(answer[member].as_str().unwrap()).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_function_is_invoked_in_three_ways() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        let call = |members: Value| {
            let mut input = json!({ "FunctionName": "f" });
            input
                .as_object_mut()
                .unwrap()
                .extend(members.as_object().unwrap().clone());
            input
        };
        let waited = call(json!({ "Payload": STANDARD.encode("[1]"), "X-Amz-Log-Type": "Tail" }));
        let answer = world.ok::<Invoke>(waited).await;
        assert_eq!(
            (&answer["StatusCode"], &answer["X-Amz-Executed-Version"]),
            (&json!(200), &json!("$LATEST"))
        );
        assert_eq!(answer["X-Amz-Function-Error"], json!(null));
        assert_eq!(
            decoded(&answer, "Payload"),
            r#"{"event": [1], "client": null}"#
        );
        assert!(decoded(&answer, "X-Amz-Log-Result").starts_with("START RequestId: "));

        let client = STANDARD.encode("{\"custom\": {\"k\":\n\"é\"}}");
        let answer = world
            .ok::<Invoke>(call(json!({ "X-Amz-Client-Context": client })))
            .await;
        assert_eq!(
            decoded(&answer, "Payload"),
            r#"{"event": {}, "client": {"k": "é"}}"#
        );
        assert_eq!(answer["X-Amz-Log-Result"], json!(null));

        let failed = world
            .ok::<Invoke>(call(json!({ "Payload": STANDARD.encode("\"fail\"") })))
            .await;
        assert_eq!(failed["X-Amz-Function-Error"], "Unhandled");
        assert!(decoded(&failed, "Payload").contains(r#""errorType": "ValueError""#));

        let event = call(json!({ "X-Amz-Invocation-Type": "Event" }));
        assert_eq!(
            world.ok::<Invoke>(event).await,
            json!({ "StatusCode": 202 })
        );
        let dry = call(json!({ "X-Amz-Invocation-Type": "DryRun" }));
        assert_eq!(world.ok::<Invoke>(dry).await, json!({ "StatusCode": 204 }));
    }

    #[tokio::test]
    async fn what_cannot_be_invoked_has_awss_error() {
        let world = World::new().await;
        let (code, message) = world
            .refused::<Invoke>(json!({ "FunctionName": "none" }))
            .await;
        assert_eq!(code, "ResourceNotFoundException");
        assert_eq!(
            message,
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none:$LATEST"
        );
        for (member, value) in [
            ("Payload", STANDARD.encode("no json")),
            ("X-Amz-Client-Context", STANDARD.encode("{")),
        ] {
            let (code, _) = world
                .refused::<Invoke>(json!({ "FunctionName": "f", member: value }))
                .await;
            assert_eq!(code, "InvalidRequestContentException");
        }
        let large = STANDARD.encode(vec![b'1'; 6 * 1024 * 1024 + 1]);
        let (code, message) = world
            .refused::<Invoke>(json!({ "FunctionName": "f", "Payload": large }))
            .await;
        assert_eq!(code, "RequestTooLargeException");
        assert_eq!(
            message,
            "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
        );
    }
}
