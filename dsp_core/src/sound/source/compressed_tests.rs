//! MP3 and AAC, with and without a container: another decoder's samples, cuts, damage, and what is not taken for sound.

use super::testing::{decode, drain, golden, open, refusal};
use crate::error::Reason;

/// Each file, and the samples of the sound that was encoded; `None` where the file does not say how many they were.
const FILES: [(&str, Option<u64>); 7] = [
    ("mono_mp3.mp3", Some(4_000)),
    ("stereo_mp3.mp3", Some(3_360)),
    ("mono_lavc.mp3", Some(4_000)),
    ("mono_no_info.mp3", None),
    ("mono_aac.m4a", Some(4_000)),
    ("stereo_aac.m4a", Some(3_360)),
    ("mono_adts.aac", None),
];

/// Half a step of the 16 bits that the reference is rounded to, and what two decoders may differ by.
const TOLERANCE: f32 = 0.51 / 32_768.0 + 4e-6;

fn reference(name: &str) -> Vec<f32> {
    let stem = name.split('.').next().unwrap_or_default();
    decode(&golden(&format!("{stem}.wav"))).0
}

#[test]
fn the_samples_are_those_of_the_reference_decoder() {
    for (name, n_samples) in FILES {
        let expected = reference(name);
        let (samples, error) = drain(&mut open(&golden(name)), &[7, 500]);
        assert_eq!(error, None, "{name}");
        // FFmpeg cuts the beginning of AAC off, and leaves what the last packet is filled up with.
        let n_expected = n_samples.map_or(expected.len(), |n| n as usize);
        assert_eq!(samples.len(), n_expected, "{name}");
        let furthest = samples.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let furthest = furthest.fold(0.0, f32::max);
        assert!(furthest <= TOLERANCE, "{name} {furthest}");
    }
}

/// Where the file says what the encoder put around it, the sound lies where it lay.
#[test]
fn the_sound_is_not_late() {
    for (name, wav) in [
        ("mono_mp3.mp3", "mono_s16.wav"),
        ("stereo_mp3.mp3", "stereo_s16.wav"),
        ("mono_lavc.mp3", "mono_s16.wav"),
        ("mono_aac.m4a", "mono_s16.wav"),
        ("stereo_aac.m4a", "stereo_s16.wav"),
    ] {
        let (sound, heard) = (decode(&golden(wav)).0, decode(&golden(name)).0);
        assert_eq!(sound.len(), heard.len());
        let near = &sound[100..sound.len() - 100];
        let product =
            |at: usize| -> f32 { near.iter().zip(&heard[at..]).map(|(x, y)| x * y).sum() };
        let best = (0..200).max_by(|&i, &j| product(i).total_cmp(&product(j)));
        // Low tones lie alike a sample further.
        assert!(
            best.is_some_and(|best| best.abs_diff(100) <= 1),
            "{name} {best:?}"
        );
        let energy: f32 = near.iter().map(|x| x * x).sum();
        assert!(product(100) > 0.9 * energy, "{name}");
    }
}

#[test]
fn the_headers_are_told() {
    for (name, sample_rate, n_channels) in [
        ("mono_mp3.mp3", 16_000, 1),
        ("stereo_mp3.mp3", 48_000, 2),
        ("mono_aac.m4a", 16_000, 1),
        ("stereo_aac.m4a", 48_000, 2),
        ("mono_adts.aac", 16_000, 1),
    ] {
        let source = open(&golden(name));
        assert_eq!(
            (source.sample_rate(), source.n_channels()),
            (sample_rate, n_channels)
        );
        let n_samples = FILES
            .iter()
            .find(|file| file.0 == name)
            .and_then(|file| file.1);
        assert_eq!(
            (source.n_samples(), source.bits_per_sample()),
            (n_samples, 16),
            "{name}"
        );
        assert_eq!(source.recorded_at(), None);
    }
}

