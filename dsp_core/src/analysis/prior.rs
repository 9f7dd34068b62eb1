//! The shipped street prior, written by `pipeline/training/street_prior.py`; not for editing by hand.

/// (64,), ln-mel units: mean spectrum of street ambience, mean 0 over the bands.
#[rustfmt::skip]
pub(crate) const SHAPE: [f32; 64] = [
    -0.052, 0.128, 0.277, 0.404, 0.367, 0.368, 0.358, 0.361,
    0.546, 0.574, 0.556, 0.758, 0.572, 0.715, 0.571, 0.612,
    0.475, 0.429, 0.464, 0.516, 0.578, 0.692, 0.717, 0.678,
    0.582, 0.481, 0.410, 0.333, 0.347, 0.362, 0.275, 0.286,
    0.334, 0.344, 0.342, 0.325, 0.320, 0.273, 0.240, 0.197,
    0.074, -0.187, -0.252, -0.173, -0.110, -0.314, -0.591, -0.747,
    -0.783, -0.779, -0.793, -0.842, -0.849, -0.935, -0.958, -0.972,
    -0.959, -0.992, -0.994, -0.984, -0.994, -0.971, -0.975, -1.035,
];
/// (64,), ln-mel units: how far a street's bands lie from it.
#[rustfmt::skip]
pub(crate) const SCALE: [f32; 64] = [
    1.259, 1.210, 1.246, 1.231, 1.195, 1.166, 1.125, 1.098,
    1.105, 1.112, 1.165, 1.205, 1.176, 1.231, 1.190, 1.091,
    1.023, 1.037, 1.026, 0.971, 0.930, 0.966, 0.991, 0.973,
    0.911, 0.881, 0.870, 0.841, 0.873, 0.948, 0.977, 0.962,
    0.970, 1.002, 1.049, 1.062, 1.130, 1.132, 1.088, 0.991,
    0.797, 0.659, 0.728, 0.784, 0.937, 1.217, 1.456, 1.409,
    1.391, 1.438, 1.488, 1.551, 1.546, 1.546, 1.500, 1.485,
    1.485, 1.467, 1.452, 1.461, 1.473, 1.486, 1.497, 1.514,
];
/// Clusters of exceedances a day over the initial threshold.
pub(crate) const TAIL_RATE: f64 = 1_200.0;
/// The initial threshold, in units of the score.
pub(crate) const TAIL_INITIAL: f64 = 1.460;
/// Scale of the generalised Pareto excesses over it.
pub(crate) const TAIL_SCALE: f64 = 1.060;
/// Their shape.
pub(crate) const TAIL_SHAPE: f64 = -0.025;
