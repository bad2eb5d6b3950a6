//! Metrics and resources, as requests name them.

use headwater_metrics::{Metric, Unit};
use headwater_shapes_cloudwatch::Dimension;
use headwater_types::Arn;
use headwater_wire::{ApiError, Context};

use crate::errors::{invalid, of_dashboards};

/// The beginning of namespaces that AWS's services have to themselves.
const RESERVED: &str = "AWS/";
/// The longest name of a dashboard, in characters (API reference, PutDashboard).
const DASHBOARD_NAME_MAX: usize = 255;

/// A metric with these dimensions.
pub(crate) fn metric(namespace: &str, name: &str, dimensions: Option<Vec<Dimension>>) -> Metric {
    let dimensions = dimensions.unwrap_or_default().into_iter();
    let dimensions = dimensions.map(|Dimension { name, value }| (name, value));
    Metric::new(namespace, name, dimensions.collect())
}

/// Dimensions as answers have them.
pub(crate) fn dimensions(metric: &Metric) -> Vec<Dimension> {
    let dimensions = metric.dimensions.iter().cloned();
    dimensions
        .map(|(name, value)| Dimension { name, value })
        .collect()
}

/// The unit of that name, which the model has checked; none where none is named.
pub(crate) fn unit(name: Option<&str>) -> Option<Unit> {
    name.and_then(Unit::from_name)
}

/// Sees to it that callers do not write what AWS's services say of themselves.
pub(crate) fn writable(namespace: &str) -> Result<(), ApiError> {
    match namespace.starts_with(RESERVED) {
        true => Err(invalid(format!(
            "The value {namespace} for parameter Namespace is invalid."
        ))),
        false => Ok(()),
    }
}

/// Sees to it that a dashboard may have that name.
pub(crate) fn dashboard_name(name: &str) -> Result<(), ApiError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if name.is_empty() || !name.bytes().all(allowed) {
        return Err(invalid(
            "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) \
             and underscore (_).\n",
        ));
    }
    match name.len() > DASHBOARD_NAME_MAX {
        true => Err(invalid(format!(
            "The value for field DashboardName must not have more than {DASHBOARD_NAME_MAX} characters.\n"
        ))),
        false => Ok(()),
    }
}

/// The ARN of a dashboard, which is of no region.
pub(crate) fn dashboard_arn(name: &str, context: &Context) -> String {
    format!("arn:aws:cloudwatch::{}:dashboard/{name}", context.account.0)
}

/// The name of the dashboard that an ARN is for, where it is one of the account's.
pub(crate) fn dashboard_of_arn(arn: &str, context: &Context) -> Result<String, ApiError> {
    let parsed: Arn = arn.parse().map_err(|_| {
        invalid(format!(
            "The value {arn} for parameter ResourceARN is invalid."
        ))
    })?;
    let kind = parsed.resource.split([':', '/']).next().unwrap_or_default();
    match kind {
        "dashboard" => {}
        "alarm" | "insight-rule" | "metric-stream" => {
            return Err(ApiError::not_supported(format_args!("tags of {kind}s")));
        }
        _ => {
            return Err(invalid(format!(
                "The value {arn} for parameter ResourceARN is invalid."
            )));
        }
    }
    let name = parsed
        .resource
        .strip_prefix("dashboard/")
        .unwrap_or_default();
    match dashboard_arn(name, context) == arn {
        true => Ok(name.to_owned()),
        false => Err(of_dashboards(headwater_dashboards::Error::NoDashboard(
            name.to_owned(),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_of_aws_are_its_own() {
        assert!(writable("AWS/Kinesis").is_err());
        assert!(writable("AWSome").is_ok());
    }

    #[test]
    fn dashboards_have_plain_names() {
        let long = "a".repeat(DASHBOARD_NAME_MAX);
        for name in ["a", "A-b_9", &long] {
            assert!(dashboard_name(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "ä", "a/b", &format!("{long}a")] {
            assert!(dashboard_name(name).is_err(), "{name}");
        }
    }
}
