//! AddLayerVersionPermission, GetLayerVersionPolicy and RemoveLayerVersionPermission: kept and shown as on AWS. Everything
//! here belongs to one account, so nobody else comes to use them.

use headwater_functions::{LayerPermission, add_permission, remove_permission};
use headwater_shapes::Nothing;
use headwater_shapes_lambda::{
    AddLayerVersionPermissionRequest, AddLayerVersionPermissionResponse,
    GetLayerVersionPolicyRequest, GetLayerVersionPolicyResponse,
    RemoveLayerVersionPermissionRequest,
    ops::{AddLayerVersionPermission, GetLayerVersionPolicy, RemoveLayerVersionPermission},
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, errors::not_found, layers};

impl Handle<AddLayerVersionPermission> for Lambda {
    async fn handle(
        &self,
        input: AddLayerVersionPermissionRequest,
        _context: &Context,
    ) -> Result<AddLayerVersionPermissionResponse, ApiError> {
        let AddLayerVersionPermissionRequest {
            layer_name,
            version_number,
            statement_id,
            // There is but the one that the model allows.
            action: _,
            principal,
            organization_id,
            revision_id,
        } = input;
        let options = self.functions.options();
        let id = layers::id(&layer_name, version_number, options)?;
        let arn = layers::version_arn(&id, options);
        let permission = LayerPermission {
            id: statement_id,
            principal,
            organization: organization_id,
        };
        let statement = layers::statement(&permission, &arn).to_string();
        let add = move |permissions: &mut Vec<_>| add_permission(permissions, permission.clone());
        let policy = self
            .functions
            .change_layer_policy(&id, revision_id.as_deref(), add);
        let policy = policy.await.map_err(|error| layers::api(error, &arn))?;
        Ok(AddLayerVersionPermissionResponse {
            statement: Some(statement),
            revision_id: Some(policy.revision),
        })
    }
}

impl Handle<GetLayerVersionPolicy> for Lambda {
    async fn handle(
        &self,
        input: GetLayerVersionPolicyRequest,
        _context: &Context,
    ) -> Result<GetLayerVersionPolicyResponse, ApiError> {
        let GetLayerVersionPolicyRequest {
            layer_name,
            version_number,
        } = input;
        let options = self.functions.options();
        let id = layers::id(&layer_name, version_number, options)?;
        let arn = layers::version_arn(&id, options);
        let found = self.functions.layer(&id).await;
        let found = found.map_err(|error| layers::api(error, &arn))?;
        let policy = found
            .policy
            .ok_or_else(|| not_found("No policy is associated with the given resource."))?;
        Ok(GetLayerVersionPolicyResponse {
            policy: Some(layers::policy(&policy, &arn)),
            revision_id: Some(policy.revision),
        })
    }
}

impl Handle<RemoveLayerVersionPermission> for Lambda {
    async fn handle(
        &self,
        input: RemoveLayerVersionPermissionRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let RemoveLayerVersionPermissionRequest {
            layer_name,
            version_number,
            statement_id,
            revision_id,
        } = input;
        let options = self.functions.options();
        let id = layers::id(&layer_name, version_number, options)?;
        let arn = layers::version_arn(&id, options);
        let remove = move |permissions: &mut Vec<_>| remove_permission(permissions, &statement_id);
        let changed = self
            .functions
            .change_layer_policy(&id, revision_id.as_deref(), remove);
        changed.await.map_err(|error| layers::api(error, &arn))?;
        Ok(Nothing {})
    }
}
