//! Files, written from their start.

use std::{
    io::{self, IoSlice, Write},
    path::Path,
};

use headwater_env::{Env, File};

/// Writes a file, in place of one that may be there, and the folders above it.
pub async fn write(env: &Env, path: &Path, bytes: Vec<u8>) -> io::Result<()> {
    let (inner, path) = (env.clone(), path.to_owned());
    env.blocking(move || {
        let mut file = FileWriter::create(&inner, &path)?;
        file.write_all(&bytes)?;
        file.sync().map(drop)
    })
    .await
}

/// A new file as a writer.
pub struct FileWriter {
    file: Box<dyn File>,
    offset: u64,
}

impl FileWriter {
    /// Makes the file, in place of one that may be there, and the folders above it.
    pub fn create(env: &Env, path: &Path) -> io::Result<Self> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            env.disk.create_dir_all(folder)?;
        }
        match env.disk.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self {
            file: env.disk.create(path)?,
            offset: 0,
        })
    }

    /// Makes what was written durable; returns the file's length.
    pub fn sync(self) -> io::Result<u64> {
        self.file.sync()?;
        Ok(self.offset)
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file
            .write_all_at(&[IoSlice::new(bytes)], self.offset)?;
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
