//! One object on its way to the store: compressed as it comes, begun with its first byte, atomic.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::stream;
use headwater_env::Env;
use tokio::sync::{mpsc, oneshot};

use crate::{
    encoding::{Encoded, Encoder, Form},
    limits::PIECES_WAITING_MAX,
    ports::{ChunkStream, ObjectMeta, Objects, ObjectsError},
    records::Failure,
};

/// Writes one object. Dropped before [`finish`](Self::finish), it leaves none.
pub struct ObjectWriter {
    env: Env,
    objects: Arc<dyn Objects>,
    bucket: String,
    key: String,
    form: Form,
    encryption_key: Option<String>,
    encoder: Option<Encoder>,
    put: Option<Put>,
}

/// A put under way.
struct Put {
    to: mpsc::Sender<Part>,
    done: oneshot::Receiver<Result<(), ObjectsError>>,
}

enum Part {
    Data(Bytes),
    /// The object is whole. A channel that closes without it means that it was given up.
    End,
}

impl ObjectWriter {
    /// A writer of `key` in `bucket`; nothing happens before the first write.
    pub fn new(env: Env, objects: Arc<dyn Objects>, bucket: &str, key: &str, form: Form) -> Self {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Self {
            env,
            objects,
            bucket,
            key,
            form,
            encryption_key: None,
            encoder: None,
            put: None,
        }
    }

    /// The same, with the object to be encrypted under the key of this ARN, where there is one.
    pub fn encrypted(self, key: &Option<String>) -> Self {
        Self {
            encryption_key: key.clone(),
            ..self
        }
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Appends pieces, one behind the other: the places of those that cannot be in it, and why. Waits while the store
    /// is slower.
    pub async fn write(
        &mut self,
        pieces: Vec<Bytes>,
    ) -> Result<Vec<(usize, Failure)>, ObjectsError> {
        if pieces.is_empty() {
            return Ok(Vec::new());
        }
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => self.form.encoder(&self.key)?,
        };
        let count = pieces.len();
        let (encoder, Encoded { bytes, failed }) = encoder.add(&self.env, pieces).await;
        self.encoder = Some(encoder);
        if failed.len() < count && self.put.is_none() {
            self.put = Some(self.begin());
        }
        self.send(bytes?).await?;
        Ok(failed)
    }

    async fn send(&mut self, out: Bytes) -> Result<(), ObjectsError> {
        match self.put.take() {
            Some(put) if !out.is_empty() => {
                if put.to.send(Part::Data(out)).await.is_err() {
                    return Err(gave_up(put.done).await);
                }
                self.put = Some(put);
            }
            put => self.put = put,
        }
        Ok(())
    }

    /// Completes the object and waits until it is durable; false when nothing was ever written.
    pub async fn finish(mut self) -> Result<bool, ObjectsError> {
        let (Some(encoder), Some(put)) = (self.encoder.take(), self.put.take()) else {
            return Ok(false);
        };
        let rest = encoder.finish(&self.env).await?;
        for part in [Part::Data(rest), Part::End] {
            if put.to.send(part).await.is_err() {
                return Err(gave_up(put.done).await);
            }
        }
        drop(put.to);
        put.done
            .await
            .unwrap_or_else(|_| Err(stopped()))
            .map(|()| true)
    }

    fn begin(&self) -> Put {
        let (to, parts) = mpsc::channel(PIECES_WAITING_MAX);
        let (tell, done) = oneshot::channel();
        let meta = ObjectMeta {
            content_type: "application/octet-stream",
            content_encoding: self.form.content_encoding(),
            encryption_key: self.encryption_key.clone(),
        };
        let (objects, bucket, key) = (self.objects.clone(), self.bucket.clone(), self.key.clone());
        self.env.spawn(async move {
            let result = objects.put(&bucket, &key, body(parts), meta).await;
            // Nobody listens when the delivery was given up.
            drop(tell.send(result));
        });
        Put { to, done }
    }
}

