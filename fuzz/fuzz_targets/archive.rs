//! Arbitrary bytes behind the magic number of a `mongodump` archive.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reshelve_fuzz::drain;

fuzz_target!(|bytes: &[u8]| {
    drain([&[0x6d, 0xe2, 0x99, 0x81], bytes].concat());
});
