//! Where events come from: files and folders, or the objects under a prefix, in order, a piece at a time.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use headwater_client::{CallError, Client};
use headwater_env::{Env, File};
use headwater_shapes_s3 as s3;
use headwater_shapes_s3::ops;
use tokio::sync::mpsc;

use crate::{
    limits::{CHUNKS_MAX, FILE_CHUNK_BYTES, SOURCE_PAUSE_MAX, SOURCE_PAUSE_MIN},
    replay::{
        decode::unpacked,
        events::{self, Attributes, BadEvent, Format, ReplayEvent},
        extent::{Counted, Extent},
    },
};

/// Where to read.
#[derive(Clone)]
pub enum EventSource {
    /// Files, and all files under folders, in the order of their names.
    Files(Vec<PathBuf>),
    /// Objects, in the order of their keys.
    Objects {
        /// Calls the store.
        client: Box<Client>,
        /// The bucket.
        bucket: String,
        /// The prefix of the keys.
        prefix: String,
    },
}

/// How to read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// JSON or CSV.
    pub format: Format,
    /// The attributes of an event that hold its time and its partition key.
    pub attributes: Attributes,
    /// Events before this time, in milliseconds since the epoch, are left out.
    pub seek: Option<i64>,
    /// How long a store that does not answer is asked again.
    pub retry_for: Duration,
}

/// The error of a source, with the file, the line or the bucket.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A line that is not an event.
    #[error("{place}, line {line}, {problem}")]
    Event {
        /// The file or object.
        place: String,
        /// Counted from 1.
        line: u64,
        /// The reason.
        problem: BadEvent,
    },
    /// A file that cannot be read.
    #[error("{path}: {problem}")]
    File {
        /// Its path.
        path: String,
        /// Why it cannot be read.
        problem: io::Error,
    },
    /// A store that refuses or does not answer.
    #[error("s3://{place}: {problem}")]
    Store {
        /// Bucket and prefix.
        place: String,
        /// The store's error.
        problem: CallError,
    },
    /// There is nothing.
    #[error("{0}: there is nothing to replay; check the name and the prefix")]
    Nothing(String),
}

impl EventSource {
    /// Sends every event to `events`, until the end or until nobody listens, and counts them in `extent`.
    ///
    /// # Errors
    /// The first place that cannot be read.
    pub async fn feed(
        self,
        reading: Reading,
        events: mpsc::Sender<ReplayEvent>,
        extent: Arc<Extent>,
        env: Env,
    ) -> Result<(), SourceError> {
        let to = Listener { events, extent };
        match self {
            EventSource::Files(paths) => {
                env.clone()
                    .blocking(move || files(&paths, &reading, &to, &env))
                    .await
            }
            EventSource::Objects {
                client,
                bucket,
                prefix,
            } => {
                Objects {
                    client: *client,
                    bucket,
                    prefix,
                    reading,
                    env,
                }
                .feed(to)
                .await
            }
        }
    }
}

/// The other end of a source: where events go, and where they are counted.
#[derive(Clone)]
struct Listener {
    events: mpsc::Sender<ReplayEvent>,
    extent: Arc<Extent>,
}

/// Decodes one place and passes its events on; `false` when nobody listens any more.
fn decode(
    place: String,
    packed: impl Read + Send + 'static,
    reading: &Reading,
    to: &Listener,
) -> Result<bool, SourceError> {
    let mut listening = true;
    let mut each = |event: ReplayEvent| {
        if reading.seek.is_none_or(|seek| event.time >= seek) {
            to.extent.event(reading.seek.is_some());
            listening = to.events.blocking_send(event).is_ok();
        }
        listening
    };
    let packed = Counted {
        source: packed,
        extent: to.extent.clone(),
    };
    let read = match unpacked(packed) {
        Ok(text) => events::read(text, reading.format, &reading.attributes, &mut each),
        Err(error) => Err((1, error.into())),
    };
    read.map_err(|(line, problem)| SourceError::Event {
        place,
        line,
        problem,
    })?;
    Ok(listening)
}

