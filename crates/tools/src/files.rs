//! Whole files, written.

use std::{
    io::{self, IoSlice},
    path::Path,
};

use headwater_env::Env;

/// Writes a file, in place of one that may be there, and the folders above it.
pub async fn write(env: &Env, path: &Path, bytes: Vec<u8>) -> io::Result<()> {
    let (disk, path) = (env.disk.clone(), path.to_owned());
    env.blocking(move || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            disk.create_dir_all(folder)?;
        }
        match disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = disk.create(&path)?;
        file.write_all_at(&[IoSlice::new(&bytes)], 0)?;
        file.sync()
    })
    .await
}
