//! What does not open, and why.

use super::*;

type Opened = Result<(), BlockError>;

fn open(topic: Topic, sensor_id: u32, sealed: &[u8]) -> Opened {
    let (keys, mut mark) = (ring(7), Mark::default());
    match topic {
        Topic::Sound => keys
            .open_block(sensor_id, sealed, &mut mark, NOW_MS)
            .map(drop),
        Topic::Windows => keys.open_window(sensor_id, sealed, NOW_MS).map(drop),
        Topic::Candidates => keys.open_candidate(sensor_id, sealed, &mut mark).map(drop),
        Topic::Checkpoints => keys.open_state(sensor_id, sealed).map(drop),
    }
}

fn reason(opened: Opened) -> Option<Reason> {
    opened.err().map(|error| error.reason)
}

/// A message of each topic, from sensor 17.
fn messages() -> [(Topic, Vec<u8>); 4] {
    let keys = ring(7);
    let window = keys.seal_window(&window(3, 5), None).unwrap();
    let opened = keys.open_window(17, &window, NOW_MS).unwrap();
    let candidate = keys.seal_candidate(&classifier().push(opened)).unwrap();
    let state = keys.seal_state(17, 8, b"state").unwrap();
    [
        (Topic::Sound, sealed_block()),
        (Topic::Windows, window),
        (Topic::Candidates, candidate),
        (Topic::Checkpoints, state),
    ]
}

#[test]
fn each_opens_in_its_own_place_alone() {
    for (topic, sealed) in messages() {
        assert_eq!(reason(open(topic, 17, &sealed)), None);
        assert_eq!(reason(open(topic, 18, &sealed)), Some(Reason::WrongSensor));
        for &other in Topic::ALL.iter().filter(|&&other| other != topic) {
            assert_eq!(reason(open(other, 17, &sealed)), Some(Reason::WrongTopic));
        }
    }
}

#[test]
fn each_fault_of_the_header_has_its_own_reason() {
    let sealed = sealed_block();
    let with = |at: usize, value: u8| {
        let mut changed = sealed.clone();
        changed[at] = value;
        reason(open(Topic::Sound, 17, &changed))
    };
    assert_eq!(with(0, 1), Some(Reason::BadVersion), "form");
    assert_eq!(with(1, 1), Some(Reason::WrongTopic), "another topic");
    assert_eq!(with(1, 200), Some(Reason::WrongTopic), "no topic");
    assert_eq!(with(2, 9), Some(Reason::BadVersion), "content");
    assert_eq!(with(6, !sealed[6]), Some(Reason::WrongKey));
    assert_eq!(with(14, 18), Some(Reason::WrongSensor));
    assert_eq!(with(18, !sealed[18]), Some(Reason::BadSeal), "boot");
    assert_eq!(with(26, 4), Some(Reason::BadSeal), "sequence");
    assert_eq!(with(34, 255), Some(Reason::TruncatedData), "more bytes");
    assert_eq!(with(34, 0), Some(Reason::Oversized), "fewer bytes");
    assert_eq!(with(37, 255), Some(Reason::Oversized), "too many bytes");
    for at in [header::BYTES, header::BYTES + NONCE_BYTES, sealed.len() - 1] {
        assert_eq!(with(at, !sealed[at]), Some(Reason::BadSeal), "byte {at}");
    }
}

#[test]
fn another_front_end_or_model_is_refused() {
    let [_, (_, window), (_, candidate), _] = messages();
    for (topic, mut sealed) in [(Topic::Windows, window), (Topic::Candidates, candidate)] {
        sealed[2] ^= 1;
        let refused = open(topic, 17, &sealed).unwrap_err();
        assert_eq!(refused.reason, Reason::BadVersion);
        assert!(refused.expected.contains("of version 0x"), "{refused}");
    }
    let mut other = classifier().push(ring(7).open_window(17, &messages()[1].1, 0).unwrap());
    other.model ^= 1;
    let sealed = ring(7).seal_candidate(&other).unwrap();
    assert_eq!(
        reason(open(Topic::Candidates, 17, &sealed)),
        Some(Reason::BadVersion)
    );
}

#[test]
fn every_shorter_and_every_longer_message_is_refused() {
    for (topic, mut sealed) in messages() {
        for n in (0..sealed.len()).filter(|n| *n < 200 || n % 97 == 0) {
            let expected = if n < header::BYTES {
                Reason::TruncatedHeader
            } else {
                Reason::TruncatedData
            };
            assert_eq!(reason(open(topic, 17, &sealed[..n])), Some(expected), "{n}");
        }
        sealed.push(0);
        assert_eq!(reason(open(topic, 17, &sealed)), Some(Reason::Oversized));
    }
}

#[test]
fn more_than_a_broker_takes_is_not_sealed() {
    let block = AudioBlock::new(1, 192_000, 0, vec![0.5; 300_000]).unwrap();
    let refused = ring(7)
        .seal_block(&block, BlockFormat::F32Le, 0, 0)
        .unwrap_err();
    assert_eq!(refused.reason, Reason::Oversized);
    assert!(ring(7).seal_block(&block, BlockFormat::S24Le, 0, 0).is_ok());
}

