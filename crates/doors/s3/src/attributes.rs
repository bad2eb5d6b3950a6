//! Attributes of objects (content headers, metadata, tags and encryption), to and from the members of requests and
//! answers.

use std::collections::BTreeMap;

use headwater_objects::{Attributes, Encryption};
use headwater_wire::ApiError;

use crate::{encryption, limits::METADATA_BYTES_MAX, rfc2047, tags};

/// The names on the wire of the members that [`attributes`] reads.
pub const MEMBERS: [&str; 12] = [
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Type",
    "Expires",
    "x-amz-meta-",
    "x-amz-tagging",
    "x-amz-storage-class",
    encryption::MEMBERS[0],
    encryption::MEMBERS[1],
    encryption::MEMBERS[2],
];

/// The attributes in the members of a request.
macro_rules! attributes {
    ($input:expr) => {
        $crate::attributes::read(
            [
                ("cache-control", $input.cache_control.as_ref()),
                ("content-disposition", $input.content_disposition.as_ref()),
                ("content-encoding", $input.content_encoding.as_ref()),
                ("content-language", $input.content_language.as_ref()),
                ("content-type", $input.content_type.as_ref()),
                ("expires", $input.expires.as_ref()),
            ],
            $input.metadata.as_ref(),
            $input.tagging.as_deref(),
            $crate::storage_class::read($input.storage_class.as_deref()),
            $crate::encryption::given!($input),
        )
    };
}

/// Sets the members of an answer that carry attributes, but for those of [`encryption`].
macro_rules! answer {
    ($output:expr, $attributes:expr) => {{
        let attributes: &headwater_objects::Attributes = $attributes;
        let header = |name: &str| attributes.headers.get(name).cloned();
        $output.cache_control = header("cache-control");
        $output.content_disposition = header("content-disposition");
        $output.content_encoding = header("content-encoding");
        $output.content_language = header("content-language");
        // AWS's default for objects whose writer named no type.
        $output.content_type =
            header("content-type").or_else(|| Some("binary/octet-stream".to_owned()));
        $output.expires = header("expires");
        $output.metadata = $crate::attributes::shown(&attributes.metadata);
        $output.storage_class.clone_from(&attributes.storage_class);
        $output.tag_count = i32::try_from(attributes.tags.len())
            .ok()
            .filter(|count| *count > 0);
    }};
}

pub(crate) use {answer, attributes};

/// Metadata for an answer's headers.
pub fn shown(metadata: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    let encoded = |(name, value): (&String, &String)| (name.clone(), rfc2047::encode(value));
    (!metadata.is_empty()).then(|| metadata.iter().map(encoded).collect())
}

/// The attributes of a request; an encoding `aws-chunked` was that of the transfer and is left out.
pub fn read(
    headers: [(&str, Option<&String>); 6],
    metadata: Option<&BTreeMap<String, String>>,
    tagging: Option<&str>,
    storage_class: Result<Option<String>, ApiError>,
    encryption: Result<Option<Encryption>, ApiError>,
) -> Result<Attributes, ApiError> {
    let headers = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.clone())));
    let mut headers: BTreeMap<String, String> = headers.collect();
    if let Some(encoding) = headers.remove("content-encoding") {
        let all = encoding.split(',');
        let kept = all.filter(|one| !one.trim().eq_ignore_ascii_case("aws-chunked"));
        let kept = kept.collect::<Vec<_>>().join(",");
        if !kept.trim().is_empty() {
            headers.insert("content-encoding".to_owned(), kept.trim().to_owned());
        }
    }
    let metadata = metadata.into_iter().flatten();
    let decoded = |(name, value): (&String, &String)| (name.clone(), rfc2047::decode(value));
    let metadata: BTreeMap<String, String> = metadata.map(decoded).collect();
    let size: usize = metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > METADATA_BYTES_MAX {
        return Err(ApiError::new(
            400,
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        )
        .with("Size", size.to_string())
        .with("MaxSizeAllowed", METADATA_BYTES_MAX.to_string()));
    }
    Ok(Attributes {
        headers,
        metadata,
        tags: tagging
            .map(tags::from_header)
            .transpose()?
            .unwrap_or_default(),
        storage_class: storage_class?,
        encryption: encryption?,
    })
}

#[cfg(test)]
mod tests {
    use headwater_shapes_s3::{GetObjectOutput, PutObjectRequest};

    #[test]
    fn attributes_come_back_without_the_encoding_of_the_transfer() {
        let input = PutObjectRequest {
            content_encoding: Some("deflate, aws-chunked, gzip".into()),
            cache_control: Some("no-store".into()),
            metadata: Some([("a".to_owned(), "b".to_owned())].into()),
            tagging: Some("k=v&x=".into()),
            ..Default::default()
        };
        let attributes = attributes!(input).unwrap();
        let mut output = GetObjectOutput::default();
        answer!(output, &attributes);
        assert_eq!(output.content_encoding.as_deref(), Some("deflate, gzip"));
        assert_eq!(output.cache_control, input.cache_control);
        assert_eq!(output.content_type.as_deref(), Some("binary/octet-stream"));
        assert_eq!(
            (output.metadata, output.tag_count),
            (input.metadata, Some(2))
        );
    }

    #[test]
    fn metadata_has_a_limit() {
        let metadata = Some([("a".to_owned(), "b".repeat(2048))].into());
        let input = PutObjectRequest {
            metadata,
            ..Default::default()
        };
        assert_eq!(attributes!(input).unwrap_err().code(), "MetadataTooLarge");
    }
}
