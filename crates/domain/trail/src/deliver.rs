//! Delivery: the events of trails as objects in their buckets, each event in one object.
//!
//! The intent is written to the catalog first: range, object and what of the range it holds. The same intent makes the
//! same bytes under the same key, however often it is carried out; with it done, the range is passed in the same
//! commit that removes it.

use std::{io::Write, sync::Weak};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use headwater_catalog::CatalogError;
use headwater_env::Env;
use headwater_types::Millis;

use crate::{
    BucketError, Delivered, Error, Event, Store, Trail, Wanted, decode,
    limits::{DELIVER_EVERY, OBJECT_BYTES_MAX, OBJECT_EVENTS_MAX, WINDOW_EVENTS},
    store::{Inner, Place},
    trails::{Intent, is_wanted},
};

/// Delivers at its times, until the store is gone.
pub(crate) async fn run(env: Env, store: Weak<Inner>) {
    loop {
        env.clock.sleep(DELIVER_EVERY).await;
        let Some(inner) = store.upgrade() else { return };
        Store { inner }.deliver().await;
    }
}

impl Store {
    /// Delivers what all trails have. What fails is tried again the next time.
    pub async fn deliver(&self) {
        let inner = self.inner.clone();
        let deliver = async move {
            let _one = inner.delivering.lock().await;
            if let Err(error) = inner.deliver().await {
                tracing::warn!(%error, "the trails could not be delivered");
            }
        };
        self.inner.env.to_the_end(deliver).await;
    }
}

/// A part of a trail's events, as an object holds them.
struct Part {
    from: u64,
    to: u64,
    events: Vec<Event>,
}

impl Inner {
    async fn deliver(&self) -> Result<(), Error> {
        let end = self.end().await?;
        for (name, _) in self.trails.all().await? {
            while self.deliver_some(&name, end).await? {}
        }
        Ok(())
    }

    /// Carries out a trail's intent, or makes one of what comes next, before `end`; whether there may be more.
    async fn deliver_some(&self, name: &str, end: u64) -> Result<bool, Error> {
        let Some(found) = self.trails.get(name).await? else {
            return Ok(false);
        };
        if let Some(intent) = &found.value.intent {
            return self.carry_out(name, intent).await;
        }
        let Some(part) = self.next_part(&found.value, end).await? else {
            return Ok(false);
        };
        let intent = (!part.events.is_empty()).then(|| self.intent(&found.value, &part));
        self.update(name, |trail| match intent {
            Some(intent) => trail.intent = Some(intent),
            None => trail.pass(part.to),
        })
        .await
    }

    /// The next events of a trail, as many as an object holds; none where there are none.
    async fn next_part(&self, trail: &Trail, end: u64) -> Result<Option<Part>, Error> {
        let Some(span) = trail.spans.front() else {
            return Ok(None);
        };
        let end = span
            .to
            .unwrap_or(end)
            .min(span.from.saturating_add(OBJECT_EVENTS_MAX));
        let (from, mut to, mut events, mut bytes) = (span.from, span.from, Vec::new(), 0);
        while to < end && bytes < OBJECT_BYTES_MAX {
            let next = to.saturating_add(WINDOW_EVENTS).min(end);
            let more = self.wanted(to, next, &trail.settings.wanted).await?;
            bytes += more.iter().map(|event| event.text.len()).sum::<usize>();
            events.extend(more);
            to = next;
        }
        Ok((to > from).then_some(Part { from, to, events }))
    }

    /// The events of a range that are wanted.
    async fn wanted(&self, from: u64, to: u64, wanted: &[Wanted]) -> Result<Vec<Event>, Error> {
        let records = self.records(from, to).await?;
        let events = records.iter().filter_map(|record| decode(&record.value));
        Ok(events.filter(|event| is_wanted(event, wanted)).collect())
    }

    fn intent(&self, trail: &Trail, part: &Part) -> Intent {
        let random = self.env.random.next_u64();
        let prefix = trail.settings.prefix.as_deref();
        Intent {
            from: part.from,
            to: part.to,
            bucket: trail.settings.bucket.clone(),
            key: key(prefix, &self.place, self.env.clock.now(), random),
            wanted: trail.settings.wanted.clone(),
        }
    }

    /// Writes an intent's object and passes its range; whether that succeeded.
    async fn carry_out(&self, name: &str, intent: &Intent) -> Result<bool, Error> {
        let events = self.wanted(intent.from, intent.to, &intent.wanted).await?;
        let body = self.env.blocking(move || gzip(&events)).await;
        let put = self.bucket.put(&intent.bucket, &intent.key, body).await;
        let at = self.env.clock.now();
        let error = put.as_ref().err().map(code);
        if let Err(error) = &put {
            tracing::warn!(trail = name, %error, "a trail could not be delivered");
        }
        let to = intent.to;
        self.update(name, |trail| {
            if error.is_none() {
                trail.intent = None;
                trail.delivered_at = Some(at);
                trail.pass(to);
            }
            trail.delivered = Some(Delivered { at, error });
        })
        .await?;
        Ok(put.is_ok())
    }

