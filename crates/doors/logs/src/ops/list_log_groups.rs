//! ListLogGroups: names of groups that a pattern finds, `name` anywhere or `^name` at their beginning, several parted by `|`.

use headwater_shapes_logs::{
    ListLogGroupsRequest, ListLogGroupsResponse, LogGroupSummary, ops::ListLogGroups,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Logs,
    errors::{api, refuse},
    group, token,
};

/// Groups in one answer, unless another number is asked for (AWS: 50), and how many are read at once.
const PAGE: usize = 50;
const READ: usize = 1000;

impl Handle<ListLogGroups> for Logs {
    async fn handle(
        &self,
        input: ListLogGroupsRequest,
        context: &Context,
    ) -> Result<ListLogGroupsResponse, ApiError> {
        let ListLogGroupsRequest {
            log_group_name_pattern,
            log_group_class,
            include_linked_accounts,
            account_identifiers,
            next_token,
            limit,
            data_sources,
            field_index_names,
            log_group_tags,
        } = input;
        refuse(
            include_linked_accounts == Some(true),
            "includeLinkedAccounts",
        )?;
        refuse(
            account_identifiers.is_some_and(|ids| !ids.is_empty()),
            "accountIdentifiers",
        )?;
        refuse(data_sources.is_some(), "dataSources")?;
        refuse(field_index_names.is_some(), "fieldIndexNames")?;
        refuse(log_group_tags.is_some(), "logGroupTags")?;
        let limit = limit.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
        let after = next_token.as_deref().map(token::entry).transpose()?;
        let is_wanted = |name: &str| {
            let pattern = log_group_name_pattern.as_deref();
            pattern.is_none_or(|pattern| pattern.split('|').any(|part| finds(part, name)))
        };
        // All groups are of the standard class.
        let is_other_class = log_group_class.is_some_and(|class| class != "STANDARD");
        let mut found = match is_other_class {
            true => Vec::new(),
            false => {
                let after = after.map(|(_, name)| name);
                self.names(is_wanted, after, limit + 1).await?
            }
        };
        let more = found.len() > limit;
        found.truncate(limit);
        let next_token = found.last().filter(|_| more);
        let next_token = next_token.map(|name| token::of_entry(0, name));
        let shown = found.into_iter().map(|name| LogGroupSummary {
            log_group_arn: Some(group::arn(&name, context)),
            log_group_name: Some(name),
            log_group_class: Some("STANDARD".to_owned()),
        });
        Ok(ListLogGroupsResponse {
            log_groups: Some(shown.collect()),
            next_token,
        })
    }
}

impl Logs {
    /// At most `limit` names of groups that are wanted and come after `after`.
    async fn names(
        &self,
        is_wanted: impl Fn(&str) -> bool,
        mut after: Option<String>,
        limit: usize,
    ) -> Result<Vec<String>, ApiError> {
        let mut found = Vec::new();
        loop {
            let page = self.groups.groups("", after.as_deref(), READ).await;
            let page = page.map_err(api)?;
            let is_last = page.len() < READ;
            after = page.last().map(|(name, _)| name.clone());
            let names = page.into_iter().map(|(name, _)| name);
            found.extend(names.filter(|name| is_wanted(name)));
            if is_last || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }
}

fn finds(part: &str, name: &str) -> bool {
    match part.strip_prefix('^') {
        Some(start) => name.starts_with(start),
        None => name.contains(part),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::{CreateLogGroup, ListLogGroups};
    use serde_json::{Value, json};

    use crate::testing::World;

    #[tokio::test]
    async fn names_are_found_by_a_pattern() {
        let world = World::new().await;
        for name in ["/aws/lambda/one", "/aws/lambda/two", "one-more"] {
            world
                .ok::<CreateLogGroup>(json!({ "logGroupName": name }))
                .await;
        }
        let list = async |input: Value| world.ok::<ListLogGroups>(input).await;
        let names = async |pattern: &str| {
            let found = list(json!({ "logGroupNamePattern": pattern })).await;
            let groups = found["logGroups"].as_array().unwrap().clone();
            let names = groups
                .iter()
                .map(|group| group["logGroupName"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("one").await, "/aws/lambda/one one-more");
        assert_eq!(names("^one").await, "one-more");
        assert_eq!(names("^one|two").await, "/aws/lambda/two one-more");
        let first = list(json!({ "limit": 2 })).await;
        let rest = list(json!({ "nextToken": first["nextToken"] })).await;
        let arn = "arn:aws:logs:us-east-1:000000000000:log-group:one-more";
        let shown =
            json!({ "logGroupName": "one-more", "logGroupArn": arn, "logGroupClass": "STANDARD" });
        assert_eq!(rest, json!({ "logGroups": [shown] }));
        let other = list(json!({ "logGroupClass": "DELIVERY" })).await;
        assert_eq!(other, json!({ "logGroups": [] }));
    }
}
