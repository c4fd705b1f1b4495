//! Valid files, mutated at random: each is refused with an error that names a file, or imported
//! (`entries`).
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod entries;
#[path = "../../../fuzz/src/mutate.rs"]
mod mutate;

use std::path::Path;

#[test]
fn mutated_tables_are_refused_or_imported() {
    let fixture = |name: &str| {
        std::fs::read(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/fixtures")
                .join(name),
        )
        .unwrap()
    };
    let frames =
        b"video;start;end;F0;F1\na;0;0.1;1.5;-inf\na;0.1;0.2;2;nan\nb;0:00;0 days 00:00:01;3;4\n";
    let labels =
        b"file,segment,start,end,happy,speaker,split\na.wav,1,0,0.1,3,x,none\nb.wav,2,0,0.1,0,y,\n";
    let arff = b"@relation r\n@attribute name string\n@attribute frameTime numeric\n@attribute 'F 0' numeric\n@data\n'a',0,1\n'a',1,?\n";
    let mapping =
        b"[ids]\nfolders = \"join\"\n[labels]\ncolumns = [\"happy\"]\nrange = [0, 3]\nrename = { happy = \"joy\" }\n";
    let parquet = fixture("mutations.parquet");
    let npy = fixture("npy_float32/81406.npy");
    let released = fixture("released_groups.h5");
    let npz = fixture("extractors/mutations.npz");
    let mat = fixture("extractors/mutations.mat");
    let lists = fixture("extractors/mutations_lists.parquet");
    let (pickle, archive) = (
        fixture("releases/multibench.pkl"),
        fixture("releases/seven.pt"),
    );
    let clips = b"video,clip,start,end\na,1,0,0:02\nb,2,0,0 days 00:00:01\n";
    let kinds: [(&str, &[u8], usize); 13] = [
        ("f.csv", frames, 200),
        ("l.csv", labels, 200),
        ("f.arff", arff, 200),
        ("m.toml", mapping, 400),
        ("f.parquet", &parquet, 600),
        ("d/a.npy", &npy, 300),
        ("f.h5", &released, 60),
        ("f.npz", &npz, 300),
        ("f.mat", &mat, 300),
        ("f.parquet", &lists, 400),
        ("f.pkl", &pickle, 600),
        ("f.pt", &archive, 300),
        ("c.csv", clips, 200),
    ];
    for (seed, (name, good, times)) in kinds.into_iter().enumerate() {
        assert!(entries::import_file(name, good), "{name}");
        let accepted = mutate::count_accepted(good, 20 + seed as u64, times, |bytes| {
            entries::import_file(name, bytes)
        });
        assert!((1..times).contains(&accepted), "{name}: {accepted}");
    }
    mutate::assert_memory_is_bounded();
}
