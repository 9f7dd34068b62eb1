//! Sealed bytes: the only wire form of anything inside the zone.
//!
//! XChaCha20-Poly1305 under keys of their own for each topic and sensor, drawn from the zone's key by HKDF-SHA-256. The header
//! stands in the open, for those who carry it, and is bound: moved to another place or changed by a bit, it does not open.
//!
//! Sealing is a function: there is no counter, clock or random number in here. A nonce is the keyed hash of everything that
//! is sealed: topic, sensor, boot, sequence and the content itself. So it cannot come twice with two contents. Two messages with
//! one nonce are, but for a collision of 192 bits, the same message, sealed to the same bytes: whoever sees both learns that
//! something was sent again. That holds whatever repeats a boot and a sequence: a stage that was restored and sends again (its
//! fold gives the same content), two workers that hold one partition for a moment, a copied machine, a clock that was put back. A
//! nonce counted from boot and sequence alone would have given two contents one nonce in the last two.
//!
//! # Shape
//! The header (38 bytes, see `header`), the nonce (24), the content encrypted, the tag (16); the header is the associated data. A
//! second implementation, as plain as possible, stands in `tests/unit/dsp_core/sealed_reference.py`.
//!
//! # Source
//! XChaCha20-Poly1305: draft-irtf-cfrg-xchacha-03. HKDF: RFC 5869. Nonces made of what is sealed: Rogaway and Shrimpton, "A
//! provable-security treatment of the key-wrap problem", EUROCRYPT 2006.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use hkdf::{Hkdf, HkdfExtract};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{BlockError, Reason};

pub use content::BlockFormat;
pub use header::{Header, Topic};
pub use mark::Mark;

mod content;

mod header;

#[cfg(feature = "std-io")]
mod key_file;

mod mark;

/// Bytes of a zone key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a key's id.
const ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
/// Authentication tag.
const TAG_BYTES: usize = 16;
/// Most bytes of a sealed message: what a broker takes when nothing else is set.
pub const MAX_SEALED_BYTES: usize = 1 << 20;

/// One key of a zone; wiped when dropped.
struct ZoneKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: [u8; ID_BYTES],
}

/// What one topic of one sensor is sealed with; wiped when dropped.
struct TopicKey {
    cipher: XChaCha20Poly1305,
    nonces: Zeroizing<[u8; KEY_BYTES]>,
}

impl ZoneKey {
    fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let digest = Sha256::new()
            .chain_update(b"sourdine zone key id")
            .chain_update(*bytes)
            .finalize();
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest[..ID_BYTES]);
        Self { bytes, id }
    }

    fn of_topic(&self, topic: Topic, sensor_id: u32) -> Result<TopicKey, BlockError> {
        let mut info = *b"sourdine sealed topic.......";
        info[21] = header::VERSION;
        info[22] = topic.code();
        info[24..].copy_from_slice(&sensor_id.to_le_bytes());
        let mut keys = Zeroizing::new([0; 2 * KEY_BYTES]);
        Hkdf::<Sha256>::new(None, &*self.bytes)
            .expand(&info, &mut *keys)
            .map_err(no_key)?;
        let (cipher, nonce_key) = keys.split_at(KEY_BYTES);
        let mut nonces = Zeroizing::new([0; KEY_BYTES]);
        nonces.copy_from_slice(nonce_key);
        let cipher = XChaCha20Poly1305::new_from_slice(cipher).map_err(no_key)?;
        Ok(TopicKey { cipher, nonces })
    }
}

impl TopicKey {
    /// HMAC-SHA-256 (which is HKDF's extract step) of all that is sealed.
    fn nonce(&self, bound: &[u8], content: &[u8]) -> XNonce {
        let mut hash = HkdfExtract::<Sha256>::new(Some(&*self.nonces));
        hash.input_ikm(bound);
        hash.input_ikm(content);
        let mut nonce = XNonce::default();
        nonce.copy_from_slice(&hash.finalize().0[..NONCE_BYTES]);
        nonce
    }
}

/// The keys of a zone: the current one, and during a rotation the one before.
///
/// # Guarantee
/// The keys are private and overwritten when dropped; `Debug` prints their ids, which are hashes. What is sealed and opened has
/// types that show nothing: blocks, windows, candidates and checkpoints.
///
/// ```compile_fail,E0624
/// fn plain(keys: &dsp_core::seal::KeyRing, sealed: &[u8]) {
///     let _ = keys.open_state(1, sealed);
/// }
/// ```
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
        self.keys.iter().map(|key| header::hex(&key.id)).collect()
    }

    /// Seals content for the place that the header names; key and size are filled in.
    fn seal(&self, mut header: Header, content: &[u8]) -> Result<Vec<u8>, BlockError> {
        let n_sealed = header::BYTES + NONCE_BYTES + content.len() + TAG_BYTES;
        if n_sealed > MAX_SEALED_BYTES {
            return Err(header::oversized(n_sealed));
        }
        let key = &self.keys[0];
        header.key_id = key.id;
        header.n_bytes = content.len() as u32;
        let bound = header.to_bytes();
        let key = key.of_topic(header.topic, header.sensor_id)?;
        let nonce = key.nonce(&bound, content);
        // As large as it will be, so that no copy of the content is left behind; what is copied is encrypted where it stands.
        let mut sealed = Vec::with_capacity(n_sealed);
        sealed.extend_from_slice(&bound);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(content);
        let body = &mut sealed[header::BYTES + NONCE_BYTES..];
        let tag = key
            .cipher
            .encrypt_inout_detached(&nonce, &bound, body.into());
        let tag = tag.map_err(|_| bad_seal("fewer bytes", content.len()))?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what the zone sealed for this topic and sensor, if it is of the version that this build makes.
    ///
    /// # Errors
    /// `TruncatedHeader`, `BadVersion`, `WrongTopic`, `WrongSensor`, `WrongKey`, `TruncatedData`, `Oversized` by what the header
    /// says; `BadSeal` if a bit of it all was changed.
    fn open(
        &self,
        topic: Topic,
        sensor_id: u32,
        sealed: &[u8],
    ) -> Result<(Header, Zeroizing<Vec<u8>>), BlockError> {
        let header = Header::read(sealed)?;
        header.check_place(topic, sensor_id)?;
        let key = self.keys.iter().find(|key| key.id == header.key_id);
        let key = key.ok_or_else(|| {
            let expected = self.ids().join(" or ");
            BlockError::new(Reason::WrongKey, expected, header::hex(&header.key_id))
        })?;
        let (bound, rest) = sealed.split_at(header::BYTES);
        let (nonce, rest) = rest.split_at(NONCE_BYTES);
        let (body, tag) = rest.split_at(header.n_bytes as usize);
        let changed = || bad_seal("bytes as they were sealed", "changed ones");
        let nonce = XNonce::try_from(nonce).map_err(|_| changed())?;
        let tag = Tag::try_from(tag).map_err(|_| changed())?;
        let mut content = Zeroizing::new(body.to_vec());
        key.of_topic(topic, sensor_id)?
            .cipher
            .decrypt_inout_detached(&nonce, bound, content.as_mut_slice().into(), &tag)
            .map_err(|_| changed())?;
        Ok((header, content))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("ids", &self.ids()).finish()
    }
}

fn no_key<E>(_: E) -> BlockError {
    bad_seal("keys of 32 bytes", "another length")
}

fn bad_seal(expected: impl Into<String>, actual: impl fmt::Display) -> BlockError {
    BlockError::new(Reason::BadSeal, expected, actual)
}

#[cfg(test)]
mod tests;
