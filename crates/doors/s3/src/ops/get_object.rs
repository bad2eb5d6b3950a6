//! GetObject, and what HeadObject shares with it.

use headwater_objects::ObjectName;
use headwater_shapes::ByteStream;
use headwater_shapes_s3::{GetObjectOutput, GetObjectRequest, ops::GetObject};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3, attributes, checksums,
    errors::{api, argument, quoted},
    select, settings, times,
};

/// The names on the wire of the members that GetObject and HeadObject read.
pub const READ: [&str; 14] = [
    "Range",
    "partNumber",
    "versionId",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "x-amz-checksum-mode",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
];

/// The read that the members of a request ask for.
macro_rules! wanted {
    ($input:expr) => {
        $crate::select::Wanted {
            range: $input.range.as_deref(),
            part: $input.part_number,
            version: $input.version_id.as_ref(),
            if_match: $input.if_match.as_ref(),
            if_none_match: $input.if_none_match.as_ref(),
            if_modified_since: $input.if_modified_since,
            if_unmodified_since: $input.if_unmodified_since,
        }
    };
}

/// Sets the members of an answer that say what is read.
macro_rules! describe {
    ($output:expr, $input:expr, $get:expr, $selected:expr, $context:expr) => {{
        let (input, selected) = (&$input, &$selected);
        let object = &selected.object;
        attributes::answer!($output, &object.attributes);
        $crate::encryption::answer!($output, &object.attributes.encryption, $context);
        $output.accept_ranges = Some("bytes".to_owned());
        $output.content_length = i64::try_from(selected.end - selected.start).ok();
        $output.content_range = select::content_range(selected, $get.range.is_some());
        $output.e_tag = Some(quoted(&object.etag));
        $output.version_id = object.version.clone();
        $output.expiration = $crate::lifecycle::expiration(object);
        $output.last_modified = Some(times::timestamp(object.modified));
        $output.parts_count = object
            .parts
            .filter(|_| input.part_number.is_some())
            .map(|n| n as i32);
        let checksum = checksums::wanted(&selected.checksum, &input.checksum_mode);
        checksums::answer!($output, checksum);
        $output.checksum_type =
            checksum.map(|checksum| crate::errors::coverage_name(checksum.coverage).to_owned());
        let replace = |new: &Option<String>, old: &mut Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        replace(&input.response_cache_control, &mut $output.cache_control);
        replace(
            &input.response_content_disposition,
            &mut $output.content_disposition,
        );
        replace(
            &input.response_content_encoding,
            &mut $output.content_encoding,
        );
        replace(
            &input.response_content_language,
            &mut $output.content_language,
        );
        replace(&input.response_content_type, &mut $output.content_type);
        replace(
            &input.response_expires.map(times::http_date),
            &mut $output.expires,
        );
    }};
}

pub(crate) use {describe, wanted};

impl Handle<GetObject> for S3 {
    async fn handle(
        &self,
        input: GetObjectRequest,
        context: &Context,
    ) -> Result<GetObjectOutput, ApiError> {
        settings::check(&input, &READ, context)?;
        check_overrides([
            ("response-cache-control", &input.response_cache_control),
            (
                "response-content-disposition",
                &input.response_content_disposition,
            ),
            (
                "response-content-encoding",
                &input.response_content_encoding,
            ),
            (
                "response-content-language",
                &input.response_content_language,
            ),
            ("response-content-type", &input.response_content_type),
        ])?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let wanted = wanted!(input);
        let get = wanted.of(name)?;
        let (selected, body) = self
            .store
            .get(&get)
            .await
            .map_err(|error| wanted.error(error))?;
        let mut output = GetObjectOutput {
            body: ByteStream {
                chunks: body.chunks,
                len: body.len,
            },
            ..Default::default()
        };
        describe!(output, input, get, selected, context);
        Ok(output)
    }
}

