//! The operations, a file each.

mod batch_get_item;
mod batch_write_item;
mod delete_item;
mod get_item;
mod put_item;
mod query;
mod scan;
mod transact_get_items;
mod transact_write_items;
mod update_item;
