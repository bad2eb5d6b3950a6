//! ListTagsForResource.

use std::collections::BTreeMap;

use headwater_shapes_cloudwatch::{
    ListTagsForResourceInput, ListTagsForResourceOutput, ops::ListTagsForResource,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudWatch,
    errors::of_dashboards,
    names::{Tagged, tagged},
    tags,
};

impl Handle<ListTagsForResource> for CloudWatch {
    async fn handle(
        &self,
        input: ListTagsForResourceInput,
        context: &Context,
    ) -> Result<ListTagsForResourceOutput, ApiError> {
        let ListTagsForResourceInput { resource_arn } = input;
        let found = match tagged(&resource_arn, context)? {
            Tagged::Dashboard(name) => {
                let found = self.dashboards.get(&name).await;
                found.map_err(of_dashboards)?.tags
            }
            // An alarm that is not there has none, as localstack recorded it.
            Tagged::Alarm(name) => match self.alarms.get(&name) {
                Ok(alarm) => alarm.tags.clone(),
                Err(_) => BTreeMap::new(),
            },
        };
        Ok(ListTagsForResourceOutput {
            tags: Some(tags::shown(found)),
        })
    }
}
