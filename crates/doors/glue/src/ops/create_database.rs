//! CreateDatabase, for whose name case does not matter.

use headwater_shapes_glue::{CreateDatabaseRequest, CreateDatabaseResponse, ops::CreateDatabase};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Glue,
    errors::{api, refuse},
    name::{check_catalog, folded},
    ops::update_database::document,
};

impl Handle<CreateDatabase> for Glue {
    async fn handle(
        &self,
        input: CreateDatabaseRequest,
        context: &Context,
    ) -> Result<CreateDatabaseResponse, ApiError> {
        let CreateDatabaseRequest {
            catalog_id,
            database_input,
            tags,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        refuse(
            tags.is_some_and(|tags| !tags.is_empty()),
            "Tags of databases",
        )?;
        let name = folded(&database_input.name);
        self.schemas
            .create_database(&name, document(&database_input)?)
            .await
            .map_err(api)?;
        Ok(CreateDatabaseResponse {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::CreateDatabase;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn a_database_is_made_once_and_its_other_kinds_are_refused() {
        let world = World::new();
        world
            .ok::<CreateDatabase>(json!({ "DatabaseInput": { "Name": "Trips" } }))
            .await;
        let again = world
            .refused::<CreateDatabase>(json!({ "DatabaseInput": { "Name": "tRIPS" } }))
            .await;
        assert_eq!(
            again,
            (
                "AlreadyExistsException".into(),
                "Database already exists.".into()
            )
        );
        let catalog = json!({ "CatalogId": "1", "DatabaseInput": { "Name": "e" } });
        let refused = world.refused::<CreateDatabase>(catalog).await;
        assert_eq!(
            refused,
            (
                "EntityNotFoundException".into(),
                "Catalog 1 not found.".into()
            )
        );
        for (name, value) in [
            ("TargetDatabase", json!({ "DatabaseName": "x" })),
            ("FederatedDatabase", json!({ "Identifier": "x" })),
            (
                "CreateTableDefaultPermissions",
                json!([{ "Permissions": ["ALL"] }]),
            ),
        ] {
            let input = json!({ "DatabaseInput": { "Name": "e", name: value } });
            assert_eq!(
                world.refused::<CreateDatabase>(input).await.0,
                "NotImplemented",
                "{name}"
            );
        }
        let tags = json!({ "DatabaseInput": { "Name": "e" }, "Tags": { "a": "b" } });
        assert_eq!(
            world.refused::<CreateDatabase>(tags).await.0,
            "NotImplemented"
        );
    }
}
