//! The policies that the application ships, read from their files: they stand, and their capacity is the stated one.

use super::tests::all_classes;
use super::*;

/// As much of TOML as the shipped policies use: `key = value` lines, `[table]`, `[[table]]`, comments on lines of their own.
fn read(name: &str) -> PolicyFields {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/../pipeline/sourdine/policies/{name}.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut fields = PolicyFields {
        levels: Vec::new(),
        ..all_classes()
    };
    let mut table = "";
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once(" = ") else {
            table = line;
            if table == "[[levels]]" {
                fields.levels.push(LevelFields {
                    metric: String::new(),
                    period_s: 0,
                });
            }
            continue;
        };
        set(&mut fields, table, key, value);
    }
    fields
}

fn set(fields: &mut PolicyFields, table: &str, key: &str, value: &str) {
    let text = || value.trim_matches('"').to_owned();
    let items = || {
        value
            .trim_matches(['[', ']'])
            .split(", ")
            .filter(|item| !item.is_empty())
    };
    let names = || {
        items()
            .map(|item| item.trim_matches('"').to_owned())
            .collect()
    };
    match (table, key) {
        ("", "name") => fields.name = text(),
        ("", "sound_classes") => fields.sound_classes = names(),
        ("", "full_band_classes") => fields.full_band_classes = names(),
        ("", "voice_classes") => fields.voice_classes = names(),
        ("", "alert_classes") => fields.alert_classes = names(),
        ("", "max_per_minute") => fields.max_per_minute = value.parse().unwrap(),
        ("", "max_per_hour") => fields.max_per_hour = value.parse().unwrap(),
        ("", "reserved_per_minute") => fields.reserved_per_minute = value.parse().unwrap(),
        ("", "reserved_per_hour") => fields.reserved_per_hour = value.parse().unwrap(),
        ("", "merge_gap_s") => fields.merge_gap_s = value.parse().unwrap(),
        ("", "repeat_s") => fields.repeat_s = value.parse().unwrap(),
        ("", "alarms_per_day") => fields.alarms_per_day = value.parse().unwrap(),
        ("", "max_bit_per_s") => fields.max_bit_per_s = value.parse().unwrap(),
        ("", "speech_band_hz") => {
            let edges: Vec<f64> = items().map(|edge| edge.parse().unwrap()).collect();
            fields.speech_band_hz = edges.try_into().unwrap();
        }
        ("[[levels]]", "metric") => fields.levels.last_mut().unwrap().metric = text(),
        ("[[levels]]", "period_s") => {
            fields.levels.last_mut().unwrap().period_s = value.parse().unwrap()
        }
        ("[health]", "period_s") => fields.health.period_s = value.parse().unwrap(),
        other => panic!("unknown key {other:?}"),
    }
}

#[test]
fn they_stand_within_the_contract() {
    for (name, most, per_hour) in [
        ("street", 0.30, 20),
        ("strict", 0.15, 12),
        ("noise", 0.90, 20),
    ] {
        let policy = Policy::new(read(name)).unwrap();
        assert_eq!((policy.name(), policy.max_bit_per_s()), (name, most));
        assert_eq!(
            (policy.max_per_minute(), policy.max_per_hour()),
            (3, per_hour)
        );
        assert!(policy.reserved_per_minute() == 1 && policy.reserved_per_hour() >= 5);
        assert!(policy.capacity().bit_per_s() <= most);
        assert_eq!(policy.speech_band_hz(), SPEECH_BAND_HZ);
    }
}

#[test]
fn none_permits_a_voice_or_what_nothing_detects() {
    for name in ["street", "strict", "noise"] {
        let policy = Policy::new(read(name)).unwrap();
        assert!(policy.voice_classes().is_empty());
        for class in [
            SoundClass::Scream,
            SoundClass::Abnormal,
            SoundClass::SprayCan,
        ] {
            assert!(!policy.permits(class), "{name} permits {}", class.name());
        }
    }
}
