//! Seconds to noise levels and the state of the sensor, one record per clock-aligned period.

use std::collections::VecDeque;

use super::Calibration;
use super::period::{Closed, Condition, Energy, Histogram, Period, Tally};
use super::release::check_policy;
use crate::analysis::Description;
use crate::analysis::describe::SecondLevel;
use crate::checkpoint::{Reader, Writer, damaged};
use crate::error::BlockError;
use crate::open::record::LEVEL_MISSING;
use crate::open::{HealthState, LevelRecord, Metric, Policy, SensorHealth};

/// Seconds of stream after the end of a period until its records are minted: they leave after the events of its last second.
const SECONDS_OF_WAITING: u64 = 3;

/// A record that the level gate mints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseRecord {
    /// A level.
    Level(LevelRecord),
    /// The state of the sensor.
    Health(SensorHealth),
}

/// The records of one push: those of a period that ends earlier first, then levels before health, then by slot and metric.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Levels {
    /// The levels.
    pub levels: Vec<LevelRecord>,
    /// The states.
    pub health: Vec<SensorHealth>,
    /// Both, in the order in which they were minted.
    in_order: Vec<NoiseRecord>,
}

impl Levels {
    /// Both kinds in the order in which they were minted: the same however the stream was split into blocks.
    pub fn in_order(&self) -> &[NoiseRecord] {
        &self.in_order
    }

    fn push(&mut self, record: NoiseRecord) {
        self.in_order.push(record);
        match record {
            NoiseRecord::Level(level) => self.levels.push(level),
            NoiseRecord::Health(health) => self.health.push(health),
        }
    }
}

/// A record of a period that is over, until the stream is 3 s past its end.
#[derive(Debug, Clone, PartialEq)]
struct Waiting {
    end: u64,
    record: NoiseRecord,
}

/// The one door of noise levels and of the sensor's state. It knows nothing of events: what it mints does not depend on what was
/// classified, and is the same wherever events are judged.
///
/// # Guarantee
/// One record per metric and period of the policy, minted from whole periods of at least 10 s: a level is whole decibels over
/// its whole period, or missing if less than 95 % of it was heard. A period of which no second came gives no record.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelGate {
    sensor_id: u32,
    /// Fingerprint of the policy that it was made for.
    policy: u64,
    calibration: Calibration,
    laeq: Option<Period<Energy>>,
    percentiles: Option<Period<Histogram>>,
    percentile_metrics: Vec<Metric>,
    condition: Period<Condition>,
    next_slot: u64,
    waiting: VecDeque<Waiting>,
}

impl LevelGate {
    /// A gate that has heard nothing yet of a stream that begins at `start_slot`.
    pub fn new(sensor_id: u32, policy: &Policy, calibration: Calibration, start_slot: u64) -> Self {
        let rules = policy.levels();
        let laeq = rules.iter().find(|rule| rule.metric == Metric::LAeq);
        let percentiles = rules.iter().filter(|rule| rule.metric != Metric::LAeq);
        let longest = percentiles.clone().map(|rule| rule.period_s).max();
        Self {
            sensor_id,
            policy: policy.fingerprint(),
            calibration,
            laeq: laeq.map(|rule| Period::new(rule.period_s)),
            percentiles: longest.map(Period::new),
            percentile_metrics: percentiles.map(|rule| rule.metric).collect(),
            condition: Period::new(policy.health_period_s()),
            next_slot: start_slot,
            waiting: VecDeque::new(),
        }
    }

    /// The sensor.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Takes the seconds that ended; mints the records of every period that is over by 3 s. Another sensor's description moves
    /// nothing.
    pub fn push(&mut self, description: &Description) -> Levels {
        let mut minted = Levels::default();
        if description.sensor_id == self.sensor_id {
            for second in description.seconds.iter() {
                self.add(second);
                self.mint_until(
                    self.next_slot.saturating_sub(SECONDS_OF_WAITING),
                    &mut minted,
                );
            }
        }
        minted
    }

    /// Takes a second of a live stream that brought no sound, so that its periods end in time and say that they have gaps.
    pub fn miss(&mut self, slot: u64) -> Levels {
        let mut minted = Levels::default();
        self.add(&SecondLevel {
            slot,
            fast: [-1.0; 8],
            is_silent: true,
            ..SecondLevel::default()
        });
        let until = self.next_slot.saturating_sub(SECONDS_OF_WAITING);
        self.mint_until(until, &mut minted);
        minted
    }

    /// Says of the period that is open that sound and clock did not go together.
    pub fn mark_clock(&mut self) {
        if let Some(condition) = self.condition.open_mut() {
            condition.is_clock_off = true;
        }
    }

    /// First second that counts.
    pub fn next_slot(&self) -> u64 {
        self.next_slot
    }

    /// Ends the open periods, at the end of the stream: those that are too short become missing levels and gaps. Seconds that
    /// come afterwards count for nothing, so that no period has two records.
    pub fn finish(&mut self) -> Levels {
        let mut minted = Levels::default();
        let laeq = self.laeq.as_mut().and_then(Period::close);
        let percentiles = self.percentiles.as_mut().and_then(Period::close);
        let condition = self.condition.close();
        self.wait(laeq, percentiles, condition);
        self.mint_until(u64::MAX, &mut minted);
        self.next_slot = u64::MAX;
        minted
    }

    fn add(&mut self, second: &SecondLevel) {
        if second.slot < self.next_slot {
            return;
        }
        self.next_slot = second.slot.saturating_add(1);
        let laeq = self.laeq.as_mut().and_then(|period| period.add(second));
        let percentiles = self
            .percentiles
            .as_mut()
            .and_then(|period| period.add(second));
        let condition = self.condition.add(second);
        self.wait(laeq, percentiles, condition);
    }

