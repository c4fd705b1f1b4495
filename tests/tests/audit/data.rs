//! Rules of the data: splits, statistics, pre-training, label budgets.

use crate::broken_run::*;
use crate::by_hand::{edit_json, edit_table};
use run_record::{Column, Table};
use serde_json::Value;
use std::path::Path;

#[test]
fn data_and_splits_broken_by_hand_are_refused_by_name() {
    let bench = study();
    let known = Known::of(&bench.path("run"));
    let (train, test) = (known.training_video(), &known.test[0].0);
    let manifest = |run: &Path| run.join("prepared/manifest.json");
    let edit_manifest = |run: &Path, change: &dyn Fn(&mut Value)| edit_json(&manifest(run), change);

    // A test video under the name of a training video.
    let rename = |run: &Path| {
        edit_manifest(run, &|m| {
            m["videos"][known.place(test)] = train.as_str().into()
        });
    };
    broken(
        &bench,
        "videos-in-one-split",
        &["fold 0", &train, "is in"],
        rename,
    );
    broken(
        &bench,
        "segments-in-one-split",
        &[&format!("{train}[0] is there twice")],
        rename,
    );
    // The same, with a segment of the one over a segment of the other.
    broken(
        &bench,
        "overlaps-in-one-split",
        &["fold 0", &train, "overlap", "test", "train"],
        |run| {
            rename(run);
            let path = run.join("prepared/segments.safetensors");
            let mut file = std::fs::read(&path).unwrap();
            let (videos, end) = tensor(&file, "video");
            let (intervals, _) = tensor(&file, "intervals");
            let of = |video: &str| {
                let place = known.place(video) as i32;
                (0..(end - videos) / 4)
                    .filter(|i| file[videos + 4 * i..][..4] == place.to_le_bytes())
                    .collect::<Vec<_>>()
            };
            let (ours, theirs) = (of(&train), of(test));
            for to in theirs {
                file.copy_within(
                    intervals + 16 * ours[0]..intervals + 16 * ours[0] + 16,
                    intervals + 16 * to,
                );
            }
            std::fs::write(&path, file).unwrap();
        },
    );
    // Segments under the names of videos, as a folder that was made otherwise may hold them.
    for names in [["w[0]", "w[12]"], ["w$_$0", "w$_$12"], ["w", "w[0]"]] {
        let words = ["fold 0: video w: ", names[0], " is in ", names[1]];
        broken(&bench, "segment-ids-in-one-split", &words, |run| {
            edit_manifest(run, &|m| {
                m["videos"][known.place(&train)] = names[0].into();
                m["videos"][known.place(test)] = names[1].into();
            });
        });
    }
    broken(
        &bench,
        "segments-in-one-split",
        &["fold 0", &format!("{train}["), "in no split"],
        |run| {
            edit_manifest(run, &|m| {
                m["folds"][0]["split"][known.place(&train)] = Value::Null
            });
        },
    );
    broken(
        &bench,
        "sizes-as-recorded",
        &["fold 0: train: recorded 1 segments"],
        |run| {
            edit_manifest(run, &|m| {
                m["folds"][0]["sizes"]["train"]["segments"] = 1.into()
            });
        },
    );
    broken(
        &bench,
        "videos-tested-once",
        &[&format!("video {test} is tested 0 times")],
        |run| {
            edit_manifest(run, &|m| {
                m["folds"][0]["split"][known.place(test)] = "train".into()
            });
        },
    );
}

#[test]
fn statistics_that_are_not_of_training_frames_are_refused_by_name() {
    let bench = study();
    let column =
        Known::of(&bench.path("run")).manifest["folds"][0]["normaliser"]["columns"][0].clone();
    let column = column.as_str().unwrap();
    let shift = |m: &mut Value| *m = (m.as_f64().unwrap() + 1e-3).into();
    broken(
        &bench,
        "statistics-of-training",
        &["fold 0", column],
        |run| {
            edit_json(&run.join("prepared/manifest.json"), |m| {
                shift(&mut m["folds"][0]["normaliser"]["mean"][0])
            });
        },
    );
    broken(
        &bench,
        "statistics-of-encoders",
        &[PRETRAIN, column],
        |run| {
            edit_json(&run.join(PRETRAIN).join("encoder/config.json"), |m| {
                shift(&mut m["mean"][0])
            });
        },
    );
    // The leak that the rule is for: fitted on all frames, those of test videos among them.
    broken(
        &bench,
        "statistics-of-training",
        &["fold 0", column, "which is that of all frames"],
        |run| {
            let file = std::fs::read(run.join("prepared/frames.safetensors")).unwrap();
            let (from, to) = tensor(&file, "frames");
            let values: Vec<f64> = file[from..to]
                .chunks(4)
                .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
                .collect();
            edit_json(&run.join("prepared/manifest.json"), |m| {
                let columns = m["columns"].as_array().unwrap().clone();
                let fold = &mut m["folds"][0]["normaliser"];
                for i in 0..fold["columns"].as_array().unwrap().len() {
                    let c = columns
                        .iter()
                        .position(|c| *c == fold["columns"][i])
                        .unwrap();
                    let of: Vec<f64> = values
                        .iter()
                        .skip(c)
                        .step_by(columns.len())
                        .copied()
                        .filter(|x| x.is_finite())
                        .collect();
                    let mean = of.iter().sum::<f64>() / of.len() as f64;
                    let variance =
                        of.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / of.len() as f64;
                    (fold["mean"][i], fold["std"][i]) = (mean.into(), variance.sqrt().into());
                }
            });
        },
    );
}