#[test]
fn every_cut_is_told() {
    for (name, n_samples) in FILES {
        let bytes = golden(name);
        let whole = decode(&bytes).0;
        // Fewer bytes tell no container.
        for n in 8..bytes.len() {
            let (samples, reason) = decode(&bytes[..n]);
            assert!(whole.starts_with(&samples), "{name} {n}");
            let is_told = matches!(
                reason,
                Some(Reason::TruncatedHeader | Reason::TruncatedData)
            );
            // Frames without a table are whole between any two, and what stands behind the sound may be cut.
            let is_between = n_samples.is_none() && reason.is_none();
            let is_behind = samples == whole && reason.is_none();
            assert!(is_told || is_between || is_behind, "{name} {n} {reason:?}");
        }
    }
}

#[test]
fn what_only_begins_like_a_frame_is_no_sound() {
    let bytes = golden("mono_no_info.mp3");
    for n_kept in [7, 100, 287] {
        let garbage = [&bytes[..n_kept], &[0x55; 3_000][..]].concat();
        assert_eq!(refusal(&garbage), Some(Reason::NotAudio), "{n_kept}");
    }
    let text = b"\xFF\xFEh\0e\0l\0l\0o\0 \0t\0h\0e\0r\0e\0";
    assert_eq!(refusal(text), Some(Reason::NotAudio));
    let tagged = b"ID3\x04\0\0\0\0\0\0%PDF-1.7 and so on";
    assert_eq!(refusal(tagged), Some(Reason::NotAudio));
    assert_eq!(refusal(b"ID3\x04\0\0"), Some(Reason::TruncatedHeader));
}

#[test]
fn frames_that_do_not_follow_end_the_sound() {
    let bytes = golden("mono_no_info.mp3");
    let whole = decode(&bytes).0;
    let n_frame_bytes = 288;
    for other in [
        &[0_u8; 64][..],
        b"ID3\x04\0\0\0",
        &golden("stereo_mp3.mp3")[40..],
    ] {
        let spliced = [&bytes[..3 * n_frame_bytes], other].concat();
        let (samples, reason) = decode(&spliced);
        assert!(whole.starts_with(&samples) && samples.len() == 3 * 576);
        assert_eq!(reason, Some(Reason::CorruptData));
    }
    let tagged = [&bytes[..], b"TAG", &[b' '; 125]].concat();
    assert_eq!(decode(&tagged), (whole, None));
    // More frames than the table tells.
    let told = golden("mono_mp3.mp3");
    let longer = [&told[..], &bytes[..n_frame_bytes]].concat();
    assert_eq!(
        decode(&longer),
        (decode(&told).0, Some(Reason::CorruptData))
    );
}

fn at(bytes: &[u8], name: &[u8]) -> usize {
    let found = bytes.windows(name.len()).position(|window| window == name);
    found.unwrap()
}

/// Writes bytes so far behind the name of a box.
fn patched(name: &[u8; 4], behind: usize, with: &[u8]) -> Vec<u8> {
    let mut out = golden("mono_aac.m4a");
    let start = at(&out, name) + 4 + behind;
    out[start..start + with.len()].copy_from_slice(with);
    out
}

#[test]
fn the_creation_time_of_an_mp4_is_its_stamp() {
    let time_s = (2_082_844_800_u32 + 1_709_210_096).to_be_bytes();
    let at = open(&patched(b"mvhd", 4, &time_s)).recorded_at();
    assert_eq!(
        at.map(|at| at.to_string()).as_deref(),
        Some("2024-02-29T12:34:56Z")
    );
}

