//! The file as `docs/format/catalog.md` describes it: made where there is none, brought from an earlier format to the
//! present one.

use rusqlite::Connection;

use super::rows::{self, revision_checksum};
use crate::{CatalogError, Version};

const APPLICATION_ID: i64 = 0x4857_4354;
const FORMAT_VERSION: i64 = 2;

/// Brings the file to the present format. Refuses that of another program or of a newer Headwater.
pub fn prepare(connection: &Connection) -> Result<(), CatalogError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    match (pragma("application_id")?, pragma("user_version")?) {
        (APPLICATION_ID, FORMAT_VERSION) => rows::revision(connection).map(drop),
        (0, 0) => create(connection),
        (APPLICATION_ID, 1) => count_revisions(connection),
        (APPLICATION_ID, newer) => Err(CatalogError::Failed(
            format!(
                "the catalog has format {newer}, this program knows {FORMAT_VERSION}: use a newer one"
            )
            .into(),
        )),
        _ => Err(CatalogError::Failed(
            "catalog.sqlite belongs to another program".into(),
        )),
    }
}

fn create(connection: &Connection) -> Result<(), CatalogError> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         CREATE TABLE entries (
             key BLOB PRIMARY KEY, version INTEGER NOT NULL, crc INTEGER NOT NULL, value BLOB NOT NULL
         ) WITHOUT ROWID;
         {};
         PRAGMA application_id = {APPLICATION_ID};
         COMMIT;",
        revisions_from(Version(0))
    ))?;
    Ok(())
}

/// From format 1, where each key counted its own changes: the first revision comes after all these counts, so no row
/// has to be written anew.
fn count_revisions(connection: &Connection) -> Result<(), CatalogError> {
    let highest = "SELECT COALESCE(MAX(version), 0) FROM entries";
    let highest: i64 = connection.query_row(highest, [], |row| row.get(0))?;
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {}; COMMIT;",
        revisions_from(Version(highest as u64))
    ))?;
    tracing::info!("the catalog was brought from format 1 to format {FORMAT_VERSION}");
    Ok(())
}

/// The statements that make a catalog of format 2 out of its rows.
fn revisions_from(version: Version) -> String {
    format!(
        "CREATE TABLE revision (
             only INTEGER PRIMARY KEY CHECK (only = 1), value INTEGER NOT NULL, crc INTEGER NOT NULL
         );
         INSERT INTO revision (only, value, crc) VALUES (1, {}, {});
         PRAGMA user_version = {FORMAT_VERSION}",
        version.0,
        revision_checksum(version)
    )
}
