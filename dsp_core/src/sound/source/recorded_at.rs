//! The recorder's own time stamp: digits of a date and a time, and nothing else of what a header may say.
//!
//! # Source
//! EBU Tech 3285 (`bext`: OriginationDate, OriginationTime), the `INFO` list of Microsoft's RIFF (`ICRD`, `ICMT`), the comment
//! that AudioMoth recorders write, ISO/IEC 14496-12 (`mvhd`).

use std::fmt;

/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// Days from 1 January 1904, where ISO media count from, to 1 January 1970.
const DAYS_1904_TO_1970: i64 = 24_107;
/// Years that a recorder can tell. Earlier ones are clocks that were never set.
const YEARS: std::ops::RangeInclusive<u32> = 1970..=9999;

/// A date and a time, as the recorder's header tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedAt {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    is_utc: bool,
}

/// `2026-05-04T21:00:00` where the header tells no zone, `2026-05-04T21:00:00Z` where it is UTC.
impl fmt::Display for RecordedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year, month, day, ..
        } = self;
        let Self {
            hour,
            minute,
            second,
            ..
        } = self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        f.write_str(if self.is_utc { "Z" } else { "" })
    }
}

impl RecordedAt {
    /// Checks that the day is in the calendar and the time on the clock.
    fn new([year, month, day]: [u32; 3], [hour, minute, second]: [u32; 3]) -> Option<Self> {
        let is_date = YEARS.contains(&year)
            && (1..=12).contains(&month)
            && (1..=n_days(year, month)).contains(&day);
        let is_time = hour < 24 && minute < 60 && second < 60;
        (is_date && is_time).then_some(Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            is_utc: false,
        })
    }

    /// The same instant in UTC, where the time stands `offset_s` before it.
    fn to_utc(self, offset_s: i64) -> Option<Self> {
        let of_day = i64::from(self.hour * 3_600 + self.minute * 60 + self.second);
        Self::from_unix(days_from_1970(self.year, self.month, self.day) * DAY_S + of_day - offset_s)
    }

    fn from_unix(time_s: i64) -> Option<Self> {
        let (date, of_day) = (
            date_of(time_s.div_euclid(DAY_S))?,
            time_s.rem_euclid(DAY_S) as u32,
        );
        let time = [of_day / 3_600, of_day / 60 % 60, of_day % 60];
        Self::new(date, time).map(|at| Self { is_utc: true, ..at })
    }

    /// Creation time of an ISO media file: seconds since 1904, UTC; 0 is "not known".
    pub(super) fn from_1904(time_s: u64) -> Option<Self> {
        let time_s = i64::try_from(time_s).ok()?;
        Self::from_unix(time_s.checked_sub(DAYS_1904_TO_1970 * DAY_S)?)
    }

    /// The two fields of a `bext` chunk: `yyyy-mm-dd` and `hh:mm:ss`, with any of the separators that recorders write.
    pub(super) fn from_bext(date: &[u8], time: &[u8]) -> Option<Self> {
        let (mut date, mut time) = (Text(date), Text(time));
        let between = b"-_:./ ";
        let day = [date.number(4)?, date.after(between)?, date.after(between)?];
        Self::new(
            day,
            [time.number(2)?, time.after(between)?, time.after(between)?],
        )
    }

    /// A creation date of an `INFO` list, if it holds a time as well: ISO 8601, with or without a zone.
    pub(super) fn from_iso(text: &[u8]) -> Option<Self> {
        let mut text = Text(text);
        let date = [text.number(4)?, text.after(b"-:/")?, text.after(b"-:/")?];
        text.one_of(b"T ")?;
        let time = [text.number(2)?, text.after(b":-")?, text.after(b":-")?];
        let at = Self::new(date, time)?;
        text.skip_fraction();
        match text.zone()? {
            None => text.is_over().then_some(at),
            Some(offset_s) => text.is_over().then(|| at.to_utc(offset_s))?,
        }
    }

    /// The comment of an AudioMoth: `Recorded at 21:00:00 04/05/2026 (UTC+2) by …`; the first ones told no zone.
    pub(super) fn from_comment(text: &[u8]) -> Option<Self> {
        let mut text = Text(text.strip_prefix(b"Recorded at ")?);
        let time = [text.number(2)?, text.after(b":")?, text.after(b":")?];
        text.skip_fraction();
        let [day, month, year] = [text.after(b" ")?, text.after(b"/")?, {
            text.one_of(b"/")?;
            text.number(4)?
        }];
        let at = Self::new([year, month, day], time)?;
        let Some(zone) = text.0.strip_prefix(b" (UTC") else {
            return text.0.starts_with(b" by ").then_some(at);
        };
        let mut zone = Text(zone);
        let offset_s = zone.offset()?.unwrap_or(0);
        zone.one_of(b")")?;
        at.to_utc(offset_s)
    }
}

