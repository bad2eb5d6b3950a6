//! Encoders of objects: records as they are, compressed, piece by piece. GZIP is in its own file.

use std::{
    io::{self, Write},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::join_all;
use headwater_env::Env;
use parking_lot::Mutex;
use snap::raw;
use zip::write::{SimpleFileOptions, StreamWriter, ZipWriter};

use super::gzip::Gzip;
use crate::{
    config::Compression,
    limits::{HADOOP_BLOCK_BYTES, JAVA_BLOCK_BYTES},
    ports::ObjectsError,
    records::Failure,
};

/// Makes the bytes of one object.
pub enum Encoder {
    /// As they are.
    Plain,
    /// In one stream, on one thread at a time.
    Stream(Box<dyn Encode>),
    /// In blocks, on as many threads as there are.
    Gzip(Gzip),
}

/// The bytes that an encoder made of pieces.
pub struct Encoded {
    /// The object's next bytes.
    pub bytes: Result<Bytes, ObjectsError>,
    /// The places of the pieces that cannot be in it, and why.
    pub failed: Vec<(usize, Failure)>,
}

impl Encoder {
    /// Adds pieces.
    pub async fn add(self, env: &Env, pieces: Vec<Bytes>) -> (Self, Encoded) {
        match self {
            Self::Plain => {
                let bytes = Ok(joined(env, pieces).await);
                (
                    Self::Plain,
                    Encoded {
                        bytes,
                        failed: Vec::new(),
                    },
                )
            }
            Self::Stream(mut stream) => {
                let add = move || {
                    let failed = stream.add(&pieces);
                    let bytes = stream.take();
                    (Self::Stream(stream), Encoded { bytes, failed })
                };
                env.blocking(add).await
            }
            Self::Gzip(mut gzip) => {
                let text = joined(env, pieces).await;
                let blocks = gzip
                    .cut(&text)
                    .into_iter()
                    .map(|block| env.blocking(move || block.pack()));
                let bytes = Ok(gzip.join(&join_all(blocks).await));
                (
                    Self::Gzip(gzip),
                    Encoded {
                        bytes,
                        failed: Vec::new(),
                    },
                )
            }
        }
    }

    /// The last bytes.
    pub async fn finish(self, env: &Env) -> Result<Bytes, ObjectsError> {
        match self {
            Self::Plain => Ok(Bytes::new()),
            Self::Stream(stream) => env.blocking(move || stream.finish()).await,
            Self::Gzip(mut gzip) => Ok(gzip.end()),
        }
    }
}

async fn joined(env: &Env, pieces: Vec<Bytes>) -> Bytes {
    env.blocking(move || Bytes::from(pieces.concat())).await
}

/// An encoder that needs all that was before to go on.
pub trait Encode: Send {
    /// Adds pieces: the places of those that cannot be in it, and why.
    fn add(&mut self, pieces: &[Bytes]) -> Vec<(usize, Failure)>;

    /// The bytes that were made since the last call.
    fn take(&mut self) -> Result<Bytes, ObjectsError>;

    /// The last bytes.
    fn finish(self: Box<Self>) -> Result<Bytes, ObjectsError>;
}

/// An encoder of bytes. `name` is what an archive calls the one file in it.
pub fn encoder(compression: Compression, name: &str) -> Encoder {
    let out = Out::default();
    let to = out.clone();
    let stream: Box<dyn Compressor> = match compression {
        Compression::None => return Encoder::Plain,
        Compression::Gzip => return Encoder::Gzip(Gzip::default()),
        Compression::Zstd => {
            let encoder = zstd::stream::write::Encoder::new(to, zstd::DEFAULT_COMPRESSION_LEVEL);
            Box::new(encoder.expect("the default level is a level"))
        }
        Compression::Zip => Box::new(zip_of(to, name)),
        Compression::Snappy => Box::new(SnappyBlocks::java(to)),
        Compression::HadoopSnappy => Box::new(SnappyBlocks::hadoop(to)),
    };
    Encoder::Stream(Box::new(Compressed { stream, out }))
}

/// A buffer that compressors write to, and that the encoder takes bytes from.
#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Out {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock()).into()
    }
}

/// A compressor that writes to [`Out`], which does not fail.
trait Compressor: Write + Send {
    /// Writes what it still holds, and its end.
    fn end(self: Box<Self>) -> io::Result<()>;
}

struct Compressed {
    stream: Box<dyn Compressor>,
    out: Out,
}

impl Encode for Compressed {
    fn add(&mut self, pieces: &[Bytes]) -> Vec<(usize, Failure)> {
        // Pieces are as small as records, and a compressor's call costs as much as compressing a few of them.
        self.stream
            .write_all(&pieces.concat())
            .expect("writing to memory does not fail");
        Vec::new()
    }

    fn take(&mut self) -> Result<Bytes, ObjectsError> {
        Ok(self.out.take())
    }

