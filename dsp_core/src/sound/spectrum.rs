//! Power and magnitude spectra of frames, many frames side by side.
//!
//! Each vector lane holds one frame, so the transform is plain arithmetic on rows of lanes: no shuffles, no reduction
//! across lanes, nothing for the compiler to reorder. A frame's bytes therefore depend on its own samples alone, never on
//! its lane mates, on how frames were grouped or on the CPU.

use std::f64::consts::PI;

use crate::error::ParameterError;
use crate::simd::dot::Register;

/// Frames that are transformed side by side: one AVX-512 vector, two AVX2 ones, four of the baseline.
pub(crate) const LANES: usize = 16;
/// Complex rows between two rows of padding: without it the rows of one butterfly share one set of the L1 cache.
const RUN: usize = 16;
/// Smallest and largest transform.
pub(crate) const N_FFT: std::ops::RangeInclusive<usize> = 64..=16_384;

/// One complex value of every frame, later the magnitudes of two bins.
pub(crate) type Row = [[f32; LANES]; 2];

/// Twiddle factors of one radix-4 butterfly: w, w², w³ as (re, im).
type Twiddle = [f32; 6];

/// Tables of a real transform of `n_fft` points of `win_length` samples under a periodic Hann window.
pub(crate) struct Spectrum {
    n_fft: usize,
    win_length: usize,
    /// Halved, and filled up with zeros to whole groups of `LANES` samples.
    window_fn: Vec<f32>,
    /// First stage where the half-size transform is no power of 4.
    radix2: Vec<[f32; 2]>,
    /// Radix-4 stages but the last, whose factors are all 1.
    radix4: Vec<Vec<Twiddle>>,
    /// w of the bins of the real transform.
    split: Vec<[f32; 2]>,
    /// Row that holds bin k of the half-size transform.
    place: Vec<u32>,
}

impl Spectrum {
    /// Makes the tables.
    ///
    /// # Errors
    /// `n_fft` that is no power of two from 64 to 16 384; `win_length` of 0 or above `n_fft`.
    pub(crate) fn new(n_fft: usize, win_length: usize) -> Result<Self, ParameterError> {
        if !n_fft.is_power_of_two() || !N_FFT.contains(&n_fft) {
            let expected = "a power of two from 64 to 16384";
            return Err(ParameterError::new("n_fft", expected, n_fft));
        }
        if win_length == 0 || win_length > n_fft {
            let expected = format!("1 to n_fft ({n_fft})");
            return Err(ParameterError::new("win_length", expected, win_length));
        }
        let half = n_fft / 2;
        let is_odd = half.trailing_zeros() % 2 == 1;
        let radix2 = if is_odd {
            (0..half / 2).map(|j| root(j, half)).collect()
        } else {
            Vec::new()
        };
        let mut size = if is_odd { half / 2 } else { half };
        let mut radix4 = Vec::new();
        while size > 4 {
            radix4.push((0..size / 4).map(|j| twiddle(j, size)).collect());
            size /= 4;
        }
        let mut window_fn = hann(win_length);
        window_fn.iter_mut().for_each(|w| *w *= 0.5);
        window_fn.resize(win_length.next_multiple_of(LANES), 0.0);
        Ok(Self {
            n_fft,
            win_length,
            window_fn,
            radix2,
            radix4,
            split: (0..half / 2).map(|k| root(k, n_fft)).collect(),
            place: (0..half).map(|k| place(k, half, is_odd)).collect(),
        })
    }

