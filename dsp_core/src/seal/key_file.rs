//! The zone's key as a file that its owner alone may read: one key a line in hexadecimal digits, the current one first.
//! The one place where the core writes anything: a key that Python never holds.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::{Zeroize, Zeroizing};

use super::{KEY_BYTES, KeyRing, bad_seal};
use crate::error::{BlockError, Reason};

/// Digits of a key.
const DIGITS: usize = 2 * KEY_BYTES;
/// Two lines.
const MAX_BYTES: u64 = 2 * (DIGITS as u64 + 2);
/// Where the operating system gives random bytes.
const RANDOM: &str = "/dev/urandom";

impl KeyRing {
    /// Reads a key file.
    ///
    /// # Errors
    /// `Unreadable`; `BadSeal` if others than its owner may read it, or if it holds no key.
    pub fn read(path: &Path) -> Result<Self, BlockError> {
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() || metadata.len() > MAX_BYTES {
            return Err(bad_seal("a key file", "something else"));
        }
        if metadata.mode() & 0o077 != 0 {
            let mode = format!("mode {:o}: chmod 600 it", metadata.mode() & 0o777);
            return Err(bad_seal("a key file that its owner alone may read", mode));
        }
        let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES as usize));
        file.take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        Self::new(text.lines().map(parse).collect::<Result<_, _>>()?)
    }

    /// Makes a new key and writes it to a new file.
    ///
    /// # Errors
    /// `Unreadable` if the file is there already or cannot be written.
    pub fn create(path: &Path) -> Result<Self, BlockError> {
        let ring = Self::new(vec![random()?])?;
        ring.write_new(path)?;
        Ok(ring)
    }

    /// Makes a new key the current one, keeps the one before it, and forgets the others.
    ///
    /// # Errors
    /// As [`KeyRing::read`]; `Unreadable` if the file cannot be replaced.
    pub fn rotate(path: &Path) -> Result<Self, BlockError> {
        let mut before = Self::read(path)?;
        before.keys.truncate(1);
        let current = Zeroizing::new(*before.keys[0].bytes);
        let ring = Self::new(vec![random()?, current])?;
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".new");
        let beside = path.with_file_name(name);
        // Left by a rotation that did not end; it never was the key.
        let _ = fs::remove_file(&beside);
        ring.write_new(&beside)?;
        fs::rename(&beside, path).map_err(unreadable)?;
        Ok(ring)
    }

    fn write_new(&self, path: &Path) -> Result<(), BlockError> {
        let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES as usize));
        for key in &self.keys {
            for &byte in key.bytes.iter() {
                text.push(digit(byte >> 4));
                text.push(digit(byte & 15));
            }
            text.push('\n');
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(unreadable)?;
        // Also where the process's mask asks for less.
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_all())
            .map_err(unreadable)
    }
}

fn random() -> Result<Zeroizing<[u8; KEY_BYTES]>, BlockError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    File::open(RANDOM)
        .and_then(|mut file| file.read_exact(&mut *key))
        .map_err(unreadable)?;
    Ok(key)
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or('0')
}

fn parse(line: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, BlockError> {
    let no_key = || {
        bad_seal(
            format!("{DIGITS} hexadecimal digits a line"),
            "another line",
        )
    };
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let digits = line.as_bytes();
    if digits.len() != DIGITS {
        return Err(no_key());
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        let mut value = 0;
        for &sign in pair {
            let digit = char::from(sign).to_digit(16).ok_or_else(no_key)?;
            value = value << 4 | digit as u8;
        }
        *byte = value;
        value.zeroize();
    }
    Ok(key)
}

fn unreadable(error: io::Error) -> BlockError {
    BlockError::new(Reason::Unreadable, "a key file", error)
}
