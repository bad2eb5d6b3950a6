//! BatchDeleteTable: as DeleteTable of each, with an error for each that failed.

use headwater_shapes_glue::{
    BatchDeleteTableRequest, BatchDeleteTableResponse, ErrorDetail, TableError,
    ops::BatchDeleteTable,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::{api, refuse},
    name::{check_catalog, folded},
};

impl Handle<BatchDeleteTable> for Glue {
    async fn handle(
        &self,
        input: BatchDeleteTableRequest,
        context: &Context,
    ) -> Result<BatchDeleteTableResponse, ApiError> {
        let BatchDeleteTableRequest {
            catalog_id,
            database_name,
            tables_to_delete,
            transaction_id,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        refuse(transaction_id.is_some(), "TransactionId")?;
        let database = folded(&database_name);
        self.schemas.database(&database).await.map_err(api)?;
        let mut errors = Vec::new();
        for name in tables_to_delete {
            if let Err(error) = self.schemas.delete_table(&database, &folded(&name)).await {
                errors.push(failed(name, &api(error)));
            }
        }
        Ok(BatchDeleteTableResponse {
            errors: Some(errors),
        })
    }
}

fn failed(name: String, error: &ApiError) -> TableError {
    let (error_code, error_message) = (
        Some(error.code().to_owned()),
        Some(error.message().to_owned()),
    );
    let error_detail = ErrorDetail {
        error_code,
        error_message,
    };
    TableError {
        table_name: Some(name),
        error_detail: Some(error_detail),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::BatchDeleteTable;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn what_is_not_there_is_told_and_the_rest_deleted() {
        let world = World::with_table().await;
        let both = json!({ "DatabaseName": "d", "TablesToDelete": ["none", "t"] });
        let answer = world.ok::<BatchDeleteTable>(both.clone()).await;
        let error = |name: &str| {
            let detail = json!({
                "ErrorCode": "EntityNotFoundException", "ErrorMessage": format!("Table {name} not found."),
            });
            json!({ "TableName": name, "ErrorDetail": detail })
        };
        assert_eq!(answer, json!({ "Errors": [error("none")] }));
        assert_eq!(
            world.ok::<BatchDeleteTable>(both).await,
            json!({ "Errors": [error("none"), error("t")] })
        );
        let nowhere = json!({ "DatabaseName": "none", "TablesToDelete": [] });
        assert_eq!(
            world.refused::<BatchDeleteTable>(nowhere).await.0,
            "EntityNotFoundException"
        );
    }
}
