//! Blocks to frames and levels: the stage between sound and everything that holds no sound.

use crate::analysis::window::{WINDOW_FRAMES, WINDOW_HOP};
use crate::checkpoint::{Reader, Writer};
use crate::error::{BlockError, ParameterError, Reason};
use crate::open::policy::SPEECH_BAND_HZ;
use crate::sound::AudioBlock;
use crate::sound::block::check_sample_rate;
use crate::sound::level::Meter;
use crate::sound::mel::LogMelSettings;
use crate::sound::resample::TARGET_RATE;

use events::Events;
use lanes::{Lanes, in_lanes};
use many::Outs;

pub use crate::analysis::description::{Description, SecondLevel};
pub use many::{Job, Workspace, push_many_into};

mod events;

mod lanes;

mod many;

/// What the stage expects next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The block at its position.
    Block,
    /// After a restore: the sound before its position.
    Refill,
    /// After a restore: the rest of that sound, from this sample on.
    RefillFrom(u64),
    /// Nothing: the stream has ended.
    Nothing,
}

/// Sound before a checkpoint's position that a restore is given, in seconds.
pub const REFILL_S: u64 = 2;

/// Blocks of one sensor to log-mel frames, their energy outside the speech band, and levels by the second.
///
/// Frames are made at 16 kHz; a stream below that rate gives levels only. What comes out is a function of the samples and
/// their positions, the same bytes for any split into blocks and on any CPU.
///
/// # Guarantee
/// Samples that are still needed (`longest_sample_life_s`) lie in buffers that this stage owns and overwrites; the others
/// are overwritten before a call returns.
///
/// # Source
/// Bands: the published front end of YAMNet. Levels: IEC 61672-1:2013.
pub struct Describe {
    sensor_id: u32,
    sample_rate: u32,
    start_slot: u64,
    /// Number of the stream's first sample, as its sensor counts; positions inside count from it.
    first_sample: u64,
    speech_band_hz: [f64; 2],
    position: u64,
    next: Next,
    meter: Meter,
    events: Option<Events>,
}

impl Describe {
    /// For the stream of one sensor, from its first sample on.
    ///
    /// # Shape
    /// `start_slot`: second of the first sample, since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// `sample_rate` outside 8 000 to 192 000 Hz.
    pub fn new(sensor_id: u32, sample_rate: u32, start_slot: u64) -> Result<Self, ParameterError> {
        check_sample_rate(sample_rate)
            .map_err(|error| ParameterError::new("sample_rate", error.expected, error.actual))?;
        Ok(Self {
            sensor_id,
            sample_rate,
            start_slot,
            first_sample: 0,
            speech_band_hz: SPEECH_BAND_HZ,
            position: 0,
            next: Next::Block,
            meter: Meter::new(sample_rate),
            events: Events::new(sample_rate),
        })
    }

    /// Leaves a wider band out of the energy that an event's level is made of; 220 to 3480 Hz without it.
    ///
    /// # Errors
    /// A band that does not contain 220 to 3480 Hz.
    pub fn with_speech_band(mut self, speech_band_hz: [f64; 2]) -> Result<Self, ParameterError> {
        let ([low, high], [from, to]) = (speech_band_hz, SPEECH_BAND_HZ);
        if !(low <= from && high >= to && low.is_finite() && high.is_finite()) {
            let expected = format!("a band that contains {from} to {to} Hz");
            let actual = format!("{low} to {high} Hz");
            return Err(ParameterError::new("speech_band_hz", expected, actual));
        }
        self.speech_band_hz = speech_band_hz;
        if let Some(events) = &mut self.events {
            events.leave_out(speech_band_hz);
        }
        Ok(self)
    }

    /// Begins at another sample than 0: where a sensor goes on counting behind a gap. What comes from before it is passed over, so
    /// that a stream can begin on a whole second, wherever its blocks begin.
    pub fn beginning_at(mut self, first_sample: u64) -> Self {
        self.first_sample = first_sample;
        self
    }

    /// The sensor.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Rate of the stream in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Second of the first sample, since 1970-01-01T00:00:00Z.
    pub fn start_slot(&self) -> u64 {
        self.start_slot
    }

    /// Next expected sample.
    pub fn position(&self) -> u64 {
        self.first_sample.saturating_add(self.position)
    }

    /// Whether the rate allows frames (16 000 Hz and above); below there are levels only.
    pub fn hears_events(&self) -> bool {
        self.events.is_some()
    }

