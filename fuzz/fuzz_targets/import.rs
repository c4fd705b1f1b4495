#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    study_fuzz::import_entries::import_any(bytes);
});
