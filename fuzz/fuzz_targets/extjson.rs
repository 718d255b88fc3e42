//! Arbitrary text through the reader of Extended JSON; what it accepts, written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reshelve_core::extjson::{self, Style};
use reshelve_core::raw::{self, Document};

fuzz_target!(|text: &[u8]| {
    let mut bytes = Vec::new();
    if extjson::parse(text, &mut bytes).is_err() {
        return;
    }
    raw::check(&bytes).expect("what was parsed is well formed");
    let mut canonical = Vec::new();
    extjson::write_document(&mut canonical, Document::new(&bytes), Style::Canonical);
    let mut again = Vec::new();
    if let Err(error) = extjson::parse(&canonical, &mut again) {
        panic!("cannot read what was written: {error}\n{}", String::from_utf8_lossy(&canonical));
    }
    assert_eq!(again, bytes, "{}", String::from_utf8_lossy(&canonical));
    // The relaxed form may lose number types, never the ability to be read.
    let mut relaxed = Vec::new();
    extjson::write_document(&mut relaxed, Document::new(&bytes), Style::Relaxed);
    if let Err(error) = extjson::parse(&relaxed, &mut Vec::new()) {
        panic!("cannot read the relaxed form: {error}\n{}", String::from_utf8_lossy(&relaxed));
    }
});
