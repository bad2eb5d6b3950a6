//! Packages unpacked: a zip file becomes a folder, within its bounds and never outside of it.

use std::{
    fs,
    io::{self, Cursor, IoSlice, Read},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use headwater_env::Disk;
use zip::{ZipArchive, read::ZipFile, result::ZipError};

use crate::{
    Error, PackageError, limits,
    tree::{Kind, NameTree},
};

/// A folder with a package's files, removed when nobody uses it any more.
pub(crate) struct CodeDir {
    pub path: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Drop for CodeDir {
    fn drop(&mut self) {
        if let Err(error) = self.disk.remove_dir_all(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "unpacked code could not be removed");
        }
    }
}

impl CodeDir {
    /// Unpacks `package` into the new folder `path`.
    pub fn unpack(disk: Arc<dyn Disk>, package: &[u8], path: PathBuf) -> Result<Self, Error> {
        disk.create_dir_all(&path)
            .map_err(Error::disk("making a folder for unpacked code"))?;
        // From here on, an error removes what was unpacked so far.
        let dir = Self { path, disk };
        let mut archive = open(package)?;
        let mut room = limits::UNPACKED_BYTES_MAX;
        let mut links = Vec::new();
        // It was checked when it was given, by what was counted then.
        let mut tree = NameTree::new(limits::PACKAGE_KEPT_ENTRIES_MAX);
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(not_zip)?;
            let name = inner_path(&entry)?;
            tree.add(&name, kind(&entry))?;
            if entry.is_symlink() {
                links.push((name, link_target(&mut entry)?));
            } else if entry.is_dir() {
                dir.disk
                    .create_dir_all(&dir.path.join(name))
                    .map_err(Error::disk("unpacking code"))?;
            } else {
                room -= dir.write(&name, &mut entry, room)?;
            }
        }
        dir.link(links)?;
        Ok(dir)
    }

    fn write(
        &self,
        name: &Path,
        entry: &mut ZipFile<'_, Cursor<&[u8]>>,
        room: u64,
    ) -> Result<u64, Error> {
        let path = self.path.join(name);
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o777 | 0o600;
        let failed = || Error::disk("unpacking code");
        if let Some(parent) = path.parent() {
            self.disk.create_dir_all(parent).map_err(failed())?;
        }
        let file = self.disk.create(&path).map_err(failed())?;
        let mut buffer = vec![0; 64 * 1024];
        let mut written = 0;
        loop {
            match entry
                .read(&mut buffer)
                .map_err(|e| not_zip(ZipError::Io(e)))?
            {
                0 => break,
                n if written + n as u64 > room => {
                    return Err(PackageError::UnpacksTooLarge {
                        max: limits::UNPACKED_BYTES_MAX,
                    }
                    .into());
                }
                n => {
                    file.write_all_at(&[IoSlice::new(&buffer[..n])], written)
                        .map_err(failed())?;
                    written += n as u64;
                }
            }
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(failed())?;
        Ok(written)
    }

    /// Links come last, so that no file is ever written through one; that none stands below another one, the tree of
    /// names has seen to.
    fn link(&self, links: Vec<(PathBuf, PathBuf)>) -> Result<(), Error> {
        for (name, target) in &links {
            let path = self.path.join(name);
            let made = path
                .parent()
                .map_or(Ok(()), |parent| self.disk.create_dir_all(parent));
            made.and_then(|()| symlink(target, &path))
                .map_err(Error::disk("unpacking code"))?;
        }
        Ok(())
    }
}

fn kind<R: Read>(entry: &ZipFile<'_, R>) -> Kind {
    if entry.is_symlink() {
        Kind::Link
    } else if entry.is_dir() {
        Kind::Folder
    } else {
        Kind::File
    }
}

/// Whether `package` can be unpacked, by what its directory says; and the bytes of its files then.
pub(crate) fn check(package: &[u8]) -> Result<u64, PackageError> {
    let mut archive = open(package)?;
    let mut total = 0u64;
    let mut tree = NameTree::new(limits::PACKAGE_ENTRIES_MAX);
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(not_zip)?;
        tree.add(&inner_path(&entry)?, kind(&entry))?;
        total = total.saturating_add(entry.size());
    }
    if total >= limits::UNPACKED_BYTES_MAX {
        return Err(PackageError::UnpacksTooLarge {
            max: limits::UNPACKED_BYTES_MAX,
        });
    }
    Ok(total)
}

