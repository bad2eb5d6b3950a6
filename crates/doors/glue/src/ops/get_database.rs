//! GetDatabase.

use headwater_shapes_glue::{GetDatabaseRequest, GetDatabaseResponse, ops::GetDatabase};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::api,
    name::{check_catalog, folded},
    show,
};

impl Handle<GetDatabase> for Glue {
    async fn handle(
        &self,
        input: GetDatabaseRequest,
        context: &Context,
    ) -> Result<GetDatabaseResponse, ApiError> {
        let GetDatabaseRequest { catalog_id, name } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        let name = folded(&name);
        let found = self.schemas.database(&name).await.map_err(api)?;
        Ok(GetDatabaseResponse {
            database: Some(show::database(name, found, context)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{CreateDatabase, GetDatabase};
    use serde_json::json;

    use crate::testing::{START, World};

    #[tokio::test]
    async fn a_database_is_shown_as_it_was_given() {
        let world = World::new();
        let input = json!({ "Name": "Trips", "Description": "all", "LocationUri": "s3://b/p", "Parameters": { "k": "v" } });
        world
            .ok::<CreateDatabase>(json!({ "DatabaseInput": input }))
            .await;
        let shown = world.ok::<GetDatabase>(json!({ "Name": "trips" })).await;
        let expected = json!({
            "Name": "trips", "Description": "all", "LocationUri": "s3://b/p", "Parameters": { "k": "v" },
            "CreateTime": START, "CatalogId": "000000000000",
        });
        assert_eq!(shown, json!({ "Database": expected }));
        let missing = world
            .refused::<GetDatabase>(json!({ "Name": "none" }))
            .await;
        assert_eq!(
            missing,
            (
                "EntityNotFoundException".into(),
                "Database none not found.".into()
            )
        );
    }
}
