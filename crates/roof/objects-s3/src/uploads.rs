//! Uploads in parts, those of the domain and those of objects whose length is not known.

use bytes::Bytes;
use headwater_client::CallError;
use headwater_objects::{
    Algorithm, Body, Checksum, Complete, CompletePart, Coverage, Expected, ObjectError, ObjectInfo,
    ObjectName, PartInfo, PartListing, Put, PutPart, Upload, UploadInfo, UploadListing,
    UploadQuery,
    limits::{PART_BYTES_MAX, PART_BYTES_MIN, PARTS_MAX, PUT_BYTES_MAX},
};
use headwater_shapes::ByteStream;
use headwater_shapes_s3::{
    AbortMultipartUploadRequest, CompleteMultipartUploadRequest, CompletedMultipartUpload,
    CompletedPart, CreateMultipartUploadRequest, ListMultipartUploadsRequest, ListPartsRequest,
    Part, UploadPartRequest, ops,
};
use md5::{Digest, Md5};
use tokio::sync::SemaphorePermit;

use crate::{
    S3Store, answers,
    bodies::{BodyFailure, Pieces, measured},
    errors::About,
    limits::{HELD_MIB, HELD_PART_BYTES, PIECE_BYTES},
    objects::bad_digest,
    requests,
};

impl S3Store {
    /// Waits for room to hold so many bytes.
    pub(crate) async fn room(&self, bytes: usize) -> SemaphorePermit<'_> {
        let mib = bytes.div_ceil(1 << 20).min(HELD_MIB) as u32;
        self.held
            .acquire_many(mib)
            .await
            .expect("it is never closed")
    }

    pub(crate) async fn create_upload(&self, upload: Upload) -> Result<UploadInfo, ObjectError> {
        let coverage = upload
            .algorithm
            .unwrap_or_default()
            .coverage(upload.coverage)?;
        let mut input = CreateMultipartUploadRequest {
            bucket: upload.name.bucket().to_string(),
            key: upload.name.key().to_owned(),
            checksum_algorithm: upload
                .algorithm
                .map(|algorithm| algorithm.name().to_owned()),
            checksum_type: upload.algorithm.map(|_| coverage_name(coverage)),
            ..Default::default()
        };
        requests::set_attributes!(input, &upload.attributes);
        let output = self.client.call::<ops::CreateMultipartUpload>(input).await;
        let output = output.map_err(|error| About::object(&upload.name).error(error))?;
        Ok(UploadInfo {
            key: upload.name.key().to_owned(),
            created: self.env.clock.now(),
            algorithm: upload.algorithm,
            coverage,
            encryption: answers::encryption!(output),
            storage_class: upload.attributes.storage_class.clone(),
            id: output.upload_id.unwrap_or_default(),
        })
    }

    pub(crate) async fn put_part(
        &self,
        mut part: PutPart,
        body: Body,
    ) -> Result<PartInfo, ObjectError> {
        if !(1..=PARTS_MAX).contains(&part.number) {
            return Err(ObjectError::PartNumber(part.number));
        }
        match (body.len, &part.expected.checksum) {
            (Some(len), _) if len > PART_BYTES_MAX => Err(ObjectError::TooLarge {
                limit: PART_BYTES_MAX,
            }),
            (Some(len), None | Some((_, Some(_)))) => {
                let (stream, failure) = measured(body, len);
                self.send_part(&part, stream, len, &failure).await
            }
            _ => {
                let _room = self
                    .room(body.len.map_or(HELD_PART_BYTES, |len| len as usize))
                    .await;
                let bytes = body.collect(HELD_PART_BYTES).await?;
                if let Some((algorithm, value @ None)) = &mut part.expected.checksum {
                    *value = Some(Checksum::of(*algorithm, &bytes).value);
                }
                let len = bytes.len() as u64;
                self.send_part(
                    &part,
                    ByteStream::from_bytes(bytes),
                    len,
                    &BodyFailure::default(),
                )
                .await
            }
        }
    }

    async fn send_part(
        &self,
        part: &PutPart,
        body: ByteStream,
        size: u64,
        failure: &BodyFailure,
    ) -> Result<PartInfo, ObjectError> {
        let mut input = UploadPartRequest {
            bucket: part.name.bucket().to_string(),
            key: part.name.key().to_owned(),
            upload_id: part.upload.clone(),
            part_number: part.number as i32,
            content_md5: requests::md5(part.expected.md5),
            body,
            ..Default::default()
        };
        let value = |(algorithm, value): (_, Option<String>)| Some((algorithm, value?));
        requests::set_checksum!(input, part.expected.checksum.clone().and_then(value));
        let output = self.client.call::<ops::UploadPart>(input).await;
        let output = output.map_err(|error| failure.or(refused_part(error, part)))?;
        Ok(PartInfo {
            number: part.number,
            size,
            etag: answers::etag(&output.e_tag),
            modified: self.env.clock.now(),
            checksum: answers::checksum!(output),
            encryption: answers::encryption!(output),
        })
    }

    /// S3's errors name the part that is wrong in fields that get lost on the way, so a refusal is looked into.
    pub(crate) async fn complete_upload(
        &self,
        complete: Complete,
    ) -> Result<ObjectInfo, ObjectError> {
        if complete.parts.is_empty() {
            self.list_parts(&complete.name, &complete.upload, 0, 1)
                .await?;
            return Err(ObjectError::NoParts);
        }
        let (if_match, if_none_match) = requests::write_condition(&complete.condition);
        let mut input = CompleteMultipartUploadRequest {
            bucket: complete.name.bucket().to_string(),
            key: complete.name.key().to_owned(),
            upload_id: complete.upload.clone(),
            checksum_type: complete.coverage.map(coverage_name),
            mpu_object_size: complete.size.and_then(|size| i64::try_from(size).ok()),
            if_match,
            if_none_match,
            ..Default::default()
        };
        requests::set_checksum!(input, complete.checksum.clone());
        let parts = complete.parts.iter().map(completed).collect();
        input.multipart_upload = Some(CompletedMultipartUpload { parts: Some(parts) });
        match self
            .client
            .call::<ops::CompleteMultipartUpload>(input)
            .await
        {
            Ok(_) => {
                let done = self
                    .head(&headwater_objects::Get::new(complete.name.clone()))
                    .await?;
                Ok(done.object)
            }
            Err(error) => Err(self.refusal(&complete, error).await),
        }
    }

    /// Why an upload was not completed.
    async fn refusal(&self, complete: &Complete, error: CallError) -> ObjectError {
        let about = About::upload(&complete.name, &complete.upload);
        if error.status == Some(412) {
            return requests::failed_condition(&complete.condition);
        }
        if let ("ConditionalRequestConflict", Some(condition)) =
            (error.code.as_str(), complete.condition.name())
        {
            let key = complete.name.key().to_owned();
            return ObjectError::Conflict { condition, key };
        }
        let wrong = match error.code.as_str() {
            "InvalidPart" | "EntityTooSmall" | "BadDigest" | "InvalidRequest" => {
                self.wrong_part(complete).await
            }
            _ => Ok(None),
        };
        match wrong {
            Ok(Some(wrong)) => wrong,
            Ok(None) => about.error(error),
            Err(error) => error,
        }
    }

    /// The fault that the store found, by the same rules.
    async fn wrong_part(&self, complete: &Complete) -> Result<Option<ObjectError>, ObjectError> {
        let (mut size, mut after) = (0, 0);
        let mut uploaded = Vec::new();
        let upload = loop {
            let page = self
                .list_parts(&complete.name, &complete.upload, after, 1000)
                .await?;
            after = page.parts.last().map_or(after, |part| part.number);
            uploaded.extend(page.parts);
            if !page.truncated {
                break page.upload;
            }
        };
        for (index, part) in complete.parts.iter().enumerate() {
            let found = uploaded.iter().find(|found| found.number == part.number);
            let Some(found) = found.filter(|found| found.etag == part.etag.trim_matches('"'))
            else {
                return Ok(Some(ObjectError::InvalidPart {
                    number: part.number,
                    etag: part.etag.clone(),
                }));
            };
            size += found.size;
            if let Some(algorithm) = upload.algorithm {
                let is = found.checksum.as_ref().map(|checksum| &checksum.value);
                let number = part.number;
                match &part.checksum {
                    None if upload.coverage == Coverage::Composite => {
                        return Ok(Some(ObjectError::MissingPartChecksum { algorithm, number }));
                    }
                    Some((other, _)) if *other != algorithm => {
                        let algorithm = *other;
                        return Ok(Some(ObjectError::PartChecksumMismatch {
                            algorithm,
                            number,
                        }));
                    }
                    Some((_, value)) if Some(value) != is => {
                        let etag = part.etag.clone();
                        return Ok(Some(ObjectError::InvalidPart { number, etag }));
                    }
                    _ => {}
                }
            }
            if found.size < PART_BYTES_MIN && index + 1 < complete.parts.len() {
                let (number, size, etag) = (found.number, found.size, found.etag.clone());
                return Ok(Some(ObjectError::PartTooSmall { number, size, etag }));
            }
        }
        Ok(match complete.size.filter(|expected| *expected != size) {
            Some(expected) => Some(ObjectError::WrongSize {
                expected,
                actual: size,
            }),
            None => complete
                .checksum
                .as_ref()
                .map(|(algorithm, _)| ObjectError::WholeMismatch(*algorithm)),
        })
    }

    pub(crate) async fn abort_upload(
        &self,
        name: &ObjectName,
        upload: &str,
    ) -> Result<(), ObjectError> {
        let input = AbortMultipartUploadRequest {
            bucket: name.bucket().to_string(),
            key: name.key().to_owned(),
            upload_id: upload.to_owned(),
            ..Default::default()
        };
        let aborted = self.client.call::<ops::AbortMultipartUpload>(input).await;
        aborted
            .map(drop)
            .map_err(|error| About::upload(name, upload).error(error))
    }

    pub(crate) async fn list_parts(
        &self,
        name: &ObjectName,
        upload: &str,
        after: u32,
        limit: usize,
    ) -> Result<PartListing, ObjectError> {
        let input = ListPartsRequest {
            bucket: name.bucket().to_string(),
            key: name.key().to_owned(),
            upload_id: upload.to_owned(),
            part_number_marker: i32::try_from(after).ok(),
            max_parts: i32::try_from(limit).ok(),
            ..Default::default()
        };
        let output = self.client.call::<ops::ListParts>(input).await;
        let output = output.map_err(|error| About::upload(name, upload).error(error))?;
        let upload = UploadInfo {
            key: name.key().to_owned(),
            id: upload.to_owned(),
            created: Default::default(),
            algorithm: output
                .checksum_algorithm
                .as_deref()
                .and_then(Algorithm::named),
            coverage: answers::coverage(output.checksum_type.as_deref()),
            encryption: None,
            storage_class: answers::storage_class(output.storage_class),
        };
        let parts = output
            .parts
            .unwrap_or_default()
            .into_iter()
            .map(part_info)
            .collect();
        Ok(PartListing {
            upload,
            parts,
            truncated: output.is_truncated == Some(true),
        })
    }

    pub(crate) async fn list_uploads(
        &self,
        query: &UploadQuery,
    ) -> Result<UploadListing, ObjectError> {
        let (key_marker, upload_id_marker) = query.after.clone().unzip();
        let input = ListMultipartUploadsRequest {
            bucket: query.bucket.to_string(),
            prefix: Some(query.prefix.clone()),
            delimiter: query.delimiter.clone(),
            key_marker,
            upload_id_marker: upload_id_marker.flatten(),
            max_uploads: i32::try_from(query.limit).ok(),
            encoding_type: Some("url".to_owned()),
            ..Default::default()
        };
        let output = self.client.call::<ops::ListMultipartUploads>(input).await;
        let output = output.map_err(|error| About::bucket(&query.bucket).error(error))?;
        let uploads = output
            .uploads
            .unwrap_or_default()
            .into_iter()
            .map(|upload| {
                Ok(UploadInfo {
                    key: answers::unescaped(upload.key.as_deref().unwrap_or_default())?,
                    id: upload.upload_id.unwrap_or_default(),
                    created: answers::millis(upload.initiated),
                    algorithm: upload
                        .checksum_algorithm
                        .as_deref()
                        .and_then(Algorithm::named),
                    coverage: answers::coverage(upload.checksum_type.as_deref()),
                    encryption: None,
                    storage_class: answers::storage_class(upload.storage_class),
                })
            });
        let uploads = uploads.collect::<Result<_, ObjectError>>()?;
        let prefixes = output
            .common_prefixes
            .unwrap_or_default()
            .into_iter()
            .filter_map(|found| found.prefix);
        let prefixes = prefixes
            .map(|prefix| answers::unescaped(&prefix))
            .collect::<Result<_, _>>()?;
        let next = output
            .next_key_marker
            .filter(|_| output.is_truncated == Some(true));
        let next_id = output.next_upload_id_marker.filter(|id| !id.is_empty());
        let next = next
            .map(|key| Ok::<_, ObjectError>((answers::unescaped(&key)?, next_id)))
            .transpose()?;
        Ok(UploadListing {
            uploads,
            prefixes,
            next,
        })
    }

    /// Puts an object of unknown length, `first` and what comes after, in parts; nothing of it stays when it fails.
    pub(crate) async fn put_in_parts(
        &self,
        put: Put,
        first: Bytes,
        pieces: Pieces,
    ) -> Result<ObjectInfo, ObjectError> {
        let algorithm = put
            .expected
            .checksum
            .as_ref()
            .map(|(algorithm, _)| *algorithm);
        let upload = Upload {
            name: put.name.clone(),
            attributes: put.attributes.clone(),
            algorithm,
            coverage: None,
        };
        let upload = self.create_upload(upload).await?;
        let done = match self.send_pieces(&put, &upload, first, pieces).await {
            Ok(complete) => self.complete_upload(complete).await,
            Err(error) => Err(error),
        };
        if done.is_err()
            && let Err(error) = self.abort_upload(&put.name, &upload.id).await
        {
            return Err(done.err().unwrap_or(error));
        }
        done
    }

    async fn send_pieces(
        &self,
        put: &Put,
        upload: &UploadInfo,
        first: Bytes,
        mut pieces: Pieces,
    ) -> Result<Complete, ObjectError> {
        let (mut piece, mut parts, mut size) = (first, Vec::new(), 0);
        let mut md5 = Md5::new();
        loop {
            size += piece.len() as u64;
            if size > PUT_BYTES_MAX {
                return Err(ObjectError::TooLarge {
                    limit: PUT_BYTES_MAX,
                });
            }
            md5.update(&piece);
            let is_last = piece.len() < PIECE_BYTES;
            if !piece.is_empty() {
                let checksum = upload
                    .algorithm
                    .map(|a| (a, Some(Checksum::of(a, &piece).value)));
                let part = PutPart {
                    name: put.name.clone(),
                    upload: upload.id.clone(),
                    number: parts.len() as u32 + 1,
                    expected: Expected {
                        md5: None,
                        checksum,
                    },
                };
                let written = self.put_part(part, Body::from_bytes(piece)).await?;
                let checksum = written
                    .checksum
                    .map(|checksum| (checksum.algorithm, checksum.value));
                parts.push(CompletePart {
                    number: written.number,
                    etag: written.etag,
                    checksum,
                });
            }
            if is_last {
                break;
            }
            piece = pieces.next(PIECE_BYTES).await?;
        }
        let computed: [u8; 16] = md5.finalize().into();
        if let Some(expected) = put.expected.md5.filter(|expected| *expected != computed) {
            let hex = |bytes: [u8; 16]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            return Err(ObjectError::Md5Mismatch {
                expected: hex(expected),
                computed: hex(computed),
            });
        }
        let condition = put.condition.clone();
        Ok(Complete {
            condition,
            ..Complete::new(put.name.clone(), &upload.id, parts)
        })
    }
}

