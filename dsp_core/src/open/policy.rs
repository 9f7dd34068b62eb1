//! The policy: what may leave, how much of it and how often, checked as a whole before anything runs.

use super::capacity::{Capacity, count_capacity};
use super::record::{Metric, SoundClass};
use super::rules::{Calendar, ClassSet, Limits, Rules};
use crate::error::ParameterError;

mod checks;

/// Most events that any policy may permit in a clock minute.
pub const MAX_PER_MINUTE: u32 = 16;
/// Most events that any policy may permit in a clock hour.
pub const MAX_PER_HOUR: u32 = 120;
/// The band that no policy may narrow: 300 to 3400 Hz and 80 Hz of guard on either side, in Hz.
pub const SPEECH_BAND_HZ: [f64; 2] = [220.0, 3480.0];

/// A policy as it stands in a file: the keys of the TOML, not yet checked.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyFields {
    /// 1 to 32 characters of `a-z`, `0-9`, `_` and `-`.
    pub name: String,
    /// Last day on which the policy may be used, as `YYYY-MM-DD`. The core has no clock: its caller refuses.
    pub valid_until: Option<String>,
    /// Names of the classes that may be released at all.
    pub sound_classes: Vec<String>,
    /// Which of `horn`, `siren`, `alarm` are permitted; they are decided on the full band and carry no level.
    pub full_band_classes: Vec<String>,
    /// `scream`, where a law allows it.
    pub voice_classes: Vec<String>,
    /// Permitted classes that the reserved part of the budget is for.
    pub alert_classes: Vec<String>,
    /// Most events in a clock minute, 1 to 16.
    pub max_per_minute: u32,
    /// Most events in a clock hour, `max_per_minute` to 120.
    pub max_per_hour: u32,
    /// How many of `max_per_minute` are kept for alert classes.
    pub reserved_per_minute: u32,
    /// How many of `max_per_hour` are kept for alert classes.
    pub reserved_per_hour: u32,
    /// Hits of a class at most this far apart are one episode, 0 to 10 s.
    pub merge_gap_s: u32,
    /// An episode that lasts is released again after this time, 10 to 3600 s.
    pub repeat_s: u32,
    /// The trigger's dial, 1 to 100 000 alarms a day, or infinity: every window is classified.
    pub alarms_per_day: f64,
    /// The band that is masked, in Hz; may be wider than 220 to 3480, within 0 to 7600.
    pub speech_band_hz: [f64; 2],
    /// The policy is refused if its capacity is above this.
    pub max_bit_per_s: f64,
    /// Which levels leave, and how often; each metric once.
    pub levels: Vec<LevelFields>,
    /// How often the sensor's state leaves.
    pub health: HealthFields,
}

/// One `[[levels]]` table of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelFields {
    /// `laeq`, `la10`, `la50` or `la90`.
    pub metric: String,
    /// A divisor of 3600 that is at least 10 s; 3600 s for `la10`, `la50` and `la90`.
    pub period_s: u32,
}

/// The `[health]` table of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthFields {
    /// A divisor of 3600 that is at least 10 s.
    pub period_s: u32,
}

/// A level that leaves, and its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LevelRule {
    /// What is measured.
    pub metric: Metric,
    /// Length of the period in seconds; periods begin at multiples of it, UTC.
    pub period_s: u32,
}

/// A checked policy.
///
/// # Guarantee
/// Fields are private: a `Policy` that exists has passed every check of `Policy::new`, its capacity among them. It cannot be
/// put together by hand:
///
/// ```compile_fail,E0451
/// fn widen(policy: dsp_core::open::Policy) -> dsp_core::open::Policy {
///     dsp_core::open::Policy { max_bit_per_s: 1e9, ..policy }
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    name: String,
    valid_until: Option<String>,
    rules: Rules,
    voice: ClassSet,
    alarms_per_day: f64,
    speech_band_hz: [f64; 2],
    max_bit_per_s: f64,
    levels: Vec<LevelRule>,
    capacity: Capacity,
}

impl Policy {
    /// Checks every field, the fields against each other, and the capacity against `max_bit_per_s`.
    ///
    /// # Errors
    /// `ParameterError` with the first field that is wrong, what it may be and what it was.
    pub fn new(fields: PolicyFields) -> Result<Self, ParameterError> {
        checks::name(&fields.name)?;
        checks::valid_until(fields.valid_until.as_deref())?;
        let (rules, voice) = checks::rules(&fields)?;
        checks::dial(&fields)?;
        let levels = checks::levels(&fields.levels)?;
        let capacity = count_capacity(&rules, &levels);
        checks::capacity(capacity.bit_per_s(), fields.max_bit_per_s)?;
        Ok(Self {
            name: fields.name,
            valid_until: fields.valid_until,
            rules,
            voice,
            alarms_per_day: fields.alarms_per_day,
            speech_band_hz: fields.speech_band_hz,
            max_bit_per_s: fields.max_bit_per_s,
            levels,
            capacity,
        })
    }

