//! The last 1.28 s of frames, in 16 bits: the only spectra that outlive a push.

use zeroize::{Zeroize, Zeroizing};

use super::anomaly::bounded;
use super::window::{
    BAND_STEPS, FRAMES_PER_SLOT, FeatureWindow, N_BANDS, WINDOW_FRAMES, WINDOW_HOP,
};
use crate::simd::per_path;

/// A window goes on when the unit of its last frame ends: 96 frames and 19 more at the most.
const N_FRAMES: usize = 128;
const ROUNDING: f32 = 12_582_912.0;
/// Level of digital silence.
const MIN_LEVEL_DBFS: f64 = -127.0;

/// Frames by their number, with their energy outside the speech band.
///
/// # Guarantee
/// What falls out is overwritten by what comes in; the rest is overwritten by `wipe` and when dropped.
pub(crate) struct FrameRing {
    bands: Zeroizing<Vec<i16>>,
    energy: Zeroizing<Vec<f32>>,
    /// Numbers of the frames that it holds: from `first` on, before `end`.
    first: u64,
    end: u64,
}

impl FrameRing {
    pub(crate) fn new() -> Self {
        Self {
            bands: Zeroizing::new(vec![0; N_FRAMES * N_BANDS]),
            energy: Zeroizing::new(vec![0.0; N_FRAMES]),
            first: 0,
            end: 0,
        }
    }

    /// Number of the next frame.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Forgets what it holds and goes on at `frame`.
    pub(crate) fn restart(&mut self, frame: u64) {
        self.wipe();
        (self.first, self.end) = (frame, frame);
    }

    pub(crate) fn wipe(&mut self) {
        // A `Vec` would be emptied; the ring keeps its size.
        self.bands.iter_mut().for_each(Zeroize::zeroize);
        self.energy.iter_mut().for_each(Zeroize::zeroize);
        self.first = self.end;
    }

    /// Frames that can be written before the ring's edge.
    pub(crate) fn room(&self) -> u64 {
        N_FRAMES as u64 - self.end % N_FRAMES as u64
    }

    /// Appends at most `room()` frames.
    ///
    /// # Shape
    /// `bands`: (n, 64); `energy`: (n,).
    pub(crate) fn append(&mut self, bands: &[f32], energy: &[f32]) {
        let at = (self.end % N_FRAMES as u64) as usize;
        let n = energy.len();
        quantise(bands, &mut self.bands[at * N_BANDS..(at + n) * N_BANDS]);
        self.energy[at..at + n].copy_from_slice(energy);
        self.end += n as u64;
        self.first = self.first.max(self.end.saturating_sub(N_FRAMES as u64));
    }

    /// Whether it holds all frames of a window.
    pub(crate) fn holds(&self, window: u64) -> bool {
        let start = window * WINDOW_HOP as u64;
        self.first <= start && start + WINDOW_FRAMES as u64 <= self.end
    }

    /// Cuts a window that it holds.
    pub(crate) fn cut(&self, window: u64, sensor_id: u32, start_slot: u64) -> FeatureWindow {
        let start = window * WINDOW_HOP as u64;
        let mut bands = vec![0.0; WINDOW_FRAMES * N_BANDS];
        let (mut sum, mut loudest, mut most) = (0.0_f64, start, f32::NEG_INFINITY);
        for (frame, out) in (start..).zip(bands.chunks_exact_mut(N_BANDS)) {
            let at = (frame % N_FRAMES as u64) as usize;
            restore(&self.bands[at * N_BANDS..(at + 1) * N_BANDS], out);
            let energy = self.energy[at];
            sum += f64::from(energy);
            if energy > most {
                (loudest, most) = (frame, energy);
            }
        }
        let slot = start_slot + loudest / FRAMES_PER_SLOT;
        FeatureWindow::new(sensor_id, window, slot, level_dbfs(sum), bands).of_stream(start_slot)
    }
}

/// Level of the mean of 96 energies that sum up to `sum`.
fn level_dbfs(sum: f64) -> f32 {
    let mean = sum / WINDOW_FRAMES as f64;
    if mean > 0.0 {
        (10.0 * libm::log10(mean)).max(MIN_LEVEL_DBFS) as f32
    } else {
        MIN_LEVEL_DBFS as f32
    }
}

per_path! {
    fn quantise(bands: &[f32], out: &mut [i16]) {
        for (o, &x) in out.iter_mut().zip(bands) {
            let steps = bounded(x * BAND_STEPS, -32_768.0, 32_767.0);
            // Added to 1.5 × 2²³ a number is rounded to a whole one that lies in the lowest bits: no conversion, all lanes.
            *o = (steps + ROUNDING).to_bits() as i16;
        }
    }
}

per_path! {
    fn restore(ring: &[i16], out: &mut [f32]) {
        for (o, &x) in out.iter_mut().zip(ring) {
            *o = f32::from(x) * (1.0 / BAND_STEPS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_comes_back_within_half_a_step() {
        let mut ring = FrameRing::new();
        let value = |f: u64, b: usize| (f as f32 * 0.37 + b as f32 * 1.3) % 13.0 - 6.9;
        for f in 0..150_u64 {
            let frame: Vec<f32> = (0..N_BANDS).map(|b| value(f, b)).collect();
            ring.append(&frame, &[f as f32 % 100.0]);
        }
        assert!(ring.holds(1) && !ring.holds(0) && !ring.holds(2));
        let window = ring.cut(1, 7, 1_000);
        for (i, &x) in window.bands().iter().enumerate() {
            let exact = value(48 + (i / N_BANDS) as u64, i % N_BANDS);
            assert!((x - exact).abs() <= 0.5 / BAND_STEPS + 1e-6);
        }
        // Frames 48 to 143; the greatest energy is that of frame 99, in the stream's first second.
        assert_eq!(window.slot(), 1_000);
    }

    #[test]
    fn levels_have_a_floor_and_a_known_value() {
        assert_eq!(level_dbfs(0.0), -127.0);
        assert_eq!(level_dbfs(f64::from(f32::MIN_POSITIVE)), -127.0);
        assert!((level_dbfs(0.96) - -20.0).abs() < 1e-5);
    }

    #[test]
    fn wiping_leaves_nothing() {
        let mut ring = FrameRing::new();
        ring.append(&[1.0; 64 * 96], &[1.0; 96]);
        ring.wipe();
        assert!(ring.bands.iter().all(|&x| x == 0) && ring.energy.iter().all(|&x| x == 0.0));
        assert!(!ring.holds(0));
    }
}
