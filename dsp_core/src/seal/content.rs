//! What is sealed, as bytes: lossless, little-endian, and read back without trust in what they say.

use zeroize::Zeroizing;

use super::{Header, KeyRing, Mark, Topic, bad_seal};
use crate::analysis::{Candidate, FeatureWindow};
use crate::checkpoint::{Reader, Writer};
use crate::error::{BlockError, ParameterError, Reason};
use crate::open::record::closed_enum;
use crate::sound::AudioBlock;

const NS_PER_S: u64 = 1_000_000_000;

closed_enum! {
    /// How the samples of a sealed block are written. Blocks of one format and length are of one size, whatever was heard.
    BlockFormat {
        /// Signed 16-bit.
        S16Le = "s16le",
        /// Signed 24-bit in three bytes.
        S24Le = "s24le",
        /// 32-bit float.
        F32Le = "f32le",
    }
}

impl BlockFormat {
    /// Full scale of the integer formats.
    const fn full_scale(self) -> f32 {
        match self {
            Self::S16Le => 32_768.0,
            Self::S24Le => 8_388_608.0,
            Self::F32Le => 1.0,
        }
    }

    /// The format of a name.
    ///
    /// # Errors
    /// Any other name.
    pub fn of(name: &str) -> Result<Self, ParameterError> {
        let names: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
        Self::from_name(name).ok_or_else(|| ParameterError::new("encoding", names.join(", "), name))
    }

    /// Writes a sample, if the format holds it exactly.
    fn write(self, sample: f32, out: &mut Writer) -> Option<()> {
        let steps = (sample * self.full_scale()) as i32;
        let is_held = (steps as f32 / self.full_scale()).to_bits() == sample.to_bits();
        match self {
            Self::F32Le => out.f32(sample),
            Self::S16Le if is_held => out.bytes(&i16::try_from(steps).ok()?.to_le_bytes()),
            Self::S24Le if is_held && (-(1 << 23)..1 << 23).contains(&steps) => {
                out.bytes(&steps.to_le_bytes()[..3]);
            }
            _ => return None,
        }
        Some(())
    }

    fn read(self, input: &mut Reader) -> Result<f32, BlockError> {
        Ok(match self {
            Self::S16Le => f32::from(i16::from_le_bytes(input.array()?)) / self.full_scale(),
            Self::S24Le => {
                let [a, b, c] = input.array()?;
                // In the upper three bytes, so that the sign is where an i32 has it.
                i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0
            }
            Self::F32Le => input.f32()?,
        })
    }
}

impl KeyRing {
    /// Seals a block of sound as its sensor sends it.
    ///
    /// # Shape
    /// `boot_ns`: when the sensor began to send, in ns since 1970-01-01T00:00:00Z, later at every start; `sequence`: number of
    /// the block since then.
    ///
    /// # Errors
    /// `UnsupportedEncoding` for samples that the format does not hold exactly; `Oversized` over 1 MiB.
    pub fn seal_block(
        &self,
        block: &AudioBlock,
        format: BlockFormat,
        boot_ns: u64,
        sequence: u64,
    ) -> Result<Vec<u8>, BlockError> {
        let mut out = Writer::default();
        out.u32(block.sample_rate());
        out.u32(format.code().into());
        out.u64(block.start_sample());
        for &sample in block.samples() {
            format.write(sample, &mut out).ok_or_else(|| {
                let expected = format!("samples that {} holds", format.name());
                BlockError::new(Reason::UnsupportedEncoding, expected, "others")
            })?;
        }
        let header = Header::new(Topic::Sound, block.sensor_id(), boot_ns, sequence);
        self.seal(header, &out.into_bytes())
    }

    /// Opens a sensor's next block and moves the mark on. `received_ms`: when the zone received it, since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// As those of opening; those of `AudioBlock::new`; `CorruptData`; `Duplicate` at or below the mark; `ClockAhead`. The mark
    /// then stays where it was.
    pub fn open_block(
        &self,
        sensor_id: u32,
        sealed: &[u8],
        mark: &mut Mark,
        received_ms: u64,
    ) -> Result<AudioBlock, BlockError> {
        let (header, content) = self.open(Topic::Sound, sensor_id, sealed)?;
        let block = read_block(sensor_id, &content)?;
        mark.pass(&header, received_ms).map(|()| block)
    }

    /// Opens a block that was let in before, to refill stages after a restore.
    ///
    /// # Errors
    /// As those of opening; those of `AudioBlock::new`; `CorruptData`.
    pub fn reopen_block(&self, sensor_id: u32, sealed: &[u8]) -> Result<AudioBlock, BlockError> {
        let (_, content) = self.open(Topic::Sound, sensor_id, sealed)?;
        read_block(sensor_id, &content)
    }

    /// Seals a window. `received_ms`: when the zone received the sound that completed it; `None` where the sound has no such
    /// time, as in the sensor itself.
    ///
    /// # Errors
    /// `BadSeal` for a stream that begins after the year 2550; `OutOfRange` for bands that no trigger cuts.
    pub fn seal_window(
        &self,
        window: &FeatureWindow,
        received_ms: Option<u64>,
    ) -> Result<Vec<u8>, BlockError> {
        let mut out = Writer::default();
        out.option(window.received_ms().or(received_ms));
        window.write(&mut out)?;
        let header = header_of(
            Topic::Windows,
            window.sensor_id(),
            window.start_slot(),
            window.index(),
        )?;
        self.seal(header, &out.into_bytes())
    }

