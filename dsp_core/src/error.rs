//! Every way the core can refuse. Texts hold names, numbers and reasons, never sound.

use std::fmt;

/// A parameter that a stage cannot be built with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterError {
    /// Name of the parameter.
    pub name: &'static str,
    /// What it may be.
    pub expected: String,
    /// What it was.
    pub actual: String,
}

impl ParameterError {
    /// Names the parameter, what it may be and what it was.
    pub fn new(name: &'static str, expected: impl Into<String>, actual: impl fmt::Display) -> Self {
        Self {
            name,
            expected: expected.into(),
            actual: actual.to_string(),
        }
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            expected,
            actual,
        } = self;
        write!(f, "{name}: expected {expected}, got {actual}")
    }
}

impl std::error::Error for ParameterError {}

/// Why one input or one block was refused: a closed list, counted by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nothing in it.
    Empty,
    /// The header of a recording or of sealed bytes ends before it is complete.
    TruncatedHeader,
    /// The sound, or what is sealed, ends before the length that the header states.
    TruncatedData,
    /// No known container or codec.
    NotAudio,
    /// A known container with a codec or sample format that is not supported.
    UnsupportedEncoding,
    /// The stream is damaged and cannot be decoded.
    CorruptData,
    /// A sample rate outside 8 000 to 192 000 Hz.
    BadRate,
    /// No channel, or more than 64.
    BadChannels,
    /// A sample that is NaN or infinite.
    NotFinite,
    /// A float sample far beyond full scale.
    OutOfRange,
    /// The operating system refused to open or read it.
    Unreadable,
    /// A raw stream that ends in the middle of a sample frame.
    PartialSample,
    /// A block that does not follow the last one.
    OutOfOrder,
    /// A block of another rate or sensor than the stage was made for.
    Mismatch,
    /// No steady tone of a calibrator, or too short a one.
    NoTone,
    /// A tone, but not of the calibrator's frequency.
    WrongFrequency,
    /// A calibrator's tone that other sound covers.
    TooNoisy,
    /// Nothing as loud as a calibrator.
    TooQuiet,
    /// A calibrator's tone at full scale.
    Clipped,
    /// A calibrator's tone whose level wanders.
    Unstable,
    /// Checkpoint bytes that are damaged, of another version or of another set-up.
    BadCheckpoint,
    /// Sealed bytes that were changed, or a key that cannot be used.
    BadSeal,
    /// Sealed with a key that is none of the zone's current ones.
    WrongKey,
    /// Sealed for another topic.
    WrongTopic,
    /// Sealed for another sensor than the one that it came as.
    WrongSensor,
    /// Sealed bytes of another form, or made by another front end or model.
    BadVersion,
    /// More bytes than its header or the topic allows.
    Oversized,
    /// Sealed bytes that came before.
    Duplicate,
    /// A sensor whose clock is ahead of the receiving side's.
    ClockAhead,
    /// Model bytes that are damaged or of another version.
    BadModel,
}

impl Reason {
    /// The reason's code, as it stands in tables and counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TruncatedHeader => "truncated_header",
            Self::TruncatedData => "truncated_data",
            Self::NotAudio => "not_audio",
            Self::UnsupportedEncoding => "unsupported_encoding",
            Self::CorruptData => "corrupt_data",
            Self::BadRate => "bad_rate",
            Self::BadChannels => "bad_channels",
            Self::NotFinite => "not_finite",
            Self::OutOfRange => "out_of_range",
            Self::Unreadable => "unreadable",
            Self::PartialSample => "partial_sample",
            Self::OutOfOrder => "out_of_order",
            Self::Mismatch => "mismatch",
            Self::NoTone => "no_tone",
            Self::WrongFrequency => "wrong_frequency",
            Self::TooNoisy => "too_noisy",
            Self::TooQuiet => "too_quiet",
            Self::Clipped => "clipped",
            Self::Unstable => "unstable",
            Self::BadCheckpoint => "bad_checkpoint",
            Self::BadSeal => "bad_seal",
            Self::WrongKey => "wrong_key",
            Self::WrongTopic => "wrong_topic",
            Self::WrongSensor => "wrong_sensor",
            Self::BadVersion => "bad_version",
            Self::Oversized => "oversized",
            Self::Duplicate => "duplicate",
            Self::ClockAhead => "clock_ahead",
            Self::BadModel => "bad_model",
        }
    }
}

/// One input, block or stored state that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockError {
    /// The counted reason.
    pub reason: Reason,
    /// What would have been accepted.
    pub expected: String,
    /// What came.
    pub actual: String,
}

impl BlockError {
    /// Names the reason, what would have been accepted and what came.
    pub fn new(reason: Reason, expected: impl Into<String>, actual: impl fmt::Display) -> Self {
        Self {
            reason,
            expected: expected.into(),
            actual: actual.to_string(),
        }
    }
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reason,
            expected,
            actual,
        } = self;
        write!(f, "{}: expected {expected}, got {actual}", reason.code())
    }
}

impl std::error::Error for BlockError {}