    /// Changes a trail as it is now; false where it is gone.
    async fn update(&self, name: &str, change: impl FnOnce(&mut Trail)) -> Result<bool, Error> {
        let _one = self.changing.lock().await;
        let mut found = match self.find(name).await {
            Err(Error::NoTrail(_)) => return Ok(false),
            found => found?,
        };
        change(&mut found.value);
        match self.write(name, found).await {
            Err(Error::Catalog(CatalogError::Conflict { .. })) => Ok(false),
            written => written.map(|_| true),
        }
    }
}

/// The error of a delivery, as a trail's status tells it: S3's code.
fn code(error: &BucketError) -> String {
    match error {
        BucketError::NoBucket(_) => "NoSuchBucket".to_owned(),
        BucketError::Failed(_) => "InternalError".to_owned(),
    }
}

/// The key of an object: `<prefix>/AWSLogs/<account>/CloudTrail/<region>/2026/12/01/<account>_CloudTrail_<region>_…`.
/// (Source: CloudTrail user guide, "CloudTrail log file name format".)
fn key(prefix: Option<&str>, place: &Place, now: Millis, random: u64) -> String {
    let time = i64::try_from(now.0).ok();
    let time = time.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    let time = time.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let (day, minute) = (time.strftime("%Y/%m/%d"), time.strftime("%Y%m%dT%H%MZ"));
    let prefix = prefix.map_or_else(String::new, |prefix| format!("{prefix}/"));
    let (account, region) = (&place.account.0, &place.region.0);
    let unique = unique(random);
    format!(
        "{prefix}AWSLogs/{account}/CloudTrail/{region}/{day}/{account}_CloudTrail_{region}_{minute}_{unique}.json.gz"
    )
}

/// Sixteen letters and digits.
fn unique(random: u64) -> String {
    const DIGITS: &[u8; 16] = b"AbC1dE2fG3hJ4kL5";
    let digit = |at: u32| char::from(DIGITS[(random >> (at * 4) & 0xf) as usize]);
    (0..16).map(digit).collect()
}

/// The bytes of an object.
fn gzip(events: &[Event]) -> Bytes {
    let texts: Vec<&str> = events.iter().map(|event| event.text.as_str()).collect();
    let text = format!("{{\"Records\":[{}]}}", texts.join(","));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text.as_bytes())
        .and_then(|()| gzip.finish())
        .expect("memory takes what is written")
        .into()
}

#[cfg(test)]
mod tests {
    use headwater_types::{Account, Region};

    use super::*;

    #[test]
    fn an_object_is_named_as_cloudtrail_names_it() {
        let place = Place {
            account: Account("123456789012".to_owned()),
            region: Region("eu-west-1".to_owned()),
        };
        let at = Millis(1_796_083_503_000);
        let name = |prefix| key(prefix, &place, at, 0x0123_4567_89ab_cdef);
        let (day, minute) = ("2026/12/01", "20261201T0005Z");
        let file = format!("123456789012_CloudTrail_eu-west-1_{minute}_5Lk4Jh3Gf2Ed1CbA.json.gz");
        let folder = format!("AWSLogs/123456789012/CloudTrail/eu-west-1/{day}");
        assert_eq!(name(None), format!("{folder}/{file}"));
        assert_eq!(name(Some("a/b")), format!("a/b/{folder}/{file}"));
    }

    #[test]
    fn what_was_passed_is_not_delivered_again() {
        let span = |from, to| crate::trails::Span { from, to };
        let mut trail = Trail {
            settings: crate::Settings {
                bucket: "b".to_owned(),
                prefix: None,
                is_global: true,
                wanted: vec![Wanted::all()],
            },
            created: Millis(0),
            started: None,
            stopped: None,
            spans: [span(2, Some(5)), span(7, Some(9)), span(9, None)].into(),
            intent: None,
            delivered: None,
            delivered_at: None,
            tags: Default::default(),
        };
        trail.pass(4);
        assert_eq!(trail.spans[0], span(4, Some(5)));
        trail.pass(5);
        assert_eq!(trail.spans[0], span(7, Some(9)));
        trail.pass(9);
        assert_eq!(trail.spans, [span(9, None)]);
        assert!(trail.is_logging());
    }
}
