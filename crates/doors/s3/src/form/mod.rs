//! Forms that browsers post: their fields, and the file behind them.

mod multipart;
mod policy;

use std::collections::BTreeMap;

use futures_util::{Stream, StreamExt, stream};
use headwater_shapes::ByteStream;
use headwater_wire::ApiError;

use bytes::Bytes;
pub use multipart::Multipart;
pub use policy::{Policy, Sizes};

/// The field that holds the file; what comes behind it means nothing.
const FILE: &str = "file";
/// The variable that stands for the file's name in any field.
const FILE_NAME: &str = "${filename}";

/// A form up to its file.
pub struct Form {
    /// The fields before the file, by their names in small letters.
    pub fields: BTreeMap<String, String>,
    /// The body, at the first byte of the file.
    pub file: Multipart,
}

impl Form {
    /// Reads the fields of a form.
    pub async fn read(mut body: Multipart) -> Result<Self, ApiError> {
        let mut fields = BTreeMap::new();
        body.start().await?;
        while let Some(part) = body.next().await? {
            let name = part.name.to_ascii_lowercase();
            if name == FILE {
                if let Some(file) = part.filename.as_deref() {
                    expand(&mut fields, file);
                }
                return Ok(Self { fields, file: body });
            }
            let value = String::from_utf8(body.field().await?.into());
            fields.insert(name, value.map_err(|_| multipart::malformed())?);
        }
        Err(ApiError::new(
            400,
            "InvalidArgument",
            "POST requires exactly one file upload per request.",
        )
        .with("ArgumentName", FILE)
        .with("ArgumentValue", "0"))
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The file as a body, which fails at its end where its size is not allowed.
    pub fn into_body(self, sizes: Option<Sizes>) -> ByteStream {
        let chunks = self.file.into_file();
        match sizes {
            None => ByteStream {
                chunks: chunks.boxed(),
                len: None,
            },
            Some(sizes) => ByteStream {
                chunks: within(chunks, sizes).boxed(),
                len: None,
            },
        }
    }
}

/// Puts the file's name, without the folders that some browsers send, in the place of the variable.
fn expand(fields: &mut BTreeMap<String, String>, file: &str) {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    for value in fields
        .values_mut()
        .filter(|value| value.contains(FILE_NAME))
    {
        *value = value.replace(FILE_NAME, name);
    }
}

/// The chunks while they are not too many, and an error at the end where they were too many or too few: S3 says how many
/// there were.
fn within(
    chunks: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    sizes: Sizes,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    let state = Some((Box::pin(chunks), 0u64));
    stream::unfold(state, move |state| async move {
        let (mut chunks, mut size) = state?;
        while let Some(chunk) = chunks.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => return Some((Err(error), None)),
            };
            size += chunk.len() as u64;
            if size <= sizes.max {
                return Some((Ok(chunk), Some((chunks, size))));
            }
        }
        let wrong = wrong_size(size, sizes)?;
        Some((Err(std::io::Error::other(wrong)), None))
    })
}

fn wrong_size(size: u64, sizes: Sizes) -> Option<ApiError> {
    let (code, text, name, bound) = if size > sizes.max {
        let text = "Your proposed upload exceeds the maximum allowed size";
        ("EntityTooLarge", text, "MaxSizeAllowed", sizes.max)
    } else if size < sizes.min {
        let text = "Your proposed upload is smaller than the minimum allowed size";
        ("EntityTooSmall", text, "MinSizeAllowed", sizes.min)
    } else {
        return None;
    };
    let error = ApiError::new(400, code, text).with("ProposedSize", size.to_string());
    Some(error.with(name, bound.to_string()))
}
