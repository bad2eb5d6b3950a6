//! PublishVersion.

use headwater_functions::Publish;
use headwater_shapes_lambda::{FunctionConfiguration, PublishVersionRequest, ops::PublishVersion};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    describe::{self, Stage},
    errors, settings,
    target::Target,
};

impl Handle<PublishVersion> for Lambda {
    async fn handle(
        &self,
        input: PublishVersionRequest,
        _context: &Context,
    ) -> Result<FunctionConfiguration, ApiError> {
        let PublishVersionRequest {
            function_name,
            code_sha256,
            description,
            revision_id,
            publish_to,
        } = input;
        let options = self.functions.options();
        let target = Target::whole(&function_name, options)?;
        settings::check_publish_to(&publish_to)?;
        let wishes = Publish {
            code_sha256: code_sha256.filter(|text| !text.is_empty()),
            description,
            revision: revision_id,
        };
        let published = self.functions.publish(&target.name, wishes).await;
        let version = published.map_err(|error| errors::api(error, &target.arn))?;
        let arn = describe::version_arn(&version, options);
        Ok(describe::configuration(&version, arn, options, Stage::Done))
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{
        CreateFunction, DeleteFunction, GetFunction, GetFunctionConfiguration, ListFunctions,
        ListVersionsByFunction, PublishVersion, UpdateFunctionCode, UpdateFunctionConfiguration,
    };
    use serde_json::{Value, json};

    use crate::testing::{World, function, zip_of};

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    async fn get(world: &World, name: &str) -> Value {
        let input = json!({ "FunctionName": name });
        world.ok::<GetFunctionConfiguration>(input).await
    }

    async fn publish(world: &World, more: Value) -> Value {
        let mut input = json!({ "FunctionName": "f" });
        let members = more.as_object().unwrap().clone();
        input.as_object_mut().unwrap().extend(members);
        world.ok::<PublishVersion>(input).await
    }

    /// A list's versions with their revisions.
    async fn listed(world: &World) -> Vec<(Value, Value)> {
        let list = world.ok::<ListVersionsByFunction>(json!({ "FunctionName": "f" }));
        let versions = list.await["Versions"].as_array().unwrap().clone();
        let shown = |version: &Value| (version["Version"].clone(), version["RevisionId"].clone());
        versions.iter().map(shown).collect()
    }

    #[tokio::test]
    async fn a_version_stays_as_it_was() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        let before = get(&world, "f").await;
        let first = publish(&world, json!({ "Description": "first" })).await;
        assert_eq!(
            (&first["Version"], &first["FunctionArn"]),
            (&json!("1"), &json!(format!("{ARN}:1")))
        );
        assert_eq!(
            (&first["State"], &first["LastUpdateStatus"]),
            (&json!("Active"), &json!("Successful"))
        );
        assert_eq!(first["Description"], "first");
        assert_eq!(get(&world, "f:1").await, first);
        assert_ne!(get(&world, "f").await["RevisionId"], before["RevisionId"]);
        assert_eq!(
            publish(&world, json!({ "Description": "again" })).await,
            first
        );

        let change = json!({ "FunctionName": "f", "Timeout": 9 });
        world.ok::<UpdateFunctionConfiguration>(change).await;
        let second = publish(&world, json!({})).await;
        assert_eq!(
            (&second["Version"], &second["Timeout"]),
            (&json!("2"), &json!(9))
        );
        assert_eq!(get(&world, "f:1").await, first);
        let latest = get(&world, "f").await;
        let mut expected = vec![
            (json!("$LATEST"), latest["RevisionId"].clone()),
            (json!("1"), first["RevisionId"].clone()),
            (json!("2"), second["RevisionId"].clone()),
        ];
        assert_eq!(listed(&world).await, expected);

        let delete = json!({ "FunctionName": "f", "Qualifier": "1" });
        world.ok::<DeleteFunction>(delete.clone()).await;
        world.ok::<DeleteFunction>(delete).await;
        expected.remove(1);
        assert_eq!(listed(&world).await, expected);
        let (_, text) = world
            .refused::<GetFunction>(json!({ "FunctionName": "f:1" }))
            .await;
        assert_eq!(text, format!("Function not found: {ARN}:1"));
        world
            .ok::<DeleteFunction>(json!({ "FunctionName": "f" }))
            .await;
        let (_, text) = world
            .refused::<GetFunction>(json!({ "FunctionName": "f:2" }))
            .await;
        assert_eq!(text, format!("Function not found: {ARN}:2"));
    }

    #[tokio::test]
    async fn a_function_is_published_as_it_is_made_or_changed() {
        let world = World::new().await;
        let mut input = function("f");
        input["Publish"] = json!(true);
        let made = world.ok::<CreateFunction>(input).await;
        let shown = ["Version", "FunctionArn", "State"].map(|member| &made[member]);
        assert_eq!(shown, ["1", ARN, "Pending"]);
        assert_eq!(publish(&world, json!({})).await["Version"], "1");
        let zip = zip_of("handler = print");
        let update = json!({ "FunctionName": "f", "ZipFile": zip, "Publish": true });
        let updated = world.ok::<UpdateFunctionCode>(update).await;
        let shown = ["Version", "FunctionArn", "State"].map(|member| &updated[member]);
        assert_eq!(shown, ["2", &format!("{ARN}:2"), "Pending"]);
        let (one, two) = (get(&world, "f:1").await, get(&world, "f:2").await);
        assert_eq!(two["CodeSha256"], get(&world, "f").await["CodeSha256"]);
        assert_ne!(one["CodeSha256"], two["CodeSha256"]);

        let mut found = Vec::new();
        let mut marker = Value::Null;
        loop {
            let mut input = json!({ "FunctionVersion": "ALL", "MaxItems": 1 });
            if !marker.is_null() {
                input["Marker"] = marker;
            }
            let page = world.ok::<ListFunctions>(input).await;
            found.push(page["Functions"][0]["FunctionArn"].clone());
            marker = page["NextMarker"].clone();
            if marker.is_null() {
                break;
            }
        }
        let expected = ["$LATEST", "1", "2"].map(|version| json!(format!("{ARN}:{version}")));
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn what_is_published_is_what_the_caller_knows() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        let stale = json!({ "FunctionName": "f", "RevisionId": "stale" });
        let (code, text) = world.refused::<PublishVersion>(stale).await;
        assert_eq!(code, "PreconditionFailedException", "{text}");
        let sha = get(&world, "f").await["CodeSha256"].clone();
        let other = json!({ "FunctionName": "f", "CodeSha256": "other" });
        let (_, text) = world.refused::<PublishVersion>(other).await;
        let sha = sha.as_str().unwrap();
        let given = "CodeSHA256 (other) is different from current CodeSHA256 in $LATEST";
        assert_eq!(
            text,
            format!("{given} ({sha}). Please try again with the CodeSHA256 in $LATEST.")
        );
        assert_eq!(
            publish(&world, json!({ "CodeSha256": sha })).await["Version"],
            "1"
        );
    }
}
