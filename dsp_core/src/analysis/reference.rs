//! The classifier, slow and obvious: straight from the weights file, one sum after the other. The fast layers must give the
//! bits of the integers, and be close to what the same weights give without rounding.

/// Reads a file front to back.
struct File<'a>(&'a [u8]);

impl File<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_first_chunk().unwrap();
        self.0 = rest;
        *head
    }

    fn size(&mut self) -> usize {
        usize::from(u16::from_le_bytes(self.take()))
    }

    fn float(&mut self) -> f32 {
        f32::from_le_bytes(self.take())
    }

    fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }

    fn layer(&mut self) -> Layer {
        let [kind, stride] = self.take();
        let (n_in, n_out, step) = (self.size(), self.size(), self.float());
        let n_terms = if kind < 2 { 9 } else { n_in };
        let weights = (0..n_terms * n_out).map(|_| i64::from(self.take::<1>()[0] as i8));
        Layer {
            kind,
            stride: usize::from(stride),
            n_in,
            n_out,
            n_terms,
            step,
            weights: weights.collect(),
            scale: self.floats(n_out),
            bias: self.floats(n_out),
        }
    }

    fn layers(&mut self) -> Vec<Layer> {
        let _magic = self.take::<8>();
        let n_layers = u32::from_le_bytes(self.take());
        (0..n_layers).map(|_| self.layer()).collect()
    }
}

/// One layer of the file.
struct Layer {
    kind: u8,
    stride: usize,
    n_in: usize,
    n_out: usize,
    n_terms: usize,
    step: f32,
    weights: Vec<i64>,
    scale: Vec<f32>,
    bias: Vec<f32>,
}

/// An activation: rows, columns, and values with channels innermost.
struct Map<T>(usize, usize, Vec<T>);

/// Outputs of TensorFlow's SAME, and the zeros before the first input.
fn same(n_in: usize, stride: usize) -> (usize, usize) {
    let n_out = n_in.div_ceil(stride);
    (n_out, ((n_out - 1) * stride + 3).saturating_sub(n_in) / 2)
}

impl Layer {
    /// Every output: `finish` of the output's number and the terms of its sum, weight and input. Padding is a 0.
    fn outputs<T: Copy + Default>(
        &self,
        Map(height, width, map): &Map<T>,
        mut finish: impl FnMut(usize, &mut dyn Iterator<Item = (i64, T)>) -> T,
    ) -> Map<T> {
        let ((n_rows, pad_y), (n_columns, pad_x)) =
            (same(*height, self.stride), same(*width, self.stride));
        let mut next = Vec::new();
        for (y, x) in (0..n_rows).flat_map(|y| (0..n_columns).map(move |x| (y, x))) {
            let tap = |k: usize, channel: usize| {
                let (y, x) = (y * self.stride + k / 3, x * self.stride + k % 3);
                let is_inside =
                    (pad_y..height + pad_y).contains(&y) && (pad_x..width + pad_x).contains(&x);
                match is_inside {
                    true => map[((y - pad_y) * width + x - pad_x) * self.n_in + channel],
                    false => T::default(),
                }
            };
            for out in 0..self.n_out {
                let mut terms = (0..self.n_terms).map(|k| {
                    let value = match self.kind {
                        0 => tap(k, 0),
                        1 => tap(k, out),
                        _ => map[(y * width + x) * self.n_in + k],
                    };
                    (self.weights[k * self.n_out + out], value)
                });
                next.push(finish(out, &mut terms));
            }
        }
        Map(n_rows, n_columns, next)
    }
}

/// Mean, then maximum, of each channel over all positions.
fn pooled<T: Copy>(
    Map(.., map): &Map<T>,
    n_channels: usize,
    mean: impl Fn(&[T]) -> T,
    max: impl Fn(&[T]) -> T,
) -> Map<T> {
    let channel =
        |c: usize| -> Vec<T> { map.iter().skip(c).step_by(n_channels).copied().collect() };
    let means = (0..n_channels).map(|c| mean(&channel(c)));
    let maxima = (0..n_channels).map(|c| max(&channel(c)));
    Map(1, 1, means.chain(maxima).collect())
}

/// The nearest integer of 16 bits, of two the even one.
fn rounded(x: f32) -> i64 {
    x.clamp(-32_767.0, 32_767.0).round_ties_even() as i64
}

/// Logits of one pass in integers, and the largest magnitude of a sum or a part of one.
pub(super) fn logits_in_integers(file: &[u8], bands: &[f32]) -> (Vec<f32>, i64) {
    let layers = File(file).layers();
    let values = bands.iter().map(|band| rounded(band / layers[0].step));
    let mut map = Map(96, 64, values.collect());
    let (mut logits, mut largest) = (Vec::new(), 0);
    for (index, layer) in layers.iter().enumerate() {
        if layer.kind == 3 {
            let mean =
                |values: &[i64]| rounded(values.iter().sum::<i64>() as f32 / values.len() as f32);
            let max = |values: &[i64]| *values.iter().max().unwrap();
            map = pooled(&map, layer.n_in / 2, mean, max);
        }
        let next_step = layers.get(index + 1).map_or(1.0, |next| next.step);
        map = layer.outputs(&map, |out, terms| {
            let mut sum = 0;
            for (weight, value) in terms {
                sum += weight * value;
                largest = largest.max(sum.abs());
            }
            let factor = layer.scale[out] * (layer.step / next_step);
            let x = sum as f32 * factor + layer.bias[out] / next_step;
            if layer.kind == 3 {
                logits.push(x);
            }
            rounded(x.max(0.0))
        });
    }
    (logits, largest)
}

/// Logits of one pass with the same weights and activations that are not rounded.
pub(super) fn logits_f64(file: &[u8], bands: &[f32]) -> Vec<f64> {
    let layers = File(file).layers();
    let mut map = Map(96, 64, bands.iter().copied().map(f64::from).collect());
    for layer in &layers {
        if layer.kind == 3 {
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let max = |values: &[f64]| values.iter().fold(0.0, |max: f64, &x| max.max(x));
            map = pooled(&map, layer.n_in / 2, mean, max);
        }
        map = layer.outputs(&map, |out, terms| {
            let sum: f64 = terms.map(|(weight, value)| weight as f64 * value).sum();
            let x = sum * f64::from(layer.scale[out]) + f64::from(layer.bias[out]);
            if layer.kind == 3 { x } else { x.max(0.0) }
        });
    }
    map.2
}
