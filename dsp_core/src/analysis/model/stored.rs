//! The weights file's form: read front to back, checked in full, and laid out for the kernels.

use std::fmt;

use super::ModelClass;
use crate::analysis::classify::N_CLASSES;
use crate::analysis::kernel::MAX_ACTIVATION;
use crate::analysis::network::{
    Kind, LANES, Lanes, Layer, N_DEPTHWISE_WORDS, N_PATCH_WORDS, Network, PerChannel, Shape,
};
use crate::analysis::window::{N_BANDS, WINDOW_FRAMES};
use crate::error::{BlockError, Reason};
use crate::open::SoundClass;
use crate::simd::dot::word;

pub(super) const MAGIC: &[u8] = b"SRDNNET2";
/// The form before activations were integers.
const OLD_MAGIC: &[u8] = b"SRDNNET1";
const MAX_LAYERS: usize = 64;
/// Channels are whole groups of lanes, at most this many.
const MAX_CHANNELS: usize = 1_024;
/// Values of one activation; the street model's largest has 98 304. Bounds what a file can make a stage allocate.
const MAX_VALUES: usize = WINDOW_FRAMES * N_BANDS * 64;
/// What the magnitudes of one output's weights may add up to: with this no sum of products, and no part of one, leaves 32
/// bits, whatever the activations and in whatever order. 512 weights of 8 bits never reach it.
pub(super) const MAX_WEIGHT_SUM: i32 = i32::MAX / MAX_ACTIVATION as i32;

pub(super) fn bad(expected: &str, actual: impl fmt::Display) -> BlockError {
    BlockError::new(Reason::BadModel, expected, actual)
}

fn finite(value: f32) -> Result<f32, BlockError> {
    match value.is_finite() {
        true => Ok(value),
        false => Err(bad("a finite number", value)),
    }
}

/// One layer as it is stored.
struct Stored<'a> {
    kind: Kind,
    stride: usize,
    input: Shape,
    output: Shape,
    step: f32,
    /// (k, output)
    weights: &'a [u8],
    scales: Vec<f32>,
    biases: Vec<f32>,
}

impl Stored<'_> {
    fn weight(&self, k: usize, out: usize) -> i32 {
        i32::from(self.weights[k * self.output.n_channels + out] as i8)
    }

    fn n_terms(&self) -> usize {
        self.weights.len() / self.output.n_channels
    }

    /// Which weights stand in the two halves of each word, if any, as the kernels lay their inputs.
    fn words(&self) -> Vec<[Option<usize>; 2]> {
        match self.kind {
            Kind::Conv => {
                let words: [_; N_PATCH_WORDS] = [
                    (0, Some(1)),
                    (3, Some(4)),
                    (6, Some(7)),
                    (2, Some(5)),
                    (8, None),
                ];
                words.map(|(low, high)| [Some(low), high]).to_vec()
            }
            Kind::Depthwise => {
                let rows = [
                    [Some(0), Some(3)],
                    [Some(6), None],
                    [None, Some(0)],
                    [Some(3), Some(6)],
                ];
                let words = rows
                    .into_iter()
                    .flat_map(|row| (0..3).map(move |kx| row.map(|k| k.map(|k| k + kx))));
                debug_assert_eq!(words.clone().count(), N_DEPTHWISE_WORDS);
                words.collect()
            }
            Kind::Pointwise | Kind::Head => {
                let starts = (0..self.n_terms())
                    .step_by(2 * LANES)
                    .flat_map(|start| start..start + LANES);
                let high = |low| Some(low + LANES).filter(|&high| high < self.n_terms());
                starts.map(|low| [Some(low), high(low)]).collect()
            }
        }
    }

    /// Lays the layer out. `output_step`: what a 1 of its outputs stands for.
    fn layer(&self, output_step: f32) -> Result<Layer, BlockError> {
        let n_groups = self.output.n_groups();
        let words = self.words();
        let mut weights = vec![Lanes::default(); n_groups * words.len()];
        let mut factors = vec![PerChannel::default(); n_groups];
        let mut biases = vec![PerChannel::default(); n_groups];
        for out in 0..self.output.n_channels {
            let sum: i32 = (0..self.n_terms()).map(|k| self.weight(k, out).abs()).sum();
            if sum > MAX_WEIGHT_SUM {
                return Err(bad("weights whose sums stay in 32 bits", sum));
            }
            let (group, lane) = (out / LANES, out % LANES);
            let half = |k: Option<usize>| k.map_or(0, |k| self.weight(k, out));
            for (weights, &[low, high]) in weights[group * words.len()..].iter_mut().zip(&words) {
                weights.0[lane] = word(half(low), half(high));
            }
            factors[group].0[lane] = finite(self.scales[out] * (self.step / output_step))?;
            biases[group].0[lane] = finite(self.biases[out] / output_step)?;
        }
        let Self {
            kind,
            stride,
            input,
            output,
            ..
        } = *self;
        Ok(Layer {
            kind,
            stride,
            input,
            output,
            weights,
            factors,
            biases,
        })
    }
}

