//! How many bits can leave: exact arithmetic over the closed types, by the policy's rules.
//!
//! Counted is the number of different things that one sensor can put out in one clock hour: sets of events that the budgets
//! permit, times the values of every level record, times the states of every health record. Events are counted by dynamic
//! programming over the minutes of the hour, with whole numbers of any size; the logarithm is taken once, at the end.

use num_bigint::BigUint;

use super::policy::{LevelRule, Policy};
use super::record::{N_CONFIDENCES, N_EVENT_LEVELS, N_LEVEL_VALUES, SoundClass};
use super::rules::Rules;

/// Values of the delay between a slot and its event's release that are counted: 2 bits an event.
pub const N_RELEASE_DELAYS: u32 = 4;
/// Values counted for a `SensorHealth`: 7 states and one to spare.
pub const N_HEALTH_VALUES: u32 = 8;
/// Seconds of the hour that capacity is stated for.
const SECONDS_PER_HOUR: u32 = 3600;

/// What a policy can let out, in bits.
///
/// # Guarantee
/// Each figure is the binary logarithm of an exact count, to 1e-9. The count is an upper bound of what the gates can put out,
/// and it is reached by a policy with `merge_gap_s = 0`; merging only lowers it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    event_bits_per_hour: f64,
    level_bits_per_hour: f64,
    health_bits_per_hour: f64,
    worst_minute_bits: f64,
    worst_unaligned_hour_bits: f64,
}

impl Capacity {
    /// All records of a clock hour.
    pub fn bits_per_hour(&self) -> f64 {
        self.event_bits_per_hour + self.level_bits_per_hour + self.health_bits_per_hour
    }

    /// All records of a clock hour, per second.
    pub fn bit_per_s(&self) -> f64 {
        self.bits_per_hour() / f64::from(SECONDS_PER_HOUR)
    }

    /// The events of a clock hour, each with its class, slot, level, confidence and release delay.
    pub fn event_bits_per_hour(&self) -> f64 {
        self.event_bits_per_hour
    }

    /// The level records of an hour.
    pub fn level_bits_per_hour(&self) -> f64 {
        self.level_bits_per_hour
    }

    /// The health records of an hour.
    pub fn health_bits_per_hour(&self) -> f64 {
        self.health_bits_per_hour
    }

    /// The events of one clock minute, release delays not counted.
    pub fn worst_minute_bits(&self) -> f64 {
        self.worst_minute_bits
    }

    /// All records whose slots lie in the 3600 s that can hold the most: they begin at any second and so touch the budgets of
    /// two clock hours. Exact, the greatest of all alignments at 1 s.
    pub fn worst_unaligned_hour_bits(&self) -> f64 {
        self.worst_unaligned_hour_bits
    }
}

/// Counts what a policy can let out.
pub fn capacity(policy: &Policy) -> Capacity {
    policy.capacity()
}

/// Bits of one event for "bits out" summaries: slot within the hour × class × level × confidence.
pub fn bits_of_event() -> f64 {
    let n_kinds =
        SoundClass::ALL.len() as f64 * f64::from(N_EVENT_LEVELS) * f64::from(N_CONFIDENCES);
    libm::log2(f64::from(SECONDS_PER_HOUR) * n_kinds)
}

/// Bits of one level record for "bits out" summaries: its 129 values; when it comes is known beforehand.
pub fn bits_of_level() -> f64 {
    libm::log2(f64::from(N_LEVEL_VALUES))
}

/// Bits of one health record for "bits out" summaries.
pub fn bits_of_health() -> f64 {
    libm::log2(f64::from(N_HEALTH_VALUES))
}

pub(crate) fn count_capacity(rules: &Rules, levels: &[LevelRule]) -> Capacity {
    let per_hour = |period_s: u32| f64::from(SECONDS_PER_HOUR / period_s);
    let n_levels: f64 = levels.iter().map(|rule| per_hour(rule.period_s)).sum();
    let level_bits_per_hour = n_levels * bits_of_level();
    let health_bits_per_hour = per_hour(rules.health_period_s) * bits_of_health();
    let parts = EventSets::new(rules, N_RELEASE_DELAYS).in_parts_of_hour();
    let bits_in_part: Vec<_> = parts.iter().map(log2).collect();
    let without_delay = EventSets::new(rules, 1);
    Capacity {
        event_bits_per_hour: bits_in_part.last().copied().unwrap_or(0.0),
        level_bits_per_hour,
        health_bits_per_hour,
        worst_minute_bits: log2(&without_delay.in_minute()),
        // Any 3600 s hold as many periods of levels and health as a clock hour, as their periods divide it.
        worst_unaligned_hour_bits: worst_unaligned(&bits_in_part)
            + level_bits_per_hour
            + health_bits_per_hour,
    }
}

