//! BatchGetPartition: those that are there. What finds no room in the answer is left to be asked for again.

use headwater_shapes_glue::{
    BatchGetPartitionRequest, BatchGetPartitionResponse, PartitionValueList, ops::BatchGetPartition,
};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::Error;

use crate::{
    Glue,
    errors::{api, refuse},
    ops::get_partitions::{PAGE_BYTES, size},
    partition::Place,
    show,
};

impl Handle<BatchGetPartition> for Glue {
    async fn handle(
        &self,
        input: BatchGetPartitionRequest,
        context: &Context,
    ) -> Result<BatchGetPartitionResponse, ApiError> {
        let BatchGetPartitionRequest {
            catalog_id,
            database_name,
            table_name,
            partitions_to_get,
            audit_context,
            query_session_context,
        } = input;
        refuse(audit_context.is_some(), "AuditContext")?;
        refuse(query_session_context.is_some(), "QuerySessionContext")?;
        let place = self
            .place(catalog_id.as_deref(), &database_name, &table_name, context)
            .await?;
        let (mut partitions, mut left, mut bytes) = (Vec::new(), Vec::new(), 0);
        for PartitionValueList { values } in partitions_to_get {
            place.check(&values)?;
            if bytes >= PAGE_BYTES {
                left.push(PartitionValueList { values });
                continue;
            }
            let Place {
                database, table, ..
            } = &place;
            match self.schemas.partition(database, table, &values).await {
                Ok(found) => {
                    bytes += size(&found.document);
                    partitions.push(show::partition(&place, values, found, context)?);
                }
                Err(Error::NoPartition) => {}
                Err(error) => return Err(api(error)),
            }
        }
        Ok(BatchGetPartitionResponse {
            partitions: Some(partitions),
            unprocessed_keys: Some(left),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::BatchGetPartition;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn partitions_that_are_not_there_are_left_out() {
        let world = World::with_partitions("year string", &["2023", "2024"]).await;
        let asked = json!([{ "Values": ["2025"] }, { "Values": ["2024"] }]);
        let input = json!({ "DatabaseName": "d", "TableName": "p", "PartitionsToGet": asked });
        let answer = world.ok::<BatchGetPartition>(input.clone()).await;
        assert_eq!(answer["Partitions"].as_array().unwrap().len(), 1);
        assert_eq!(answer["Partitions"][0]["Values"], json!(["2024"]));
        assert_eq!(answer["UnprocessedKeys"], json!([]));
        for name in ["AuditContext", "QuerySessionContext"] {
            let mut input = input.clone();
            input[name] = json!({});
            let refused = world.refused::<BatchGetPartition>(input).await;
            assert_eq!(refused.0, "NotImplemented", "{name}");
        }
    }
}
