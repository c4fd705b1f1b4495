//! What the fuzz target `import` does with arbitrary bytes, and the tests with mutated files: each
//! import fails with an error that names a file, or writes a valid pair of .csd files.
//!
//! What lives here: the import of one mutated file among good ones. What does not: where the bytes
//! come from.

use mosei_data::Csd;
use mosei_import::{ImportOptions, import};

/// Imports `name`: `f.csv`, `f.tsv`, `f.parquet`, `f.arff`, `f.h5`, `f.npz`, `f.mat`, `f.pkl`, `f.pt` and
/// `d/a.npy` are features, `l.csv` and `l.parquet` labels of recordings `a` and `b`, `m.toml` a mapping,
/// `c.csv` the times of clips. Returns whether it was accepted.
#[allow(dead_code, reason = "only the mutation tests call it directly")]
pub fn import_file(name: &str, bytes: &[u8]) -> bool {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let at = |name: &str| folder.join(name);
    std::fs::create_dir(at("d")).unwrap();
    std::fs::write(
        at("f.csv"),
        "video,start,end,F0\na,0,1,1\na,1,2,1\nb,0,1,1\n",
    )
    .unwrap();
    std::fs::write(at("l.csv"), "video,happy\na,3\nb,0\n").unwrap();
    std::fs::write(at(name), bytes).unwrap();
    let mut options = ImportOptions {
        features: at("f.csv"),
        labels: Some(at("l.csv")),
        ..ImportOptions::default()
    };
    options.rate_hz = Some(100.0);
    match name.as_bytes()[0] {
        b'f' => options.features = at(name),
        b'd' => options.features = at("d"),
        b'l' => options.labels = Some(at(name)),
        b'c' => options.clips = Some(at(name)),
        _ => options.mapping = Some(at(name)),
    }
    // Shapes of a mutated array may have two readings.
    if ["npy", "npz", "mat"].iter().any(|end| name.ends_with(end)) {
        let axes = "[features]\naxes = [\"frames\", \"columns\"]\n";
        std::fs::write(at("d/m.toml"), axes).unwrap();
        options.mapping = Some(at("d/m.toml"));
    }
    if ["h5", "pkl", "pt"].iter().any(|own| name.ends_with(own)) {
        options.labels = Some(at(name));
    }
    match import(&options, &at("out"), &mut |_, _| ()) {
        Ok(_) => {
            let features = Csd::open(&at("out/features.csd")).unwrap();
            let labels = Csd::open(&at("out/labels.csd")).unwrap();
            for csd in [&features, &labels] {
                assert!(csd.videos().iter().all(|video| csd.read(&video.id).is_ok()));
            }
            assert!(
                labels
                    .videos()
                    .iter()
                    .all(|video| features.find(&video.id).is_some())
            );
            true
        }
        Err(error) => {
            assert!(
                !at("out").exists() && std::fs::read_dir(folder).unwrap().count() <= 4,
                "{error}"
            );
            assert!(
                error.to_string().contains(folder.to_str().unwrap()),
                "{error} names no file"
            );
            false
        }
    }
}

/// The names that [`import_file`] knows.
const NAMES: [&str; 14] = [
    "f.csv",
    "f.tsv",
    "f.parquet",
    "f.arff",
    "f.h5",
    "d/a.npy",
    "l.csv",
    "l.parquet",
    "m.toml",
    "f.npz",
    "f.mat",
    "f.pkl",
    "f.pt",
    "c.csv",
];

/// Imports a file whose first byte chooses the name. Returns whether it was accepted.
#[allow(
    dead_code,
    reason = "only the fuzz target and the tests of its seeds call it"
)]
pub fn import_any(bytes: &[u8]) -> bool {
    let Some((first, rest)) = bytes.split_first() else {
        return false;
    };
    import_file(NAMES[usize::from(*first) % NAMES.len()], rest)
}
