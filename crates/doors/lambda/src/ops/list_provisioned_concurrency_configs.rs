//! ListProvisionedConcurrencyConfigs; tested in `concurrency`.

use headwater_shapes_lambda::{
    ListProvisionedConcurrencyConfigsRequest, ListProvisionedConcurrencyConfigsResponse,
    ProvisionedConcurrencyConfigListItem, ops::ListProvisionedConcurrencyConfigs,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda, concurrency, describe::date, errors, ops::list_functions::PAGE, target::Target,
};

impl Handle<ListProvisionedConcurrencyConfigs> for Lambda {
    async fn handle(
        &self,
        input: ListProvisionedConcurrencyConfigsRequest,
        _context: &Context,
    ) -> Result<ListProvisionedConcurrencyConfigsResponse, ApiError> {
        let ListProvisionedConcurrencyConfigsRequest {
            function_name,
            marker,
            max_items,
        } = input;
        let target = Target::whole(&function_name, self.functions.options())?;
        let found = self.functions.get(&target.name).await;
        found.map_err(|error| errors::api(error, &target.arn))?;
        let limit = max_items.map_or(PAGE, |max| PAGE.min(max.unsigned_abs() as usize));
        let mut left = self.functions.claims(&target.name).provisioned.into_keys();
        let mut left: Vec<String> = left
            .by_ref()
            .filter(|key| marker.as_ref().is_none_or(|last| key > last))
            .collect();
        let more = left.len() > limit;
        left.truncate(limit);
        let next_marker = left.last().filter(|_| more).cloned();
        let mut items = Vec::new();
        for qualifier in left {
            let Ok(asked) = qualifier.parse() else {
                continue;
            };
            // What went away meanwhile is not listed.
            if let Ok(Some(kept)) = self.functions.kept(&target.name, &asked).await {
                let (status, status_reason) = concurrency::status(&kept);
                items.push(ProvisionedConcurrencyConfigListItem {
                    function_arn: Some(concurrency::arn(&target.arn, &qualifier)),
                    requested_provisioned_concurrent_executions: Some(concurrency::shown(
                        kept.asked.requested,
                    )),
                    available_provisioned_concurrent_executions: Some(concurrency::shown(
                        kept.ready,
                    )),
                    allocated_provisioned_concurrent_executions: Some(concurrency::shown(
                        kept.ready,
                    )),
                    status: Some(status),
                    status_reason,
                    last_modified: Some(date(kept.asked.modified)),
                });
            }
        }
        Ok(ListProvisionedConcurrencyConfigsResponse {
            provisioned_concurrency_configs: Some(items),
            next_marker,
        })
    }
}
