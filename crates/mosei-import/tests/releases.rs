//! Imports MOSEI's releases in the containers that they are in, as the software that wrote these
//! writes them (`fixtures/make_releases.py`): each label must get the frames of its clip.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use mosei_data::{Csd, FoldLists, MOSEI_STANDARD_FOLDS};
use mosei_import::{ImportOptions, ImportSummary, import};
use mosei_schema::{COVAREP_COLUMNS, Split};
use serde_json::Value;
use std::path::{Path, PathBuf};

const MOSEI: &str =
    "names = [\"sentiment\", \"happy\", \"sad\", \"anger\", \"surprise\", \"disgust\", \"fear\"]";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/releases")
        .join(name)
}

/// What `fixtures/make_releases.py` made up.
struct Expected(Value);

impl Expected {
    fn read() -> Self {
        let text = std::fs::read_to_string(fixture("expected.json")).unwrap();
        Expected(serde_json::from_str(&text).unwrap())
    }

    fn video(&self, split: &str) -> String {
        self.0["videos"][split].as_str().unwrap().into()
    }

    /// Values of a clip's frames; `None` where not finite.
    fn frames(&self, split: &str, clip: &str) -> Vec<Option<f32>> {
        let rows = self.0["frames"][split][clip].as_array().unwrap();
        let row = |row: &Value| row.as_array().unwrap().clone();
        rows.iter()
            .flat_map(row)
            .map(|x| x.as_f64().map(|x| x as f32))
            .collect()
    }

    /// Sentiment and six emotions of a clip.
    fn labels(&self, split: &str, clip: &str) -> Vec<f32> {
        let values = self.0["labels"][split][clip].as_array().unwrap();
        values.iter().map(|x| x.as_f64().unwrap() as f32).collect()
    }
}

struct Imported {
    _folder: tempfile::TempDir,
    out: PathBuf,
    summary: ImportSummary,
}

/// Imports with a mapping file; the error in words.
fn try_import(
    features: &Path,
    labels: &Path,
    mapping: &str,
    change: impl FnOnce(&mut ImportOptions),
) -> Result<Imported, String> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    std::fs::write(folder.path().join("m.toml"), mapping).unwrap();
    let mut options = ImportOptions {
        features: features.into(),
        labels: Some(labels.into()),
        mapping: Some(folder.path().join("m.toml")),
        rate_hz: Some(4.0),
        ..ImportOptions::default()
    };
    change(&mut options);
    match import(&options, &out, &mut |_, _| ()) {
        Ok(summary) => Ok(Imported {
            _folder: folder,
            out,
            summary,
        }),
        Err(error) => {
            assert!(!out.exists(), "{error}");
            assert_eq!(
                std::fs::read_dir(folder.path()).unwrap().count(),
                1,
                "{error}"
            );
            Err(error.to_string())
        }
    }
}

impl Imported {
    fn new(features: &str, labels: &str, mapping: &str, clips: Option<&str>) -> Self {
        try_import(&fixture(features), &fixture(labels), mapping, |options| {
            options.clips = clips.map(fixture);
        })
        .unwrap()
    }

    fn csd(&self, name: &str) -> Csd {
        Csd::open(&self.out.join(name)).unwrap()
    }

    /// Each label row of a video: its values, and those of the frames in its interval.
    fn segments(&self, video: &str) -> Vec<(Vec<f32>, Vec<Option<f32>>)> {
        let labels = self.csd("labels.csd").read(video).unwrap();
        let features = self.csd("features.csd").read(video).unwrap();
        let of = |row: usize| {
            let [start, end] = labels.intervals[row];
            let within = |k: &usize| {
                let [a, b] = features.intervals[*k];
                a + 1e-6 > start && b < end + 1e-6
            };
            let rows = (0..features.intervals.len()).filter(within);
            let values = rows.flat_map(|k| features.row(k).to_vec());
            let finite = values.map(|x| x.is_finite().then_some(x)).collect();
            (labels.row(row).to_vec(), finite)
        };
        (0..labels.intervals.len()).map(of).collect()
    }

