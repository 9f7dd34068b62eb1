//! Frames to the windows around an alarm: in a calm street nothing goes on but levels.

use super::anomaly::{UNIT_FRAMES, load_count};
use super::background::Background;
use super::describe::Description;
use super::ring::FrameRing;
use super::scorer::Scorer;
use super::window::{FeatureWindow, N_BANDS, WINDOW_FRAMES, WINDOW_HOP, first_slot_after};
use crate::checkpoint::{Reader, Writer};
use crate::error::{BlockError, ParameterError, Reason};

const NEVER: u64 = u64::MAX;

/// The trigger of one sensor.
///
/// Windows start every 48 frames from frame 0 of the stream. Those that touch an alarm's unit go on, and the following ones
/// while the 1 s maximum of the score stays over the threshold and one second more, 20 s an alarm at most. The first 2 s of
/// a stream go on unheard: nothing is known of it yet, and many clips begin with their event; they count as one alarm.
///
/// # Measured
/// The share of 48 real glass breaks, sirens, horns and gunshots (SNR: loudest half second against the ambience) whose loudest
/// frame went on, for +20 / +10 / 0 dB, at 300 and at 500 alarms a day:
/// - clips of 5 s, the event 3 s behind their beginning: .92 / .78 / .42 and .94 / .83 / .49, while 4 % and 6 % of such
///   clips without event raise an alarm after their first 2 s;
/// - added to 24 simulated streets of 12 h, 4 an hour: .91 / .73 / .40 and .96 / .85 / .54 (at 100 a day .76 / .42 / .14).
///
/// There are few real sirens (3) and horns (8), and the streets are simulated: directions, not decimals.
pub struct Trigger {
    sensor_id: u32,
    alarms_per_day: f64,
    scorer: Scorer,
    ring: FrameRing,
    is_started: bool,
    start_slot: u64,
    next_window: u64,
    /// The last unit that windows go on for.
    last_live: u64,
    /// The first window that tells that the second of the last one that went on is over; none once that was told.
    lull: Option<u64>,
    has_ended: bool,
    /// During a refill: the frame that it leads to.
    refilled_to: Option<u64>,
}

impl Trigger {
    /// `alarms_per_day`: the dial, alarms per sensor-day; infinity lets every window through. Dials over 4 000 act as 4 000.
    /// `background`: what an earlier trigger has learned; without it the shipped street serves until the stream is known.
    ///
    /// # Errors
    /// A dial that is not a number over 0.
    pub fn new(
        sensor_id: u32,
        alarms_per_day: f64,
        background: Option<&Background>,
    ) -> Result<Self, ParameterError> {
        Ok(Self {
            sensor_id,
            alarms_per_day,
            scorer: Scorer::new(alarms_per_day, background)?,
            ring: FrameRing::new(),
            is_started: false,
            start_slot: 0,
            next_window: 0,
            last_live: NEVER,
            lull: None,
            has_ended: false,
            refilled_to: None,
        })
    }

    #[cfg(test)]
    pub(crate) fn tail(&self) -> &super::tail::Tail {
        self.scorer.tail()
    }

    /// The sensor that it listens for.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Alarms so far, the beginning of the stream included.
    pub fn n_alarms(&self) -> u64 {
        self.scorer.n_alarms()
    }

    /// What was learned so far, for a later trigger of the same sensor.
    pub fn background(&self) -> Background {
        self.scorer.background()
    }

    /// Takes the frames of one block; gives the windows that go on, in order, at the latest 19 frames after their last one.
    /// Frames heard before are passed over; after a gap windows begin anew behind it.
    pub fn push(&mut self, description: &Description) -> Vec<FeatureWindow> {
        let mut windows = Vec::new();
        self.end_refill();
        self.start_slot = description.start_slot;
        let (bands, energy) = (&description.bands[..], &description.masked_energy[..]);
        let n_frames = energy.len().min(bands.len() / N_BANDS);
        if n_frames == 0 {
            return windows;
        }
        self.has_ended = false;
        let end = description.first_frame + n_frames as u64;
        if !self.is_started || description.first_frame > self.ring.end() {
            self.begin_at(description.first_frame, &mut windows);
        }
        while self.ring.end() < end {
            let from = (self.ring.end() - description.first_frame) as usize;
            let to_unit_end = UNIT_FRAMES - self.ring.end() % UNIT_FRAMES;
            let n = to_unit_end.min(self.ring.room()) as usize;
            let to = (from + n).min(n_frames);
            let run = &bands[from * N_BANDS..to * N_BANDS];
            self.ring.append(run, &energy[from..to]);
            self.scorer.add(run);
            if self.ring.end().is_multiple_of(UNIT_FRAMES) {
                self.close_unit(self.ring.end() / UNIT_FRAMES - 1, &mut windows);
            }
        }
        windows
    }

    /// The end of the stream: gives the windows that are complete, and forgets its frames.
    pub fn finish(&mut self) -> Vec<FeatureWindow> {
        let mut windows = Vec::new();
        self.end_refill();
        if self.is_started {
            self.close_partial_unit(&mut windows);
            self.ring.wipe();
        }
        self.has_ended = true;
        windows
    }

