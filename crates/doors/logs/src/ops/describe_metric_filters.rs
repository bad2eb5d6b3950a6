//! DescribeMetricFilters: of a group or of all, by the names of filters or by a metric.

use headwater_loggroups::{MetricFilter, Transformation};
use headwater_shapes_logs::{
    DescribeMetricFiltersRequest, DescribeMetricFiltersResponse, MetricFilter as Shown,
    MetricTransformation, ops::DescribeMetricFilters,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Logs,
    errors::{api, bad_token, invalid_parameter},
    token,
};

/// Filters in one answer.
const PAGE: usize = 50;
/// What parts a filter's name and its group's in a token; names have none.
const PART: char = '*';

impl Handle<DescribeMetricFilters> for Logs {
    async fn handle(
        &self,
        input: DescribeMetricFiltersRequest,
        _context: &Context,
    ) -> Result<DescribeMetricFiltersResponse, ApiError> {
        let DescribeMetricFiltersRequest {
            log_group_name,
            filter_name_prefix,
            next_token,
            limit,
            metric_name,
            metric_namespace,
        } = input;
        if metric_name.is_some() != metric_namespace.is_some() {
            return Err(invalid_parameter(
                "metricName and metricNamespace must be specified together.",
            ));
        }
        let found = self.groups.metric_filters(log_group_name.as_deref());
        let mut found = found.await.map_err(api)?;
        let prefix = filter_name_prefix.unwrap_or_default();
        found.retain(|(name, filter)| {
            let Transformation {
                name: metric,
                namespace,
                ..
            } = &filter.transformation;
            name.starts_with(&prefix)
                && metric_name.as_ref().is_none_or(|wanted| wanted == metric)
                && metric_namespace
                    .as_ref()
                    .is_none_or(|wanted| wanted == namespace)
        });
        let place = |(name, filter): &(String, MetricFilter)| (name.clone(), filter.group.clone());
        found.sort_by_key(place);
        if let Some(token) = next_token {
            let (_, after) = token::entry(&token)?;
            let (name, group) = after.split_once(PART).ok_or_else(bad_token)?;
            found.retain(|one| place(one) > (name.to_owned(), group.to_owned()));
        }
        let limit = limit.map_or(PAGE, |limit| PAGE.min(limit.unsigned_abs() as usize));
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next_token =
            last.map(|(name, filter)| token::of_entry(0, &format!("{name}{PART}{}", filter.group)));
        let shown = found.into_iter();
        Ok(DescribeMetricFiltersResponse {
            metric_filters: Some(shown.map(|(name, kept)| show(name, kept)).collect()),
            next_token,
        })
    }
}

fn show(name: String, kept: MetricFilter) -> Shown {
    let of = kept.transformation;
    let transformation = MetricTransformation {
        metric_name: of.name,
        metric_namespace: of.namespace,
        metric_value: of.value,
        default_value: of.default,
        dimensions: Some(of.dimensions).filter(|dimensions| !dimensions.is_empty()),
        unit: of.unit,
    };
    Shown {
        filter_name: Some(name),
        filter_pattern: Some(kept.pattern),
        metric_transformations: Some(vec![transformation]),
        creation_time: Some(kept.created.0 as i64),
        log_group_name: Some(kept.group),
        apply_on_transformed_logs: Some(false),
        ..Default::default()
    }
}
