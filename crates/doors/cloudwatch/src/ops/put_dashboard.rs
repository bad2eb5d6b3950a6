//! PutDashboard: a body is kept as it came, where it is one.

use headwater_shapes_cloudwatch::{
    PutDashboardInput, PutDashboardOutput, errors::DASHBOARD_INVALID_INPUT_ERROR, ops::PutDashboard,
};
use headwater_wire::{ApiError, Context, Handle};
use serde_json::{Value, json};

use crate::{
    CloudWatch,
    body::{self, Fault},
    errors::of_dashboards,
    names::dashboard_name,
    tags,
};

impl Handle<PutDashboard> for CloudWatch {
    async fn handle(
        &self,
        input: PutDashboardInput,
        _: &Context,
    ) -> Result<PutDashboardOutput, ApiError> {
        let PutDashboardInput {
            dashboard_name: name,
            dashboard_body,
            tags,
        } = input;
        dashboard_name(&name)?;
        let tags = tags::read(tags.unwrap_or_default())?;
        let faults = body::faults(&dashboard_body).map_err(|text| refused(text, &[]))?;
        if !faults.is_empty() {
            return Err(refused(text_of(&faults), &faults));
        }
        let put = self.dashboards.put(&name, dashboard_body, tags).await;
        put.map_err(of_dashboards)?;
        Ok(PutDashboardOutput {
            dashboard_validation_messages: Some(Vec::new()),
        })
    }
}

fn refused(text: impl Into<String>, faults: &[Fault]) -> ApiError {
    let messages = faults
        .iter()
        .map(|Fault { path, message }| json!({"DataPath": path, "Message": message}));
    ApiError::of(&DASHBOARD_INVALID_INPUT_ERROR, text).with(
        "dashboardValidationMessages",
        messages.collect::<Vec<Value>>(),
    )
}

/// The faults in one text, as users' reports show it.
fn text_of(faults: &[Fault]) -> String {
    let shown = faults
        .iter()
        .map(|Fault { path, message }| json!({"dataPath": path, "message": message}));
    let shown = Value::from(shown.collect::<Vec<_>>());
    let count = faults.len();
    format!("The dashboard body is invalid, there are {count} validation errors:\n{shown:#}")
}

#[cfg(test)]
mod tests {
    use headwater_shapes_cloudwatch::ops::{GetDashboard, PutDashboard};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_body_with_faults_is_refused_and_told_of() {
        let world = World::new().await;
        let put = |body: &str| json!({"DashboardName": "a", "DashboardBody": body});
        let refused = world.refused::<PutDashboard>(put("[")).await;
        assert_eq!(refused.0, "DashboardInvalidInputError");
        let body = r#"{"widgets": [{"type": "text", "properties": {}}]}"#;
        let (code, text) = world.refused::<PutDashboard>(put(body)).await;
        assert_eq!(code, "DashboardInvalidInputError");
        let begins = "The dashboard body is invalid, there are 1 validation errors:\n[\n  {\n    \"dataPath\": \
                      \"/widgets/0/properties\"";
        assert!(text.starts_with(begins), "{text}");
        let none = json!({"DashboardName": "a"});
        let refused = world.refused::<GetDashboard>(none).await;
        assert_eq!(refused.0, "DashboardNotFoundError");
    }
}
