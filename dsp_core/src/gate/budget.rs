//! How many events a clock minute and a clock hour may hold.
//!
//! Time is the slot of the event, which never goes back, so the counts of one minute and one hour are enough.

use super::release::WithheldReason;
use crate::checkpoint::{Reader, Writer, damaged};
use crate::error::BlockError;
use crate::open::rules::{Calendar, Limits, Rules};

/// Events of one span of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Count {
    span: u64,
    n_events: u16,
    n_other: u16,
}

impl Count {
    /// The count of a span: none so far where it is a new one.
    fn of(self, span: u64) -> Self {
        if span == self.span {
            return self;
        }
        Self {
            span,
            ..Self::default()
        }
    }

    fn and_one(self, is_alert: bool) -> Self {
        Self {
            n_events: self.n_events + 1,
            n_other: self.n_other + u16::from(!is_alert),
            ..self
        }
    }
}

/// The events of the current minute and hour against a policy's limits.
///
/// # Guarantee
/// No clock minute gets more than `max_per_minute` events and no clock hour more than `max_per_hour`; of these, classes that
/// are not alert classes get at most what is not reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Budget {
    calendar: Calendar,
    limits: Limits,
    minute: Count,
    hour: Count,
}

impl Budget {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self {
            calendar: rules.calendar,
            limits: rules.limits,
            minute: Count::default(),
            hour: Count::default(),
        }
    }

    /// Takes one event out of the budget, or says which part of it is used up.
    pub(crate) fn take(&mut self, slot: u64, is_alert: bool) -> Result<(), WithheldReason> {
        let span = self.calendar.minute_of(slot);
        if span < self.minute.span {
            return Err(WithheldReason::OutOfOrder);
        }
        let minute = self.minute.of(span);
        let hour = self.hour.of(self.calendar.hour_of(slot));
        if minute.n_events >= self.limits.max_per_minute {
            return Err(WithheldReason::MinuteBudget);
        }
        if hour.n_events >= self.limits.max_per_hour {
            return Err(WithheldReason::HourBudget);
        }
        let is_rest_used = minute.n_other >= self.limits.other_per_minute()
            || hour.n_other >= self.limits.other_per_hour();
        if !is_alert && is_rest_used {
            return Err(WithheldReason::Reserved);
        }
        self.minute = minute.and_one(is_alert);
        self.hour = hour.and_one(is_alert);
        Ok(())
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        for count in [self.minute, self.hour] {
            out.u64(count.span);
            out.u16(count.n_events);
            out.u16(count.n_other);
        }
    }

    pub(crate) fn load(rules: &Rules, input: &mut Reader) -> Result<Self, BlockError> {
        let mut budget = Self::new(rules);
        for count in [&mut budget.minute, &mut budget.hour] {
            count.span = input.u64()?;
            count.n_events = input.u16()?;
            count.n_other = input.u16()?;
        }
        let is_possible =
            |count: Count, max: u16| count.n_other <= count.n_events && count.n_events <= max;
        let limits = rules.limits;
        if is_possible(budget.minute, limits.max_per_minute)
            && is_possible(budget.hour, limits.max_per_hour)
        {
            return Ok(budget);
        }
        Err(damaged("more events than the budget holds"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::release::tests::rules;
    use super::*;

    fn budget(limits: [u16; 4]) -> Budget {
        let [
            max_per_minute,
            max_per_hour,
            reserved_per_minute,
            reserved_per_hour,
        ] = limits;
        Budget::new(&Rules {
            limits: Limits {
                max_per_minute,
                max_per_hour,
                reserved_per_minute,
                reserved_per_hour,
            },
            ..rules()
        })
    }

    #[test]
    fn a_minute_and_an_hour_hold_what_the_limits_say() {
        let mut budget = budget([2, 3, 0, 0]);
        assert_eq!(budget.take(0, false), Ok(()));
        assert_eq!(budget.take(59, true), Ok(()));
        assert_eq!(budget.take(59, true), Err(WithheldReason::MinuteBudget));
        assert_eq!(budget.take(60, false), Ok(()));
        assert_eq!(budget.take(61, true), Err(WithheldReason::HourBudget));
        assert_eq!(budget.take(3600, true), Ok(()));
        assert_eq!(budget.take(3599, true), Err(WithheldReason::OutOfOrder));
    }

    #[test]
    fn the_reserved_part_is_for_alert_classes() {
        let mut budget = budget([2, 4, 1, 2]);
        assert_eq!(budget.take(0, false), Ok(()));
        assert_eq!(budget.take(1, false), Err(WithheldReason::Reserved));
        assert_eq!(budget.take(1, true), Ok(()));
        assert_eq!(budget.take(60, false), Ok(()));
        assert_eq!(budget.take(120, false), Err(WithheldReason::Reserved));
        assert_eq!(budget.take(120, true), Ok(()));
        assert_eq!(budget.take(180, true), Err(WithheldReason::HourBudget));
    }
}
