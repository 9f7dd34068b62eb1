//! What the gate takes from a candidate without taking anything of the speech band.
//!
//! A class is a hit where it stands on the full band and, with the speech band masked, again. Horn, siren and alarm live in
//! the band: they need the full band alone, must be named by the policy a second time, and carry no level. The level of all
//! others is measured outside the band by `describe`.

use super::Calibration;
use super::release::WithheldReason;
use crate::analysis::Candidate;
use crate::open::SoundClass;
use crate::open::record::N_CONFIDENCES;
use crate::open::rules::{ClassSet, Rules};

/// Whether a class must stand on the masked bands too: all but those that live in the band and are named by the policy.
pub(crate) fn needs_masked_pass(rules: &Rules, class: SoundClass) -> bool {
    !(class.is_full_band() && rules.full_band.contains(class))
}

/// Whether the class stands on the full band: its logit is at its threshold or above.
fn stands_on_full_band(candidate: &Candidate, class: SoundClass) -> bool {
    candidate.full_margin[usize::from(class.code())] >= 0.0
}

fn stands_on_masked_bands(candidate: &Candidate, class: SoundClass) -> bool {
    candidate.masked_margin[usize::from(class.code())] >= 0.0
}

/// The permitted classes that stand wherever they must.
pub(crate) fn hits(candidate: &Candidate, rules: &Rules) -> ClassSet {
    let is_hit = |&class: &SoundClass| {
        stands_on_full_band(candidate, class)
            && (!needs_masked_pass(rules, class) || stands_on_masked_bands(candidate, class))
    };
    rules.permitted.iter().filter(is_hit).collect()
}

/// The hit with the greatest margin on the full band; of equal ones the lowest code.
pub(crate) fn strongest(candidate: &Candidate, hits: ClassSet) -> Option<SoundClass> {
    let margin = |class: SoundClass| candidate.full_margin[usize::from(class.code())];
    hits.iter().reduce(|best, class| {
        if margin(class) > margin(best) {
            class
        } else {
            best
        }
    })
}

/// Why a window without a hit is withheld.
pub(crate) fn reason_without_hit(candidate: &Candidate, rules: &Rules) -> WithheldReason {
    if rules
        .permitted
        .iter()
        .any(|class| stands_on_full_band(candidate, class))
    {
        WithheldReason::SpeechBand
    } else if SoundClass::ALL
        .iter()
        .any(|&class| stands_on_full_band(candidate, class))
    {
        WithheldReason::NotInPolicy
    } else {
        WithheldReason::BelowThreshold
    }
}

/// Level index of an event: none for a class that lives in the speech band.
pub(crate) fn level(candidate: &Candidate, class: SoundClass, calibration: Calibration) -> u8 {
    if class.is_full_band() {
        0
    } else {
        calibration.event_level(candidate.level_dbfs.into())
    }
}

/// Confidence of an event, from the pass that decides.
pub(crate) fn confidence(candidate: &Candidate, class: SoundClass) -> u8 {
    candidate.confidence[usize::from(class.code())].min(N_CONFIDENCES - 1)
}

#[cfg(test)]
mod tests {
    use super::super::release::tests::{heard, rules};
    use super::*;
    use crate::analysis::classify::NO_OUTPUT;
    use SoundClass::{Abnormal, GlassBreak, Gunshot, Horn, Siren};

    #[test]
    fn a_normal_class_that_stands_on_the_full_band_alone_is_not_a_hit() {
        let mut candidate = heard(0, GlassBreak, 5.0);
        assert_eq!(
            strongest(&candidate, hits(&candidate, &rules())),
            Some(GlassBreak)
        );
        for masked in [-0.1, NO_OUTPUT, f32::NAN] {
            candidate.masked_margin[usize::from(GlassBreak.code())] = masked;
            assert_eq!(strongest(&candidate, hits(&candidate, &rules())), None);
            assert_eq!(
                reason_without_hit(&candidate, &rules()),
                WithheldReason::SpeechBand
            );
        }
    }

    #[test]
    fn a_full_band_class_needs_its_name_in_the_policy() {
        let mut candidate = heard(0, Horn, 5.0);
        candidate.masked_margin = [NO_OUTPUT; 16];
        assert_eq!(
            strongest(&candidate, hits(&candidate, &rules())),
            Some(Horn)
        );
        let mut unnamed = rules();
        unnamed.full_band = ClassSet::default();
        assert_eq!(strongest(&candidate, hits(&candidate, &unnamed)), None);
    }

    #[test]
    fn a_class_outside_the_policy_shadows_nothing() {
        let mut candidate = heard(0, GlassBreak, 1.0);
        for class in [Abnormal, SoundClass::Scream] {
            candidate.full_margin[usize::from(class.code())] = 50.0;
            candidate.masked_margin[usize::from(class.code())] = 50.0;
        }
        assert_eq!(
            strongest(&candidate, hits(&candidate, &rules())),
            Some(GlassBreak)
        );
        candidate.full_margin[usize::from(GlassBreak.code())] = -1.0;
        assert_eq!(
            reason_without_hit(&candidate, &rules()),
            WithheldReason::NotInPolicy
        );
    }

    #[test]
    fn the_greatest_margin_wins_and_ties_go_to_the_lower_code() {
        let mut candidate = heard(0, Siren, 2.0);
        for (class, margin) in [(GlassBreak, 2.0), (Gunshot, 1.0)] {
            candidate.full_margin[usize::from(class.code())] = margin;
            candidate.masked_margin[usize::from(class.code())] = margin;
        }
        assert_eq!(
            strongest(&candidate, hits(&candidate, &rules())),
            Some(GlassBreak)
        );
        candidate.full_margin[usize::from(Siren.code())] = 2.5;
        assert_eq!(
            strongest(&candidate, hits(&candidate, &rules())),
            Some(Siren)
        );
    }

    #[test]
    fn a_margin_that_is_no_number_is_no_hit() {
        let candidate = heard(0, GlassBreak, f32::NAN);
        assert_eq!(strongest(&candidate, hits(&candidate, &rules())), None);
        assert_eq!(
            reason_without_hit(&candidate, &rules()),
            WithheldReason::BelowThreshold
        );
    }

    #[test]
    fn levels_of_full_band_classes_are_dropped() {
        let candidate = heard(0, Siren, 2.0);
        for &class in SoundClass::ALL {
            let level = level(&candidate, class, Calibration::Uncalibrated);
            assert_eq!(
                level == 0,
                matches!(class, Horn | Siren | SoundClass::Alarm)
            );
        }
    }
}
