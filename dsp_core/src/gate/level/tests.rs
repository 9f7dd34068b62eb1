use proptest::prelude::*;

use super::*;
use crate::open::policy::tests::all_classes;
use crate::open::{LevelFields, PolicyFields};

const FULL_SCALE: Calibration = Calibration::FullScale { db: 120.0 };

fn policy(levels: &[(&str, u32)], health_s: u32) -> Policy {
    let field = |&(metric, period_s): &(&str, u32)| LevelFields {
        metric: metric.into(),
        period_s,
    };
    let mut fields = PolicyFields {
        levels: levels.iter().map(field).collect(),
        ..all_classes()
    };
    fields.health.period_s = health_s;
    Policy::new(fields).unwrap()
}

fn second(slot: u64, dbfs: f64) -> SecondLevel {
    let mean_square = libm::pow(10.0, dbfs / 10.0);
    SecondLevel {
        slot,
        heard: 1.0,
        a_mean_square: mean_square,
        fast: [mean_square as f32; 8],
        n_clipped: 0,
        is_silent: false,
    }
}

pub(crate) fn described(seconds: impl IntoIterator<Item = SecondLevel>) -> Description {
    let mut description = Description {
        sensor_id: 1,
        ..Description::default()
    };
    description.seconds.extend(seconds);
    description
}

fn run(gate: &mut LevelGate, seconds: impl IntoIterator<Item = SecondLevel>) -> Levels {
    gate.push(&described(seconds))
}

#[test]
fn a_period_is_minted_three_seconds_after_its_end() {
    let mut gate = LevelGate::new(1, &policy(&[("laeq", 60)], 60), FULL_SCALE, 120);
    let early = run(&mut gate, (120..182).map(|s| second(s, -50.4)));
    assert!(early.in_order().is_empty());
    let minted = run(&mut gate, [second(182, -50.4)]);
    assert_eq!(minted.levels.len(), 1);
    assert_eq!(
        (minted.levels[0].slot(), minted.levels[0].level_db()),
        (120, Some(70))
    );
    assert_eq!(minted.health[0].state(), HealthState::Ok);
}

#[test]
fn periods_are_aligned_to_the_clock_and_the_first_one_may_be_too_short() {
    let mut gate = LevelGate::new(
        1,
        &policy(&[("laeq", 60)], 60),
        Calibration::Uncalibrated,
        125,
    );
    let minted = run(&mut gate, (125..245).map(|s| second(s, -50.0)));
    let levels: Vec<_> = minted
        .levels
        .iter()
        .map(|l| (l.slot(), l.level_db()))
        .collect();
    assert_eq!(levels, [(120, None), (180, Some(-50))]);
    let states: Vec<_> = minted.health.iter().map(SensorHealth::state).collect();
    assert_eq!(states, [HealthState::Gaps, HealthState::Uncalibrated]);
}

#[test]
fn ninety_five_per_cent_are_enough_and_less_is_missing() {
    for (n_heard, level_db) in [(57, Some(70)), (56, None)] {
        let mut gate = LevelGate::new(1, &policy(&[("laeq", 60)], 60), FULL_SCALE, 0);
        assert!(
            run(&mut gate, (0..n_heard).map(|s| second(s, -50.0)))
                .in_order()
                .is_empty()
        );
        let minted = gate.finish();
        assert_eq!(minted.levels[0].level_db(), level_db);
        assert_eq!(
            minted.health[0].state() == HealthState::Gaps,
            level_db.is_none()
        );
        assert!(gate.finish().in_order().is_empty());
    }
}

#[test]
fn the_mean_is_of_energy() {
    let mut gate = LevelGate::new(1, &policy(&[("laeq", 10)], 10), FULL_SCALE, 0);
    run(
        &mut gate,
        (0..10).map(|s| second(s, if s == 0 { -20.0 } else { -90.0 })),
    );
    assert_eq!(gate.finish().levels[0].level_db(), Some(90));
}

