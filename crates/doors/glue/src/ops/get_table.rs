//! GetTable, at its latest version.

use headwater_shapes_glue::{GetTableRequest, GetTableResponse, ops::GetTable};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::Wanted;

use crate::{
    Glue,
    errors::{reading, refuse, refuse_attributes},
    name::{check_catalog, folded},
    show,
};

impl Handle<GetTable> for Glue {
    async fn handle(
        &self,
        input: GetTableRequest,
        context: &Context,
    ) -> Result<GetTableResponse, ApiError> {
        let GetTableRequest {
            catalog_id,
            database_name,
            name,
            transaction_id,
            query_as_of_time,
            audit_context,
            include_status_details,
            attributes_to_get,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        refuse(transaction_id.is_some(), "TransactionId")?;
        refuse(query_as_of_time.is_some(), "QueryAsOfTime")?;
        refuse(audit_context.is_some(), "AuditContext")?;
        refuse(include_status_details == Some(true), "IncludeStatusDetails")?;
        refuse_attributes(attributes_to_get.as_deref())?;
        let (database, name) = (folded(&database_name), folded(&name));
        let found = self
            .schemas
            .version(&database, &name, Wanted::Latest)
            .await
            .map_err(reading)?;
        Ok(GetTableResponse {
            table: Some(show::table(&database, name, found, context)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{CreateTable, GetTable};
    use serde_json::json;

    use crate::testing::{START, World};

    #[tokio::test]
    async fn a_table_is_shown_as_it_was_given() {
        let world = World::with_table().await;
        let storage = json!({
            "Columns": [{ "Name": "Zone", "Type": "struct<a:int>", "Comment": "c" }, { "Name": "free" }],
            "Location": "s3://b/p", "SerdeInfo": { "SerializationLibrary": "x" },
        });
        let given = json!({
            "Name": "Trips", "Description": "all", "Owner": "me", "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": storage, "PartitionKeys": [{ "Name": "day", "Type": "date" }],
            "Parameters": { "classification": "parquet" },
        });
        world
            .ok::<CreateTable>(json!({ "DatabaseName": "d", "TableInput": given }))
            .await;
        let mut expected = given.clone();
        let added = json!({
            "Name": "trips", "DatabaseName": "d", "CreateTime": START, "UpdateTime": START, "Retention": 0,
            "CreatedBy": "arn:aws:iam::000000000000:root", "IsRegisteredWithLakeFormation": false,
            "IsMultiDialectView": false, "CatalogId": "000000000000", "VersionId": "0",
        });
        expected
            .as_object_mut()
            .unwrap()
            .extend(added.as_object().unwrap().clone());
        let shown = world
            .ok::<GetTable>(json!({ "DatabaseName": "D", "Name": "TRIPS" }))
            .await;
        assert_eq!(shown, json!({ "Table": expected }));
        let missing = world
            .refused::<GetTable>(json!({ "DatabaseName": "d", "Name": "none" }))
            .await;
        assert_eq!(
            missing,
            ("EntityNotFoundException".into(), "Entity Not Found".into())
        );
        let nowhere = world
            .refused::<GetTable>(json!({ "DatabaseName": "none", "Name": "t" }))
            .await;
        assert_eq!(
            nowhere,
            (
                "EntityNotFoundException".into(),
                "Database none not found.".into()
            )
        );
        for (name, value) in [
            ("TransactionId", json!("x")),
            ("QueryAsOfTime", json!(1)),
            ("AuditContext", json!({})),
            ("IncludeStatusDetails", json!(true)),
            ("AttributesToGet", json!(["LATEST_ICEBERG_METADATA"])),
        ] {
            let input = json!({ "DatabaseName": "d", "Name": "t", name: value });
            assert_eq!(
                world.refused::<GetTable>(input).await.0,
                "NotImplemented",
                "{name}"
            );
        }
    }
}
