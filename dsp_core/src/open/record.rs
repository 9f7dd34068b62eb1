//! The three records that may leave: enums and bounded integers on a grid, no text, no float, no random id.
//!
//! Fields are private and only the gates of this crate mint a record, so whoever holds one knows that it passed a gate.

pub use super::canonical::{Record, canonical_bytes};

macro_rules! closed_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every member, in code order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code that stands in canonical bytes.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The member with this code.
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.get(usize::from(code)).copied()
            }

            /// The name that stands in policies, topics and documents.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The member with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.name() == name)
            }
        }
    };
}

pub(crate) use closed_enum;

closed_enum! {
    /// What may be heard. There is no class for speech, conversation, singing, laughter, cough or crying.
    SoundClass {
        /// Anomalous on the bands outside speech, of no known class.
        Abnormal = "abnormal",
        /// Breaking glass.
        GlassBreak = "glass_break",
        /// A shot.
        Gunshot = "gunshot",
        /// An explosion.
        Explosion = "explosion",
        /// Fireworks.
        Fireworks = "fireworks",
        /// A crash of vehicles.
        Crash = "crash",
        /// Screeching tyres.
        TyreScreech = "tyre_screech",
        /// A vehicle's horn. Lives in the speech band: full-band input, no level.
        Horn = "horn",
        /// A siren. Lives in the speech band: full-band input, no level.
        Siren = "siren",
        /// An alarm. Lives in the speech band: full-band input, no level.
        Alarm = "alarm",
        /// A scream: the one voice class, off in every shipped policy.
        Scream = "scream",
        /// A power tool.
        PowerTool = "power_tool",
        /// A hard impact.
        Impact = "impact",
        /// A crackling fire.
        FireCrackle = "fire_crackle",
        /// A spray can.
        SprayCan = "spray_can",
        /// A whistle.
        Whistle = "whistle",
    }
}

impl SoundClass {
    /// Whether the class lives in the speech band, so that it is decided on the full band and carries no level.
    pub const fn is_full_band(self) -> bool {
        matches!(self, Self::Horn | Self::Siren | Self::Alarm)
    }

    /// Whether the class is a human voice: a policy must name it a second time, and no shipped policy does.
    pub const fn is_voice(self) -> bool {
        matches!(self, Self::Scream)
    }

    /// Number of level values that an `Event` of this class can carry: 32, or 1 (none) in the speech band.
    pub const fn n_levels(self) -> u8 {
        if self.is_full_band() {
            1
        } else {
            N_EVENT_LEVELS
        }
    }
}

closed_enum! {
    /// What a `LevelRecord` measures, A-weighted.
    Metric {
        /// Equivalent continuous level over the period.
        LAeq = "laeq",
        /// Level exceeded 10 % of the period.
        LA10 = "la10",
        /// Level exceeded 50 % of the period.
        LA50 = "la50",
        /// Level exceeded 90 % of the period.
        LA90 = "la90",
    }
}

closed_enum! {
    /// State of a sensor over a period; the first that applies, in this order.
    HealthState {
        /// The sensor's time is off.
        Clock = "clock",
        /// Less than 95 % of the period was heard.
        Gaps = "gaps",
        /// Samples at full scale.
        Clipped = "clipped",
        /// Nothing but silence or a constant.
        Silent = "silent",
        /// Levels are dBFS: no calibration.
        Uncalibrated = "uncalibrated",
        /// Never minted: the state would tell of what was classified. Readers see from the events that a budget is used up.
        Budget = "budget",
        /// None of these.
        Ok = "ok",
    }
}

closed_enum! {
    /// What a level is relative to: a constant of the sensor, set by its calibration.
    Scale {
        /// dB re full scale: an uncalibrated sensor.
        Dbfs = "dbfs",
        /// dB re 20 µPa.
        Spl = "db",
    }
}

/// Number of level indices of an `Event`: none, then 31 steps of 3 dB.
pub const N_EVENT_LEVELS: u8 = 32;
/// Number of confidences of an `Event`.
pub const N_CONFIDENCES: u8 = 4;
/// Number of values of a `LevelRecord`: 0 to 127 dB and missing.
pub const N_LEVEL_VALUES: u8 = 129;
/// The `LevelRecord` value that means "less than 95 % was heard".
pub const LEVEL_MISSING: u8 = 128;

/// A sound of a permitted class, in one second, at one sensor.
///
/// # Guarantee
/// Besides who and when it holds 11 bits: 16 classes, 32 levels, 4 confidences. Only `Gate` mints one:
///
/// ```compile_fail,E0451
/// use dsp_core::open::{Event, Scale, SoundClass};
/// let event = Event { sensor_id: 1, slot: 0, sound_class: SoundClass::Siren, level: 0, confidence: 0, scale: Scale::Dbfs };
/// ```
/// ```compile_fail,E0624
/// use dsp_core::open::{Event, Scale, SoundClass};
/// let event = Event::mint(1, 0, SoundClass::Siren, 0, 0, Scale::Dbfs);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event {
    sensor_id: u32,
    slot: u64,
    sound_class: SoundClass,
    level: u8,
    confidence: u8,
    scale: Scale,
}

