//! Arbitrary bytes as a `.bson` file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reshelve_fuzz::drain;

fuzz_target!(|bytes: &[u8]| {
    drain(bytes.to_vec());
});
