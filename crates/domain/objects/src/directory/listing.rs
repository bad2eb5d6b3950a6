//! Listing in the order of keys, with what shares a prefix rolled up.

use headwater_catalog::Table;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Store,
    records::{UploadRecord, after_upload, past, split_upload},
};
use crate::{
    Listing, ObjectError, ObjectQuery, UploadInfo, UploadListing, UploadQuery, limits::PAGE_MAX,
};

/// Which rows of a table to list.
struct Walk<'a, T> {
    table: &'a Table<T>,
    /// The start of all rows, which no name shows: `<bucket>/`.
    scope: String,
    prefix: &'a str,
    delimiter: Option<&'a str>,
    /// The place to go on after, without the scope.
    after: Option<String>,
    limit: usize,
    /// The key in a row's name.
    key: fn(&str) -> &str,
}

/// A line of a listing.
enum Line<T> {
    Row(String, T),
    Prefix(String),
}

impl<T: Serialize + DeserializeOwned> Walk<'_, T> {
    /// The lines, and whether there are more.
    async fn lines(mut self) -> Result<(Vec<Line<T>>, bool), ObjectError> {
        let limit = self.limit.min(PAGE_MAX);
        let mut lines = Vec::new();
        let mut rolled: Option<String> = None;
        if limit == 0 {
            return Ok((lines, false));
        }
        loop {
            let rows = self.page(limit - lines.len() + 1).await?;
            let is_last = rows.len() < limit - lines.len() + 1;
            for (name, row) in rows {
                let key = (self.key)(&name);
                if rolled
                    .as_ref()
                    .is_some_and(|prefix| key.starts_with(prefix))
                {
                    self.after = Some(name);
                    continue;
                }
                if lines.len() == limit {
                    return Ok((lines, true));
                }
                rolled = roll_up(key, self.prefix, self.delimiter).map(str::to_owned);
                self.after = Some(name.clone());
                lines.push(match &rolled {
                    Some(prefix) => Line::Prefix(prefix.clone()),
                    None => Line::Row(name, row),
                });
            }
            if is_last {
                return Ok((lines, false));
            }
            // The rows left under the prefix are passed over at once.
            if let Some(prefix) = &rolled {
                self.after = Some(past(prefix));
            }
        }
    }

    async fn page(&self, limit: usize) -> Result<Vec<(String, T)>, ObjectError> {
        let start = format!("{}{}", self.scope, self.prefix);
        let after = self
            .after
            .as_ref()
            .map(|after| format!("{}{after}", self.scope));
        let rows = self.table.scan(&start, after.as_deref(), limit).await?;
        let name = |name: &str| name[self.scope.len()..].to_owned();
        Ok(rows
            .into_iter()
            .map(|(row, found)| (name(&row), found.value))
            .collect())
    }
}

/// The prefix that `key` is rolled up to, when it has `delimiter` after `prefix`.
fn roll_up<'a>(key: &'a str, prefix: &str, delimiter: Option<&str>) -> Option<&'a str> {
    let (delimiter, rest) = (delimiter?, key.strip_prefix(prefix)?);
    let end = prefix.len() + rest.find(delimiter)? + delimiter.len();
    Some(&key[..end])
}

/// The place that a page goes on after: past all that is rolled up together with `after`, as on AWS.
fn resume(after: &str, prefix: &str, delimiter: Option<&str>) -> Option<String> {
    roll_up(after, prefix, delimiter).map(past)
}

impl Store {
    pub(super) async fn list(&self, query: &ObjectQuery) -> Result<Listing, ObjectError> {
        self.bucket(&query.bucket).await?;
        let delimiter = query.delimiter.as_deref();
        let after = query.after.clone();
        let after = after.map(|after| resume(&after, &query.prefix, delimiter).unwrap_or(after));
        let walk = Walk {
            table: &self.tables.objects,
            scope: format!("{}/", query.bucket),
            prefix: &query.prefix,
            delimiter,
            after,
            limit: query.limit,
            key: |name| name,
        };
        let (lines, more) = walk.lines().await?;
        let mut listing = Listing::default();
        for line in lines {
            match line {
                Line::Row(key, record) => {
                    listing.next = Some(key.clone());
                    listing.objects.push(record.info(&key));
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

    pub(super) async fn list_uploads(
        &self,
        query: &UploadQuery,
    ) -> Result<UploadListing, ObjectError> {
        self.bucket(&query.bucket).await?;
        let delimiter = query.delimiter.as_deref();
        let after = query.after.as_ref().map(|(key, id)| {
            let rolled = resume(key, &query.prefix, delimiter);
            rolled.unwrap_or_else(|| after_upload(key, id.as_deref()))
        });
        let walk = Walk {
            table: &self.tables.uploads,
            scope: format!("{}/", query.bucket),
            prefix: &query.prefix,
            delimiter,
            after,
            limit: query.limit,
            key: |name| split_upload(name).0,
        };
        let (lines, more) = walk.lines().await?;
        let mut listing = UploadListing::default();
        for line in lines {
            match line {
                Line::Row(name, record) => {
                    let info = upload_info(&name, &record);
                    listing.next = Some((info.key.clone(), Some(info.id.clone())));
                    listing.uploads.push(info);
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

fn upload_info(name: &str, record: &UploadRecord) -> UploadInfo {
    let (key, id) = split_upload(name);
    record.info(key, id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_roll_up_at_the_first_delimiter_after_the_prefix() {
        assert_eq!(roll_up("a/b/c", "", Some("/")), Some("a/"));
        assert_eq!(roll_up("a/b/c", "a/", Some("/")), Some("a/b/"));
        assert_eq!(roll_up("a/b/c", "a/b/c", Some("/")), None);
        assert_eq!(roll_up("photos", "", Some("ot")), Some("phot"));
        assert_eq!(roll_up("a/b", "", None), None);
    }

    #[test]
    fn the_place_past_a_prefix_is_after_all_keys_under_it() {
        let longest = format!("a/{}", "\u{10FFFF}".repeat(255));
        assert!(past("a/") > longest);
        assert!(past("a/").as_str() < "a0");
    }
}
