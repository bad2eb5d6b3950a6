//! The names of a batch's objects: pure functions of the intent, so that a second execution writes over what was there.

use headwater_columnar::Serializer;
use headwater_types::Millis;
use jiff::Zoned;
use sha2::{Digest, Sha256};

use crate::{
    config::{Destination, StreamRecord},
    limits::KEY_BYTES_MAX,
    naming::{
        KeyTemplate, PrefixError, Prefixes, RANDOM_CHARACTERS, TemplateValues, Values, pattern,
    },
    records::{ErrorKind, Keys},
};

const NAME_TIME: &str = "yyyy-MM-dd-HH-mm-ss";
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Makes the names of one batch.
pub struct Names<'a> {
    stream: &'a StreamRecord,
    prefixes: Prefixes,
    /// Tells the batch from all others.
    id: &'a str,
    oldest: Millis,
    time: Zoned,
    /// The value of a random string, by its place in its prefix: the same in every name of a batch.
    random: Box<dyn Fn(usize) -> String + Send + Sync>,
}

impl<'a> Names<'a> {
    /// The names of the batch `id` of `stream`, whose oldest record arrived at `oldest`.
    pub fn of(stream: &'a StreamRecord, id: &'a str, oldest: Millis) -> Result<Self, PrefixError> {
        let prefixes = stream.destination.prefixes()?;
        let time = prefixes.zoned(oldest);
        Ok(Self {
            stream,
            prefixes,
            id,
            oldest,
            time,
            random: {
                let id = id.to_owned();
                Box::new(move |nth| random_string(&id, nth))
            },
        })
    }

    /// The object of what is delivered, where that is one.
    pub fn data(&self) -> Result<String, PrefixError> {
        let Some(template) = &self.stream.destination.key_template else {
            let prefix = self.partition(&Keys::default());
            return Ok(self.part(
                &prefix.expect("a prefix without partition keys lacks none"),
                0,
            ));
        };
        KeyTemplate::parse(template)?.key(TemplateValues {
            name: &self.stream.name,
            id: &self.stream.id,
            time: &self.time,
            extension: self.stream.destination.extension(),
            unique: &self.unique("data"),
        })
    }

    /// The prefix of the objects of the partition with `keys`; nothing where the prefix names one that they lack, or
    /// where their names would be longer than names are.
    pub fn partition(&self, keys: &Keys) -> Option<String> {
        let prefix = self
            .prefixes
            .data(self.values(ErrorKind::Processing, keys))?;
        (self.part(&prefix, 0).len() <= KEY_BYTES_MAX).then_some(prefix)
    }

    /// An object of the partition with `prefix`: they are counted from 0, and their names are equally long.
    pub fn part(&self, prefix: &str, number: usize) -> String {
        let what = match number {
            0 => format!("data {prefix}"),
            number => format!("data {number} {prefix}"),
        };
        format!(
            "{prefix}{}{}",
            self.name(&what),
            self.stream.destination.extension()
        )
    }

    /// The object of what failed at `kind`.
    pub fn errors(&self, kind: ErrorKind) -> String {
        let keys = Keys::default();
        let prefix = self.prefixes.errors(self.values(kind, &keys));
        format!("{prefix}{}", self.name(&format!("errors {}", kind.name())))
    }

    /// The object of the records as they came, where they are kept.
    pub fn backup(&self) -> Result<Option<String>, PrefixError> {
        let Some(backup) = &self.stream.destination.backup else {
            return Ok(None);
        };
        let prefixes = backup.prefixes()?;
        let (time, keys) = (prefixes.zoned(self.oldest), Keys::default());
        let values = Values {
            time: &time,
            random: &self.random,
            kind: ErrorKind::Processing,
            keys: &keys,
        };
        let prefix = prefixes
            .data(values)
            .expect("a prefix without partition keys lacks none");
        Ok(Some(format!(
            "{prefix}{}{}",
            self.name("backup"),
            backup.compression.extension()
        )))
    }

    fn values<'v>(&'v self, kind: ErrorKind, keys: &'v Keys) -> Values<'v> {
        Values {
            time: &self.time,
            random: &self.random,
            kind,
            keys,
        }
    }

    /// AWS's form of what stands behind the prefix.
    fn name(&self, what: &str) -> String {
        let stamp = pattern(NAME_TIME).format(&self.time);
        format!(
            "{}-{}-{stamp}-{}",
            self.stream.name,
            self.stream.version,
            self.unique(what)
        )
    }

    /// A text like a UUID, the same whenever it is made of the same batch and the same thing in it.
    fn unique(&self, what: &str) -> String {
        let mut digest = digest(self.id, what);
        // The bits of a random UUID, as AWS's names have them.
        digest[6] = digest[6] & 0x0f | 0x40;
        digest[8] = digest[8] & 0x3f | 0x80;
        let hex: String = digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ]
        .join("-")
    }
}