    /// Rows that the transform works in.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_fft / 2 + self.n_fft / 2 / RUN
    }

    /// The magnitudes of bin `k` (0 to n_fft / 2) after `magnitudes`.
    #[inline(always)]
    pub(crate) fn magnitude<'a>(&self, rows: &'a [Row], k: usize) -> &'a [f32; LANES] {
        if k == self.place.len() {
            &rows[0][1]
        } else {
            &rows[self.place[k] as usize][0]
        }
    }

    /// Magnitude spectra of 1 to `LANES` frames, left in `rows`, and per frame the sum of power times `gains` (by bin; empty:
    /// none).
    ///
    /// # Shape
    /// `starts`: (n_frames,), where each frame starts in `samples`, which holds `win_length` from there on; `rows`: (n_rows,).
    #[inline(always)]
    pub(crate) fn magnitudes<R: Register>(
        &self,
        samples: &[f32],
        starts: &[usize],
        rows: &mut [Row],
        gains: &[f32],
    ) -> [f32; LANES] {
        let rows = &mut rows[..self.n_rows()];
        self.load::<R>(samples, starts, rows);
        if !self.radix2.is_empty() {
            stage2(rows, &self.radix2);
        }
        for twiddles in &self.radix4 {
            if twiddles.len() >= RUN {
                stage4(rows, twiddles);
            } else {
                stage4_in_runs(rows, twiddles);
            }
        }
        stage4_last(rows);
        self.split(rows, gains)
    }

    /// Windows the frames and turns them by 90°: sample n of every frame becomes one row.
    #[inline(always)]
    fn load<R: Register>(&self, samples: &[f32], starts: &[usize], rows: &mut [Row]) {
        let n_whole = self.win_length / LANES;
        // Lanes without a frame repeat the first one: nobody reads them.
        let mut lanes = [starts[0]; LANES];
        lanes[..starts.len()].copy_from_slice(starts);
        let mut tile = [[0.0; LANES]; LANES];
        for block in 0..self.window_fn.len() / LANES {
            let window_fn = &self.window_fn[block * LANES..][..LANES];
            for (l, column) in tile.iter_mut().enumerate() {
                let start = lanes[l] + block * LANES;
                if block < n_whole {
                    let frame = &samples[start..start + LANES];
                    for i in 0..LANES {
                        column[i] = frame[i] * window_fn[i];
                    }
                } else {
                    for i in 0..LANES {
                        let inside = block * LANES + i < self.win_length;
                        column[i] = if inside { samples[start + i] } else { 0.0 } * window_fn[i];
                    }
                }
            }
            let first = block * LANES / 2;
            let target = rows[first + first / RUN..].as_flattened_mut();
            if let Some(target) = target.first_chunk_mut() {
                R::transpose(&mut tile, target);
            }
        }
        let first_empty = self.window_fn.len() / LANES * LANES / 2;
        if first_empty < self.n_fft / 2 {
            rows[first_empty + first_empty / RUN..].fill([[0.0; LANES]; 2]);
        }
    }

    /// Half-size complex to real spectrum, as magnitudes in place.
    #[inline(always)]
    fn split(&self, rows: &mut [Row], gains: &[f32]) -> [f32; LANES] {
        let half = self.n_fft / 2;
        let mut energy = [0.0; LANES];
        let gain = |k: usize| gains.get(k).copied().unwrap_or(0.0);
        ends(&mut rows[0], gain(0), gain(half), &mut energy);
        middle(
            &mut rows[self.place[half / 2] as usize],
            gain(half / 2),
            &mut energy,
        );
        for k in 1..half / 2 {
            let places = [self.place[k] as usize, self.place[half - k] as usize];
            if let Ok([low, high]) = rows.get_disjoint_mut(places) {
                let g = [gain(k), gain(half - k)];
                split_pair(low, high, self.split[k], g, &mut energy);
            }
        }
        energy
    }
}

/// exp(-2 πi j / n), made in f64 and rounded once.
fn root(j: usize, n: usize) -> [f32; 2] {
    let angle = -2.0 * PI * j as f64 / n as f64;
    [libm::cos(angle) as f32, libm::sin(angle) as f32]
}

fn twiddle(j: usize, n: usize) -> Twiddle {
    let [w1, w2, w3] = [1, 2, 3].map(|power| root(j * power, n));
    [w1[0], w1[1], w2[0], w2[1], w3[0], w3[1]]
}

