//! What several operations answer: trails, times.

use headwater_shapes::Timestamp;
use headwater_shapes_cloudtrail::Trail as Shown;
use headwater_trail::{Trail, Wanted};
use headwater_types::Millis;
use headwater_wire::Context;

use crate::names::arn;

/// A trail as CloudTrail shows it.
pub(crate) fn shown(name: &str, trail: &Trail, context: &Context) -> Shown {
    let settings = &trail.settings;
    Shown {
        name: Some(name.to_owned()),
        s3_bucket_name: Some(settings.bucket.clone()),
        s3_key_prefix: settings.prefix.clone(),
        include_global_service_events: Some(settings.is_global),
        is_multi_region_trail: Some(false),
        home_region: Some(context.region.0.clone()),
        trail_arn: Some(arn(name, context)),
        log_file_validation_enabled: Some(false),
        has_custom_event_selectors: Some(settings.wanted != [Wanted::all()]),
        has_insight_selectors: Some(false),
        is_organization_trail: Some(false),
        ..Default::default()
    }
}

/// A time as answers have it, in whole seconds.
pub(crate) fn time(at: Millis) -> Timestamp {
    Timestamp(i64::try_from(at.seconds() * 1000).unwrap_or(i64::MAX))
}
