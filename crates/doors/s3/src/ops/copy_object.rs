//! CopyObject.

use headwater_objects::{Attributes, Expected, ObjectInfo, ObjectName, Put, limits::PUT_BYTES_MAX};
use headwater_shapes_s3::{CopyObjectOutput, CopyObjectRequest, CopyObjectResult, ops::CopyObject};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3, acl, attributes, checksums, copy, encryption,
    errors::{api, argument, coverage_name, invalid_request, quoted},
    lifecycle,
    select::write_condition,
    settings,
    times::timestamp,
    versions,
};

const READ: [&str; 5] = [
    "x-amz-metadata-directive",
    "x-amz-tagging-directive",
    "x-amz-checksum-algorithm",
    "If-Match",
    "If-None-Match",
];

impl Handle<CopyObject> for S3 {
    async fn handle(
        &self,
        input: CopyObjectRequest,
        context: &Context,
    ) -> Result<CopyObjectOutput, ApiError> {
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        self.check_acl(name.bucket(), &acl::asked!(input), context)
            .await?;
        settings::check(
            &input,
            &[&READ[..], &copy::MEMBERS, &attributes::MEMBERS].concat(),
            context,
        )?;
        let get = copy::source!(input)?;
        let replaces = is_replaced(
            input.metadata_directive.as_deref(),
            "x-amz-metadata-directive",
        )?;
        let changes =
            replaces || input.server_side_encryption.is_some() || input.storage_class.is_some();
        // A copy of a version that is named makes it the latest again, and so changes something.
        if get.name == name && get.version.is_none() && !changes {
            return Err(invalid_request(
                "This copy request is illegal because it is trying to copy an object to itself without changing the \
                 object's metadata, storage class, website redirect location or encryption attributes.",
            ));
        }
        let (source, body) = self
            .store
            .get(&get)
            .await
            .map_err(|error| copy::error(error, &get.conditions))?;
        if source.object.size > PUT_BYTES_MAX {
            return Err(invalid_request(format!(
                "The specified copy source is larger than the maximum allowable size for a copy source: {PUT_BYTES_MAX}"
            )));
        }
        let put = Put {
            attributes: attributes_of(&input, &source.object, replaces)?,
            expected: Expected {
                md5: None,
                checksum: checksum(&input, &source.object)?,
            },
            condition: write_condition(input.if_match, input.if_none_match)?,
            ..Put::new(name)
        };
        let written = self.store.put(put, body).await.map_err(api)?;
        let mut output = CopyObjectOutput {
            copy_object_result: Some(result(&written)),
            copy_source_version_id: versions::of_source(&source.object),
            version_id: written.version.clone(),
            expiration: lifecycle::expiration(&written),
            ..Default::default()
        };
        encryption::answer!(output, &written.attributes.encryption, context);
        Ok(output)
    }
}

fn is_replaced(directive: Option<&str>, name: &str) -> Result<bool, ApiError> {
    match directive {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(argument("Unknown metadata directive.", name, other)),
    }
}

fn attributes_of(
    input: &CopyObjectRequest,
    source: &ObjectInfo,
    replaces: bool,
) -> Result<Attributes, ApiError> {
    let given = attributes::attributes!(input)?;
    let mut attributes = if replaces {
        given.clone()
    } else {
        source.attributes.clone()
    };
    let new_tags = is_replaced(
        input.tagging_directive.as_deref(),
        "x-amz-tagging-directive",
    )?;
    attributes.tags = if new_tags {
        given.tags
    } else {
        source.attributes.tags.clone()
    };
    // A copy is encrypted and stored as its own request says, never as its source was.
    attributes.encryption = given.encryption;
    attributes.storage_class = given.storage_class;
    Ok(attributes)
}

/// The algorithm asked for, or the source's.
fn checksum(
    input: &CopyObjectRequest,
    source: &ObjectInfo,
) -> Result<Option<(headwater_objects::Algorithm, Option<String>)>, ApiError> {
    let asked = input
        .checksum_algorithm
        .as_deref()
        .map(checksums::algorithm)
        .transpose()?;
    Ok(asked
        .or(source.checksum.as_ref().map(|c| c.algorithm))
        .map(|algorithm| (algorithm, None)))
}

fn result(written: &ObjectInfo) -> CopyObjectResult {
    let mut result = CopyObjectResult {
        e_tag: Some(quoted(&written.etag)),
        last_modified: Some(timestamp(written.modified)),
        checksum_type: written
            .checksum
            .as_ref()
            .map(|c| coverage_name(c.coverage).to_owned()),
        ..Default::default()
    };
    checksums::answer!(result, &written.checksum);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    fn copy(to: &str) -> CopyObjectRequest {
        CopyObjectRequest {
            bucket: "bucket".into(),
            key: to.into(),
            copy_source: "bucket/from".into(),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn a_copy_has_the_sources_attributes_or_new_ones() {
        let world = World::with_object("from", "hello").await;
        call::<CopyObject>(&world.s3, copy("to")).await.unwrap();
        assert_eq!(world.read("to").await, "hello");
        assert_eq!(
            world.head("to").await.attributes,
            world.head("from").await.attributes
        );

        let replace = CopyObjectRequest {
            metadata_directive: Some("REPLACE".into()),
            content_type: Some("text/html".into()),
            ..copy("from")
        };
        call::<CopyObject>(&world.s3, replace).await.unwrap();
        let from = world.head("from").await;
        assert_eq!(from.attributes.headers["content-type"], "text/html");
        assert!(from.attributes.metadata.is_empty() && !from.attributes.tags.is_empty());
        assert_eq!(world.read("from").await, "hello");
    }

    #[tokio::test]
    async fn a_copy_is_encrypted_as_it_asks_itself() {
        let world = World::with_object("from", "hello").await;
        let asked = |to| CopyObjectRequest {
            server_side_encryption: Some("aws:kms".into()),
            ..copy(to)
        };
        for to in ["from", "to"] {
            let output = call::<CopyObject>(&world.s3, asked(to)).await.unwrap();
            assert_eq!(output.server_side_encryption.as_deref(), Some("aws:kms"));
            assert_eq!(
                world.head(to).await.attributes.headers["content-type"],
                "text/plain"
            );
        }
        let plain = call::<CopyObject>(&world.s3, copy("plain")).await.unwrap();
        assert_eq!(plain.server_side_encryption.as_deref(), Some("AES256"));
        let copied = world.head("plain").await.attributes.encryption;
        assert_eq!(copied.and_then(|encryption| encryption.key), None);
    }

    #[tokio::test]
    async fn a_copy_that_changes_nothing_or_does_not_match_is_refused() {
        let world = World::with_object("from", "hello").await;
        let same = call::<CopyObject>(&world.s3, copy("from"))
            .await
            .unwrap_err();
        assert_eq!(same.code(), "InvalidRequest");
        let other = CopyObjectRequest {
            copy_source_if_match: Some("x".into()),
            ..copy("to")
        };
        let other = call::<CopyObject>(&world.s3, other).await.unwrap_err();
        assert_eq!(other.fields()["Condition"], "x-amz-copy-source-If-Match");
        let known = CopyObjectRequest {
            copy_source_if_none_match: Some("*".into()),
            ..copy("to")
        };
        let known = call::<CopyObject>(&world.s3, known).await.unwrap_err();
        assert_eq!(
            (known.status(), &known.fields()["Condition"]),
            (412, &"x-amz-copy-source-If-None-Match".into())
        );
    }
}
