//! Functions take their code out of buckets.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_lambda::{CodeSource, NoCode};
use headwater_objects::{Get, ObjectError, ObjectName, ObjectStore};

/// The object store of this server.
pub struct ObjectCode(pub Arc<dyn ObjectStore>);

#[async_trait]
impl CodeSource for ObjectCode {
    async fn get(&self, bucket: &str, key: &str, max: usize) -> Result<Bytes, NoCode> {
        let name = ObjectName::parse(bucket, key).map_err(to_lambda)?;
        let (_, body) = self.0.get(&Get::new(name)).await.map_err(to_lambda)?;
        body.collect(max).await.map_err(to_lambda)
    }
}

/// S3's own words, which Lambda passes on.
fn to_lambda(error: ObjectError) -> NoCode {
    if matches!(error, ObjectError::TooLarge { .. }) {
        return NoCode::TooLarge;
    }
    let (code, message) = match &error {
        ObjectError::NoSuchBucket(_) | ObjectError::InvalidBucketName(_) => (
            "NoSuchBucket",
            "The specified bucket does not exist".to_owned(),
        ),
        ObjectError::NoSuchKey(_) => ("NoSuchKey", "The specified key does not exist.".to_owned()),
        _ => ("InternalError", error.to_string()),
    };
    NoCode::Refused {
        code: code.to_owned(),
        message,
    }
}
