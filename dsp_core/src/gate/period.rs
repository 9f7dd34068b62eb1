//! What is kept of the seconds of a period until it is over.

use crate::analysis::describe::SecondLevel;
use crate::checkpoint::{Reader, Writer, damaged};
use crate::error::BlockError;
use crate::open::HealthState;

/// Fast levels of a second.
const N_FAST: u32 = 8;
/// Lowest level of the histogram, in dBFS.
const LOWEST_DBFS: f64 = -140.0;
/// Bins of 0.1 dB, from -140 to +20 dBFS.
const N_BINS: usize = 1600;

fn heard_share(second: &SecondLevel) -> f64 {
    let heard = f64::from(second.heard);
    if heard.is_nan() {
        0.0
    } else {
        heard.clamp(0.0, 1.0)
    }
}

/// At least 95 % of a period.
fn is_enough(heard: f64, whole: f64) -> bool {
    100.0 * heard >= 95.0 * whole
}

/// What a period sums up, second by second.
pub(super) trait Tally: Default {
    fn add(&mut self, second: &SecondLevel);
    fn save(&self, out: &mut Writer);
    fn load(input: &mut Reader) -> Result<Self, BlockError>;
}

/// A-weighted energy, for LAeq.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Energy {
    heard_s: f64,
    energy: f64,
}

impl Energy {
    /// Equivalent level in dBFS; none if less than 95 % was heard.
    pub(super) fn level_dbfs(&self, period_s: u32) -> Option<f64> {
        is_enough(self.heard_s, period_s.into())
            .then(|| 10.0 * libm::log10(self.energy / self.heard_s))
    }
}

impl Tally for Energy {
    fn add(&mut self, second: &SecondLevel) {
        let heard = heard_share(second);
        if heard > 0.0 {
            self.heard_s += heard;
            self.energy += heard * second.a_mean_square;
        }
    }

    fn save(&self, out: &mut Writer) {
        out.f64s(&[self.heard_s, self.energy]);
    }

    fn load(input: &mut Reader) -> Result<Self, BlockError> {
        let mut both = [0.0; 2];
        input.f64s(&mut both)?;
        let [heard_s, energy] = both;
        Ok(Self { heard_s, energy })
    }
}

/// Histogram of the Fast A-weighted levels at the end of each 125 ms, for LA10, LA50 and LA90.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    counts: Vec<u16>,
    n_heard: u32,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; N_BINS],
            n_heard: 0,
        }
    }
}

impl Histogram {
    /// Level in dBFS that was exceeded in so many per cent of the period, to 0.1 dB; none if less than 95 % was heard.
    pub(super) fn level_dbfs(&self, percent: u32, period_s: u32) -> Option<f64> {
        if !is_enough(self.n_heard.into(), f64::from(period_s) * f64::from(N_FAST)) {
            return None;
        }
        let rank = (self.n_heard * percent).div_ceil(100).max(1);
        let mut n_above = 0;
        let bin = (0..N_BINS).rev().find(|&bin| {
            n_above += u32::from(self.counts[bin]);
            n_above >= rank
        })?;
        Some(LOWEST_DBFS + 0.1 * (bin as f64 + 0.5))
    }
}

impl Tally for Histogram {
    fn add(&mut self, second: &SecondLevel) {
        for &mean_square in second.fast.iter().filter(|&&value| value >= 0.0) {
            let level_dbfs = 10.0 * libm::log10(mean_square.into());
            let bin = 10.0 * (level_dbfs - LOWEST_DBFS);
            // Silence is minus infinity and falls into the lowest bin.
            let bin = bin.clamp(0.0, (N_BINS - 1) as f64) as usize;
            self.counts[bin] = self.counts[bin].saturating_add(1);
            self.n_heard = self.n_heard.saturating_add(1);
        }
    }

    fn save(&self, out: &mut Writer) {
        self.counts.iter().for_each(|&count| out.u16(count));
    }

    fn load(input: &mut Reader) -> Result<Self, BlockError> {
        let mut histogram = Self::default();
        for count in &mut histogram.counts {
            *count = input.u16()?;
        }
        histogram.n_heard = histogram.counts.iter().map(|&count| u32::from(count)).sum();
        if histogram.n_heard > 3600 * N_FAST {
            return Err(damaged("more levels than an hour has"));
        }
        Ok(histogram)
    }
}

/// What tells the state of a sensor.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Condition {
    heard_s: f64,
    pub(super) is_clock_off: bool,
    is_clipped: bool,
    has_sound: bool,
}

impl Condition {
    /// The first state that applies. `Budget` is none of them.
    pub(super) fn state(&self, period_s: u32, is_calibrated: bool) -> HealthState {
        if self.is_clock_off {
            HealthState::Clock
        } else if !is_enough(self.heard_s, period_s.into()) {
            HealthState::Gaps
        } else if self.is_clipped {
            HealthState::Clipped
        } else if !self.has_sound {
            HealthState::Silent
        } else if !is_calibrated {
            HealthState::Uncalibrated
        } else {
            HealthState::Ok
        }
    }
}

