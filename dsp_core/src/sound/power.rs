//! Power spectra of a whole array, sixteen frames side by side.

use crate::error::ParameterError;
use crate::simd::per_path;
use crate::sound::framing::starts;
use crate::sound::mel::scatter;
use crate::sound::spectrum::{LANES, Row, Spectrum};

/// Floats of a cache line, which rows of lanes begin on.
const LINE: usize = 16;

/// Tables of power spectra of `n_fft` points under a periodic Hann window of `win_length` samples, every `hop` samples.
pub struct PowerSpectrum {
    spectrum: Spectrum,
    n_fft: usize,
    win_length: usize,
    hop: usize,
}

impl PowerSpectrum {
    /// Makes the tables.
    ///
    /// # Errors
    /// `n_fft` that is no power of two from 64 to 16 384; `win_length` of 0 or above `n_fft`; a `hop` of 0.
    pub fn new(n_fft: usize, win_length: usize, hop: usize) -> Result<Self, ParameterError> {
        if hop == 0 {
            return Err(ParameterError::new("hop", "at least 1 sample", 0));
        }
        Ok(Self {
            spectrum: Spectrum::new(n_fft, win_length)?,
            n_fft,
            win_length,
            hop,
        })
    }

    /// Bins of a spectrum: 0 Hz to half the sample rate.
    pub fn n_bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// Frames in `n_samples` samples: no padding, no centring.
    pub fn n_frames(&self, n_samples: usize) -> usize {
        match n_samples.checked_sub(self.win_length) {
            Some(rest) => rest / self.hop + 1,
            None => 0,
        }
    }

    /// Power spectra of a whole array into the caller's.
    ///
    /// # Shape
    /// `samples`: (n,); `out`: (n_frames(n), n_bins), row by row.
    ///
    /// # Errors
    /// `out` of another length.
    pub fn power_into(&self, samples: &[f32], out: &mut [f32]) -> Result<(), ParameterError> {
        self.power_rows_into(samples, samples.len(), out)
    }

    /// Power spectra of many arrays of one length into the caller's; their frames go side by side, which changes no bit.
    ///
    /// # Shape
    /// `samples`: (n_rows, n_samples); `out`: (n_rows, n_frames(n_samples), n_bins).
    ///
    /// # Errors
    /// `out` of another length.
    pub fn power_rows_into(
        &self,
        samples: &[f32],
        n_samples: usize,
        out: &mut [f32],
    ) -> Result<(), ParameterError> {
        let row = [n_samples, self.n_frames(n_samples)];
        let expected = samples.len() / n_samples.max(1) * row[1] * self.n_bins();
        if out.len() != expected {
            let expected = format!("{expected} values");
            return Err(ParameterError::new("out", expected, out.len()));
        }
        let mut memory = vec![0.0; self.spectrum.n_rows() * 2 * LANES + LINE];
        let first = memory.as_ptr().align_offset(4 * LINE).min(LINE);
        let mut powers = vec![[0.0; LANES]; self.n_bins()];
        for (group, out) in out.chunks_mut(LANES * self.n_bins()).enumerate() {
            let starts = starts(group, row, self.hop);
            run_group(
                self,
                (samples, &starts),
                &mut memory[first..],
                &mut powers,
                out,
            );
        }
        Ok(())
    }
}

per_path! {
    fn run_group<R>(
        tables: &PowerSpectrum,
        frames: (&[f32], &[usize]),
        rows: &mut [f32],
        powers: &mut [[f32; LANES]],
        out: &mut [f32],
    ) {
        let rows: &mut [Row] = rows.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0;
        let n_frames = out.len() / tables.n_bins();
        let (samples, starts) = frames;
        tables.spectrum.magnitudes::<R>(samples, &starts[..n_frames], rows, &[]);
        for (k, power) in powers.iter_mut().enumerate() {
            let magnitude = tables.spectrum.magnitude(rows, k);
            for l in 0..LANES {
                power[l] = magnitude[l] * magnitude[l];
            }
        }
        scatter::<R>(powers, out, tables.n_bins());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_that_of_a_transform_in_f64() {
        for (n_fft, win_length, hop) in [(512, 400, 160), (1_024, 1_024, 512), (64, 50, 7)] {
            let tables = PowerSpectrum::new(n_fft, win_length, hop).unwrap();
            let samples: Vec<f32> = (0..9_000)
                .map(|n| ((n * n) % 1_009) as f32 / 504.5 - 1.0)
                .collect();
            let mut out = vec![0.0; tables.n_frames(9_000) * tables.n_bins()];
            tables.power_into(&samples, &mut out).unwrap();
            let fft = realfft::RealFftPlanner::<f64>::new().plan_fft_forward(n_fft);
            let mut bins = fft.make_output_vec();
            for (t, row) in out.chunks(tables.n_bins()).enumerate() {
                let mut frame = vec![0.0; n_fft];
                for n in 0..win_length {
                    let angle = 2.0 * std::f64::consts::PI * n as f64 / win_length as f64;
                    frame[n] = f64::from(samples[t * hop + n]) * (0.5 - 0.5 * angle.cos());
                }
                fft.process(&mut frame, &mut bins).unwrap();
                let largest = bins.iter().map(|x| x.norm_sqr()).fold(0.0, f64::max);
                for (got, bin) in row.iter().zip(&bins) {
                    assert!((f64::from(*got) - bin.norm_sqr()).abs() < 1e-6 * largest);
                }
            }
            assert!(tables.power_into(&samples, &mut [0.0]).is_err());
        }
        assert!(PowerSpectrum::new(512, 400, 0).is_err());
    }
}