/// The most that any span as long as an hour can hold: the last slots of one clock hour and the first ones of the next, each part
/// bound by the budgets of its own hour alone.
fn worst_unaligned(bits_in_part: &[f64]) -> f64 {
    let pairs = bits_in_part.iter().zip(bits_in_part.iter().rev());
    pairs
        .map(|(first, second)| first + second)
        .fold(0.0, f64::max)
}

/// Counts the sets of events that the budgets of a calendar permit.
pub(crate) struct EventSets {
    slots_per_minute: usize,
    minutes_per_hour: usize,
    max_per_minute: usize,
    max_per_hour: usize,
    other_per_minute: usize,
    other_per_hour: usize,
    alert_weights: Vec<u32>,
    other_weights: Vec<u32>,
}

/// Number of sets by their number of events: `[n]` for one kind of class.
type BySize = Vec<BigUint>;
/// Number of sets of a span of minutes: `[n_other][n_alert]`, within the budgets of an hour.
type ByKind = Vec<BySize>;

impl EventSets {
    pub(crate) fn new(rules: &Rules, n_delays: u32) -> Self {
        let limits = rules.limits;
        let nothing_reserved = limits.reserved_per_minute == 0 && limits.reserved_per_hour == 0;
        let weight =
            |class: SoundClass| u32::from(class.n_levels()) * u32::from(N_CONFIDENCES) * n_delays;
        // With nothing reserved every class has the rights of an alert class, and one kind is enough.
        let is_alert = |class: &SoundClass| nothing_reserved || rules.alert.contains(*class);
        let (alert, other): (Vec<_>, Vec<_>) = rules.permitted.iter().partition(is_alert);
        let has_other = usize::from(!other.is_empty());
        Self {
            slots_per_minute: rules.calendar.slots_per_minute as usize,
            minutes_per_hour: rules.calendar.minutes_per_hour as usize,
            max_per_minute: limits.max_per_minute.into(),
            max_per_hour: limits.max_per_hour.into(),
            other_per_minute: usize::from(limits.other_per_minute()) * has_other,
            other_per_hour: usize::from(limits.other_per_hour()) * has_other,
            alert_weights: alert.into_iter().map(weight).collect(),
            other_weights: other.into_iter().map(weight).collect(),
        }
    }

    /// Sets of events that a clock minute can hold.
    fn in_minute(&self) -> BigUint {
        let minute = self.minute(self.slots_per_minute);
        self.and_minute(&self.nothing(), &minute)
            .iter()
            .flatten()
            .sum()
    }

    /// Number of sets in the first n slots of a clock hour, n from 0 to all of them. The last n slots hold as many: the budgets do
    /// not know in which order the minutes come.
    pub(crate) fn in_parts_of_hour(&self) -> Vec<BigUint> {
        let minutes: Vec<_> = (0..=self.slots_per_minute)
            .map(|n| self.minute(n))
            .collect();
        let mut counts = Vec::with_capacity(self.slots_per_minute * self.minutes_per_hour + 1);
        let mut span = self.nothing();
        for _ in 0..self.minutes_per_hour {
            let room = self.room_for(&span);
            let parts = minutes[..self.slots_per_minute].iter();
            counts.extend(parts.map(|part| self.sum_with_part(&room, part)));
            span = self.and_minute(&span, &minutes[self.slots_per_minute]);
        }
        counts.push(span.iter().flatten().sum());
        counts
    }

    /// The one set of no slots: the empty one.
    fn nothing(&self) -> ByKind {
        let mut none = self.empty();
        none[0][0] = BigUint::from(1u32);
        none
    }

