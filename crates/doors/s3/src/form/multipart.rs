//! Bodies of `multipart/form-data`, read part by part as they come (RFC 7578).
//!
//! Fields are held whole, within a bound on all that comes before the file; the file's bytes are passed on. Knows nothing
//! of what fields mean.

use std::{io, pin::Pin};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use headwater_wire::ApiError;
use memchr::memmem;
use percent_encoding::percent_decode_str;

use crate::limits::FORM_BYTES;

type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// A body on its way.
pub struct Multipart {
    chunks: Chunks,
    /// Bytes that came and are not taken yet.
    buffer: BytesMut,
    /// The end of a part: a new line, two dashes and the boundary.
    delimiter: Vec<u8>,
    /// How many bytes may still be taken before the file.
    left: usize,
}

/// The head of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, where it is one.
    pub filename: Option<String>,
}

/// The most bytes of a boundary (RFC 2046, section 5.1.1).
const BOUNDARY_BYTES: usize = 70;

impl Multipart {
    /// The parts of a body of this type; none where it is another.
    pub fn new(chunks: Chunks, content_type: &str) -> Option<Self> {
        let (kind, parameters) = content_type.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let boundary = parameter(parameters, "boundary")?;
        if !(1..=BOUNDARY_BYTES).contains(&boundary.len()) {
            return None;
        }
        Some(Self {
            chunks,
            // The first boundary has no line before it.
            buffer: BytesMut::from(&b"\r\n"[..]),
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            left: FORM_BYTES,
        })
    }

    /// Passes what stands before the first part.
    pub async fn start(&mut self) -> Result<(), ApiError> {
        self.field().await.map(drop)
    }

    /// The head of the next part, behind a delimiter.
    pub async fn next(&mut self) -> Result<Option<Part>, ApiError> {
        while self.buffer.len() < 2 {
            self.fill().await?;
        }
        if self.buffer.starts_with(b"--") {
            return Ok(None);
        }
        let padding = self.until(b"\r\n").await?;
        if !padding.iter().all(|b| matches!(b, b' ' | b'\t')) {
            return Err(malformed());
        }
        let mut part = None;
        loop {
            let line = self.until(b"\r\n").await?;
            if line.is_empty() {
                return part.map(Some).ok_or_else(malformed);
            }
            let line = std::str::from_utf8(&line).map_err(|_| malformed())?;
            let (name, value) = line.split_once(':').ok_or_else(malformed)?;
            if name.eq_ignore_ascii_case("content-disposition") {
                part = disposition(value);
            }
        }
    }

    /// All bytes of the part whose head was read.
    pub async fn field(&mut self) -> Result<Bytes, ApiError> {
        let delimiter = std::mem::take(&mut self.delimiter);
        let field = self.until(&delimiter).await;
        self.delimiter = delimiter;
        field
    }

    /// The bytes of the part whose head was read, as they come. What stands behind it is read and left aside.
    pub fn into_file(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::unfold(Some(self), |this| async {
            let mut this = this?;
            loop {
                match memmem::find(&this.buffer, &this.delimiter) {
                    Some(at) => {
                        let last = this.buffer.split_to(at).freeze();
                        return match this.drain().await {
                            Ok(()) => Some((Ok(last), None)),
                            Err(error) => Some((Err(error), None)),
                        };
                    }
                    None => {
                        // The delimiter may have begun at the end of what came.
                        let sure = (this.buffer.len() + 1).saturating_sub(this.delimiter.len());
                        if sure > 0 {
                            let some = this.buffer.split_to(sure).freeze();
                            return Some((Ok(some), Some(this)));
                        }
                    }
                }
                if let Err(error) = this.fill().await {
                    return Some((Err(io::Error::other(error)), None));
                }
            }
        })
    }

    async fn drain(&mut self) -> io::Result<()> {
        while let Some(chunk) = self.chunks.next().await {
            chunk?;
        }
        Ok(())
    }

