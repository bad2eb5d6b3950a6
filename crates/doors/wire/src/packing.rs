//! Bodies packed by gzip or by deflate, which is zlib's format (RFC 9110): of requests, and of answers to who takes them.
//!
//! Which services take what, and the errors of what is not packed as its head says, are their users'.

use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::{
    Compression,
    read::{MultiGzDecoder, ZlibDecoder},
    write::{GzEncoder, ZlibEncoder},
};
use http::{HeaderMap, HeaderValue, header};

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Deflate,
}

/// The reason why a body is not unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpackable {
    /// It is not packed in that way, or not whole.
    NotPacked,
    /// It has more bytes than it may.
    TooLong,
}

impl Packing {
    /// The packing of that name in `Content-Encoding`.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            _ if name.eq_ignore_ascii_case("gzip") => Some(Self::Gzip),
            _ if name.eq_ignore_ascii_case("deflate") => Some(Self::Deflate),
            _ => None,
        }
    }

    /// The name in `Content-Encoding`.
    pub fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        })
    }

    /// The packing of answers that a client likes best, if it takes any. Of several headers AWS reads the first; what is no
    /// weight counts as 1, and what likes everything as well as something that is named does not win over it.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
        let entries = accepted.split(',').map(|entry| {
            let (name, rest) = entry.split_once(';').unwrap_or((entry, ""));
            (name.trim(), weight(rest))
        });
        let (mut named, mut rest) = (Vec::new(), None);
        for (name, weight) in entries {
            match Self::of(name) {
                Some(packing) => named.push((packing, weight)),
                None if name == "*" => rest = rest.or(Some(weight)),
                None => {}
            }
        }
        let is_unnamed = |packing: &Self| named.iter().all(|(other, _)| other != packing);
        let unnamed = [Self::Gzip, Self::Deflate].into_iter().find(is_unnamed);
        let mut best: Option<(Self, f64)> = None;
        let all = named.into_iter().chain(unnamed.zip(rest));
        for (packing, weight) in all.filter(|(_, weight)| *weight > 0.0) {
            if best.is_none_or(|(_, most)| weight > most) {
                best = Some((packing, weight));
            }
        }
        best.map(|(packing, _)| packing)
    }

    /// A body, packed.
    pub fn pack(self, body: &[u8]) -> io::Result<Vec<u8>> {
        // Anything faster leaves texts of digits and capitals nearly as long as they were.
        let level = Compression::default();
        match self {
            Self::Gzip => {
                let mut into = GzEncoder::new(Vec::new(), level);
                into.write_all(body)?;
                into.finish()
            }
            Self::Deflate => {
                let mut into = ZlibEncoder::new(Vec::new(), level);
                into.write_all(body)?;
                into.finish()
            }
        }
    }

    /// A packed body, to be unpacked into at most `limit` bytes. An empty one is not packed.
    pub fn unpacking(self, packed: &[u8], limit: usize) -> Unpacking<'_> {
        Unpacking {
            from: match self {
                _ if packed.is_empty() => None,
                Self::Gzip => Some(Box::new(MultiGzDecoder::new(packed))),
                Self::Deflate => Some(Box::new(ZlibDecoder::new(packed))),
            },
            unpacked: Vec::new(),
            limit,
        }
    }
}

/// A body that is unpacked in steps, so that each of them can be counted before it takes memory.
pub(crate) struct Unpacking<'a> {
    from: Option<Box<dyn Read + Send + 'a>>,
    unpacked: Vec<u8>,
    limit: usize,
}

impl Unpacking<'_> {
    /// Unpacks `step` bytes more; whether there may be more behind them.
    pub fn more(&mut self, step: usize) -> Result<bool, Unpackable> {
        let from = self.from.as_mut().ok_or(Unpackable::NotPacked)?;
        let beyond = (self.limit + 1).saturating_sub(self.unpacked.len());
        let step = step.min(beyond);
        let read = from.take(step as u64).read_to_end(&mut self.unpacked);
        let read = read.map_err(|_| Unpackable::NotPacked)?;
        match self.unpacked.len() > self.limit {
            true => Err(Unpackable::TooLong),
            false => Ok(read == step),
        }
    }

    /// What was unpacked.
    pub fn done(self) -> Bytes {
        self.unpacked.into()
    }
}

