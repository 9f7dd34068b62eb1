//! The checks of a policy, one field each.

use super::{
    Calendar, ClassSet, LevelFields, LevelRule, Limits, MAX_PER_HOUR, MAX_PER_MINUTE, Metric,
    ParameterError, PolicyFields, Rules, SPEECH_BAND_HZ, SoundClass,
};

type Checked<T> = Result<T, ParameterError>;

/// 1 to 32 characters of `a-z`, `0-9`, `_`, `-`: it stands in file names and reports.
pub(super) fn name(name: &str) -> Checked<()> {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    if (1..=32).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(());
    }
    let expected = "1 to 32 characters of a-z, 0-9, _ and -";
    let shown: String = name.chars().take(40).collect();
    Err(ParameterError::new("name", expected, format!("{shown:?}")))
}

/// A day that exists, as `YYYY-MM-DD`.
pub(super) fn valid_until(day: Option<&str>) -> Checked<()> {
    let Some(text) = day else {
        return Ok(());
    };
    if is_day(text) {
        return Ok(());
    }
    let shown: String = text.chars().take(20).collect();
    let expected = "a day as YYYY-MM-DD";
    Err(ParameterError::new(
        "valid_until",
        expected,
        format!("{shown:?}"),
    ))
}

fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return false;
    }
    let number = |digits: &[u8]| {
        let is_number = digits.iter().all(u8::is_ascii_digit);
        is_number.then(|| digits.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')))
    };
    let (Some(year), Some(month), Some(day)) = (
        number(&bytes[..4]),
        number(&bytes[5..7]),
        number(&bytes[8..]),
    ) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let n_days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        1..=12 => 31,
        _ => 0,
    };
    (1..=n_days).contains(&day)
}

/// Classes, budgets and times: all that the gate works by. Returns also the voice classes.
pub(super) fn rules(fields: &PolicyFields) -> Checked<(Rules, ClassSet)> {
    let permitted = class_set("sound_classes", &fields.sound_classes)?;
    let full_band = class_set("full_band_classes", &fields.full_band_classes)?;
    let voice = class_set("voice_classes", &fields.voice_classes)?;
    let alert = class_set("alert_classes", &fields.alert_classes)?;
    named_twice(
        "full_band_classes",
        full_band,
        permitted,
        SoundClass::is_full_band,
    )?;
    named_twice("voice_classes", voice, permitted, SoundClass::is_voice)?;
    within("alert_classes", alert, permitted)?;
    let rules = Rules {
        calendar: Calendar::UTC,
        limits: limits(fields)?,
        permitted,
        full_band,
        alert,
        merge_gap_s: integer("merge_gap_s", fields.merge_gap_s, 0, 10)?,
        repeat_s: integer("repeat_s", fields.repeat_s, 10, 3600)?,
        health_period_s: period("health.period_s", fields.health.period_s)?,
    };
    Ok((rules, voice))
}

fn class_set(field: &'static str, names: &[String]) -> Checked<ClassSet> {
    let mut set = ClassSet::default();
    for name in names {
        let Some(class) = SoundClass::from_name(name) else {
            let known: Vec<_> = SoundClass::ALL.iter().map(|c| c.name()).collect();
            let shown: String = name.chars().take(40).collect();
            let expected = format!("names of sound classes ({})", known.join(", "));
            return Err(ParameterError::new(field, expected, format!("{shown:?}")));
        };
        if set.contains(class) {
            let actual = format!("{} twice", class.name());
            return Err(ParameterError::new(field, "each class once", actual));
        }
        set.insert(class);
    }
    Ok(set)
}

/// A list of classes that need to be named a second time holds those that are permitted, and no others.
fn named_twice(
    field: &'static str,
    named: ClassSet,
    permitted: ClassSet,
    needs_it: fn(SoundClass) -> bool,
) -> Checked<()> {
    within(field, named, permitted)?;
    let wanted: ClassSet = permitted.iter().filter(|&class| needs_it(class)).collect();
    if let Some(class) = named.first_outside(wanted) {
        let all: Vec<_> = SoundClass::ALL.iter().filter(|&&c| needs_it(c)).collect();
        let names: Vec<_> = all.iter().map(|c| c.name()).collect();
        let expected = format!("only {}", names.join(", "));
        return Err(ParameterError::new(field, expected, class.name()));
    }
    if let Some(class) = wanted.first_outside(named) {
        let expected = format!("{} named here too, as it is in sound_classes", class.name());
        return Err(ParameterError::new(field, expected, "a list without it"));
    }
    Ok(())
}

