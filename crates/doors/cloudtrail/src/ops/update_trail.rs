//! UpdateTrail.

use headwater_shapes_cloudtrail::{UpdateTrailRequest, UpdateTrailResponse, ops::UpdateTrail};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, answers::shown, errors::api, names, settings};

impl Handle<UpdateTrail> for CloudTrail {
    async fn handle(
        &self,
        input: UpdateTrailRequest,
        context: &Context,
    ) -> Result<UpdateTrailResponse, ApiError> {
        let (name, change) = settings::change(input)?;
        let name = names::name(&name, context)?;
        let trail = self.store.set(&name, change).await.map_err(api)?;
        let shown = shown(&name, &trail, context);
        Ok(UpdateTrailResponse {
            name: shown.name,
            s3_bucket_name: shown.s3_bucket_name,
            s3_key_prefix: shown.s3_key_prefix,
            include_global_service_events: shown.include_global_service_events,
            is_multi_region_trail: shown.is_multi_region_trail,
            trail_arn: shown.trail_arn,
            log_file_validation_enabled: shown.log_file_validation_enabled,
            is_organization_trail: shown.is_organization_trail,
            ..Default::default()
        })
    }
}
