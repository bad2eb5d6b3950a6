//! Certificates and keys in PEM form.
#![no_main]

use headwater_client::Authorities;
use headwater_http::Tls;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    drop(Authorities::from_pem(data));
    drop(Tls::new(data, data));
});
