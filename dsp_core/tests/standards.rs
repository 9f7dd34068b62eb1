//! IEC 61672-1:2013, 5.5: frequency weightings A and C against Table 3, by sines through the running filter.

use std::f64::consts::PI;

use dsp_core::sound::weighting::{Weighting, WeightingKind};

/// Nominal frequency in Hz, A and C in dB, class 1 limits above and below in dB.
///
/// # Source
/// IEC 61672-1:2013, Table 3.
const TABLE_3: [(f64, f64, f64, f64, f64); 34] = [
    (10.0, -70.4, -14.3, 3.0, f64::INFINITY),
    (12.5, -63.4, -11.2, 2.5, f64::INFINITY),
    (16.0, -56.7, -8.5, 2.0, 4.0),
    (20.0, -50.5, -6.2, 2.0, 2.0),
    (25.0, -44.7, -4.4, 2.0, 1.5),
    (31.5, -39.4, -3.0, 1.5, 1.5),
    (40.0, -34.6, -2.0, 1.0, 1.0),
    (50.0, -30.2, -1.3, 1.0, 1.0),
    (63.0, -26.2, -0.8, 1.0, 1.0),
    (80.0, -22.5, -0.5, 1.0, 1.0),
    (100.0, -19.1, -0.3, 1.0, 1.0),
    (125.0, -16.1, -0.2, 1.0, 1.0),
    (160.0, -13.4, -0.1, 1.0, 1.0),
    (200.0, -10.9, 0.0, 1.0, 1.0),
    (250.0, -8.6, 0.0, 1.0, 1.0),
    (315.0, -6.6, 0.0, 1.0, 1.0),
    (400.0, -4.8, 0.0, 1.0, 1.0),
    (500.0, -3.2, 0.0, 1.0, 1.0),
    (630.0, -1.9, 0.0, 1.0, 1.0),
    (800.0, -0.8, 0.0, 1.0, 1.0),
    (1_000.0, 0.0, 0.0, 0.7, 0.7),
    (1_250.0, 0.6, 0.0, 1.0, 1.0),
    (1_600.0, 1.0, -0.1, 1.0, 1.0),
    (2_000.0, 1.2, -0.2, 1.0, 1.0),
    (2_500.0, 1.3, -0.3, 1.0, 1.0),
    (3_150.0, 1.2, -0.5, 1.0, 1.0),
    (4_000.0, 1.0, -0.8, 1.0, 1.0),
    (5_000.0, 0.5, -1.3, 1.5, 1.5),
    (6_300.0, -0.1, -2.0, 1.5, 2.0),
    (8_000.0, -1.1, -3.0, 1.5, 2.5),
    (10_000.0, -2.5, -4.4, 2.0, 3.0),
    (12_500.0, -4.3, -6.2, 2.0, 5.0),
    (16_000.0, -6.6, -8.5, 2.5, 16.0),
    (20_000.0, -9.3, -11.2, 3.0, f64::INFINITY),
];

/// Steady-state gain of a sine in dB, over whole periods after the filter has settled.
fn gain_db(weighting: &Weighting, sample_rate: u32, hz: f64) -> f64 {
    let rate = f64::from(sample_rate);
    let n_settle = (0.6 * rate) as usize;
    let n_periods = (0.3 * hz).ceil();
    let n = (n_periods * rate / hz).round() as usize;
    let samples: Vec<f32> = (0..n_settle + n)
        .map(|i| (2.0 * PI * hz * i as f64 / rate).sin() as f32)
        .collect();
    let weighted = weighting.weight(&samples);
    let out: f64 = weighted[n_settle..].iter().map(|y| y * y).sum();
    let input: f64 = samples[n_settle..]
        .iter()
        .map(|&x| f64::from(x) * f64::from(x))
        .sum();
    10.0 * (out / input).log10()
}

/// Worst error against the analogue weighting in dB up to `top_hz`; all within class 1.
fn check(kind: WeightingKind, sample_rate: u32, top_hz: f64) -> f64 {
    let weighting = Weighting::new(kind, sample_rate);
    let mut worst = 0.0_f64;
    for (i, (nominal, a, c, above, below)) in TABLE_3.into_iter().enumerate() {
        // Exact frequency of the nominal one.
        let hz = 1_000.0 * 10.0_f64.powf((i as f64 - 20.0) / 10.0);
        if nominal > top_hz {
            continue;
        }
        let goal = if kind == WeightingKind::A { a } else { c };
        let got = gain_db(&weighting, sample_rate, hz);
        let error = got - goal;
        assert!(
            error <= above && error >= -below,
            "{kind:?} {sample_rate} Hz at {nominal} Hz: {got:.2} dB, goal {goal}, class 1 +{above} -{below}"
        );
        worst = worst.max((got - 20.0 * kind.gain(hz).log10()).abs());
    }
    worst
}

#[test]
fn a_and_c_weighting_are_class_1() {
    for (sample_rate, top_hz) in [
        (16_000, 6_300.0),
        (22_050, 10_000.0),
        (32_000, 12_500.0),
        (44_100, 20_000.0),
        (48_000, 20_000.0),
        (96_000, 20_000.0),
        (192_000, 20_000.0),
    ] {
        for kind in [WeightingKind::A, WeightingKind::C] {
            let worst = check(kind, sample_rate, top_hz);
            assert!(worst < 0.25, "{kind:?} {sample_rate}: {worst}");
        }
    }
    // Below 16 kHz there are levels only, class 1 to 3.15 kHz.
    check(WeightingKind::A, 8_000, 3_150.0);
}

#[test]
fn the_analogue_formula_gives_the_table() {
    for (i, (nominal, a, c, ..)) in TABLE_3.into_iter().enumerate() {
        let hz = 1_000.0 * 10.0_f64.powf((i as f64 - 20.0) / 10.0);
        for (kind, goal) in [(WeightingKind::A, a), (WeightingKind::C, c)] {
            let error = 20.0 * kind.gain(hz).log10() - goal;
            assert!(error.abs() <= 0.051, "{kind:?} {nominal} Hz: {error:.3}");
        }
    }
}

#[test]
fn every_rate_is_designed_well() {
    for sample_rate in (8_000..=192_000).step_by(8_363) {
        let top_hz = (f64::from(sample_rate) * 0.5 * 0.95).min(20_500.0);
        for kind in [WeightingKind::A, WeightingKind::C] {
            let worst = check(kind, sample_rate, top_hz);
            assert!(worst < 0.35, "{kind:?} {sample_rate} Hz: {worst}");
        }
    }
}