    fn empty(&self) -> ByKind {
        let row = |n_other| vec![BigUint::ZERO; self.max_per_hour - n_other + 1];
        (0..=self.other_per_hour).map(row).collect()
    }

    /// Sets of the first `n_slots` of a minute by size: of alert classes, of the others.
    fn minute(&self, n_slots: usize) -> (BySize, BySize) {
        let alert = by_size(&self.alert_weights, n_slots, self.max_per_minute);
        let other = by_size(&self.other_weights, n_slots, self.other_per_minute);
        (alert, other)
    }

    /// Joins a span of minutes and one more minute, within the budgets of both. The running sum over the minute's alert
    /// events is shared by all numbers of other events that leave room for exactly that many.
    fn and_minute(&self, span: &ByKind, (alert, other): &(BySize, BySize)) -> ByKind {
        let mut joined = self.empty();
        for (n_other, row) in span.iter().enumerate() {
            for n_alert in 0..=self.max_per_hour - n_other {
                let mut sum = BigUint::ZERO;
                for (more_alert, alert_ways) in alert.iter().enumerate() {
                    if let Some(before) = n_alert.checked_sub(more_alert).and_then(|n| row.get(n)) {
                        sum += before * alert_ways;
                    }
                    let more_other = self.max_per_minute - more_alert;
                    let target = joined.get_mut(n_other + more_other);
                    if let (Some(ways), Some(target)) = (other.get(more_other), target)
                        && let Some(count) = target.get_mut(n_alert)
                    {
                        *count += &sum * ways;
                    }
                }
            }
        }
        joined
    }

    /// `[more_other][more_alert]`: how many sets of the span leave room for that many more events in the hour.
    fn room_for(&self, span: &ByKind) -> ByKind {
        let up_to: ByKind = span.iter().map(running_sums).collect();
        let count = |more_other: usize, more_alert: usize| -> BigUint {
            let Some(total) = self.max_per_hour.checked_sub(more_other + more_alert) else {
                return BigUint::ZERO;
            };
            let Some(n_other) = self.other_per_hour.checked_sub(more_other) else {
                return BigUint::ZERO;
            };
            let rows = up_to.iter().enumerate().take(n_other.min(total) + 1);
            rows.map(|(n, row)| &row[total - n]).sum()
        };
        let row = |more_other| {
            let most = self.max_per_minute - more_other;
            (0..=most)
                .map(|more_alert| count(more_other, more_alert))
                .collect()
        };
        (0..=self.other_per_minute).map(row).collect()
    }

    fn sum_with_part(&self, room: &ByKind, (alert, other): &(BySize, BySize)) -> BigUint {
        let row = |(row, ways): (&BySize, &BigUint)| -> BigUint {
            let sets: BigUint = row.iter().zip(alert).map(|(room, ways)| room * ways).sum();
            sets * ways
        };
        room.iter().zip(other).map(row).sum()
    }
}

/// Sets of at most `max` events by size, one event at most per slot and class: the coefficients of the product of
/// (1 + weight x) over all slots and classes.
fn by_size(weights: &[u32], n_slots: usize, max: usize) -> BySize {
    let mut sets = vec![BigUint::ZERO; max + 1];
    sets[0] = BigUint::from(1u32);
    for &weight in weights {
        for _ in 0..n_slots {
            for size in (1..=max).rev() {
                let grown = &sets[size - 1] * weight;
                sets[size] += grown;
            }
        }
    }
    sets
}

fn running_sums(row: &BySize) -> BySize {
    let mut sum = BigUint::ZERO;
    let mut add = |n: &BigUint| {
        sum += n;
        sum.clone()
    };
    row.iter().map(&mut add).collect()
}

/// Binary logarithm of an exact count, to 1e-9; 0 for 0.
pub(crate) fn log2(count: &BigUint) -> f64 {
    let n_bits = count.bits();
    if n_bits <= 64 {
        let small = count.iter_u64_digits().next().unwrap_or(1);
        return libm::log2(small as f64);
    }
    // What is cut off is below 2^-63 of the count.
    let shift = n_bits - 64;
    let head = (count >> shift).iter_u64_digits().next().unwrap_or(1);
    libm::log2(head as f64) + shift as f64
}

#[cfg(test)]
mod tests;
