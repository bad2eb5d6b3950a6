//! Rows: read, written and checked, one statement each.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{CatalogError, Change, Version, Versioned, Write};

/// The value of `key`.
pub fn get(connection: &Connection, key: &str) -> Result<Option<Versioned>, CatalogError> {
    let mut select =
        connection.prepare_cached("SELECT version, crc, value FROM entries WHERE key = ?1")?;
    let row = select.query_row([key.as_bytes()], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    });
    row.optional()?
        .map(|(version, crc, value)| check(key, version, crc, value))
        .transpose()
}

/// At most `limit` keys that start with `prefix` and come after `after`, in order.
pub fn scan(
    connection: &Connection,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, Versioned)>, CatalogError> {
    let mut select = connection.prepare_cached(
        "SELECT key, version, crc, value FROM entries
         WHERE key >= ?1 AND key > ?2 AND (?3 IS NULL OR key < ?3) ORDER BY key LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let after = after.unwrap_or("").as_bytes();
    let rows = select.query_map(
        params![prefix.as_bytes(), after, end_of_prefix(prefix), limit],
        |row| {
            Ok((
                row.get::<_, Vec<u8>>(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
            ))
        },
    )?;
    let mut found = Vec::new();
    for row in rows {
        let (key, version, crc, value) = row?;
        let key = String::from_utf8_lossy(&key).into_owned();
        let value = check(&key, version, crc, value)?;
        found.push((key, value));
    }
    Ok(found)
}

/// The first bytes after all that start with `prefix`; none when nothing comes after.
fn end_of_prefix(prefix: &str) -> Option<Vec<u8>> {
    let mut end = prefix.as_bytes().to_vec();
    // UTF-8 has no byte 255, so the last byte can always be one more.
    *end.last_mut()? += 1;
    Some(end)
}

/// Makes one change of the commit that makes `revision`.
pub fn apply(
    connection: &Connection,
    change: &Change,
    revision: Version,
) -> Result<(), CatalogError> {
    let key = change.key.as_bytes();
    let mut select = connection.prepare_cached("SELECT version FROM entries WHERE key = ?1")?;
    let current: Option<i64> = select.query_row([key], |row| row.get(0)).optional()?;
    if !change.accepts(current.map(|version| Version(version as u64))) {
        return Err(CatalogError::Conflict {
            key: change.key.clone(),
        });
    }
    match &change.write {
        Write::Put(value) => connection
            .prepare_cached(
                "INSERT OR REPLACE INTO entries (key, version, crc, value) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                key,
                revision.0 as i64,
                checksum(key, revision, value),
                value.as_ref()
            ])?,
        Write::Remove => connection
            .prepare_cached("DELETE FROM entries WHERE key = ?1")?
            .execute([key])?,
        Write::Nothing => 0,
    };
    Ok(())
}

/// The newest revision.
pub fn revision(connection: &Connection) -> Result<Version, CatalogError> {
    let mut select = connection.prepare_cached("SELECT value, crc FROM revision")?;
    let (value, crc): (i64, i64) = select.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let version = Version(value as u64);
    if revision_checksum(version) != crc {
        return Err(CatalogError::Failed(
            "the catalog's revision is damaged: restore the folder catalog from a backup".into(),
        ));
    }
    Ok(version)
}

/// Notes the newest revision.
pub fn set_revision(connection: &Connection, version: Version) -> Result<(), CatalogError> {
    connection
        .prepare_cached("UPDATE revision SET value = ?1, crc = ?2")?
        .execute([version.0 as i64, revision_checksum(version)])?;
    Ok(())
}

/// The checksum of the revision's row.
pub fn revision_checksum(version: Version) -> i64 {
    checksum(b"", version, b"")
}

fn checksum(key: &[u8], version: Version, value: &[u8]) -> i64 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    digest.update(key);
    digest.update(&version.0.to_le_bytes());
    digest.update(value);
    digest.finalize() as i64
}

fn check(key: &str, version: i64, crc: i64, value: Vec<u8>) -> Result<Versioned, CatalogError> {
    let version = Version(version as u64);
    if checksum(key.as_bytes(), version, &value) != crc {
        return Err(CatalogError::Damaged {
            key: key.to_owned(),
            what: "its checksum is wrong".into(),
        });
    }
    Ok(Versioned {
        value: Bytes::from(value),
        version,
    })
}

impl From<rusqlite::Error> for CatalogError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Failed(error.to_string().into()),
        }
    }
}
