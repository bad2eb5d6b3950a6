//! ListMultipartUploads.

use headwater_objects::{BucketName, ObjectError, ObjectName, UploadInfo, UploadQuery};
use headwater_shapes_s3::{
    Initiator, ListMultipartUploadsOutput, ListMultipartUploadsRequest, MultipartUpload,
    ops::ListMultipartUploads,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::{api, argument, coverage_name},
    limits::MAX_UPLOADS,
    listing::{self, Encoding},
    settings, storage_class,
    times::timestamp,
};

const READ: [&str; 6] = [
    "delimiter",
    "encoding-type",
    "key-marker",
    "max-uploads",
    "prefix",
    "upload-id-marker",
];

impl Handle<ListMultipartUploads> for S3 {
    async fn handle(
        &self,
        input: ListMultipartUploadsRequest,
        context: &Context,
    ) -> Result<ListMultipartUploadsOutput, ApiError> {
        settings::check(&input, &READ, context)?;
        let encoding = Encoding::asked(input.encoding_type.as_deref())?;
        let max_uploads = listing::limit(input.max_uploads, MAX_UPLOADS, "max-uploads")?;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let key_marker = text(&input.key_marker);
        let id_marker = input.upload_id_marker.clone().filter(|id| !id.is_empty());
        let query = UploadQuery {
            bucket: BucketName::parse(&input.bucket).map_err(api)?,
            prefix: text(&input.prefix),
            delimiter: input
                .delimiter
                .clone()
                .filter(|delimiter| !delimiter.is_empty()),
            // A marker of an upload means nothing without its key.
            after: (!key_marker.is_empty()).then(|| (key_marker.clone(), id_marker.clone())),
            limit: max_uploads as usize,
        };
        if let (false, Some(id)) = (key_marker.is_empty(), &id_marker) {
            self.check_marker(&query, &key_marker, id).await?;
        }
        let found = self.store.list_uploads(&query).await.map_err(api)?;
        let is_truncated = found.next.is_some();
        let last = found
            .uploads
            .last()
            .map(|last| (last.key.clone(), Some(last.id.clone())));
        let (next_key, next_id) = found.next.or(last).unwrap_or_default();
        let upload = |upload: UploadInfo| multipart_upload(upload, encoding, context);
        let uploads: Vec<_> = found.uploads.into_iter().map(upload).collect();
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            key_marker: Some(encoding.text(&key_marker)),
            upload_id_marker: Some(id_marker.unwrap_or_default()),
            next_key_marker: Some(encoding.text(&next_key)),
            next_upload_id_marker: Some(next_id.unwrap_or_default()),
            prefix: Some(encoding.text(&query.prefix)).filter(|prefix| !prefix.is_empty()),
            delimiter: query
                .delimiter
                .as_deref()
                .map(|delimiter| encoding.text(delimiter)),
            max_uploads: Some(max_uploads),
            is_truncated: Some(is_truncated),
            uploads: (!uploads.is_empty()).then_some(uploads),
            common_prefixes: encoding.prefixes(&found.prefixes),
            encoding_type: encoding.name(),
            ..Default::default()
        })
    }
}

impl S3 {
    /// Refuses a marker that is no upload of its key's.
    async fn check_marker(&self, query: &UploadQuery, key: &str, id: &str) -> Result<(), ApiError> {
        let name = ObjectName::new(query.bucket.clone(), key).map_err(api)?;
        match self.store.list_parts(&name, id, 0, 1).await {
            Err(ObjectError::NoSuchUpload(_)) => {
                Err(argument("Invalid uploadId marker", "upload-id-marker", id))
            }
            found => found.map(drop).map_err(api),
        }
    }
}

fn multipart_upload(upload: UploadInfo, encoding: Encoding, context: &Context) -> MultipartUpload {
    let owner = listing::owner(context);
    MultipartUpload {
        key: Some(encoding.text(&upload.key)),
        upload_id: Some(upload.id),
        initiated: Some(timestamp(upload.created)),
        storage_class: storage_class::listed(upload.storage_class.as_ref()),
        initiator: Some(Initiator {
            id: owner.id.clone(),
            display_name: None,
        }),
        owner: Some(owner),
        checksum_algorithm: upload
            .algorithm
            .map(|algorithm| algorithm.name().to_owned()),
        checksum_type: upload
            .algorithm
            .map(|_| coverage_name(upload.coverage).to_owned()),
        ..Default::default()
    }
}
