//! The classifier's weights: a file that is read and checked in full before anything runs.

use std::fmt;

use sha2::{Digest, Sha256};

use super::classify::N_CLASSES;
use super::network::{Kind, LANES, Lanes, Layer, Network, Shape};
use super::window::{N_BANDS, WINDOW_FRAMES};
use crate::error::{BlockError, Reason};
use crate::open::SoundClass;

const MAGIC: &[u8] = b"SRDNNET1";
/// Largest file: the weights stay a small part of the repository.
const MAX_BYTES: usize = 2_000_000;
const MAX_LAYERS: usize = 64;
/// Channels are whole groups of lanes, at most this many.
const MAX_CHANNELS: usize = 1_024;
/// Values of one activation; the street model's largest has 98 304. Bounds what a file can make a stage allocate.
const MAX_ACTIVATION: usize = WINDOW_FRAMES * N_BANDS * 64;
pub(crate) const STREET: &[u8] = include_bytes!("../../model/street.bin");
/// Version of the model that comes with the crate: the first four bytes of its id.
pub(crate) const STREET_VERSION: u32 = 0x332b_5871;

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
    /// Little endian: `SRDNNET1`; u32 number of layers; per layer u8 kind (0 conv 3 x 3 of one channel, 1 depthwise 3 x 3,
    /// 2 pointwise, 3 head), u8 stride, u16 inputs, u16 outputs, int8 weights (k, output), f32 scale and f32 bias per
    /// output; u8 number of classes; per class u8 code, u8 flags (bit 0: experimental), f32 full threshold, f32 masked
    /// threshold, f32 confidence step. The first layer is the conv on 96 x 64 x 1, the last the head, whose inputs are mean
    /// and maximum of every channel. Channels are multiples of 16.
    ///
    /// # Errors
    /// `BadModel` for anything else: another magic or kind, shapes that do not chain, numbers that are not finite, a class
    /// twice, a byte too few or too many.
    ///
    /// # Guarantee
    /// Total: no input panics, and memory stays within a fixed multiple of the file's length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlockError> {
        if bytes.len() > MAX_BYTES {
            return Err(bad("at most 2 000 000 bytes", bytes.len()));
        }
        let mut reader = Reader { rest: bytes };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(bad("SRDNNET1", "another magic"));
        }
        let n_layers = reader.u32()? as usize;
        if !(2..=MAX_LAYERS).contains(&n_layers) {
            return Err(bad("2 to 64 layers", n_layers));
        }
        let mut layers: Vec<Layer> = Vec::with_capacity(n_layers);
        let mut shape = Shape {
            height: WINDOW_FRAMES,
            width: N_BANDS,
            n_channels: 1,
        };
        for index in 0..n_layers {
            let layer = reader.layer(shape, index == 0, index + 1 == n_layers)?;
            shape = layer.output;
            layers.push(layer);
        }
        let classes = reader.classes(shape.n_channels)?;
        if !reader.rest.is_empty() {
            return Err(bad("the end of the file", reader.rest.len()));
        }
        let digest = Sha256::digest(bytes);
        let id = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let version = digest[..4].iter().fold(0, |v, &b| v << 8 | u32::from(b));
        let network = Network { layers };
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

