//! Reading objects.

use std::{io, sync::Arc, vec};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::{
    Store,
    gate::Permit,
    pins::Pin,
    records::{BucketRecord, Data, Extent, ObjectRecord},
};
use crate::{
    Body, ByteRange, Checksum, Get, ObjectError, ObjectInfo, ObjectPart, Selected, Versioning,
    blob::{BlobFiles, BlobReader},
    limits::COMMIT_ATTEMPTS,
};

impl Store {
    pub(super) async fn head(&self, get: &Get) -> Result<Selected, ObjectError> {
        let bucket = self.bucket_record(get.name.bucket()).await?.value;
        let version = get.version.as_deref();
        let found = self.find(&get.name, version, bucket.versioning);
        let record = found.await?.record;
        let selected = self.select(get, &record, &[], &bucket);
        match get.range {
            Some(ByteRange::Part(_))
                if !matches!(selected, Err(ObjectError::NotModified { .. })) =>
            {
                let (record, extents, _pin) = self.pinned(get, bucket.versioning).await?;
                self.select(get, &record, &extents, &bucket)
            }
            _ => selected,
        }
    }

    pub(super) async fn get(&self, get: &Get) -> Result<(Selected, Body), ObjectError> {
        let permit = self.readers.enter().await?;
        let bucket = self.bucket_record(get.name.bucket()).await?.value;
        let (record, extents, pin) = self.pinned(get, bucket.versioning).await?;
        let selected = self.select(get, &record, &extents, &bucket)?;
        let len = selected.end - selected.start;
        let reading = Reading {
            blobs: self.blobs.clone(),
            extents: extents.into_iter(),
            open: None,
            skip: selected.start,
            left: len,
            _permit: permit,
            _pin: pin,
        };
        Ok((
            selected,
            Body::new(begun(reading.chunks()).await?, Some(len)),
        ))
    }

    pub(super) async fn parts(
        &self,
        get: &Get,
    ) -> Result<(ObjectInfo, Vec<ObjectPart>), ObjectError> {
        let bucket = self.bucket_record(get.name.bucket()).await?.value;
        let (record, extents, _pin) = self.pinned(get, bucket.versioning).await?;
        let version = bucket.version_of(&record);
        let object = bucket.tell(get.name.key(), record, version);
        if object.parts.is_none() {
            return Ok((object, Vec::new()));
        }
        let part = |(number, extent): (u32, Extent)| ObjectPart {
            number,
            size: extent.size,
            checksum: extent.checksum.and_then(|value| {
                let checksum = object.checksum.clone()?;
                Some(Checksum { value, ..checksum })
            }),
        };
        let parts = (1..).zip(extents).map(part).collect();
        Ok((object, parts))
    }

    /// The bytes that `get` asks for of the object `record`; `extents` is only looked at for a part.
    fn select(
        &self,
        get: &Get,
        record: &ObjectRecord,
        extents: &[Extent],
        bucket: &BucketRecord,
    ) -> Result<Selected, ObjectError> {
        let mut object = bucket.tell(get.name.key(), record.clone(), bucket.version_of(record));
        object.expires.take_if(|_| get.version.is_some());
        get.conditions.check(&object, self.env.clock.now())?;
        let (start, end) = resolve(get.range, object.size, extents)?;
        Ok(Selected {
            checksum: checksum(&object, get.range, (start, end), extents),
            object,
            start,
            end,
        })
    }

    /// An object and its extents, kept from being removed.
    async fn pinned(
        &self,
        get: &Get,
        versioning: Option<Versioning>,
    ) -> Result<(ObjectRecord, Vec<Extent>, Pin), ObjectError> {
        let find = || self.find(&get.name, get.version.as_deref(), versioning);
        for _ in 0..COMMIT_ATTEMPTS {
            let record = find().await?.record;
            let pin = self.pins.pin(&record.data.name());
            // Data that is still named after it was pinned stays until it is unpinned.
            if find().await?.record.data == record.data {
                let extents = self.extents(&record.data, record.size).await?;
                return Ok((record, extents, pin));
            }
        }
        Err(ObjectError::Busy)
    }

    /// Where the bytes of `data`, `size` in all, are.
    pub(super) async fn extents(&self, data: &Data, size: u64) -> Result<Vec<Extent>, ObjectError> {
        match data {
            Data::Blob(blob) => Ok(vec![Extent {
                blob: *blob,
                size,
                checksum: None,
            }]),
            Data::Parts { upload, .. } => Ok(self
                .tables
                .manifests
                .get(upload)
                .await?
                .map(|found| found.value)
                .unwrap_or_default()),
        }
    }
}

