//! CreateTrail. No policy of the bucket is asked for: buckets have none here.

use headwater_shapes_cloudtrail::{CreateTrailRequest, CreateTrailResponse, ops::CreateTrail};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, answers::shown, errors::api, settings};

impl Handle<CreateTrail> for CloudTrail {
    async fn handle(
        &self,
        input: CreateTrailRequest,
        context: &Context,
    ) -> Result<CreateTrailResponse, ApiError> {
        let new = settings::new(input)?;
        let name = new.name.clone();
        let trail = self.store.create(new).await.map_err(api)?;
        let shown = shown(&name, &trail, context);
        Ok(CreateTrailResponse {
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
