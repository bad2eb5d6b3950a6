//! The certificate of the TLS port: one that the settings name, or one of an authority of our own.
//!
//! The authority is made at the first start and kept in the data folder, so that clients trust it once. The server's
//! own certificate is made by it at each start, for the names that the server has then, and kept nowhere.

use std::{
    fs::OpenOptions,
    io::{self, ErrorKind, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use headwater_env::{Disk, Env};
use headwater_http::Tls;
use headwater_types::Millis;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::{Failure, settings::Settings};

/// Bytes that are read of a certificate's or a key's file.
const FILE_BYTES: u64 = 1 << 20;

/// How many years the authority is valid, and the server's own certificate.
const AUTHORITY_YEARS: i16 = 10;
const CERTIFICATE_YEARS: i16 = 2;

/// The names under which a server on this machine is called. Those with a star are for buckets in front; OpenSSL takes
/// only the one with three labels.
const LOCAL_NAMES: [&str; 6] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "*.localhost",
    "s3.localhost",
    "*.s3.localhost",
];

/// The certificate and key to serve with at `address`.
pub fn open(env: &Env, settings: &Settings, address: SocketAddr) -> Result<Tls, Failure> {
    let (chain, key) = match (&settings.tls_cert, &settings.tls_key) {
        (Some(chain), Some(key)) => {
            let tls = Tls::new(&named(env, chain)?, &named(env, key)?);
            let shown = format!("{} and {}", chain.display(), key.display());
            return tls.map_err(|e| format!("--tls-cert and --tls-key name {shown}: {e}").into());
        }
        _ => make(env, &settings.data_dir.join("tls"), address)?,
    };
    Ok(Tls::new(chain.as_bytes(), key.as_bytes())?)
}

/// The bytes of a file that a setting names.
pub fn named(env: &Env, path: &Path) -> Result<Vec<u8>, Failure> {
    read(&*env.disk, path).map_err(|e| format!("reading {} failed: {e}", path.display()).into())
}

/// A certificate for `address` by the authority in `dir`, and its key, as PEM.
fn make(env: &Env, dir: &Path, address: SocketAddr) -> Result<(String, String), Failure> {
    let (authority, file) = authority(env, dir)?;
    tracing::info!(
        authority = %file.display(),
        "TLS uses a certificate of this server's own authority: clients trust it with AWS_CA_BUNDLE, \
         NODE_EXTRA_CA_CERTS or curl --cacert"
    );
    let mut names = LOCAL_NAMES.map(str::to_owned).to_vec();
    if !address.ip().is_unspecified() {
        names.push(address.ip().to_string());
    }
    names.sort();
    names.dedup();
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = name("Headwater");
    valid_from(&mut params, env.clock.now(), CERTIFICATE_YEARS);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &authority)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// The authority in `dir`, made if there is none, and the file with its certificate.
fn authority(env: &Env, dir: &Path) -> Result<(Issuer<'static, KeyPair>, PathBuf), Failure> {
    let failed = |e: io::Error| {
        format!(
            "keeping the authority for TLS in {} failed: {e}",
            dir.display()
        )
    };
    env.disk.create_dir_all(dir).map_err(failed)?;
    let (key_file, file) = (dir.join("ca-key.pem"), dir.join("ca.pem"));
    let key = match read(&*env.disk, &key_file) {
        Ok(pem) => KeyPair::from_pem(&String::from_utf8(pem)?).map_err(|e| {
            format!(
                "{} holds no key ({e}): remove the folder, and a new authority is made",
                key_file.display()
            )
        })?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = KeyPair::generate()?;
            write(&*env.disk, &key_file, key.serialize_pem().as_bytes(), 0o600).map_err(failed)?;
            key
        }
        Err(error) => return Err(failed(error).into()),
    };
    let mut params = CertificateParams::default();
    // Its key's mark in its name tells the authorities of two servers apart.
    let mark: String = params
        .key_identifier(&key)
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    params.distinguished_name = name(&format!("Headwater authority {mark}"));
    valid_from(&mut params, env.clock.now(), AUTHORITY_YEARS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    if let Err(error) = read(&*env.disk, &file) {
        match error.kind() {
            ErrorKind::NotFound => {
                write(
                    &*env.disk,
                    &file,
                    params.self_signed(&key)?.pem().as_bytes(),
                    0o644,
                )
                .map_err(failed)?;
            }
            _ => return Err(failed(error).into()),
        }
    }
    Ok((Issuer::new(params, key), file))
}

fn name(common: &str) -> rcgen::DistinguishedName {
    let mut name = rcgen::DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// From the day before, for clocks that are a little behind.
fn valid_from(params: &mut CertificateParams, now: Millis, years: i16) {
    let now = i64::try_from(now.0)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let today = now
        .unwrap_or_default()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let from = today.yesterday().unwrap_or(today);
    let date = |year: i16, month: i8, day: i8| {
        rcgen::date_time_ymd(i32::from(year), month.unsigned_abs(), day.unsigned_abs())
    };
    params.not_before = date(from.year(), from.month(), from.day());
    // The 28th exists in every February.
    params.not_after = date(
        from.year().saturating_add(years),
        from.month(),
        from.day().min(28),
    );
}

fn read(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open_read(path)?;
    let mut bytes = vec![0; file.len()?.min(FILE_BYTES) as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Writes a file whole or not at all, readable as `mode` says from its first moment; the disk of the environment has
/// no modes.
fn write(disk: &dyn Disk, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let new = path.with_extension("new");
    if let Err(error) = disk.remove(&new)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    disk.rename(&new, path)?;
    disk.sync_dir(path.parent().expect("a file is in a folder"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_authority_is_made_once_and_its_key_is_its_owners() {
        let (env, dir) = (Env::real(), tempfile::tempdir().unwrap());
        let address = "127.0.0.1:0".parse().unwrap();
        let (first, key) = make(&env, dir.path(), address).unwrap();
        assert!(Tls::new(first.as_bytes(), key.as_bytes()).is_ok());
        let kept = std::fs::read_to_string(dir.path().join("ca.pem")).unwrap();
        let (second, other) = make(&env, dir.path(), address).unwrap();
        assert_ne!(
            (first, key),
            (second, other.clone()),
            "the server's own certificate is new"
        );
        assert_eq!(
            std::fs::read_to_string(dir.path().join("ca.pem")).unwrap(),
            kept
        );
        let mode = std::fs::metadata(dir.path().join("ca-key.pem"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(
            Tls::new(kept.as_bytes(), other.as_bytes()).is_err(),
            "a key of another certificate"
        );
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(Tls::new(b"", b"").is_err());
        assert!(
            Tls::new(
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                b"x"
            )
            .is_err()
        );
    }
}
