//! The operations, one file each.

mod batch_delete_table;
mod create_database;
mod create_table;
mod delete_database;
mod delete_table;
mod delete_table_version;
mod get_database;
mod get_databases;
mod get_table;
mod get_table_version;
mod get_table_versions;
mod get_tables;
mod update_database;
mod update_table;