#[test]
fn levels_exceeded_come_hourly_beside_the_short_periods() {
    let hourly = [("laeq", 10), ("la10", 3600), ("la50", 3600), ("la90", 3600)];
    let mut gate = LevelGate::new(1, &policy(&hourly, 60), FULL_SCALE, 0);
    let level = |s: u64| {
        if s < 400 {
            -20.0
        } else if s < 2400 {
            -40.0
        } else {
            -60.0
        }
    };
    let minted = run(&mut gate, (0..3603).map(|s| second(s, level(s))));
    assert_eq!((minted.levels.len(), minted.health.len()), (360 + 3, 60));
    let last: Vec<_> = minted.in_order()[minted.in_order().len() - 5..]
        .iter()
        .collect();
    let levels = last.iter().filter_map(|r| match r {
        NoiseRecord::Level(l) => Some((l.metric(), l.level_db())),
        NoiseRecord::Health(_) => None,
    });
    let expected = [
        (Metric::LA10, Some(100)),
        (Metric::LA50, Some(80)),
        (Metric::LA90, Some(60)),
    ];
    assert_eq!(
        levels.collect::<Vec<_>>(),
        [expected.as_slice(), &[(Metric::LAeq, Some(60))]].concat()
    );
    assert!(matches!(last[4], NoiseRecord::Health(h) if h.slot() == 3540));
}

#[test]
fn the_first_state_that_applies_is_told() {
    let state = |calibration, change: fn(&mut SecondLevel)| {
        let mut gate = LevelGate::new(1, &policy(&[], 10), calibration, 0);
        run(
            &mut gate,
            (0..10).map(|s| {
                let mut second = second(s, -50.0);
                change(&mut second);
                second
            }),
        );
        gate.finish().health[0].state()
    };
    let off = Calibration::Uncalibrated;
    assert_eq!(state(FULL_SCALE, |_| ()), HealthState::Ok);
    assert_eq!(state(off, |_| ()), HealthState::Uncalibrated);
    assert_eq!(state(off, |s| s.is_silent = true), HealthState::Silent);
    assert_eq!(
        state(off, |s| s.is_silent = s.slot > 0),
        HealthState::Uncalibrated
    );
    assert_eq!(
        state(off, |s| s.n_clipped = u32::from(s.slot == 3)),
        HealthState::Clipped
    );
    assert_eq!(
        state(off, |s| (s.n_clipped, s.heard) = (1, 0.9)),
        HealthState::Gaps
    );
    assert_eq!(state(off, |s| s.heard = f32::NAN), HealthState::Gaps);
}

#[test]
fn seconds_that_came_before_and_other_sensors_count_for_nothing() {
    let mut gate = LevelGate::new(1, &policy(&[("laeq", 10)], 10), FULL_SCALE, 0);
    run(&mut gate, (0..10).map(|s| second(s, -50.0)));
    let mut loud = described((0..10).map(|s| second(s, 0.0)));
    gate.push(&loud);
    loud.sensor_id = 2;
    loud.seconds.iter_mut().for_each(|s| s.slot += 10);
    gate.push(&loud);
    assert_eq!(gate.finish().levels[0].level_db(), Some(70));
}

#[test]
fn a_period_has_one_record_even_if_sound_comes_after_the_end() {
    let mut gate = LevelGate::new(1, &policy(&[("laeq", 10)], 10), FULL_SCALE, 0);
    run(&mut gate, (0..4).map(|s| second(s, -50.0)));
    assert_eq!(gate.finish().in_order().len(), 2);
    let after = run(&mut gate, (4..60).map(|s| second(s, -50.0)));
    assert_eq!(after, Levels::default());
    assert_eq!(gate.finish(), Levels::default());
}