impl Event {
    pub(crate) fn mint(
        sensor_id: u32,
        slot: u64,
        sound_class: SoundClass,
        level: u8,
        confidence: u8,
        scale: Scale,
    ) -> Self {
        Self {
            sensor_id,
            slot,
            sound_class,
            level: level.min(N_EVENT_LEVELS - 1),
            confidence: confidence.min(N_CONFIDENCES - 1),
            scale,
        }
    }

    /// The sensor.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// The class.
    pub fn sound_class(&self) -> SoundClass {
        self.sound_class
    }

    /// Level index, 0 (none) to 31.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Raises level and confidence to those of a further hit of the same episode in the same slot.
    pub(crate) fn raise(&mut self, level: u8, confidence: u8) {
        self.level = self.level.max(level.min(N_EVENT_LEVELS - 1));
        self.confidence = self.confidence.max(confidence.min(N_CONFIDENCES - 1));
    }

    /// Level without the speech band in dB on the sensor's scale: 30 to 120 dB, or -96 to -6 dBFS, in steps of 3.
    pub fn level_db(&self) -> Option<i16> {
        let lowest = match self.scale {
            Scale::Dbfs => -96,
            Scale::Spl => 30,
        };
        (self.level > 0).then(|| lowest + 3 * i16::from(self.level - 1))
    }

    /// Confidence, 0 to 3.
    pub fn confidence(&self) -> u8 {
        self.confidence
    }

    /// What the level is relative to.
    pub fn scale(&self) -> Scale {
        self.scale
    }
}

/// One noise level of one period.
///
/// # Guarantee
/// Besides who, when and which metric it holds one of 129 values. Only `LevelGate` mints one:
///
/// ```compile_fail,E0624
/// use dsp_core::open::{LevelRecord, Metric, Scale};
/// let level = LevelRecord::mint(1, 0, Metric::LAeq, 60, Scale::Spl);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LevelRecord {
    sensor_id: u32,
    slot: u64,
    metric: Metric,
    value: u8,
    scale: Scale,
}

impl LevelRecord {
    pub(crate) fn mint(sensor_id: u32, slot: u64, metric: Metric, value: u8, scale: Scale) -> Self {
        Self {
            sensor_id,
            slot,
            metric,
            value: value.min(LEVEL_MISSING),
            scale,
        }
    }

    /// The sensor.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// First second of the period, since 1970-01-01T00:00:00Z.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// What was measured.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The value's code: 0 to 127, or `LEVEL_MISSING`.
    pub fn value(&self) -> u8 {
        self.value
    }

    /// The level in whole dB on the sensor's scale (0 to 127 dB, or -127 to 0 dBFS); none if missing.
    pub fn level_db(&self) -> Option<i16> {
        let lowest = match self.scale {
            Scale::Dbfs => -127,
            Scale::Spl => 0,
        };
        (self.value != LEVEL_MISSING).then(|| lowest + i16::from(self.value))
    }

    /// What the level is relative to.
    pub fn scale(&self) -> Scale {
        self.scale
    }
}

/// The state of a sensor over one period.
///
/// # Guarantee
/// Besides who and when it holds one of 7 states, counted as 8; one of the 7 is never minted. Only `LevelGate` mints one:
///
/// ```compile_fail,E0624
/// use dsp_core::open::{HealthState, SensorHealth};
/// let health = SensorHealth::mint(1, 0, HealthState::Ok);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SensorHealth {
    sensor_id: u32,
    slot: u64,
    state: HealthState,
}

impl SensorHealth {
    pub(crate) fn mint(sensor_id: u32, slot: u64, state: HealthState) -> Self {
        Self {
            sensor_id,
            slot,
            state,
        }
    }

    /// The sensor.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// First second of the period, since 1970-01-01T00:00:00Z.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// The state.
    pub fn state(&self) -> HealthState {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_unique_and_stable() {
        for (code, &class) in SoundClass::ALL.iter().enumerate() {
            assert_eq!(usize::from(class.code()), code);
            assert_eq!(SoundClass::from_code(class.code()), Some(class));
            assert_eq!(SoundClass::from_name(class.name()), Some(class));
        }
        assert_eq!(SoundClass::ALL.len(), 16);
        assert_eq!(SoundClass::from_code(16), None);
        assert_eq!(SoundClass::from_name("speech"), None);
    }

    #[test]
    fn levels_stand_on_their_grids() {
        let event =
            |level, scale| Event::mint(1, 0, SoundClass::Impact, level, 0, scale).level_db();
        assert_eq!(event(0, Scale::Spl), None);
        assert_eq!(event(1, Scale::Spl), Some(30));
        assert_eq!(event(255, Scale::Spl), Some(120));
        assert_eq!(event(1, Scale::Dbfs), Some(-96));
        assert_eq!(event(31, Scale::Dbfs), Some(-6));
        let level = |value, scale| LevelRecord::mint(1, 0, Metric::LAeq, value, scale).level_db();
        assert_eq!(level(127, Scale::Dbfs), Some(0));
        assert_eq!(level(0, Scale::Spl), Some(0));
        assert_eq!(level(255, Scale::Spl), None);
    }
}
