//! Days of simulated street: does the counting hold, and is a new background learned?

use std::fmt::Write as _;
use std::io::Write as _;

use super::anomaly::{UNIT_FRAMES, UNITS_PER_DAY};
use super::prior;
use super::synthetic_street::{Street, description};
use super::trigger::Trigger;
use super::window::N_BANDS;

const UNITS_A_DAY: u64 = UNITS_PER_DAY as u64;
/// Streets that the shipped tail was measured on, and others that it is tried on.
const PRIOR_SEEDS: std::ops::Range<u64> = 1..9;
const TEST_SEEDS: std::ops::Range<u64> = 100..120;

fn push(trigger: &mut Trigger, unit: u64, mean: [f32; N_BANDS]) -> usize {
    let frames = [mean; UNIT_FRAMES as usize];
    trigger
        .push(&description(unit * UNIT_FRAMES, &frames))
        .len()
}

fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() as f64 * share) as usize]
}

#[test]
#[ignore = "long: two simulated days"]
fn the_shipped_tail_is_the_streets() {
    let mut found: [Vec<f64>; 3] = Default::default();
    for seed in PRIOR_SEEDS {
        let mut street = Street::new(seed);
        let mut trigger = Trigger::new(7, prior::TAIL_RATE / 4.0, None).unwrap();
        for unit in 0..UNITS_A_DAY / 4 {
            push(&mut trigger, unit, street.step());
        }
        for (values, value) in found.iter_mut().zip(trigger.tail().parameters()) {
            values.push(value);
        }
    }
    say(&format!("{found:.2?}\n"));
    let [initial, shape, scale] = &mut found;
    let calm = [
        quantile(initial, 0.25),
        quantile(shape, 0.5),
        quantile(scale, 0.25),
    ];
    say(&format!("initial, shape, scale: {calm:.3?}\n"));
    let shipped = [prior::TAIL_INITIAL, prior::TAIL_SHAPE, prior::TAIL_SCALE];
    for (found, shipped) in calm.iter().zip(shipped) {
        assert!((found - shipped).abs() < 0.15, "{calm:?}");
    }
}

#[test]
#[ignore = "long: forty simulated days at four dials"]
fn alarms_a_day_follow_the_dial() {
    const DAYS: u64 = 2;
    let dials = [24.0, 100.0, 300.0, 500.0];
    let mut counts = vec![[const { Vec::new() }; DAYS as usize]; dials.len()];
    for seed in TEST_SEEDS {
        let mut street = Street::new(seed);
        let mut triggers = dials.map(|dial| Trigger::new(7, dial, None).unwrap());
        let mut before = [0; 4];
        for unit in 0..DAYS * UNITS_A_DAY {
            let mean = street.step();
            for trigger in &mut triggers {
                push(trigger, unit, mean);
            }
            if (unit + 1) % UNITS_A_DAY == 0 {
                for (i, trigger) in triggers.iter().enumerate() {
                    let day = (unit / UNITS_A_DAY) as usize;
                    counts[i][day].push((trigger.n_alarms() - before[i]) as f64);
                    before[i] = trigger.n_alarms();
                }
            }
        }
    }
    let mut report = String::new();
    let mut worst = 1.0_f64;
    for (dial, days) in dials.iter().zip(&mut counts) {
        for (day, alarms) in days.iter_mut().enumerate() {
            let mean = alarms.iter().sum::<f64>() / alarms.len() as f64;
            let middle = quantile(alarms, 0.5);
            let (least, most) = (alarms[0], alarms[alarms.len() - 1]);
            let ratio = mean / dial;
            worst = worst.max(ratio).max(1.0 / ratio);
            let _ = writeln!(
                report,
                "dial {dial}, day {day}: mean {mean:.1} ({ratio:.2}), {least} to {most}, median {middle}"
            );
        }
    }
    say(&report);
    assert!(worst < 2.0, "{report}");
}

#[test]
fn a_lasting_new_background_is_learned_within_minutes() {
    let mut trigger = Trigger::new(7, 300.0, None).unwrap();
    let mut street = Street::new(42);
    let mut passed = Vec::new();
    let louder =
        |mean: [f32; N_BANDS], is_loud: bool| mean.map(|x| if is_loud { x + 2.5 } else { x });
    for unit in 0..40 * 300 {
        let mean = louder(street.step(), unit >= 20 * 300);
        passed.push(push(&mut trigger, unit, mean));
    }
    let of = |minutes: std::ops::Range<usize>| {
        passed[minutes.start * 300..minutes.end * 300]
            .iter()
            .sum::<usize>()
    };
    // 125 windows a minute; the step is heard, and after five minutes it is the street.
    assert!(of(20..21) > 10);
    assert!(of(25..40) < 15 * 125 / 10, "{}", of(25..40));
}

#[test]
fn digital_silence_leaves_the_background_alone() {
    let mut trigger = Trigger::new(7, 300.0, None).unwrap();
    let mut street = Street::new(42);
    for unit in 0..300 {
        push(&mut trigger, unit, street.step());
    }
    let before = trigger.n_alarms();
    for unit in 300..600 {
        push(&mut trigger, unit, [super::anomaly::FLOOR; N_BANDS]);
    }
    for unit in 600..660 {
        push(&mut trigger, unit, street.step());
    }
    assert!(trigger.n_alarms() <= before + 1);
}

#[test]
fn a_learned_background_serves_another_stream() {
    let mut trigger = Trigger::new(7, 300.0, None).unwrap();
    let mut street = Street::new(42);
    for unit in 0..30 * 300 {
        push(&mut trigger, unit, street.step());
    }
    let mut next = Trigger::new(7, 100.0, Some(&trigger.background())).unwrap();
    for unit in 0..300 {
        push(&mut next, unit, street.step());
    }
    assert!(next.n_alarms() <= 3, "{}", next.n_alarms());
}
