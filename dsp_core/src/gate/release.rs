//! Candidates to events: the rules of the policy, one verdict per candidate, one event per slot and class.
//!
//! A verdict follows from the candidates before it alone, never from when `advance` was called, so that any split of the
//! stream into blocks gives the same events.

use super::Calibration;
use super::budget::Budget;
use super::speech_band;
use crate::analysis::window::FRAMES_PER_SLOT;
use crate::analysis::{Candidate, Description};
use crate::checkpoint::{Reader, Writer, damaged};
use crate::error::BlockError;
use crate::open::record::closed_enum;
use crate::open::rules::Rules;
use crate::open::{Event, Policy, SoundClass};

mod received;

/// Frames after the end of a slot until its events are minted. A window ends at most 96 frames after its loudest one and goes
/// on at most 40 frames later, so that no candidate of the slot is still to come.
const FRAMES_OF_WAITING: u64 = 140;

closed_enum! {
    /// Why a candidate was withheld.
    WithheldReason {
        /// No class is at its threshold.
        BelowThreshold = "below_threshold",
        /// Only classes that the policy does not permit are at their thresholds.
        NotInPolicy = "not_in_policy",
        /// A permitted class stands on the full band, but no longer with the speech band masked.
        SpeechBand = "speech_band",
        /// Another class of the same window had the greater margin. Counts classes, and is no candidate's verdict.
        Weaker = "weaker",
        /// Part of an episode that was released already.
        Merged = "merged",
        /// The slot holds, or held, an event of the class.
        SlotTaken = "slot_taken",
        /// The slot lies before one that was used or closed already.
        OutOfOrder = "out_of_order",
        /// The clock minute is full.
        MinuteBudget = "minute_budget",
        /// The clock hour is full.
        HourBudget = "hour_budget",
        /// What is left of the minute or the hour is kept for alert classes.
        Reserved = "reserved",
        /// The candidate is another sensor's.
        OtherSensor = "other_sensor",
        /// The zone received it over 120 s after its second, or over 2 s before it.
        OutOfTime = "out_of_time",
    }
}

/// Number of reasons.
pub const N_REASONS: usize = WithheldReason::ALL.len();

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its event is held until its slot is over.
    Held,
    /// No event.
    Withheld(WithheldReason),
}

/// What the gate remembers of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Episode {
    /// Slot of the last hit.
    last_hit: Option<u64>,
    /// Slot of the last release of the episode that goes on.
    released: Option<u64>,
    /// Slot of the last release of all.
    last_release: Option<u64>,
}

/// The one door of events: one sensor's candidates in, events out.
///
/// # Guarantee
/// An event leaves only for a class that the policy permits, that stands on the masked bands (or is a full-band class which the
/// policy names twice), within the budgets of its clock minute and hour, and at most once per slot and class. Slots never go
/// back. Events of a slot leave together, by class, a fixed time of the stream after the slot's end.
///
/// Only a candidate fits:
/// ```
/// fn judge(gate: &mut dsp_core::gate::Gate, candidate: dsp_core::analysis::Candidate) -> dsp_core::gate::Verdict {
///     gate.push(candidate)
/// }
/// ```
/// ```compile_fail,E0308
/// fn judge(gate: &mut dsp_core::gate::Gate, window: dsp_core::analysis::FeatureWindow) -> dsp_core::gate::Verdict {
///     gate.push(window)
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    sensor_id: u32,
    /// Fingerprint of the policy that it was made for.
    policy: u64,
    rules: Rules,
    calibration: Calibration,
    budget: Budget,
    episodes: [Episode; SoundClass::ALL.len()],
    last_used: u64,
    /// Slots before this one are minted.
    open_from: u64,
    /// Behind a broker, until the first candidate comes: nobody knows what left before it.
    is_past_unknown: bool,
    held: Vec<Event>,
    n_held: u64,
    n_withheld: [u64; N_REASONS],
}

impl Gate {
    /// A gate that has heard nothing yet.
    pub fn new(sensor_id: u32, policy: &Policy, calibration: Calibration) -> Self {
        let mut gate = Self::with_rules(sensor_id, *policy.rules(), calibration);
        gate.policy = policy.fingerprint();
        gate
    }

    pub(crate) fn with_rules(sensor_id: u32, rules: Rules, calibration: Calibration) -> Self {
        Self {
            sensor_id,
            policy: 0,
            rules,
            calibration,
            budget: Budget::new(&rules),
            episodes: Default::default(),
            last_used: 0,
            open_from: 0,
            is_past_unknown: false,
            held: Vec::new(),
            n_held: 0,
            n_withheld: [0; N_REASONS],
        }
    }

