use super::*;
use crate::open::policy::tests::all_classes;
use crate::open::policy::{LevelFields, PolicyFields};
use crate::open::rules::{Calendar, ClassSet, Limits};

fn levels(levels: &[(&str, u32)]) -> Vec<LevelFields> {
    let field = |&(metric, period_s): &(&str, u32)| LevelFields {
        metric: metric.into(),
        period_s,
    };
    levels.iter().map(field).collect()
}

fn counted(fields: PolicyFields) -> Capacity {
    Policy::new(fields).unwrap().capacity()
}

#[test]
fn the_figures_of_the_contract() {
    let street = counted(all_classes());
    assert!((0.285..0.290).contains(&street.bit_per_s()), "{street:?}");
    assert!(
        (46.0..48.5).contains(&street.worst_minute_bits()),
        "{street:?}"
    );
    let strict = counted(PolicyFields {
        max_per_hour: 12,
        levels: levels(&[("laeq", 300)]),
        ..all_classes()
    });
    assert!((0.14..=0.15).contains(&strict.bit_per_s()), "{strict:?}");
    let hourly = [("laeq", 10), ("la10", 3600), ("la50", 3600), ("la90", 3600)];
    let noise = counted(PolicyFields {
        levels: levels(&hourly),
        ..all_classes()
    });
    assert!((0.86..=0.90).contains(&noise.bit_per_s()), "{noise:?}");
}

#[test]
fn reserving_lowers_the_count_and_an_unaligned_hour_holds_up_to_two_budgets() {
    let open = counted(all_classes());
    let reserved = counted(PolicyFields {
        reserved_per_minute: 1,
        reserved_per_hour: 8,
        ..all_classes()
    });
    assert!(reserved.bits_per_hour() < open.bits_per_hour());
    assert!(open.worst_unaligned_hour_bits() > open.bits_per_hour());
    let doubled = open.bits_per_hour() + open.event_bits_per_hour();
    assert!(open.worst_unaligned_hour_bits() < doubled);
}

/// Whether every minute or every hour of a set of events holds at most `max` of them, and `max_other` that are no alerts.
fn fits(set: &[(u64, SoundClass)], rules: &Rules, span: Span, max: u16, max_other: u16) -> bool {
    set.iter().all(|&(at, _)| {
        let at = span(rules.calendar, at);
        let beside = set
            .iter()
            .filter(|(slot, _)| span(rules.calendar, *slot) == at);
        let n_other = beside
            .clone()
            .filter(|(_, class)| !rules.alert.contains(*class))
            .count();
        beside.count() <= usize::from(max) && n_other <= usize::from(max_other)
    })
}

type Span = fn(Calendar, u64) -> u64;

/// Every set of events of a tiny calendar, one by one; as slow and as plain as can be.
fn enumerated(rules: &Rules, slots: std::ops::Range<u64>, n_delays: u32) -> BigUint {
    let of_slot = |slot| rules.permitted.iter().map(move |class| (slot, class));
    let cells: Vec<_> = slots.flat_map(of_slot).collect();
    let limits = rules.limits;
    let weight = |(_, c): &(u64, SoundClass)| BigUint::from(u32::from(c.n_levels()) * 4 * n_delays);
    let mut total = BigUint::ZERO;
    for chosen in 0u32..1 << cells.len() {
        let is_chosen = |&i: &usize| chosen >> i & 1 == 1;
        let set: Vec<_> = (0..cells.len())
            .filter(is_chosen)
            .map(|i| cells[i])
            .collect();
        let (minute, hour) = (limits.other_per_minute(), limits.other_per_hour());
        if fits(
            &set,
            rules,
            Calendar::minute_of,
            limits.max_per_minute,
            minute,
        ) && fits(&set, rules, Calendar::hour_of, limits.max_per_hour, hour)
        {
            total += set.iter().map(weight).product::<BigUint>();
        }
    }
    total
}

fn tiny(limits: [u16; 4]) -> Rules {
    let [
        max_per_minute,
        max_per_hour,
        reserved_per_minute,
        reserved_per_hour,
    ] = limits;
    let classes = [SoundClass::GlassBreak, SoundClass::Horn, SoundClass::Siren];
    Rules {
        calendar: Calendar {
            slots_per_minute: 2,
            minutes_per_hour: 3,
        },
        limits: Limits {
            max_per_minute,
            max_per_hour,
            reserved_per_minute,
            reserved_per_hour,
        },
        permitted: ClassSet::from_iter(classes),
        full_band: ClassSet::from_iter([SoundClass::Horn, SoundClass::Siren]),
        alert: ClassSet::from_iter([SoundClass::GlassBreak, SoundClass::Siren]),
        merge_gap_s: 0,
        repeat_s: 60,
        health_period_s: 60,
    }
}

#[test]
fn the_count_is_that_of_an_enumeration() {
    for limits in [
        [1, 1, 0, 0],
        [2, 3, 0, 0],
        [2, 4, 1, 1],
        [3, 4, 1, 3],
        [2, 3, 2, 0],
        [6, 18, 0, 5],
    ] {
        let rules = tiny(limits);
        let sets = EventSets::new(&rules, 4);
        assert_eq!(
            sets.in_parts_of_hour().pop().unwrap(),
            enumerated(&rules, 0..6, 4),
            "{limits:?}"
        );
        assert_eq!(
            EventSets::new(&rules, 1).in_minute(),
            enumerated(&rules, 0..2, 1),
            "{limits:?}"
        );
    }
}

#[test]
fn the_worst_unaligned_hour_is_that_of_an_enumeration() {
    for limits in [[1, 1, 0, 0], [2, 3, 1, 1], [3, 4, 1, 3]] {
        let rules = tiny(limits);
        let starts = 0..=6u64;
        let spans = starts.map(|k| log2(&enumerated(&rules, k..k + 6, 4)));
        let worst = spans.fold(0.0, f64::max);
        let parts = EventSets::new(&rules, 4).in_parts_of_hour();
        let found = worst_unaligned(&parts.iter().map(log2).collect::<Vec<_>>());
        assert!((found - worst).abs() < 1e-9, "{limits:?}: {found} {worst}");
    }
}

#[test]
fn logarithms_of_large_counts() {
    assert_eq!(log2(&BigUint::from(1u32)), 0.0);
    assert_eq!(log2(&(BigUint::from(1u32) << 3000u32)), 3000.0);
    let power = BigUint::from(129u32).pow(400);
    assert!((log2(&power) - 400.0 * bits_of_level()).abs() < 1e-9);
    assert!((bits_of_event() - 22.81).abs() < 0.01);
    assert_eq!(bits_of_health(), 3.0);
}

#[test]
fn a_policy_without_events_has_one_set() {
    let mut rules = tiny([2, 3, 1, 1]);
    rules.permitted = ClassSet::default();
    assert_eq!(
        EventSets::new(&rules, 4).in_parts_of_hour().pop().unwrap(),
        BigUint::from(1u32)
    );
}

#[test]
fn the_largest_policy_is_counted_exactly_too() {
    let largest = counted(PolicyFields {
        max_per_minute: 16,
        max_per_hour: 120,
        reserved_per_minute: 1,
        reserved_per_hour: 1,
        ..all_classes()
    });
    assert!((0.7..1.0).contains(&largest.bit_per_s()), "{largest:?}");
}
