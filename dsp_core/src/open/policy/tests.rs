use super::*;

/// A policy of all 16 classes with nothing reserved and no bound: what DESIGN's figures were computed for.
pub(crate) fn all_classes() -> PolicyFields {
    let names = |classes: &[SoundClass]| classes.iter().map(|c| c.name().to_owned()).collect();
    PolicyFields {
        name: "all".into(),
        valid_until: None,
        sound_classes: names(SoundClass::ALL),
        full_band_classes: names(&[SoundClass::Horn, SoundClass::Siren, SoundClass::Alarm]),
        voice_classes: names(&[SoundClass::Scream]),
        alert_classes: names(&[SoundClass::Gunshot]),
        max_per_minute: 3,
        max_per_hour: 20,
        reserved_per_minute: 0,
        reserved_per_hour: 0,
        merge_gap_s: 3,
        repeat_s: 60,
        alarms_per_day: 300.0,
        speech_band_hz: SPEECH_BAND_HZ,
        max_bit_per_s: 1000.0,
        levels: vec![LevelFields {
            metric: "laeq".into(),
            period_s: 60,
        }],
        health: HealthFields { period_s: 60 },
    }
}

/// The name of the field that is refused after a change.
fn refused(change: fn(&mut PolicyFields)) -> &'static str {
    let mut fields = all_classes();
    change(&mut fields);
    match Policy::new(fields) {
        Ok(_) => "nothing",
        Err(error) => error.name,
    }
}

#[test]
fn the_starting_point_is_accepted_and_says_what_it_was_given() {
    let policy = Policy::new(all_classes()).unwrap();
    assert_eq!(policy.name(), "all");
    assert_eq!(policy.sound_classes(), SoundClass::ALL);
    assert_eq!(policy.alert_classes(), [SoundClass::Gunshot]);
    assert_eq!(policy.voice_classes(), [SoundClass::Scream]);
    assert_eq!((policy.max_per_minute(), policy.max_per_hour()), (3, 20));
    assert_eq!(policy.levels().len(), 1);
    assert!(policy.permits(SoundClass::Horn));
}

#[test]
fn names_and_days_are_checked() {
    assert_eq!(refused(|f| f.name = String::new()), "name");
    assert_eq!(refused(|f| f.name = "Street".into()), "name");
    assert_eq!(refused(|f| f.name = "a".repeat(33)), "name");
    for day in [
        "2030-13-01",
        "2030-02-29",
        "2030-00-10",
        "30-01-01",
        "2030/01/01",
        "2030-01-0é",
    ] {
        let fields = PolicyFields {
            valid_until: Some(day.into()),
            ..all_classes()
        };
        assert_eq!(
            Policy::new(fields).unwrap_err().name,
            "valid_until",
            "{day}"
        );
    }
    assert_eq!(
        refused(|f| f.valid_until = Some("2028-02-29".into())),
        "nothing"
    );
}

#[test]
fn classes_are_known_named_once_and_twice_where_they_must_be() {
    assert_eq!(
        refused(|f| f.sound_classes.push("speech".into())),
        "sound_classes"
    );
    assert_eq!(
        refused(|f| f.sound_classes.push("horn".into())),
        "sound_classes"
    );
    assert_eq!(
        refused(|f| f.full_band_classes.clear()),
        "full_band_classes"
    );
    assert_eq!(
        refused(|f| f.full_band_classes.push("impact".into())),
        "full_band_classes"
    );
    assert_eq!(
        refused(|f| f.full_band_classes.push("scream".into())),
        "full_band_classes"
    );
    assert_eq!(refused(|f| f.voice_classes.clear()), "voice_classes");
    assert_eq!(
        refused(|f| f.voice_classes.push("whistle".into())),
        "voice_classes"
    );
    assert_eq!(
        refused(|f| f.sound_classes.retain(|c| c != "horn")),
        "full_band_classes"
    );
    assert_eq!(
        refused(|f| f.sound_classes.retain(|c| c != "gunshot")),
        "alert_classes"
    );
}

