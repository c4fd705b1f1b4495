#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    study_fuzz::run_entries::checkpoint(bytes);
});
