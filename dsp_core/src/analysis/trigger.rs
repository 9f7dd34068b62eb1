//! Frames to the windows around an alarm: in a calm street nothing goes on but levels.

use super::anomaly::{Anomaly, UNIT_FRAMES, UnitSum};
use super::background::Background;
use super::describe::Description;
use super::ring::FrameRing;
use super::tail::{Episode, Tail};
use super::window::{FeatureWindow, N_BANDS, WINDOW_FRAMES, WINDOW_HOP};
use crate::checkpoint::{Reader, Writer};
use crate::error::{BlockError, ParameterError, Reason};

/// Dial of the alarm counter where every window goes on anyway.
const OPEN_DIAL: f64 = 500.0;
/// Learning stands still for at most 10 s of alarms; each quiet unit gives one unit of that back.
const MAX_FROZEN_UNITS: u32 = 50;
const NEVER: u64 = u64::MAX;

/// The trigger of one sensor.
///
/// Windows start every 48 frames from frame 0 of the stream. Those that touch an alarm's unit go on, and the following ones
/// while the 1 s maximum of the score stays over the threshold and one second more, 20 s an alarm at most. The first 2 s of
/// a stream go on unheard: nothing is known of it yet, and many clips begin with their event; they count as one alarm.
pub struct Trigger {
    sensor_id: u32,
    alarms_per_day: f64,
    anomaly: Anomaly,
    tail: Tail,
    unit_sum: UnitSum,
    ring: FrameRing,
    is_started: bool,
    start_slot: u64,
    next_window: u64,
    alarm: Episode,
    n_alarms: u64,
    /// The last unit that windows go on for.
    last_live: u64,
    frozen_left: u32,
    /// Units of the stream that nothing is learned from the tail of: its first 2 s.
    first_unit: u64,
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
        if alarms_per_day.is_nan() || alarms_per_day <= 0.0 {
            let expected = "a number over 0, or infinity";
            return Err(ParameterError::new(
                "alarms_per_day",
                expected,
                alarms_per_day,
            ));
        }
        let dial = if alarms_per_day.is_finite() {
            alarms_per_day
        } else {
            OPEN_DIAL
        };
        let (anomaly, tail) = match background {
            Some(background) => (Anomaly::new(background), background.tail.at_dial(dial)),
            None => {
                let street = Background::street(dial);
                (Anomaly::new(&street), street.tail)
            }
        };
        Ok(Self {
            sensor_id,
            alarms_per_day,
            anomaly,
            tail,
            unit_sum: UnitSum::new(),
            ring: FrameRing::new(),
            is_started: false,
            start_slot: 0,
            next_window: 0,
            alarm: Episode::NONE,
            n_alarms: 0,
            last_live: NEVER,
            frozen_left: MAX_FROZEN_UNITS,
            first_unit: 0,
        })
    }

    #[cfg(test)]
    pub(crate) fn tail(&self) -> &Tail {
        &self.tail
    }

    /// The sensor that it listens for.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Alarms so far, the beginning of the stream included.
    pub fn n_alarms(&self) -> u64 {
        self.n_alarms
    }

    /// What was learned so far, for a later trigger of the same sensor.
    pub fn background(&self) -> Background {
        Background::of(&self.anomaly, &self.tail)
    }

    /// Takes the frames of one block; gives the windows that go on, in order, at the latest 19 frames after their last one.
    /// Frames heard before are passed over; after a gap windows begin anew behind it.
    pub fn push(&mut self, description: &Description) -> Vec<FeatureWindow> {
        let mut windows = Vec::new();
        self.start_slot = description.start_slot;
        let (bands, energy) = (&description.bands[..], &description.masked_energy[..]);
        let n_frames = energy.len().min(bands.len() / N_BANDS);
        if n_frames == 0 {
            return windows;
        }
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
            self.unit_sum.add(run);
            if self.ring.end().is_multiple_of(UNIT_FRAMES) {
                self.close_unit(self.ring.end() / UNIT_FRAMES - 1, &mut windows);
            }
        }
        windows
    }

    /// The end of the stream: gives the windows that are complete, and forgets its frames.
    pub fn finish(&mut self) -> Vec<FeatureWindow> {
        let mut windows = Vec::new();
        if self.is_started {
            self.close_partial_unit(&mut windows);
            self.ring.wipe();
        }
        windows
    }

    /// After a restore: takes the frames before the position again, into the ring alone.
    pub fn refill(&mut self, description: &Description) {
        let (bands, energy) = (&description.bands[..], &description.masked_energy[..]);
        let position = self.ring.end();
        let n_frames = energy.len().min(bands.len() / N_BANDS) as u64;
        let end = description.first_frame + n_frames;
        if !self.is_started || description.first_frame >= position || end < position {
            return;
        }
        self.ring.restart(description.first_frame);
        while self.ring.end() < position {
            let from = (self.ring.end() - description.first_frame) as usize;
            let n = self.ring.room().min(position - self.ring.end()) as usize;
            let run = &bands[from * N_BANDS..(from + n) * N_BANDS];
            self.ring.append(run, &energy[from..from + n]);
        }
    }

    /// The first frame of the stream, or the first one behind a gap.
    fn begin_at(&mut self, frame: u64, windows: &mut Vec<FeatureWindow>) {
        if self.is_started {
            self.close_partial_unit(windows);
        } else {
            self.is_started = true;
            self.first_unit = frame / UNIT_FRAMES;
            self.alarm = Episode::starting(self.first_unit);
            self.n_alarms = 1;
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
        let mut heard = self.unit_sum.take();
        let score = heard.as_ref().map_or(0.0, |mean| self.anomaly.score(mean));
        if score > self.tail.threshold() && self.alarm.exceed(unit) {
            self.n_alarms += 1;
        }
        let is_live = self.alarm.is_live(unit);
        if is_live {
            self.last_live = unit;
        }
        let is_warm = unit >= self.first_unit + 10;
        if let Some(mean) = &mut heard {
            if is_warm {
                self.tail.learn(unit, score);
            }
            if !self.is_frozen(is_live && is_warm) {
                self.anomaly.learn(mean);
            }
            zeroize::Zeroize::zeroize(mean);
        }
        self.pass_on(unit, windows);
    }

    /// Whether this unit must not be learned from: alarms are not, unless they go on for too long.
    fn is_frozen(&mut self, is_alarm: bool) -> bool {
        if !is_alarm {
            self.frozen_left = (self.frozen_left + 1).min(MAX_FROZEN_UNITS);
            return false;
        }
        let is_frozen = self.frozen_left > 0;
        self.frozen_left = self.frozen_left.saturating_sub(1);
        is_frozen
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
                windows.push(window);
            }
            self.next_window += 1;
        }
    }

    /// Every state variable but the frame ring.
    #[allow(dead_code)]
    pub(crate) fn save(&self, out: &mut Writer) {
        out.u32(self.sensor_id);
        out.f64(self.alarms_per_day);
        out.u8(u8::from(self.is_started));
        for value in [
            self.start_slot,
            self.ring.end(),
            self.next_window,
            self.n_alarms,
        ] {
            out.u64(value);
        }
        out.u64(self.last_live);
        out.u64(self.first_unit);
        out.u32(self.frozen_left);
        self.alarm.save(out);
        self.unit_sum.save(out);
        self.anomaly.save(out);
        self.tail.save(out);
    }

    /// # Errors
    /// `BadCheckpoint` where bytes are missing or a value is outside its bounds.
    #[allow(dead_code)]
    pub(crate) fn load(from: &mut Reader) -> Result<Self, BlockError> {
        let (sensor_id, alarms_per_day) = (from.u32()?, from.f64()?);
        let mut trigger = Self::new(sensor_id, alarms_per_day, None)
            .map_err(|e| BlockError::new(Reason::BadCheckpoint, e.expected, e.actual))?;
        trigger.is_started = from.u8()? != 0;
        trigger.start_slot = from.u64()?;
        trigger.ring.restart(from.u64()?);
        trigger.next_window = from.u64()?;
        trigger.n_alarms = from.u64()?;
        trigger.last_live = from.u64()?;
        trigger.first_unit = from.u64()?;
        trigger.frozen_left = from.u32()?.min(MAX_FROZEN_UNITS);
        trigger.alarm = Episode::load(from)?;
        trigger.unit_sum = UnitSum::load(from)?;
        trigger.anomaly = Anomaly::load(from)?;
        trigger.tail = Tail::load(from)?;
        Ok(trigger)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::synthetic_street::{Draw, description};
    use super::*;

    type Cut = (u64, u64, u32, Vec<u32>);

    fn cut(windows: Vec<FeatureWindow>) -> Vec<Cut> {
        let bits = |w: &FeatureWindow| w.bands().iter().map(|x| x.to_bits()).collect();
        let cut = |w: &FeatureWindow| (w.index(), w.slot(), w.level_dbfs().to_bits(), bits(w));
        windows.iter().map(cut).collect()
    }

    /// Noise with a bang every 9 s or so, and some digital silence.
    fn sound(seed: u64, n_frames: usize) -> Vec<[f32; N_BANDS]> {
        let mut draw = Draw(seed);
        let frame = |f: usize| {
            let bang = if f % 937 > 900 { 4.0 } else { 0.0 };
            let is_silent = (1_400..1_520).contains(&(f % 2_000));
            let mut level = |_| {
                let noise = (0.5 * draw.normal()) as f32;
                if is_silent {
                    -6.907_755_4
                } else {
                    noise - 3.0 + bang
                }
            };
            std::array::from_fn(&mut level)
        };
        (0..n_frames).map(frame).collect()
    }

    fn whole(frames: &[[f32; N_BANDS]], dial: f64) -> (Vec<Cut>, u64, Vec<u8>) {
        let mut trigger = Trigger::new(7, dial, None).unwrap();
        let mut windows = cut(trigger.push(&description(0, frames)));
        windows.extend(cut(trigger.finish()));
        (windows, trigger.n_alarms(), saved(&trigger))
    }

    fn saved(trigger: &Trigger) -> Vec<u8> {
        let mut out = Writer::default();
        trigger.save(&mut out);
        out.into_bytes()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_split_gives_the_windows_of_the_whole(seed: u64, n in 1_usize..4_000, cuts in prop::collection::vec(1_usize..400, 1..30)) {
            let frames = sound(seed, n);
            let mut trigger = Trigger::new(7, 300.0, None).unwrap();
            let (mut windows, mut at) = (Vec::new(), 0);
            for &size in cuts.iter().cycle() {
                let end = (at + size).min(n);
                windows.extend(cut(trigger.push(&description(at as u64, &frames[at..end]))));
                at = end;
                if at == n { break; }
            }
            windows.extend(cut(trigger.finish()));
            prop_assert_eq!(whole(&frames, 300.0), (windows, trigger.n_alarms(), saved(&trigger)));
        }

        #[test]
        fn a_restored_trigger_goes_on_byte_for_byte(seed: u64, n in 300_usize..4_000, share in 0.0_f64..1.0) {
            let frames = sound(seed, n);
            let middle = (n as f64 * share) as usize;
            let mut first = Trigger::new(7, 300.0, None).unwrap();
            let mut windows = cut(first.push(&description(0, &frames[..middle])));
            let bytes = saved(&first);
            let mut reader = Reader::new(&bytes);
            let mut second = Trigger::load(&mut reader).unwrap();
            reader.finish().unwrap();
            let from = middle.saturating_sub(200);
            second.refill(&description(from as u64, &frames[from..middle]));
            windows.extend(cut(second.push(&description(middle as u64, &frames[middle..]))));
            windows.extend(cut(second.finish()));
            prop_assert_eq!(whole(&frames, 300.0), (windows, second.n_alarms(), saved(&second)));
        }

        #[test]
        fn extreme_frames_leave_the_state_finite(values in prop::collection::vec(prop::num::f32::ANY, 64..128)) {
            let frame = |f: usize| std::array::from_fn(|b| values[(f * 31 + b) % values.len()]);
            let frames: Vec<[f32; N_BANDS]> = (0..900).map(frame).collect();
            let mut trigger = Trigger::new(7, 300.0, None).unwrap();
            trigger.push(&description(0, &frames));
            let bytes = saved(&trigger);
            prop_assert!(Trigger::load(&mut Reader::new(&bytes)).is_ok());
        }

        #[test]
        fn damaged_state_never_panics(at in 0_usize..7_000, flip in 1_u8.., cut_at in 0_usize..7_000) {
            let mut bytes = saved(&Trigger::new(7, 300.0, None).unwrap());
            let (at, cut_at) = (at % bytes.len(), cut_at % bytes.len());
            prop_assert!(Trigger::load(&mut Reader::new(&bytes[..cut_at])).is_err());
            bytes[at] ^= flip;
            if let Ok(mut trigger) = Trigger::load(&mut Reader::new(&bytes)) {
                trigger.push(&description(trigger.ring.end(), &sound(1, 300)));
            }
        }
    }

    #[test]
    fn a_bang_goes_on_and_the_calm_around_it_does_not() {
        let mut frames = sound(3, 890);
        frames.extend(sound(4, 60).iter().map(|f| f.map(|x| x + 3.0)));
        frames.extend(sound(5, 450));
        let (windows, n_alarms, _) = whole(&frames, 300.0);
        let passed: Vec<u64> = windows.iter().map(|w| w.0).collect();
        // The first five touch the first 2 s; then those that touch frames 880 to 939 and the 2 s behind.
        assert_eq!(passed[..6], [0, 1, 2, 3, 4, 17]);
        assert!(
            *passed.last().unwrap() <= 24 && passed.contains(&19),
            "{passed:?}"
        );
        // Within 10 s of the stream's beginning: still that alarm.
        assert_eq!(n_alarms, 1);
    }

    #[test]
    fn an_infinite_dial_passes_every_window_and_a_short_stream_gives_one() {
        let (windows, ..) = whole(&sound(3, 2_000), f64::INFINITY);
        let every: Vec<u64> = (0..=(2_000 - 96) / 48).collect();
        assert_eq!(windows.iter().map(|w| w.0).collect::<Vec<_>>(), every);
        assert_eq!(whole(&sound(3, 96), 24.0).0.len(), 1);
    }

    #[test]
    fn a_stream_without_frames_gives_nothing() {
        let mut trigger = Trigger::new(7, 300.0, None).unwrap();
        assert!(trigger.push(&description(0, &[])).is_empty() && trigger.finish().is_empty());
        assert_eq!(trigger.n_alarms(), 0);
    }

    #[test]
    fn no_window_reaches_over_a_gap_and_frames_heard_before_are_passed_over() {
        let frames = sound(3, 1_000);
        let mut trigger = Trigger::new(7, f64::INFINITY, None).unwrap();
        let mut windows = trigger.push(&description(0, &frames[..200]));
        windows.extend(trigger.push(&description(100, &frames[100..250])));
        windows.extend(trigger.push(&description(500, &frames[500..700])));
        windows.extend(trigger.finish());
        let passed: Vec<u64> = windows.iter().map(FeatureWindow::index).collect();
        assert_eq!(passed, [0, 1, 2, 3, 11, 12]);
    }

    #[test]
    fn a_window_goes_on_at_most_19_frames_after_its_last_one() {
        let mut trigger = Trigger::new(7, f64::INFINITY, None).unwrap();
        for (f, frame) in sound(3, 2_000).iter().enumerate() {
            for window in trigger.push(&description(f as u64, &[*frame])) {
                assert!((f as u64) - (window.index() * 48 + 95) <= 19);
            }
        }
    }

    #[test]
    fn a_dial_that_is_no_rate_is_refused() {
        for dial in [0.0, -1.0, f64::NAN] {
            assert!(Trigger::new(7, dial, None).is_err());
        }
    }

    #[test]
    fn the_state_of_a_sensor_is_small() {
        let bytes = saved(&Trigger::new(7, 300.0, None).unwrap());
        assert!(bytes.len() <= 8_192, "{} bytes", bytes.len());
    }
}