#[test]
fn an_mp4_that_cannot_be_read_is_refused_with_its_reason() {
    let bytes = golden("mono_aac.m4a");
    let configuration = at(&bytes, b"\x05\x80\x80\x80\x05") + 5;
    let with_config = |byte: u8| {
        let mut out = bytes.clone();
        out[configuration] = byte;
        refusal(&out)
    };
    let unsupported = Some(Reason::UnsupportedEncoding);
    // HE-AAC told by the object type or by a rate twice as high; another object type; ALAC; no sound.
    assert_eq!(with_config(0x2C), unsupported);
    assert_eq!(
        refusal(&patched(b"mp4a", 24, &32_000_u16.to_be_bytes())),
        unsupported
    );
    assert_eq!(with_config(0x0C), unsupported);
    assert_eq!(refusal(&patched(b"stsd", 12, b"alac")), unsupported);
    assert_eq!(refusal(&patched(b"hdlr", 8, b"vide")), unsupported);
    // Tables that claim more than is there, and none.
    assert_eq!(
        refusal(&patched(b"stsz", 8, &[0xFF; 4])),
        Some(Reason::CorruptData)
    );
    assert_eq!(refusal(&patched(b"stsz", 8, &[0; 4])), Some(Reason::Empty));
    assert_eq!(
        refusal(&patched(b"stbl", 0, b"\0\0\0\x08free")),
        Some(Reason::CorruptData)
    );
    assert_eq!(refusal(&bytes[..40]), Some(Reason::TruncatedHeader));
    // Packets that lie elsewhere, or are larger than any.
    assert_eq!(
        decode(&patched(b"stco", 8, &[0x7F; 4])),
        (vec![], Some(Reason::TruncatedData))
    );
    assert_eq!(
        decode(&patched(b"stsz", 12, &[0x7F; 4])),
        (vec![], Some(Reason::CorruptData))
    );
}

fn named(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(8 + body.len() as u32).to_be_bytes()[..], name, body].concat()
}

/// The mono file with the comment that tells delay and length in place of its own user data, at its end.
fn with_gapless_comment(text: &[u8]) -> Vec<u8> {
    let bytes = golden("mono_aac.m4a");
    let entry = [
        named(b"mean", b"\0\0\0\0com.apple.iTunes"),
        named(b"name", b"\0\0\0\0iTunSMPB"),
        named(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], text].concat()),
    ];
    let list = named(b"ilst", &named(b"----", &entry.concat()));
    let user = named(b"udta", &named(b"meta", &[&[0; 4], &list[..]].concat()));
    let (moov, old) = (at(&bytes, b"moov") - 4, at(&bytes, b"udta") - 4);
    let mut with = [&bytes[..old], &user].concat();
    let n_moov = (with.len() - moov) as u32;
    with[moov..moov + 4].copy_from_slice(&n_moov.to_be_bytes());
    with
}

#[test]
fn what_the_encoder_put_around_the_sound_is_cut_off_as_it_is_told() {
    let bytes = golden("mono_aac.m4a");
    let whole = decode(&bytes).0;
    // Without the edit list, what the track is filled up with at the beginning stays.
    let mut unedited = bytes.clone();
    let start = at(&bytes, b"edts");
    unedited[start..start + 4].copy_from_slice(b"free");
    let unedited = decode(&unedited).0;
    assert_eq!((unedited.len(), &unedited[1_024..]), (5_024, &whole[..]));
    // An edit that begins later and ends sooner: 100 parts of 16 000 of a second from sample 1 504.
    let edit = [100_u32, 1_504].map(u32::to_be_bytes).concat();
    let mut edited = bytes.clone();
    let start = at(&bytes, b"elst") + 12;
    edited[start..start + 8].copy_from_slice(&edit);
    let clock = at(&bytes, b"mvhd") + 16;
    edited[clock..clock + 4].copy_from_slice(&1_000_u32.to_be_bytes());
    assert_eq!(decode(&edited), (whole[480..480 + 1_600].to_vec(), None));
    // The comment is exact, and goes before the edit list; one that is none is not taken.
    let told = with_gapless_comment(b" 00000000 00000500 000002C0 0000000000000A00 00000000");
    assert_eq!(decode(&told), (whole[256..256 + 0xA00].to_vec(), None));
    assert_eq!(decode(&with_gapless_comment(b" 0 x 0 1")), (whole, None));
}
