//! The keys of a file, read again when a message comes that none of them opens and the file is not the same any more.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use dsp_core::seal::KeyRing;
use dsp_core::{BlockError, Reason};

/// What tells one writing of a file from the next: device, number, length, time of the last change of its content in ns.
type Version = (u64, u64, u64, i128);

struct Read {
    keys: Arc<KeyRing>,
    version: Option<Version>,
}

pub(crate) struct ZoneKeys {
    path: PathBuf,
    read: RwLock<Read>,
}

impl ZoneKeys {
    pub(crate) fn read(path: PathBuf) -> Result<Self, BlockError> {
        let read = RwLock::new(Read::from(&path)?);
        Ok(Self { path, read })
    }

    pub(crate) fn current(&self) -> Arc<KeyRing> {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&read.keys)
    }

    /// Opens something. In a rotation the file is replaced while the process runs: then once more, with what it holds now.
    pub(crate) fn open<T>(
        &self,
        mut open: impl FnMut(&KeyRing) -> Result<T, BlockError>,
    ) -> Result<T, BlockError> {
        match open(&self.current()) {
            Err(error) if error.reason == Reason::WrongKey && self.is_read_anew() => {
                open(&self.current())
            }
            opened => opened,
        }
    }

    /// A flood of foreign messages costs a look at the file's dates each; a file that holds no key changes nothing.
    fn is_read_anew(&self) -> bool {
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        if version_of(&self.path) == read.version {
            return false;
        }
        Read::from(&self.path).is_ok_and(|anew| {
            *read = anew;
            true
        })
    }
}

impl Read {
    /// The version is looked at first: what is written meanwhile is then read once more.
    fn from(path: &Path) -> Result<Self, BlockError> {
        let version = version_of(path);
        let keys = Arc::new(KeyRing::read(path)?);
        Ok(Self { keys, version })
    }
}

fn version_of(path: &Path) -> Option<Version> {
    let of = fs::metadata(path).ok()?;
    let changed_ns = i128::from(of.mtime()) * 1_000_000_000 + i128::from(of.mtime_nsec());
    Some((of.dev(), of.ino(), of.len(), changed_ns))
}