/// What is left of a text, read from its beginning.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    /// Exactly so many digits.
    fn number(&mut self, n_digits: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(n_digits)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + u32::from(digit - b'0'))
        })
    }

    /// One byte of these.
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        bytes.contains(&first).then_some(first)
    }

    /// Two digits after a separator.
    fn after(&mut self, separators: &[u8]) -> Option<u32> {
        self.one_of(separators)?;
        self.number(2)
    }

    fn skip_fraction(&mut self) {
        if let Some(fraction) = self.0.strip_prefix(b".") {
            let n_digits = fraction
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            self.0 = &fraction[n_digits..];
        }
    }

    /// `Z`, `+02:00`, `+0200`, or none; in seconds.
    fn zone(&mut self) -> Option<Option<i64>> {
        if let Some(rest) = self.0.strip_prefix(b"Z") {
            self.0 = rest;
            return Some(Some(0));
        }
        self.offset()
    }

    /// `+2`, `-3:30`, `+0200`, or none; in seconds.
    fn offset(&mut self) -> Option<Option<i64>> {
        let sign = match self.0.first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Some(None),
        };
        self.0 = &self.0[1..];
        let is_long = self.0.get(1).is_some_and(u8::is_ascii_digit);
        let hours = self.number(if is_long { 2 } else { 1 })?;
        let minutes = match self.0.first() {
            Some(b':') => self.after(b":")?,
            Some(digit) if digit.is_ascii_digit() => self.number(2)?,
            _ => 0,
        };
        let is_zone = hours <= 14 && minutes < 60;
        is_zone.then(|| Some(sign * i64::from(hours * 3_600 + minutes * 60)))
    }

    /// Nothing is left but what fields are padded with.
    fn is_over(&self) -> bool {
        self.0.iter().all(|byte| matches!(byte, 0 | b' '))
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn n_days(year: u32, month: u32) -> u32 {
    match month {
        2 => 28 + u32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1 January 1970 to a date not before it.
fn days_from_1970(year: u32, month: u32, day: u32) -> i64 {
    let years: u32 = (1970..year)
        .map(|year| 365 + u32::from(is_leap(year)))
        .sum();
    let months: u32 = (1..month).map(|month| n_days(year, month)).sum();
    i64::from(years + months + day - 1)
}

/// The date so many days after 1 January 1970; none outside of [`YEARS`].
fn date_of(days: i64) -> Option<[u32; 3]> {
    let mut left = u32::try_from(days).ok()?;
    let mut year = *YEARS.start();
    while left >= 365 + u32::from(is_leap(year)) {
        left -= 365 + u32::from(is_leap(year));
        year += 1;
        if !YEARS.contains(&year) {
            return None;
        }
    }
    let mut month = 1;
    while left >= n_days(year, month) {
        left -= n_days(year, month);
        month += 1;
    }
    Some([year, month, left + 1])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(at: Option<RecordedAt>) -> Option<String> {
        at.map(|at| at.to_string())
    }

    #[test]
    fn bext_takes_every_separator() {
        let bext =
            |date: &str, time: &str| text(RecordedAt::from_bext(date.as_bytes(), time.as_bytes()));
        let expected = Some("2026-05-04T21:00:09".to_owned());
        for separator in ["-", "_", ":", ".", " ", "/"] {
            let date = ["2026", "05", "04"].join(separator);
            let time = ["21", "00", "09"].join(separator);
            assert_eq!(bext(&date, &time), expected, "{separator}");
        }
        assert_eq!(bext("0000-00-00", "00:00:00"), None);
        assert_eq!(bext("2026-02-29", "00:00:00"), None);
        assert_eq!(bext("2026-05-04", "24:00:00"), None);
        assert_eq!(bext("2026x05x04", "21:00:00"), None);
        assert_eq!(bext("2026-05-04", "\0\0\0\0\0\0\0\0"), None);
    }

    #[test]
    fn iso_dates_need_a_time_and_nothing_behind_it() {
        let iso = |bytes: &str| text(RecordedAt::from_iso(bytes.as_bytes()));
        let local = Some("2026-05-04T21:00:00".to_owned());
        let utc = Some("2026-05-04T21:00:00Z".to_owned());
        assert_eq!(iso("2026-05-04T21:00:00"), local);
        assert_eq!(iso("2026-05-04 21:00:00.250\0\0"), local);
        assert_eq!(iso("2026-05-04T21:00:00Z"), utc);
        assert_eq!(iso("2026-05-04T23:00:00+02:00"), utc);
        assert_eq!(iso("2026-05-05T00:30:00+0330\0"), utc);
        for other in [
            "2026-05-04",
            "2026",
            "",
            "2026-05-04T21:00:00 at my house",
            "2026-13-04T21:00:00",
        ] {
            assert_eq!(iso(other), None, "{other}");
        }
    }

    #[test]
    fn comments_of_an_audiomoth_are_read_and_no_others() {
        let comment = |bytes: &str| text(RecordedAt::from_comment(bytes.as_bytes()));
        let utc = Some("2026-05-04T21:00:00Z".to_owned());
        for zoned in [
            "Recorded at 21:00:00 04/05/2026 (UTC) by AudioMoth 0123456789ABCDEF at medium gain",
            "Recorded at 23:00:00 04/05/2026 (UTC+2) by AudioMoth",
            "Recorded at 17:30:00 04/05/2026 (UTC-3:30) during deployment 0123456789ABCDEF",
            "Recorded at 02:45:00 05/05/2026 (UTC+5:45) by AudioMoth",
            "Recorded at 09:00:00.123 05/05/2026 (UTC+12) by AudioMoth",
        ] {
            assert_eq!(comment(zoned), utc, "{zoned}");
        }
        let local = comment(
            "Recorded at 21:00:00 04/05/2026 by AudioMoth 0123456789ABCDEF at gain setting 2",
        );
        assert_eq!(local, Some("2026-05-04T21:00:00".to_owned()));
        for other in [
            "",
            "Recorded at Anna's, 21:00:00",
            "Recorded at 21:00:00 05/04/26 (UTC)",
            "Recorded at 21:00:00 31/06/2026 (UTC)",
            "Recorded at 21:00:00 04/05/2026 (UTC+99)",
            "Recorded at 21:00:00 04/05/2026 (UTC+2",
            "Recorded at 21:00:00 04/05/2026",
        ] {
            assert_eq!(comment(other), None, "{other}");
        }
    }

    #[test]
    fn iso_media_count_from_1904() {
        let of = |time_s| text(RecordedAt::from_1904(time_s));
        assert_eq!(of(0), None);
        assert_eq!(of(2_082_844_800), Some("1970-01-01T00:00:00Z".to_owned()));
        // 2024-02-29 12:34:56 UTC is 1 709 210 096 in Unix time.
        assert_eq!(
            of(2_082_844_800 + 1_709_210_096),
            Some("2024-02-29T12:34:56Z".to_owned())
        );
        assert_eq!(of(u64::MAX), None);
        assert_eq!(of(1 << 62), None);
    }

    proptest! {
        #[test]
        fn any_text_gives_digits_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..60), zone in "[Z0-9:+. -]{0,8}") {
            let iso = [b"2026-05-04T21:00:00", zone.as_bytes()].concat();
            let comment = [b"Recorded at ", &bytes[..]].concat();
            let (date, time) = bytes.split_at(bytes.len() / 2);
            let found = [
                RecordedAt::from_iso(&iso),
                RecordedAt::from_iso(&bytes),
                RecordedAt::from_comment(&comment),
                RecordedAt::from_bext(date, time),
            ];
            for at in found.into_iter().flatten() {
                let text = at.to_string();
                prop_assert!(matches!(text.len(), 19 | 20));
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_digit() || b"-:TZ".contains(&byte)));
            }
        }

        #[test]
        fn days_lead_to_their_date_and_back(days in 0_i64..2_932_896) {
            let [year, month, day] = date_of(days).unwrap();
            prop_assert_eq!(days_from_1970(year, month, day), days);
        }
    }
}
