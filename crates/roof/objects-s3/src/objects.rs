//! Objects.

use std::collections::BTreeMap;

use headwater_client::CallError;
use headwater_objects::{
    Attributes, Body, ByteRange, Checksum, Delete, Deleted, Expected, Get, Listing, ObjectError,
    ObjectInfo, ObjectName, ObjectPart, ObjectQuery, Put, Selected, limits::PUT_BYTES_MAX,
};
use headwater_shapes::ByteStream;
use headwater_shapes_s3::{
    self as shapes, DeleteObjectRequest, GetObjectAttributesRequest, GetObjectRequest,
    GetObjectTaggingRequest, HeadObjectRequest, ListObjectsRequest, Object, PutObjectRequest,
    PutObjectTaggingRequest, Tag, Tagging, ops,
};

use crate::{
    S3Store, answers,
    bodies::{BodyFailure, Pieces, measured},
    errors::About,
    limits::PIECE_BYTES,
    requests,
};

/// The members that GetObject and HeadObject share, read out of a question.
macro_rules! read {
    ($input:ident, $get:expr) => {{
        let get: &Get = $get;
        let (range, part_number) = requests::range(get.range);
        let conditions = get.conditions.clone();
        $input {
            bucket: get.name.bucket().to_string(),
            key: get.name.key().to_owned(),
            version_id: get.version.clone(),
            range,
            part_number,
            if_match: conditions.if_match,
            if_none_match: conditions.if_none_match,
            if_modified_since: conditions.modified_since.map(requests::time),
            if_unmodified_since: conditions.unmodified_since.map(requests::time),
            checksum_mode: Some("ENABLED".to_owned()),
            ..Default::default()
        }
    }};
}

/// The object that an answer to GetObject or HeadObject tells of.
macro_rules! selected {
    ($output:expr, $get:expr) => {{
        let output = &$output;
        let len = answers::size(output.content_length);
        let range = output
            .content_range
            .as_deref()
            .and_then(answers::content_range);
        let (start, end, size) = range.unwrap_or((0, len, len));
        let etag = answers::etag(&output.e_tag);
        let checksum = answers::checksum!(output).map(|checksum| Checksum {
            coverage: answers::coverage(output.checksum_type.as_deref()),
            ..checksum
        });
        let is_part = matches!($get.range, Some(ByteRange::Part(_)));
        let object = ObjectInfo {
            key: $get.name.key().to_owned(),
            size,
            parts: answers::parts(&etag),
            etag,
            modified: answers::millis(output.last_modified),
            attributes: answers::attributes!(output),
            checksum: checksum.clone().filter(|_| !is_part),
            version: output.version_id.clone(),
            expires: None,
        };
        (
            Selected {
                object,
                start,
                end,
                checksum,
            },
            output.tag_count.unwrap_or(0),
        )
    }};
}

impl S3Store {
    pub(crate) async fn put(&self, put: Put, body: Body) -> Result<ObjectInfo, ObjectError> {
        let checksum_is_late = matches!(put.expected.checksum, Some((_, None)));
        match body.len {
            Some(len) if len > PUT_BYTES_MAX => Err(ObjectError::TooLarge {
                limit: PUT_BYTES_MAX,
            }),
            Some(len) if !checksum_is_late => {
                let (stream, failure) = measured(body, len);
                self.put_stream(&put, stream, len, &failure).await
            }
            _ => self.put_held(put, body).await,
        }
    }

    /// Puts a body whose length or checksum must be found out first.
    async fn put_held(&self, mut put: Put, body: Body) -> Result<ObjectInfo, ObjectError> {
        let room = self.room(PIECE_BYTES).await;
        let mut pieces = Pieces::of(body);
        let first = pieces.next(PIECE_BYTES).await?;
        if first.len() == PIECE_BYTES {
            return self.put_in_parts(put, first, pieces).await;
        }
        if let Some((algorithm, value @ None)) = &mut put.expected.checksum {
            *value = Some(Checksum::of(*algorithm, &first).value);
        }
        let len = first.len() as u64;
        let written = self
            .put_stream(
                &put,
                ByteStream::from_bytes(first),
                len,
                &BodyFailure::default(),
            )
            .await;
        drop(room);
        written
    }

    async fn put_stream(
        &self,
        put: &Put,
        body: ByteStream,
        size: u64,
        failure: &BodyFailure,
    ) -> Result<ObjectInfo, ObjectError> {
        let (if_match, if_none_match) = requests::write_condition(&put.condition);
        let mut input = PutObjectRequest {
            bucket: put.name.bucket().to_string(),
            key: put.name.key().to_owned(),
            body,
            content_md5: requests::md5(put.expected.md5),
            if_match,
            if_none_match,
            ..Default::default()
        };
        requests::set_attributes!(input, &put.attributes);
        let value = |(algorithm, value): (_, Option<String>)| Some((algorithm, value?));
        requests::set_checksum!(input, put.expected.checksum.clone().and_then(value));
        let output = self
            .client
            .call::<ops::PutObject>(input)
            .await
            .map_err(|error| failure.or(refusal(error, put)))?;
        Ok(ObjectInfo {
            key: put.name.key().to_owned(),
            size,
            etag: answers::etag(&output.e_tag),
            modified: self.env.clock.now(),
            attributes: Attributes {
                encryption: answers::encryption!(output),
                ..put.attributes.clone()
            },
            checksum: answers::checksum!(output),
            parts: None,
            version: output.version_id,
            expires: None,
        })
    }

