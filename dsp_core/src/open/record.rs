//! The three records that may leave: enums and bounded integers on a grid, no text, no float, no random id.
//!
//! Fields are private and only the gates of this crate mint a record, so whoever holds one knows that it passed a gate.

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
        matches!(self, Self::Horn | Self::Siren | Self::Alarm | Self::Scream)
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
        /// An event was withheld by the budget.
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
/// Besides who and when it holds 11 bits: 16 classes, 32 levels, 4 confidences.
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
    #[allow(dead_code)]
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
/// Besides who, when and which metric it holds one of 129 values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LevelRecord {
    sensor_id: u32,
    slot: u64,
    metric: Metric,
    value: u8,
    scale: Scale,
}

impl LevelRecord {
    #[allow(dead_code)]
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
/// Besides who and when it holds one of 7 states, counted as 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SensorHealth {
    sensor_id: u32,
    slot: u64,
    state: HealthState,
}

impl SensorHealth {
    #[allow(dead_code)]
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

mod sealed {
    /// Closed to other crates: nobody else can call a type a record.
    pub trait Sealed {
        fn push_canonical(&self, out: &mut Vec<u8>);
    }
}

/// The types that the outgoing side accepts. Sealed: `Event`, `LevelRecord` and `SensorHealth` are all there are.
///
/// ```compile_fail
/// struct Clip(Vec<f32>);
/// impl dsp_core::open::record::Record for Clip {}
/// ```
pub trait Record: sealed::Sealed {}

impl Record for Event {}
impl Record for LevelRecord {}
impl Record for SensorHealth {}

/// The record's canonical bytes: kind, sensor_id and slot big-endian, then one byte a field.
///
/// # Guarantee
/// Equal records have equal bytes and different records have different bytes.
///
/// ```compile_fail
/// fn send(window: &dsp_core::analysis::FeatureWindow) -> Vec<u8> {
///     dsp_core::open::record::canonical_bytes(window)
/// }
/// ```
/// ```compile_fail
/// fn send(candidate: &dsp_core::analysis::Candidate) -> Vec<u8> {
///     dsp_core::open::record::canonical_bytes(candidate)
/// }
/// ```
pub fn canonical_bytes<R: Record>(record: &R) -> Vec<u8> {
    let mut out = Vec::with_capacity(17);
    record.push_canonical(&mut out);
    out
}

fn push_head(out: &mut Vec<u8>, kind: u8, sensor_id: u32, slot: u64) {
    out.push(kind);
    out.extend_from_slice(&sensor_id.to_be_bytes());
    out.extend_from_slice(&slot.to_be_bytes());
}

impl sealed::Sealed for Event {
    fn push_canonical(&self, out: &mut Vec<u8>) {
        push_head(out, 1, self.sensor_id, self.slot);
        let Self {
            sound_class, scale, ..
        } = self;
        out.extend_from_slice(&[
            sound_class.code(),
            self.level,
            self.confidence,
            scale.code(),
        ]);
    }
}

impl sealed::Sealed for LevelRecord {
    fn push_canonical(&self, out: &mut Vec<u8>) {
        push_head(out, 2, self.sensor_id, self.slot);
        out.extend_from_slice(&[self.metric.code(), self.value, self.scale.code()]);
    }
}

impl sealed::Sealed for SensorHealth {
    fn push_canonical(&self, out: &mut Vec<u8>) {
        push_head(out, 3, self.sensor_id, self.slot);
        out.push(self.state.code());
    }
}
