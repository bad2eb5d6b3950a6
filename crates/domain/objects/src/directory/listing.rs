//! Listing in the order of keys, with what shares a prefix rolled up.

use std::cmp::Reverse;

use headwater_catalog::Table;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Store,
    records::{Version, after_upload, after_version, escaped, past, split_upload, version_key},
};
use crate::{
    BucketName, Listing, ObjectError, ObjectInfo, ObjectName, ObjectQuery, UploadInfo,
    UploadListing, UploadQuery, VersionInfo, VersionListing, VersionQuery, limits::PAGE_MAX,
};

/// Rows to list, in the order of their keys.
trait Rows {
    /// Where a row stands among them.
    type Place: Clone;
    /// A row.
    type Row;

    /// At most `limit` rows after `after`, with their keys and places.
    async fn page(
        &self,
        after: Option<&Self::Place>,
        limit: usize,
    ) -> Result<Vec<(String, Self::Place, Self::Row)>, ObjectError>;

    /// The place after all rows whose keys start with `prefix`.
    fn past(&self, prefix: &str) -> Self::Place;
}

/// A line of a listing.
enum Line<T> {
    Row(T),
    Prefix(String),
}

/// How keys are rolled up.
#[derive(Clone, Copy)]
struct Roll<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
}

impl<'a> Roll<'a> {
    /// The prefix that `key` is rolled up to, when it has the delimiter after the prefix.
    fn up(self, key: &str) -> Option<&str> {
        let (delimiter, rest) = (self.delimiter?, key.strip_prefix(self.prefix)?);
        let end = self.prefix.len() + rest.find(delimiter)? + delimiter.len();
        Some(&key[..end])
    }
}

/// At most `limit` lines after `after`, and whether there are more.
async fn lines<R: Rows>(
    rows: &R,
    roll: Roll<'_>,
    mut after: Option<R::Place>,
    limit: usize,
) -> Result<(Vec<Line<R::Row>>, bool), ObjectError> {
    let limit = limit.min(PAGE_MAX);
    let mut lines = Vec::new();
    let mut rolled: Option<String> = None;
    if limit == 0 {
        return Ok((lines, false));
    }
    loop {
        let room = limit - lines.len() + 1;
        let page = rows.page(after.as_ref(), room).await?;
        let is_last = page.len() < room;
        for (key, place, row) in page {
            after = Some(place);
            if rolled
                .as_ref()
                .is_some_and(|prefix| key.starts_with(prefix))
            {
                continue;
            }
            if lines.len() == limit {
                return Ok((lines, true));
            }
            rolled = roll.up(&key).map(str::to_owned);
            lines.push(match &rolled {
                Some(prefix) => Line::Prefix(prefix.clone()),
                None => Line::Row(row),
            });
        }
        if is_last {
            return Ok((lines, false));
        }
        // The rows left under the prefix are passed over at once.
        if let Some(prefix) = &rolled {
            after = Some(rows.past(prefix));
        }
    }
}

/// The rows of a table whose names start with `<bucket>/` and a prefix. A place is a name without the bucket.
struct TableRows<'a, T, R> {
    table: &'a Table<T>,
    scope: String,
    prefix: &'a str,
    /// The key and what is listed, of a name and a record.
    read: fn(&str, T) -> (String, R),
}

impl<T: Serialize + DeserializeOwned, R> Rows for TableRows<'_, T, R> {
    type Place = String;
    type Row = R;

    async fn page(
        &self,
        after: Option<&String>,
        limit: usize,
    ) -> Result<Vec<(String, String, R)>, ObjectError> {
        let start = format!("{}{}", self.scope, self.prefix);
        let after = after.map(|after| format!("{}{after}", self.scope));
        let rows = self.table.scan(&start, after.as_deref(), limit).await?;
        let row = |(name, found): (String, headwater_catalog::Versioned<T>)| {
            let place = name[self.scope.len()..].to_owned();
            let (key, row) = (self.read)(&place, found.value);
            (key, place, row)
        };
        Ok(rows.into_iter().map(row).collect())
    }

    fn past(&self, prefix: &str) -> String {
        past(prefix)
    }
}

/// All versions of keys with a prefix.
struct VersionRows<'a> {
    store: &'a Store,
    bucket: &'a BucketName,
    prefix: &'a str,
}

/// The place of a version of a key, by its order; the place after all of them without one.
#[derive(Clone)]
struct VersionPlace {
    key: String,
    order: Option<u64>,
}

