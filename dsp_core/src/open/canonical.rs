//! The canonical bytes of a record: what sinks compare and what the outgoing side starts from.

use super::record::{Event, LevelRecord, SensorHealth};

mod sealed {
    /// Closed to other crates: nobody else can call a type a record.
    pub trait Sealed {
        fn push_canonical(&self, out: &mut Vec<u8>);
    }
}

/// The types that the outgoing side accepts. Sealed: `Event`, `LevelRecord` and `SensorHealth` are all there are.
///
/// ```
/// use dsp_core::open::record::Record;
/// fn send<R: Record>(_: R) {}
/// fn send_all(event: dsp_core::open::Event, level: dsp_core::open::LevelRecord, health: dsp_core::open::SensorHealth) {
///     send(event);
///     send(level);
///     send(health);
/// }
/// ```
/// ```compile_fail,E0277
/// struct Clip(Vec<f32>);
/// impl dsp_core::open::record::Record for Clip {}
/// ```
pub trait Record: sealed::Sealed {}

impl Record for Event {}
impl Record for LevelRecord {}
impl Record for SensorHealth {}

/// The record's canonical bytes: kind, sensor_id and slot big-endian, then one byte a field.
///
/// # Guarantee
/// Equal records have equal bytes and different records have different bytes. Nothing but a record fits; the first example
/// compiles, so that the others cannot fail for another reason than their type.
///
/// ```
/// fn send(event: &dsp_core::open::Event) -> Vec<u8> {
///     dsp_core::open::record::canonical_bytes(event)
/// }
/// ```
/// ```compile_fail,E0277
/// fn send(window: &dsp_core::analysis::FeatureWindow) -> Vec<u8> {
///     dsp_core::open::record::canonical_bytes(window)
/// }
/// ```
/// ```compile_fail,E0277
/// fn send(candidate: &dsp_core::analysis::Candidate) -> Vec<u8> {
///     dsp_core::open::record::canonical_bytes(candidate)
/// }
/// ```
pub fn canonical_bytes<R: Record>(record: &R) -> Vec<u8> {
    let mut out = Vec::with_capacity(17);
    record.push_canonical(&mut out);
    out
}

fn push_head(out: &mut Vec<u8>, kind: u8, sensor_id: u32, slot: u64) {
    out.push(kind);
    out.extend_from_slice(&sensor_id.to_be_bytes());
    out.extend_from_slice(&slot.to_be_bytes());
}

impl sealed::Sealed for Event {
    fn push_canonical(&self, out: &mut Vec<u8>) {
        push_head(out, 1, self.sensor_id(), self.slot());
        out.extend_from_slice(&[
            self.sound_class().code(),
            self.level(),
            self.confidence(),
            self.scale().code(),
        ]);
    }
}

impl sealed::Sealed for LevelRecord {
    fn push_canonical(&self, out: &mut Vec<u8>) {
        push_head(out, 2, self.sensor_id(), self.slot());
        out.extend_from_slice(&[self.metric().code(), self.value(), self.scale().code()]);
    }
}

impl sealed::Sealed for SensorHealth {
    fn push_canonical(&self, out: &mut Vec<u8>) {
        push_head(out, 3, self.sensor_id(), self.slot());
        out.push(self.state().code());
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{HealthState, Metric, Scale, SoundClass};
    use super::*;

    #[test]
    fn every_field_shows_in_the_bytes() {
        let base = Event::mint(1, 2, SoundClass::Horn, 0, 0, Scale::Dbfs);
        let others = [
            Event::mint(9, 2, SoundClass::Horn, 0, 0, Scale::Dbfs),
            Event::mint(1, 9, SoundClass::Horn, 0, 0, Scale::Dbfs),
            Event::mint(1, 2, SoundClass::Siren, 0, 0, Scale::Dbfs),
            Event::mint(1, 2, SoundClass::Horn, 9, 0, Scale::Dbfs),
            Event::mint(1, 2, SoundClass::Horn, 0, 3, Scale::Dbfs),
            Event::mint(1, 2, SoundClass::Horn, 0, 0, Scale::Spl),
        ];
        assert!(
            others
                .iter()
                .all(|e| canonical_bytes(e) != canonical_bytes(&base))
        );
    }

    #[test]
    fn known_bytes() {
        let level = LevelRecord::mint(0x0102_0304, 5, Metric::LA10, 128, Scale::Spl);
        let health = SensorHealth::mint(1, 256, HealthState::Ok);
        assert_eq!(
            canonical_bytes(&level),
            [2, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 5, 1, 128, 1]
        );
        assert_eq!(
            canonical_bytes(&health),
            [3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 6]
        );
    }
}