fn open(package: &[u8]) -> Result<ZipArchive<Cursor<&[u8]>>, PackageError> {
    if package.len() as u64 > limits::UNPACKED_BYTES_MAX {
        return Err(PackageError::UnpacksTooLarge {
            max: limits::UNPACKED_BYTES_MAX,
        });
    }
    let archive = ZipArchive::new(Cursor::new(package)).map_err(not_zip)?;
    if archive.len() > limits::PACKAGE_ENTRIES_MAX {
        return Err(PackageError::TooManyFiles {
            max: limits::PACKAGE_ENTRIES_MAX,
        });
    }
    Ok(archive)
}

fn not_zip(error: ZipError) -> PackageError {
    PackageError::NotZip(error.to_string().into())
}

/// An entry's place in the folder: plain names only.
fn inner_path<R: Read>(entry: &ZipFile<'_, R>) -> Result<PathBuf, PackageError> {
    let name = entry.name().map_err(not_zip)?;
    let leads_out = || PackageError::LeadsOut(name.to_string());
    let mut inner = PathBuf::new();
    for part in Path::new(&*name).components() {
        match part {
            Component::Normal(part) => inner.push(part),
            Component::CurDir => {}
            _ => return Err(leads_out()),
        }
    }
    let nothing = inner.as_os_str().is_empty() && !entry.is_dir();
    if nothing || name.contains(['\0', '\\']) {
        Err(leads_out())
    } else {
        Ok(inner)
    }
}

