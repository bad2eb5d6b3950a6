//! The operations, one file each.

mod batch_create_partition;
mod batch_delete_partition;
mod batch_delete_table;
mod batch_get_partition;
mod batch_update_partition;
mod create_database;
mod create_partition;
mod create_table;
mod delete_database;
mod delete_partition;
mod delete_table;
mod delete_table_version;
mod get_database;
mod get_databases;
mod get_partition;
mod get_partition_indexes;
mod get_partitions;
mod get_table;
mod get_table_version;
mod get_table_versions;
mod get_tables;
mod get_tags;
mod update_database;
mod update_partition;
mod update_table;
