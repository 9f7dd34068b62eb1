//! Log-mel bands: triangles on the HTK mel scale over magnitude spectra, then ln(x + 0.001).

use crate::error::ParameterError;
use crate::simd::dot::Register;
use crate::simd::per_path;
use crate::sound::filterbank::empty_band;
use crate::sound::framing::starts;
use crate::sound::spectrum::{LANES, Row, Spectrum};

/// Added to a band before the logarithm, so that silence is finite.
pub const LOG_OFFSET: f32 = 0.001;

/// What a log-mel transform is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogMelSettings {
    /// Rate of the samples in Hz.
    pub sample_rate: u32,
    /// Points of the transform: a power of two from 64 to 16 384.
    pub n_fft: usize,
    /// Samples of a frame, 1 to `n_fft`, under a periodic Hann window; the rest is zero.
    pub win_length: usize,
    /// Samples between the starts of two frames.
    pub hop: usize,
    /// Number of bands, 1 to 512.
    pub n_mels: usize,
    /// Lower edge of the first band in Hz.
    pub fmin: f64,
    /// Upper edge of the last band in Hz, at most half the sample rate.
    pub fmax: f64,
}

impl LogMelSettings {
    /// The front end of the shipped classifier: 16 kHz, 25 ms frames every 10 ms, 64 bands from 125 to 7500 Hz.
    ///
    /// # Source
    /// YAMNet (`params.py` of its published model), whose trained layers expect exactly this.
    pub const STREET: Self = Self {
        sample_rate: 16_000,
        n_fft: 512,
        win_length: 400,
        hop: 160,
        n_mels: 64,
        fmin: 125.0,
        fmax: 7_500.0,
    };
}

/// One triangle: its edges, and its weights from `first_bin` on.
struct Band {
    edges_hz: [f64; 3],
    first_bin: usize,
    weights: Vec<f32>,
}

/// Tables of a log-mel transform; a pure function of its settings.
pub struct LogMel {
    settings: LogMelSettings,
    spectrum: Spectrum,
    bands: Vec<Band>,
    /// Per bin, for the energy that goes with a frame; empty: none.
    gains: Vec<f32>,
}

/// Mel of a frequency.
///
/// # Source
/// HTK's formula as TensorFlow's `linear_to_mel_weight_matrix` has it: 1127 ln(1 + f / 700).
fn mel_of(hz: f64) -> f64 {
    1127.0 * libm::log(1.0 + hz / 700.0)
}

fn hz_of(mel: f64) -> f64 {
    700.0 * (libm::exp(mel / 1127.0) - 1.0)
}

/// Triangles linear in mel (not in Hz), without area normalisation and without the DC bin: what
/// `linear_to_mel_weight_matrix` gives, made in f64 and rounded once.
fn bands_of(settings: &LogMelSettings) -> Vec<Band> {
    let n_bins = settings.n_fft / 2;
    let bin_hz = f64::from(settings.sample_rate) / settings.n_fft as f64;
    let (low, high) = (mel_of(settings.fmin), mel_of(settings.fmax));
    let step = (high - low) / (settings.n_mels + 1) as f64;
    (0..settings.n_mels)
        .map(|band| {
            let [lower, centre, upper] = [0, 1, 2].map(|i| low + step * (band + i) as f64);
            let weight = |k: usize| {
                let mel = mel_of(bin_hz * k as f64);
                let (rise, fall) = (
                    (mel - lower) / (centre - lower),
                    (upper - mel) / (upper - centre),
                );
                rise.min(fall).max(0.0) as f32
            };
            let first_bin = (1..=n_bins).find(|&k| weight(k) > 0.0).unwrap_or(1);
            let weights = (first_bin..=n_bins)
                .map(weight)
                .take_while(|&w| w > 0.0)
                .collect();
            Band {
                edges_hz: [lower, centre, upper].map(hz_of),
                first_bin,
                weights,
            }
        })
        .collect()
}

impl LogMel {
    /// Makes the tables.
    ///
    /// # Errors
    /// Names the setting that is out of its range.
    pub fn new(settings: LogMelSettings) -> Result<Self, ParameterError> {
        let LogMelSettings {
            sample_rate,
            n_fft,
            win_length,
            hop,
            n_mels,
            fmin,
            fmax,
        } = settings;
        if sample_rate == 0 {
            return Err(ParameterError::new("sample_rate", "above 0 Hz", 0));
        }
        if hop == 0 {
            return Err(ParameterError::new("hop", "at least 1 sample", 0));
        }
        if !(1..=512).contains(&n_mels) {
            return Err(ParameterError::new("n_mels", "1 to 512", n_mels));
        }
        if !(fmin >= 0.0 && fmin < fmax) {
            let expected = format!("at least 0 and below fmax ({fmax} Hz)");
            return Err(ParameterError::new("fmin", expected, fmin));
        }
        let nyquist = f64::from(sample_rate) / 2.0;
        if fmax.is_nan() || fmax > nyquist {
            let expected = format!("at most half the sample rate ({nyquist} Hz)");
            return Err(ParameterError::new("fmax", expected, fmax));
        }
        Ok(Self {
            settings,
            spectrum: Spectrum::new(n_fft, win_length)?,
            bands: bands_of(&settings),
            gains: Vec::new(),
        })
    }