/// Why the store stopped reading.
async fn gave_up(done: oneshot::Receiver<Result<(), ObjectsError>>) -> ObjectsError {
    match done.await {
        Ok(Err(error)) => error,
        Ok(Ok(())) => ObjectsError::Failed("the store took an object before it was whole".into()),
        Err(_) => stopped(),
    }
}

fn stopped() -> ObjectsError {
    ObjectsError::Failed("the store stopped in the middle of an object".into())
}

fn body(parts: mpsc::Receiver<Part>) -> ChunkStream {
    Box::pin(stream::unfold(Some(parts), |parts| async {
        let mut parts = parts?;
        match parts.recv().await {
            Some(Part::Data(bytes)) => Some((Ok(bytes), Some(parts))),
            Some(Part::End) => None,
            None => Some((Err(io::Error::other("the delivery was given up")), None)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Compression,
        testing::{FakeObjects, Fuse, FusedObjects, PutFault},
    };

    fn writer(compression: Compression) -> (Arc<FakeObjects>, ObjectWriter) {
        let inner = Arc::new(FakeObjects::default());
        let objects = Arc::new(FusedObjects {
            inner: inner.clone(),
            fuse: Fuse::new(None),
        });
        (
            inner,
            ObjectWriter::new(
                Env::real(),
                objects,
                "bucket",
                "key",
                Form::Bytes(compression),
            ),
        )
    }

    #[tokio::test]
    async fn pieces_become_one_object() {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let (store, mut writer) = writer(compression);
            for i in 0..50 {
                let piece = Bytes::from(format!("{i}\n").repeat(5000));
                writer
                    .write(vec![piece.clone(), Bytes::new(), piece])
                    .await
                    .unwrap();
            }
            assert!(writer.finish().await.unwrap());
            let expected: String = (0..50).map(|i| format!("{i}\n").repeat(10_000)).collect();
            assert_eq!(store.text("key"), expected);
        }
    }

    #[tokio::test]
    async fn the_store_is_told_the_key_to_encrypt_under() {
        for key in [
            None,
            Some("arn:aws:kms:us-east-1:000000000000:key/k".to_owned()),
        ] {
            let (store, writer) = writer(Compression::None);
            let mut writer = writer.encrypted(&key);
            writer.write(vec!["a".into()]).await.unwrap();
            assert!(writer.finish().await.unwrap());
            assert_eq!(store.stored.lock()["key"].1.encryption_key, key);
        }
    }

    #[tokio::test]
    async fn nothing_written_is_no_object_and_an_empty_piece_is_an_empty_one() {
        let (store, writer_of_nothing) = writer(Compression::None);
        assert_eq!(writer_of_nothing.finish().await, Ok(false));
        assert_eq!(*store.puts.lock(), 0);
        let (store, mut writer) = writer(Compression::None);
        writer.write(vec![Bytes::new()]).await.unwrap();
        assert_eq!(
            (writer.finish().await, store.keys("")),
            (Ok(true), vec!["key".to_owned()])
        );
    }

    #[tokio::test]
    async fn an_object_that_is_given_up_is_none() {
        let (store, mut writer) = writer(Compression::None);
        writer.write(vec!["half".into()]).await.unwrap();
        drop(writer);
        // The put holds the store until it has ended.
        while Arc::strong_count(&store) > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!((*store.puts.lock(), store.keys("")), (1, vec![]));
    }

    #[tokio::test]
    async fn a_refusal_is_heard_while_writing_or_at_the_end() {
        let (store, mut writer) = writer(Compression::None);
        store.faults.lock().push_back(PutFault::Refused);
        let refused = loop {
            if let Err(error) = writer.write(vec!["more".into()]).await {
                break error;
            }
        };
        assert_eq!(refused, ObjectsError::Failed("refused by the test".into()));
    }
}
