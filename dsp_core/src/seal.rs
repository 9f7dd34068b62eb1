//! Sealed bytes: the only wire form of anything inside the zone.
//!
//! XChaCha20-Poly1305 under a key of its own for each topic and sensor, drawn from the zone's key by HKDF-SHA-256. Sensor, boot,
//! sequence, topic and version are bound as associated data: moved to another place or changed by a bit, it does not open.
//! There is no randomness in here: the nonce is the boot id, new for each process, and a number that a [`Sealer`] counts.
//!
//! # Source
//! XChaCha20-Poly1305: draft-irtf-cfrg-xchacha-03. HKDF: RFC 5869.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{BlockError, Reason};

#[cfg(feature = "std-io")]
mod key_file;

/// Version of the sealed form.
const VERSION: u8 = 1;
/// Bytes of a zone key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a boot id.
pub const BOOT_BYTES: usize = 16;
/// version, topic, key id (8), sensor (4), boot (16), sequence (8).
const HEADER_BYTES: usize = 38;
/// Authentication tag.
const TAG_BYTES: usize = 16;

/// What is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Topic {
    /// State of a sensor's stages.
    Checkpoints = 1,
}

/// One key of a zone; wiped when dropped.
struct ZoneKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: [u8; 8],
}

impl ZoneKey {
    fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let digest = Sha256::new()
            .chain_update(b"sourdine zone key id")
            .chain_update(*bytes)
            .finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Self { bytes, id }
    }

    /// The cipher of one topic and sensor.
    fn cipher(&self, topic: Topic, sensor_id: u32) -> Result<XChaCha20Poly1305, BlockError> {
        let mut info = *b"sourdine sealed topic.......";
        info[21] = VERSION;
        info[22] = topic as u8;
        info[24..].copy_from_slice(&sensor_id.to_le_bytes());
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        Hkdf::<Sha256>::new(None, &*self.bytes)
            .expand(&info, &mut *key)
            .map_err(|_| bad_seal("a key of 32 bytes", "another length"))?;
        Ok(XChaCha20Poly1305::new(&Key::from(*key)))
    }
}

/// The keys of a zone: the current one, and during a rotation the one before.
///
/// # Guarantee
/// The keys are private and overwritten when dropped; `Debug` prints their ids, which are hashes.
pub struct KeyRing {
    keys: Vec<ZoneKey>,
}

impl KeyRing {
    /// Takes over one key, or two: the first one seals, both open.
    ///
    /// # Errors
    /// `BadSeal` for no key, more than two, or the same one twice.
    pub fn new(keys: Vec<Zeroizing<[u8; KEY_BYTES]>>) -> Result<Self, BlockError> {
        let keys: Vec<_> = keys.into_iter().map(ZoneKey::new).collect();
        match keys.as_slice() {
            [_] => Ok(Self { keys }),
            [first, second] if first.id != second.id => Ok(Self { keys }),
            _ => Err(bad_seal("one key, or two different ones", keys.len())),
        }
    }

    /// Ids of the keys, the current one first: hashes, in hexadecimal digits.
    pub fn ids(&self) -> Vec<String> {
        let hex = |key: &ZoneKey| key.id.iter().map(|byte| format!("{byte:02x}")).collect();
        self.keys.iter().map(hex).collect()
    }

    /// Opens what a sealer of the zone sealed for this topic and sensor.
    ///
    /// # Errors
    /// `BadSeal`: another version, topic or sensor, an unknown key, or bytes that were changed.
    pub fn open(
        &self,
        topic: Topic,
        sensor_id: u32,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, BlockError> {
        let Some((header, body)) = sealed.split_first_chunk::<HEADER_BYTES>() else {
            return Err(bad_seal("a sealed header", "fewer bytes"));
        };
        if header[0] != VERSION {
            return Err(bad_seal(format!("version {VERSION}"), header[0]));
        }
        if header[1] != topic as u8 || header[10..14] != sensor_id.to_le_bytes() {
            return Err(bad_seal(
                format!("{topic:?} of sensor {sensor_id}"),
                "another place",
            ));
        }
        let key = self.keys.iter().find(|key| header[2..10] == key.id);
        let key = key.ok_or_else(|| bad_seal("a key of this zone", "another key's seal"))?;
        let plain = key.cipher(topic, sensor_id)?.decrypt(
            &nonce(header),
            Payload {
                msg: body,
                aad: header,
            },
        );
        plain
            .map(Zeroizing::new)
            .map_err(|_| bad_seal("bytes as they were sealed", "changed ones"))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("ids", &self.ids()).finish()
    }
}

/// Boot id and sequence stand in the header, one after the other, as in the nonce.
fn nonce(header: &[u8; HEADER_BYTES]) -> XNonce {
    let mut nonce = [0; BOOT_BYTES + 8];
    nonce.copy_from_slice(&header[14..]);
    XNonce::from(nonce)
}

/// Seals, and counts, so that no nonce comes twice.
///
/// # Guarantee
/// One boot id serves one sealer: it is taken over, and the sequence cannot be set.
pub struct Sealer {
    ring: KeyRing,
    boot: [u8; BOOT_BYTES],
    sequence: u64,
}

impl Sealer {
    /// `boot`: random bytes that were never used before.
    pub fn new(ring: KeyRing, boot: [u8; BOOT_BYTES]) -> Self {
        Self {
            ring,
            boot,
            sequence: 0,
        }
    }

    /// The keys that it seals with and opens.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Seals bytes for a topic and sensor.
    ///
    /// # Errors
    /// `BadSeal` after 2⁶⁴ seals, or for more bytes than the cipher takes.
    pub(crate) fn seal(
        &mut self,
        topic: Topic,
        sensor_id: u32,
        plain: &[u8],
    ) -> Result<Vec<u8>, BlockError> {
        let key = &self.ring.keys[0];
        let mut header = [0; HEADER_BYTES];
        header[0] = VERSION;
        header[1] = topic as u8;
        header[2..10].copy_from_slice(&key.id);
        header[10..14].copy_from_slice(&sensor_id.to_le_bytes());
        header[14..30].copy_from_slice(&self.boot);
        header[30..].copy_from_slice(&self.sequence.to_le_bytes());
        self.sequence = self
            .sequence
            .checked_add(1)
            .ok_or_else(|| bad_seal("fewer seals", "2^64"))?;
        let payload = Payload {
            msg: plain,
            aad: &header,
        };
        let body = key
            .cipher(topic, sensor_id)?
            .encrypt(&nonce(&header), payload)
            .map_err(|_| bad_seal("fewer bytes", plain.len()))?;
        let mut sealed = Vec::with_capacity(HEADER_BYTES + plain.len() + TAG_BYTES);
        sealed.extend_from_slice(&header);
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("ring", &self.ring)
            .finish_non_exhaustive()
    }
}

fn bad_seal(expected: impl Into<String>, actual: impl fmt::Display) -> BlockError {
    BlockError::new(Reason::BadSeal, expected, actual)
}

#[cfg(test)]
mod tests;