/// Periodic Hann window, made in f64 and rounded once.
pub(crate) fn hann(win_length: usize) -> Vec<f32> {
    let step = 2.0 * PI / win_length as f64;
    (0..win_length)
        .map(|n| (0.5 - 0.5 * libm::cos(step * n as f64)) as f32)
        .collect()
}

/// Where decimation in frequency leaves bin k: its digits reversed, rows of padding counted.
fn place(k: usize, half: usize, is_odd: bool) -> u32 {
    let (mut rest, mut size, mut position) = (k, half, 0);
    let mut radix = if is_odd { 2 } else { 4 };
    while size > 1 {
        size /= radix;
        position += rest % radix * size;
        rest /= radix;
        radix = 4;
    }
    (position + position / RUN) as u32
}

/// Radix-2 stage over the whole transform.
#[inline(always)]
fn stage2(rows: &mut [Row], twiddles: &[[f32; 2]]) {
    let (low, high) = rows.split_at_mut(rows.len() / 2);
    let runs = low
        .chunks_exact_mut(RUN + 1)
        .zip(high.chunks_exact_mut(RUN + 1));
    for ((a, b), w) in runs.zip(twiddles.chunks_exact(RUN)) {
        for j in 0..RUN {
            butterfly2(&mut a[j], &mut b[j], w[j]);
        }
    }
}

#[inline(always)]
fn butterfly2(a: &mut Row, b: &mut Row, w: [f32; 2]) {
    for l in 0..LANES {
        let (re, im) = (a[0][l] - b[0][l], a[1][l] - b[1][l]);
        a[0][l] += b[0][l];
        a[1][l] += b[1][l];
        b[0][l] = re * w[0] - im * w[1];
        b[1][l] = re * w[1] + im * w[0];
    }
}

/// Radix-4 stage whose quarters are whole runs.
#[inline(always)]
fn stage4(rows: &mut [Row], twiddles: &[Twiddle]) {
    let quarter = twiddles.len() / RUN * (RUN + 1);
    for group in rows.chunks_exact_mut(4 * quarter) {
        let (ab, cd) = group.split_at_mut(2 * quarter);
        let (a, b) = ab.split_at_mut(quarter);
        let (c, d) = cd.split_at_mut(quarter);
        let runs = a
            .chunks_exact_mut(RUN + 1)
            .zip(b.chunks_exact_mut(RUN + 1))
            .zip(c.chunks_exact_mut(RUN + 1))
            .zip(d.chunks_exact_mut(RUN + 1));
        for ((((a, b), c), d), w) in runs.zip(twiddles.chunks_exact(RUN)) {
            for j in 0..RUN {
                butterfly4(&mut a[j], &mut b[j], &mut c[j], &mut d[j], &w[j]);
            }
        }
    }
}

/// Radix-4 stage whose groups are one run.
#[inline(always)]
fn stage4_in_runs(rows: &mut [Row], twiddles: &[Twiddle]) {
    for run in rows.chunks_exact_mut(RUN + 1) {
        let (ab, cd) = run.split_at_mut(RUN / 2);
        let (a, b) = ab.split_at_mut(RUN / 4);
        let (c, d) = cd.split_at_mut(RUN / 4);
        for (j, w) in twiddles.iter().enumerate().take(RUN / 4) {
            butterfly4(&mut a[j], &mut b[j], &mut c[j], &mut d[j], w);
        }
    }
}

