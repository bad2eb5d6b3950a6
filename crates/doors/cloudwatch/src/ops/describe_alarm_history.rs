//! DescribeAlarmHistory.

use headwater_alarms::{HistoryItem, HistoryKind, HistoryQuery};
use headwater_shapes_cloudwatch::{
    AlarmHistoryItem, DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput,
    ops::DescribeAlarmHistory,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudWatch,
    errors::{of_alarms, token_fault},
    ops::put_metric_alarm::refuse,
    ranges, token,
};

/// Items in one answer (API reference, DescribeAlarmHistory).
const PAGE: usize = 100;

/// The kinds of items there are here.
const KINDS: &[(&str, HistoryKind)] = &[
    ("ConfigurationUpdate", HistoryKind::ConfigurationUpdate),
    ("StateUpdate", HistoryKind::StateUpdate),
    ("Action", HistoryKind::Action),
];

impl Handle<DescribeAlarmHistory> for CloudWatch {
    async fn handle(
        &self,
        input: DescribeAlarmHistoryInput,
        _: &Context,
    ) -> Result<DescribeAlarmHistoryOutput, ApiError> {
        let DescribeAlarmHistoryInput {
            alarm_name,
            alarm_contributor_id,
            alarm_types,
            history_item_type,
            start_date,
            end_date,
            max_records,
            next_token,
            scan_by,
        } = input;
        refuse(&[("AlarmContributorId", alarm_contributor_id.is_some())])?;
        let kind = match history_item_type.as_deref().map(kind_of) {
            Some(None) => return Ok(nothing()),
            kind => kind.flatten(),
        };
        let kinds = alarm_types.unwrap_or_default();
        let has = |kind: &str| kinds.is_empty() || kinds.iter().any(|wanted| wanted == kind);
        let is_composite = match (has("MetricAlarm"), has("CompositeAlarm")) {
            (true, true) => None,
            (metric, composite) if metric || composite => Some(composite),
            _ => return Ok(nothing()),
        };
        let query = HistoryQuery {
            alarm: alarm_name,
            is_composite,
            kind,
            from: start_date.map(ranges::millis),
            to: end_date.map(ranges::millis),
            oldest_first: scan_by.as_deref() == Some("TimestampAscending"),
        };
        let after = next_token.map(|token| place(&token).ok_or_else(token_fault));
        let after = after.transpose()?;
        let page = max_records.map_or(PAGE, |most| PAGE.min(most.unsigned_abs() as usize));
        let found = self.alarms.history(&query, after.as_ref(), page + 1).await;
        let mut found = found.map_err(of_alarms)?;
        let has_more = found.len() > page;
        found.truncate(page);
        let last = found.last().filter(|_| has_more);
        let next_token = last.map(|(key, item)| token::of_text(&format!("{}/{key}", item.at.0)));
        let shown = found.into_iter().map(|(_, item)| show(item));
        Ok(DescribeAlarmHistoryOutput {
            alarm_history_items: Some(shown.collect()),
            next_token,
        })
    }
}

fn nothing() -> DescribeAlarmHistoryOutput {
    DescribeAlarmHistoryOutput {
        alarm_history_items: Some(Vec::new()),
        next_token: None,
    }
}

fn kind_of(name: &str) -> Option<HistoryKind> {
    let found = KINDS.iter().find(|(known, _)| *known == name);
    found.map(|(_, kind)| *kind)
}

fn place(token: &str) -> Option<(Millis, String)> {
    let text = token::text(token)?;
    let (at, key) = text.split_once('/')?;
    Some((Millis(at.parse().ok()?), key.to_owned()))
}

fn show(item: HistoryItem) -> AlarmHistoryItem {
    let kind = KINDS.iter().find(|(_, kind)| *kind == item.kind);
    let of = match item.is_composite {
        true => "CompositeAlarm",
        false => "MetricAlarm",
    };
    AlarmHistoryItem {
        alarm_name: Some(item.alarm),
        alarm_contributor_id: None,
        alarm_type: Some(of.to_owned()),
        timestamp: Some(ranges::timestamp(item.at)),
        history_item_type: kind.map(|(name, _)| (*name).to_owned()),
        history_summary: Some(item.summary),
        history_data: Some(item.data),
        alarm_contributor_attributes: None,
    }
}