impl Tally for Condition {
    fn add(&mut self, second: &SecondLevel) {
        let heard = heard_share(second);
        self.heard_s += heard;
        self.is_clipped |= second.n_clipped > 0;
        self.has_sound |= heard > 0.0 && !second.is_silent;
    }

    fn save(&self, out: &mut Writer) {
        out.f64(self.heard_s);
        out.flag(self.is_clock_off);
        out.flag(self.is_clipped);
        out.flag(self.has_sound);
    }

    fn load(input: &mut Reader) -> Result<Self, BlockError> {
        let mut heard_s = [0.0];
        input.f64s(&mut heard_s)?;
        Ok(Self {
            heard_s: heard_s[0],
            is_clock_off: input.flag()?,
            is_clipped: input.flag()?,
            has_sound: input.flag()?,
        })
    }
}

/// The period that is open, on the clock's grid; none before its first second came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Period<T> {
    pub(super) period_s: u32,
    open: Option<(u64, T)>,
}

/// A period that is over.
pub(super) struct Closed<T> {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) tally: T,
}

impl<T: Tally> Period<T> {
    pub(super) fn new(period_s: u32) -> Self {
        Self {
            period_s,
            open: None,
        }
    }

    /// Counts a second; the period before it, if it is the first of another one.
    pub(super) fn add(&mut self, second: &SecondLevel) -> Option<Closed<T>> {
        let start = second.slot - second.slot % u64::from(self.period_s);
        let closed = match self.open {
            Some((open, _)) if open != start => self.close(),
            _ => None,
        };
        let (_, tally) = self.open.get_or_insert_with(|| (start, T::default()));
        tally.add(second);
        closed
    }

    /// What the open period has summed up, if one is open.
    pub(super) fn open_mut(&mut self) -> Option<&mut T> {
        self.open.as_mut().map(|(_, tally)| tally)
    }

    /// Ends the open period, however much of it came.
    pub(super) fn close(&mut self) -> Option<Closed<T>> {
        self.open.take().map(|(start, tally)| Closed {
            start,
            end: start.saturating_add(self.period_s.into()),
            tally,
        })
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.option(self.open.as_ref().map(|(start, _)| *start));
        if let Some((_, tally)) = &self.open {
            tally.save(out);
        }
    }

    pub(super) fn load(period_s: u32, input: &mut Reader) -> Result<Self, BlockError> {
        let open = match input.option()? {
            Some(start) => Some((start, T::load(input)?)),
            None => None,
        };
        Ok(Self { period_s, open })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_what_sorting_finds() {
        let mut histogram = Histogram::default();
        let mut levels = Vec::new();
        for i in 0..3600u32 {
            let fast = std::array::from_fn(|k| {
                let level = -90.0 + f64::from((i * 37 + k as u32 * 11) % 700) / 10.0 + 0.03;
                levels.push(level);
                libm::pow(10.0, level / 10.0) as f32
            });
            histogram.add(&SecondLevel {
                fast,
                ..SecondLevel::default()
            });
        }
        levels.sort_by(f64::total_cmp);
        for percent in [10, 50, 90] {
            let expected = levels[levels.len() - levels.len() * percent / 100];
            let found = histogram.level_dbfs(percent as u32, 3600).unwrap();
            assert!(
                (found - expected).abs() <= 0.1,
                "{percent}: {found} {expected}"
            );
        }
    }

    #[test]
    fn silence_and_what_was_not_heard_are_told_apart() {
        let mut histogram = Histogram::default();
        let silent = SecondLevel::default();
        let unheard = SecondLevel {
            fast: [-1.0; 8],
            ..silent
        };
        (0..3420).for_each(|_| histogram.add(&silent));
        assert!(histogram.level_dbfs(50, 3600).unwrap() < -139.0);
        let mut histogram = Histogram::default();
        (0..3419).for_each(|_| histogram.add(&silent));
        (0..181).for_each(|_| histogram.add(&unheard));
        assert_eq!(histogram.level_dbfs(50, 3600), None);
    }

    #[test]
    fn energy_is_the_mean_of_what_was_heard() {
        let mut energy = Energy::default();
        energy.add(&SecondLevel {
            heard: 1.0,
            a_mean_square: 0.01,
            ..SecondLevel::default()
        });
        energy.add(&SecondLevel {
            heard: 0.0,
            a_mean_square: f64::NAN,
            ..SecondLevel::default()
        });
        energy.add(&SecondLevel {
            heard: 0.95,
            a_mean_square: 0.01,
            ..SecondLevel::default()
        });
        assert!((energy.level_dbfs(2).unwrap() + 20.0).abs() < 1e-9);
        assert_eq!(energy.level_dbfs(3), None);
    }
}