    /// Refuses a policy that permits a class which nothing detects: one that the model has no output for.
    ///
    /// # Errors
    /// `ParameterError` on `sound_classes`, with the first such class.
    pub fn check_classes(&self, model_classes: &[SoundClass]) -> Result<(), ParameterError> {
        let known: ClassSet = model_classes.iter().copied().collect();
        match self.rules.permitted.first_outside(known) {
            None => Ok(()),
            Some(class) => {
                let names: Vec<_> = known.iter().map(SoundClass::name).collect();
                let expected = format!("classes that the model detects ({})", names.join(", "));
                Err(ParameterError::new("sound_classes", expected, class.name()))
            }
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Last day on which the policy may be used, as `YYYY-MM-DD`.
    pub fn valid_until(&self) -> Option<&str> {
        self.valid_until.as_deref()
    }

    /// Whether events of the class may be released.
    pub fn permits(&self, class: SoundClass) -> bool {
        self.rules.permitted.contains(class)
    }

    /// The permitted classes, in code order.
    pub fn sound_classes(&self) -> Vec<SoundClass> {
        self.rules.permitted.iter().collect()
    }

    /// The permitted classes that are decided on the full band and carry no level.
    pub fn full_band_classes(&self) -> Vec<SoundClass> {
        self.rules.full_band.iter().collect()
    }

    /// The permitted classes that are a human voice.
    pub fn voice_classes(&self) -> Vec<SoundClass> {
        self.voice.iter().collect()
    }

    /// The permitted classes that the reserved part of the budget is for.
    pub fn alert_classes(&self) -> Vec<SoundClass> {
        self.rules.alert.iter().collect()
    }

    /// Most events in a clock minute.
    pub fn max_per_minute(&self) -> u32 {
        self.rules.limits.max_per_minute.into()
    }

    /// Most events in a clock hour.
    pub fn max_per_hour(&self) -> u32 {
        self.rules.limits.max_per_hour.into()
    }

    /// How many events of a clock minute are kept for alert classes.
    pub fn reserved_per_minute(&self) -> u32 {
        self.rules.limits.reserved_per_minute.into()
    }

    /// How many events of a clock hour are kept for alert classes.
    pub fn reserved_per_hour(&self) -> u32 {
        self.rules.limits.reserved_per_hour.into()
    }

    /// Hits of a class at most this far apart are one episode, in seconds.
    pub fn merge_gap_s(&self) -> u32 {
        self.rules.merge_gap_s
    }

    /// Time after which an episode that lasts is released again, in seconds.
    pub fn repeat_s(&self) -> u32 {
        self.rules.repeat_s
    }

    /// The trigger's dial.
    pub fn alarms_per_day(&self) -> f64 {
        self.alarms_per_day
    }

    /// The band that is masked, in Hz.
    pub fn speech_band_hz(&self) -> [f64; 2] {
        self.speech_band_hz
    }

    /// The most that the policy may let out, as its author stated it.
    pub fn max_bit_per_s(&self) -> f64 {
        self.max_bit_per_s
    }

    /// The levels that leave, by metric.
    pub fn levels(&self) -> &[LevelRule] {
        &self.levels
    }

    /// Length of a `SensorHealth` period in seconds.
    pub fn health_period_s(&self) -> u32 {
        self.rules.health_period_s
    }

    /// The bits that the policy can let out, counted when it was made.
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// A number that differs between policies that let out different things (FNV-1a, 64 bits). Name, last day and the stated
    /// bound do not count, so that a renewed policy goes on from its checkpoint.
    pub(crate) fn fingerprint(&self) -> u64 {
        let Rules {
            calendar,
            limits,
            permitted,
            full_band,
            alert,
            merge_gap_s,
            repeat_s,
            health_period_s,
        } = self.rules;
        let mut words = vec![
            u64::from(calendar.slots_per_minute),
            u64::from(calendar.minutes_per_hour),
            limits.max_per_minute.into(),
            limits.max_per_hour.into(),
            limits.reserved_per_minute.into(),
            limits.reserved_per_hour.into(),
            permitted.bits().into(),
            full_band.bits().into(),
            alert.bits().into(),
            merge_gap_s.into(),
            repeat_s.into(),
            health_period_s.into(),
            self.alarms_per_day.to_bits(),
        ];
        words.extend(self.speech_band_hz.map(f64::to_bits));
        for rule in &self.levels {
            words.extend([u64::from(rule.metric.code()), u64::from(rule.period_s)]);
        }
        let bytes = words.into_iter().flat_map(u64::to_le_bytes);
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
mod shipped;
