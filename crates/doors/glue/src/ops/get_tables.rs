//! GetTables, by their names, or those that an expression finds.

use headwater_shapes_glue::{GetTablesRequest, GetTablesResponse, ops::GetTables};
use headwater_wire::{ApiError, Context, Handle};

use headwater_schemas::Table;
use regex::Regex;

use crate::{
    Glue,
    errors::{api, invalid_input, refuse, refuse_attributes},
    name::{check_catalog, folded},
    show, token,
};

/// Tables that are looked at together.
const SCAN: usize = 200;

impl Handle<GetTables> for Glue {
    async fn handle(
        &self,
        input: GetTablesRequest,
        context: &Context,
    ) -> Result<GetTablesResponse, ApiError> {
        let GetTablesRequest {
            catalog_id,
            database_name,
            expression,
            next_token,
            max_results,
            transaction_id,
            query_as_of_time,
            audit_context,
            resource_share_type,
            include_status_details,
            attributes_to_get,
        } = input;
        check_catalog(catalog_id.as_deref(), context)?;
        refuse(transaction_id.is_some(), "TransactionId")?;
        refuse(query_as_of_time.is_some(), "QueryAsOfTime")?;
        refuse(audit_context.is_some(), "AuditContext")?;
        refuse(include_status_details == Some(true), "IncludeStatusDetails")?;
        refuse(
            resource_share_type.is_some_and(|share| share != "ALL"),
            "ResourceShareType",
        )?;
        refuse_attributes(attributes_to_get.as_deref())?;
        let expression = expression.as_deref().map(Regex::new).transpose();
        let expression =
            expression.map_err(|_| invalid_input("The expression is no regular expression."))?;
        let after = next_token.as_deref().map(token::name).transpose()?;
        let page = token::page(max_results);
        let database = folded(&database_name);
        let mut found = self
            .found(&database, after, expression.as_ref(), page + 1)
            .await?;
        let next_token = token::cut(&mut found, page, |(name, _)| name.clone());
        let shown = found
            .into_iter()
            .map(|(name, table)| show::table(&database, name, table, context));
        Ok(GetTablesResponse {
            table_list: Some(shown.collect::<Result<_, _>>()?),
            next_token,
        })
    }
}

impl Glue {
    /// At most `limit` tables that come after `after` and that the expression finds.
    async fn found(
        &self,
        database: &str,
        mut after: Option<String>,
        expression: Option<&Regex>,
        limit: usize,
    ) -> Result<Vec<(String, Table)>, ApiError> {
        let mut found = Vec::new();
        loop {
            let tables = self
                .schemas
                .tables(database, after.as_deref(), SCAN)
                .await
                .map_err(api)?;
            let last = tables.len() < SCAN;
            after = tables.last().map(|(name, _)| name.clone());
            found.extend(
                tables
                    .into_iter()
                    .filter(|(name, _)| expression.is_none_or(|all| all.is_match(name))),
            );
            if last || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_glue::ops::{CreateTable, GetTable, GetTables};
    use serde_json::{Value, json};

    use crate::testing::World;

    #[tokio::test]
    async fn tables_are_found_by_expression_and_come_in_pages() {
        let world = World::with_table().await;
        for at in 0..250 {
            let input = World::input(&format!("sales_{at:03}"), "int");
            world
                .ok::<CreateTable>(json!({ "DatabaseName": "d", "TableInput": input }))
                .await;
        }
        let names = async |input| {
            let answer = world.ok::<GetTables>(input).await;
            let list = answer["TableList"].as_array().unwrap().iter();
            let names: Vec<_> = list
                .map(|table| table["Name"].as_str().unwrap().to_owned())
                .collect();
            (names, answer["NextToken"].clone())
        };
        let (first, token) = names(json!({ "DatabaseName": "D" })).await;
        assert_eq!((first.len(), first[0].as_str()), (100, "sales_000"));
        let (next, _) =
            names(json!({ "DatabaseName": "d", "NextToken": token, "MaxResults": 1 })).await;
        assert_eq!(next, ["sales_100"]);
        let (odd, none) =
            names(json!({ "DatabaseName": "d", "Expression": "^sales_24[13]$|^t" })).await;
        assert_eq!(
            (odd, none),
            (
                vec!["sales_241".into(), "sales_243".into(), "t".into()],
                json!(null)
            )
        );
        let broken = world
            .refused::<GetTables>(json!({ "DatabaseName": "d", "Expression": "(" }))
            .await;
        assert_eq!(broken.0, "InvalidInputException");
    }

    #[tokio::test]
    async fn attributes_that_are_shown_anyway_pass_and_others_are_refused() {
        let world = World::with_table().await;
        let asked =
            |names: Value| json!({ "DatabaseName": "d", "Name": "t", "AttributesToGet": names });
        let all = world.ok::<GetTables>(json!({ "DatabaseName": "d" })).await;
        for names in [json!([]), json!(["DEFAULT"])] {
            assert_eq!(world.ok::<GetTables>(asked(names.clone())).await, all);
            world.ok::<GetTable>(asked(names)).await;
        }
        for names in [json!(["NAME"]), json!(["DEFAULT", "TABLE_TYPE"])] {
            let refusals = [
                world.refused::<GetTables>(asked(names.clone())).await,
                world.refused::<GetTable>(asked(names)).await,
            ];
            for (code, text) in refusals {
                assert_eq!(code, "NotImplemented");
                assert!(text.contains("AttributesToGet"), "{text}");
            }
        }
    }
}