    /// Opens a window. `received_ms`: when the zone received it; that counts which the window brings along, if it does.
    ///
    /// # Errors
    /// As those of opening; `CorruptData`.
    pub fn open_window(
        &self,
        sensor_id: u32,
        sealed: &[u8],
        received_ms: u64,
    ) -> Result<FeatureWindow, BlockError> {
        let (header, content) = self.open(Topic::Windows, sensor_id, sealed)?;
        read(&content, |input| {
            let received_ms = input.option()?.unwrap_or(received_ms);
            FeatureWindow::read(input, place_of(&header), received_ms)
        })
    }

    /// Seals a candidate.
    ///
    /// # Errors
    /// `Mismatch` for the candidate of a window that was not opened, and so has no time; `BadSeal` as for a window.
    pub fn seal_candidate(&self, candidate: &Candidate) -> Result<Vec<u8>, BlockError> {
        let received_ms = candidate.received_ms.ok_or_else(|| {
            let expected = "the candidate of a window that was received";
            BlockError::new(Reason::Mismatch, expected, "one of this process's own")
        })?;
        let mut out = Writer::default();
        out.u64(received_ms);
        candidate.write(&mut out);
        let mut header = header_of(
            Topic::Candidates,
            candidate.sensor_id(),
            candidate.start_slot,
            candidate.index(),
        )?;
        header.content_version = candidate.model;
        self.seal(header, &out.into_bytes())
    }

    /// Opens a sensor's next candidate and moves the mark on.
    ///
    /// # Errors
    /// As those of opening; `CorruptData`; `Duplicate` at or below the mark; `ClockAhead`. The mark then stays where it was.
    pub fn open_candidate(
        &self,
        sensor_id: u32,
        sealed: &[u8],
        mark: &mut Mark,
    ) -> Result<Candidate, BlockError> {
        let (header, content) = self.open(Topic::Candidates, sensor_id, sealed)?;
        let (candidate, received_ms) = read(&content, |input| {
            let received_ms = input.u64()?;
            let model = header.content_version;
            let candidate = Candidate::read(input, place_of(&header), received_ms, model)?;
            Ok((candidate, received_ms))
        })?;
        mark.pass(&header, received_ms).map(|()| candidate)
    }

    /// Seals state; `sequence`: its position.
    pub(crate) fn seal_state(
        &self,
        sensor_id: u32,
        sequence: u64,
        state: &[u8],
    ) -> Result<Vec<u8>, BlockError> {
        self.seal(
            Header::new(Topic::Checkpoints, sensor_id, 0, sequence),
            state,
        )
    }

    /// Opens state.
    pub(crate) fn open_state(
        &self,
        sensor_id: u32,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, BlockError> {
        let (_, state) = self.open(Topic::Checkpoints, sensor_id, sealed)?;
        Ok(state)
    }
}

/// A window's place: its stream's beginning stands for the boot, so that it is the same whichever worker sends it, and however
/// often.
fn header_of(
    topic: Topic,
    sensor_id: u32,
    start_slot: u64,
    index: u64,
) -> Result<Header, BlockError> {
    let boot_ns = start_slot
        .checked_mul(NS_PER_S)
        .ok_or_else(|| bad_seal("a stream that begins before 2550", "a later one"))?;
    Ok(Header::new(topic, sensor_id, boot_ns, index))
}

/// Sensor, start of the stream and number of a window.
fn place_of(header: &Header) -> (u32, u64, u64) {
    let start_slot = header.boot_ns / NS_PER_S;
    (header.sensor_id, start_slot, header.sequence)
}

fn read_block(sensor_id: u32, content: &[u8]) -> Result<AudioBlock, BlockError> {
    let (sample_rate, start_sample, samples) = read(content, |input| {
        let sample_rate = input.u32()?;
        let format = u8::try_from(input.u32()?).ok();
        let format = format
            .and_then(BlockFormat::from_code)
            .ok_or_else(|| crate::checkpoint::damaged("no such format"))?;
        let start_sample = input.u64()?;
        let mut samples = Zeroizing::new(Vec::with_capacity(input.n_left() / 2));
        while input.n_left() > 0 {
            samples.push(format.read(input)?);
        }
        Ok((sample_rate, start_sample, samples))
    })?;
    let mut samples = samples;
    AudioBlock::new(
        sensor_id,
        sample_rate,
        start_sample,
        std::mem::take(&mut *samples),
    )
}

/// Reads all of the content; what does not fit was sealed so by someone with the key.
fn read<T>(
    content: &[u8],
    parse: impl FnOnce(&mut Reader) -> Result<T, BlockError>,
) -> Result<T, BlockError> {
    let mut input = Reader::new(content);
    parse(&mut input)
        .and_then(|value| input.finish().map(|()| value))
        .map_err(|error| BlockError::new(Reason::CorruptData, "intact content", error.actual))
}