#[test]
fn content_that_no_stage_makes_is_refused_though_its_seal_is_good() {
    let header = |topic| Header::new(topic, 17, BOOT_NS, 0);
    let corrupt = |topic, content: &[u8]| {
        let sealed = ring(7).seal(header(topic), content).unwrap();
        assert_eq!(reason(open(topic, 17, &sealed)), Some(Reason::CorruptData));
    };
    for topic in [Topic::Sound, Topic::Windows, Topic::Candidates] {
        for n in [0, 1, 12, 13, 40] {
            corrupt(topic, &vec![0xff; n]);
        }
        corrupt(topic, &vec![1; 70_000]);
    }
    let late = window(1, 0);
    let mut out = crate::checkpoint::Writer::default();
    out.option(None);
    late.write(&mut out).unwrap();
    // Of another second than its number says.
    let moved = ring(7).seal(
        Header::new(Topic::Windows, 17, BOOT_NS, 99),
        &out.into_bytes(),
    );
    assert_eq!(
        reason(open(Topic::Windows, 17, &moved.unwrap())),
        Some(Reason::CorruptData)
    );
}

#[test]
fn a_sealed_block_of_no_rate_or_with_no_sound_is_refused_like_any_block() {
    let sealed = |sample_rate: u32, samples: &[f32]| {
        let mut out = crate::checkpoint::Writer::default();
        out.u32(sample_rate);
        out.u32(BlockFormat::F32Le.code().into());
        out.u64(0);
        out.f32s(samples);
        let header = Header::new(Topic::Sound, 17, BOOT_NS, 0);
        ring(7).seal(header, &out.into_bytes()).unwrap()
    };
    let refused = |sealed: &[u8]| reason(open(Topic::Sound, 17, sealed));
    assert_eq!(refused(&sealed(7, &[0.0])), Some(Reason::BadRate));
    assert_eq!(refused(&sealed(16_000, &[])), Some(Reason::Empty));
    assert_eq!(
        refused(&sealed(16_000, &[f32::NAN])),
        Some(Reason::NotFinite)
    );
    assert_eq!(refused(&sealed(16_000, &[2e3])), Some(Reason::OutOfRange));
}

#[test]
fn what_came_before_is_a_duplicate_and_a_later_boot_is_none() {
    let (keys, mut mark) = (ring(7), Mark::default());
    let mut send = |boot: u64, sequence: u64| {
        let sealed = keys
            .seal_block(&block(9), BlockFormat::S16Le, boot, sequence)
            .unwrap();
        reason(keys.open_block(17, &sealed, &mut mark, NOW_MS).map(drop))
    };
    assert_eq!(send(BOOT_NS, 0), None);
    assert_eq!(send(BOOT_NS, 0), Some(Reason::Duplicate));
    assert_eq!(send(BOOT_NS, 7), None, "a gap is no duplicate");
    assert_eq!(send(BOOT_NS, 6), Some(Reason::Duplicate));
    assert_eq!(send(BOOT_NS + 1, 0), None, "the sensor began anew");
    assert_eq!(
        send(BOOT_NS, 8),
        Some(Reason::Duplicate),
        "of a boot that is past"
    );
    let ahead = BOOT_NS + 2_001_000_000;
    assert_eq!(send(ahead, 0), Some(Reason::ClockAhead));
    assert_eq!(send(BOOT_NS + 2, 0), None, "what was ahead moved nothing");
    assert_eq!(mark.last(), Some((BOOT_NS + 2, 0)));
}

#[test]
fn what_does_not_open_moves_no_mark() {
    let mut mark = Mark::default();
    let mut sealed = sealed_block();
    *sealed.last_mut().unwrap() ^= 1;
    assert!(ring(7).open_block(17, &sealed, &mut mark, NOW_MS).is_err());
    assert!(
        ring(7)
            .open_block(17, &sealed_block(), &mut mark, 0)
            .is_err()
    );
    assert_eq!(mark, Mark::default());
}

/// Messages with bits turned, bytes put in, cut out and doubled: none opens, none stops the test.
#[test]
fn a_hundred_thousand_mutated_messages_are_refused() {
    let (messages, mut random) = (messages(), Xorshift(11));
    for _ in 0..100_000 {
        let (topic, sealed) = &messages[random.below(4) as usize];
        let mut changed = sealed.clone();
        for _ in 0..1 + random.below(3) {
            let n = changed.len() as u64;
            let at = if random.below(2) == 0 {
                random.below(n.min(62))
            } else {
                random.below(n)
            } as usize;
            match random.below(4) {
                0 => changed[at] = changed[at].wrapping_add(1 + random.below(255) as u8),
                1 => changed.insert(at, random.below(256) as u8),
                2 => changed.truncate(at.max(1)),
                _ => changed.extend_from_within(at..),
            }
        }
        let is_changed = changed != *sealed;
        assert_eq!(open(*topic, 17, &changed).is_err(), is_changed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_bit_does_not_open(message in 0_usize..4, at: prop::sample::Index) {
        let (topic, mut sealed) = messages()[message].clone();
        let at = at.index(sealed.len() * 8);
        sealed[at / 8] ^= 1 << (at % 8);
        prop_assert!(open(topic, 17, &sealed).is_err());
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), topic in 0_u8..4, is_framed: bool) {
        let mut sealed = bytes;
        if is_framed && sealed.len() >= header::BYTES {
            let header = Header { key_id: ring(7).keys[0].id, n_bytes: 40, ..Header::new(Topic::from_code(topic).unwrap(), 17, 0, 0) };
            sealed[..header::BYTES].copy_from_slice(&header.to_bytes());
        }
        prop_assert!(open(Topic::from_code(topic).unwrap(), 17, &sealed).is_err());
        let _ = Header::read(&sealed);
    }
}