#[test]
fn pretraining_and_subsets_broken_by_hand_are_refused_by_name() {
    let bench = study();
    let known = Known::of(&bench.path("run"));
    let (valid, test) = (&known.valid[0], &known.test[0]);
    let seen = |run: &Path| run.join(PRETRAIN).join("pretraining.parquet");
    let id = |(video, segment): &(String, i32)| format!("segment {video}[{segment}] is in the");
    let rule = "pretraining-on-training";
    broken(
        &bench,
        rule,
        &[PRETRAIN, &id(test), "test split of fold 0"],
        |run| put_segment(&seen(run), 3, test),
    );
    broken(
        &bench,
        rule,
        &[&id(valid), "valid split of fold 0"],
        |run| put_segment(&seen(run), 3, valid),
    );
    let outside = (test.0.clone(), -1);
    broken(&bench, rule, &[&id(&outside), "test split"], |run| {
        put_segment(&seen(run), 3, &outside)
    });
    let unknown = ("unknown".to_string(), 0);
    broken(
        &bench,
        rule,
        &["segment unknown[0] is not in the prepared data"],
        |run| put_segment(&seen(run), 3, &unknown),
    );
    broken(&bench, rule, &["pretraining.parquet", &id(test)], |run| {
        put_segment(&run.join("pretraining.parquet"), 3, test);
    });

    // A row that calls itself part of the ablation, or of none that was planned.
    let call = |path: &Path, kind: &str| {
        edit_table(path, |name, column| {
            if let ("kind", Column::Text(v)) = (name, column) {
                v[3] = kind.into();
            }
        });
    };
    broken(
        &bench,
        rule,
        &["expected fold 0, seed 0, kind ordinary, found fold 0, seed 0, kind transductive"],
        |run| {
            put_segment(&seen(run), 3, test);
            call(&seen(run), "transductive");
        },
    );
    broken(
        &bench,
        rule,
        &["expected a pre-training of the plan, found fold 0, seed 0, kind shuffled"],
        |run| {
            call(&run.join("pretraining.parquet"), "shuffled");
        },
    );
    let more = (known.training_video(), -1);
    broken(
        &bench,
        rule,
        &[&format!("stretches of video {}: expected at most", more.0)],
        |run| {
            (3..20).for_each(|row| put_segment(&seen(run), row, &more));
        },
    );
    // Not even the ablation may see what is in no split.
    broken(
        &bench,
        rule,
        &[ABLATION, "segment unknown[-1] is not in the prepared data"],
        |run| {
            put_segment(
                &run.join(ABLATION).join("pretraining.parquet"),
                3,
                &("unknown".into(), -1),
            );
        },
    );
    broken(
        &bench,
        "stretches-outside-segments",
        &["stretch ", "[-1] (", "overlaps labelled segment "],
        |run| {
            // The first stretch gets the interval of a segment of its video.
            let read = |name: &str| std::fs::read(run.join("prepared").join(name)).unwrap();
            let (mut stretches, segments) =
                (read("unlabelled.safetensors"), read("segments.safetensors"));
            let first = |file: &[u8], name: &str| tensor(file, name).0;
            let video = stretches[first(&stretches, "video")..][..4].to_vec();
            let (from, to) = tensor(&segments, "video");
            let place = segments[from..to]
                .chunks(4)
                .position(|v| v == video)
                .unwrap();
            let interval = segments[first(&segments, "intervals") + 16 * place..][..16].to_vec();
            let at = first(&stretches, "intervals");
            stretches[at..at + 16].copy_from_slice(&interval);
            std::fs::write(run.join("prepared/unlabelled.safetensors"), stretches).unwrap();
        },
    );

    let subsets = |run: &Path| run.join("subsets.parquet");
    broken(
        &bench,
        "subsets-of-training",
        &[
            "fold 0, draw 0, budget n20 of 20 labels",
            &id(test),
            "test split",
        ],
        |run| {
            put_segment(&subsets(run), 2, test);
        },
    );
    // A labelled segment of the smaller budget is taken out of the larger one.
    let path = subsets(&bench.path("run"));
    let table = Table::read(&path).unwrap();
    let (videos, segments) = (
        table.text(&path, "video").unwrap(),
        table.i32(&path, "segment").unwrap(),
    );
    let again = (20..table.rows())
        .find(|&i| (&videos[i], segments[i]) == (&videos[0], segments[0]))
        .unwrap();
    let first = format!(
        "20 labels: segment {}[{}] is not among",
        videos[0], segments[0]
    );
    broken(&bench, "subsets-nested", &[&first], |run| {
        drop_row(&subsets(run), again)
    });
}
