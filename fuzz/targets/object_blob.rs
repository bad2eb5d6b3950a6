//! Blob files of objects, damaged: a read gives what was written, or an error.
#![no_main]

use std::{path::Path, sync::Arc};

use headwater_catalog::MemoryCatalog;
use headwater_env::Disk;
use headwater_fuzz::{block_on, machine};
use headwater_objects::{Body, BucketName, DirectoryStore, Get, ObjectName, ObjectStore, Put};
use libfuzzer_sys::fuzz_target;

const DIR: &str = "/objects";

fuzz_target!(|input: (u16, Vec<(u16, [u8; 4])>)| {
    let (len, changes) = input;
    let written: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
    let (disk, env) = machine();
    block_on(async {
        let store =
            DirectoryStore::open(env, DIR.as_ref(), Arc::new(MemoryCatalog::default())).await;
        let store = store.expect("an empty folder opens");
        let bucket = BucketName::parse("bucket").expect("a good name");
        store.create_bucket(&bucket).await.expect("a new bucket");
        let name = ObjectName::new(bucket, "key").expect("a good key");
        store
            .put(Put::new(name.clone()), Body::from_bytes(written.clone()))
            .await
            .expect("room");
        let mut files = Vec::new();
        list(&disk, DIR.as_ref(), &mut files);
        for (at, bytes) in &changes {
            let Some(file) = files.get(usize::from(*at) % files.len().max(1)) else {
                return;
            };
            let change =
                |now: &mut Vec<u8>| match now.get_mut(usize::from(*at)..usize::from(*at) + 4) {
                    Some(place) => place.copy_from_slice(bytes),
                    None => now.truncate(
                        usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) % (now.len() + 1),
                    ),
                };
            disk.corrupt(file, change).expect("the file is there");
        }
        let Ok((_, body)) = store.get(&Get::new(name)).await else {
            return;
        };
        if let Ok(read) = body.collect(usize::MAX).await {
            assert_eq!(read, written, "other bytes than were written");
        }
    });
});

fn list(disk: &dyn Disk, dir: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in disk.list(dir).unwrap_or_default() {
        let path = dir.join(&entry.name);
        match entry.is_dir {
            true => list(disk, &path, files),
            false => files.push(path),
        }
    }
}
