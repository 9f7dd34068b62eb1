//! How often candidates were withheld, and why: of many sensors together, since that tells of the sound.

use std::collections::BTreeSet;

use super::release::{Gate, N_REASONS, WithheldReason};
use crate::error::ParameterError;

/// Fewer sensors would tell of one of them.
const MIN_SENSORS: usize = 10;

/// Candidates withheld, by `WithheldReason` code, of all gates together; `Weaker` counts classes on top of them.
///
/// # Guarantee
/// Ten sensors at least are summed up. Whoever publishes sums does so hourly, and of the same sensors each time: the difference of
/// two sums is one, too.
///
/// # Errors
/// Gates of fewer than ten sensors.
pub fn withheld<'a>(
    gates: impl IntoIterator<Item = &'a Gate>,
) -> Result<[u64; N_REASONS], ParameterError> {
    let (mut sums, mut sensors) = ([0u64; N_REASONS], BTreeSet::new());
    for gate in gates {
        sensors.insert(gate.sensor_id());
        for (sum, &n) in sums.iter_mut().zip(gate.n_withheld()) {
            *sum = sum.saturating_add(n);
        }
    }
    if sensors.len() >= MIN_SENSORS {
        return Ok(sums);
    }
    let expected = format!("gates of {MIN_SENSORS} sensors or more");
    Err(ParameterError::new("gates", expected, sensors.len()))
}

/// The same with the reasons' names.
///
/// # Errors
/// As `withheld`.
pub fn withheld_by_name<'a>(
    gates: impl IntoIterator<Item = &'a Gate>,
) -> Result<Vec<(&'static str, u64)>, ParameterError> {
    let names = WithheldReason::ALL.iter().map(|reason| reason.name());
    Ok(names.zip(withheld(gates)?).collect())
}

#[cfg(test)]
mod tests {
    use super::super::release::tests::{heard, rules};
    use super::*;
    use crate::gate::Calibration;
    use crate::open::SoundClass::GlassBreak;

    #[test]
    fn ten_sensors_are_summed_up_and_fewer_are_not() {
        let of = |sensor_id| {
            let mut gate = Gate::with_rules(sensor_id, rules(), Calibration::Uncalibrated);
            for _ in 0..3 {
                let mut candidate = heard(5, GlassBreak, 1.0);
                candidate.sensor_id = sensor_id;
                gate.push(candidate);
            }
            gate
        };
        let gates: Vec<_> = (1..=10).map(of).collect();
        let sums = withheld_by_name(&gates).unwrap();
        let told: Vec<_> = sums.into_iter().filter(|&(_, n)| n > 0).collect();
        assert_eq!(told, [("merged", 20)]);
        assert!(withheld(&gates[1..]).is_err());
        assert!(withheld(gates[1..].iter().chain(&gates[1..2])).is_err());
    }
}
