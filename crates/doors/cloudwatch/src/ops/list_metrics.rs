//! ListMetrics: the metrics that had data in the last two weeks.

use headwater_metrics::Filter;
use headwater_shapes_cloudwatch::{
    DimensionFilter, ListMetricsInput, ListMetricsOutput, Metric, ops::ListMetrics,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudWatch, errors::bad_token, names::dimensions, token};

/// Metrics in one answer (API reference, ListMetrics).
const PAGE: usize = 500;

impl Handle<ListMetrics> for CloudWatch {
    async fn handle(
        &self,
        input: ListMetricsInput,
        _: &Context,
    ) -> Result<ListMetricsOutput, ApiError> {
        let ListMetricsInput {
            namespace,
            metric_name,
            dimensions: wanted,
            next_token,
            recently_active,
            include_linked_accounts,
            owning_account,
        } = input;
        if include_linked_accounts == Some(true) {
            return Err(ApiError::not_supported("IncludeLinkedAccounts"));
        }
        if owning_account.is_some() {
            return Err(ApiError::not_supported("OwningAccount"));
        }
        let wanted = wanted.unwrap_or_default().into_iter();
        let filter = Filter {
            namespace,
            name: metric_name,
            dimensions: wanted
                .map(|DimensionFilter { name, value }| (name, value))
                .collect(),
            // The model allows no other value than three hours.
            recent_only: recently_active.is_some(),
        };
        let after = next_token.map(|token| token::metric(&token).ok_or_else(bad_token));
        let after = after.transpose()?;
        let mut found = self.metrics.list(&filter, after.as_ref(), PAGE + 1).await;
        let has_more = found.len() > PAGE;
        found.truncate(PAGE);
        let next_token = found.last().filter(|_| has_more).map(token::of_metric);
        let shown = found.into_iter().map(|metric| Metric {
            dimensions: Some(dimensions(&metric)),
            namespace: Some(metric.namespace),
            metric_name: Some(metric.name),
        });
        Ok(ListMetricsOutput {
            metrics: Some(shown.collect()),
            next_token,
            owning_accounts: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_cloudwatch::ops::{ListMetrics, PutMetricData};
    use serde_json::{Value, json};

    use crate::testing::World;

    fn count(listed: &Value) -> usize {
        listed["Metrics"].as_array().map_or(0, Vec::len)
    }

    /// localstack's `test_list_metrics_with_filters`.
    #[tokio::test]
    async fn metrics_are_listed_by_what_they_are() {
        let world = World::new().await;
        for (name, instance) in [
            ("CPU", None),
            ("Memory", Some("one")),
            ("Disk", Some("two")),
        ] {
            let dimensions = instance.map(|value| json!({"Name": "Id", "Value": value}));
            let dimensions = Vec::from_iter(dimensions);
            let datum = json!({"MetricName": name, "Value": 15, "Dimensions": dimensions});
            world
                .ok::<PutMetricData>(json!({"Namespace": "n", "MetricData": [datum]}))
                .await;
        }
        for (filter, expected) in [
            (json!({}), 3),
            (json!({"Namespace": "other"}), 0),
            (json!({"Namespace": "n", "MetricName": "CPU"}), 1),
            (json!({"Dimensions": [{"Name": "Id"}]}), 2),
            (json!({"Dimensions": [{"Name": "Id", "Value": "two"}]}), 1),
            (json!({"RecentlyActive": "PT3H"}), 3),
        ] {
            let listed = world.ok::<ListMetrics>(filter.clone()).await;
            assert_eq!(count(&listed), expected, "{filter}");
        }
    }

    #[tokio::test]
    async fn pages_go_on_where_they_ended() {
        let world = World::new().await;
        let data = (0..501).map(|at| json!({"MetricName": format!("{at:03}"), "Value": 1}));
        let data = data.collect::<Vec<_>>();
        world
            .ok::<PutMetricData>(json!({"Namespace": "n", "MetricData": data}))
            .await;
        let first = world.ok::<ListMetrics>(json!({})).await;
        assert_eq!(count(&first), 500);
        let rest = json!({"NextToken": first["NextToken"]});
        let rest = world.ok::<ListMetrics>(rest).await;
        assert_eq!(rest["Metrics"][0]["MetricName"], "500");
        assert_eq!((count(&rest), rest.get("NextToken")), (1, None));
        let refused = world
            .refused::<ListMetrics>(json!({"NextToken": "x"}))
            .await;
        assert_eq!(refused.1, "Request parameter NextToken is invalid");
    }
}
