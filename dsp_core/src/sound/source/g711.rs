//! The companded encodings of ITU-T G.711 as tables.

/// ITU-T G.711, table 1a: even bits inverted, 13-bit values, full scale 4 096.
const fn alaw(code: u8) -> f32 {
    let bits = code ^ 0x55;
    let (segment, step) = ((bits >> 4) & 7, (bits & 15) as i32);
    let magnitude = match segment {
        0 => 2 * step + 1,
        _ => (2 * step + 33) << (segment - 1),
    };
    let value = if bits & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    };
    value as f32 / 4_096.0
}

/// ITU-T G.711, table 2a: all bits inverted, 14-bit values, full scale 8 192.
const fn mulaw(code: u8) -> f32 {
    let bits = !code;
    let (segment, step) = ((bits >> 4) & 7, (bits & 15) as i32);
    let magnitude = ((2 * step + 33) << segment) - 33;
    let value = if bits & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    };
    value as f32 / 8_192.0
}

const fn table(is_alaw: bool) -> [f32; 256] {
    let mut values = [0.0; 256];
    let mut code = 0;
    while code < 256 {
        values[code] = if is_alaw {
            alaw(code as u8)
        } else {
            mulaw(code as u8)
        };
        code += 1;
    }
    values
}

pub(super) static ALAW: [f32; 256] = table(true);
pub(super) static MULAW: [f32; 256] = table(false);

#[cfg(test)]
mod tests {
    use super::*;

    /// The decision and reconstruction values that G.711 prints, in its own units.
    #[test]
    fn g711_tables_hold_the_values_of_the_recommendation() {
        let of = |table: &[f32; 256], scale: f32| table.map(|x| (x * scale) as i32);
        let (a, mu) = (of(&ALAW, 4_096.0), of(&MULAW, 8_192.0));
        // Table 1a: character signals, even bits inverted, of the reconstruction values 1, 31, 33, 66, 1 056, 2 112, 4 032.
        for (code, value) in [
            (0x00, 1),
            (0x0F, 31),
            (0x10, 33),
            (0x20, 66),
            (0x60, 1_056),
            (0x70, 2_112),
            (0x7F, 4_032),
        ] {
            let at = usize::from(code ^ 0x55_u8);
            assert_eq!(
                (a[at | 0x80], a[at & 0x7F]),
                (value, -value),
                "A-law {code:#x}"
            );
        }
        // Table 2a: values 0, 2, 30, 33, 99, 3 999, 8 031.
        for (code, value) in [
            (0x00, 0),
            (0x01, 2),
            (0x0F, 30),
            (0x10, 33),
            (0x20, 99),
            (0x6F, 3_999),
            (0x7F, 8_031),
        ] {
            let at = usize::from(!code & 0x7F_u8);
            assert_eq!((mu[at | 0x80], mu[at]), (value, -value), "µ-law {code:#x}");
        }
    }

    /// Segments double their step, values rise with the code, and positive and negative halves mirror each other.
    #[test]
    fn g711_tables_are_monotonic_and_symmetric() {
        for (table, mask, scale) in [(&ALAW, 0x55, 4_096.0), (&MULAW, 0x7F, 8_192.0)] {
            let half: Vec<f32> = (0..128)
                .map(|code| table[usize::from(code ^ mask) | 0x80])
                .collect();
            let half = if mask == 0x7F {
                half
            } else {
                (0..128)
                    .map(|c: u8| table[usize::from((c | 0x80) ^ mask)])
                    .collect()
            };
            assert!(half.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(half.iter().all(|x| x * scale == (x * scale).trunc()));
            let steps: Vec<i32> = half
                .windows(2)
                .map(|pair| ((pair[1] - pair[0]) * scale) as i32)
                .collect();
            assert!((1..8).all(|segment| steps[16 * segment] >= steps[16 * segment - 16]));
            assert!(
                (0..128_u8)
                    .all(|code| table[usize::from(code)] == -table[usize::from(code | 0x80)])
            );
        }
    }
}
