//! Decompression: what CloudWatch Logs sends is gzip, and goes on unpacked.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::pure::Pure;
use crate::{
    limits::DECOMPRESSED_BYTES_MAX,
    records::{Failure, Item},
};

/// Unpacks gzip. The code of the failure is ours: AWS documents none.
pub struct Decompress;

impl Pure for Decompress {
    fn apply(&self, mut item: Item, out: &mut Vec<Item>) -> Result<(), Failure> {
        let mut data = Vec::new();
        let most = DECOMPRESSED_BYTES_MAX as u64 + 1;
        let read = MultiGzDecoder::new(&item.data[..])
            .take(most)
            .read_to_end(&mut data);
        let failed = |text: String| Err(Failure::new("Decompression.Failed", text));
        match read {
            Err(error) => failed(format!("The record is not in the GZIP format: {error}")),
            Ok(_) if data.len() > DECOMPRESSED_BYTES_MAX => failed(format!(
                "The record is larger than {DECOMPRESSED_BYTES_MAX} bytes once it is unpacked."
            )),
            Ok(_) => {
                item.data = data.into();
                out.push(item);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::item;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn run(data: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        Decompress.apply(item(data), &mut out)?;
        Ok(out.remove(0).data.to_vec())
    }

    #[test]
    fn members_are_unpacked_and_what_is_none_or_too_large_is_refused() {
        assert_eq!(run([gzip(b"a"), gzip(b"b")].concat()).unwrap(), b"ab");
        assert_eq!(
            run(gzip(&vec![0; DECOMPRESSED_BYTES_MAX])).unwrap().len(),
            DECOMPRESSED_BYTES_MAX
        );
        for bad in [
            b"plain".to_vec(),
            gzip(b"cut")[..12].to_vec(),
            gzip(&vec![0; DECOMPRESSED_BYTES_MAX + 1]),
        ] {
            assert_eq!(run(bad).unwrap_err().code, "Decompression.Failed");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_unpacked_or_refused(data in prop::collection::vec(any::<u8>(), 0..64)) {
            drop(run(data));
        }
    }
}
