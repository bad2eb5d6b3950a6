//! UpdateDatabase; a database keeps its name.

use headwater_shapes::Tree;
use headwater_shapes_glue::{
    DatabaseInput, UpdateDatabaseRequest, UpdateDatabaseResponse, ops::UpdateDatabase,
};
use headwater_wire::{ApiError, Context, Handle};

use serde_json::Value;

use crate::{
    Glue,
    errors::{api, refuse},
    name::{check_catalog, folded},
};

/// The document that is kept of an input. A member that asks for another kind of database than a plain one is refused by
/// name.
pub(super) fn document(input: &DatabaseInput) -> Result<Value, ApiError> {
    let DatabaseInput {
        create_table_default_permissions: permissions,
        target_database,
        federated_database,
        // Names the database, whose key it is.
        name: _,
        // They describe the database to its readers, and are kept and shown as they are.
        description: _,
        location_uri: _,
        parameters: _,
    } = input;
    refuse(target_database.is_some(), "TargetDatabase")?;
    refuse(federated_database.is_some(), "FederatedDatabase")?;
    refuse(
        permissions.as_ref().is_some_and(|all| !all.is_empty()),
        "CreateTableDefaultPermissions",
    )?;
    Ok(input.to_value())
}

impl Handle<UpdateDatabase> for Glue {
    async fn handle(
        &self,
        input: UpdateDatabaseRequest,
        context: &Context,
    ) -> Result<UpdateDatabaseResponse, ApiError> {
        let UpdateDatabaseRequest {
            catalog_id,
            name,
            database_input,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        let name = folded(&name);
        refuse(
            folded(&database_input.name) != name,
            "renaming of databases",
        )?;
        self.schemas
            .update_database(&name, document(&database_input)?)
            .await
            .map_err(api)?;
        Ok(UpdateDatabaseResponse {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{GetDatabase, UpdateDatabase};
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn what_is_said_of_a_database_changes_and_its_name_does_not() {
        let world = World::with_table().await;
        let input = json!({ "Name": "D", "DatabaseInput": { "Name": "d", "Description": "new" } });
        world.ok::<UpdateDatabase>(input).await;
        let shown = world.ok::<GetDatabase>(json!({ "Name": "d" })).await;
        assert_eq!(shown["Database"]["Description"], "new");
        let renamed = json!({ "Name": "d", "DatabaseInput": { "Name": "e" } });
        assert_eq!(
            world.refused::<UpdateDatabase>(renamed).await.0,
            "NotImplemented"
        );
        let missing = json!({ "Name": "x", "DatabaseInput": { "Name": "x" } });
        let refused = world.refused::<UpdateDatabase>(missing).await;
        assert_eq!(
            refused,
            (
                "EntityNotFoundException".into(),
                "Database x not found.".into()
            )
        );
    }
}
