//! The second face gives the numbers of the zone.

use super::*;
use crate::sound::resample::{TARGET_RATE, n_resampled, resample_into};

#[test]
fn arrays_give_the_bytes_of_the_zone() {
    for rate in [16_000, 22_050, 44_100, 44_101, 48_000] {
        let samples = noise(2 * rate as usize + 77, rate);
        let heard = hear(rate, &samples, &[1_024, 37, 5_000]);
        let mut at_16_khz = vec![0.0; n_resampled(samples.len(), rate, TARGET_RATE)];
        resample_into(&samples, rate, TARGET_RATE, &mut at_16_khz).unwrap();
        let tables = LogMel::new(LogMelSettings::STREET).unwrap();
        let frames = tables.log_mel(&at_16_khz);
        assert_eq!(frames.len(), 198 * N_BANDS);
        for (t, frame) in frames.chunks(N_BANDS).enumerate() {
            let bits: Vec<u32> = frame.iter().map(|x| x.to_bits()).collect();
            assert_eq!(
                bits,
                heard.bits[t * (N_BANDS + 1)..][..N_BANDS],
                "{rate} Hz, frame {t}"
            );
        }
    }
}