    /// The longest that a sample lives in blocks of up to `max_block_s` and in this stage, in seconds of stream time: the
    /// block it came in, the resampler's taps, and the frames that are not complete.
    pub fn longest_sample_life_s(&self, max_block_s: f64) -> f64 {
        let rate = f64::from(self.sample_rate);
        let meter = 8.0 / rate;
        let Some(events) = &self.events else {
            return max_block_s + meter;
        };
        let LogMelSettings { win_length, .. } = LogMelSettings::STREET;
        let taps = events.resampler.n_taps() as f64 / rate;
        // A sample stays until the last frame that holds it is complete: less than one frame and one output later.
        max_block_s + taps + (win_length + 1) as f64 / f64::from(TARGET_RATE)
    }

    /// Describes a block that follows the last one.
    ///
    /// # Shape
    /// Clears `out` and writes the frames and seconds that the block completes. No allocation once `out` has held as much.
    ///
    /// # Errors
    /// `Mismatch` (another sensor or rate), `OutOfOrder` (another position, a refill that is due, a stream that has ended);
    /// the state stays as it was.
    pub fn push_into(
        &mut self,
        block: &AudioBlock,
        out: &mut Description,
    ) -> Result<(), BlockError> {
        in_lanes(out, |lanes, outs| self.take_in(block, 0, lanes, outs))
    }

    /// The same for a block among others: `owner` is its number among them.
    fn take_in(
        &mut self,
        block: &AudioBlock,
        owner: usize,
        lanes: &mut Lanes,
        outs: &mut Outs,
    ) -> Result<(), BlockError> {
        let Some(out) = outs.of(owner) else {
            return Ok(());
        };
        self.clear(out);
        self.check(block)?;
        let (start, samples) = self.that_count(block);
        if self.next == Next::Block && self.position == 0 && samples.is_empty() {
            return Ok(());
        }
        if self.next != Next::Block || start != self.position {
            return Err(self.out_of_order(block));
        }
        self.position += samples.len() as u64;
        self.meter.push(samples, self.start_slot, &mut out.seconds);
        if let Some(events) = &mut self.events {
            out.reserve(events.n_frames_of(samples.len(), self.sample_rate));
            events.hear(samples, u64::MAX, owner, lanes, outs);
        }
        Ok(())
    }

    /// Ends the stream: fills it up with silence so that the last window begun is complete (96 frames at least, nothing
    /// after a stream without a sample), and closes the last second, in whose level that silence does not count.
    ///
    /// # Shape
    /// Clears `out` and writes the last frames and the last second. A second call writes nothing.
    pub fn finish_into(&mut self, out: &mut Description) {
        self.clear(out);
        let has_ended = matches!(
            self.next,
            Next::Nothing | Next::Refill | Next::RefillFrom(_)
        );
        self.next = Next::Nothing;
        if has_ended || self.position == 0 {
            return;
        }
        self.meter.finish(self.start_slot, &mut out.seconds);
        let end_frame = self.end_frame();
        if let Some(events) = &mut self.events {
            out.reserve(end_frame.saturating_sub(events.tail.next_frame()) as usize);
            in_lanes(out, |lanes, outs| {
                while events.tail.next_frame() < end_frame {
                    events.hear(&[0.0; 1_024], end_frame, 0, lanes, outs);
                    lanes.run(outs);
                }
            });
            events.resampler.restart(0, 0);
            events.tail.restart(end_frame);
        }
    }

    /// Number of frames of the whole stream with its padding: whole windows.
    fn end_frame(&self) -> u64 {
        let LogMelSettings {
            win_length, hop, ..
        } = LogMelSettings::STREET;
        let n_out = (u128::from(self.position) * u128::from(TARGET_RATE))
            .div_ceil(u128::from(self.sample_rate)) as u64;
        let first = (WINDOW_FRAMES - 1) * hop + win_length;
        let n_more = n_out
            .saturating_sub(first as u64)
            .div_ceil((WINDOW_HOP * hop) as u64);
        WINDOW_FRAMES as u64 + n_more * WINDOW_HOP as u64
    }

    /// After a restore: hears again the sound before the position, `REFILL_S` or from the stream's start, in any blocks. The
    /// frames that it completes come out again, for the frame ring of the trigger; levels are left alone.
    ///
    /// # Errors
    /// `Mismatch`; `OutOfOrder` (blocks with a gap, past the position, or that begin too late for the frames that are
    /// under way).
    pub fn refill_into(
        &mut self,
        block: &AudioBlock,
        out: &mut Description,
    ) -> Result<(), BlockError> {
        self.clear(out);
        self.check(block)?;
        let (start, samples) = self.that_count(block);
        if samples.is_empty() {
            return Ok(());
        }
        let end = start.saturating_add(samples.len() as u64);
        let is_next = match self.next {
            Next::Refill => start <= self.latest_refill_start(),
            Next::RefillFrom(expected) => start == expected,
            Next::Block | Next::Nothing => false,
        };
        if !is_next || end > self.position {
            return Err(self.out_of_order(block));
        }
        if let Some(events) = &mut self.events {
            if self.next == Next::Refill {
                let hop = LogMelSettings::STREET.hop as u64;
                let first_frame = events.resampler.first_output(start).div_ceil(hop);
                events.resampler.restart(start, first_frame * hop);
                events.tail.restart(first_frame);
                out.first_frame = first_frame;
            }
            out.reserve(events.n_frames_of(samples.len(), self.sample_rate));
            in_lanes(out, |lanes, outs| {
                events.hear(samples, u64::MAX, 0, lanes, outs);
            });
        }
        self.next = Next::RefillFrom(end);
        self.refill_meter(start, samples);
        if end == self.position {
            self.next = Next::Block;
        }
        Ok(())
    }