impl Rows for VersionRows<'_> {
    type Place = VersionPlace;
    type Row = VersionInfo;

    async fn page(
        &self,
        after: Option<&VersionPlace>,
        limit: usize,
    ) -> Result<Vec<(String, VersionPlace, VersionInfo)>, ObjectError> {
        let _alone = self.store.moving.write().await;
        let mut found = self.latest_after(after, limit).await?;
        found.extend(self.earlier_after(after, limit).await?);
        found.sort_by(|(a, _, v), (b, _, w)| (a, Reverse(v.order())).cmp(&(b, Reverse(w.order()))));
        found.truncate(limit);
        let row = |(key, is_latest, version): (String, bool, Version)| {
            let order = Some(version.order());
            let place = VersionPlace {
                key: key.clone(),
                order,
            };
            let info = version.info(&key, is_latest);
            (key, place, info)
        };
        Ok(found.into_iter().map(row).collect())
    }

    fn past(&self, prefix: &str) -> VersionPlace {
        VersionPlace {
            key: past(prefix),
            order: None,
        }
    }
}

impl VersionRows<'_> {
    /// The latest versions of keys.
    async fn latest_after(
        &self,
        after: Option<&VersionPlace>,
        limit: usize,
    ) -> Result<Vec<(String, bool, Version)>, ObjectError> {
        let tables = &self.store.tables;
        let scope = format!("{}/", self.bucket);
        let start = format!("{scope}{}", self.prefix);
        let row = after.map(|after| format!("{scope}{}", after.key));
        let key = |row: &str| row[scope.len()..].to_owned();
        let objects = tables.objects.scan(&start, row.as_deref(), limit).await?;
        let markers = tables.markers.scan(&start, row.as_deref(), limit).await?;
        let mut found: Vec<_> = objects
            .into_iter()
            .map(|(row, found)| (key(&row), true, Version::Object(Box::new(found.value))))
            .collect();
        let markers = markers.into_iter();
        found.extend(markers.map(|(row, found)| (key(&row), true, Version::Marker(found.value))));
        // A version that a page ended with may have been the latest, and be gone since.
        if let Some(VersionPlace {
            key,
            order: Some(order),
        }) = after
            && key.starts_with(self.prefix)
            && let Ok(name) = ObjectName::new(self.bucket.clone(), key)
        {
            let versioning = self.store.versioning(self.bucket).await?;
            let latest = self.store.latest(&name, versioning).await?.version();
            let latest = latest.filter(|latest| latest.order() < *order);
            found.extend(latest.map(|latest| (key.clone(), true, latest)));
        }
        Ok(found)
    }

    /// Versions that are not the latest.
    async fn earlier_after(
        &self,
        after: Option<&VersionPlace>,
        limit: usize,
    ) -> Result<Vec<(String, bool, Version)>, ObjectError> {
        let scope = format!("{}/", self.bucket);
        let start = format!("{scope}{}", escaped(self.prefix));
        let row = after.map(|after| format!("{scope}{}", after_version(&after.key, after.order)));
        let versions = &self.store.tables.versions;
        let found = versions.scan(&start, row.as_deref(), limit).await?;
        let version = |(row, found): (String, headwater_catalog::Versioned<_>)| {
            let found: super::records::EarlierRecord = found.value;
            (version_key(&row[scope.len()..]), false, found.version)
        };
        Ok(found.into_iter().map(version).collect())
    }
}

impl Version {
    fn info(self, key: &str, is_latest: bool) -> VersionInfo {
        let (id, modified) = (self.name(), self.modified());
        let object = match self {
            Self::Object(object) => Some(ObjectInfo {
                version: Some(id.clone()),
                ..object.info(key)
            }),
            Self::Marker(_) => None,
        };
        VersionInfo {
            key: key.to_owned(),
            id,
            modified,
            is_latest,
            object,
        }
    }
}

/// The place that a page goes on after: past all that is rolled up together with `after`, as on AWS.
fn resume(after: &str, roll: Roll<'_>) -> Option<String> {
    roll.up(after).map(past)
}