    /// An empty window, once after windows went on, as soon as no other one can be heard in the second of the last of them: sent
    /// after them, it lets the gate mint what it holds. Where the gate hears the whole stream it is not needed.
    pub fn lull(&mut self) -> Option<FeatureWindow> {
        let is_due = |&index: &u64| self.has_ended || index < self.next_window;
        let index = self.lull.filter(is_due)?;
        self.lull = None;
        Some(FeatureWindow::empty(self.sensor_id, self.start_slot, index))
    }

    /// After a restore: takes the frames before the position again, into the ring alone, from any number of descriptions in order.
    pub fn refill(&mut self, description: &Description) {
        let (bands, energy) = (&description.bands[..], &description.masked_energy[..]);
        let first = description.first_frame;
        let position = self.refilled_to.unwrap_or(self.ring.end());
        let n_frames = energy.len().min(bands.len() / N_BANDS) as u64;
        if !self.is_started || n_frames == 0 || first >= position {
            return;
        }
        if self.refilled_to.is_none() || first != self.ring.end() {
            self.ring.restart(first);
        }
        self.refilled_to = Some(position);
        let end = position.min(first + n_frames);
        while self.ring.end() < end {
            let from = (self.ring.end() - first) as usize;
            let n = self.ring.room().min(end - self.ring.end()) as usize;
            let run = &bands[from * N_BANDS..(from + n) * N_BANDS];
            self.ring.append(run, &energy[from..from + n]);
        }
    }

    /// The ring stands where it stood, whether or not it could be refilled.
    fn end_refill(&mut self) {
        if let Some(position) = self.refilled_to.take()
            && self.ring.end() != position
        {
            self.ring.restart(position);
        }
    }

    /// The first frame of the stream, or the first one behind a gap.
    fn begin_at(&mut self, frame: u64, windows: &mut Vec<FeatureWindow>) {
        if self.is_started {
            self.close_partial_unit(windows);
        } else {
            self.is_started = true;
            self.scorer.begin_at(frame / UNIT_FRAMES);
        }
        self.ring.restart(frame);
        self.next_window = self.next_window.max(frame.div_ceil(WINDOW_HOP as u64));
    }

    fn close_partial_unit(&mut self, windows: &mut Vec<FeatureWindow>) {
        if !self.ring.end().is_multiple_of(UNIT_FRAMES) {
            self.close_unit(self.ring.end() / UNIT_FRAMES, windows);
        }
    }

    /// Scores a unit, learns from it, and passes on the windows whose last frame lies in it.
    fn close_unit(&mut self, unit: u64, windows: &mut Vec<FeatureWindow>) {
        if self.scorer.close(unit).is_live {
            self.last_live = unit;
        }
        self.pass_on(unit, windows);
    }

    fn pass_on(&mut self, unit: u64, windows: &mut Vec<FeatureWindow>) {
        loop {
            let start = self.next_window * WINDOW_HOP as u64;
            let last = start + WINDOW_FRAMES as u64 - 1;
            if last >= self.ring.end() || last / UNIT_FRAMES > unit {
                return;
            }
            let is_touched = self.last_live != NEVER && self.last_live >= start / UNIT_FRAMES;
            let goes_on = is_touched || self.alarms_per_day.is_infinite();
            if goes_on && self.ring.holds(self.next_window) {
                let window = self
                    .ring
                    .cut(self.next_window, self.sensor_id, self.start_slot);
                self.lull = first_lull(&window);
                windows.push(window);
            }
            self.next_window += 1;
        }
    }

    /// Every state variable but the frame ring.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.u32(self.sensor_id);
        out.f64(self.alarms_per_day);
        out.u8(u8::from(self.is_started));
        for value in [self.start_slot, self.ring.end(), self.next_window] {
            out.u64(value);
        }
        out.u64(self.last_live);
        out.option(self.lull);
        out.flag(self.has_ended);
        self.scorer.save(out);
    }

    /// # Errors
    /// `BadCheckpoint` where bytes are missing or a value is outside its bounds.
    pub(crate) fn load(from: &mut Reader) -> Result<Self, BlockError> {
        let (sensor_id, alarms_per_day) = (from.u32()?, from.f64()?);
        let mut trigger = Self::new(sensor_id, alarms_per_day, None)
            .map_err(|e| BlockError::new(Reason::BadCheckpoint, e.expected, e.actual))?;
        trigger.is_started = from.u8()? != 0;
        trigger.start_slot = load_count(from)?;
        trigger.ring.restart(load_count(from)?);
        trigger.next_window = load_count(from)?;
        trigger.last_live = from.u64()?;
        trigger.lull = from.option()?;
        trigger.has_ended = from.flag()?;
        trigger.scorer = Scorer::load(from)?;
        Ok(trigger)
    }
}

/// The first window after this one that tells that its second is over; none if it tells that itself.
fn first_lull(window: &FeatureWindow) -> Option<u64> {
    let tells = |&index: &u64| first_slot_after(window.start_slot(), index) > window.slot();
    // A second is over four windows later at the latest.
    let index = (window.index()..=window.index() + 4).find(tells)?;
    (index > window.index()).then_some(index)
}

#[cfg(test)]
mod tests;
