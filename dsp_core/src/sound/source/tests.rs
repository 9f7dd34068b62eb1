//! The whole room: refusals of the operating system, any split, and bytes that mean harm.

use std::io::Cursor;

use proptest::prelude::*;

use super::testing::{Trickle, chunk, decode, drain, format_body, golden, refusal, riff, wav};
use super::*;

pub(super) const GOLDEN: [&str; 16] = [
    "mono_s16.wav",
    "mono_s24.wav",
    "stereo_s16.wav",
    "mono_s16.flac",
    "stereo_s16.flac",
    "mono_unknown_length.flac",
    "mono_vorbis.ogg",
    "stereo_vorbis.ogg",
    "chained_vorbis.ogg",
    "mono_mp3.mp3",
    "stereo_mp3.mp3",
    "mono_lavc.mp3",
    "mono_no_info.mp3",
    "mono_aac.m4a",
    "stereo_aac.m4a",
    "mono_adts.aac",
];

fn is_send<T: Send>(_: &T) {}

#[test]
fn a_source_can_go_to_another_thread_and_tells_no_sound() {
    let source = testing::open(&golden("mono_s16.flac"));
    is_send(&source);
    let text = format!("{source:?}");
    assert!(
        text.contains("n_samples: Some(4000)") && text.len() < 120,
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_told_without_its_path() {
    let missing =
        Source::open(Path::new("/nowhere/secret-name.wav"), 1, Channel::FIRST).unwrap_err();
    assert_eq!(missing.reason, Reason::Unreadable);
    assert!(!missing.to_string().contains("secret"));
    let folder = Source::open(&std::env::temp_dir(), 1, Channel::FIRST).unwrap_err();
    assert_eq!(
        (folder.reason, folder.actual.as_str()),
        (Reason::Unreadable, "a directory")
    );
    #[cfg(unix)]
    assert_eq!(
        Source::open(Path::new("/dev/null"), 1, Channel::FIRST)
            .unwrap_err()
            .reason,
        Reason::Unreadable
    );
}

#[test]
fn what_is_no_sound_is_refused() {
    assert_eq!(refusal(b""), Some(Reason::Empty));
    assert_eq!(refusal(b"RIF"), Some(Reason::TruncatedHeader));
    assert_eq!(refusal(b"Ogg"), Some(Reason::TruncatedHeader));
    assert_eq!(
        refusal(b"RIFX\0\0\0\0WAVEfmt "),
        Some(Reason::UnsupportedEncoding)
    );
    assert_eq!(
        refusal(&golden("mono_adpcm.wav")),
        Some(Reason::UnsupportedEncoding)
    );
    for other in [
        &b"RIFF\0\0\0\0AVI LIST"[..],
        b"\0",
        b"FORM\0\0\0\0AIFF",
        &[0xFF; 99],
    ] {
        assert_eq!(refusal(other), Some(Reason::NotAudio));
    }
}

#[test]
fn a_wish_for_too_many_or_no_samples_is_bounded() {
    let data = vec![0; 2 * (MAX_BLOCK_SAMPLES + 5)];
    let mut source = testing::open(&wav(1, 16, &data));
    let first = source.next_block(usize::MAX).unwrap().unwrap();
    assert_eq!(first.n_samples(), MAX_BLOCK_SAMPLES);
    assert_eq!(source.next_block(0).unwrap().unwrap().n_samples(), 1);
    assert_eq!(source.position(), MAX_BLOCK_SAMPLES as u64 + 1);
}

#[test]
fn trickling_reads_give_the_same_samples() {
    for name in GOLDEN {
        let expected = decode(&golden(name));
        for max in [1, 2, 3, 61, 1_009] {
            let inner = Cursor::new(golden(name));
            let reader = Trickle {
                inner,
                max,
                n_calls: 0,
            };
            let mut source = Source::from_reader(reader, 7, Channel::FIRST).unwrap();
            let (samples, error) = drain(&mut source, &[333]);
            assert!(
                (samples, error.map(|e| e.reason)) == expected,
                "{name} {max}"
            );
        }
    }
}

/// Puts the checksums of all pages right, so that damage reaches the decoder.
fn reseal(bytes: &mut [u8]) {
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|&at| bytes[at..].starts_with(b"OggS"))
        .collect();
    for (i, &start) in starts.iter().enumerate() {
        let end = starts.get(i + 1).map_or(bytes.len(), |&end| end);
        if end - start >= 27 {
            bytes[start + 22..start + 26].fill(0);
            let crc = ogg::checksum(0, &bytes[start..end]);
            bytes[start + 22..start + 26].copy_from_slice(&crc.to_le_bytes());
        }
    }
}

/// Puts the checksums at the ends of all FLAC frames right; `starts` are those of the undamaged file.
fn reseal_flac(bytes: &mut [u8], starts: &[usize]) {
    for (i, &start) in starts.iter().enumerate() {
        let end = starts.get(i + 1).map_or(bytes.len(), |&end| end);
        let crc = bytes[start..end - 2].iter().fold(0_u16, |crc, &byte| {
            (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
                if crc >> 15 == 1 {
                    crc << 1 ^ 0x8005
                } else {
                    crc << 1
                }
            })
        });
        bytes[end - 2..end].copy_from_slice(&crc.to_be_bytes());
    }
}

/// Where the frames of an undamaged FLAC file of fixed blocks begin.
fn frame_starts(bytes: &[u8]) -> Vec<usize> {
    let is_start = |at: &usize| bytes[*at..].starts_with(&[0xFF, 0xF8]);
    (0..bytes.len()).filter(is_start).collect()
}

