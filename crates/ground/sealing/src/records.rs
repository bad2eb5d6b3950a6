//! Records: what stands in the log for an encrypted one, and how it is read back.
//!
//! Each process draws a salt, derives a key from it, and counts its nonces, so that none is used twice; after
//! `MAX_SEALED` records it draws another salt. A reader finds all it needs in the record.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use headwater_catalog::{Catalog, CatalogError};
use headwater_env::Env;
use headwater_log::{Record, ShardNumber};
use parking_lot::Mutex;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey};

use crate::key::{InstallationKey, Undecryptable, nonce};

/// Records that one derived key encrypts: what is advised for AES-GCM, though counted nonces would allow for more.
const MAX_SEALED: u64 = 1 << 32;
/// The log's key of an encrypted record. No partition key is the same: they are UTF-8, which never has this byte.
pub const SEALED_KEY: &[u8] = &[0xff];
/// The first byte of the value.
const VERSION: u8 = 1;
/// Names what the derived keys are for.
const PURPOSE: &[u8] = b"headwater record 1";
const SALT: usize = 16;
/// Version, id of the installation's key, salt, counter.
const HEADER: usize = 1 + 4 + SALT + 8;

/// A partition key and data, and whether they were encrypted.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    /// The partition key.
    pub partition_key: Bytes,
    /// The data.
    pub data: Bytes,
    /// Whether it was encrypted.
    pub encrypted: bool,
}

/// Encrypts and decrypts the records of one installation.
pub struct Sealer {
    env: Env,
    key: InstallationKey,
    current: Mutex<Arc<Derived>>,
}

/// A key of one salt, and how many nonces of it were used.
struct Derived {
    salt: [u8; SALT],
    key: LessSafeKey,
    used: AtomicU64,
}

impl Derived {
    fn new(env: &Env, key: &InstallationKey) -> Arc<Self> {
        let mut salt = [0; SALT];
        env.random.fill(&mut salt);
        Arc::new(Self {
            salt,
            key: key.derive(salt, PURPOSE),
            used: AtomicU64::new(0),
        })
    }
}

impl Sealer {
    /// One that goes by the key that the catalog keeps, which is made where there is none.
    pub async fn open(env: &Env, catalog: &Arc<dyn Catalog>) -> Result<Self, CatalogError> {
        Ok(Self::new(env, InstallationKey::open(env, catalog).await?))
    }

    fn new(env: &Env, key: InstallationKey) -> Self {
        let current = Mutex::new(Derived::new(env, &key));
        Self {
            env: env.clone(),
            key,
            current,
        }
    }

    /// A key with a nonce that was never used with it.
    fn take(&self) -> (Arc<Derived>, u64) {
        let mut current = self.current.lock();
        let count = current.used.fetch_add(1, Ordering::Relaxed);
        if count < MAX_SEALED {
            return (current.clone(), count);
        }
        *current = Derived::new(&self.env, &self.key);
        (
            current.clone(),
            current.used.fetch_add(1, Ordering::Relaxed),
        )
    }

    /// The log's value of an encrypted record of a shard; its key is [`SEALED_KEY`].
    pub fn seal(&self, shard: ShardNumber, partition_key: &[u8], data: &[u8]) -> Vec<u8> {
        let (derived, count) = self.take();
        let header = header(self.key.id(), &derived.salt, count);
        let mut value = Vec::with_capacity(
            HEADER + 2 + partition_key.len() + data.len() + AES_256_GCM.tag_len(),
        );
        value.extend_from_slice(&header);
        // At most 256 characters, each of at most four bytes.
        value.extend_from_slice(&(partition_key.len() as u16).to_le_bytes());
        value.extend_from_slice(partition_key);
        value.extend_from_slice(data);
        let text = &mut value[HEADER..];
        let tag = derived
            .key
            .seal_in_place_separate_tag(nonce(count), aad(shard, &header), text);
        value.extend_from_slice(
            tag.expect("a record is far below the bound of GCM")
                .as_ref(),
        );
        value
    }

    /// The contents of a record of the log, encrypted or not.
    pub fn unseal(&self, shard: ShardNumber, record: &Record) -> Result<Opened, Undecryptable> {
        if record.key != SEALED_KEY {
            let (partition_key, data) = (record.key.clone(), record.value.clone());
            return Ok(Opened {
                partition_key,
                data,
                encrypted: false,
            });
        }
        let (header, sealed) = record
            .value
            .split_first_chunk::<HEADER>()
            .ok_or(Undecryptable)?;
        let salt: [u8; SALT] = header[5..5 + SALT]
            .try_into()
            .expect("the header holds a salt");
        let count = u64::from_le_bytes(
            header[5 + SALT..]
                .try_into()
                .expect("the header ends with a counter"),
        );
        if header[0] != VERSION || header[1..5] != self.key.id().to_le_bytes() {
            return Err(Undecryptable);
        }
        let known = self.current.lock().clone();
        let key = if known.salt == salt {
            &known.key
        } else {
            &self.key.derive(salt, PURPOSE)
        };
        let mut text = sealed.to_vec();
        let opened = key.open_in_place(nonce(count), aad(shard, header), &mut text);
        let length = opened.map_err(|_| Undecryptable)?.len();
        text.truncate(length);
        split(text.into()).ok_or(Undecryptable)
    }
}

