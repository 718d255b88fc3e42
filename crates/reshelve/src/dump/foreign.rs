//! What a file is that is none of the forms: said in words, with what helps.

use super::text_form;
use crate::ends::{Hint, SourceHint};

/// Content of another kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// What it looks like, to be read after *this is*.
    pub(super) what: String,
    /// What to do about it.
    pub(super) hint: Hint,
}

impl Foreign {
    pub(super) fn new(what: impl Into<String>, hint: Hint) -> Foreign {
        Foreign { what: what.into(), hint }
    }

    /// The same, with the compression that it was found in.
    pub(super) fn inside(mut self, compression: &str) -> Foreign {
        self.what.push_str(&format!(", compressed with {compression}"));
        self
    }
}

/// What tells a kind of file by the bytes at its start.
struct Signature {
    bytes: &'static [u8],
    what: &'static str,
    hint: Hint,
}

const fn sign(bytes: &'static [u8], what: &'static str, hint: Hint) -> Signature {
    Signature { bytes, what, hint }
}

const UNPACK: Hint = Hint::Source(SourceHint::UnpackFirst);
const DECOMPRESS: Hint = Hint::Source(SourceHint::DecompressFirst);
const DECRYPT: Hint = Hint::Source(SourceHint::DecryptFirst);
const DUMP: Hint = Hint::Source(SourceHint::DumpAgain);
const GET: Hint = Hint::Source(SourceHint::GetTheFileAgain);

/// Longer signatures of a kind come before shorter ones.
static SIGNATURES: [Signature; 29] = [
    sign(b"PK\x03\x04", "a zip archive", UNPACK),
    sign(b"PK\x05\x06", "an empty zip archive", UNPACK),
    sign(b"PK\x07\x08", "a zip archive", UNPACK),
    sign(b"7z\xBC\xAF\x27\x1C", "a 7z archive", UNPACK),
    sign(b"Rar!\x1A\x07", "a rar archive", UNPACK),
    sign(b"!<arch>\n", "an ar archive", UNPACK),
    sign(b"070701", "a cpio archive", UNPACK),
    sign(b"070707", "a cpio archive", UNPACK),
    sign(b"\xFD7zXZ\0", "data compressed with xz", DECOMPRESS),
    sign(b"\xFF\x06\0\0sNaPpY", "data compressed with snappy", DECOMPRESS),
    sign(b"\x82SNAPPY\0", "data compressed with snappy", DECOMPRESS),
    sign(b"\x04\x22\x4D\x18", "data compressed with lz4", DECOMPRESS),
    sign(b"\x02\x21\x4C\x18", "data compressed with lz4", DECOMPRESS),
    sign(b"LZIP", "data compressed with lzip", DECOMPRESS),
    sign(b"\x89LZO\0\r\n\x1A\n", "data compressed with lzop", DECOMPRESS),
    sign(b"\x5D\0\0\x80\0", "data compressed with lzma", DECOMPRESS),
    sign(b"\x41\xD8\x01\0\x01\0\0\0", "a WiredTiger file of a server", DUMP),
    sign(b"WiredTiger", "a WiredTiger file of a server", DUMP),
    sign(b"\x00\x05\x16\x07", "metadata that macOS keeps beside a file", Hint::NameASource),
    sign(
        b"\x00\x05\x16\x00\0\x02\0\0",
        "a file in the AppleSingle format of macOS",
        Hint::NameASource,
    ),
    sign(b"Salted__", "data encrypted with openssl", DECRYPT),
    sign(b"age-encryption.org/", "data encrypted with age", DECRYPT),
    sign(b"-----BEGIN PGP MESSAGE", "data encrypted with PGP", DECRYPT),
    sign(b"version https://git-lfs", "a pointer of Git LFS", GET),
    sign(b"PAR1", "a Parquet file", DUMP),
    sign(b"SQLite format 3\0", "an SQLite database", DUMP),
    sign(b"PGDMP", "a dump of PostgreSQL", DUMP),
    sign(b"%PDF-", "a PDF document", Hint::NameASource),
    sign(b"\x7FELF", "a program", Hint::NameASource),
];

/// What the content at the start of a file is for certain, whatever its first four bytes would
/// mean as a length.
pub(super) fn certain(head: &[u8]) -> Option<Foreign> {
    let signed = SIGNATURES.iter().find(|signature| head.starts_with(signature.bytes));
    if let Some(Signature { what, hint, .. }) = signed {
        return Some(Foreign::new(*what, hint.clone()));
    }
    if is_bzip2(head) {
        return Some(Foreign::new("data compressed with bzip2", DECOMPRESS));
    }
    if is_tar(head) {
        return Some(Foreign::new("a tar archive", UNPACK));
    }
    text_form::encoding(head)
        .map(|what| Foreign::new(what, Hint::Source(SourceHint::ConvertToUtf8)))
}

/// What the content most likely is that is neither certain nor a form that is read.
pub(super) fn likely(head: &[u8]) -> Foreign {
    if head.starts_with(b"\x1F\x8B") {
        return Foreign::new("gzip with a damaged header", GET);
    }
    if head.starts_with(b"\x1F\x9D") {
        return Foreign::new("data compressed with compress", DECOMPRESS);
    }
    if is_zlib(head) {
        return Foreign::new("data compressed with zlib", DECOMPRESS);
    }
    text_form::likely(head).unwrap_or_else(|| Foreign::new(UNKNOWN, Hint::NameASource))
}

pub(super) const UNKNOWN: &str = "binary data of an unknown kind";

fn is_bzip2(head: &[u8]) -> bool {
    const BLOCK: &[u8] = b"\x31\x41\x59\x26\x53\x59";
    const END: &[u8] = b"\x17\x72\x45\x38\x50\x90";
    let Some([b'1'..=b'9', rest @ ..]) = head.strip_prefix(b"BZh") else { return false };
    let rest = &rest[..rest.len().min(BLOCK.len())];
    BLOCK.starts_with(rest) || END.starts_with(rest)
}

/// By the name of the format, or in its oldest form by the checksum of its first header.
fn is_tar(head: &[u8]) -> bool {
    const NAME_AT: usize = 257;
    const HEADER: usize = 512;
    const SUM: std::ops::Range<usize> = 148..156;
    if head.get(NAME_AT..NAME_AT + 5) == Some(b"ustar") {
        return true;
    }
    let Some(header) = head.get(..HEADER) else { return false };
    let digits = header[SUM].split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    let stated = std::str::from_utf8(digits).ok().and_then(|it| u32::from_str_radix(it, 8).ok());
    let sum: u32 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| u32::from(if SUM.contains(&at) { b' ' } else { *byte }))
        .sum();
    header[0] != 0 && stated == Some(sum)
}

/// A header of zlib is a multiple of 31, and names the method and the usual window.
fn is_zlib(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(|&[first, second]| {
        first == 0x78 && u16::from_be_bytes([first, second]) % 31 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tar_archive_is_told_in_its_oldest_form_too() {
        let mut header = [0u8; 512];
        header[..9].copy_from_slice(b"dump/jobs");
        header[100..107].copy_from_slice(b"0000644");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert_eq!(certain(&header).unwrap().what, "a tar archive");
        header[0] ^= 1;
        assert_eq!(certain(&header), None);
        assert_eq!(certain(&[0; 512]), None);
    }
}
