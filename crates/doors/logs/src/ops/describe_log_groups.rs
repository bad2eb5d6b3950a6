//! DescribeLogGroups, by a prefix or a part of their names.

use headwater_loggroups::Group;
use headwater_shapes_logs::{
    DescribeLogGroupsRequest, DescribeLogGroupsResponse, LogGroup, ops::DescribeLogGroups,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Logs,
    errors::{api, invalid_parameter, refuse},
    group, token,
};

/// Groups in one answer, and how many are looked at together.
const PAGE: usize = 50;

impl Handle<DescribeLogGroups> for Logs {
    async fn handle(
        &self,
        input: DescribeLogGroupsRequest,
        context: &Context,
    ) -> Result<DescribeLogGroupsResponse, ApiError> {
        let DescribeLogGroupsRequest {
            account_identifiers,
            log_group_name_prefix,
            log_group_name_pattern,
            next_token,
            limit,
            include_linked_accounts,
            log_group_class,
            log_group_identifiers,
        } = input;
        refuse(
            account_identifiers.is_some_and(|ids| !ids.is_empty()),
            "accountIdentifiers",
        )?;
        refuse(
            include_linked_accounts == Some(true),
            "includeLinkedAccounts",
        )?;
        refuse(log_group_identifiers.is_some(), "logGroupIdentifiers")?;
        if log_group_name_prefix.is_some() && log_group_name_pattern.is_some() {
            return Err(invalid_parameter(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
            ));
        }
        if log_group_class.is_some_and(|class| class != "STANDARD") {
            // All groups are of the standard class.
            return Ok(DescribeLogGroupsResponse {
                log_groups: Some(Vec::new()),
                next_token: None,
            });
        }
        let prefix = log_group_name_prefix.unwrap_or_default();
        let pattern = log_group_name_pattern.unwrap_or_default();
        let limit = limit.map_or(PAGE, |limit| PAGE.min(limit.unsigned_abs() as usize));
        let after = next_token
            .as_deref()
            .map(token::entry)
            .transpose()?
            .map(|(_, name)| name);
        let mut found = self.matching(&prefix, &pattern, after, limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next_token = found
            .last()
            .filter(|_| more)
            .map(|(name, _)| token::of_entry(0, name));
        let mut shown = Vec::with_capacity(found.len());
        for (name, group) in found {
            let mut group_shown = show(name, &group, context);
            let filters = self
                .groups
                .count_metric_filters(&group)
                .await
                .map_err(api)?;
            group_shown.metric_filter_count = i32::try_from(filters).ok();
            // Where AWS looks for a part of names it does not tell these.
            if pattern.is_empty() {
                let bytes = self.groups.stored_bytes(&group).await.map_err(api)?;
                group_shown.stored_bytes = Some(i64::try_from(bytes).unwrap_or(i64::MAX));
                group_shown.deletion_protection_enabled = Some(false);
            }
            shown.push(group_shown);
        }
        Ok(DescribeLogGroupsResponse {
            log_groups: Some(shown),
            next_token,
        })
    }
}

impl Logs {
    /// At most `limit` groups that start with `prefix`, hold `pattern` and come after `after`.
    async fn matching(
        &self,
        prefix: &str,
        pattern: &str,
        mut after: Option<String>,
        limit: usize,
    ) -> Result<Vec<(String, Group)>, ApiError> {
        let mut found = Vec::new();
        loop {
            let page = self
                .groups
                .groups(prefix, after.as_deref(), PAGE)
                .await
                .map_err(api)?;
            let last_page = page.len() < PAGE;
            after = page.last().map(|(name, _)| name.clone());
            found.extend(page.into_iter().filter(|(name, _)| name.contains(pattern)));
            if last_page || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }
}

fn show(name: String, group: &Group, context: &Context) -> LogGroup {
    let arn = group::arn(&name, context);
    LogGroup {
        log_group_name: Some(name),
        creation_time: Some(group.created.0 as i64),
        retention_in_days: group.retention_days.map(|days| days as i32),
        arn: Some(format!("{arn}:*")),
        log_group_arn: Some(arn),
        log_group_class: Some("STANDARD".to_owned()),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_logs::ops::{
        CreateLogGroup, DescribeLogGroups, PutLogEvents, PutRetentionPolicy,
    };
    use serde_json::json;

    use crate::testing::{START, World};

    #[tokio::test]
    async fn a_group_tells_its_bytes_with_26_more_for_each_event() {
        let world = World::with_stream().await;
        let events = json!([{ "timestamp": START, "message": "four" }, { "timestamp": START, "message": "ä" }]);
        let put = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events });
        world.ok::<PutLogEvents>(put).await;
        let found = world.ok::<DescribeLogGroups>(json!({})).await;
        assert_eq!(found["logGroups"][0]["storedBytes"], 4 + 26 + 2 + 26);
    }

    #[tokio::test]
    async fn groups_are_found_by_prefix_and_pattern_in_pages() {
        let world = World::new().await;
        for name in ["/aws/lambda/a", "/aws/lambda/b", "other"] {
            world
                .ok::<CreateLogGroup>(json!({ "logGroupName": name }))
                .await;
        }
        world
            .ok::<PutRetentionPolicy>(json!({ "logGroupName": "other", "retentionInDays": 7 }))
            .await;
        let other = world
            .ok::<DescribeLogGroups>(json!({ "logGroupNamePrefix": "o" }))
            .await;
        let arn = "arn:aws:logs:us-east-1:000000000000:log-group:other";
        let shown = json!({
            "logGroupName": "other", "creationTime": START, "retentionInDays": 7, "metricFilterCount": 0,
            "arn": format!("{arn}:*"), "logGroupArn": arn, "logGroupClass": "STANDARD",
            "deletionProtectionEnabled": false, "storedBytes": 0,
        });
        assert_eq!(other, json!({ "logGroups": [shown] }));
        let mut shown = shown;
        for left_out in ["deletionProtectionEnabled", "storedBytes"] {
            shown.as_object_mut().unwrap().remove(left_out);
        }
        let other = world.ok::<DescribeLogGroups>(json!({ "logGroupNamePattern": "the" }));
        assert_eq!(other.await, json!({ "logGroups": [shown] }));
        let names = async |input| {
            let answer = world.ok::<DescribeLogGroups>(input).await;
            let groups = answer["logGroups"].as_array().unwrap();
            let names = groups
                .iter()
                .map(|g| g["logGroupName"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>();
            (names.join(" "), answer["nextToken"].clone())
        };
        assert_eq!(
            names(json!({ "logGroupNamePattern": "lambda" })).await.0,
            "/aws/lambda/a /aws/lambda/b"
        );
        let (first, token) = names(json!({ "limit": 2 })).await;
        assert_eq!(first, "/aws/lambda/a /aws/lambda/b");
        assert_eq!(
            names(json!({ "nextToken": token })).await,
            ("other".to_owned(), json!(null))
        );
        let both = json!({ "logGroupNamePrefix": "a", "logGroupNamePattern": "a" });
        assert_eq!(
            world.refused::<DescribeLogGroups>(both).await.0,
            "InvalidParameterException"
        );
        let forged = world
            .refused::<DescribeLogGroups>(json!({ "nextToken": "forged" }))
            .await;
        assert_eq!(forged.1, "The specified nextToken is invalid.");
    }
}