fn split(text: Bytes) -> Option<Opened> {
    let key = usize::from(u16::from_le_bytes(*text.first_chunk()?)) + 2;
    let partition_key = (key <= text.len()).then(|| text.slice(2..key))?;
    Some(Opened {
        partition_key,
        data: text.slice(key..),
        encrypted: true,
    })
}

fn header(key: u32, salt: &[u8; SALT], count: u64) -> [u8; HEADER] {
    let mut header = [VERSION; HEADER];
    header[1..5].copy_from_slice(&key.to_le_bytes());
    header[5..5 + SALT].copy_from_slice(salt);
    header[5 + SALT..].copy_from_slice(&count.to_le_bytes());
    header
}

/// Binds a record to its shard: one that was moved to another cannot be read.
fn aad(shard: ShardNumber, header: &[u8; HEADER]) -> Aad<[u8; HEADER + 8]> {
    let mut aad = [0; HEADER + 8];
    aad[..HEADER].copy_from_slice(header);
    aad[HEADER..].copy_from_slice(&shard.0.to_le_bytes());
    Aad::from(aad)
}

#[cfg(test)]
mod tests {
    use headwater_env::SeededRandom;
    use headwater_types::Millis;
    use proptest::prelude::*;

    use super::*;

    const SHARD: ShardNumber = ShardNumber(7);

    fn env(seed: u64) -> Env {
        Env {
            random: Arc::new(SeededRandom::new(seed)),
            ..Env::real()
        }
    }

    fn sealer() -> Sealer {
        Sealer::new(&env(1), InstallationKey::new(&env(2)))
    }

    fn stored(value: Vec<u8>) -> Record {
        Record {
            offset: 0,
            time: Millis(1),
            key: Bytes::from_static(SEALED_KEY),
            value: value.into(),
        }
    }

    #[test]
    fn no_nonce_is_used_twice() {
        let sealer = sealer();
        let values: Vec<_> = (0..3).map(|_| sealer.seal(SHARD, b"k", b"d")).collect();
        assert_ne!(values[0], values[1]);
        sealer
            .current
            .lock()
            .used
            .store(MAX_SEALED - 1, Ordering::Relaxed);
        let last = sealer.seal(SHARD, b"k", b"d");
        let first = sealer.seal(SHARD, b"k", b"d");
        let salt = |value: &Vec<u8>| value[5..5 + SALT].to_vec();
        assert_eq!(salt(&last), values[0][5..5 + SALT]);
        assert_ne!(
            salt(&first),
            salt(&last),
            "a counter at its bound starts over with another key"
        );
        assert!(
            [last, first]
                .into_iter()
                .all(|record| sealer.unseal(SHARD, &stored(record)).is_ok())
        );
    }

    #[test]
    fn a_record_is_of_its_shard_and_its_installation() {
        let sealed = stored(sealer().seal(SHARD, b"k", b"d"));
        // As after a restart: the same key, another salt.
        let again = Sealer::new(&env(3), InstallationKey::new(&env(2)));
        assert!(again.unseal(SHARD, &sealed).is_ok());
        assert_eq!(again.unseal(ShardNumber(8), &sealed), Err(Undecryptable));
        let other = Sealer::new(&env(1), InstallationKey::new(&env(4)));
        assert_eq!(other.unseal(SHARD, &sealed), Err(Undecryptable));
    }

    proptest! {
        #[test]
        fn whatever_is_sealed_is_opened_and_damage_is_noticed(
            key in "\\PC{0,40}", data in proptest::collection::vec(any::<u8>(), 0..99), at in any::<prop::sample::Index>(),
        ) {
            let sealer = sealer();
            let mut sealed = stored(sealer.seal(SHARD, key.as_bytes(), &data));
            let expected = Opened { partition_key: key.into_bytes().into(), data: data.into(), encrypted: true };
            prop_assert_eq!(sealer.unseal(SHARD, &sealed), Ok(expected));
            let mut damaged = sealed.value.to_vec();
            *at.get_mut(&mut damaged[..]) ^= 1;
            sealed.value = damaged.into();
            prop_assert_eq!(sealer.unseal(SHARD, &sealed), Err(Undecryptable));
        }

        #[test]
        fn any_value_is_survived(value in proptest::collection::vec(any::<u8>(), 0..99)) {
            prop_assert_eq!(sealer().unseal(SHARD, &stored(value)), Err(Undecryptable));
        }
    }
}
