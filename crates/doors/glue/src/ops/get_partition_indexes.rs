//! GetPartitionIndexes: a table has none, as they are refused when it is made.

use headwater_shapes_glue::{
    GetPartitionIndexesRequest, GetPartitionIndexesResponse, ops::GetPartitionIndexes,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Glue, token::invalid_token};

impl Handle<GetPartitionIndexes> for Glue {
    async fn handle(
        &self,
        input: GetPartitionIndexesRequest,
        context: &Context,
    ) -> Result<GetPartitionIndexesResponse, ApiError> {
        let GetPartitionIndexesRequest {
            catalog_id,
            database_name,
            table_name,
            next_token,
        } = input;
        if next_token.is_some() {
            return Err(invalid_token());
        }
        self.place(catalog_id.as_deref(), &database_name, &table_name, context)
            .await?;
        Ok(GetPartitionIndexesResponse {
            partition_index_descriptor_list: Some(Vec::new()),
            next_token: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::GetPartitionIndexes;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn a_table_has_none() {
        let world = World::with_partitions("year string", &[]).await;
        let input = |table: &str| json!({ "DatabaseName": "d", "TableName": table });
        assert_eq!(
            world.ok::<GetPartitionIndexes>(input("p")).await,
            json!({ "PartitionIndexDescriptorList": [] })
        );
        assert_eq!(
            world.refused::<GetPartitionIndexes>(input("none")).await,
            refusal("EntityNotFoundException", "Table none not found.")
        );
        let mut further = input("p");
        further["NextToken"] = json!("x");
        let refused = world.refused::<GetPartitionIndexes>(further).await;
        assert_eq!(refused.0, "InvalidInputException");
    }
}
