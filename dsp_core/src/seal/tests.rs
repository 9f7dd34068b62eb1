use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;

fn ring(first: u8) -> KeyRing {
    KeyRing::new(vec![Zeroizing::new([first; KEY_BYTES])]).unwrap()
}

fn reason(result: Result<Zeroizing<Vec<u8>>, BlockError>) -> Option<Reason> {
    result.err().map(|error| error.reason)
}

#[test]
fn opens_as_it_was_sealed_and_no_two_seals_are_alike() {
    let mut sealer = Sealer::new(ring(7), [1; BOOT_BYTES]);
    let [a, b] = [0, 1].map(|_| sealer.seal(Topic::Checkpoints, 17, b"state").unwrap());
    assert_ne!(a, b);
    for sealed in [&a, &b] {
        let plain = ring(7).open(Topic::Checkpoints, 17, sealed).unwrap();
        assert_eq!(&plain[..], b"state");
    }
    let words = a.windows(5).filter(|bytes| bytes == b"state").count();
    assert_eq!(words, 0);
}

#[test]
fn another_sensor_or_key_does_not_open_it() {
    let sealed = Sealer::new(ring(7), [1; BOOT_BYTES])
        .seal(Topic::Checkpoints, 17, b"state")
        .unwrap();
    assert_eq!(
        reason(ring(7).open(Topic::Checkpoints, 18, &sealed)),
        Some(Reason::BadSeal)
    );
    assert_eq!(
        reason(ring(8).open(Topic::Checkpoints, 17, &sealed)),
        Some(Reason::BadSeal)
    );
    let keys = [8, 7].map(|first| Zeroizing::new([first; KEY_BYTES]));
    let both = KeyRing::new(keys.to_vec()).unwrap();
    assert!(both.open(Topic::Checkpoints, 17, &sealed).is_ok());
    assert_eq!(both.ids(), [ring(8).ids(), ring(7).ids()].concat());
}

#[test]
fn rings_without_or_with_doubled_keys_are_refused() {
    let key = || Zeroizing::new([1; KEY_BYTES]);
    assert!(KeyRing::new(vec![]).is_err());
    assert!(KeyRing::new(vec![key(), key()]).is_err());
}

#[test]
fn nothing_shown_holds_the_key() {
    let shown = format!("{:?}", Sealer::new(ring(0xAB), [2; BOOT_BYTES]));
    assert!(!shown.contains("abab") && !shown.contains("171"), "{shown}");
}

proptest! {
    #[test]
    fn a_changed_bit_does_not_open(at in 0..(HEADER_BYTES + 5 + TAG_BYTES) * 8) {
        let mut sealed = Sealer::new(ring(7), [1; BOOT_BYTES]).seal(Topic::Checkpoints, 17, b"state").unwrap();
        sealed[at / 8] ^= 1 << (at % 8);
        prop_assert_eq!(reason(ring(7).open(Topic::Checkpoints, 17, &sealed)), Some(Reason::BadSeal));
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(ring(7).open(Topic::Checkpoints, 17, &bytes).is_err());
    }
}

#[cfg(feature = "std-io")]
mod files {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("seal-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_rotation_keeps_the_key_before_it_and_forgets_the_one_before_that() {
        let folder = Folder::new("rotate");
        let path = folder.0.join("zone.key");
        let first = KeyRing::create(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let sealed = Sealer::from_system(first)
            .unwrap()
            .seal(Topic::Checkpoints, 1, b"x")
            .unwrap();
        let second = KeyRing::rotate(&path).unwrap();
        assert!(second.open(Topic::Checkpoints, 1, &sealed).is_ok());
        let third = KeyRing::rotate(&path).unwrap();
        assert_eq!(third.ids()[1], second.ids()[0]);
        assert!(third.open(Topic::Checkpoints, 1, &sealed).is_err());
        assert_eq!(KeyRing::read(&path).unwrap().ids(), third.ids());
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    }

    #[test]
    fn files_that_are_no_key_of_the_owner_alone_are_refused() {
        let folder = Folder::new("refuse");
        let path = folder.0.join("zone.key");
        let refusal = |path: &PathBuf| KeyRing::read(path).err().map(|error| error.reason);
        assert_eq!(refusal(&path), Some(Reason::Unreadable));
        KeyRing::create(&path).unwrap();
        assert_eq!(
            KeyRing::create(&path).err().map(|e| e.reason),
            Some(Reason::Unreadable)
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(refusal(&path), Some(Reason::BadSeal));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "abc\n", &"z".repeat(64), &"0".repeat(1000)] {
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).truncate(true).open(&path).unwrap();
            std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            assert_eq!(refusal(&path), Some(Reason::BadSeal), "{text}");
        }
    }
}
