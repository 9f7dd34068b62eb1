//! The classifier's weights: a file that is read and checked in full before anything runs.

use std::fmt;

use sha2::{Digest, Sha256};

use super::network::Network;
use crate::error::BlockError;
use crate::open::SoundClass;

mod stored;

use stored::{Reader, bad};

/// Largest file: the weights stay a small part of the repository.
const MAX_BYTES: usize = 2_000_000;
pub(crate) const STREET: &[u8] = include_bytes!("../../model/street.bin");
/// Version of the model that comes with the crate: the first four bytes of its id.
pub(crate) const STREET_VERSION: u32 = 0x6cce_ce5b;

/// One output of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelClass {
    /// What the output stands for.
    pub sound_class: SoundClass,
    /// Without published recall on real recordings: off in shipped policies.
    pub is_experimental: bool,
    pub(crate) full_threshold: f32,
    pub(crate) masked_threshold: f32,
    pub(crate) confidence_step: f32,
}

/// A checked model, to be shared by every `Classify` of a process.
pub struct Model {
    network: Network,
    classes: Vec<ModelClass>,
    id: String,
    version: u32,
}

impl Model {
    /// The model that comes with the crate.
    ///
    /// # Errors
    /// None in a build that passes its tests; `BadModel` otherwise.
    pub fn street() -> Result<Self, BlockError> {
        Self::from_bytes(STREET)
    }

    /// Reads a weights file.
    ///
    /// # Shape
    /// Little endian: `SRDNNET2`; u32 number of layers; per layer u8 kind (0 conv 3 x 3 of one channel, 1 depthwise 3 x 3,
    /// 2 pointwise, 3 head), u8 stride, u16 inputs, u16 outputs, f32 step of the inputs (the activation that a 1 of their
    /// 16-bit integers stands for), int8 weights (k, output), f32 scale and f32 bias per output; u8 number of classes; per
    /// class u8 code, u8 flags (bit 0: experimental), f32 full threshold, f32 masked threshold, f32 confidence step. The first
    /// layer is the conv on 96 x 64 x 1, of stride 2; depthwise and pointwise layers follow in turn; the last is the head,
    /// whose inputs are mean and maximum of every channel. Channels are multiples of 16, rows are even.
    ///
    /// # Errors
    /// `BadModel` for anything else: another magic (an older form), kind or order, shapes that do not chain, numbers that are
    /// not finite, weights whose sum could leave 32 bits, a class twice, a byte too few or too many.
    ///
    /// # Guarantee
    /// Total: no input panics, and memory stays within a fixed multiple of the file's length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlockError> {
        if bytes.len() > MAX_BYTES {
            return Err(bad("at most 2 000 000 bytes", bytes.len()));
        }
        let mut reader = Reader::new(bytes)?;
        let (network, n_logits) = reader.network()?;
        let classes = reader.classes(n_logits)?;
        reader.end()?;
        let digest = Sha256::digest(bytes);
        let id = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let version = digest[..4].iter().fold(0, |v, &b| v << 8 | u32::from(b));
        Ok(Self {
            network,
            classes,
            id,
            version,
        })
    }

    /// The outputs, in the file's order.
    pub fn classes(&self) -> &[ModelClass] {
        &self.classes
    }

    /// SHA-256 of the file, in hexadecimal: what a model card and a report name it by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The first bytes of the id: what candidates of this model are bound to.
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("id", &self.id)
            .field("n_layers", &self.network.layers.len())
            .field("n_classes", &self.classes.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