#[test]
fn a_jump_gives_no_records_of_periods_without_a_second() {
    let mut gate = LevelGate::new(1, &policy(&[("laeq", 10)], 10), FULL_SCALE, 0);
    let minted = run(
        &mut gate,
        [
            second(5, -50.0),
            second(1 << 40, -50.0),
            second(u64::MAX, -50.0),
        ],
    );
    let slots: Vec<_> = minted.levels.iter().map(LevelRecord::slot).collect();
    assert_eq!(slots, [0, (1 << 40) / 10 * 10]);
    assert_eq!(gate.finish().levels.len(), 1);
}

/// Seconds of about two hours with holes, silences and full scale.
fn stream(seed: u64) -> Vec<SecondLevel> {
    let mut random = super::super::adversary::Xorshift(seed | 1);
    let mut slot = random.below(3600);
    let mut one = |_| {
        slot += 1 + random.below(400) / 399 * random.below(90);
        let mut second = second(slot, -(random.below(90) as f64));
        second.heard = if random.below(50) == 0 { 0.5 } else { 1.0 };
        second.n_clipped = u32::from(random.below(300) == 0);
        second.is_silent = random.below(3) > 0;
        second
    };
    (0..4000).map(&mut one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_and_a_restore_anywhere_give_the_same_records(seed in any::<u64>(), cut in 1usize..900, at in 0usize..4000) {
        let hourly = [("laeq", 10), ("la10", 3600), ("la90", 3600)];
        let policy = policy(&hourly, 60);
        let seconds = stream(seed);
        let mut whole = LevelGate::new(1, &policy, FULL_SCALE, 0);
        let mut expected = run(&mut whole, seconds.clone()).in_order().to_vec();
        expected.extend(whole.finish().in_order());

        let mut split = LevelGate::new(1, &policy, FULL_SCALE, 0);
        let mut found: Vec<NoiseRecord> = Vec::new();
        for (i, part) in seconds.chunks(cut).enumerate() {
            found.extend(run(&mut split, part.iter().copied()).in_order());
            if i == at / cut {
                let mut saved = Writer::default();
                split.save(&mut saved);
                let bytes = saved.into_bytes();
                let mut reader = Reader::new(&bytes);
                let loaded = LevelGate::load(&policy, &mut reader).unwrap();
                reader.finish().unwrap();
                prop_assert_eq!(&loaded, &split);
                split = loaded;
            }
        }
        found.extend(split.finish().in_order());
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn seconds_without_sound_end_their_periods_with_gaps() {
    let mut gate = LevelGate::new(1, &policy(&[("laeq", 10)], 10), FULL_SCALE, 0);
    run(&mut gate, (0..4).map(|s| second(s, -50.0)));
    let minted: Vec<_> = (4..23).map(|slot| gate.miss(slot)).collect();
    let levels: Vec<_> = minted.iter().flat_map(|m| &m.levels).collect();
    let states: Vec<_> = minted.iter().flat_map(|m| &m.health).collect();
    assert_eq!(
        levels
            .iter()
            .map(|l| (l.slot(), l.level_db()))
            .collect::<Vec<_>>(),
        [(0, None), (10, None)]
    );
    assert!(states.iter().all(|h| h.state() == HealthState::Gaps));
    assert_eq!(states.len(), 2);
    // Sound that comes later is heard, sound of seconds that were missed is not.
    run(&mut gate, (15..40).map(|s| second(s, -50.0)));
    let rest = gate.finish().levels;
    assert_eq!(rest.last().and_then(|l| l.level_db()), Some(70));
}

#[test]
fn a_clock_that_does_not_fit_comes_first_among_the_states() {
    let mut gate = LevelGate::new(
        1,
        &policy(&[("laeq", 10)], 10),
        Calibration::Uncalibrated,
        0,
    );
    gate.mark_clock();
    run(&mut gate, (0..4).map(|s| second(s, -50.0)));
    gate.mark_clock();
    let states = run(&mut gate, (4..30).map(|s| second(s, -50.0))).health;
    let states: Vec<_> = states.iter().map(|h| h.state()).collect();
    assert_eq!(states, [HealthState::Clock, HealthState::Uncalibrated]);
}
