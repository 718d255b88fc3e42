//! Arbitrary bytes as Extended JSON: lines, and the inside of an array.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reshelve_fuzz::drain;

fuzz_target!(|bytes: &[u8]| {
    drain([b"{", bytes].concat());
    drain([b"[", bytes].concat());
});
