use super::*;
use crate::simd::dot::Plain;

/// Frames of noise against `realfft` in f64: absolute error relative to the frame's largest bin.
fn worst_error(n_fft: usize, win_length: usize, n_frames: usize) -> f64 {
    let hop = win_length / 2 + 3;
    let mut state = 1_u32;
    let samples: Vec<f32> = (0..(n_frames - 1) * hop + win_length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / 2_147_483_648.0 - 1.0
        })
        .collect();
    let spectrum = Spectrum::new(n_fft, win_length).unwrap();
    let mut rows = vec![[[0.0; LANES]; 2]; spectrum.n_rows()];
    let starts: Vec<usize> = (0..n_frames).map(|frame| frame * hop).collect();
    spectrum.magnitudes::<Plain>(&samples, &starts, &mut rows, &[]);
    let fft = realfft::RealFftPlanner::<f64>::new().plan_fft_forward(n_fft);
    let mut worst = 0.0_f64;
    for frame in 0..n_frames {
        let mut input = vec![0.0; n_fft];
        let step = 2.0 * PI / win_length as f64;
        for n in 0..win_length {
            let w = 0.5 - 0.5 * (step * n as f64).cos();
            input[n] = f64::from(samples[frame * hop + n]) * w;
        }
        let mut output = fft.make_output_vec();
        fft.process(&mut input, &mut output).unwrap();
        let peak = output.iter().map(|x| x.norm()).fold(0.0, f64::max);
        for (k, x) in output.iter().enumerate() {
            let got = f64::from(spectrum.magnitude(&rows, k)[frame]);
            worst = worst.max((got - x.norm()).abs() / peak);
        }
    }
    worst
}

#[test]
fn matches_realfft_at_every_size() {
    for log2 in 6..=14 {
        let n_fft = 1 << log2;
        for win_length in [n_fft, n_fft * 25 / 32, n_fft / 2 + 1] {
            for error in [
                worst_error(n_fft, win_length, 16),
                worst_error(n_fft, win_length, 5),
            ] {
                assert!(error < 4e-7, "{n_fft} {win_length}: {error:e}");
            }
        }
    }
}

#[test]
fn energy_is_parsevals() {
    let spectrum = Spectrum::new(512, 400).unwrap();
    let samples: Vec<f32> = (0..400)
        .map(|n| ((n * n * 7919) % 1009) as f32 / 1009.0 - 0.5)
        .collect();
    let mut gains = vec![2.0; 257];
    (gains[0], gains[256]) = (1.0, 1.0);
    let mut rows = vec![[[0.0_f32; 16]; 2]; spectrum.n_rows()];
    let energy = spectrum.magnitudes::<Plain>(&samples, &[0], &mut rows, &gains)[0];
    let expected: f64 = hann(400)
        .iter()
        .zip(&samples)
        .map(|(w, x)| f64::from(w * x) * f64::from(w * x))
        .sum();
    assert!((f64::from(energy) / 512.0 / expected - 1.0).abs() < 1e-6);
}

#[test]
fn refuses_sizes() {
    for (n_fft, win_length) in [
        (0, 1),
        (500, 400),
        (32, 32),
        (32_768, 400),
        (512, 513),
        (512, 0),
    ] {
        assert!(Spectrum::new(n_fft, win_length).is_err());
    }
}
