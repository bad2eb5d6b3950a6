//! ListDashboards.

use headwater_shapes::Timestamp;
use headwater_shapes_cloudwatch::{
    DashboardEntry, ListDashboardsInput, ListDashboardsOutput, ops::ListDashboards,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudWatch,
    errors::{bad_token, of_dashboards},
    names::{dashboard_arn, dashboard_name},
    token,
};

/// Dashboards in one answer (API reference, ListDashboards).
const PAGE: usize = 1000;

impl Handle<ListDashboards> for CloudWatch {
    async fn handle(
        &self,
        input: ListDashboardsInput,
        context: &Context,
    ) -> Result<ListDashboardsOutput, ApiError> {
        let ListDashboardsInput {
            dashboard_name_prefix,
            next_token,
        } = input;
        let start = dashboard_name_prefix.unwrap_or_default();
        if !start.is_empty() {
            dashboard_name(&start)?;
        }
        let after = next_token.map(|token| token::text(&token).ok_or_else(bad_token));
        let after = after.transpose()?;
        let found = self.dashboards.list(&start, after.as_deref(), PAGE + 1);
        let mut found = found.await.map_err(of_dashboards)?;
        let has_more = found.len() > PAGE;
        found.truncate(PAGE);
        let last = found.last().filter(|_| has_more);
        let next_token = last.map(|(name, _)| token::of_text(name));
        let entries = found.into_iter().map(|(name, dashboard)| DashboardEntry {
            dashboard_arn: Some(dashboard_arn(&name, context)),
            dashboard_name: Some(name),
            last_modified: Some(Timestamp(dashboard.modified.0 as i64)),
            size: Some(dashboard.size as i64),
        });
        Ok(ListDashboardsOutput {
            dashboard_entries: Some(entries.collect()),
            next_token,
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_cloudwatch::ops::{DeleteDashboards, ListDashboards, PutDashboard};
    use serde_json::json;

    use crate::testing::World;

    /// localstack's `test_dashboard_lifecycle`, the middle of it.
    #[tokio::test]
    async fn dashboards_are_listed_by_their_beginning_and_deleted() {
        let world = World::new().await;
        for name in ["test-1", "other"] {
            let put = json!({"DashboardName": name, "DashboardBody": "{\"widgets\": []}"});
            world.ok::<PutDashboard>(put).await;
        }
        let start = |start: &str| json!({"DashboardNamePrefix": start});
        let listed = world.ok::<ListDashboards>(start("no-valid")).await;
        assert_eq!(listed, json!({"DashboardEntries": []}));
        let listed = world.ok::<ListDashboards>(start("test")).await;
        let entry = json!({
            "DashboardArn": "arn:aws:cloudwatch::000000000000:dashboard/test-1",
            "DashboardName": "test-1",
            "LastModified": crate::testing::START / 1000,
            "Size": 15,
        });
        assert_eq!(listed, json!({"DashboardEntries": [entry]}));
        let both = json!({"DashboardNames": ["test-1", "none"]});
        assert_eq!(
            world.refused::<DeleteDashboards>(both).await,
            (
                "DashboardNotFoundError".to_owned(),
                "The specified dashboard does not exist. [none]".to_owned()
            )
        );
        let listed = world.ok::<ListDashboards>(start("test")).await;
        assert_eq!(listed, json!({"DashboardEntries": []}));
    }
}