    /// The shipped front end with the gains of a band energy.
    pub(crate) fn street(gains: Vec<f32>) -> Option<Self> {
        let tables = Self::new(LogMelSettings::STREET).ok()?;
        Some(Self { gains, ..tables })
    }

    /// What it was made of.
    pub fn settings(&self) -> &LogMelSettings {
        &self.settings
    }

    /// The triangles as a matrix.
    ///
    /// # Shape
    /// (n_mels, n_fft / 2 + 1), row by row.
    pub fn filterbank(&self) -> Vec<f32> {
        let n_bins = self.settings.n_fft / 2 + 1;
        let mut matrix = vec![0.0; self.bands.len() * n_bins];
        for (row, band) in matrix.chunks_exact_mut(n_bins).zip(&self.bands) {
            row[band.first_bin..][..band.weights.len()].copy_from_slice(&band.weights);
        }
        matrix
    }

    /// Refuses bands that are narrower than a bin: they would be silent whatever sounds.
    ///
    /// # Errors
    /// `n_mels`, with the first such band.
    pub fn check_bands(&self) -> Result<(), ParameterError> {
        let empty = self.bands.iter().find(|band| band.weights.is_empty());
        match empty {
            Some(band) => Err(empty_band(&self.settings, band.edges_hz)),
            None => Ok(()),
        }
    }

    /// Edges of each triangle in Hz: lower, peak, upper.
    pub(crate) fn edges_hz(&self) -> impl Iterator<Item = [f64; 3]> {
        self.bands.iter().map(|band| band.edges_hz)
    }

    /// Frames in `n_samples` samples: no padding, no centring.
    pub fn n_frames(&self, n_samples: usize) -> usize {
        match n_samples.checked_sub(self.settings.win_length) {
            Some(rest) => rest / self.settings.hop + 1,
            None => 0,
        }
    }

    /// Which bands' triangles reach into the open interval from `low_hz` to `high_hz`.
    pub fn bands_touching(&self, low_hz: f64, high_hz: f64) -> Vec<bool> {
        self.bands
            .iter()
            .map(|band| band.edges_hz[0] < high_hz && band.edges_hz[2] > low_hz)
            .collect()
    }

    /// Log-mel of a whole array.
    ///
    /// # Shape
    /// Returns (n_frames, n_mels), row by row.
    pub fn log_mel(&self, samples: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; self.n_frames(samples.len()) * self.settings.n_mels];
        self.frames(samples, samples.len(), &mut out);
        out
    }

    /// Log-mel of a whole array into the caller's.
    ///
    /// # Shape
    /// `samples`: (n,), at the settings' rate; `out`: (n_frames(n), n_mels), row by row.
    ///
    /// # Errors
    /// `out` of another length.
    pub fn log_mel_into(&self, samples: &[f32], out: &mut [f32]) -> Result<(), ParameterError> {
        self.log_mel_rows_into(samples, samples.len(), out)
    }

    /// Log-mel of many arrays of one length into the caller's; their frames go side by side, which changes no bit.
    ///
    /// # Shape
    /// `samples`: (n_rows, n_samples); `out`: (n_rows, n_frames(n_samples), n_mels).
    ///
    /// # Errors
    /// `out` of another length.
    pub fn log_mel_rows_into(
        &self,
        samples: &[f32],
        n_samples: usize,
        out: &mut [f32],
    ) -> Result<(), ParameterError> {
        let n_rows = samples.len() / n_samples.max(1);
        let expected = n_rows * self.n_frames(n_samples) * self.settings.n_mels;
        if out.len() != expected {
            let expected = format!("{expected} values");
            return Err(ParameterError::new("out", expected, out.len()));
        }
        self.frames(samples, n_samples, out);
        Ok(())
    }

    fn frames(&self, samples: &[f32], n_samples: usize, out: &mut [f32]) {
        const ALIGNMENT: usize = 64;
        let mut memory = vec![0.0; self.spectrum.n_rows() * 2 * LANES + ALIGNMENT / 4];
        let first = memory.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT / 4);
        let mut bands = vec![0.0; self.settings.n_mels * LANES];
        let mut energy = [0.0; LANES];
        let row = [n_samples, self.n_frames(n_samples)];
        for (group, out) in out.chunks_mut(LANES * self.settings.n_mels).enumerate() {
            let n_frames = out.len() / self.settings.n_mels;
            let starts = starts(group, row, self.settings.hop);
            let (starts, energy) = (&starts[..n_frames], &mut energy[..n_frames]);
            let rows = &mut memory[first..];
            run_group(self, (samples, starts), rows, &mut bands, out, energy);
        }
    }

    /// Up to `LANES` frames of any streams, side by side: bands and the energy by `gains`.
    ///
    /// # Shape
    /// `starts`: (n_frames,), where each frame starts in `samples`; `out`: (n_frames, n_mels); `energy`: (n_frames,).
    pub(crate) fn group_into(
        &self,
        frames: (&[f32], &[usize]),
        scratch: &mut Scratch,
        out: &mut [f32],
        energy: &mut [f32],
    ) {
        let Scratch { rows, bands } = scratch;
        run_group(self, frames, rows, bands, out, energy);
    }

    #[inline(always)]
    fn run<R: Register>(
        &self,
        (samples, starts): (&[f32], &[usize]),
        rows: &mut [f32],
        bands: &mut [f32],
        out: &mut [f32],
        energy: &mut [f32],
    ) {
        let rows: &mut [Row] = rows.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0;
        let bands = &mut bands.as_chunks_mut::<LANES>().0[..self.bands.len()];
        let (spectrum, gains) = (&self.spectrum, &self.gains);
        let sums = spectrum.magnitudes::<R>(samples, starts, rows, gains);
        energy.copy_from_slice(&sums[..starts.len()]);
        for (row, band) in bands.iter_mut().zip(&self.bands) {
            let mut sum = [0.0; LANES];
            for (i, &weight) in band.weights.iter().enumerate() {
                let magnitude = spectrum.magnitude(rows, band.first_bin + i);
                for l in 0..LANES {
                    sum[l] += magnitude[l] * weight;
                }
            }
            for l in 0..LANES {
                row[l] = ln(sum[l] + LOG_OFFSET);
            }
        }
        scatter::<R>(bands, out, self.settings.n_mels);
    }
}

