#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| popfetch_fuzz::entry::imap::run(octets));
