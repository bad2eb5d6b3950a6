//! The folders that blobs lie in, and blobs as streams.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::{Buf, Bytes};
use futures_util::TryStreamExt;
use headwater_env::{Env, buffers};
use headwater_sealing::{InstallationKey, TAG_LEN};

use super::{
    format::SEGMENT,
    id::BlobId,
    reader::BlobReader,
    writer::{BlobWriter, Written},
};
use crate::{Body, ObjectError, checksum::Digests};

/// All blobs of a store.
#[derive(Clone)]
pub struct BlobFiles {
    env: Env,
    dir: Arc<Path>,
    key: Arc<InstallationKey>,
    run: [u8; 4],
    /// Folders known to be there.
    folders: Arc<[AtomicBool; 256]>,
}

impl BlobFiles {
    /// The blobs in `dir`, which is made where it is missing, encrypted under `key`. Blocks on the disk.
    pub fn open(env: Env, dir: PathBuf, key: InstallationKey) -> Result<Self, ObjectError> {
        let make = || {
            env.disk.create_dir_all(&dir)?;
            dir.parent()
                .map_or(Ok(()), |above| env.disk.sync_dir(above))
        };
        make().map_err(|e| ObjectError::file(&dir, e))?;
        let mut run = [0; 4];
        env.random.fill(&mut run);
        let folders = Arc::new([const { AtomicBool::new(false) }; 256]);
        Ok(Self {
            env,
            dir: dir.into(),
            key: Arc::new(key),
            run,
            folders,
        })
    }

    /// Writes `body` as a new blob: durable when this returns, and removed again when it fails or is given up.
    pub async fn write(
        &self,
        body: Body,
        limit: u64,
        digests: Digests,
    ) -> Result<Written, ObjectError> {
        if body.len.is_some_and(|len| len > limit) {
            return Err(ObjectError::TooLarge { limit });
        }
        let id = self.new_id();
        let leftover = Leftover {
            files: self,
            id: Some(id),
        };
        let files = self.clone();
        let writer = self.env.blocking(move || files.create(id, digests)).await?;
        let (writer, last) = self.write_all_but_last(writer, body, limit).await?;
        let written = self.env.blocking(move || writer.finish(last)).await?;
        leftover.keep();
        Ok(written)
    }

    /// Writes what comes, and gives back the last segment: only the body's end tells that it is the last.
    async fn write_all_but_last(
        &self,
        mut writer: BlobWriter,
        mut body: Body,
        limit: u64,
    ) -> Result<(BlobWriter, Vec<u8>), ObjectError> {
        let expected = body.len;
        let room = expected.unwrap_or(SEGMENT).min(SEGMENT) as usize + TAG_LEN;
        let mut segment = buffers::with_room(room);
        let mut size = 0;
        while let Some(mut chunk) = body
            .chunks
            .try_next()
            .await
            .map_err(|e| ObjectError::Body(e.into()))?
        {
            size += chunk.len() as u64;
            check_size(size, expected, limit)?;
            while !chunk.is_empty() {
                if segment.len() as u64 == SEGMENT {
                    (writer, segment) = self.append(writer, segment).await?;
                }
                let taken = chunk.len().min(SEGMENT as usize - segment.len());
                segment.extend_from_slice(&chunk[..taken]);
                chunk.advance(taken);
            }
        }
        match expected.filter(|expected| *expected != size) {
            Some(expected) => Err(ObjectError::WrongLength {
                expected,
                actual: size,
            }),
            None => Ok((writer, segment)),
        }
    }

    async fn append(
        &self,
        mut writer: BlobWriter,
        mut segment: Vec<u8>,
    ) -> Result<(BlobWriter, Vec<u8>), ObjectError> {
        self.env
            .blocking(move || {
                writer.append(&mut segment)?;
                Ok((writer, segment))
            })
            .await
    }

