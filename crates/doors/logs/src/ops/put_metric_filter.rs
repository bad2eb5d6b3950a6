//! PutMetricFilter.

use headwater_loggroups::Transformation;
use headwater_shapes::Nothing;
use headwater_shapes_logs::{MetricTransformation, PutMetricFilterRequest, ops::PutMetricFilter};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Logs,
    errors::{api, invalid_parameter, refuse},
};

impl Handle<PutMetricFilter> for Logs {
    async fn handle(
        &self,
        input: PutMetricFilterRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let PutMetricFilterRequest {
            log_group_name,
            filter_name,
            filter_pattern,
            metric_transformations,
            apply_on_transformed_logs,
            field_selection_criteria,
            emit_system_field_dimensions,
        } = input;
        refuse(
            apply_on_transformed_logs == Some(true),
            "applyOnTransformedLogs",
        )?;
        refuse(field_selection_criteria.is_some(), "fieldSelectionCriteria")?;
        refuse(
            emit_system_field_dimensions.is_some_and(|fields| !fields.is_empty()),
            "emitSystemFieldDimensions",
        )?;
        // The model has it that there is one.
        let transformation = metric_transformations.into_iter().next();
        let transformation = transformation
            .ok_or_else(|| invalid_parameter("A metric filter has one metric transformation."))?;
        let put = self.groups.put_metric_filter(
            &log_group_name,
            &filter_name,
            filter_pattern,
            read(transformation),
        );
        put.await.map_err(api)?;
        Ok(Nothing {})
    }
}

fn read(transformation: MetricTransformation) -> Transformation {
    let MetricTransformation {
        metric_name,
        metric_namespace,
        metric_value,
        default_value,
        dimensions,
        unit,
    } = transformation;
    Transformation {
        namespace: metric_namespace,
        name: metric_name,
        value: metric_value,
        default: default_value,
        dimensions: dimensions.unwrap_or_default(),
        unit,
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::{
        DeleteMetricFilter, DescribeLogGroups, DescribeMetricFilters, PutMetricFilter,
    };
    use serde_json::{Value, json};

    use crate::testing::{START, World};

    fn filter(name: &str, metric: &str) -> Value {
        let transformation = json!({
            "metricName": metric, "metricNamespace": "n", "metricValue": "1", "defaultValue": 0.0, "unit": "Count",
        });
        json!({
            "logGroupName": "g", "filterName": name, "filterPattern": " ", "metricTransformations": [transformation],
        })
    }

    #[tokio::test]
    async fn a_metric_filter_is_made_shown_and_deleted() {
        let world = World::with_stream().await;
        for (name, metric) in [("a1", "m"), ("a2", "other"), ("b", "m")] {
            world.ok::<PutMetricFilter>(filter(name, metric)).await;
        }
        let names = async |input: Value| {
            let found = world.ok::<DescribeMetricFilters>(input).await;
            let filters = found["metricFilters"].as_array().unwrap().clone();
            let name = |filter: &Value| filter["filterName"].as_str().unwrap().to_owned();
            (
                filters.iter().map(name).collect::<Vec<_>>().join(" "),
                found["nextToken"].clone(),
            )
        };
        let (first, token) = names(json!({ "limit": 2 })).await;
        assert_eq!(first, "a1 a2");
        assert_eq!(names(json!({ "nextToken": token })).await.0, "b");
        assert_eq!(names(json!({ "filterNamePrefix": "a" })).await.0, "a1 a2");
        let by_metric = json!({ "metricName": "m", "metricNamespace": "n" });
        assert_eq!(names(by_metric).await.0, "a1 b");
        let shown = world
            .ok::<DescribeMetricFilters>(json!({ "logGroupName": "g", "filterNamePrefix": "b" }))
            .await;
        let mut expected = filter("b", "m");
        (expected["applyOnTransformedLogs"], expected["creationTime"]) =
            (json!(false), json!(START));
        assert_eq!(shown, json!({ "metricFilters": [expected] }));
        let count = world.ok::<DescribeLogGroups>(json!({})).await;
        assert_eq!(count["logGroups"][0]["metricFilterCount"], 3);
        let delete = json!({ "logGroupName": "g", "filterName": "b" });
        world.ok::<DeleteMetricFilter>(delete.clone()).await;
        let text = "The specified metric filter does not exist.";
        assert_eq!(
            world.refused::<DeleteMetricFilter>(delete).await,
            ("ResourceNotFoundException".into(), text.into())
        );
        let alone = json!({ "metricName": "m" });
        assert_eq!(
            world.refused::<DescribeMetricFilters>(alone).await.0,
            "InvalidParameterException"
        );
    }

    #[tokio::test]
    async fn values_that_cannot_be_made_are_refused() {
        let world = World::with_stream().await;
        let mut input = filter("f", "m");
        input["metricTransformations"][0]["dimensions"] = json!({ "A": "$.a" });
        let text = "Invalid metric transformation: dimensions and default value are mutually exclusive properties";
        assert_eq!(
            world.refused::<PutMetricFilter>(input).await,
            ("InvalidParameterException".into(), text.into())
        );
        let mut input = filter("f", "m");
        input["logGroupName"] = json!("none");
        assert_eq!(
            world.refused::<PutMetricFilter>(input).await.0,
            "ResourceNotFoundException"
        );
        for (name, value) in [
            ("applyOnTransformedLogs", json!(true)),
            ("fieldSelectionCriteria", json!("x")),
            ("emitSystemFieldDimensions", json!(["@aws.account"])),
        ] {
            let mut input = filter("f", "m");
            input[name] = value;
            assert_eq!(
                world.refused::<PutMetricFilter>(input).await.0,
                "NotImplemented"
            );
        }
    }
}
