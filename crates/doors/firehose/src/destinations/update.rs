//! How an update is laid over what is described, as values: each member of the one takes the place of the other's.

use headwater_shapes::Tree;
use headwater_wire::ApiError;
use serde_json::Value;

/// A typed form of a description or a configuration.
pub(super) fn read<T: Tree>(value: Value) -> Result<T, ApiError> {
    T::from_value(value).map_err(ApiError::internal)
}

/// The configuration that comes of what is described and an update: what the update names takes the place of what
/// was, in hints and in the parts that are configurations themselves member by member.
pub(super) fn merged<T: Tree>(mut described: Value, update: &impl Tree) -> Result<T, ApiError> {
    let update = update.to_value();
    rename(
        &mut described,
        "S3DestinationDescription",
        "S3Configuration",
    );
    let mut update = update;
    rename(&mut update, "S3Update", "S3Configuration");
    lay_over(&mut described, update);
    read(described)
}

const MEMBER_BY_MEMBER: [&str; 3] = ["BufferingHints", "EndpointConfiguration", "S3Configuration"];

fn lay_over(old: &mut Value, new: Value) {
    let Value::Object(new) = new else { return };
    for (name, value) in new {
        let place = &mut old[name.as_str()];
        match MEMBER_BY_MEMBER.contains(&name.as_str()) && place.is_object() {
            true => lay_over(place, value),
            false => *place = value,
        }
    }
}

fn rename(value: &mut Value, from: &str, to: &str) {
    if let Some(members) = value.as_object_mut()
        && let Some(member) = members.remove(from)
    {
        members.insert(to.to_owned(), member);
    }
}
