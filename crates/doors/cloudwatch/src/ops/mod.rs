//! The operations, a file each.

mod delete_alarms;
mod delete_dashboards;
mod describe_alarm_history;
mod describe_alarms;
mod describe_alarms_for_metric;
mod enable_alarm_actions;
mod get_dashboard;
mod get_metric_data;
mod get_metric_statistics;
mod list_dashboards;
mod list_metrics;
mod list_tags_for_resource;
mod put_composite_alarm;
mod put_dashboard;
mod put_metric_alarm;
mod put_metric_data;
mod set_alarm_state;
mod tag_resource;
mod untag_resource;
