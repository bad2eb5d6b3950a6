//! Tags of groups: which may be set, and which group is meant.

use std::collections::BTreeMap;

use headwater_shapes_logs::errors as shapes;
use headwater_types::Arn;
use headwater_wire::{ApiError, Context, RESERVED_TAG, TagFault, tag_fault};

use crate::{
    Logs,
    errors::{api, invalid_parameter},
};

/// Refuses tags that may not be set. The model's constraints were checked before.
pub(crate) fn check(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for (key, value) in tags {
        match tag_fault(key, value) {
            None => {}
            Some(TagFault::Reserved) => return Err(invalid_parameter(RESERVED_TAG)),
            Some(TagFault::Key | TagFault::Value) => {
                return Err(invalid_parameter(format!("The tag {key:?} is not valid.")));
            }
        }
    }
    Ok(())
}

/// The name of the group that an ARN means, with or without `:*` at its end.
pub(crate) fn group(arn: &str, context: &Context) -> Result<String, ApiError> {
    let parsed: Option<Arn> = arn.parse().ok();
    let is_logs = |arn: &Arn| arn.service == "logs";
    let parsed = parsed.filter(is_logs).ok_or_else(|| {
        invalid_parameter(format!("{arn} is not a valid Amazon Resource Name (ARN)."))
    })?;
    let is_here = parsed.region == context.region.0 && parsed.account == context.account.0;
    let name = parsed.name_of("log-group").filter(|_| is_here);
    let name = name.ok_or_else(|| {
        let text = "The specified resource does not exist.";
        ApiError::of(&shapes::RESOURCE_NOT_FOUND_EXCEPTION, text)
    })?;
    Ok(name.strip_suffix(":*").unwrap_or(name).to_owned())
}

impl Logs {
    /// The tags of a group.
    pub(crate) async fn tags(&self, group: &str) -> Result<BTreeMap<String, String>, ApiError> {
        Ok(self.groups.group(group).await.map_err(api)?.tags)
    }

    /// Adds tags and takes others away.
    pub(crate) async fn change_tags(
        &self,
        group: &str,
        add: BTreeMap<String, String>,
        remove: Vec<String>,
    ) -> Result<(), ApiError> {
        check(&add)?;
        let changed = self.groups.change_tags(group, add, remove);
        changed.await.map_err(api)
    }
}
