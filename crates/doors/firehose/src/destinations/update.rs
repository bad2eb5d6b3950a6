//! How an update is laid over what is described, as values: each member of the one takes the place of the other's.

use headwater_shapes::Tree;
use headwater_wire::ApiError;
use serde_json::Value;

/// A typed form of a description or a configuration.
pub(super) fn read<T: Tree>(value: Value) -> Result<T, ApiError> {
    T::from_value(value).map_err(ApiError::internal)
}

/// A typed form of what a request has under other names; a member that the form has no place for is refused.
pub(super) fn read_all<T: Tree>(given: Value) -> Result<T, ApiError> {
    let form: T = read(given.clone())?;
    refuse_lost(&given, &form.to_value())?;
    Ok(form)
}

/// The configuration that comes of what is described and an update: what the update names takes the place of what
/// was, in hints and in the parts that are configurations themselves member by member. What the update names and the
/// configuration has not is refused.
pub(super) fn merged<T: Tree>(mut described: Value, update: &impl Tree) -> Result<T, ApiError> {
    let update = update.to_value();
    rename(
        &mut described,
        "S3DestinationDescription",
        "S3Configuration",
    );
    let mut update = update;
    rename(&mut update, "S3Update", "S3Configuration");
    lay_over(&mut described, update.clone());
    read_with(described, &update)
}

/// The configuration of a bucket, in the same way, but for its hints: they come both or not at all.
pub(super) fn merged_bucket<T: Tree>(
    mut described: Value,
    update: &impl Tree,
) -> Result<T, ApiError> {
    let update = update.to_value();
    place_members(&mut described, update.clone());
    read_with(described, &update)
}

/// The configuration that an update was laid over; a member of the update that it has no place for is refused.
fn read_with<T: Tree>(laid_over: Value, update: &Value) -> Result<T, ApiError> {
    let configuration: T = read(laid_over)?;
    refuse_lost(update, &configuration.to_value())?;
    Ok(configuration)
}

/// Refuses the first member that was given and is not in what was read of it.
fn refuse_lost(given: &Value, read: &Value) -> Result<(), ApiError> {
    match (given, read) {
        (Value::Object(given), Value::Object(read)) => {
            given
                .iter()
                .try_for_each(|(name, value)| match read.get(name) {
                    Some(found) => refuse_lost(value, found),
                    None => Err(ApiError::not_supported(name)),
                })
        }
        (Value::Array(given), Value::Array(read)) => given
            .iter()
            .zip(read)
            .try_for_each(|(given, read)| refuse_lost(given, read)),
        _ => Ok(()),
    }
}

const MEMBER_BY_MEMBER: [&str; 3] = ["BufferingHints", "EndpointConfiguration", "S3Configuration"];

fn lay_over(old: &mut Value, new: Value) {
    let Value::Object(new) = new else { return };
    for (name, value) in new {
        let place = &mut old[name.as_str()];
        match MEMBER_BY_MEMBER.contains(&name.as_str()) && place.is_object() {
            true => place_members(place, value),
            false => *place = value,
        }
    }
}

/// Puts each member in the place of the one of its name, whole.
fn place_members(old: &mut Value, new: Value) {
    let Value::Object(new) = new else { return };
    for (name, value) in new {
        old[name.as_str()] = value;
    }
}

/// Gives a member another name.
pub(super) fn rename(value: &mut Value, from: &str, to: &str) {
    if let Some(members) = value.as_object_mut()
        && let Some(member) = members.remove(from)
    {
        members.insert(to.to_owned(), member);
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_firehose::{HttpEndpointDestinationConfiguration, RetryOptions};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_configuration_has_no_place_for_is_refused_by_name() {
        let described = json!({
            "EndpointConfiguration": {"Url": "https://localhost", "Name": "n"},
            "S3DestinationDescription": {"RoleARN": "r", "BucketARN": "b", "BufferingHints": {}},
            "S3BackupMode": "AllData",
        });
        let merge = |update: Value| {
            merged::<HttpEndpointDestinationConfiguration>(described.clone(), &update)
        };
        let named = merge(json!({"S3Update": {"Prefix": "p"}, "RoleARN": "role"})).unwrap();
        assert_eq!(
            (
                named.s3_configuration.prefix.as_deref(),
                named.role_arn.as_deref()
            ),
            (Some("p"), Some("role"))
        );
        for update in [
            json!({"New": 1}),
            json!({"S3Update": {"New": "p"}}),
            json!({"ProcessingConfiguration": {"Processors": [{"Type": "Lambda", "New": 1}]}}),
        ] {
            let refused = merge(update).unwrap_err();
            assert_eq!(refused.message(), "Headwater does not support New yet.");
        }
        let other = read_all::<RetryOptions>(json!({"DurationInSeconds": 1, "New": {}}));
        assert_eq!(other.unwrap_err().code(), "NotImplemented");
    }
}
