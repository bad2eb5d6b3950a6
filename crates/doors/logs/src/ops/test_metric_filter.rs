//! TestMetricFilter: which of some messages a pattern matches, and what they have at the places that it names.

use headwater_loggroups::Pattern;
use headwater_shapes_logs::{
    MetricFilterMatchRecord, TestMetricFilterRequest, TestMetricFilterResponse,
    ops::TestMetricFilter,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, errors::api};

impl Handle<TestMetricFilter> for Logs {
    async fn handle(
        &self,
        input: TestMetricFilterRequest,
        _context: &Context,
    ) -> Result<TestMetricFilterResponse, ApiError> {
        let TestMetricFilterRequest {
            filter_pattern,
            log_event_messages,
        } = input;
        let pattern = Pattern::parse(&filter_pattern).map_err(api)?;
        let numbered = (1..).zip(log_event_messages);
        let matched = numbered.filter(|(_, message)| pattern.matches(message));
        let shown = matched.map(|(number, message)| MetricFilterMatchRecord {
            event_number: Some(number),
            extracted_values: Some(pattern.named_values(&message).into_iter().collect()),
            event_message: Some(message),
        });
        Ok(TestMetricFilterResponse {
            matches: Some(shown.collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::TestMetricFilter;
    use serde_json::{Value, json};

    use crate::testing::World;

    #[tokio::test]
    async fn matches_are_numbered_and_tell_what_the_pattern_names() {
        let world = World::new().await;
        let test = async |pattern: &str, messages: Value| {
            let input = json!({ "filterPattern": pattern, "logEventMessages": messages });
            world.ok::<TestMetricFilter>(input).await["matches"].clone()
        };
        let line = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /" 404 1534"#;
        let found = test("[ip, ..., status = 4*, bytes]", json!(["fine", line])).await;
        let values = json!({ "$ip": "127.0.0.1", "$status": "404", "$bytes": "1534" });
        let expected =
            json!([{ "eventNumber": 2, "eventMessage": line, "extractedValues": values }]);
        assert_eq!(found, expected);
        let message = r#"{"a": {"b": 7}, "c": true}"#;
        let found = test("{ $.a.b = 7 && $.c IS TRUE }", json!([message])).await;
        assert_eq!(
            found[0]["extractedValues"],
            json!({ "$.a.b": "7", "$.c": "true" })
        );
        let found = test("ERROR", json!(["an ERROR", "fine", "ERROR"])).await;
        assert_eq!(found[1]["eventNumber"], 3);
        assert_eq!(found[1]["extractedValues"], json!({}));
        let wrong = json!({ "filterPattern": "{ $.a }", "logEventMessages": ["m"] });
        assert_eq!(
            world.refused::<TestMetricFilter>(wrong).await.0,
            "InvalidParameterException"
        );
    }
}