fn files(
    paths: &[PathBuf],
    reading: &Reading,
    to: &Listener,
    env: &Env,
) -> Result<(), SourceError> {
    let all = paths.iter().flat_map(|path| files_under(path, env));
    let all: Vec<PathBuf> = all.collect();
    // A file that cannot be opened is told of in its turn.
    let sizes = all
        .iter()
        .filter_map(|file| env.disk.open_read(file).ok()?.len().ok());
    to.extent.measured(sizes.sum());
    for file in &all {
        let place = file.display().to_string();
        let opened = env
            .disk
            .open_read(file)
            .map_err(|problem| SourceError::File {
                path: place.clone(),
                problem,
            })?;
        let packed = FileReader {
            file: opened,
            offset: 0,
        };
        if !decode(place, packed, reading, to)? {
            return Ok(());
        }
    }
    let names = || {
        paths
            .iter()
            .map(|p| p.display().to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match all.is_empty() {
        false => Ok(()),
        true => Err(SourceError::Nothing(names())),
    }
}

/// A file itself, or all files under a folder, sorted by name.
pub(crate) fn files_under(path: &Path, env: &Env) -> Vec<PathBuf> {
    let Ok(entries) = env.disk.list(path) else {
        return vec![path.to_owned()];
    };
    entries
        .iter()
        .flat_map(|entry| match entry.is_dir {
            true => files_under(&path.join(&entry.name), env),
            false => vec![path.join(&entry.name)],
        })
        .collect()
}

struct FileReader {
    file: Box<dyn File>,
    offset: u64,
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(FILE_CHUNK_BYTES);
        let count = self.file.read_at(&mut buffer[..most], self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// The objects under a prefix.
#[derive(Clone)]
struct Objects {
    client: Client,
    bucket: String,
    prefix: String,
    reading: Reading,
    env: Env,
}

impl Objects {
    async fn feed(self, to: Listener) -> Result<(), SourceError> {
        let mut read = std::pin::pin!(self.read(&to));
        tokio::select! {
            done = &mut read => return done,
            () = self.measure(&to.extent) => {}
        }
        read.await
    }

    /// Adds up the sizes of all objects. Without them, where the store fails, the end is not foreseen.
    async fn measure(&self, extent: &Extent) {
        let (mut token, mut bytes) = (None, 0);
        while let Ok(page) = self.list(token).await {
            let sizes = page.contents.unwrap_or_default().into_iter();
            let sizes = sizes.filter_map(|object| u64::try_from(object.size?).ok());
            bytes += sizes.sum::<u64>();
            token = page.next_continuation_token;
            if token.is_none() {
                extent.measured(bytes);
                return;
            }
        }
    }

    async fn read(&self, to: &Listener) -> Result<(), SourceError> {
        let (mut token, mut any) = (None, false);
        loop {
            let page = self
                .list(token)
                .await
                .map_err(|problem| self.store_error(&self.prefix, problem))?;
            for object in page.contents.unwrap_or_default() {
                // A key that ends in a slash and holds nothing stands for a folder.
                if let Some(key) = object.key.filter(|_| object.size != Some(0)) {
                    any = true;
                    if !self.object(key, to).await? {
                        return Ok(());
                    }
                }
            }
            token = page.next_continuation_token;
            if token.is_none() {
                let place = format!("s3://{}/{}", self.bucket, self.prefix);
                return if any {
                    Ok(())
                } else {
                    Err(SourceError::Nothing(place))
                };
            }
        }
    }

    fn store_error(&self, key: &str, problem: CallError) -> SourceError {
        SourceError::Store {
            place: format!("{}/{key}", self.bucket),
            problem,
        }
    }

    async fn list(&self, token: Option<String>) -> Result<s3::ListObjectsV2Output, CallError> {
        let mut retries = StoreRetries::new(&self.env, self.reading.retry_for);
        loop {
            let input = s3::ListObjectsV2Request {
                bucket: self.bucket.clone(),
                prefix: Some(self.prefix.clone()),
                continuation_token: token.clone(),
                ..Default::default()
            };
            match self.client.call::<ops::ListObjectsV2>(input).await {
                Err(error) if retries.again(&error).await => {}
                done => return done,
            }
        }
    }

    /// One object's events; `false` when nobody listens any more.
    async fn object(&self, key: String, to: &Listener) -> Result<bool, SourceError> {
        let (chunks, pieces) = mpsc::channel(CHUNKS_MAX);
        let place = format!("s3://{}/{key}", self.bucket);
        let (reading, to) = (self.reading.clone(), to.clone());
        let decoded = self
            .env
            .blocking(move || decode(place, Pieces::new(pieces), &reading, &to));
        let (fetched, decoded) = tokio::join!(self.fetch(&key, chunks), decoded);
        // A store that fails is the cause; what the decoder says of it is not.
        fetched.map_err(|problem| self.store_error(&key, problem))?;
        decoded
    }

    /// Sends an object's bytes, going on where it was when the connection breaks. A changed object is an
    /// error.
    async fn fetch(
        &self,
        key: &str,
        chunks: mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<(), CallError> {
        let mut retries = StoreRetries::new(&self.env, self.reading.retry_for);
        let (mut offset, mut tag) = (0, None);
        loop {
            let input = s3::GetObjectRequest {
                bucket: self.bucket.clone(),
                key: key.to_owned(),
                range: (offset > 0).then(|| format!("bytes={offset}-")),
                if_match: tag.clone(),
                ..Default::default()
            };
            let mut output = match self.client.call::<ops::GetObject>(input).await {
                Ok(output) => output,
                Err(error) if retries.again(&error).await => continue,
                Err(error) => {
                    // The decoder must not take this for the object's end.
                    drop(chunks.send(Err(io::Error::other(error.to_string()))).await);
                    return Err(error);
                }
            };
            tag = tag.or(output.e_tag);
            let end = output.content_length.map(|rest| offset + rest as u64);
            let mut broken = false;
            while let Some(chunk) = output.body.chunks.next().await {
                let Ok(chunk) = chunk else {
                    broken = true;
                    break;
                };
                offset += chunk.len() as u64;
                retries.progress();
                if chunks.send(Ok(chunk)).await.is_err() {
                    return Ok(());
                }
            }
            if end.map_or(!broken, |end| offset >= end) {
                return Ok(());
            }
        }
    }
}

/// How often the store is asked again.
struct StoreRetries<'a> {
    env: &'a Env,
    most: Duration,
    since: Duration,
    pause: Duration,
}

impl<'a> StoreRetries<'a> {
    fn new(env: &'a Env, most: Duration) -> Self {
        Self {
            env,
            most,
            since: env.clock.elapsed(),
            pause: SOURCE_PAUSE_MIN,
        }
    }

    fn progress(&mut self) {
        self.since = self.env.clock.elapsed();
        self.pause = SOURCE_PAUSE_MIN;
    }

    /// Whether it is worth to ask again after `error`; waits before it says yes.
    async fn again(&mut self, error: &CallError) -> bool {
        let worth = error.retryable || error.unclear;
        if !worth || self.env.clock.elapsed().saturating_sub(self.since) >= self.most {
            return false;
        }
        tracing::debug!(%error, "asking the store again");
        self.env.clock.sleep(self.pause).await;
        self.pause = (self.pause * 2).min(SOURCE_PAUSE_MAX);
        true
    }
}

/// Pieces that arrive on a channel, read one behind the other by a thread that may block.
struct Pieces {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Pieces {
    fn new(pieces: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self {
            pieces,
            current: Bytes::new(),
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let count = self.current.len().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Reading {
        Reading {
            format: Format::Auto,
            attributes: Attributes {
                timestamp: "t".into(),
                partition_key: "k".into(),
            },
            seek: Some(2),
            retry_for: Duration::ZERO,
        }
    }

    async fn all(paths: Vec<PathBuf>) -> (Vec<i64>, Result<(), SourceError>) {
        let (to, mut from) = mpsc::channel(100);
        let done = EventSource::Files(paths)
            .feed(reading(), to, Arc::default(), Env::real())
            .await;
        let mut times = Vec::new();
        while let Some(event) = from.recv().await {
            times.push(event.time);
        }
        (times, done)
    }

    fn write(path: &Path, text: &str) {
        let file = Env::real().disk.create(path).unwrap();
        file.write_all_at(&[io::IoSlice::new(text.as_bytes())], 0)
            .unwrap();
    }

    #[tokio::test]
    async fn files_under_a_folder_are_read_by_name_from_the_time_sought() {
        let dir = tempfile::tempdir().unwrap();
        Env::real()
            .disk
            .create_dir_all(&dir.path().join("b"))
            .unwrap();
        write(&dir.path().join("c"), "{\"t\":5}\n{\"t\":1}\n{\"t\":6}");
        write(&dir.path().join("a"), "{\"t\":1}\n{\"t\":2}\n");
        write(&dir.path().join("b/x"), "t\n3\n4\n");
        let (times, done) = all(vec![dir.path().to_owned()]).await;
        done.unwrap();
        assert_eq!(times, [2, 3, 4, 5, 6]);
    }

    #[tokio::test]
    async fn an_error_says_where() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("a"), "{\"t\":2}\n{\"u\":3}\n");
        let (times, done) = all(vec![dir.path().to_owned()]).await;
        let error = done.unwrap_err().to_string();
        assert_eq!(times, [2]);
        assert!(error.contains("/a, line 2, has no time in `t`"), "{error}");
        assert!(matches!(
            all(vec![dir.path().join("none")]).await.1,
            Err(SourceError::File { .. })
        ));
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(
            all(vec![empty.path().to_owned()]).await.1,
            Err(SourceError::Nothing(_))
        ));
    }
}
