//! Key files.

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
    let sealed = first.seal_state(1, 0, b"x").unwrap();
    let second = KeyRing::rotate(&path).unwrap();
    assert!(second.open_state(1, &sealed).is_ok());
    let third = KeyRing::rotate(&path).unwrap();
    assert_eq!(third.ids()[1], second.ids()[0]);
    assert!(third.open_state(1, &sealed).is_err());
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