    /// The last samples before the position belong to a step that is not complete.
    fn refill_meter(&mut self, start: u64, samples: &[f32]) {
        let first = self.position - self.meter.n_pending() as u64;
        let end = start + samples.len() as u64;
        if end > first {
            let from = first.saturating_sub(start) as usize;
            self.meter.refill(start.max(first), &samples[from..]);
        }
    }

    /// A refill that starts later would leave frames without their first samples.
    fn latest_refill_start(&self) -> u64 {
        self.position
            .saturating_sub(u64::from(self.sample_rate) * REFILL_S)
    }

    /// The samples of a block from the stream's first one on, and where they begin, counted from there.
    fn that_count<'a>(&self, block: &'a AudioBlock) -> (u64, &'a [f32]) {
        let samples = block.samples();
        let n_before = self.first_sample.saturating_sub(block.start_sample());
        let n_before = usize::try_from(n_before).map_or(samples.len(), |n| n.min(samples.len()));
        let start = block.start_sample().saturating_sub(self.first_sample);
        (start, &samples[n_before..])
    }

    fn clear(&self, out: &mut Description) {
        let first_frame = self
            .events
            .as_ref()
            .map_or(0, |events| events.tail.next_frame());
        out.clear(self.sensor_id, self.start_slot, first_frame);
    }

    fn check(&self, block: &AudioBlock) -> Result<(), BlockError> {
        let (expected, actual) = (
            (self.sensor_id, self.sample_rate),
            (block.sensor_id(), block.sample_rate()),
        );
        if expected == actual {
            return Ok(());
        }
        let name = |(sensor, rate): (u32, u32)| format!("sensor {sensor} at {rate} Hz");
        Err(BlockError::new(
            Reason::Mismatch,
            name(expected),
            name(actual),
        ))
    }

    fn out_of_order(&self, block: &AudioBlock) -> BlockError {
        let position = self.position();
        let sample = |at: u64| self.first_sample.saturating_add(at);
        let expected = match self.next {
            Next::Block => format!("a block at sample {position}"),
            Next::Refill => format!(
                "a refill from sample {} or before to sample {position}",
                sample(self.latest_refill_start()),
            ),
            Next::RefillFrom(at) => format!("a refill from sample {} to {position}", sample(at)),
            Next::Nothing => "nothing after the end".to_owned(),
        };
        let (start, n) = (block.start_sample(), block.n_samples());
        BlockError::new(
            Reason::OutOfOrder,
            expected,
            format!("{n} samples at sample {start}"),
        )
    }

    /// Every state variable but samples.
    pub(crate) fn save(&self, writer: &mut Writer) {
        writer.u32(self.sensor_id);
        writer.u32(self.sample_rate);
        writer.u64(self.start_slot);
        writer.u64(self.first_sample);
        writer.f64s(&self.speech_band_hz);
        writer.u64(self.position);
        writer.u8(u8::from(self.next == Next::Nothing));
        self.meter.save(writer);
    }

    /// Reads the state back; then it waits for a refill, unless it stands at the start or the end.
    pub(crate) fn load(reader: &mut Reader) -> Result<Self, BlockError> {
        let damaged =
            |e: ParameterError| BlockError::new(Reason::BadCheckpoint, e.expected, e.actual);
        let (sensor_id, sample_rate) = (reader.u32()?, reader.u32()?);
        let (start_slot, first_sample) = (reader.u64()?, reader.u64()?);
        let mut speech_band_hz = [0.0; 2];
        reader.f64s(&mut speech_band_hz)?;
        let position = reader.u64()?;
        let mut describe = Self::new(sensor_id, sample_rate, start_slot)
            .and_then(|describe| describe.with_speech_band(speech_band_hz))
            .map_err(damaged)?
            .beginning_at(first_sample);
        let has_ended = reader.u8()? != 0;
        describe.position = position;
        describe.meter = Meter::load(sample_rate, position, reader)?;
        describe.next = match (has_ended, position) {
            (true, _) => Next::Nothing,
            (false, 0) => Next::Block,
            (false, _) => Next::Refill,
        };
        Ok(describe)
    }
}

#[cfg(test)]
mod tests;