/// Damages a valid file and drains it: it ends, in order or with a reason, and delivers finite samples.
fn survive(name: &str, edits: &[(u16, u8, u8)], is_resealed: bool) {
    let mut bytes = golden(name);
    let starts = if name.ends_with("flac") {
        frame_starts(&bytes)
    } else {
        vec![]
    };
    // Frames whose checksums are put right must stay where they are.
    let n_kinds = if is_resealed && !starts.is_empty() {
        3
    } else {
        6
    };
    for &(at, value, kind) in edits {
        let at = usize::from(at) % bytes.len();
        match kind % n_kinds {
            0 | 1 => bytes[at] = value,
            2 => bytes[at] ^= 1 << (value % 8),
            3 => bytes.truncate(at.max(1)),
            4 => bytes.insert(at, value),
            _ => bytes
                .drain(at..(at + usize::from(value)).min(bytes.len()))
                .for_each(drop),
        }
        if bytes.is_empty() {
            return;
        }
    }
    if is_resealed {
        reseal(&mut bytes);
        reseal_flac(&mut bytes, &starts);
    }
    let (samples, _) = decode(&bytes);
    assert!(samples.iter().all(|x| x.is_finite()) && samples.len() < 1 << 22);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_split_gives_the_samples_of_the_whole(
        sizes in prop::collection::vec(1_usize..5_000, 1..6),
        which in 0..GOLDEN.len(),
    ) {
        let bytes = golden(GOLDEN[which]);
        let (samples, error) = drain(&mut testing::open(&bytes), &sizes);
        prop_assert!((samples, error.map(|e| e.reason)) == decode(&bytes));
    }

    #[test]
    fn any_raw_bytes_split_anyhow_give_the_same_samples(
        bytes in prop::collection::vec(any::<u8>(), 0..3_000),
        which in 0..PcmEncoding::ALL.len(),
        n_channels in 1_u32..=64,
        sizes in prop::collection::vec(1_usize..400, 1..5),
        max in 1_usize..300,
    ) {
        let encoding = PcmEncoding::ALL[which];
        let whole = drain(&mut testing::raw(&bytes, encoding, n_channels), &[100_000]);
        let format = PcmFormat { sample_rate: 8_000, encoding, n_channels };
        let reader = Trickle { inner: Cursor::new(bytes), max, n_calls: 0 };
        let mut source = Source::pcm(Box::new(reader), 7, format, Channel::FIRST).unwrap();
        prop_assert_eq!(drain(&mut source, &sizes), whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        which in 0_usize..9,
        tail in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let heads: [&[u8]; 9] = [b"ID3\x04\0\0\0\0\0\0\xFF\xFB", b"\xFF\xFB\x90\xC0", b"\0\0\0\x0Cftyp\0\0\0\0\0\0\0\0moov", b"", b"RIFF\0\0\0\0WAVE", b"RF64\0\0\0\0WAVEds64", b"fLaC\x80\0\0\x22", b"OggS\0\x02", b"fLaC"];
        decode(&[heads[which], &tail].concat());
        let body = [&format_body(1, 1, 16_000, 16)[..], &tail].concat();
        decode(&riff(&[chunk(b"fmt ", &body), tail]));
    }

    #[test]
    fn damaged_files_never_panic(
        which in 0..GOLDEN.len(),
        edits in prop::collection::vec((any::<u16>(), any::<u8>(), any::<u8>()), 1..6),
        is_resealed in any::<bool>(),
    ) {
        survive(GOLDEN[which], &edits, is_resealed);
    }
}

/// Minutes of damage: `SOURDINE_DAMAGE` files (default 20 000) of every kind.
#[test]
#[ignore = "takes minutes"]
#[allow(clippy::disallowed_methods)] // The setting is the test's own.
fn a_long_run_of_damaged_files_never_panics() {
    let n_files = std::env::var("SOURDINE_DAMAGE").map_or(20_000, |n| n.parse().unwrap());
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for i in 0..n_files {
        let n_edits = 1 + next() as usize % 4;
        let edits: Vec<(u16, u8, u8)> = (0..n_edits)
            .map(|_| {
                let word = next();
                // Every other edit strikes the headers.
                let at = if word >> 40 & 1 == 0 {
                    word as u16 % 3_900
                } else {
                    word as u16 % 256
                };
                (at, (word >> 16) as u8, (word >> 24) as u8)
            })
            .collect();
        survive(GOLDEN[i % GOLDEN.len()], &edits, next() % 4 > 0);
    }
}

/// The real clips beside the checkout hold as many samples as they say.
#[test]
#[allow(clippy::disallowed_methods, clippy::disallowed_macros)] // Where the data lie is a setting of the tests.
fn real_clips_are_whole() {
    let setting = |name| std::env::var(name).unwrap_or_default();
    let data = match setting("SOURDINE_DATA").as_str() {
        "" => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        folder => Path::new(folder).to_path_buf(),
    };
    let mut clips = Vec::new();
    for class in std::fs::read_dir(data.join("data/city_sounds/free"))
        .into_iter()
        .flatten()
    {
        let first = std::fs::read_dir(class.unwrap().path())
            .into_iter()
            .flatten()
            .next();
        clips.extend(first.map(|clip| clip.unwrap().path()));
    }
    if clips.is_empty() {
        assert_ne!(
            setting("SOURDINE_REQUIRE"),
            "all",
            "no clips below {}",
            data.display()
        );
        println!("skipped: real_clips_are_whole, no data/city_sounds");
        return;
    }
    for clip in clips {
        let mut source = Source::open(&clip, 1, Channel::FIRST).unwrap();
        let n_samples = source.n_samples().unwrap();
        let (samples, error) = drain(&mut source, &[16_000]);
        assert_eq!(
            (samples.len() as u64, error),
            (n_samples, None),
            "{}",
            clip.display()
        );
    }
}
