//! GetDashboard.

use headwater_shapes_cloudwatch::{GetDashboardInput, GetDashboardOutput, ops::GetDashboard};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudWatch,
    errors::of_dashboards,
    names::{dashboard_arn, dashboard_name},
};

impl Handle<GetDashboard> for CloudWatch {
    async fn handle(
        &self,
        input: GetDashboardInput,
        context: &Context,
    ) -> Result<GetDashboardOutput, ApiError> {
        let GetDashboardInput {
            dashboard_name: name,
        } = input;
        dashboard_name(&name)?;
        let body = self.dashboards.body(&name).await.map_err(of_dashboards)?;
        Ok(GetDashboardOutput {
            dashboard_arn: Some(dashboard_arn(&name, context)),
            dashboard_body: Some(body),
            dashboard_name: Some(name),
        })
    }
}
