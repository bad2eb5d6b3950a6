//! DeleteDashboards: those that are there are deleted, and the others are told of.

use headwater_shapes_cloudwatch::{
    DeleteDashboardsInput, DeleteDashboardsOutput, errors::DASHBOARD_NOT_FOUND_ERROR,
    ops::DeleteDashboards,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudWatch,
    errors::{invalid, of_dashboards, too_many},
};

/// Dashboards that are deleted by one request (API reference, DeleteDashboards).
const NAMES_MAX: usize = 100;

impl Handle<DeleteDashboards> for CloudWatch {
    async fn handle(
        &self,
        input: DeleteDashboardsInput,
        _: &Context,
    ) -> Result<DeleteDashboardsOutput, ApiError> {
        let DeleteDashboardsInput { dashboard_names } = input;
        if dashboard_names.is_empty() {
            return Err(invalid("Need at least 1 dashboard"));
        }
        if dashboard_names.len() > NAMES_MAX {
            return Err(too_many("DashboardNames", NAMES_MAX));
        }
        let absent = self.dashboards.delete(dashboard_names).await;
        let absent = absent.map_err(of_dashboards)?;
        if !absent.is_empty() {
            let names = absent.join(", ");
            let text = format!("The specified dashboard does not exist. [{names}]");
            return Err(ApiError::of(&DASHBOARD_NOT_FOUND_ERROR, text));
        }
        Ok(DeleteDashboardsOutput {})
    }
}
