//! Candidates that come through a broker: the same verdicts, and time as the receiving side has it.
//!
//! What the gate takes for the time is when the zone first received the sound or window behind a candidate. That time travels
//! sealed with it: however late a worker is, however often it sends, and whoever takes over, the gate reads the same.

use super::{Gate, WithheldReason};
use crate::analysis::Candidate;
use crate::open::Event;

/// Oldest slot that still counts, in seconds before the time of receiving.
const MAX_AGE_S: u64 = 120;
/// Newest slot that counts, in seconds after it.
const MAX_AHEAD_S: u64 = 2;
/// What two sensors sent may come by each other by so much: sound waits up to 2 s for what was sent before it.
const MAX_PASSED_S: u64 = 5;
const MS_PER_S: u64 = 1_000;

impl Gate {
    /// Judges a candidate that was received, in the order of the windows, and mints the events of every second that no later
    /// window can be heard in. A candidate that is out of time moves nothing.
    ///
    /// # Guarantee
    /// A slot counts only if it lies between 120 s before and 2 s after the time at which the zone received it, so that no
    /// sensor's clock opens budgets of hours that are past or to come.
    pub fn receive(&mut self, candidate: Candidate) -> Vec<Event> {
        let over = candidate.first_slot_after();
        let is_own = candidate.sensor_id == self.sensor_id;
        if is_own && !is_in_time(&candidate) {
            self.count(WithheldReason::OutOfTime, 1);
            return Vec::new();
        }
        if is_own && std::mem::take(&mut self.is_past_unknown) {
            self.withhold_hour_of(candidate.slot);
        }
        // An empty one has no score to judge.
        if !candidate.is_empty {
            self.push(candidate);
        }
        if is_own {
            self.mint_before(over)
        } else {
            Vec::new()
        }
    }

    /// Mints what is held of seconds that lie over 125 s before `received_ms`, the time that a candidate of another sensor
    /// holds sealed: nothing more can count for them. So an event leaves though its sensor fell silent with it. The time at
    /// which the candidate itself was sent would not do: it tells how late the classifiers are, and events must not.
    pub fn advance_to(&mut self, received_ms: u64) -> Vec<Event> {
        let received = received_ms / MS_PER_S;
        self.mint_before(received.saturating_sub(MAX_AGE_S + MAX_PASSED_S))
    }

    /// Withholds the clock hour of the first candidate that counts: for a gate without its state. What another one released
    /// before lies in seconds up to that candidate's, since slots never go back.
    pub fn withhold_first_hour(&mut self) {
        self.is_past_unknown = true;
    }
}

fn is_in_time(candidate: &Candidate) -> bool {
    let slot = candidate.slot;
    candidate.received_ms.is_some_and(|received_ms| {
        let received = received_ms / MS_PER_S;
        slot.saturating_add(MAX_AGE_S) >= received && slot <= received.saturating_add(MAX_AHEAD_S)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{gate, heard};
    use super::*;
    use crate::open::SoundClass::{self, GlassBreak, Gunshot};

    const SLOT: u64 = 3_700;

    /// Window `index` of a stream that begins at `SLOT`, heard in its second `slot` and received at `received_ms`.
    fn received(class: SoundClass, index: u64, slot: u64, received_ms: u64) -> Candidate {
        let mut candidate = heard(slot, class, 1.0);
        candidate.start_slot = SLOT;
        candidate.index = index;
        candidate.received_ms = Some(received_ms);
        candidate
    }

    fn n_out_of_time(gate: &Gate) -> u64 {
        gate.n_withheld()[usize::from(WithheldReason::OutOfTime.code())]
    }

    #[test]
    fn an_event_leaves_with_the_first_window_that_lies_behind_its_second() {
        let mut gate = gate();
        let now = SLOT * 1_000;
        assert_eq!(gate.receive(received(GlassBreak, 0, SLOT, now)), []);
        // Window 1 ends before the second is over, and windows after it can still be heard in it.
        assert_eq!(gate.receive(received(Gunshot, 1, SLOT, now)), []);
        let mut empty = received(Gunshot, 2, SLOT, now);
        empty.is_empty = true;
        let events = gate.receive(empty);
        let classes: Vec<_> = events.iter().map(Event::sound_class).collect();
        assert_eq!(classes, [GlassBreak, Gunshot]);
        assert_eq!(gate.n_held(), 2, "an empty one is not judged");
        assert_eq!(gate.n_withheld().iter().sum::<u64>(), 0);
    }

    #[test]
    fn a_slot_counts_from_2_s_before_it_to_120_s_after_it() {
        for (received_ms, is_late) in [
            (SLOT * 1_000 - 2_000, false),
            (SLOT * 1_000 - 2_001, true),
            ((SLOT + 120) * 1_000 + 999, false),
            ((SLOT + 121) * 1_000, true),
            (0, true),
            (u64::MAX, true),
        ] {
            let mut gate = gate();
            gate.receive(received(GlassBreak, 0, SLOT, received_ms));
            assert_eq!(n_out_of_time(&gate), u64::from(is_late), "{received_ms}");
            assert_eq!(gate.n_held(), u64::from(!is_late));
        }
    }

    #[test]
    fn what_is_out_of_time_moves_nothing() {
        let (mut gate, now) = (gate(), SLOT * 1_000);
        gate.receive(received(GlassBreak, 0, SLOT, now));
        let mut before = gate.clone();
        assert_eq!(gate.receive(received(Gunshot, 1 << 40, SLOT + 9, now)), []);
        before.count(WithheldReason::OutOfTime, 1);
        assert_eq!(gate, before);
    }

    #[test]
    fn an_event_leaves_though_its_sensor_fell_silent() {
        let (mut gate, now) = (gate(), SLOT * 1_000);
        gate.receive(received(GlassBreak, 0, SLOT, now));
        assert_eq!(gate.advance_to(now + 125_999), []);
        assert_eq!(gate.advance_to(now + 126_000).len(), 1);
        gate.receive(received(GlassBreak, 9, SLOT, now));
        assert_eq!(gate.finish(), [], "its second is over");
    }

    #[test]
    fn without_a_state_the_hour_counts_as_used() {
        let (mut gate, now) = (gate(), SLOT * 1_000);
        gate.withhold_first_hour();
        // What is out of time tells no hour.
        gate.receive(received(GlassBreak, 0, 7_204, now));
        gate.receive(received(GlassBreak, 1, SLOT, now));
        assert_eq!(gate.n_held(), 0);
        let next = received(GlassBreak, 7_300, 7_204, 7_204_000);
        gate.receive(next);
        assert_eq!(gate.n_held(), 1);
    }

    /// The hour of the candidate's second, not of when it came: a stream that began in the last second of an hour has the
    /// next one, wherever its events are judged.
    #[test]
    fn the_hour_of_the_first_second_is_withheld_and_no_other() {
        let mut gate = gate();
        gate.withhold_first_hour();
        gate.receive(received(GlassBreak, 0, 7_199, 7_200_100));
        gate.receive(received(GlassBreak, 20, 7_205, 7_206_000));
        assert_eq!(gate.n_held(), 1);
    }

    #[test]
    fn a_candidate_of_another_sensor_moves_nothing() {
        let (mut gate, now) = (gate(), SLOT * 1_000);
        gate.receive(received(GlassBreak, 0, SLOT, now));
        let mut other = received(Gunshot, 400, SLOT + 190, now + 190_000);
        other.sensor_id = 2;
        assert_eq!(gate.receive(other), []);
        assert_eq!(gate.finish().len(), 1);
    }
}
