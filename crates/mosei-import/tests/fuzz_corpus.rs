//! The seeds of the fuzz target `import` (`fuzz/corpus/import` at the top of the repository): those
//! whose names begin with `good` are accepted, and no others.
//!
//! `cargo test -p mosei-import --test fuzz_corpus -- --ignored` makes them again.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod entries;
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;

#[test]
fn seeds_match_their_names() {
    seeds::come_to_what_their_names_say(&[("import", entries::import_any)]);
}

#[test]
#[ignore = "writes into the checkout"]
fn make_seeds() {
    seeds::put(
        "import",
        "good",
        b"\x00video,start,end,F0\na,0,1,1\na,1,2,3\nb,0,1,2\n",
    );
    seeds::put("import", "pickle", b"\x05\x80\x04\x95");
    let fixtures = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/extractors/mutations"
    );
    for (name, kind, end) in [
        ("good-npz", 9, ".npz"),
        ("good-mat", 10, ".mat"),
        ("good-lists", 2, "_lists.parquet"),
    ] {
        let bytes = std::fs::read(format!("{fixtures}{end}")).unwrap();
        seeds::put("import", name, &[&[kind], bytes.as_slice()].concat());
    }
    let releases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/releases");
    for (seed, name, kind) in [
        ("good-pickle", "multibench.pkl", 11),
        ("good-torch", "seven.pt", 12),
        ("pickle-global", "other_global.pkl", 11),
        ("pickle-cycle", "cycle.pkl", 11),
    ] {
        let bytes = std::fs::read(releases.join(name)).unwrap();
        seeds::put("import", seed, &[&[kind], bytes.as_slice()].concat());
    }
}
