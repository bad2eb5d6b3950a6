//! CreateLogGroup.

use headwater_shapes::Nothing;
use headwater_shapes_logs::{CreateLogGroupRequest, ops::CreateLogGroup};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Logs,
    errors::{api, refuse},
    tags,
};

impl Handle<CreateLogGroup> for Logs {
    async fn handle(
        &self,
        input: CreateLogGroupRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let CreateLogGroupRequest {
            log_group_name,
            kms_key_id,
            tags,
            log_group_class,
            deletion_protection_enabled,
        } = input;
        refuse(kms_key_id.is_some(), "kmsKeyId")?;
        let tags = tags.unwrap_or_default();
        tags::check(&tags)?;
        let class = log_group_class.as_deref().unwrap_or("STANDARD");
        refuse(class != "STANDARD", "a logGroupClass other than STANDARD")?;
        refuse(
            deletion_protection_enabled == Some(true),
            "deletionProtectionEnabled",
        )?;
        self.groups
            .create_tagged_group(&log_group_name, tags)
            .await
            .map_err(api)?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::CreateLogGroup;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_group_is_made_once_and_its_settings_are_refused() {
        let world = World::new().await;
        world
            .ok::<CreateLogGroup>(json!({ "logGroupName": "g", "logGroupClass": "STANDARD" }))
            .await;
        let again = world
            .refused::<CreateLogGroup>(json!({ "logGroupName": "g" }))
            .await;
        let text = "The specified log group already exists";
        assert_eq!(
            again,
            ("ResourceAlreadyExistsException".into(), text.into())
        );
        for (name, value) in [
            ("kmsKeyId", json!("k")),
            ("logGroupClass", json!("DELIVERY")),
            ("deletionProtectionEnabled", json!(true)),
        ] {
            let refused = world
                .refused::<CreateLogGroup>(json!({ "logGroupName": "h", name: value }))
                .await;
            assert_eq!(refused.0, "NotImplemented");
        }
    }
}