fn bad(expected: &str, actual: impl fmt::Display) -> BlockError {
    BlockError::new(Reason::BadModel, expected, actual)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n_bytes: usize) -> Result<&'a [u8], BlockError> {
        let Some((head, rest)) = self.rest.split_at_checked(n_bytes) else {
            return Err(bad("more bytes", self.rest.len()));
        };
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BlockError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn u8(&mut self) -> Result<u8, BlockError> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<usize, BlockError> {
        self.array().map(u16::from_le_bytes).map(usize::from)
    }

    fn u32(&mut self) -> Result<u32, BlockError> {
        self.array().map(u32::from_le_bytes)
    }

    fn finite(&mut self) -> Result<f32, BlockError> {
        let value = f32::from_le_bytes(self.array()?);
        if value.is_finite() {
            Ok(value)
        } else {
            Err(bad("a finite number", value))
        }
    }

    fn layer(&mut self, input: Shape, is_first: bool, is_last: bool) -> Result<Layer, BlockError> {
        let kind = match (self.u8()?, is_first, is_last) {
            (0, true, false) => Kind::Conv,
            (1, false, false) => Kind::Depthwise,
            (2, false, false) => Kind::Pointwise,
            (3, false, true) => Kind::Head,
            (kind, ..) => return Err(bad("a conv, depthwise or pointwise ones, a head", kind)),
        };
        let stride = usize::from(self.u8()?);
        let (n_in, n_out) = (self.u16()?, self.u16()?);
        let output = output_shape(kind, stride, input, n_in, n_out)?;
        let n_terms = Layer::n_terms(kind, n_in);
        let raw = self.take(n_terms * n_out)?;
        let scale = self.per_output(n_out)?;
        let bias = self.per_output(n_out)?;
        let n_groups = n_out.div_ceil(LANES);
        let mut weights = vec![Lanes::default(); n_groups * n_terms];
        for (k, row) in raw.chunks_exact(n_out).enumerate() {
            for (out, &quantised) in row.iter().enumerate() {
                let (group, lane) = (out / LANES, out % LANES);
                let weight = f32::from(quantised as i8) * scale[group].0[lane];
                if !weight.is_finite() {
                    return Err(bad("a finite weight", weight));
                }
                weights[group * n_terms + k].0[lane] = weight;
            }
        }
        Ok(Layer {
            kind,
            stride,
            input,
            output,
            weights,
            bias,
        })
    }

    fn per_output(&mut self, n_out: usize) -> Result<Vec<Lanes>, BlockError> {
        let mut values = vec![Lanes::default(); n_out.div_ceil(LANES)];
        for out in 0..n_out {
            values[out / LANES].0[out % LANES] = self.finite()?;
        }
        Ok(values)
    }

    fn classes(&mut self, n_logits: usize) -> Result<Vec<ModelClass>, BlockError> {
        let n_classes = usize::from(self.u8()?);
        if n_classes != n_logits {
            return Err(bad("a class for each logit", n_classes));
        }
        let mut classes: Vec<ModelClass> = Vec::with_capacity(n_classes);
        for _ in 0..n_classes {
            let class = self.class()?;
            if classes
                .iter()
                .any(|other| other.sound_class == class.sound_class)
            {
                return Err(bad("every class once", class.sound_class.name()));
            }
            classes.push(class);
        }
        Ok(classes)
    }

    fn class(&mut self) -> Result<ModelClass, BlockError> {
        let code = self.u8()?;
        let sound_class = SoundClass::from_code(code).ok_or_else(|| bad("a class code", code))?;
        let flags = self.u8()?;
        if flags > 1 {
            return Err(bad("flags 0 or 1", flags));
        }
        let class = ModelClass {
            sound_class,
            is_experimental: flags == 1,
            full_threshold: self.finite()?,
            masked_threshold: self.finite()?,
            confidence_step: self.finite()?,
        };
        if class.confidence_step <= 0.0 {
            return Err(bad("a positive step", class.confidence_step));
        }
        Ok(class)
    }
}

/// The output's shape, if the layer fits its input.
fn output_shape(
    kind: Kind,
    stride: usize,
    input: Shape,
    n_in: usize,
    n_out: usize,
) -> Result<Shape, BlockError> {
    let (expected_in, strides, is_out_valid) = match kind {
        Kind::Conv => (1, 1..=2, n_out.is_multiple_of(LANES)),
        Kind::Depthwise => (input.n_channels, 1..=2, n_out == n_in),
        Kind::Pointwise => (input.n_channels, 1..=1, n_out.is_multiple_of(LANES)),
        Kind::Head => (2 * input.n_channels, 1..=1, n_out <= N_CLASSES),
    };
    if n_in != expected_in {
        return Err(bad("as many inputs as the layer before has outputs", n_in));
    }
    if !strides.contains(&stride) {
        return Err(bad("stride 1, or 2 for a 3 x 3 layer", stride));
    }
    if n_out == 0 || n_out > MAX_CHANNELS || !is_out_valid {
        return Err(bad("a permitted number of outputs", n_out));
    }
    let (height, width) = match kind {
        Kind::Head => (1, 1),
        _ => (input.height.div_ceil(stride), input.width.div_ceil(stride)),
    };
    let output = Shape {
        height,
        width,
        n_channels: n_out,
    };
    if output.n_positions() * n_out > MAX_ACTIVATION {
        return Err(bad("a smaller activation", output.n_positions() * n_out));
    }
    Ok(output)
}

#[cfg(test)]
mod tests;