fn digest(id: &str, what: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(id)
        .chain_update([0])
        .chain_update(what)
        .finalize()
        .into()
}

fn random_string(id: &str, nth: usize) -> String {
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]);
    let what = match nth {
        0 => "random-string".to_owned(),
        nth => format!("random-string {nth}"),
    };
    digest(id, &what)[..RANDOM_CHARACTERS]
        .iter()
        .map(letter)
        .collect()
}

impl Destination {
    /// The extension of the keys of objects that are delivered.
    pub(crate) fn extension(&self) -> &str {
        let own = self
            .extension
            .as_deref()
            .filter(|extension| !extension.is_empty());
        let of_form = match self.conversion.as_ref().map(|conversion| &conversion.write) {
            Some(Serializer::Parquet(_)) => ".parquet",
            Some(Serializer::Orc(_)) => ".orc",
            None => self.compression.extension(),
        };
        own.unwrap_or(of_form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Compression, testing::stream};

    /// 2018-08-27T10:11:12Z
    const TIME: Millis = Millis(1_535_364_672_999);

    #[test]
    fn names_have_the_form_of_aws() {
        let mut stream = stream("taxi");
        stream.destination.prefix = Some("p/".into());
        stream.destination.compression = Compression::Gzip;
        let names = |stream: &StreamRecord| {
            let names = Names::of(stream, "id", TIME).unwrap();
            (
                names.data().unwrap(),
                names.errors(ErrorKind::Processing),
                names.errors(ErrorKind::FormatConversion),
            )
        };
        let (key, errors, others) = names(&stream);
        let start = "p/2018/08/27/10/taxi-1-2018-08-27-10-11-12-";
        assert!(key.starts_with(start) && key.ends_with(".gz"), "{key}");
        assert_eq!(key.len(), start.len() + 36 + 3);
        assert!(errors.starts_with("processing-failed/2018/08/27/10/taxi-1-2018-08-27-10-11-12-"));
        assert!(
            others
                .starts_with("format-conversion-failed/2018/08/27/10/taxi-1-2018-08-27-10-11-12-")
        );
        assert_eq!(names(&stream), (key, errors, others), "the same again");
        stream.destination.time_zone = Some("Asia/Tokyo".into());
        stream.destination.extension = Some(".jsonl".into());
        let (key, ..) = names(&stream);
        assert!(
            key.starts_with("p/2018/08/27/19/taxi-1-2018-08-27-19-11-12-")
                && key.ends_with(".jsonl")
        );
    }

    #[test]
    fn each_random_string_of_a_prefix_is_a_new_one_and_the_same_again() {
        let mut stream = stream("taxi");
        stream.destination.prefix =
            Some("!{firehose:random-string}/!{firehose:random-string}/".into());
        stream.destination.error_prefix = Some("e/".into());
        let key = |id| Names::of(&stream, id, TIME).unwrap().data().unwrap();
        let strings: std::collections::BTreeSet<_> = ["id", "other"]
            .into_iter()
            .flat_map(|id| {
                key(id)
                    .split('/')
                    .take(2)
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(strings.len(), 4, "{strings:?}");
        assert!(strings.iter().all(|text| text.len() == RANDOM_CHARACTERS));
        assert_eq!(key("id"), key("id"));
    }

    #[test]
    fn every_partition_has_a_name_of_its_own() {
        let mut stream = stream("taxi");
        stream.destination.prefix =
            Some("b=!{partitionKeyFromQuery:b}/r=!{firehose:random-string}/".into());
        stream.destination.error_prefix = Some("!{firehose:error-output-type}/".into());
        let names = Names::of(&stream, "id", TIME).unwrap();
        let keys = |b: &str| Keys {
            query: [("b".to_owned(), b.to_owned())].into(),
            ..Keys::default()
        };
        let part = |keys: &Keys, number| names.part(&names.partition(keys).unwrap(), number);
        let (queens, bronx) = (part(&keys("Queens"), 0), part(&keys("Bronx"), 0));
        assert!(
            queens.starts_with("b=Queens/r=") && queens.contains("/taxi-1-2018-08-27-10-11-12-"),
            "{queens}"
        );
        let unique = |key: &str| key[key.len() - 36..].to_owned();
        let names_of_all: std::collections::BTreeSet<_> = [
            &queens,
            &bronx,
            &part(&keys("Queens"), 1),
            &part(&keys("Queens"), 2),
        ]
        .map(|key| unique(key))
        .into();
        assert_eq!(names_of_all.len(), 4);
        assert_eq!(part(&keys("Queens"), 0), queens);
        assert_eq!(
            (
                names.partition(&Keys::default()),
                names.partition(&keys(&"b".repeat(1100)))
            ),
            (None, None)
        );
    }
}
