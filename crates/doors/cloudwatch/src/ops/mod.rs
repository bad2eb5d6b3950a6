//! The operations, a file each.

mod delete_dashboards;
mod get_dashboard;
mod get_metric_data;
mod get_metric_statistics;
mod list_dashboards;
mod list_metrics;
mod list_tags_for_resource;
mod put_dashboard;
mod put_metric_data;
mod tag_resource;
mod untag_resource;