    /// Withholds every event of the clock hour that the slot lies in: for a live stream that goes on without its checkpoint, so
    /// that what left before is not forgotten but counted as the whole budget.
    pub fn withhold_hour_of(&mut self, slot: u64) {
        let calendar = self.rules.calendar;
        let slots_per_hour =
            u64::from(calendar.slots_per_minute) * u64::from(calendar.minutes_per_hour);
        let next_hour = calendar.hour_of(slot).saturating_add(1);
        self.open_from = self.open_from.max(next_hour.saturating_mul(slots_per_hour));
    }

    /// Judges a candidate, in the order of the windows.
    pub fn push(&mut self, candidate: Candidate) -> Verdict {
        let judged = self.judge(&candidate);
        match judged {
            Ok(()) => {
                self.n_held = self.n_held.saturating_add(1);
                Verdict::Held
            }
            Err(reason) => {
                self.count(reason, 1);
                Verdict::Withheld(reason)
            }
        }
    }

    fn judge(&mut self, candidate: &Candidate) -> Result<(), WithheldReason> {
        if candidate.sensor_id != self.sensor_id {
            return Err(WithheldReason::OtherSensor);
        }
        let hits = speech_band::hits(candidate, &self.rules);
        let Some(class) = speech_band::strongest(candidate, hits) else {
            return Err(speech_band::reason_without_hit(candidate, &self.rules));
        };
        self.count(WithheldReason::Weaker, hits.iter().count() as u64 - 1);
        self.check_order(class, candidate.slot)?;
        self.join_episode(class, candidate)?;
        self.release(class, candidate)
    }

    fn count(&mut self, reason: WithheldReason, n: u64) {
        let counter = &mut self.n_withheld[usize::from(reason.code())];
        *counter = counter.saturating_add(n);
    }

    /// A slot before the last one that was used, or one that is minted, takes nothing more.
    fn check_order(&self, class: SoundClass, slot: u64) -> Result<(), WithheldReason> {
        if slot >= self.open_from && slot >= self.last_used {
            return Ok(());
        }
        let episode = self.episodes[usize::from(class.code())];
        Err(if episode.last_release == Some(slot) {
            WithheldReason::SlotTaken
        } else {
            WithheldReason::OutOfOrder
        })
    }

    /// Goes on to a release if the hit begins an episode, or continues one that has not been released for `repeat_s`.
    fn join_episode(
        &mut self,
        class: SoundClass,
        candidate: &Candidate,
    ) -> Result<(), WithheldReason> {
        let slot = candidate.slot;
        let gap = u64::from(self.rules.merge_gap_s);
        let repeat = u64::from(self.rules.repeat_s);
        let episode = &mut self.episodes[usize::from(class.code())];
        let goes_on = episode
            .last_hit
            .is_some_and(|last| slot.saturating_sub(last) <= gap);
        // Hits of windows that the budget withheld may lie after this one; the episode reaches to the latest of them.
        episode.last_hit = episode.last_hit.max(Some(slot));
        if !goes_on {
            episode.released = None;
        }
        let is_recent = |at: u64| slot.saturating_sub(at) < repeat;
        if !episode.released.is_some_and(is_recent) {
            return Ok(());
        }
        self.raise_held(class, candidate);
        Err(WithheldReason::Merged)
    }

    fn raise_held(&mut self, class: SoundClass, candidate: &Candidate) {
        let level = speech_band::level(candidate, class, self.calibration);
        let confidence = speech_band::confidence(candidate, class);
        let is_same =
            |event: &&mut Event| event.slot() == candidate.slot && event.sound_class() == class;
        if let Some(event) = self.held.iter_mut().find(is_same) {
            event.raise(level, confidence);
        }
    }

    fn release(&mut self, class: SoundClass, candidate: &Candidate) -> Result<(), WithheldReason> {
        let slot = candidate.slot;
        let code = usize::from(class.code());
        if self.episodes[code].last_release == Some(slot) {
            return Err(WithheldReason::SlotTaken);
        }
        let is_alert = self.rules.alert.contains(class);
        self.budget.take(slot, is_alert)?;
        let event = Event::mint(
            self.sensor_id,
            slot,
            class,
            speech_band::level(candidate, class, self.calibration),
            speech_band::confidence(candidate, class),
            self.calibration.scale(),
        );
        let place = self
            .held
            .partition_point(|e| (e.slot(), e.sound_class()) < (slot, class));
        self.held.insert(place, event);
        self.episodes[code].released = Some(slot);
        self.episodes[code].last_release = Some(slot);
        self.last_used = slot;
        Ok(())
    }

