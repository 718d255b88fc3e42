//! Damaged sources: every whole document before the damage, then one error that says where it is.

use std::io::{self, Read};

use reshelve::dump::{self, OpenError};
use reshelve::ends::{BatchLimits, DamageKind};

use crate::helpers::{
    drain, gzip, read_bytes, read_garbage, small, small_archive, small_files, spec, whole, zstd,
};

#[test]
fn every_truncation_gives_the_whole_documents_before_it() {
    let expected = small();
    for (name, bytes, ends) in small_files() {
        let (documents, damage) = read_bytes(&bytes);
        assert!(damage.is_none(), "{name}: {damage:?}");
        assert_eq!(whole(documents), expected, "{name}");
        for cut in 0..bytes.len() {
            let (documents, damage) = read_bytes(&bytes[..cut]);
            let there = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(whole(documents), expected[..there], "{name} cut at {cut}");
            let clean = match name {
                "bson" => cut == 0 || ends.contains(&cut),
                "lines" => cut == 0 || ends.iter().any(|end| cut == *end || cut == *end + 1),
                // What is missing after the last bracket or header is not noticed.
                "array" => matches!(cut, 0 | 3 | 4) || cut + 1 >= bytes.len(),
                _ => cut == 0,
            };
            match damage {
                None => assert!(clean, "{name} cut at {cut}: no damage"),
                Some(damage) => {
                    assert!(!clean, "{name} cut at {cut}: {damage}");
                    assert_eq!(damage.kind, DamageKind::Truncated, "{name} cut at {cut}: {damage}");
                    assert!(damage.to_string().contains("truncated"), "{damage}");
                }
            }
        }
    }
}

#[test]
fn a_cut_tail_is_told_by_its_offset() {
    let documents = small();
    let bytes = documents.concat();
    let last = bytes.len() - documents[3].len();
    for cut in last + 1..bytes.len() {
        let damage = read_bytes(&bytes[..cut]).1.unwrap();
        assert_eq!(damage.place.offset, u64::try_from(last).unwrap());
        assert!(!damage.earlier_in_doubt);
    }
}

#[test]
fn every_truncation_of_compressed_files() {
    let expected = small();
    for (name, bytes, _) in small_files() {
        for packed in [gzip(&bytes), zstd(&bytes)] {
            for cut in 1..packed.len() {
                let (documents, damage) = read_bytes(&packed[..cut]);
                let documents = whole(documents);
                assert!(expected.starts_with(&documents), "{name} cut at {cut}");
                let damage = damage.unwrap();
                assert_eq!(damage.kind, DamageKind::Truncated, "{name} cut at {cut}: {damage}");
                assert!(damage.to_string().contains("truncated"), "{damage}");
                assert!(damage.earlier_in_doubt || documents.is_empty(), "{name} cut at {cut}");
            }
        }
    }
}

#[test]
fn confirmed_members_are_not_in_doubt() {
    let documents = small();
    for pack in [gzip, zstd] {
        let first = pack(&documents[..2].concat());
        let second = pack(&documents[2..].concat());
        let mut bytes = [first.clone(), second.clone()].concat();
        bytes.truncate(first.len() + 12);
        let (given, damage) = read_bytes(&bytes);
        assert_eq!(whole(given), documents[..2]);
        assert!(!damage.unwrap().earlier_in_doubt);
    }
}

#[test]
fn every_flipped_byte_is_survived() {
    for (name, bytes, _) in small_files() {
        for at in 0..bytes.len() {
            for bits in [0x01, 0x80, 0xFF] {
                let mut bad = bytes.clone();
                bad[at] ^= bits;
                // What is refused begins with the change, or its prelude names another collection.
                let is_read = read_garbage(&bad).is_some();
                assert!(is_read || name == "archive" || at < 8, "{name} changed at {at}");
            }
        }
    }
}

#[test]
fn flipped_bytes_of_an_archive_are_found() {
    let expected = small();
    let (archive, ends) = small_archive(&expected);
    let start = ends[0] - expected[0].len();
    for at in start..ends[0] {
        let mut bad = archive.clone();
        bad[at] ^= 0x10;
        let (_, damage) = read_bytes(&bad);
        let damage = damage.unwrap();
        if damage.kind == DamageKind::Checksum {
            assert!(damage.to_string().contains("checksum"), "{damage}");
            assert!(damage.to_string().contains("app.jobs"), "{damage}");
            assert!(damage.earlier_in_doubt);
        } else {
            assert!(at < start + 4 || at + 1 == ends[0], "{at}: {damage}");
        }
    }
}

#[test]
fn flipped_bytes_of_compressed_files_are_found() {
    let expected = small();
    let plain = expected.concat();
    for packed in [gzip(&plain), zstd(&plain)] {
        let mut found = 0;
        for at in 10..packed.len() {
            let mut bad = packed.clone();
            bad[at] ^= 0x04;
            let (documents, damage) = read_bytes(&bad);
            let Some(damage) = damage else {
                assert_eq!(whole(documents), expected, "wrong content passed");
                continue;
            };
            found += 1;
            assert_ne!(damage.kind, DamageKind::Io, "{damage}");
            if damage.kind == DamageKind::Checksum {
                assert!(damage.to_string().contains("checksum"), "{damage}");
                assert!(damage.earlier_in_doubt);
            }
        }
        assert!(found > packed.len() / 2);
    }
    let mut bad = gzip(&plain);
    let last = bad.len() - 5;
    bad[last] ^= 1;
    let (documents, damage) = read_bytes(&bad);
    assert_eq!(whole(documents), expected);
    assert_eq!(damage.unwrap().kind, DamageKind::Checksum);
}