/// Refuses headers of the answer that are asked for and that no header can carry.
fn check_overrides(overrides: [(&str, &Option<String>); 5]) -> Result<(), ApiError> {
    for (name, value) in overrides {
        if let Some(value) = value.as_ref().filter(|text| text.chars().any(|c| c > 'ÿ')) {
            let text = "Header value cannot be represented using ISO-8859-1.";
            return Err(argument(text, name, value));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use headwater_objects::Body;

    use super::*;
    use crate::testing::{World, call};

    fn get(key: &str) -> GetObjectRequest {
        GetObjectRequest {
            bucket: "bucket".into(),
            key: key.into(),
            ..Default::default()
        }
    }

    async fn text(world: &World, input: GetObjectRequest) -> (GetObjectOutput, String) {
        let mut output = call::<GetObject>(&world.s3, input).await.unwrap();
        let body = std::mem::take(&mut output.body);
        let bytes = Body {
            chunks: body.chunks,
            len: body.len,
        }
        .collect(1000)
        .await
        .unwrap();
        (output, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_object_comes_with_what_is_known_of_it() {
        let world = World::with_object("k", "hello world").await;
        let (output, body) = text(&world, get("k")).await;
        assert_eq!(body, "hello world");
        assert_eq!(
            output.e_tag.as_deref(),
            Some("\"5eb63bbbe01eeed093cb22bb8f5acdc3\"")
        );
        assert_eq!(
            (output.content_length, output.content_range),
            (Some(11), None)
        );
        assert_eq!(output.content_type.as_deref(), Some("text/plain"));
        assert_eq!(output.metadata.unwrap()["color"], "blue");
        assert_eq!(
            (output.tag_count, output.checksum_crc64nvme),
            (Some(1), None)
        );
        let with_checksum = GetObjectRequest {
            checksum_mode: Some("ENABLED".into()),
            ..get("k")
        };
        let (output, _) = text(&world, with_checksum).await;
        assert!(output.checksum_crc64nvme.is_some());
        assert_eq!(output.checksum_type.as_deref(), Some("FULL_OBJECT"));
    }

    #[tokio::test]
    async fn a_range_says_which_bytes_it_has_and_no_checksum_of_all() {
        let world = World::with_object("k", "hello world").await;
        let range = |range: &str| GetObjectRequest {
            range: Some(range.into()),
            checksum_mode: Some("ENABLED".into()),
            ..get("k")
        };
        let (output, body) = text(&world, range("bytes=6-99")).await;
        assert_eq!(
            (body.as_str(), output.content_range.as_deref()),
            ("world", Some("bytes 6-10/11"))
        );
        assert_eq!(output.checksum_crc64nvme, None);
        let (_, body) = text(&world, range("bytes=-3")).await;
        assert_eq!(body, "rld");
        let (output, body) = text(&world, range("bytes=5-1")).await;
        assert_eq!(
            (body.as_str(), output.content_range),
            ("hello world", None),
            "nonsense is ignored"
        );
        let beyond = call::<GetObject>(&world.s3, range("bytes=11-"))
            .await
            .unwrap_err();
        assert_eq!((beyond.status(), beyond.code()), (416, "InvalidRange"));
        assert_eq!(beyond.fields()["ActualObjectSize"], "11");
        assert_eq!(beyond.fields()["RangeRequested"], "bytes=11-");
    }

    #[tokio::test]
    async fn conditions_and_overrides_hold() {
        let world = World::with_object("k", "hello").await;
        let etag = world.head("k").await.etag;
        let known = GetObjectRequest {
            if_none_match: Some(etag),
            ..get("k")
        };
        assert_eq!(
            call::<GetObject>(&world.s3, known)
                .await
                .unwrap_err()
                .status(),
            304
        );
        let other = GetObjectRequest {
            if_match: Some("x".into()),
            ..get("k")
        };
        let other = call::<GetObject>(&world.s3, other).await.unwrap_err();
        assert_eq!(
            (other.status(), &other.fields()["Condition"]),
            (412, &"If-Match".into())
        );
        let named = GetObjectRequest {
            response_content_type: Some("text/csv".into()),
            ..get("k")
        };
        assert_eq!(
            text(&world, named).await.0.content_type.as_deref(),
            Some("text/csv")
        );
        let missing = call::<GetObject>(&world.s3, get("missing"))
            .await
            .unwrap_err();
        assert_eq!((missing.status(), missing.code()), (404, "NoSuchKey"));
        let part = GetObjectRequest {
            part_number: Some(2),
            ..get("k")
        };
        assert_eq!(
            call::<GetObject>(&world.s3, part).await.unwrap_err().code(),
            "InvalidPartNumber"
        );
        let version = GetObjectRequest {
            version_id: Some("v1".into()),
            ..get("k")
        };
        assert_eq!(
            call::<GetObject>(&world.s3, version)
                .await
                .unwrap_err()
                .code(),
            "InvalidArgument"
        );
    }
}