impl Store {
    pub(super) async fn list(&self, query: &ObjectQuery) -> Result<Listing, ObjectError> {
        self.bucket(&query.bucket).await?;
        let roll = Roll {
            prefix: &query.prefix,
            delimiter: query.delimiter.as_deref(),
        };
        let after = query.after.clone();
        let after = after.map(|after| resume(&after, roll).unwrap_or(after));
        let rows = TableRows {
            table: &self.tables.objects,
            scope: format!("{}/", query.bucket),
            prefix: &query.prefix,
            read: |key, record| (key.to_owned(), record.info(key)),
        };
        let (lines, more) = lines(&rows, roll, after, query.limit).await?;
        let mut listing = Listing::default();
        for line in lines {
            match line {
                Line::Row(object) => {
                    listing.next = Some(object.key.clone());
                    listing.objects.push(object);
                }
                Line::Prefix(prefix) => {
                    listing.next = Some(prefix.clone());
                    listing.prefixes.push(prefix);
                }
            }
        }
        listing.next = listing.next.filter(|_| more);
        Ok(listing)
    }

    pub(super) async fn list_versions(
        &self,
        query: &VersionQuery,
    ) -> Result<VersionListing, ObjectError> {
        self.bucket(&query.bucket).await?;
        let roll = Roll {
            prefix: &query.prefix,
            delimiter: query.delimiter.as_deref(),
        };
        let rows = VersionRows {
            store: self,
            bucket: &query.bucket,
            prefix: &query.prefix,
        };
        let after = self.after_versions(query, roll).await?;
        let (lines, more) = lines(&rows, roll, after, query.limit).await?;
        let mut listing = VersionListing::default();
        for line in lines {
            match line {
                Line::Row(version) => {
                    listing.next = Some((version.key.clone(), Some(version.id.clone())));
                    listing.versions.push(version);
                }
                Line::Prefix(prefix) => {
                    listing.next = Some((prefix.clone(), None));
                    listing.prefixes.push(prefix);
                }
            }
        }
        listing.next = listing.next.filter(|_| more);
        Ok(listing)
    }

    /// The place that a page of versions goes on after. The null version leaves no trace of its place when it is removed:
    /// then all versions of its key that are left come again.
    async fn after_versions(
        &self,
        query: &VersionQuery,
        roll: Roll<'_>,
    ) -> Result<Option<VersionPlace>, ObjectError> {
        let Some((key, id)) = &query.after else {
            return Ok(None);
        };
        let mut place = VersionPlace {
            key: resume(key, roll).unwrap_or_else(|| key.clone()),
            order: None,
        };
        if let (Some(id), Ok(name)) = (id, ObjectName::new(query.bucket.clone(), key))
            && place.key == *key
        {
            let versioning = self.versioning(&query.bucket).await?;
            let order = self.order(&name, id, versioning).await?;
            place.order = Some(order.unwrap_or(u64::MAX));
        }
        Ok(Some(place))
    }

    pub(super) async fn list_uploads(
        &self,
        query: &UploadQuery,
    ) -> Result<UploadListing, ObjectError> {
        self.bucket(&query.bucket).await?;
        let roll = Roll {
            prefix: &query.prefix,
            delimiter: query.delimiter.as_deref(),
        };
        let after = query
            .after
            .as_ref()
            .map(|(key, id)| resume(key, roll).unwrap_or_else(|| after_upload(key, id.as_deref())));
        let rows = TableRows {
            table: &self.tables.uploads,
            scope: format!("{}/", query.bucket),
            prefix: &query.prefix,
            read: |name, record| {
                let (key, id) = split_upload(name);
                let info: UploadInfo = record.info(key, id);
                (key.to_owned(), info)
            },
        };
        let (lines, more) = lines(&rows, roll, after, query.limit).await?;
        let mut listing = UploadListing::default();
        for line in lines {
            match line {
                Line::Row(upload) => {
                    listing.next = Some((upload.key.clone(), Some(upload.id.clone())));
                    listing.uploads.push(upload);
                }
                Line::Prefix(prefix) => {
                    listing.next = Some((prefix.clone(), None));
                    listing.prefixes.push(prefix);
                }
            }
        }
        listing.next = listing.next.filter(|_| more);
        Ok(listing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_roll_up_at_the_first_delimiter_after_the_prefix() {
        let up = |key, prefix, delimiter| Roll { prefix, delimiter }.up(key);
        assert_eq!(up("a/b/c", "", Some("/")), Some("a/"));
        assert_eq!(up("a/b/c", "a/", Some("/")), Some("a/b/"));
        assert_eq!(up("a/b/c", "a/b/c", Some("/")), None);
        assert_eq!(up("photos", "", Some("ot")), Some("phot"));
        assert_eq!(up("a/b", "", None), None);
    }

    #[test]
    fn the_place_past_a_prefix_is_after_all_keys_under_it() {
        let longest = format!("a/{}", "\u{10FFFF}".repeat(255));
        assert!(past("a/") > longest);
        assert!(past("a/").as_str() < "a0");
    }
}