#[test]
fn what_follows_an_archive_is_damage() {
    let documents = small();
    let (archive, _) = small_archive(&documents);
    let at = u64::try_from(archive.len()).unwrap();
    // The blocks of the first namespace once more, after its end.
    let body = archive.windows(4).position(|it| it == [0xFF; 4]).unwrap() + 4;
    for (tail, words) in [
        (&archive[..], "a second archive"),
        (&archive[body..], "app.other continues after its end"),
        (b"\n", "does not belong to it"),
        (b"Connection to host closed.\n", "does not belong to it"),
        (&documents[0], "does not belong to it"),
    ] {
        let (given, damage) = read_bytes(&[&archive, tail].concat());
        assert_eq!(whole(given), documents, "{words}");
        let damage = damage.unwrap();
        assert!(damage.to_string().contains(words), "{damage}");
        assert_eq!((damage.kind, damage.place.offset), (DamageKind::Corrupt, at), "{words}");
        assert!(!damage.earlier_in_doubt);
    }
}

#[test]
fn what_follows_compressed_data_is_told_from_what_is_missing() {
    let documents = small();
    for (name, bytes, _) in small_files() {
        for packed in [gzip(&bytes), zstd(&bytes)] {
            // Padding is none of it.
            let (given, damage) = read_bytes(&[&packed, &[0; 700][..]].concat());
            assert!(damage.is_none() && whole(given) == documents, "{name}: {damage:?}");
            for tail in [&b"\n"[..], b"Killed by signal 1.\n", b"\0\0x", &[0x1E, 0x8B, 8]] {
                let (given, damage) = read_bytes(&[&packed, tail].concat());
                assert_eq!(whole(given), documents, "{name}");
                let damage = damage.unwrap();
                let zeros = tail.iter().take_while(|byte| **byte == 0).count();
                let at = u64::try_from(packed.len() + zeros).unwrap();
                let bytes = u64::try_from(tail.len() - zeros).unwrap();
                assert_eq!(damage.kind, DamageKind::Trailing { bytes, at }, "{name}: {damage}");
                assert!(!damage.earlier_in_doubt, "{name}");
            }
        }
        // A document that is cut off is not explained by what follows.
        let cut = &bytes[..bytes.len() - 3];
        for packed in [gzip(cut), zstd(cut)] {
            let damage = read_bytes(&[&packed, &b"\n"[..]].concat()).1.unwrap();
            let is_whole = matches!(damage.kind, DamageKind::Trailing { .. });
            assert!(damage.kind == DamageKind::Truncated || name == "lines" && is_whole, "{name}");
        }
    }
}

#[test]
fn bad_lengths_give_no_garbage() {
    let documents = small();
    let bytes = documents.concat();
    let second = documents[0].len();
    let right = i32::try_from(documents[1].len()).unwrap();
    let impossible = [0, 4, -1, i32::MAX, 48 * 1024 * 1024 + 1];
    let possible = (5..1000).filter(|length| *length != right);
    for length in impossible.into_iter().chain(possible) {
        let mut bad = bytes.clone();
        bad[second..second + 4].copy_from_slice(&length.to_le_bytes());
        let (given, damage) = read_bytes(&bad);
        assert_eq!(whole(given), documents[..1], "length {length}");
        let damage = damage.unwrap();
        assert_eq!(damage.kind, DamageKind::Corrupt, "length {length}: {damage}");
        assert_eq!(damage.place.offset, u64::try_from(second).unwrap(), "length {length}");
        assert!(!damage.earlier_in_doubt);
    }
}

#[test]
fn a_broken_inside_costs_one_document() {
    let mut documents = small();
    // An element type that does not exist.
    documents[1][4] = 0x55;
    let (given, damage) = read_bytes(&documents.concat());
    assert!(damage.is_none());
    assert_eq!(whole(given), documents);
}

#[test]
fn what_is_none_of_the_forms() {
    for (bytes, what) in [
        (&b"hello world"[..], "it begins with \"hello world\""),
        (b"[1, 2]", "it begins with \"[1, 2]\""),
        (b"\x00\x00\x00\x00\x00", "binary data of an unknown kind"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (&[0xFF; 100], "binary data of an unknown kind"),
    ] {
        for bytes in [bytes.to_vec(), gzip(bytes), zstd(bytes)] {
            let reader = Box::new(io::Cursor::new(bytes));
            let error = dump::open_stream(reader, "test", &spec("-")).unwrap_err();
            assert!(matches!(error, OpenError::WrongForm { .. }), "{error}");
            assert!(error.to_string().contains(what), "{error}");
        }
    }
}

/// Returns that many spaces, then fails.
struct Fails(usize);

impl Read for Fails {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("disk on fire"));
        }
        self.0 -= 1;
        buffer[0] = b' ';
        Ok(1)
    }
}

#[test]
fn an_error_of_the_system_is_told_as_one() {
    for bytes in [0, 1, 9, 10, 11, 100] {
        let mut opened = dump::open_stream(Box::new(Fails(bytes)), "test", &spec("-")).unwrap();
        let (_, damage) = drain(opened.source.as_mut(), BatchLimits::default());
        let damage = damage.unwrap();
        assert_eq!(damage.kind, DamageKind::Io, "{bytes}");
        assert!(damage.source.unwrap().to_string().contains("fire"));
    }
}