    /// Each of the six labels of MOSEI's file has the frames of its clip.
    fn require_all(&self, what: &str) {
        let expected = Expected::read();
        assert_eq!(
            (self.summary.segments, self.summary.videos),
            (6, 3),
            "{what}"
        );
        for split in ["train", "valid", "test"] {
            let mut found = self.segments(&expected.video(split));
            found.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap());
            for ((labels, frames), clip) in found.into_iter().zip(["3", "5"]) {
                assert_eq!(
                    labels,
                    expected.labels(split, clip),
                    "{what}, {split}, {clip}"
                );
                assert_eq!(
                    frames,
                    expected.frames(split, clip),
                    "{what}, {split}, {clip}"
                );
            }
        }
    }

    /// The folds are the release's.
    fn require_folds(&self) {
        let expected = Expected::read();
        let folds = FoldLists::read(&self.out.join("folds.json")).unwrap();
        for split in Split::ALL {
            assert_eq!(folds.split[&expected.video(split.name())], split);
        }
    }
}

#[test]
fn clips_of_mmsa_get_the_labels_of_their_time() {
    for name in [
        "mmsa_p2.pkl",
        "mmsa_p3.pkl",
        "mmsa_p4.pkl",
        "mmsa_p5.pkl",
        "mmsa_numpy1.pkl",
        "mmsa_numpy1_p5.pkl",
        "kinds_p2.pkl",
        "kinds_p5.pkl",
        "views.pt",
        "sdk0.pkl",
    ] {
        for clips in ["transcripts", "clips.csv"] {
            let imported = Imported::new(name, "labels.csd", "", Some(clips));
            imported.require_all(name);
            let summary = &imported.summary;
            assert_eq!((summary.by_time, summary.padding), (6, 0), "{name}");
            assert!(
                (0.0099..0.0101).contains(&summary.by_time_greatest_s),
                "{name}"
            );
            // Four frames of a quarter second in 2 s, and three in 3.2 s: the upper of the middle two.
            assert!(
                (summary.by_time_covered.unwrap() - 0.5).abs() < 1e-6,
                "{name}"
            );
            if name != "sdk0.pkl" {
                imported.require_folds();
            }
        }
    }
}

#[test]
fn clips_are_never_taken_for_rows() {
    let error = try_import(&fixture("mmsa_p4.pkl"), &fixture("labels.csd"), "", |_| ())
        .err()
        .unwrap();
    assert!(
        error.contains("'-a_Bc$_$3': expected --clips with the times of the transcript's clips"),
        "{error}"
    );
    // Clip 5 is not among those whose times are known.
    let folder = tempfile::tempdir().unwrap();
    let clips = folder.path().join("c.csv");
    std::fs::write(
        &clips,
        "video,clip,start,end\n81406,3,1,3\n-a_Bc,3,1,3\nmid_1_,3,1,3\n",
    )
    .unwrap();
    let imported = try_import(
        &fixture("mmsa_p4.pkl"),
        &fixture("labels.csd"),
        "",
        |options| {
            options.clips = Some(clips);
        },
    )
    .unwrap();
    assert_eq!(
        (
            imported.summary.segments,
            imported.summary.without_features.0
        ),
        (3, 3)
    );
}

#[test]
fn segments_of_mult_carry_their_times() {
    let imported = Imported::new("mult.pkl", "labels.csd", "", None);
    imported.require_all("mult.pkl");
    imported.require_folds();
    assert_eq!(imported.summary.by_time, 6);
    // Its own labels are sentiment, here as a label of its own.
    let own = Imported::new(
        "mult.pkl",
        "mult.pkl",
        "[labels]\nnames = [\"positive\"]\nrange = [-3, 3]\n",
        None,
    );
    assert_eq!(own.summary.present, [("positive".to_string(), 6)]);
    let expected = Expected::read();
    let mut found = own.segments("81406");
    found.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap());
    assert_eq!(found[0], (vec![1.75], expected.frames("valid", "3")));
    assert_eq!(found[1], (vec![0.75], expected.frames("valid", "5")));
}