fn within(field: &'static str, named: ClassSet, permitted: ClassSet) -> Checked<()> {
    match named.first_outside(permitted) {
        None => Ok(()),
        Some(class) => {
            let expected = "classes that are named in sound_classes";
            Err(ParameterError::new(field, expected, class.name()))
        }
    }
}

fn limits(fields: &PolicyFields) -> Checked<Limits> {
    let max_per_minute = integer("max_per_minute", fields.max_per_minute, 1, MAX_PER_MINUTE)?;
    let max_per_hour = integer(
        "max_per_hour",
        fields.max_per_hour,
        max_per_minute,
        MAX_PER_HOUR,
    )?;
    let of_minute = fields.reserved_per_minute;
    let of_hour = fields.reserved_per_hour;
    // All four are at most MAX_PER_HOUR = 120 here.
    Ok(Limits {
        max_per_minute: max_per_minute as u16,
        max_per_hour: max_per_hour as u16,
        reserved_per_minute: integer("reserved_per_minute", of_minute, 0, max_per_minute)? as u16,
        reserved_per_hour: integer("reserved_per_hour", of_hour, 0, max_per_hour)? as u16,
    })
}

fn integer(field: &'static str, value: u32, lowest: u32, highest: u32) -> Checked<u32> {
    if (lowest..=highest).contains(&value) {
        return Ok(value);
    }
    Err(ParameterError::new(
        field,
        format!("{lowest} to {highest}"),
        value,
    ))
}

fn period(field: &'static str, period_s: u32) -> Checked<u32> {
    if period_s >= 10 && 3600u32.is_multiple_of(period_s) {
        return Ok(period_s);
    }
    let expected = "a divisor of 3600 s that is at least 10 s";
    Err(ParameterError::new(field, expected, period_s))
}

/// The trigger's dial, the masked band, the stated bound.
pub(super) fn dial(fields: &PolicyFields) -> Checked<()> {
    let dial = fields.alarms_per_day;
    if !((1.0..=100_000.0).contains(&dial) || dial == f64::INFINITY) {
        let expected = "1 to 100000 a day, or infinity";
        return Err(ParameterError::new("alarms_per_day", expected, dial));
    }
    let [lowest, highest] = fields.speech_band_hz;
    let [from, to] = SPEECH_BAND_HZ;
    if !((0.0..=from).contains(&lowest) && (to..=7600.0).contains(&highest)) {
        let expected = format!("from 0 to {from} Hz up to {to} to 7600 Hz: wider, never narrower");
        let actual = format!("{lowest} to {highest} Hz");
        return Err(ParameterError::new("speech_band_hz", expected, actual));
    }
    let bound = fields.max_bit_per_s;
    if !(bound.is_finite() && bound > 0.0) {
        return Err(ParameterError::new(
            "max_bit_per_s",
            "a number above 0",
            bound,
        ));
    }
    Ok(())
}

/// The levels, sorted by metric: a metric has one period, so that (sensor, slot, metric) names one record.
pub(super) fn levels(fields: &[LevelFields]) -> Checked<Vec<LevelRule>> {
    let mut rules: Vec<LevelRule> = Vec::new();
    for LevelFields { metric, period_s } in fields {
        let Some(metric) = Metric::from_name(metric) else {
            let shown: String = metric.chars().take(40).collect();
            let expected = "laeq, la10, la50 or la90";
            return Err(ParameterError::new(
                "levels.metric",
                expected,
                format!("{shown:?}"),
            ));
        };
        if rules.iter().any(|rule| rule.metric == metric) {
            let actual = format!("{} twice", metric.name());
            return Err(ParameterError::new(
                "levels.metric",
                "each metric once",
                actual,
            ));
        }
        let period_s = period("levels.period_s", *period_s)?;
        if metric != Metric::LAeq && period_s != 3600 {
            let expected = format!("3600 s for {}", metric.name());
            return Err(ParameterError::new("levels.period_s", expected, period_s));
        }
        rules.push(LevelRule { metric, period_s });
    }
    rules.sort_unstable();
    Ok(rules)
}

/// The bits that can leave are at most what the policy's author stated.
pub(super) fn capacity(counted: f64, stated: f64) -> Checked<()> {
    if counted <= stated {
        return Ok(());
    }
    let expected = format!("at least the policy's capacity, {counted:.4} bit/s");
    Err(ParameterError::new("max_bit_per_s", expected, stated))
}