/// Rows of lanes to one row per frame.
#[inline(always)]
pub(crate) fn scatter<R: Register>(bands: &[[f32; LANES]], out: &mut [f32], n_mels: usize) {
    let (tiles, rest) = bands.as_chunks::<LANES>();
    let mut turned = [[0.0; LANES]; LANES];
    for (i, tile) in tiles.iter().enumerate() {
        R::transpose(&mut tile.clone(), &mut turned);
        for (frame, row) in out.chunks_exact_mut(n_mels).zip(&turned) {
            frame[i * LANES..][..LANES].copy_from_slice(row);
        }
    }
    let done = tiles.len() * LANES;
    for (l, frame) in out.chunks_exact_mut(n_mels).enumerate() {
        for (value, row) in frame[done..].iter_mut().zip(rest) {
            *value = row[l];
        }
    }
}

per_path! {
    fn run_group<R>(
        tables: &LogMel,
        frames: (&[f32], &[usize]),
        rows: &mut [f32],
        bands: &mut [f32],
        out: &mut [f32],
        energy: &mut [f32],
    ) {
        tables.run::<R>(frames, rows, bands, out, energy);
    }
}

/// Values that the shipped front end works in.
const STREET_VALUES: usize = (256 + 256 / 16) * 2 * LANES;

/// Working memory of `group_into` for the shipped front end: holds spectra, is wiped when dropped.
#[repr(C, align(64))]
pub(crate) struct Scratch {
    rows: [f32; STREET_VALUES],
    bands: [f32; 64 * LANES],
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let (rows, bands) = ([0.0; STREET_VALUES], [0.0; 64 * LANES]);
        Self { rows, bands }
    }

    #[cfg(test)]
    pub(crate) fn is_wiped(&self) -> bool {
        self.rows.iter().chain(&self.bands).all(|&x| x == 0.0)
    }

    /// Overwrites it.
    pub(crate) fn wipe(&mut self) {
        self.rows.fill(0.0);
        self.bands.fill(0.0);
        // The compiler may not drop stores to what it must take as read.
        std::hint::black_box(self);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Natural logarithm of a normal positive number, in plain arithmetic that the compiler turns into vectors.
///
/// With v = 2^e m, m in [√½, √2), s = (m - 1) / (m + 1): ln v = e ln 2 + 2 artanh s, whose series after s⁹ is below
/// 2e-9 of it. Error: at most 2 units in the last place, or 1.2e-7 near 1 (test).
#[inline(always)]
pub(crate) fn ln(v: f32) -> f32 {
    // Bits of √½: subtracting them puts the exponent's step there.
    const SQRT_HALF: u32 = 0x3f35_04f3;
    // ln 2 in two parts; the first has few enough bits for e times it to be exact.
    const LN_2_HIGH: f32 = 355.0 / 512.0;
    const LN_2_LOW: f32 = -0.000_212_194_44;
    let shifted = v.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = (shifted as i32 >> 23) as f32;
    let mantissa = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(SQRT_HALF));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let tail = z * (2.0 / 3.0 + z * (2.0 / 5.0 + z * (2.0 / 7.0 + z * (2.0 / 9.0))));
    exponent * LN_2_HIGH + (2.0 * s + (s * tail + exponent * LN_2_LOW))
}

#[cfg(test)]
mod tests;
