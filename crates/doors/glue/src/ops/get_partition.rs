//! GetPartition.

use headwater_shapes_glue::{GetPartitionRequest, GetPartitionResponse, ops::GetPartition};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::{api, refuse},
    show,
};

impl Handle<GetPartition> for Glue {
    async fn handle(
        &self,
        input: GetPartitionRequest,
        context: &Context,
    ) -> Result<GetPartitionResponse, ApiError> {
        let GetPartitionRequest {
            catalog_id,
            database_name,
            table_name,
            partition_values,
            audit_context,
        } = input;
        refuse(audit_context.is_some(), "AuditContext")?;
        let place = self
            .place(catalog_id.as_deref(), &database_name, &table_name, context)
            .await?;
        place.check(&partition_values)?;
        let found = self
            .schemas
            .partition(&place.database, &place.table, &partition_values)
            .await
            .map_err(api)?;
        let shown = show::partition(&place, partition_values, found, context)?;
        Ok(GetPartitionResponse {
            partition: Some(shown),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::GetPartition;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn what_is_not_there_is_told_by_its_kind() {
        let world = World::with_partitions("year string", &["2024"]).await;
        let refused = async |database: &str, table: &str, value: &str| {
            let input = json!({
                "DatabaseName": database, "TableName": table, "PartitionValues": [value],
            });
            world.refused::<GetPartition>(input).await
        };
        for (database, table, value, text) in [
            ("d", "p", "2025", "Cannot find partition."),
            ("d", "none", "2024", "Table none not found."),
            ("none", "p", "2024", "Database none not found."),
        ] {
            let expected = refusal("EntityNotFoundException", text);
            assert_eq!(refused(database, table, value).await, expected);
        }
        let audited = json!({
            "DatabaseName": "d", "TableName": "p", "PartitionValues": ["2024"], "AuditContext": {},
        });
        let refused = world.refused::<GetPartition>(audited).await;
        assert_eq!(refused.0, "NotImplemented");
    }
}
