//! Blob files of objects, damaged: a read gives what was written, or an error.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::{path::Path, sync::Arc};

use headwater_catalog::MemoryCatalog;
use headwater_env::{Disk, SimDisk};
use headwater_fuzz::{block_on, machine, target};
use headwater_objects::{Body, BucketName, DirectoryStore, Get, ObjectName, ObjectStore, Put};

const DIR: &str = "/objects";

target!(|input: (u16, Vec<(u16, [u8; 4])>)| {
    let (len, changes) = input;
    let written: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
    let (disk, env) = machine();
    let name = ObjectName::new(BucketName::parse("bucket").expect("a good name"), "key");
    let name = name.expect("a good key");
    let store = block_on(async {
        let store =
            DirectoryStore::open(env, DIR.as_ref(), Arc::new(MemoryCatalog::default())).await;
        let store = store.expect("an empty folder opens");
        let bucket = BucketName::parse("bucket").expect("a good name");
        store.create_bucket(&bucket).await.expect("a new bucket");
        let body = Body::from_bytes(written.clone());
        store.put(Put::new(name.clone()), body).await.expect("room");
        store
    });
    damage(&disk, &changes);
    block_on(async {
        let Ok((_, body)) = store.get(&Get::new(name)).await else {
            return;
        };
        if let Ok(read) = body.collect(usize::MAX).await {
            assert_eq!(read, written, "other bytes than were written");
        }
    });
});

/// Changes bytes of the store's files; beyond the end a file is cut.
fn damage(disk: &SimDisk, changes: &[(u16, [u8; 4])]) {
    let mut files = Vec::new();
    list(disk, DIR.as_ref(), &mut files);
    for &(at, bytes) in changes {
        let at = usize::from(at);
        let Some(file) = files.get(at % files.len().max(1)) else {
            return;
        };
        let change = |now: &mut Vec<u8>| match now.get_mut(at..at + 4) {
            Some(place) => place.copy_from_slice(&bytes),
            None => now
                .truncate(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) % (now.len() + 1)),
        };
        disk.corrupt(file, change).expect("the file is there");
    }
}

fn list(disk: &dyn Disk, dir: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in disk.list(dir).unwrap_or_default() {
        let path = dir.join(&entry.name);
        match entry.is_dir {
            true => list(disk, &path, files),
            false => files.push(path),
        }
    }
}
