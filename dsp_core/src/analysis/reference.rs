//! The classifier, slow and obvious: straight from the weights file, one sum after the other. The fast layers must give
//! its bits in f32, and be close to it in f64.

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

    fn weights(&mut self, n: usize) -> Vec<f32> {
        (0..n)
            .map(|_| f32::from(self.take::<1>()[0] as i8))
            .collect()
    }

    fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| f32::from_le_bytes(self.take())).collect()
    }
}

/// One layer of the file.
struct Layer {
    kind: u8,
    stride: usize,
    n_in: usize,
    n_out: usize,
    n_terms: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl File<'_> {
    fn layer(&mut self) -> Layer {
        let [kind, stride] = self.take();
        let (n_in, n_out) = (self.size(), self.size());
        let n_terms = if kind < 2 { 9 } else { n_in };
        let mut weights = self.weights(n_terms * n_out);
        let (scale, bias) = (self.floats(n_out), self.floats(n_out));
        for (i, weight) in weights.iter_mut().enumerate() {
            *weight *= scale[i % n_out];
        }
        let stride = usize::from(stride);
        Layer {
            kind,
            stride,
            n_in,
            n_out,
            n_terms,
            weights,
            bias,
        }
    }
}

/// Outputs of TensorFlow's SAME, and the zeros before the first input.
fn same(n_in: usize, stride: usize) -> (usize, usize) {
    let n_out = n_in.div_ceil(stride);
    (n_out, ((n_out - 1) * stride + 3).saturating_sub(n_in) / 2)
}

macro_rules! reference {
    ($name:ident, $float:ident) => {
        /// Logits of one pass. Padding is added as `0 * w`.
        pub(super) fn $name(file: &[u8], bands: &[f32]) -> Vec<$float> {
            let mut file = File(file);
            let _magic = file.take::<8>();
            let (mut height, mut width) = (96, 64);
            let mut map: Vec<$float> = bands.iter().map(|&b| $float::from(b)).collect();
            for _ in 0..u32::from_le_bytes(file.take()) {
                let layer = file.layer();
                if layer.kind == 3 {
                    (height, width, map) = (1, 1, $float::pooled(&map, layer.n_in / 2));
                }
                let mut next = Vec::new();
                for y in 0..same(height, layer.stride).0 {
                    for x in 0..same(width, layer.stride).0 {
                        $float::sums(&layer, &map, (height, width), (y, x), &mut next);
                    }
                }
                (height, width, map) = (
                    same(height, layer.stride).0,
                    same(width, layer.stride).0,
                    next,
                );
            }
            map
        }

        impl Sums for $float {
            fn sums(
                layer: &Layer,
                map: &[$float],
                size: (usize, usize),
                at: (usize, usize),
                next: &mut Vec<$float>,
            ) {
                let Layer {
                    kind,
                    stride,
                    n_in,
                    n_out,
                    n_terms,
                    ..
                } = *layer;
                let (pad_y, pad_x) = (same(size.0, stride).1, same(size.1, stride).1);
                let tap = |k: usize, channel: usize| {
                    let (y, x) = (at.0 * stride + k / 3, at.1 * stride + k % 3);
                    let is_inside = (pad_y..size.0 + pad_y).contains(&y)
                        && (pad_x..size.1 + pad_x).contains(&x);
                    if is_inside {
                        map[((y - pad_y) * size.1 + x - pad_x) * n_in + channel]
                    } else {
                        0.0
                    }
                };
                for out in 0..n_out {
                    let mut sum = $float::from(layer.bias[out]);
                    for k in 0..n_terms {
                        let value = match kind {
                            0 => tap(k, 0),
                            1 => tap(k, out),
                            _ => map[(at.0 * size.1 + at.1) * n_in + k],
                        };
                        sum += value * $float::from(layer.weights[k * n_out + out]);
                    }
                    next.push(if kind == 3 || sum > 0.0 { sum } else { 0.0 });
                }
            }

            fn pooled(map: &[$float], n_channels: usize) -> Vec<$float> {
                let n_positions = map.len() / n_channels;
                let values = |c: usize| (0..n_positions).map(move |p| map[p * n_channels + c]);
                let mean = |c: usize| values(c).fold(0.0, |sum, x| sum + x) / n_positions as $float;
                let max = |c: usize| values(c).fold(0.0, $float::max);
                (0..n_channels)
                    .map(mean)
                    .chain((0..n_channels).map(max))
                    .collect()
            }
        }
    };
}

trait Sums: Sized {
    /// The sums of one position, one output after the other.
    fn sums(
        layer: &Layer,
        map: &[Self],
        size: (usize, usize),
        at: (usize, usize),
        next: &mut Vec<Self>,
    );

    /// Mean, then maximum, of each channel over all positions.
    fn pooled(map: &[Self], n_channels: usize) -> Vec<Self>;
}

reference!(logits_f32, f32);
reference!(logits_f64, f64);
