//! CreateAlias.

use headwater_functions::Alias;
use headwater_shapes_lambda::{AliasConfiguration, CreateAliasRequest, ops::CreateAlias};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, aliases, target::Target};

impl Handle<CreateAlias> for Lambda {
    async fn handle(
        &self,
        input: CreateAliasRequest,
        _context: &Context,
    ) -> Result<AliasConfiguration, ApiError> {
        let CreateAliasRequest {
            function_name,
            name,
            function_version,
            description,
            routing_config,
        } = input;
        let target = Target::whole(&function_name, self.functions.options())?;
        let name = aliases::name(&name)?;
        let alias = Alias {
            name: name.clone(),
            version: aliases::version(&function_version)?,
            description: description.unwrap_or_default(),
            weights: aliases::weights(routing_config.unwrap_or_default())?,
            revision: String::new(),
        };
        let made = self.functions.create_alias(&target.name, alias).await;
        let alias = made.map_err(|error| aliases::api(error, &target, &name, &function_version))?;
        Ok(aliases::configuration(alias, &target))
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{
        CreateAlias, CreateFunction, DeleteAlias, DeleteFunction, GetAlias, GetFunction, Invoke,
        ListAliases, PublishVersion, UpdateAlias, UpdateFunctionConfiguration,
    };
    use serde_json::{Value, json};

    use crate::testing::{World, function};

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    /// A function with two versions.
    async fn world() -> World {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        world
            .ok::<PublishVersion>(json!({ "FunctionName": "f" }))
            .await;
        let change = json!({ "FunctionName": "f", "Timeout": 9 });
        world.ok::<UpdateFunctionConfiguration>(change).await;
        world
            .ok::<PublishVersion>(json!({ "FunctionName": "f" }))
            .await;
        world
    }

    fn alias(name: &str, version: &str, weights: Value) -> Value {
        json!({
            "FunctionName": "f", "Name": name, "FunctionVersion": version,
            "RoutingConfig": { "AdditionalVersionWeights": weights },
        })
    }

    #[tokio::test]
    async fn an_alias_leads_to_versions_until_it_is_deleted() {
        let world = world().await;
        let made = world
            .ok::<CreateAlias>(alias("live", "1", json!({ "2": 0.0 })))
            .await;
        let named = json!({ "FunctionName": "f", "Name": "live" });
        assert_eq!(
            made,
            json!({
                "AliasArn": format!("{ARN}:live"), "Name": "live", "FunctionVersion": "1", "Description": "",
                "RoutingConfig": { "AdditionalVersionWeights": { "2": 0.0 } }, "RevisionId": made["RevisionId"],
            })
        );
        assert_eq!(world.ok::<GetAlias>(named.clone()).await, made);
        let found = world
            .ok::<GetFunction>(json!({ "FunctionName": "f:live" }))
            .await;
        let found = &found["Configuration"];
        assert_eq!(
            (&found["FunctionArn"], &found["Version"]),
            (&made["AliasArn"], &json!("1"))
        );
        let invoke = || world.ok::<Invoke>(json!({ "FunctionName": "f", "Qualifier": "live" }));
        assert_eq!(invoke().await["X-Amz-Executed-Version"], "1");

        let mut change = named.clone();
        change["RoutingConfig"] = json!({ "AdditionalVersionWeights": { "2": 1.0 } });
        let changed = world.ok::<UpdateAlias>(change.clone()).await;
        assert_ne!(changed["RevisionId"], made["RevisionId"]);
        assert_eq!(invoke().await["X-Amz-Executed-Version"], "2");
        change["RoutingConfig"] = json!({});
        change["Description"] = json!("told");
        change["RevisionId"] = made["RevisionId"].clone();
        let (code, _) = world.refused::<UpdateAlias>(change.clone()).await;
        assert_eq!(code, "PreconditionFailedException");
        change["RevisionId"] = changed["RevisionId"].clone();
        let changed = world.ok::<UpdateAlias>(change).await;
        let shown = (
            &changed["RoutingConfig"],
            &changed["Description"],
            &changed["FunctionVersion"],
        );
        assert_eq!(shown, (&Value::Null, &json!("told"), &json!("1")));

        let delete = json!({ "FunctionName": "f", "Qualifier": "1" });
        let (code, text) = world.refused::<DeleteFunction>(delete.clone()).await;
        assert_eq!(code, "ResourceConflictException");
        assert!(
            text.ends_with("the following aliases reference it: [live]"),
            "{text}"
        );
        world.ok::<DeleteAlias>(named.clone()).await;
        world.ok::<DeleteAlias>(named.clone()).await;
        let gone = |text: &str| {
            (
                "ResourceNotFoundException".to_owned(),
                format!("{text}: {ARN}:live"),
            )
        };
        assert_eq!(
            world.refused::<GetAlias>(named.clone()).await,
            gone("Cannot find alias arn")
        );
        assert_eq!(
            world.refused::<UpdateAlias>(named).await,
            gone("Alias not found")
        );
        let version = json!({ "FunctionName": "f:live" });
        assert_eq!(
            world.refused::<Invoke>(version).await,
            gone("Function not found")
        );
        world.ok::<DeleteFunction>(delete).await;
    }

    #[tokio::test]
    async fn aliases_come_in_pages_and_by_version() {
        let world = world().await;
        for (name, version) in [("a", "1"), ("b", "2"), ("c", "1"), ("d", "$LATEST")] {
            world
                .ok::<CreateAlias>(alias(name, version, json!({})))
                .await;
        }
        let list = async |more: Value| {
            let mut input = json!({ "FunctionName": "f" });
            input
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let page = world.ok::<ListAliases>(input).await;
            let names = page["Aliases"].as_array().unwrap().iter();
            let names: Vec<_> = names
                .map(|alias| alias["Name"].as_str().unwrap().to_owned())
                .collect();
            (names.concat(), page["NextMarker"].clone())
        };
        assert_eq!(list(json!({})).await, ("abcd".to_owned(), Value::Null));
        assert_eq!(list(json!({ "FunctionVersion": "1" })).await.0, "ac");
        let (names, marker) = list(json!({ "MaxItems": 3 })).await;
        assert_eq!(names, "abc");
        assert_eq!(
            list(json!({ "Marker": marker })).await,
            ("d".to_owned(), Value::Null)
        );
    }

    #[tokio::test]
    async fn an_alias_that_leads_nowhere_has_awss_error() {
        let world = world().await;
        world.ok::<CreateAlias>(alias("live", "1", json!({}))).await;
        let mut none = alias("live", "1", json!({}));
        none["FunctionName"] = json!("none");
        let unknown = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none:1";
        for (input, code, text) in [
            (
                alias("x", "1", json!({ "1": 0.5, "2": 0.5 })),
                "InvalidParameterValueException",
                "Number of items in AdditionalVersionWeights cannot be greater than 1".to_owned(),
            ),
            (
                alias("x", "1", json!({ "1": 0.5 })),
                "InvalidParameterValueException",
                "Invalid function version 1. Function version 1 is already included in routing configuration."
                    .to_owned(),
            ),
            (
                alias("x", "$LATEST", json!({ "1": 0.5 })),
                "InvalidParameterValueException",
                "$LATEST is not supported for an alias pointing to more than 1 version".to_owned(),
            ),
            (
                alias("x", "10", json!({})),
                "ResourceNotFoundException",
                format!("Function not found: {ARN}:10"),
            ),
            (
                alias("x", "1", json!({ "10": 0.5 })),
                "ResourceNotFoundException",
                format!("Function not found: {ARN}:10"),
            ),
            (
                alias("live", "2", json!({})),
                "ResourceConflictException",
                format!("Alias already exists: {ARN}:live"),
            ),
            (none, "ResourceNotFoundException", unknown.to_owned()),
        ] {
            let refused = world.refused::<CreateAlias>(input.clone()).await;
            assert_eq!(refused, (code.to_owned(), text), "{input}");
        }
    }
}
