//! Tags, as requests name them.

use std::collections::BTreeMap;

use headwater_shapes_cloudwatch::Tag;
use headwater_wire::{ApiError, Context, RESERVED_TAG, TagFault, tag_fault};

use crate::{
    CloudWatch,
    errors::{invalid, of_alarms, of_dashboards},
    names::{Tagged, no_resource, tagged},
};

/// Tags that may be set.
pub(crate) fn read(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut read = BTreeMap::new();
    for Tag { key, value } in tags {
        match tag_fault(&key, &value) {
            None => {}
            Some(TagFault::Reserved) => return Err(invalid(RESERVED_TAG)),
            Some(TagFault::Key) => {
                return Err(invalid(format!(
                    "The value {key} for parameter Key is invalid."
                )));
            }
            Some(TagFault::Value) => {
                return Err(invalid(format!(
                    "The value {value} for parameter Value is invalid."
                )));
            }
        }
        if read.insert(key, value).is_some() {
            return Err(invalid("Duplicated tag keys are not allowed."));
        }
    }
    Ok(read)
}

/// Tags as answers have them.
pub(crate) fn shown(tags: BTreeMap<String, String>) -> Vec<Tag> {
    let tags = tags.into_iter();
    tags.map(|(key, value)| Tag { key, value }).collect()
}

impl CloudWatch {
    /// Changes the tags of what an ARN is for.
    pub(crate) async fn change_tags(
        &self,
        arn: &str,
        context: &Context,
        change: impl Fn(&mut BTreeMap<String, String>) + Send + 'static,
    ) -> Result<(), ApiError> {
        match tagged(arn, context)? {
            Tagged::Dashboard(name) => {
                let changed = self.dashboards.change_tags(&name, change).await;
                changed.map_err(of_dashboards)
            }
            Tagged::Alarm(name) => match self.alarms.tag(&name, change).await {
                Err(headwater_alarms::Error::NoAlarm(_)) => Err(no_resource(arn)),
                changed => changed.map_err(of_alarms),
            },
        }
    }
}
