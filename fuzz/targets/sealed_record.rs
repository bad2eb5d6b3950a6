//! Records that claim to be encrypted.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_fuzz::{NOW, block_on, machine, target};
use headwater_log::{Record, ShardNumber};
use headwater_sealing::Sealer;

static SEALER: LazyLock<Sealer> = LazyLock::new(|| {
    let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
    block_on(Sealer::open(&machine().1, &catalog)).expect("an empty catalog takes a key")
});

target!(|input: (bool, &[u8])| {
    let (sealed, value) = input;
    let key = if sealed {
        Bytes::from_static(b"\xff")
    } else {
        Bytes::from_static(b"k")
    };
    let record = Record {
        offset: 0,
        time: NOW,
        key,
        value: Bytes::copy_from_slice(value),
    };
    drop(SEALER.unseal(ShardNumber(0), &record));
});
