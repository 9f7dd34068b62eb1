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

macro_rules! reference {
    ($name:ident, $float:ty) => {
        /// Logits of one pass. Padding is added as `0 * w`.
        pub(super) fn $name(file: &[u8], bands: &[f32]) -> Vec<$float> {
            let mut file = File(file);
            let _magic = file.take::<8>();
            let n_layers = u32::from_le_bytes(file.take());
            let (mut height, mut width) = (96usize, 64usize);
            let mut map: Vec<$float> = bands.iter().map(|&b| <$float>::from(b)).collect();
            for _ in 0..n_layers {
                let [kind, stride] = file.take();
                let (stride, n_in, n_out) = (usize::from(stride), file.size(), file.size());
                let n_terms = if kind < 2 { 9 } else { n_in };
                let raw = file.weights(n_terms * n_out);
                let (scale, bias) = (file.floats(n_out), file.floats(n_out));
                let w = |k: usize, out: usize| <$float>::from(raw[k * n_out + out] * scale[out]);
                if kind == 3 {
                    (height, width) = (1, 1);
                    map = pooled(&map, n_in / 2);
                }
                let (out_height, out_width) = (height.div_ceil(stride), width.div_ceil(stride));
                let pad_y = ((out_height - 1) * stride + 3).saturating_sub(height) / 2;
                let pad_x = ((out_width - 1) * stride + 3).saturating_sub(width) / 2;
                let at = |y: usize, x: usize, channel: usize| {
                    let is_inside =
                        (pad_y..height + pad_y).contains(&y) && (pad_x..width + pad_x).contains(&x);
                    if is_inside {
                        map[((y - pad_y) * width + x - pad_x) * n_in + channel]
                    } else {
                        0.0
                    }
                };
                let mut next = Vec::new();
                for (y, x) in (0..out_height).flat_map(|y| (0..out_width).map(move |x| (y, x))) {
                    for out in 0..n_out {
                        let mut sum = <$float>::from(bias[out]);
                        for k in 0..n_terms {
                            sum += w(k, out)
                                * match kind {
                                    0 => at(y * stride + k / 3, x * stride + k % 3, 0),
                                    1 => at(y * stride + k / 3, x * stride + k % 3, out),
                                    _ => map[(y * width + x) * n_in + k],
                                };
                        }
                        next.push(if kind == 3 || sum > 0.0 { sum } else { 0.0 });
                    }
                }
                (height, width, map) = (out_height, out_width, next);
            }
            return map;

            fn pooled(map: &[$float], n_channels: usize) -> Vec<$float> {
                let n_positions = map.len() / n_channels;
                let values = |c: usize| (0..n_positions).map(move |p| map[p * n_channels + c]);
                let mean = |c: usize| values(c).fold(0.0, |sum, x| sum + x) / n_positions as $float;
                let max = |c: usize| values(c).fold(0.0, <$float>::max);
                (0..n_channels)
                    .map(mean)
                    .chain((0..n_channels).map(max))
                    .collect()
            }
        }
    };
}

reference!(logits_f32, f32);
reference!(logits_f64, f64);