    /// Mints the events of every slot that is over by 1.4 s of stream time, in the order of slot and class. Call it after the
    /// candidates of the same block were pushed. Another sensor's description moves nothing.
    pub fn advance(&mut self, description: &Description) -> Vec<Event> {
        if description.sensor_id != self.sensor_id {
            return Vec::new();
        }
        let n_frames = description
            .first_frame
            .saturating_add(description.n_frames() as u64);
        let n_slots = n_frames.saturating_sub(FRAMES_OF_WAITING) / FRAMES_PER_SLOT;
        self.mint_before(description.start_slot.saturating_add(n_slots))
    }

    /// Mints what is still held, at the end of the stream.
    pub fn finish(&mut self) -> Vec<Event> {
        let after_last = self
            .held
            .last()
            .map_or(0, |event| event.slot().saturating_add(1));
        let mut events = self.mint_before(after_last);
        events.append(&mut self.held);
        events
    }

    fn mint_before(&mut self, slot: u64) -> Vec<Event> {
        self.open_from = self.open_from.max(slot);
        let n_over = self.held.partition_point(|event| event.slot() < slot);
        self.held.drain(..n_over).collect()
    }

    /// Number of candidates whose events were held.
    pub fn n_held(&self) -> u64 {
        self.n_held
    }

    /// Number of candidates withheld, by `WithheldReason` code; `Weaker` counts classes on top of them.
    pub fn n_withheld(&self) -> &[u64; N_REASONS] {
        &self.n_withheld
    }

    /// The sensor.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.u64(self.policy);
        out.u32(self.sensor_id);
        self.calibration.save(out);
        self.budget.save(out);
        out.flag(self.is_past_unknown);
        for episode in &self.episodes {
            out.option(episode.last_hit);
            out.option(episode.released);
            out.option(episode.last_release);
        }
        out.u64(self.last_used);
        out.u64(self.open_from);
        out.u64(self.n_held);
        self.n_withheld.iter().for_each(|&n| out.u64(n));
        out.u32(self.held.len() as u32);
        for event in &self.held {
            out.u64(event.slot());
            out.u8(event.sound_class().code());
            out.u8(event.level());
            out.u8(event.confidence());
        }
    }

    pub(crate) fn load(policy: &Policy, input: &mut Reader) -> Result<Self, BlockError> {
        check_policy(policy, input)?;
        let sensor_id = input.u32()?;
        let calibration = Calibration::load(input)?;
        let mut gate = Self::new(sensor_id, policy, calibration);
        gate.budget = Budget::load(&gate.rules, input)?;
        gate.is_past_unknown = input.flag()?;
        for episode in &mut gate.episodes {
            episode.last_hit = input.option()?;
            episode.released = input.option()?;
            episode.last_release = input.option()?;
        }
        gate.last_used = input.u64()?;
        gate.open_from = input.u64()?;
        gate.n_held = input.u64()?;
        for n in &mut gate.n_withheld {
            *n = input.u64()?;
        }
        for _ in 0..input.u32()? {
            let event = gate.load_held(input)?;
            gate.held.push(event);
        }
        Ok(gate)
    }

    /// A held event as the gate itself could hold it, after those already loaded.
    fn load_held(&self, input: &mut Reader) -> Result<Event, BlockError> {
        let slot = input.u64()?;
        let class = SoundClass::from_code(input.u8()?).ok_or_else(|| damaged("no such class"))?;
        let (level, confidence) = (input.u8()?, input.u8()?);
        let scale = self.calibration.scale();
        let event = Event::mint(self.sensor_id, slot, class, level, confidence, scale);
        let is_after = |last: &Event| (last.slot(), last.sound_class()) < (slot, class);
        let is_permitted = self.rules.permitted.contains(class)
            && level < class.n_levels()
            && event.confidence() == confidence
            && (self.open_from..=self.last_used).contains(&slot)
            && self.held.last().is_none_or(is_after);
        if is_permitted {
            Ok(event)
        } else {
            Err(damaged("a held event that the policy does not permit"))
        }
    }
}

/// A state goes on under the policy that it was kept under, and under no other.
pub(super) fn check_policy(policy: &Policy, input: &mut Reader) -> Result<(), BlockError> {
    if input.u64()? == policy.fingerprint() {
        return Ok(());
    }
    Err(damaged("one of another policy"))
}

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
mod behind_broker;