/// The weight that the parameters of an entry give it: what stands behind the first `q=`.
fn weight(parameters: &str) -> f64 {
    let sent = parameters.split_once("q=").map(|(_, sent)| sent);
    let sent = sent.map(|sent| sent.split(';').next().unwrap_or_default());
    let sent = sent.and_then(|sent| sent.trim().parse::<f64>().ok());
    sent.filter(|weight| !weight.is_nan())
        .unwrap_or(1.0)
        .min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packing_is_the_one_that_is_liked_best() {
        use Packing::{Deflate, Gzip};
        for (accepted, packing) in [
            ("", None),
            ("identity", None),
            ("br, x-gzip", None),
            ("gzip, deflate", Some(Gzip)),
            ("br, identity, deflate, gzip", Some(Deflate)),
            ("GZIP, identity", Some(Gzip)),
            ("dog, gzip ,, cat", Some(Gzip)),
            ("gzip;q=0.8, deflate;q=0.5", Some(Gzip)),
            (
                "br, gzip;q=0, deflate; q = 0.5 , identity;q=0",
                Some(Deflate),
            ),
            ("*", Some(Gzip)),
            ("*, deflate;q=0.5", Some(Gzip)),
            ("*, deflate", Some(Deflate)),
            ("*, gzip;q=0.5", Some(Deflate)),
            ("*;q=0", None),
            ("br;q=0.8,identity;q=0.5,*;q=0", None),
            ("gzip ;q=0", None),
            ("\"gzip\"", None),
            ("gzip br", None),
            ("gzip:q=1", None),
            ("gzip;q=31,deflate;q=51", Some(Gzip)),
            ("deflate;q=0.5, gzip;q=1;q=0.2", Some(Gzip)),
            ("deflate;q=0.5,gzip;q=0.", Some(Deflate)),
            ("deflate;q=0.5,gzip;q=0.x", Some(Gzip)),
            ("deflate;q=-0.5,gzip;q=0.2", Some(Gzip)),
            ("gzip;q= 0;q=1", None),
            ("gzip;q =0;q=1", Some(Gzip)),
            ("gzip;nq=0;q=1", None),
            ("gzip;q=0, gzip;q=1, gzip;q=0", Some(Gzip)),
            ("gzip;q=0.0001", Some(Gzip)),
        ] {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_str(accepted).unwrap();
            headers.insert(header::ACCEPT_ENCODING, value);
            assert_eq!(Packing::accepted(&headers), packing, "{accepted}");
        }
        assert_eq!(Packing::accepted(&HeaderMap::new()), None);
    }

    /// A body, unpacked in steps of a byte.
    fn unpacked(packing: Packing, packed: &[u8], limit: usize) -> Result<Bytes, Unpackable> {
        let mut unpacking = packing.unpacking(packed, limit);
        while unpacking.more(1)? {}
        Ok(unpacking.done())
    }

    #[test]
    fn what_is_packed_is_unpacked_and_nothing_else_is() {
        use Packing::{Deflate, Gzip};
        let gzip = Gzip.pack(b"{}").unwrap();
        let deflate = Deflate.pack(b"{}").unwrap();
        assert_eq!(unpacked(Gzip, &gzip, 2).as_deref(), Ok(&b"{}"[..]));
        assert_eq!(unpacked(Deflate, &deflate, 2).as_deref(), Ok(&b"{}"[..]));
        let two = [&gzip[..], &gzip].concat();
        assert_eq!(unpacked(Gzip, &two, 4).as_deref(), Ok(&b"{}{}"[..]));
        assert_eq!(unpacked(Gzip, &gzip, 1), Err(Unpackable::TooLong));
        for (bytes, packing) in [
            (&b"{}"[..], Gzip),
            (b"{}", Deflate),
            (b"", Gzip),
            (b"", Deflate),
            (&gzip[..gzip.len() - 1], Gzip),
            (&gzip, Deflate),
        ] {
            let unpacked = unpacked(packing, bytes, 9);
            assert_eq!(
                unpacked,
                Err(Unpackable::NotPacked),
                "{packing:?} {bytes:?}"
            );
        }
    }

    #[test]
    fn names_are_read_in_any_case_and_nothing_else_is_one() {
        for (name, packing) in [
            ("GZIP", Some(Packing::Gzip)),
            ("Deflate", Some(Packing::Deflate)),
            ("br", None),
            ("gzip, deflate", None),
        ] {
            assert_eq!(Packing::of(name), packing, "{name}");
        }
    }
}
