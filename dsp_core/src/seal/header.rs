//! What stands in the open before sealed bytes: enough to carry, order and count them, and nothing of what they hold.

use super::{ID_BYTES, MAX_SEALED_BYTES, NONCE_BYTES, TAG_BYTES};
use crate::analysis::model::STREET_VERSION;
use crate::analysis::window::FEATURES_VERSION;
use crate::checkpoint;
use crate::error::{BlockError, Reason};
use crate::open::record::closed_enum;

/// Version of the sealed form.
pub(super) const VERSION: u8 = 2;
/// Version (1), topic (1), version of the content (4), key id (8), sensor (4), boot (8), sequence (8), bytes of content (4).
pub(super) const BYTES: usize = 38;

closed_enum! {
    /// What is sealed: each topic has keys of its own.
    Topic {
        /// Blocks of sound, as a sensor sends them.
        Sound = "sound",
        /// Windows around an alarm.
        Windows = "windows",
        /// Scores of windows.
        Candidates = "candidates",
        /// State of a sensor's stages.
        Checkpoints = "checkpoints",
    }
}

impl Topic {
    /// What this build makes and takes. A window of another front end or a candidate of another model is refused, not misread.
    pub(super) const fn content_version(self) -> u32 {
        match self {
            Self::Sound => 1,
            Self::Windows => FEATURES_VERSION,
            Self::Candidates => STREET_VERSION,
            Self::Checkpoints => checkpoint::VERSION,
        }
    }
}

/// The header of a sealed message: transport facts, readable without a key.
///
/// # Guarantee
/// It is believed only once the message opens: it is bound to what is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub(super) topic: Topic,
    pub(super) content_version: u32,
    pub(super) key_id: [u8; ID_BYTES],
    pub(super) sensor_id: u32,
    pub(super) boot_ns: u64,
    pub(super) sequence: u64,
    pub(super) n_bytes: u32,
}

impl Header {
    /// The header of a message of this build.
    pub(super) fn new(topic: Topic, sensor_id: u32, boot_ns: u64, sequence: u64) -> Self {
        Self {
            topic,
            content_version: topic.content_version(),
            key_id: [0; ID_BYTES],
            sensor_id,
            boot_ns,
            sequence,
            n_bytes: 0,
        }
    }

    /// Reads what stands before sealed bytes, and whether all of them are there.
    ///
    /// # Errors
    /// `TruncatedHeader`; `BadVersion` of another sealed form; `WrongTopic` of none; `TruncatedData`; `Oversized`.
    pub fn read(sealed: &[u8]) -> Result<Self, BlockError> {
        let Some((bytes, rest)) = sealed.split_first_chunk::<BYTES>() else {
            let expected = format!("a sealed header of {BYTES} bytes");
            let reason = Reason::TruncatedHeader;
            return Err(BlockError::new(reason, expected, sealed.len()));
        };
        let [version, topic, bytes @ ..] = *bytes;
        if version != VERSION {
            let expected = format!("sealed form {VERSION}");
            return Err(BlockError::new(Reason::BadVersion, expected, version));
        }
        let Some(topic) = Topic::from_code(topic) else {
            let expected = "a sealed topic";
            return Err(BlockError::new(Reason::WrongTopic, expected, topic));
        };
        let header = Self {
            topic,
            content_version: u32::from_le_bytes(part(&bytes, 0)),
            key_id: part(&bytes, 4),
            sensor_id: u32::from_le_bytes(part(&bytes, 12)),
            boot_ns: u64::from_le_bytes(part(&bytes, 16)),
            sequence: u64::from_le_bytes(part(&bytes, 24)),
            n_bytes: u32::from_le_bytes(part(&bytes, 32)),
        };
        header.check_size(rest.len()).map(|()| header)
    }

    fn check_size(&self, n_rest: usize) -> Result<(), BlockError> {
        let n_stated = NONCE_BYTES as u64 + u64::from(self.n_bytes) + TAG_BYTES as u64;
        if BYTES as u64 + n_stated > MAX_SEALED_BYTES as u64 {
            return Err(oversized(n_stated));
        }
        let reason = match (n_rest as u64).cmp(&n_stated) {
            std::cmp::Ordering::Less => Reason::TruncatedData,
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Greater => Reason::Oversized,
        };
        let expected = format!("{n_stated} bytes after the header");
        Err(BlockError::new(reason, expected, n_rest))
    }

    /// It is of this topic, version and sensor.
    pub(super) fn check_place(&self, topic: Topic, sensor_id: u32) -> Result<(), BlockError> {
        let (expected, actual) = (topic.name(), self.topic.name());
        if self.topic != topic {
            return Err(BlockError::new(Reason::WrongTopic, expected, actual));
        }
        if self.content_version != topic.content_version() {
            let expected = format!("{expected} of version {:#x}", topic.content_version());
            let actual = format!("{:#x}", self.content_version);
            return Err(BlockError::new(Reason::BadVersion, expected, actual));
        }
        if self.sensor_id != sensor_id {
            let expected = format!("sensor {sensor_id}");
            return Err(BlockError::new(
                Reason::WrongSensor,
                expected,
                self.sensor_id,
            ));
        }
        Ok(())
    }

    pub(super) fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1] = self.topic.code();
        bytes[2..6].copy_from_slice(&self.content_version.to_le_bytes());
        bytes[6..14].copy_from_slice(&self.key_id);
        bytes[14..18].copy_from_slice(&self.sensor_id.to_le_bytes());
        bytes[18..26].copy_from_slice(&self.boot_ns.to_le_bytes());
        bytes[26..34].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[34..].copy_from_slice(&self.n_bytes.to_le_bytes());
        bytes
    }

    /// What is sealed.
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// Version of what is sealed: of the front end for windows, of the model for candidates.
    pub fn content_version(&self) -> u32 {
        self.content_version
    }

    /// Id of the key that it is sealed with, in hexadecimal digits.
    pub fn key_id(&self) -> String {
        hex(&self.key_id)
    }

    /// Whose it is.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// When the sensor, or its stream, began, in ns since 1970-01-01T00:00:00Z: later starts have greater numbers.
    pub fn boot_ns(&self) -> u64 {
        self.boot_ns
    }

    /// Grows within a boot: number of the block, of the window, or a position.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Bytes of what is sealed.
    pub fn n_bytes(&self) -> u32 {
        self.n_bytes
    }
}

/// Some of the bytes, which are there: the header was read as a whole.
fn part<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[from..from + N]);
    out
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn oversized(n_bytes: impl std::fmt::Display) -> BlockError {
    let expected = format!("at most {MAX_SEALED_BYTES} sealed bytes");
    BlockError::new(Reason::Oversized, expected, n_bytes)
}