#[test]
fn multibench_has_seven_labels() {
    let imported = Imported::new("multibench.pkl", "multibench.pkl", "", None);
    imported.require_all("multibench.pkl");
    imported.require_folds();
    assert_eq!(imported.summary.by_time, 0);
}

#[test]
fn words_of_tailor_are_labels_by_name() {
    let names = format!("[labels]\n{}\n", MOSEI.replace("\"sentiment\", ", ""));
    let imported = Imported::new("tailor.pt", "tailor.pt", &names, None);
    let expected = Expected::read();
    let joined = imported.summary.join;
    assert_eq!((imported.summary.segments, joined.by_row), (6, 6));
    for split in ["train", "valid", "test"] {
        for (i, clip) in ["3", "5"].into_iter().enumerate() {
            let (labels, frames) = imported.segments(&format!("{split}-{i:05}")).remove(0);
            let own = expected.labels(split, clip);
            let present: Vec<f32> = own[1..].iter().map(|x| 3.0 * x.min(1.0)).collect();
            assert_eq!(labels, present);
            assert_eq!(frames, expected.frames(split, clip));
        }
    }
    let error = try_import(&fixture("tailor.pt"), &fixture("tailor.pt"), "", |_| ())
        .err()
        .unwrap();
    assert!(
        error.contains("expected the names of the words from number 4 on"),
        "{error}"
    );
}

#[test]
fn the_unaligned_release_has_a_known_rate_and_lengths() {
    let labels = fixture("labels.csd");
    let file = fixture("mmsa_unaligned.pkl");
    let imported = try_import(&file, &labels, "", |options| {
        (options.rate_hz, options.clips) = (None, Some(fixture("transcripts")));
    })
    .unwrap();
    // Five frames hold values, and two that are all zero are part of the segment.
    assert_eq!(
        (imported.summary.frames, imported.summary.rate_hz),
        (21, Some(20.0))
    );
    let columns = imported.csd("features.csd").dimension_names();
    assert_eq!(columns.unwrap(), COVAREP_COLUMNS);
    let error = try_import(&fixture("mmsa_p4.pkl"), &labels, "", |options| {
        (options.rate_hz, options.clips) = (None, Some(fixture("transcripts")));
    })
    .err()
    .unwrap();
    assert!(
        error.contains("expected --rate with the frame rate") && error.contains("20 Hz"),
        "{error}"
    );
}

#[test]
fn a_modality_is_chosen_by_name() {
    let vision = "[features]\nmodality = \"vision\"\n";
    let imported = Imported::new("mmsa_p4.pkl", "labels.csd", vision, Some("transcripts"));
    assert_eq!((imported.summary.columns, imported.summary.frames), (2, 36));
    let error = try_import(
        &fixture("mmsa_p4.pkl"),
        &fixture("labels.csd"),
        "[features]\nmodality = \"video\"\n",
        |_| (),
    );
    let error = error.err().unwrap();
    assert!(
        error.contains("expected 'video' in 'train', found 'raw_text', 'audio', 'vision'"),
        "{error}"
    );
}

#[test]
fn half_precision_of_tensors_is_read() {
    let imported = Imported::new(
        "bfloat.pt",
        "tailor.pt",
        &format!("[labels]\n{}\n", MOSEI.replace("\"sentiment\", ", "")),
        None,
    );
    // Eight bits of mantissa.
    let expected = Expected::read().frames("train", "3");
    for (x, y) in imported
        .segments("train-00000")
        .remove(0)
        .1
        .iter()
        .zip(expected)
    {
        assert!((x.unwrap() - y.unwrap()).abs() <= y.unwrap() / 256.0);
    }
}

