//! Arbitrary bytes behind the magic numbers of gzip and zstd.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reshelve_fuzz::drain;

fuzz_target!(|bytes: &[u8]| {
    drain([&[0x1f, 0x8b, 8], bytes].concat());
    drain([&[0x28, 0xb5, 0x2f, 0xfd], bytes].concat());
});