    fn finish(self: Box<Self>) -> Result<Bytes, ObjectsError> {
        self.stream
            .end()
            .map_err(|error| ObjectsError::Failed(format!("compressing failed: {error}")))?;
        Ok(self.out.take())
    }
}

impl Compressor for zstd::stream::write::Encoder<'static, Out> {
    fn end(self: Box<Self>) -> io::Result<()> {
        self.finish().map(drop)
    }
}

/// An archive with one file.
fn zip_of(to: Out, name: &str) -> ZipWriter<StreamWriter<Out>> {
    let mut archive = ZipWriter::new_stream(to);
    // The time of a file would make the same records other bytes; its default is the same always.
    let options = SimpleFileOptions::default()
        .last_modified_time(zip::DateTime::default())
        .large_file(true);
    archive
        .start_file(name, options)
        .expect("writing to memory does not fail");
    archive
}

impl Compressor for ZipWriter<StreamWriter<Out>> {
    fn end(self: Box<Self>) -> io::Result<()> {
        (*self).finish().map(drop).map_err(io::Error::other)
    }
}

/// The first bytes of what snappy-java's `SnappyOutputStream` writes: its name, its version and the oldest that reads it.
const JAVA_HEAD: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";

/// Snappy in blocks: before each its length as four bytes, highest first.
struct SnappyBlocks {
    to: Out,
    block: Vec<u8>,
    block_bytes: usize,
    /// Whether the length of the block's data stands before that, in the same form.
    tells_data: bool,
}

impl SnappyBlocks {
    /// Blocks as Hadoop's `SnappyCodec` writes them.
    fn hadoop(to: Out) -> Self {
        Self {
            to,
            block: Vec::new(),
            block_bytes: HADOOP_BLOCK_BYTES,
            tells_data: true,
        }
    }

    /// Blocks behind a head as snappy-java writes them. AWS's `Snappy` is this format.
    fn java(to: Out) -> Self {
        to.0.lock().extend_from_slice(&JAVA_HEAD);
        Self {
            to,
            block: Vec::new(),
            block_bytes: JAVA_BLOCK_BYTES,
            tells_data: false,
        }
    }

    fn write_block(&mut self) -> io::Result<()> {
        let packed = raw::Encoder::new()
            .compress_vec(&self.block)
            .map_err(io::Error::other)?;
        if self.tells_data {
            self.write_length(self.block.len())?;
        }
        self.write_length(packed.len())?;
        self.block.clear();
        self.to.write_all(&packed)
    }

    fn write_length(&mut self, length: usize) -> io::Result<()> {
        let length = u32::try_from(length).map_err(io::Error::other)?;
        self.to.write_all(&length.to_be_bytes())
    }
}

impl Write for SnappyBlocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.block_bytes - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == self.block_bytes {
            self.write_block()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Compressor for SnappyBlocks {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        if self.block.is_empty() {
            Ok(())
        } else {
            self.write_block()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::HADOOP_BUFFER_BYTES;

    /// The data of blocks that each have their length, and before it, maybe, that of their data.
    fn unpacked(mut packed: &[u8], tells_data: bool) -> Vec<u8> {
        let mut data = Vec::new();
        let length = |packed: &mut &[u8]| {
            let (length, rest) = packed.split_first_chunk().unwrap();
            *packed = rest;
            u32::from_be_bytes(*length) as usize
        };
        while !packed.is_empty() {
            let told = tells_data.then(|| length(&mut packed));
            let bytes = length(&mut packed);
            let (block, rest) = packed.split_at(bytes);
            let block = raw::Decoder::new().decompress_vec(block).unwrap();
            assert!(told.is_none_or(|told| told == block.len()));
            data.extend(block);
            packed = rest;
        }
        data
    }

    #[test]
    fn what_does_not_shrink_fits_into_the_buffer_of_hadoops_reader() {
        assert!(raw::max_compress_len(HADOOP_BLOCK_BYTES) <= HADOOP_BUFFER_BYTES);
    }

    #[tokio::test]
    async fn snappy_is_in_the_blocks_of_its_two_readers() {
        let env = Env::real();
        let whole: Vec<u8> = (0..70_000u32).flat_map(u32::to_le_bytes).collect();
        let compressions = [
            (Compression::Snappy, &JAVA_HEAD[..], false),
            (Compression::HadoopSnappy, &[], true),
        ];
        for (compression, head, tells_data) in compressions {
            let mut encoder = encoder(compression, "name");
            let mut packed = Vec::new();
            for piece in whole.chunks(10_007) {
                let (next, made) = encoder.add(&env, vec![Bytes::copy_from_slice(piece)]).await;
                encoder = next;
                packed.extend(made.bytes.unwrap());
            }
            packed.extend(encoder.finish(&env).await.unwrap());
            let blocks = packed.strip_prefix(head).unwrap();
            assert!(unpacked(blocks, tells_data) == whole, "{compression:?}");
        }
    }
}
