use super::*;
use crate::analysis::classify::NO_OUTPUT;
use crate::open::rules::{Calendar, ClassSet, Limits};
use SoundClass::{GlassBreak, Gunshot, Horn, Impact, Siren};
use WithheldReason::{
    BelowThreshold, HourBudget, Merged, MinuteBudget, NotInPolicy, OtherSensor, OutOfOrder,
    Reserved, SlotTaken, SpeechBand, Weaker,
};

/// The rules of `street`, with one class of each kind.
pub(crate) fn rules() -> Rules {
    Rules {
        calendar: Calendar::UTC,
        limits: Limits {
            max_per_minute: 3,
            max_per_hour: 20,
            reserved_per_minute: 1,
            reserved_per_hour: 8,
        },
        permitted: ClassSet::from_iter([GlassBreak, Gunshot, Horn, Siren, Impact]),
        full_band: ClassSet::from_iter([Horn, Siren]),
        alert: ClassSet::from_iter([GlassBreak, Gunshot]),
        merge_gap_s: 3,
        repeat_s: 60,
        health_period_s: 60,
    }
}

/// A window of sensor 1 in which one class stands, on both passes.
pub(crate) fn heard(slot: u64, class: SoundClass, margin: f32) -> Candidate {
    let mut candidate = Candidate {
        sensor_id: 1,
        start_slot: slot,
        index: 0,
        slot,
        received_ms: None,
        model: 0,
        is_empty: false,
        level_dbfs: -30.0,
        full_margin: [NO_OUTPUT; 16],
        masked_margin: [NO_OUTPUT; 16],
        confidence: [0; 16],
    };
    candidate.full_margin[usize::from(class.code())] = margin;
    candidate.masked_margin[usize::from(class.code())] = margin;
    candidate
}

/// What `describe` gives of sensor 1 after so many frames of a stream that began at `start_slot`.
pub(crate) fn after_frames(start_slot: u64, n_frames: u64) -> Description {
    Description {
        sensor_id: 1,
        start_slot,
        first_frame: n_frames,
        ..Description::default()
    }
}

pub(crate) fn gate() -> Gate {
    Gate::with_rules(1, rules(), Calibration::Uncalibrated)
}

fn slots(events: &[Event]) -> Vec<u64> {
    events.iter().map(Event::slot).collect()
}

#[test]
fn a_hit_becomes_one_event_and_says_no_more_than_its_fields() {
    let mut gate = gate();
    let mut candidate = heard(7, GlassBreak, 1.0);
    candidate.confidence[usize::from(GlassBreak.code())] = 2;
    assert_eq!(gate.push(candidate), Verdict::Held);
    let events = gate.finish();
    assert_eq!(
        events,
        [Event::mint(
            1,
            7,
            GlassBreak,
            23,
            2,
            crate::open::Scale::Dbfs
        )]
    );
    assert_eq!((gate.n_held(), gate.finish().len()), (1, 0));
}

#[test]
fn every_reason_is_given_and_counted() {
    let mut gate = gate();
    let mut withheld = |candidate: Candidate| match gate.push(candidate) {
        Verdict::Held => Weaker,
        Verdict::Withheld(reason) => reason,
    };
    let held = Weaker;
    let mut masked = heard(0, Impact, 1.0);
    masked.masked_margin = [NO_OUTPUT; 16];
    let mut others = heard(0, Impact, 1.0);
    others.sensor_id = 2;
    assert_eq!(withheld(heard(0, Impact, -1.0)), BelowThreshold);
    assert_eq!(withheld(heard(0, SoundClass::Whistle, 1.0)), NotInPolicy);
    assert_eq!(withheld(masked), SpeechBand);
    assert_eq!(withheld(others), OtherSensor);
    assert_eq!(withheld(heard(0, Impact, 1.0)), held);
    assert_eq!(withheld(heard(1, Impact, 1.0)), Merged);
    assert_eq!(withheld(heard(1, Horn, 1.0)), held);
    assert_eq!(withheld(heard(0, Gunshot, 1.0)), OutOfOrder);
    assert_eq!(withheld(heard(0, Impact, 1.0)), SlotTaken);
    assert_eq!(withheld(heard(1, Siren, 1.0)), Reserved);
    assert_eq!(withheld(heard(2, GlassBreak, 1.0)), held);
    assert_eq!(withheld(heard(2, Gunshot, 1.0)), MinuteBudget);
    for minute in 1..9 {
        assert_eq!(withheld(heard(60 * minute, Gunshot, 1.0)), held);
        assert_eq!(withheld(heard(60 * minute, GlassBreak, 1.0)), held);
    }
    let mut two = heard(600, Gunshot, 1.0);
    two.full_margin[usize::from(Siren.code())] = 2.0;
    assert_eq!(withheld(two), held);
    assert_eq!(withheld(heard(600, Gunshot, 1.0)), HourBudget);
    assert_eq!(gate.receive(heard(600, Gunshot, 1.0)), [], "without a time");
    let expected = [1; N_REASONS];
    assert_eq!(gate.n_withheld(), &expected);
    assert_eq!(gate.n_held(), 20);
}