#[inline(always)]
fn butterfly4(a: &mut Row, b: &mut Row, c: &mut Row, d: &mut Row, w: &Twiddle) {
    for l in 0..LANES {
        let (s0r, s0i) = (a[0][l] + c[0][l], a[1][l] + c[1][l]);
        let (d0r, d0i) = (a[0][l] - c[0][l], a[1][l] - c[1][l]);
        let (s1r, s1i) = (b[0][l] + d[0][l], b[1][l] + d[1][l]);
        // (b - d) times -i
        let (d1r, d1i) = (b[1][l] - d[1][l], d[0][l] - b[0][l]);
        a[0][l] = s0r + s1r;
        a[1][l] = s0i + s1i;
        let (xr, xi) = (d0r + d1r, d0i + d1i);
        b[0][l] = xr * w[0] - xi * w[1];
        b[1][l] = xr * w[1] + xi * w[0];
        let (xr, xi) = (s0r - s1r, s0i - s1i);
        c[0][l] = xr * w[2] - xi * w[3];
        c[1][l] = xr * w[3] + xi * w[2];
        let (xr, xi) = (d0r - d1r, d0i - d1i);
        d[0][l] = xr * w[4] - xi * w[5];
        d[1][l] = xr * w[5] + xi * w[4];
    }
}

/// Last radix-4 stage: no factors.
#[inline(always)]
fn stage4_last(rows: &mut [Row]) {
    for run in rows.chunks_exact_mut(RUN + 1) {
        for quad in run[..RUN].chunks_exact_mut(4) {
            if let [a, b, c, d] = quad {
                butterfly4_plain(a, b, c, d);
            }
        }
    }
}

#[inline(always)]
fn butterfly4_plain(a: &mut Row, b: &mut Row, c: &mut Row, d: &mut Row) {
    for l in 0..LANES {
        let (s0r, s0i) = (a[0][l] + c[0][l], a[1][l] + c[1][l]);
        let (d0r, d0i) = (a[0][l] - c[0][l], a[1][l] - c[1][l]);
        let (s1r, s1i) = (b[0][l] + d[0][l], b[1][l] + d[1][l]);
        let (d1r, d1i) = (b[1][l] - d[1][l], d[0][l] - b[0][l]);
        a[0][l] = s0r + s1r;
        a[1][l] = s0i + s1i;
        b[0][l] = d0r + d1r;
        b[1][l] = d0i + d1i;
        c[0][l] = s0r - s1r;
        c[1][l] = s0i - s1i;
        d[0][l] = d0r - d1r;
        d[1][l] = d0i - d1i;
    }
}

/// Bins 0 and n_fft / 2 (the window is halved, hence the factor 2).
#[inline(always)]
fn ends(row: &mut Row, gain_0: f32, gain_half: f32, energy: &mut [f32; LANES]) {
    for l in 0..LANES {
        let low = 2.0 * (row[0][l] + row[1][l]);
        let high = 2.0 * (row[0][l] - row[1][l]);
        energy[l] += low * low * gain_0 + high * high * gain_half;
        row[0][l] = low.abs();
        row[1][l] = high.abs();
    }
}

/// Bin n_fft / 4.
#[inline(always)]
fn middle(row: &mut Row, gain: f32, energy: &mut [f32; LANES]) {
    for l in 0..LANES {
        let power = 4.0 * (row[0][l] * row[0][l] + row[1][l] * row[1][l]);
        energy[l] += power * gain;
        row[0][l] = power.sqrt();
    }
}

/// Bins k and n_fft / 2 - k.
#[inline(always)]
fn split_pair(
    low: &mut Row,
    high: &mut Row,
    w: [f32; 2],
    gains: [f32; 2],
    energy: &mut [f32; LANES],
) {
    for l in 0..LANES {
        let (even_re, even_im) = (low[0][l] + high[0][l], low[1][l] - high[1][l]);
        let (odd_re, odd_im) = (low[1][l] + high[1][l], high[0][l] - low[0][l]);
        let turned_re = odd_re * w[0] - odd_im * w[1];
        let turned_im = odd_re * w[1] + odd_im * w[0];
        let (re, im) = (even_re + turned_re, even_im + turned_im);
        let power_low = re * re + im * im;
        let (re, im) = (even_re - turned_re, even_im - turned_im);
        let power_high = re * re + im * im;
        energy[l] += power_low * gains[0] + power_high * gains[1];
        low[0][l] = power_low.sqrt();
        high[0][l] = power_high.sqrt();
    }
}

#[cfg(test)]
mod tests;