/// Reads a file front to back.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// # Errors
    /// `BadModel` for another magic.
    pub(super) fn new(rest: &'a [u8]) -> Result<Self, BlockError> {
        let mut reader = Self { rest };
        match reader.take(MAGIC.len())? {
            MAGIC => Ok(reader),
            OLD_MAGIC => Err(bad("SRDNNET2", "SRDNNET1, whose layers have no steps")),
            _ => Err(bad("SRDNNET2", "another magic")),
        }
    }

    /// # Errors
    /// `BadModel` for what is left over.
    pub(super) fn end(&self) -> Result<(), BlockError> {
        match self.rest.len() {
            0 => Ok(()),
            n_left => Err(bad("the end of the file", n_left)),
        }
    }

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
        finite(f32::from_le_bytes(self.array()?))
    }

    /// All layers, and the number of logits.
    pub(super) fn network(&mut self) -> Result<(Network, usize), BlockError> {
        let n_layers = self.u32()? as usize;
        if !(2..=MAX_LAYERS).contains(&n_layers) || !n_layers.is_multiple_of(2) {
            return Err(bad("2 to 64 layers, an even number", n_layers));
        }
        let mut shape = Shape {
            height: WINDOW_FRAMES,
            width: N_BANDS,
            n_channels: 1,
        };
        let mut stored: Vec<Stored> = Vec::with_capacity(n_layers);
        for index in 0..n_layers {
            let kind = match index {
                0 => Kind::Conv,
                _ if index + 1 == n_layers => Kind::Head,
                _ if index % 2 == 1 => Kind::Depthwise,
                _ => Kind::Pointwise,
            };
            stored.push(self.layer(shape, kind)?);
            shape = stored[index].output;
        }
        let output_steps = stored.iter().skip(1).map(|next| next.step).chain([1.0]);
        let layers = stored.iter().zip(output_steps);
        let network = Network {
            step: stored[0].step,
            layers: layers
                .map(|(layer, step)| layer.layer(step))
                .collect::<Result<_, _>>()?,
        };
        Ok((network, shape.n_channels))
    }

    fn layer(&mut self, input: Shape, kind: Kind) -> Result<Stored<'a>, BlockError> {
        let code = self.u8()?;
        if code != kind as u8 {
            return Err(bad(
                "a conv, depthwise and pointwise ones in turn, a head",
                code,
            ));
        }
        let stride = usize::from(self.u8()?);
        let (n_in, n_out) = (self.u16()?, self.u16()?);
        let output = output_shape(kind, stride, input, n_in, n_out)?;
        let step = self.finite()?;
        if step <= 0.0 {
            return Err(bad("a positive step", step));
        }
        Ok(Stored {
            kind,
            stride,
            input,
            output,
            step,
            weights: self.take(Layer::n_terms(kind, n_in) * n_out)?,
            scales: self.per_output(n_out)?,
            biases: self.per_output(n_out)?,
        })
    }

    fn per_output(&mut self, n_out: usize) -> Result<Vec<f32>, BlockError> {
        (0..n_out).map(|_| self.finite()).collect()
    }

    pub(super) fn classes(&mut self, n_logits: usize) -> Result<Vec<ModelClass>, BlockError> {
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
        Kind::Conv => (1, 2..=2, n_out.is_multiple_of(LANES)),
        Kind::Depthwise => (input.n_channels, 1..=2, n_out == n_in),
        Kind::Pointwise => (input.n_channels, 1..=1, n_out.is_multiple_of(LANES)),
        Kind::Head => (2 * input.n_channels, 1..=1, n_out <= N_CLASSES),
    };
    if n_in != expected_in {
        return Err(bad("as many inputs as the layer before has outputs", n_in));
    }
    if !strides.contains(&stride) {
        return Err(bad(
            "stride 1, or 2 for a 3 x 3 layer and always for the first",
            stride,
        ));
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
    if kind != Kind::Head && !height.is_multiple_of(2) {
        return Err(bad("an even number of rows", height));
    }
    if output.n_positions() * n_out > MAX_VALUES {
        return Err(bad("a smaller activation", output.n_positions() * n_out));
    }
    Ok(output)
}