    pub(crate) async fn head(&self, get: &Get) -> Result<Selected, ObjectError> {
        let output = match self
            .client
            .call::<ops::HeadObject>(read!(HeadObjectRequest, get))
            .await
        {
            Ok(output) => output,
            Err(error) => return Err(self.unread(get, error).await),
        };
        let (selected, tags) = selected!(output, get);
        self.with_tags(get, selected, tags).await
    }

    /// An object's parts, which S3 tells where each has a checksum.
    pub(crate) async fn parts(
        &self,
        get: &Get,
    ) -> Result<(ObjectInfo, Vec<ObjectPart>), ObjectError> {
        let plain = Get {
            version: get.version.clone(),
            ..Get::new(get.name.clone())
        };
        let object = self.head(&plain).await?.object;
        // The latest version may be another one by now.
        let version = object.version.clone().or(plain.version);
        let (mut parts, mut after) = (Vec::new(), 0);
        loop {
            let input = GetObjectAttributesRequest {
                bucket: get.name.bucket().to_string(),
                key: get.name.key().to_owned(),
                version_id: version.clone(),
                part_number_marker: Some(after),
                object_attributes: vec!["ObjectParts".to_owned()],
                ..Default::default()
            };
            let output = self.client.call::<ops::GetObjectAttributes>(input).await;
            let about = About::version(&get.name, version.as_deref());
            let output = output.map_err(|error| about.error(error))?;
            let page = output.object_parts.unwrap_or_default();
            parts.extend(page.parts.unwrap_or_default().iter().map(part_of));
            match page.next_part_number_marker {
                Some(next) if page.is_truncated == Some(true) && next > after => after = next,
                _ => return Ok((object, parts)),
            }
        }
    }

    pub(crate) async fn get(&self, get: &Get) -> Result<(Selected, Body), ObjectError> {
        let mut output = match self
            .client
            .call::<ops::GetObject>(read!(GetObjectRequest, get))
            .await
        {
            Ok(output) => output,
            Err(error) => return Err(self.unread(get, error).await),
        };
        let (selected, tags) = selected!(output, get);
        let body = std::mem::take(&mut output.body);
        let body = Body {
            chunks: body.chunks,
            len: Some(selected.end - selected.start),
        };
        Ok((self.with_tags(get, selected, tags).await?, body))
    }

    async fn with_tags(
        &self,
        get: &Get,
        mut selected: Selected,
        count: i32,
    ) -> Result<Selected, ObjectError> {
        if count > 0 {
            let input = GetObjectTaggingRequest {
                bucket: get.name.bucket().to_string(),
                key: get.name.key().to_owned(),
                version_id: selected.object.version.clone(),
                ..Default::default()
            };
            let output = self.client.call::<ops::GetObjectTagging>(input).await;
            let output = output.map_err(|error| About::object(&get.name).error(error))?;
            selected.object.attributes.tags = output
                .tag_set
                .into_iter()
                .map(|tag| (tag.key, tag.value))
                .collect();
        }
        Ok(selected)
    }

    /// Why a read failed; HEAD tells a status alone, and fields of errors are asked for again.
    async fn unread(&self, get: &Get, error: CallError) -> ObjectError {
        let plain = Get {
            version: get.version.clone(),
            ..Get::new(get.name.clone())
        };
        match (error.status, get.range) {
            (Some(304), _) => match Box::pin(self.head(&plain)).await {
                Ok(now) => ObjectError::NotModified {
                    etag: now.object.etag,
                    modified: now.object.modified,
                },
                Err(error) => error,
            },
            (Some(412), _) => ObjectError::PreconditionFailed(match &get.conditions.if_match {
                Some(_) => "If-Match",
                None => "If-Unmodified-Since",
            }),
            (Some(416), range) => match (Box::pin(self.head(&plain)).await, range) {
                (Ok(now), Some(ByteRange::Part(number))) => ObjectError::NoSuchPart {
                    number,
                    count: now.object.parts.unwrap_or(1),
                },
                (Ok(now), _) => ObjectError::InvalidRange {
                    size: now.object.size,
                },
                (Err(error), _) => error,
            },
            (Some(status @ (404 | 405)), _) => match self.has_bucket(get.name.bucket()).await {
                // A delete marker that is named answers otherwise than a version that is not there.
                Ok(true) if status == 404 => self.gone(get).await,
                Ok(true) => self.missing(get).await,
                Ok(false) => ObjectError::NoSuchBucket(get.name.bucket().to_string()),
                Err(error) => error,
            },
            (Some(400), _) if get.version.is_some() => {
                ObjectError::InvalidVersion(get.version.clone().unwrap_or_default())
            }
            _ => About::version(&get.name, get.version.as_deref()).error(error),
        }
    }

