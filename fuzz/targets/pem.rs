//! Certificates and keys in PEM form.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_client::Authorities;
use headwater_fuzz::target;
use headwater_http::Tls;

target!(|data: &[u8]| {
    drop(Authorities::from_pem(data));
    drop(Tls::new(data, data));
});
