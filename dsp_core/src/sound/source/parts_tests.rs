//! Parts of a stream: one of its channels, and what a skip leaves.

use std::io::{Cursor, Seek, SeekFrom};

use proptest::prelude::*;

use super::testing::{decode, drain, golden};
use super::tests::GOLDEN;
use super::*;

/// Two channels that differ, as every container has them.
const STEREO: [&str; 5] = [
    "stereo_s16.wav",
    "stereo_s16.flac",
    "stereo_vorbis.ogg",
    "stereo_mp3.mp3",
    "stereo_aac.m4a",
];

fn heard(name: &str, channel: Channel) -> Vec<f32> {
    let reader = Cursor::new(golden(name));
    let (samples, error) = drain(
        &mut Source::from_reader(reader, 7, channel).unwrap(),
        &[501],
    );
    assert_eq!(error, None);
    samples
}

#[test]
fn one_channel_is_heard_or_the_mean_of_both() {
    for name in STEREO {
        let [first, second] = [1, 2].map(|number| heard(name, Channel::Number(number)));
        assert_ne!(first, second, "{name}");
        let mean = heard(name, Channel::Mean);
        let expected = first.iter().zip(&second).map(|(x, y)| (x + y) / 2.0);
        assert_eq!(mean, expected.collect::<Vec<_>>(), "{name}");
        let refused = Source::from_reader(Cursor::new(golden(name)), 7, Channel::Number(3));
        let text = refused.unwrap_err().to_string();
        assert_eq!(
            text, "bad_channels: expected channel 1 to 2, got 3",
            "{name}"
        );
    }
    assert_eq!(
        heard("stereo_s16.wav", Channel::Number(2)),
        heard("stereo_s16.flac", Channel::Number(2))
    );
    assert_eq!(
        heard("mono_s16.flac", Channel::Mean),
        decode(&golden("mono_s16.wav")).0
    );
}

#[test]
fn a_chained_stream_without_the_channel_ends_the_sound() {
    let chained = [golden("stereo_vorbis.ogg"), golden("mono_vorbis.ogg")].concat();
    let mut source = Source::from_reader(Cursor::new(chained), 7, Channel::Number(2)).unwrap();
    let (samples, error) = drain(&mut source, &[1_000]);
    assert_eq!(samples, heard("stereo_vorbis.ogg", Channel::Number(2)));
    assert_eq!(error.map(|error| error.reason), Some(Reason::BadChannels));
}

/// What is left after a skip, and how many samples were gone over.
fn skipped(mut source: Source, skips: &[u64]) -> (u64, Vec<f32>, Option<Reason>) {
    let n_skipped = skips.iter().map(|&n| source.skip(n).unwrap()).sum();
    let (samples, error) = drain(&mut source, &[777]);
    (n_skipped, samples, error.map(|error| error.reason))
}

#[test]
fn a_stream_that_ends_before_the_skip_is_over_and_no_error() {
    for name in GOLDEN {
        let n_samples = decode(&golden(name)).0.len() as u64;
        for skip in [n_samples, n_samples + 1, u64::MAX] {
            let (n_skipped, samples, error) = skipped(testing::open(&golden(name)), &[skip, 1]);
            assert_eq!(
                (n_skipped, samples, error),
                (n_samples, vec![], None),
                "{name}"
            );
        }
    }
    let none = testing::raw(&[], PcmEncoding::S16Le, 1);
    assert_eq!(skipped(none, &[5]), (0, vec![], None));
    let none = testing::raw(&[], PcmEncoding::S16Le, 1);
    assert_eq!(skipped(none, &[0]), (0, vec![], Some(Reason::Empty)));
}

#[test]
fn a_skip_comes_before_the_first_block() {
    let mut source = testing::open(&golden("mono_s16.wav"));
    source.next_block(10).unwrap();
    let error = source.skip(1).unwrap_err().to_string();
    assert_eq!(
        error,
        "out_of_order: expected a stream of which nothing was read, got one at sample 10"
    );
    while source.next_block(1_000).unwrap().is_some() {}
    assert_eq!(source.skip(1).unwrap_err().reason, Reason::OutOfOrder);
    let mut silent = testing::raw(&[], PcmEncoding::S16Le, 1);
    assert!(silent.next_block(1).is_err());
    assert_eq!(silent.skip(1).unwrap_err().reason, Reason::OutOfOrder);
}

#[test]
fn a_raw_file_is_gone_over_from_where_it_stands() {
    use std::io::Write;
    let path = std::env::temp_dir().join(format!("sourdine-raw-{}", std::process::id()));
    std::fs::File::create(&path)
        .unwrap()
        .write_all(&[9, 0, 32, 0, 64, 0, 96, 7])
        .unwrap();
    let mut file = std::fs::File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file.seek(SeekFrom::Start(1)).unwrap();
    let format = PcmFormat {
        sample_rate: 8_000,
        encoding: PcmEncoding::S16Le,
        n_channels: 1,
    };
    let source = Source::pcm_file(file, 7, format, Channel::FIRST).unwrap();
    let expected = (1, vec![0.5, 0.75], Some(Reason::PartialSample));
    assert_eq!(skipped(source, &[1]), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Also of damaged files: a fault is told by the next block, whether it lies in what is skipped or behind it.
    #[test]
    fn a_skip_leaves_what_a_read_would_leave(
        which in 0..GOLDEN.len(),
        skips in prop::collection::vec(0_u64..2_500, 1..4),
        cut in prop::option::of(any::<u16>()),
    ) {
        let mut bytes = golden(GOLDEN[which]);
        if let Some(cut) = cut {
            bytes.truncate(bytes.len() - usize::from(cut) % bytes.len());
        }
        if let Ok(source) = Source::from_reader(Cursor::new(bytes.clone()), 7, Channel::Mean) {
            let mut whole = Source::from_reader(Cursor::new(bytes), 7, Channel::Mean).unwrap();
            let (samples, error) = drain(&mut whole, &[640]);
            let n_skipped = samples.len().min(skips.iter().sum::<u64>() as usize);
            let error = error.filter(|error| n_skipped == 0 || error.reason != Reason::Empty);
            let expected = (n_skipped as u64, samples[n_skipped..].to_vec(), error.map(|error| error.reason));
            prop_assert!(skipped(source, &skips) == expected);
        }
    }
}