#[test]
fn sentiment_alone_is_refused_with_the_way_out() {
    let clips = |options: &mut ImportOptions| options.clips = Some(fixture("transcripts"));
    let (file, labels) = (fixture("mmsa_p4.pkl"), fixture("mmsa_p4.pkl"));
    let error = try_import(&file, &labels, "", clips).err().unwrap();
    assert!(
        error.contains("expected at least one label beside sentiment")
            && error.contains("'Sentiment alone'"),
        "{error}"
    );
    let own = "[labels]\nnames = [\"positive\"]\nrange = [-1, 1]\nclip = true\n";
    let imported = try_import(&file, &labels, own, clips).unwrap();
    // -1.5 is beyond the range of SIMS.
    assert_eq!(imported.summary.clipped, 3);
    let mut values: Vec<f32> = imported
        .segments("81406")
        .iter()
        .map(|(l, _)| l[0])
        .collect();
    values.sort_by(f32::total_cmp);
    assert_eq!(values, [0.0, 2.25]);
}

#[test]
fn the_standard_folds_need_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let videos = ["81406", "188343", "7l3BNtSE0xc", "elsewhere"];
    let rows = |row: fn(&str) -> String| videos.map(row).concat();
    std::fs::write(
        at("f.csv"),
        format!(
            "video,start,F0\n{}",
            rows(|v| format!("{v},0,1\n{v},1,2\n"))
        ),
    )
    .unwrap();
    std::fs::write(
        at("l.csv"),
        format!("video,happy\n{}", rows(|v| format!("{v},1\n"))),
    )
    .unwrap();
    let imported = try_import(&at("f.csv"), &at("l.csv"), "", |options| {
        (options.folds, options.rate_hz) = (Some(MOSEI_STANDARD_FOLDS.into()), None);
    })
    .unwrap();
    assert_eq!(imported.summary.folds, Some([1, 1, 1]));
    assert_eq!(imported.summary.unknown_fold_ids, 3227 - 3);
    let folds = FoldLists::read(&imported.out.join("folds.json")).unwrap();
    assert_eq!(folds.split["188343"], Split::Valid);
}

#[test]
fn one_stream_among_several_is_chosen_by_name() {
    for name in ["multibench.hdf5", "final_aligned"] {
        let imported = Imported::new(name, name, "", None);
        imported.require_all(name);
        let face = "[features]\nmodality = \"FACET 4.2\"\n";
        match try_import(&fixture(name), &fixture(name), face, |_| ()) {
            Ok(imported) => imported.require_all(name),
            Err(error) => assert!(
                name == "multibench.hdf5"
                    && error.ends_with("expected a stream 'FACET 4.2', as '[features] modality' says, found 'All Labels', 'COVAREP', 'FACET'"),
                "{error}"
            ),
        }
    }
    Imported::new("streams.csd", "final_aligned", "", None).require_all("streams.csd");
    let error = try_import(&fixture("streams.csd"), &fixture("streams.csd"), "", |_| ())
        .err()
        .unwrap();
    assert!(error.ends_with("streams.csd: expected one stream with 'label' in its name, or '[labels] array' in a mapping file, found 'COVAREP', 'FACET 4.2'"), "{error}");
    let error = try_import(
        &fixture("streams.csd"),
        &fixture("labels.csd"),
        "[features]\nmodality = \"x\"\n",
        |_| (),
    )
    .err()
    .unwrap();
    assert!(error.contains("expected a stream 'x'"), "{error}");
}

#[test]
fn sentiment_of_one_dimension_stands_beside_the_emotions() {
    let imported = Imported::new("processed", "processed", "", None);
    let expected = Expected::read();
    for split in ["train", "valid", "test"] {
        let (labels, frames) = imported.segments(&format!("{split}-00000")).remove(0);
        assert_eq!(labels[0], expected.labels(split, "3")[0]);
        assert_eq!(frames, expected.frames(split, "3"));
    }
    let folds = FoldLists::read(&imported.out.join("folds.json")).unwrap();
    assert_eq!(folds.split["valid-00001"], Split::Valid);
    // The release's split holds too where the labels are a table.
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("l.csv");
    let rows = ["train", "valid", "test"]
        .map(|split| format!("{split}-00000,1\n"))
        .concat();
    std::fs::write(&table, format!("video,happy\n{rows}")).unwrap();
    let imported = try_import(&fixture("processed"), &table, "", |_| ()).unwrap();
    assert_eq!(imported.summary.folds, Some([2, 2, 2]));
}
