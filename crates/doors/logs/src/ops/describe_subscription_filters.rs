//! DescribeSubscriptionFilters.

use headwater_loggroups::{Distribution, Subscription};
use headwater_shapes_logs::{
    DescribeSubscriptionFiltersRequest, DescribeSubscriptionFiltersResponse, SubscriptionFilter,
    ops::DescribeSubscriptionFilters,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, errors::api, token};

/// Filters in one answer.
const PAGE: usize = 50;

impl Handle<DescribeSubscriptionFilters> for Logs {
    async fn handle(
        &self,
        input: DescribeSubscriptionFiltersRequest,
        _context: &Context,
    ) -> Result<DescribeSubscriptionFiltersResponse, ApiError> {
        let DescribeSubscriptionFiltersRequest {
            log_group_name,
            filter_name_prefix,
            next_token,
            limit,
        } = input;
        let prefix = filter_name_prefix.unwrap_or_default();
        let found = self.groups.subscriptions(&log_group_name, &prefix);
        let mut found = found.await.map_err(api)?;
        if let Some(token) = next_token {
            let (_, after) = token::entry(&token)?;
            found.retain(|(name, _)| *name > after);
        }
        let limit = limit.map_or(PAGE, |limit| PAGE.min(limit.unsigned_abs() as usize));
        let more = found.len() > limit;
        found.truncate(limit);
        let next_token = found.last().filter(|_| more);
        let next_token = next_token.map(|(name, _)| token::of_entry(0, name));
        let shown = found.into_iter();
        let shown = shown.map(|(name, kept)| show(&log_group_name, name, kept));
        Ok(DescribeSubscriptionFiltersResponse {
            subscription_filters: Some(shown.collect()),
            next_token,
        })
    }
}

fn show(group: &str, name: String, kept: Subscription) -> SubscriptionFilter {
    let distribution = match kept.distribution {
        Distribution::ByStream => "ByLogStream",
        Distribution::Random => "Random",
    };
    SubscriptionFilter {
        filter_name: Some(name),
        log_group_name: Some(group.to_owned()),
        filter_pattern: Some(kept.pattern),
        destination_arn: Some(kept.destination.arn().to_string()),
        role_arn: kept.role,
        distribution: Some(distribution.to_owned()),
        apply_on_transformed_logs: Some(false),
        creation_time: Some(kept.created.0 as i64),
        ..Default::default()
    }
}
