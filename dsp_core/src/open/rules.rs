//! What a policy comes down to for the gate and for the count of its outputs: both read the same numbers.

use super::record::SoundClass;

/// A set of sound classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ClassSet(u16);

impl ClassSet {
    pub(crate) fn contains(self, class: SoundClass) -> bool {
        self.0 >> class.code() & 1 == 1
    }

    pub(crate) fn insert(&mut self, class: SoundClass) {
        self.0 |= 1 << class.code();
    }

    /// Members in code order.
    pub(crate) fn iter(self) -> impl Iterator<Item = SoundClass> {
        let members = SoundClass::ALL.iter().copied();
        members.filter(move |&class| self.contains(class))
    }

    /// The first member that the other set lacks.
    pub(crate) fn first_outside(self, other: Self) -> Option<SoundClass> {
        self.iter().find(|&class| !other.contains(class))
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }
}

impl FromIterator<SoundClass> for ClassSet {
    fn from_iter<I: IntoIterator<Item = SoundClass>>(classes: I) -> Self {
        let mut set = Self::default();
        classes.into_iter().for_each(|class| set.insert(class));
        set
    }
}

/// The grid that budgets count on. A policy always has 60 and 60; tests use smaller ones, to enumerate every output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calendar {
    pub(crate) slots_per_minute: u32,
    pub(crate) minutes_per_hour: u32,
}

impl Calendar {
    /// Minutes and hours of UTC, in slots of 1 s.
    pub(crate) const UTC: Self = Self {
        slots_per_minute: 60,
        minutes_per_hour: 60,
    };

    pub(crate) fn minute_of(self, slot: u64) -> u64 {
        slot / u64::from(self.slots_per_minute)
    }

    pub(crate) fn hour_of(self, slot: u64) -> u64 {
        self.minute_of(slot) / u64::from(self.minutes_per_hour)
    }
}

/// How many events a clock minute and a clock hour may hold, and how many of them are kept for alert classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) max_per_minute: u16,
    pub(crate) max_per_hour: u16,
    pub(crate) reserved_per_minute: u16,
    pub(crate) reserved_per_hour: u16,
}

impl Limits {
    /// Events of other than alert classes in a minute.
    pub(crate) fn other_per_minute(self) -> u16 {
        self.max_per_minute.saturating_sub(self.reserved_per_minute)
    }

    /// Events of other than alert classes in an hour.
    pub(crate) fn other_per_hour(self) -> u16 {
        self.max_per_hour.saturating_sub(self.reserved_per_hour)
    }
}

/// All that decides which events may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) calendar: Calendar,
    pub(crate) limits: Limits,
    pub(crate) permitted: ClassSet,
    pub(crate) full_band: ClassSet,
    pub(crate) alert: ClassSet,
    pub(crate) merge_gap_s: u32,
    pub(crate) repeat_s: u32,
    pub(crate) health_period_s: u32,
}
