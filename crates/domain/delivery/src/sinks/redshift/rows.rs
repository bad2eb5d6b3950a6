//! Staged objects as rows that PostgreSQL's `COPY … FROM STDIN` reads: unpacked, and each row in its form.

use std::{
    io::{self, Write},
    mem,
};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures_util::{Stream, TryStreamExt, stream};
use serde_json::{Map, Value, error::Category};

use super::options::{Options, Rows};
use crate::{limits::LOAD_ROW_BYTES_MAX, ports::ChunkStream};

/// The rows of an object, for a table's `columns`.
pub fn rows(object: ChunkStream, options: Options, columns: Vec<String>) -> ChunkStream {
    let unpacked: ChunkStream = if options.gzip {
        Box::pin(unpacked(object))
    } else {
        object
    };
    match options.rows {
        Rows::Csv(_) => unpacked,
        Rows::Delimited(delimiter) => {
            Box::pin(in_pieces(unpacked, move |text, _| lines(text, delimiter)))
        }
        Rows::Json => Box::pin(in_pieces(unpacked, move |text, last| {
            objects(text, &columns, last)
        })),
    }
}

fn unpacked(packed: ChunkStream) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let begun = (packed, Some(MultiGzDecoder::new(Vec::new())));
    stream::try_unfold(begun, async |(mut packed, decoder)| {
        let Some(mut decoder) = decoder else {
            return Ok(None);
        };
        match packed.try_next().await? {
            Some(chunk) => {
                decoder.write_all(&chunk)?;
                let out = mem::take(decoder.get_mut());
                Ok(Some((out.into(), (packed, Some(decoder)))))
            }
            None => Ok(Some((decoder.finish()?.into(), (packed, None)))),
        }
    })
}

/// The rows of a piece of an object, and how many of its bytes they took.
type Translated = io::Result<(Vec<u8>, usize)>;

/// Translates an object piece by piece; what is left of one comes before the next. `translate` is told which is the
/// last.
fn in_pieces(
    object: ChunkStream,
    translate: impl Fn(&[u8], bool) -> Translated + Send + Sync + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let begun = (Some(object), Vec::new(), translate);
    stream::try_unfold(begun, async |(object, mut text, translate)| {
        let Some(mut object) = object else {
            return Ok(None);
        };
        let chunk = object.try_next().await?;
        text.extend_from_slice(chunk.as_deref().unwrap_or_default());
        if chunk.is_none() && !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        let (rows, used) = translate(&text, chunk.is_none())?;
        text.drain(..used);
        if text.len() > LOAD_ROW_BYTES_MAX {
            return Err(bad(format!(
                "a row has more than {LOAD_ROW_BYTES_MAX} bytes"
            )));
        }
        Ok(Some((
            rows.into(),
            (chunk.map(|_| object), text, translate),
        )))
    })
}

fn bad(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Whole lines, with the backslashes escaped that PostgreSQL would take for escapes and Redshift takes as they are;
/// a field that is `\N` is NULL to both.
fn lines(text: &[u8], delimiter: char) -> Translated {
    let end = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let whole = &text[..end];
    if !whole.contains(&b'\\') {
        return Ok((whole.to_vec(), end));
    }
    let mut rows = Vec::with_capacity(end + end / 8);
    for line in whole.split_inclusive(|byte| *byte == b'\n') {
        for field in line.split_inclusive(|byte| char::from(*byte) == delimiter) {
            let bare = field.strip_suffix(b"\n").unwrap_or(field);
            let bare = bare.strip_suffix(&[delimiter as u8]).unwrap_or(bare);
            if bare == br"\N" {
                rows.extend_from_slice(field);
            } else {
                field.iter().for_each(|byte| match byte {
                    b'\\' => rows.extend_from_slice(br"\\"),
                    other => rows.push(*other),
                });
            }
        }
    }
    Ok((rows, end))
}

/// Whole JSON objects, which may stand one behind the other without anything between them.
fn objects(text: &[u8], columns: &[String], last: bool) -> Translated {
    let (mut rows, mut used) = (Vec::new(), 0);
    let mut objects = serde_json::Deserializer::from_slice(text).into_iter::<Map<String, Value>>();
    while let Some(object) = objects.next() {
        match object {
            Ok(object) => row(&object, columns, &mut rows),
            Err(error) if error.classify() == Category::Eof && !last => return Ok((rows, used)),
            Err(error) => return Err(bad(format!("a record is no JSON object: {error}"))),
        }
        used = objects.byte_offset();
    }
    Ok((rows, text.len()))
}

/// One row in PostgreSQL's text format.
fn row(object: &Map<String, Value>, columns: &[String], rows: &mut Vec<u8>) {
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            rows.push(b'\t');
        }
        match object.get(column) {
            None | Some(Value::Null) => rows.extend_from_slice(br"\N"),
            Some(Value::String(text)) => escaped(text.as_bytes(), rows),
            Some(other) => escaped(other.to_string().as_bytes(), rows),
        }
    }
    rows.push(b'\n');
}

