//! The operations, one file each.

mod create_function;
mod delete_function;
mod get_function;
mod get_function_configuration;
mod invoke;
mod list_functions;
mod list_tags;
mod tag_resource;
mod untag_resource;
mod update_function_code;
mod update_function_configuration;