    pub(crate) async fn delete(&self, delete: &Delete) -> Result<Deleted, ObjectError> {
        let (if_match, _) = requests::write_condition(&delete.condition);
        let input = DeleteObjectRequest {
            bucket: delete.name.bucket().to_string(),
            key: delete.name.key().to_owned(),
            version_id: delete.version.clone(),
            if_match,
            ..Default::default()
        };
        match self.client.call::<ops::DeleteObject>(input).await {
            Ok(output) => Ok(Deleted {
                version: output.version_id,
                is_marker: output.delete_marker == Some(true),
            }),
            Err(error) if error.status == Some(412) => {
                Err(requests::failed_condition(&delete.condition))
            }
            Err(error) => Err(About::version(&delete.name, delete.version.as_deref()).error(error)),
        }
    }

    pub(crate) async fn set_tags(
        &self,
        name: &ObjectName,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Option<String>, ObjectError> {
        let tag_set = tags
            .into_iter()
            .map(|(key, value)| Tag { key, value })
            .collect();
        let input = PutObjectTaggingRequest {
            bucket: name.bucket().to_string(),
            key: name.key().to_owned(),
            version_id: version.map(str::to_owned),
            tagging: Tagging {
                tag_set: Some(tag_set),
            },
            ..Default::default()
        };
        let set = self.client.call::<ops::PutObjectTagging>(input).await;
        set.map(|output| output.version_id)
            .map_err(|error| About::version(name, version).error(error))
    }

    /// Of the two versions of the operation the first takes a place to go on after that is a key.
    pub(crate) async fn list(&self, query: &ObjectQuery) -> Result<Listing, ObjectError> {
        let input = ListObjectsRequest {
            bucket: query.bucket.to_string(),
            prefix: Some(query.prefix.clone()),
            delimiter: query.delimiter.clone(),
            marker: query.after.clone(),
            max_keys: i32::try_from(query.limit).ok(),
            encoding_type: Some("url".to_owned()),
            ..Default::default()
        };
        let output = self.client.call::<ops::ListObjects>(input).await;
        let output = output.map_err(|error| About::bucket(&query.bucket).error(error))?;
        let objects = output.contents.unwrap_or_default().into_iter().map(listed);
        let objects: Vec<ObjectInfo> = objects.collect::<Result<_, _>>()?;
        let prefixes = output
            .common_prefixes
            .unwrap_or_default()
            .into_iter()
            .filter_map(|found| found.prefix);
        let prefixes = prefixes
            .map(|prefix| answers::unescaped(&prefix))
            .collect::<Result<Vec<_>, _>>()?;
        let last = objects
            .last()
            .map(|object| &object.key)
            .max(prefixes.last())
            .cloned();
        let next = output
            .next_marker
            .as_deref()
            .map(answers::unescaped)
            .transpose()?
            .or(last);
        Ok(Listing {
            objects,
            prefixes,
            next: next.filter(|_| output.is_truncated == Some(true)),
        })
    }
}

fn part_of(part: &shapes::ObjectPart) -> ObjectPart {
    ObjectPart {
        number: u32::try_from(part.part_number.unwrap_or_default()).unwrap_or_default(),
        size: answers::size(part.size),
        checksum: answers::checksum!(part),
    }
}

fn listed(object: Object) -> Result<ObjectInfo, ObjectError> {
    let etag = answers::etag(&object.e_tag);
    Ok(ObjectInfo {
        key: answers::unescaped(object.key.as_deref().unwrap_or_default())?,
        size: answers::size(object.size),
        parts: answers::parts(&etag),
        etag,
        modified: answers::millis(object.last_modified),
        attributes: Attributes {
            storage_class: answers::storage_class(object.storage_class),
            ..Attributes::default()
        },
        checksum: None,
        version: None,
        expires: None,
    })
}

/// Why a put was refused.
fn refusal(error: CallError, put: &Put) -> ObjectError {
    match (error.status, error.code.as_str()) {
        (Some(412), _) => requests::failed_condition(&put.condition),
        (_, "BadDigest") => bad_digest(&error, &put.expected),
        (_, "EntityTooLarge") => ObjectError::TooLarge {
            limit: PUT_BYTES_MAX,
        },
        _ => About::object(&put.name).error(error),
    }
}

/// Which of the digests of a body was wrong.
pub(crate) fn bad_digest(error: &CallError, expected: &Expected) -> ObjectError {
    match (&expected.checksum, expected.md5) {
        (Some((algorithm, Some(_))), md5) if md5.is_none() || !error.message.contains("MD5") => {
            ObjectError::ChecksumMismatch(*algorithm)
        }
        (_, md5) => {
            let expected = md5
                .unwrap_or_default()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            // The store knows what it got; it tells in a field that is lost on the way.
            ObjectError::Md5Mismatch {
                expected,
                computed: String::new(),
            }
        }
    }
}