    /// Opens the blob `id` of `size` bytes.
    pub async fn open_blob(&self, id: BlobId, size: u64) -> Result<Arc<BlobReader>, ObjectError> {
        let files = self.clone();
        let open = move || {
            let disk = &*files.env.disk;
            BlobReader::open(disk, &files.path(id), id, size, &files.key).map(Arc::new)
        };
        self.env.blocking(open).await
    }

    /// The data from `from` to `to` at most, to the end of `from`'s segment.
    pub async fn read(
        &self,
        blob: &Arc<BlobReader>,
        from: u64,
        to: u64,
    ) -> Result<Bytes, ObjectError> {
        let blob = blob.clone();
        self.env.blocking(move || blob.read(from, to)).await
    }

    /// Removes blobs. A failure is logged: the next sweep tries again.
    pub async fn remove(&self, ids: Vec<BlobId>) {
        let files = self.clone();
        self.env
            .blocking(move || ids.into_iter().for_each(|id| files.remove_now(id)))
            .await;
    }

    /// Removes blobs without waiting for it.
    pub fn remove_later(&self, ids: Vec<BlobId>) {
        if !ids.is_empty() {
            let files = self.clone();
            self.env.tasks.blocking(Box::new(move || {
                ids.into_iter().for_each(|id| files.remove_now(id))
            }));
        }
    }

    /// The blobs of earlier runs in folder number `folder`, in order.
    pub async fn of_earlier_runs(&self, folder: u8) -> Result<Vec<BlobId>, ObjectError> {
        let (dir, disk) = (self.folder(folder), self.env.disk.clone());
        let entries = match self.env.blocking(move || disk.list(&dir)).await {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed.map_err(|e| ObjectError::file(&self.folder(folder), e))?,
        };
        let ids = entries
            .iter()
            .filter_map(|entry| BlobId::parse(&entry.name));
        Ok(ids
            .filter(|id| id.run() != self.run && id.0[0] == folder)
            .collect())
    }

    fn new_id(&self) -> BlobId {
        let mut id = [0; 16];
        self.env.random.fill(&mut id[..12]);
        id[12..].copy_from_slice(&self.run);
        BlobId(id)
    }

    fn create(&self, id: BlobId, digests: Digests) -> Result<BlobWriter, ObjectError> {
        self.make_folder(id.0[0])
            .map_err(|e| ObjectError::file(&self.folder(id.0[0]), e))?;
        BlobWriter::create(self.env.disk.clone(), self.path(id), id, &self.key, digests)
    }

    fn make_folder(&self, folder: u8) -> io::Result<()> {
        let known = &self.folders[usize::from(folder)];
        if !known.load(Ordering::Acquire) {
            self.env.disk.create_dir_all(&self.folder(folder))?;
            self.env.disk.sync_dir(&self.dir)?;
            known.store(true, Ordering::Release);
        }
        Ok(())
    }

    fn remove_now(&self, id: BlobId) {
        match self.env.disk.remove(&self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(blob = %id, %error, "a blob that is no longer needed could not be removed");
            }
            _ => {}
        }
    }

    fn folder(&self, folder: u8) -> PathBuf {
        self.dir.join(format!("{folder:02x}"))
    }

    fn path(&self, id: BlobId) -> PathBuf {
        self.folder(id.0[0]).join(id.to_string())
    }
}

fn check_size(size: u64, expected: Option<u64>, limit: u64) -> Result<(), ObjectError> {
    match expected {
        Some(expected) if size > expected => Err(ObjectError::WrongLength {
            expected,
            actual: size,
        }),
        _ if size > limit => Err(ObjectError::TooLarge { limit }),
        _ => Ok(()),
    }
}

/// Removes a blob that was begun and not finished, also when the writer is dropped in the middle.
struct Leftover<'a> {
    files: &'a BlobFiles,
    id: Option<BlobId>,
}

impl Leftover<'_> {
    fn keep(mut self) {
        self.id = None;
    }
}

impl Drop for Leftover<'_> {
    fn drop(&mut self) {
        self.files
            .remove_later(self.id.take().into_iter().collect());
    }
}
