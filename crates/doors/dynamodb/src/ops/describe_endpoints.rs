//! DescribeEndpoints.

use headwater_shapes_dynamodb::{
    DescribeEndpointsRequest, DescribeEndpointsResponse, Endpoint, ops::DescribeEndpoints,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::Dynamo;

/// Minutes that an endpoint may be kept. (Source: Alternator's documentation of AWS's answer.)
const KEPT_MINUTES: i64 = 1440;

impl Handle<DescribeEndpoints> for Dynamo {
    /// The host by which the client came.
    async fn handle(
        &self,
        input: DescribeEndpointsRequest,
        context: &Context,
    ) -> Result<DescribeEndpointsResponse, ApiError> {
        let DescribeEndpointsRequest {} = input;
        Ok(DescribeEndpointsResponse {
            endpoints: vec![Endpoint {
                address: context.host.clone(),
                cache_period_in_minutes: KEPT_MINUTES,
            }],
        })
    }
}