fn refused_part(error: CallError, part: &PutPart) -> ObjectError {
    match error.code.as_str() {
        "BadDigest" => bad_digest(&error, &part.expected),
        "EntityTooLarge" => ObjectError::TooLarge {
            limit: PART_BYTES_MAX,
        },
        "InvalidRequest" => match other_algorithm(&error.message) {
            Some((expected, actual)) => ObjectError::OtherAlgorithm { expected, actual },
            None => About::upload(&part.name, &part.upload).error(error),
        },
        _ => About::upload(&part.name, &part.upload).error(error),
    }
}

/// The two algorithms in S3's text for a part with another checksum than its upload's.
fn other_algorithm(message: &str) -> Option<(Algorithm, Algorithm)> {
    let (_, names) = message.split_once("expected checksum Type: ")?;
    let (expected, actual) = names.split_once(", actual checksum Type: ")?;
    Some((Algorithm::named(expected)?, Algorithm::named(actual)?))
}

fn completed(part: &CompletePart) -> CompletedPart {
    let mut completed = CompletedPart {
        part_number: i32::try_from(part.number).ok(),
        e_tag: Some(part.etag.clone()),
        ..Default::default()
    };
    requests::set_checksum!(completed, part.checksum.clone());
    completed
}

fn part_info(part: Part) -> PartInfo {
    PartInfo {
        number: part
            .part_number
            .and_then(|number| number.try_into().ok())
            .unwrap_or(0),
        size: answers::size(part.size),
        etag: answers::etag(&part.e_tag),
        modified: answers::millis(part.last_modified),
        checksum: answers::checksum!(part),
        encryption: None,
    }
}

fn coverage_name(coverage: Coverage) -> String {
    match coverage {
        Coverage::FullObject => "FULL_OBJECT".to_owned(),
        Coverage::Composite => "COMPOSITE".to_owned(),
    }
}
