//! The operations, one file each.

mod create_table;
mod delete_resource_policy;
mod delete_table;
mod describe_continuous_backups;
mod describe_endpoints;
mod describe_limits;
mod describe_table;
mod describe_time_to_live;
mod get_resource_policy;
mod list_tables;
mod list_tags_of_resource;
mod put_resource_policy;
mod tag_resource;
mod untag_resource;
mod update_continuous_backups;
mod update_table;
mod update_time_to_live;

#[cfg(test)]
mod tests;