/// The checksum of the bytes from `start` to `end`, where it is known: that of a part is kept where the upload was begun
/// with an algorithm.
fn checksum(
    object: &ObjectInfo,
    range: Option<ByteRange>,
    (start, end): (u64, u64),
    extents: &[Extent],
) -> Option<Checksum> {
    match (range, object.parts) {
        (Some(ByteRange::Part(number)), Some(_)) => Some(Checksum {
            value: extents.get(number as usize - 1)?.checksum.clone()?,
            ..object.checksum.clone()?
        }),
        _ => object
            .checksum
            .clone()
            .filter(|_| end - start == object.size),
    }
}

/// The first byte of `range`, and the byte after its last, in an object of `size` bytes.
fn resolve(
    range: Option<ByteRange>,
    size: u64,
    extents: &[Extent],
) -> Result<(u64, u64), ObjectError> {
    match range {
        None => Ok((0, size)),
        Some(ByteRange::From(first)) if first < size => Ok((first, size)),
        Some(ByteRange::Between(first, last)) if first <= last && first < size => {
            Ok((first, size.min(last.saturating_add(1))))
        }
        Some(ByteRange::Last(count)) if count > 0 && size > 0 => {
            Ok((size.saturating_sub(count), size))
        }
        Some(ByteRange::Part(number)) => {
            let missing = || ObjectError::NoSuchPart {
                number,
                count: extents.len() as u32,
            };
            let index = (number as usize).checked_sub(1).ok_or_else(missing)?;
            let part = extents.get(index).ok_or_else(missing)?;
            let start = extents[..index].iter().map(|extent| extent.size).sum();
            Ok((start, start + part.size))
        }
        Some(_) => Err(ObjectError::InvalidRange { size }),
    }
}

/// `chunks`, the first of which is read already: what fails at once fails the request and not just its body.
async fn begun(
    chunks: impl Stream<Item = Result<Bytes, ObjectError>> + Send + 'static,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, ObjectError> {
    let mut chunks = Box::pin(chunks);
    let first = chunks.try_next().await?;
    let rest = chunks.map_err(|error| {
        tracing::error!(%error, "an object could not be read to its end");
        io::Error::other(error)
    });
    Ok(stream::iter(first.map(Ok)).chain(rest))
}

/// A walk over the extents of an object.
struct Reading {
    blobs: BlobFiles,
    extents: vec::IntoIter<Extent>,
    /// The blob being read, its size, and the next byte of it.
    open: Option<(Arc<BlobReader>, u64, u64)>,
    /// Bytes to pass over before the first one given out.
    skip: u64,
    /// Bytes still to give out.
    left: u64,
    _permit: Permit,
    _pin: Pin,
}

impl Reading {
    fn chunks(self) -> impl Stream<Item = Result<Bytes, ObjectError>> + Send + 'static {
        stream::try_unfold(self, |mut reading| async move {
            let chunk = reading.next().await?;
            Ok(chunk.map(|chunk| (chunk, reading)))
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        while self.left > 0 {
            let Some((blob, size, at)) = &mut self.open else {
                self.open_next().await?;
                continue;
            };
            if at == size {
                self.open = None;
                continue;
            }
            let end = (*size).min(at.saturating_add(self.left));
            let chunk = self.blobs.read(blob, *at, end).await?;
            *at += chunk.len() as u64;
            self.left -= chunk.len() as u64;
            return Ok(Some(chunk));
        }
        Ok(None)
    }

    async fn open_next(&mut self) -> Result<(), ObjectError> {
        let extent = self
            .extents
            .next()
            .expect("the extents hold all of the object");
        if self.skip >= extent.size {
            self.skip -= extent.size;
            return Ok(());
        }
        let blob = self.blobs.open_blob(extent.blob, extent.size).await?;
        self.open = Some((blob, extent.size, std::mem::take(&mut self.skip)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_range_lies_within_the_object_and_is_not_empty(size: u64, a: u64, b: u64, kind in 0..3) {
            let range = [ByteRange::From(a), ByteRange::Between(a, b), ByteRange::Last(a)][kind as usize];
            if let Ok((start, end)) = resolve(Some(range), size, &[]) {
                prop_assert!(start < end && end <= size);
            }
        }
    }

    #[test]
    fn ranges_are_cut_at_the_end_and_refused_beyond_it() {
        let of = |range| resolve(Some(range), 10, &[]).ok();
        assert_eq!(of(ByteRange::Between(2, 4)), Some((2, 5)));
        assert_eq!(of(ByteRange::Between(2, u64::MAX)), Some((2, 10)));
        assert_eq!(of(ByteRange::From(9)), Some((9, 10)));
        assert_eq!(of(ByteRange::Last(99)), Some((0, 10)));
        for beyond in [
            ByteRange::From(10),
            ByteRange::Between(10, 11),
            ByteRange::Last(0),
        ] {
            assert_eq!(of(beyond), None);
        }
    }
}