/// Where a link leads: up only at the front and never above the folder, so that links of links stay inside too.
fn link_target(entry: &mut ZipFile<'_, Cursor<&[u8]>>) -> Result<PathBuf, PackageError> {
    let name = inner_path(entry)?;
    let leads_out = PackageError::LeadsOut(name.display().to_string());
    let depth = name.components().count().saturating_sub(1);
    let mut target = String::new();
    let read = entry.take(4096).read_to_string(&mut target);
    read.map_err(|e: io::Error| not_zip(ZipError::Io(e)))?;
    let target = PathBuf::from(target);
    let (mut ups, mut names) = (0, 0);
    for part in target.components() {
        match part {
            Component::Normal(_) => names += 1,
            Component::CurDir => {}
            Component::ParentDir if names == 0 && ups < depth => ups += 1,
            _ => return Err(leads_out),
        }
    }
    if ups + names == 0 {
        Err(leads_out)
    } else {
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use headwater_env::{RealDisk, SimDisk};
    use proptest::prelude::*;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn zip_of(build: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        build(&mut zip);
        zip.finish().unwrap().into_inner()
    }

    fn unpack(package: &[u8]) -> (tempfile::TempDir, Result<CodeDir, Error>) {
        let dir = tempfile::tempdir().unwrap();
        let code = CodeDir::unpack(Arc::new(RealDisk), package, dir.path().join("code"));
        (dir, code)
    }

    #[test]
    fn files_folders_links_and_mode_bits_come_out() {
        let package = zip_of(|zip| {
            zip.start_file(
                "bootstrap",
                SimpleFileOptions::default().unix_permissions(0o755),
            )
            .unwrap();
            zip.write_all(b"#!/bin/sh\n").unwrap();
            zip.add_directory("empty/", SimpleFileOptions::default())
                .unwrap();
            zip.start_file("lib/deep/a.txt", SimpleFileOptions::default())
                .unwrap();
            zip.write_all(b"hello").unwrap();
            zip.add_symlink("lib/link", "deep/a.txt", SimpleFileOptions::default())
                .unwrap();
            zip.add_symlink("lib/up", "../bootstrap", SimpleFileOptions::default())
                .unwrap();
        });
        check(&package).unwrap();
        let (_dir, code) = unpack(&package);
        let code = code.unwrap();
        let path = |name: &str| code.path.join(name);
        let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("bootstrap"), 0o755);
        assert_eq!(mode("lib/deep/a.txt") & 0o111, 0);
        assert!(path("empty").is_dir());
        assert_eq!(fs::read_to_string(path("lib/link")).unwrap(), "hello");
        assert_eq!(fs::read_to_string(path("lib/up")).unwrap(), "#!/bin/sh\n");
        let gone = code.path.clone();
        drop(code);
        assert!(!gone.exists(), "unpacked code goes with its last user");
    }

    #[test]
    fn what_leads_out_is_refused() {
        for name in ["../evil", "/etc/evil", "a/../../evil"] {
            let package = zip_of(|zip| {
                zip.start_file(name, SimpleFileOptions::default()).unwrap();
            });
            assert!(
                matches!(check(&package), Err(PackageError::LeadsOut(_))),
                "{name}"
            );
        }
        for (name, target) in [
            ("a", "/etc"),
            ("a", ".."),
            ("d/a", "../.."),
            ("d/e/g", "f/.."),
            ("a", "b/../.."),
        ] {
            let package = zip_of(|zip| {
                zip.add_symlink(name, target, SimpleFileOptions::default())
                    .unwrap()
            });
            let (_dir, code) = unpack(&package);
            assert!(
                matches!(code, Err(Error::Package(PackageError::LeadsOut(_)))),
                "{name} -> {target}"
            );
        }
        let through = zip_of(|zip| {
            zip.add_symlink("d/e/f", "../..", SimpleFileOptions::default())
                .unwrap();
            zip.add_symlink("d/e/f/z", "../../..", SimpleFileOptions::default())
                .unwrap();
        });
        let (_dir, code) = unpack(&through);
        assert!(matches!(code, Err(Error::Package(PackageError::Clash(_)))));
    }

    /// Packages from before folders were counted that no entry names.
    #[test]
    fn a_package_that_is_kept_may_have_more_folders_than_one_that_is_given() {
        let names = (0..650).map(|number| format!("{number}{}/", "/a".repeat(100)));
        let package = zip_of(|zip| {
            for name in names {
                zip.add_directory(name, SimpleFileOptions::default())
                    .unwrap();
            }
        });
        let max = limits::PACKAGE_ENTRIES_MAX;
        assert_eq!(check(&package), Err(PackageError::TooManyFiles { max }));
        let disk = Arc::new(SimDisk::new(1));
        let code = CodeDir::unpack(disk.clone(), &package, PathBuf::from("/code"));
        let code = code.unwrap();
        assert_eq!(disk.list(&code.path).unwrap().len(), 650);
    }

    /// As many links as there may be, each as deep as it may be: time grows with the names' length alone.
    #[test]
    fn links_in_deep_folders_are_made_in_a_moment() {
        let deep = "d/".repeat(500);
        let package = zip_of(|zip| {
            for number in 0..5_000 {
                let name = format!("{deep}{number}");
                zip.add_symlink(name, "x", SimpleFileOptions::default())
                    .unwrap();
            }
        });
        let mut tree = NameTree::new(limits::PACKAGE_ENTRIES_MAX);
        let mut archive = open(&package).unwrap();
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).unwrap();
            tree.add(&inner_path(&entry).unwrap(), kind(&entry))
                .unwrap();
        }
        assert_eq!(check(&package), Ok(5_000));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_package_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(check(&bytes).is_err());
        }

        #[test]
        fn a_damaged_package_never_panics(at in 0usize..1000, flip in 1u8..) {
            let mut package = zip_of(|zip| {
                zip.start_file("index.py", SimpleFileOptions::default()).unwrap();
                zip.write_all(b"def handler(event, context): return event\n").unwrap();
            });
            let at = at % package.len();
            package[at] ^= flip;
            drop(check(&package));
            drop(unpack(&package));
        }
    }
}
