//! UpdateTable, which makes a new version and keeps the one before, unless it is told not to.

use headwater_shapes_glue::{UpdateTableRequest, UpdateTableResponse, ops::UpdateTable};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::Update;

use crate::{
    Glue,
    errors::{api, invalid_input, refuse},
    name::{self, check_catalog, folded},
    table_input::definition,
};

impl Handle<UpdateTable> for Glue {
    async fn handle(
        &self,
        input: UpdateTableRequest,
        context: &Context,
    ) -> Result<UpdateTableResponse, ApiError> {
        let UpdateTableRequest {
            catalog_id,
            database_name,
            name,
            table_input,
            skip_archive,
            transaction_id,
            version_id,
            view_update_action,
            force,
            update_open_table_format_input,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        refuse(transaction_id.is_some(), "TransactionId")?;
        refuse(view_update_action.is_some(), "ViewUpdateAction")?;
        refuse(force == Some(true), "Force")?;
        refuse(
            update_open_table_format_input.is_some(),
            "UpdateOpenTableFormatInput",
        )?;
        let table = table_input.ok_or_else(|| invalid_input("TableInput must not be null."))?;
        let new = folded(&table.name);
        let renamed = name.is_some_and(|old| folded(&old) != new);
        refuse(renamed, "renaming of tables")?;
        let update = Update {
            definition: definition(&table)?,
            archive: skip_archive != Some(true),
            expected: version_id.as_deref().map(name::version).transpose()?,
        };
        self.schemas
            .update_table(&folded(&database_name), &new, &update)
            .await
            .map_err(api)?;
        Ok(UpdateTableResponse {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{GetTable, GetTableVersions, UpdateTable};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn an_update_makes_a_version_if_the_table_is_at_the_one_expected() {
        let world = World::with_table().await;
        let update = |more: serde_json::Value| {
            let mut input = json!({ "DatabaseName": "d", "TableInput": World::input("T", "date") });
            input
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            input
        };
        world
            .ok::<UpdateTable>(update(json!({ "VersionId": "0" })))
            .await;
        let stale = world
            .refused::<UpdateTable>(update(json!({ "VersionId": "0" })))
            .await;
        let text = "Update table failed due to concurrent modifications.";
        assert_eq!(
            stale,
            ("ConcurrentModificationException".into(), text.into())
        );
        world
            .ok::<UpdateTable>(update(json!({ "SkipArchive": true })))
            .await;
        let shown = world
            .ok::<GetTable>(json!({ "DatabaseName": "d", "Name": "t" }))
            .await;
        assert_eq!(shown["Table"]["VersionId"], "2");
        assert_eq!(
            shown["Table"]["StorageDescriptor"]["Columns"][0]["Type"],
            "date"
        );
        let versions = world
            .ok::<GetTableVersions>(json!({ "DatabaseName": "d", "TableName": "t" }))
            .await;
        let ids = versions["TableVersions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|version| &version["VersionId"]);
        assert_eq!(ids.collect::<Vec<_>>(), ["2", "0"]);
        let missing = json!({ "DatabaseName": "d", "TableInput": World::input("none", "int") });
        let refused = world.refused::<UpdateTable>(missing).await;
        assert_eq!(
            refused,
            (
                "EntityNotFoundException".into(),
                "Table none not found.".into()
            )
        );
        for (name, value) in [
            ("TransactionId", json!("x")),
            ("ViewUpdateAction", json!("ADD")),
            ("Force", json!(true)),
            ("UpdateOpenTableFormatInput", json!({})),
            ("Name", json!("other")),
        ] {
            assert_eq!(
                world
                    .refused::<UpdateTable>(update(json!({ name: value })))
                    .await
                    .0,
                "NotImplemented",
                "{name}"
            );
        }
    }
}