    /// The bytes before `mark`, which is passed too.
    async fn until(&mut self, mark: &[u8]) -> Result<Bytes, ApiError> {
        loop {
            let found = memmem::find(&self.buffer, mark);
            let taken = found.map_or(self.buffer.len(), |at| at + mark.len());
            if taken > self.left {
                return Err(too_long());
            }
            if let Some(at) = found {
                self.left -= taken;
                let before = self.buffer.split_to(at).freeze();
                self.buffer.advance(mark.len());
                return Ok(before);
            }
            self.fill().await?;
        }
    }

    /// Waits for more bytes; the end of the body is none of a form's.
    async fn fill(&mut self) -> Result<(), ApiError> {
        match self.chunks.next().await {
            Some(Ok(chunk)) => {
                self.buffer.extend_from_slice(&chunk);
                Ok(())
            }
            Some(Err(error)) => Err(crate::errors::broken_body(&error)),
            None => Err(malformed()),
        }
    }
}

/// Name and file name in `form-data; name="a"; filename="b"`.
fn disposition(text: &str) -> Option<Part> {
    let (kind, parameters) = text.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let encoded = || {
        let text = parameter(parameters, "filename*")?;
        let text = text
            .get(..7)
            .filter(|set| set.eq_ignore_ascii_case("utf-8''"))
            .and(text.get(7..))?;
        Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
    };
    Some(Part {
        name: parameter(parameters, "name")?,
        filename: encoded().or_else(|| parameter(parameters, "filename")),
    })
}

/// The value of a parameter, `name=value` or `name="value"`, among several with semicolons between. In quotes a backslash
/// stands before a quote that is meant; any other backslash is itself, as in the paths that some browsers send.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (key, value) = rest.split_once('=')?;
        let is_named = key
            .trim_matches([';', ' ', '\t'])
            .eq_ignore_ascii_case(name);
        let (value, after) = match value.trim_start().strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => {
                let (value, after) = value.split_once(';').unwrap_or((value, ""));
                (value.trim().to_owned(), after)
            }
        };
        if is_named {
            return Some(value);
        }
        rest = after;
    }
}

/// A value up to its closing quote, and what stands behind.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' if characters.next_if(|(_, next)| *next == '"').is_some() => value.push('"'),
            c => value.push(c),
        }
    }
    None
}

/// A body is no form.
pub fn malformed() -> ApiError {
    ApiError::new(
        400,
        "MalformedPOSTRequest",
        "The body of your POST request is not well-formed multipart/form-data.",
    )
}