    fn wait(
        &mut self,
        laeq: Option<Closed<Energy>>,
        percentiles: Option<Closed<Histogram>>,
        condition: Option<Closed<Condition>>,
    ) {
        if let (Some(closed), Some(period)) = (laeq, &self.laeq) {
            let level_dbfs = closed.tally.level_dbfs(period.period_s);
            let record = self.level(closed.start, Metric::LAeq, level_dbfs);
            self.insert(closed.end, record);
        }
        if let (Some(closed), Some(period)) = (percentiles, &self.percentiles) {
            let period_s = period.period_s;
            for metric in self.percentile_metrics.clone() {
                let level_dbfs = closed.tally.level_dbfs(percent(metric), period_s);
                let record = self.level(closed.start, metric, level_dbfs);
                self.insert(closed.end, record);
            }
        }
        if let Some(closed) = condition {
            let is_calibrated = self.calibration != Calibration::Uncalibrated;
            let state = closed.tally.state(self.condition.period_s, is_calibrated);
            let record = SensorHealth::mint(self.sensor_id, closed.start, state);
            self.insert(closed.end, NoiseRecord::Health(record));
        }
    }

    fn level(&self, slot: u64, metric: Metric, level_dbfs: Option<f64>) -> NoiseRecord {
        let value = level_dbfs.and_then(|level| self.calibration.record_value(level));
        let value = value.unwrap_or(LEVEL_MISSING);
        let scale = self.calibration.scale();
        NoiseRecord::Level(LevelRecord::mint(
            self.sensor_id,
            slot,
            metric,
            value,
            scale,
        ))
    }

    fn insert(&mut self, end: u64, record: NoiseRecord) {
        let place = self
            .waiting
            .partition_point(|w| (w.end, order(&w.record)) < (end, order(&record)));
        self.waiting.insert(place, Waiting { end, record });
    }

    fn mint_until(&mut self, slot: u64, minted: &mut Levels) {
        let n_over = self.waiting.partition_point(|next| next.end <= slot);
        for next in self.waiting.drain(..n_over) {
            minted.push(next.record);
        }
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.u64(self.policy);
        out.u32(self.sensor_id);
        self.calibration.save(out);
        out.u64(self.next_slot);
        save_period(self.laeq.as_ref(), out);
        save_period(self.percentiles.as_ref(), out);
        self.condition.save(out);
        out.u32(self.waiting.len() as u32);
        for Waiting { end, record } in &self.waiting {
            out.u64(*end);
            let (kind, slot, code) = order(record);
            out.u8(kind);
            out.u64(slot);
            out.u8(code);
            out.u8(match record {
                NoiseRecord::Level(level) => level.value(),
                NoiseRecord::Health(health) => health.state().code(),
            });
        }
    }

    pub(crate) fn load(policy: &Policy, input: &mut Reader) -> Result<Self, BlockError> {
        check_policy(policy, input)?;
        let sensor_id = input.u32()?;
        let calibration = Calibration::load(input)?;
        let mut gate = Self::new(sensor_id, policy, calibration, input.u64()?);
        load_period(gate.laeq.as_mut(), input)?;
        load_period(gate.percentiles.as_mut(), input)?;
        load_period(Some(&mut gate.condition), input)?;
        for _ in 0..input.u32()? {
            let end = input.u64()?;
            let record = gate.load_waiting(input)?;
            let is_after = |last: &Waiting| (last.end, order(&last.record)) < (end, order(&record));
            if !gate.waiting.back().is_none_or(is_after) {
                return Err(damaged("records out of order"));
            }
            gate.waiting.push_back(Waiting { end, record });
        }
        Ok(gate)
    }

    fn load_waiting(&self, input: &mut Reader) -> Result<NoiseRecord, BlockError> {
        let (kind, slot) = (input.u8()?, input.u64()?);
        let (code, value) = (input.u8()?, input.u8()?);
        let (id, scale) = (self.sensor_id, self.calibration.scale());
        let record = match (kind, Metric::from_code(code), HealthState::from_code(value)) {
            (0, Some(metric), _) if value <= LEVEL_MISSING => {
                NoiseRecord::Level(LevelRecord::mint(id, slot, metric, value, scale))
            }
            (1, _, Some(state)) if code == 0 => {
                NoiseRecord::Health(SensorHealth::mint(id, slot, state))
            }
            _ => return Err(damaged("no such record")),
        };
        Ok(record)
    }
}

fn save_period<T: Tally>(period: Option<&Period<T>>, out: &mut Writer) {
    if let Some(period) = period {
        period.save(out);
    }
}

fn load_period<T: Tally>(
    period: Option<&mut Period<T>>,
    input: &mut Reader,
) -> Result<(), BlockError> {
    if let Some(period) = period {
        *period = Period::load(period.period_s, input)?;
    }
    Ok(())
}

/// Levels before health, then by slot, then by metric: the order of the canonical bytes of one sensor.
fn order(record: &NoiseRecord) -> (u8, u64, u8) {
    match record {
        NoiseRecord::Level(level) => (0, level.slot(), level.metric().code()),
        NoiseRecord::Health(health) => (1, health.slot(), 0),
    }
}

/// The share of the period, in per cent, that a metric's level is exceeded for.
fn percent(metric: Metric) -> u32 {
    match metric {
        Metric::LA10 => 10,
        Metric::LA90 => 90,
        Metric::LA50 | Metric::LAeq => 50,
    }
}

#[cfg(test)]
pub(crate) mod tests;