#[test]
fn budgets_and_times_are_in_range_and_fit_each_other() {
    assert_eq!(refused(|f| f.max_per_minute = 0), "max_per_minute");
    assert_eq!(refused(|f| f.max_per_minute = 17), "max_per_minute");
    assert_eq!(refused(|f| f.max_per_hour = 2), "max_per_hour");
    assert_eq!(refused(|f| f.max_per_hour = 121), "max_per_hour");
    assert_eq!(
        refused(|f| f.reserved_per_minute = 4),
        "reserved_per_minute"
    );
    assert_eq!(refused(|f| f.reserved_per_hour = 21), "reserved_per_hour");
    assert_eq!(refused(|f| f.merge_gap_s = 11), "merge_gap_s");
    assert_eq!(refused(|f| f.repeat_s = 9), "repeat_s");
    assert_eq!(refused(|f| f.health.period_s = 7), "health.period_s");
}

#[test]
fn the_band_is_never_narrowed_and_the_dial_is_a_number() {
    assert_eq!(
        refused(|f| f.speech_band_hz = [221.0, 3480.0]),
        "speech_band_hz"
    );
    assert_eq!(
        refused(|f| f.speech_band_hz = [220.0, 3479.0]),
        "speech_band_hz"
    );
    assert_eq!(
        refused(|f| f.speech_band_hz = [f64::NAN, 3480.0]),
        "speech_band_hz"
    );
    assert_eq!(refused(|f| f.speech_band_hz = [0.0, 7600.0]), "nothing");
    assert_eq!(
        refused(|f| f.speech_band_hz = [0.0, 7601.0]),
        "speech_band_hz"
    );
    assert_eq!(refused(|f| f.alarms_per_day = 0.0), "alarms_per_day");
    assert_eq!(refused(|f| f.alarms_per_day = f64::NAN), "alarms_per_day");
    assert_eq!(refused(|f| f.alarms_per_day = f64::INFINITY), "nothing");
    assert_eq!(
        refused(|f| f.max_bit_per_s = f64::INFINITY),
        "max_bit_per_s"
    );
    assert_eq!(refused(|f| f.max_bit_per_s = 0.2), "max_bit_per_s");
}

#[test]
fn levels_have_one_slow_period_each() {
    fn with(levels: &[(&str, u32)]) -> &'static str {
        let field = |&(metric, period_s): &(&str, u32)| LevelFields {
            metric: metric.into(),
            period_s,
        };
        let fields = PolicyFields {
            levels: levels.iter().map(field).collect(),
            ..all_classes()
        };
        Policy::new(fields).map_or_else(|e| e.name, |_| "nothing")
    }
    assert_eq!(with(&[]), "nothing");
    assert_eq!(with(&[("la90", 3600), ("laeq", 10)]), "nothing");
    assert_eq!(with(&[("laeq", 5)]), "levels.period_s");
    assert_eq!(with(&[("laeq", 7200)]), "levels.period_s");
    assert_eq!(with(&[("la10", 60)]), "levels.period_s");
    assert_eq!(with(&[("laeq", 60), ("laeq", 300)]), "levels.metric");
    assert_eq!(with(&[("lafmax", 60)]), "levels.metric");
}

#[test]
fn classes_without_a_detector_are_refused_by_the_model_check() {
    let policy = Policy::new(all_classes()).unwrap();
    let model: Vec<_> = SoundClass::ALL
        .iter()
        .copied()
        .filter(|&c| c != SoundClass::SprayCan)
        .collect();
    assert_eq!(policy.check_classes(SoundClass::ALL), Ok(()));
    assert_eq!(
        policy.check_classes(&model).unwrap_err().actual,
        "spray_can"
    );
}

#[test]
fn the_fingerprint_follows_what_leaves_and_nothing_else() {
    let base = Policy::new(all_classes()).unwrap().fingerprint();
    let with = |change: fn(&mut PolicyFields)| {
        let mut fields = all_classes();
        change(&mut fields);
        Policy::new(fields).unwrap().fingerprint()
    };
    assert_eq!(base, with(|f| f.name = "other".into()));
    assert_eq!(base, with(|f| f.valid_until = Some("2030-01-01".into())));
    assert_ne!(base, with(|f| f.max_per_hour = 19));
    assert_ne!(base, with(|f| f.alert_classes.clear()));
    assert_ne!(base, with(|f| f.levels.clear()));
    assert_ne!(base, with(|f| f.alarms_per_day = 301.0));
}