fn too_long() -> ApiError {
    ApiError::new(
        400,
        "MaxPostPreDataLengthExceeded",
        "Your POST request fields preceeding the upload file was too large.",
    )
    .with("MaxPostPreDataLengthBytes", FORM_BYTES.to_string())
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, TryStreamExt};
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XX";

    /// A body that comes in pieces of `size` bytes.
    fn multipart(body: &[u8], size: usize) -> Multipart {
        let chunks: Vec<io::Result<Bytes>> = body
            .chunks(size)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        Multipart::new(Box::pin(stream::iter(chunks)), TYPE).unwrap()
    }

    /// The fields before the one named `file`, and its name and bytes.
    async fn read(
        mut body: Multipart,
    ) -> Result<(Vec<(String, Bytes)>, Option<String>, Vec<u8>), ApiError> {
        let mut fields = Vec::new();
        body.start().await?;
        while let Some(part) = body.next().await? {
            if part.name == "file" {
                let file = body.into_file().map_ok(Vec::from).try_concat().await;
                let file = file.map_err(|error| crate::errors::broken_body(&error))?;
                return Ok((fields, part.filename, file));
            }
            fields.push((part.name, body.field().await?));
        }
        Ok((fields, None, Vec::new()))
    }

    const FORM: &str = "--XX\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na\r\n--X\r\n\
        --XX \r\ncontent-disposition: form-data; name=file; filename=\"a\\\"b\"\r\nContent-Type: x/y\r\n\r\n\
        \r\n--X1\r\n\r\n--XX\r\nContent-Disposition: form-data; name=\"after\"\r\n\r\nx\r\n--XX--";

    #[test]
    fn a_form_is_read_in_whatever_pieces_it_comes() {
        for size in 1..FORM.len() {
            let read = read(multipart(FORM.as_bytes(), size))
                .now_or_never()
                .unwrap();
            let (fields, name, file) = read.unwrap();
            assert_eq!(
                fields,
                [("key".to_owned(), Bytes::from_static(b"a\r\n--X"))]
            );
            assert_eq!(
                (name.as_deref(), &file[..]),
                (Some("a\"b"), &b"\r\n--X1\r\n"[..])
            );
        }
    }

    #[test]
    fn names_are_read_as_browsers_write_them() {
        for (text, name) in [
            (
                "form-data; name=\"file\"; filename=\"C:\\dir\\a.txt\"",
                Some("C:\\dir\\a.txt"),
            ),
            (
                "form-data; filename=\"a;b=c\"; name=\"file\"",
                Some("a;b=c"),
            ),
            (
                "form-data; name=file; filename*=UTF-8''%C3%A4; filename=\"x\"",
                Some("ä"),
            ),
            ("form-data; name=file", None),
        ] {
            let part = disposition(text).unwrap();
            assert_eq!(
                (part.name.as_str(), part.filename.as_deref()),
                ("file", name)
            );
        }
        for bad in [
            "",
            "attachment; name=x",
            "form-data; name=\"open",
            "form-data",
        ] {
            assert_eq!(disposition(bad), None, "{bad}");
        }
    }

    #[test]
    fn fields_have_a_bound_and_the_file_has_none() {
        let form = |key: usize, file: usize| {
            format!(
                "--XX\r\nContent-Disposition: form-data; name=key\r\n\r\n{}\r\n--XX\r\n\
                 Content-Disposition: form-data; name=file\r\n\r\n{}\r\n--XX--\r\n",
                "k".repeat(key),
                "f".repeat(file)
            )
        };
        let result = |form: String| {
            read(multipart(form.as_bytes(), 1000))
                .now_or_never()
                .unwrap()
        };
        assert_eq!(
            result(form(1, 10 * FORM_BYTES)).unwrap().2.len(),
            10 * FORM_BYTES
        );
        let refused = result(form(FORM_BYTES, 1)).unwrap_err();
        assert_eq!(refused.code(), "MaxPostPreDataLengthExceeded");
    }

    #[test]
    fn a_form_that_ends_early_is_malformed() {
        for cut in 0..FORM.len() - 60 {
            let read = read(multipart(&FORM.as_bytes()[..cut], 7))
                .now_or_never()
                .unwrap();
            assert_eq!(read.unwrap_err().code(), "MalformedPOSTRequest", "{cut}");
        }
    }

    proptest! {
        #[test]
        fn any_file_comes_back(file: Vec<u8>, size in 1usize..50) {
            prop_assume!(memmem::find(&file, b"\r\n--XX").is_none());
            let head: &[u8] = b"--XX\r\nContent-Disposition: form-data; name=file\r\n\r\n";
            let body = [head, &file, b"\r\n--XX--\r\n"].concat();
            let read = read(multipart(&body, size)).now_or_never().unwrap();
            prop_assert_eq!(read.unwrap().2, file);
        }

        #[test]
        fn any_bytes_are_taken_without_a_panic(bytes: Vec<u8>, size in 1usize..50, kind in ".{0,40}") {
            let _ = read(multipart(&bytes, size)).now_or_never();
            let _ = Multipart::new(Box::pin(stream::empty()), &kind);
            disposition(&kind);
        }

        #[test]
        fn any_form_is_taken_without_a_panic(text in "(--XX|\r\n|Content-Disposition: form-data; name=|\"|a|=|;|--){0,20}") {
            let _ = read(multipart(text.as_bytes(), 3)).now_or_never();
        }
    }
}