#[test]
fn events_of_a_slot_leave_together_by_class_when_the_slot_is_over() {
    let mut gate = gate();
    gate.push(heard(100, Horn, 1.0));
    gate.push(heard(100, GlassBreak, 1.0));
    gate.push(heard(101, Gunshot, 1.0));
    assert!(gate.advance(&after_frames(98, 439)).is_empty());
    let mut foreign = after_frames(98, 1000);
    foreign.sensor_id = 2;
    assert!(gate.advance(&foreign).is_empty());
    let first = gate.advance(&after_frames(98, 440));
    let classes: Vec<_> = first.iter().map(Event::sound_class).collect();
    assert_eq!(
        (slots(&first), classes),
        (vec![100, 100], vec![GlassBreak, Horn])
    );
    assert_eq!(slots(&gate.advance(&after_frames(98, 540))), [101]);
}

#[test]
fn a_slot_that_is_minted_takes_nothing_more() {
    let mut gate = gate();
    gate.advance(&after_frames(0, 640));
    assert_eq!(
        gate.push(heard(4, GlassBreak, 1.0)),
        Verdict::Withheld(OutOfOrder)
    );
    assert_eq!(gate.push(heard(5, GlassBreak, 1.0)), Verdict::Held);
    assert_eq!(slots(&gate.finish()), [5]);
    assert_eq!(
        gate.push(heard(5, GlassBreak, 1.0)),
        Verdict::Withheld(SlotTaken)
    );
    assert_eq!(
        gate.push(heard(5, Gunshot, 1.0)),
        Verdict::Withheld(OutOfOrder)
    );
}

#[test]
fn hits_of_an_episode_raise_its_event_while_it_is_held() {
    let mut gate = gate();
    gate.push(heard(5, GlassBreak, 1.0));
    let mut louder = heard(5, GlassBreak, 1.0);
    louder.level_dbfs = -12.0;
    louder.confidence = [3; 16];
    assert_eq!(gate.push(louder), Verdict::Withheld(Merged));
    let mut later = heard(6, GlassBreak, 1.0);
    later.level_dbfs = 0.0;
    assert_eq!(gate.push(later), Verdict::Withheld(Merged));
    let event = gate.finish()[0];
    assert_eq!((event.level_db(), event.confidence()), (Some(-12), 3));
}

#[test]
fn what_lasts_is_repeated_and_what_stopped_begins_anew() {
    let mut gate = gate();
    (0..=150).for_each(|slot| {
        gate.push(heard(slot, Siren, 1.0));
    });
    [154, 158, 170].iter().for_each(|&slot| {
        gate.push(heard(slot, Siren, 1.0));
    });
    // 170 is withheld: two of the minute are used and the third is kept for alert classes.
    assert_eq!(slots(&gate.finish()), [0, 60, 120, 154]);
}

#[test]
fn an_episode_that_the_budget_withheld_is_released_when_there_is_room() {
    let mut gate = gate();
    for (slot, class) in [(50, GlassBreak), (51, Gunshot), (52, Impact)] {
        assert_eq!(gate.push(heard(slot, class, 1.0)), Verdict::Held);
    }
    for slot in 55..60 {
        assert_eq!(
            gate.push(heard(slot, Siren, 1.0)),
            Verdict::Withheld(MinuteBudget)
        );
    }
    assert_eq!(gate.push(heard(60, Siren, 1.0)), Verdict::Held);
}

#[test]
fn without_a_checkpoint_the_clock_hour_is_withheld() {
    let mut gate = gate();
    gate.withhold_hour_of(7300);
    assert_eq!(
        gate.push(heard(10_799, Gunshot, 1.0)),
        Verdict::Withheld(OutOfOrder)
    );
    assert_eq!(gate.push(heard(10_800, Gunshot, 1.0)), Verdict::Held);
    gate.withhold_hour_of(u64::MAX);
    assert_eq!(
        gate.push(heard(20_000, Horn, 1.0)),
        Verdict::Withheld(OutOfOrder)
    );
}

#[test]
fn no_slot_makes_the_gate_stumble() {
    let mut gate = gate();
    gate.advance(&after_frames(u64::MAX, u64::MAX));
    let mut gate = super::tests::gate();
    assert_eq!(gate.push(heard(u64::MAX, Gunshot, 1.0)), Verdict::Held);
    assert_eq!(
        gate.push(heard(u64::MAX, Gunshot, 1.0)),
        Verdict::Withheld(Merged)
    );
    assert_eq!(gate.finish().len(), 1);
}