fn escaped(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'\\' => out.extend_from_slice(br"\\"),
            b'\t' => out.extend_from_slice(br"\t"),
            b'\n' => out.extend_from_slice(br"\n"),
            b'\r' => out.extend_from_slice(br"\r"),
            other => out.push(*other),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use proptest::prelude::*;

    use super::*;
    use crate::sinks::http_endpoint::compressed;

    fn body(bytes: &[u8], piece: usize) -> ChunkStream {
        let pieces: Vec<_> = bytes
            .chunks(piece)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        stream::iter(pieces).boxed()
    }

    fn read(bytes: &[u8], piece: usize, options: &str, columns: &[&str]) -> Result<String, String> {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        let rows = rows(
            body(bytes, piece),
            Options::parse(options).unwrap(),
            columns,
        );
        let chunks = futures_util::FutureExt::now_or_never(rows.try_collect::<Vec<_>>()).unwrap();
        chunks
            .map(|chunks| String::from_utf8(chunks.concat()).unwrap())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn objects_become_rows_however_they_are_cut() {
        let text = br#"{"a":1,"b":"x\ty\\"}{"b":null,"a":[true]}
  {"c":"other","A":0}"#;
        for piece in [1, 3, 1000] {
            let rows = read(text, piece, "json 'auto'", &["a", "b"]).unwrap();
            assert_eq!(rows, "1\tx\\ty\\\\\n[true]\t\\N\n\\N\t\\N\n");
            let packed = compressed(text);
            assert_eq!(
                read(&packed, piece, "json 'auto' gzip", &["a", "b"]).unwrap(),
                rows
            );
        }
    }

    #[test]
    fn lines_keep_their_backslashes_and_csv_stays_as_it_is() {
        for piece in [1, 1000] {
            let rows = read(b"1|\\N|a\\b\n\\N|2|c", piece, "", &[]).unwrap();
            assert_eq!(rows, "1|\\N|a\\\\b\n\\N|2|c\n");
            assert_eq!(
                read(b"1,\"\\\"\n", piece, "csv", &[]).unwrap(),
                "1,\"\\\"\n"
            );
        }
    }

    #[test]
    fn what_is_no_row_is_an_error() {
        for bad in [&b"{\"a\":1}[2]"[..], b"{\"a\":", b"nonsense"] {
            assert!(
                read(bad, 4, "json 'auto'", &["a"])
                    .unwrap_err()
                    .contains("no JSON object")
            );
        }
        assert!(read(b"no gzip", 4, "gzip", &[]).is_err());
        let endless = vec![b' '; LOAD_ROW_BYTES_MAX + 2];
        let endless = [b"{\"a\":\"", &endless[..]].concat();
        assert!(
            read(&endless, 1 << 20, "json 'auto'", &["a"])
                .unwrap_err()
                .contains("more than")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_rows_or_an_error(bytes: Vec<u8>, piece in 1..9_usize, json: bool, gzip: bool) {
            let options = format!("{} {}", if json { "json" } else { "" }, if gzip { "gzip" } else { "" });
            let options = Options::parse(&options).unwrap();
            let rows = rows(body(&bytes, piece), options, vec!["a".into()]);
            drop(futures_util::FutureExt::now_or_never(rows.try_collect::<Vec<_>>()).unwrap());
        }
    }
}
