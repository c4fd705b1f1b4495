//! A run that kept its rules passes; one that was broken by hand is refused by the rule's name and
//! the id.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod by_hand;
mod whole;

use by_hand::{copy, edit_json, edit_table};
use run_record::{Column, Table};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use study_tests::{Bench, tiny};
use whole::sweep_all;

const PRETRAIN: &str = "pretrain/fold0-seed0";
const SSL: &str = "cells/fold0/ssl-n20-seed0-draw0";
const SCRATCH: &str = "cells/fold0/scratch-n20-seed0-draw0";

const ABLATION: &str = "pretrain/fold0-seed0-transductive";

/// Three folds, the first of which is run; pre-training on all speech, and the ablation that sees
/// test videos.
fn study() -> Bench {
    let starts = "[\"ssl\", \"scratch\", \"ssl-transductive\"]";
    let config = tiny(&format!(
        "[grid]\nseeds = [0]\nstarts = {starts}\nfolds = [0]\n"
    ))
    .replace(
        "[data]",
        "[data]\nsplit = { k_folds = 3 }\nunlabelled = \"outside\"\nunlabelled_min_s = 0.3",
    )
    .replace("name =", "pretrain_on = \"all-speech\"\nname =");
    let bench = Bench::new(&config);
    sweep_all(&bench);
    bench
}

/// Changes the lines of a journal.
fn edit_journal(path: &Path, change: impl FnOnce(&mut Vec<Value>)) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    change(&mut lines);
    std::fs::write(
        path,
        lines
            .iter()
            .map(|line: &Value| format!("{line}\n"))
            .collect::<String>(),
    )
    .unwrap();
}

/// Takes one row out of a table.
fn drop_row(path: &Path, row: usize) {
    edit_table(path, |_, column| match column {
        Column::Text(v) => drop(v.remove(row)),
        Column::I32(v) => drop(v.remove(row)),
        Column::OptionI32(v) => drop(v.remove(row)),
        Column::F32(v) => drop(v.remove(row)),
        Column::F64(v) => drop(v.remove(row)),
        Column::OptionF64(v) => drop(v.remove(row)),
        Column::Bool(v) => drop(v.remove(row)),
        Column::Foreign(_) => panic!("no table of a run has such a column"),
    });
}

/// Puts another segment into a row of a table.
fn put_segment(path: &Path, row: usize, (video, segment): &(String, i32)) {
    edit_table(path, |name, column| match (name, column) {
        ("video", Column::Text(v)) => v[row] = video.clone(),
        ("segment", Column::I32(v)) => v[row] = *segment,
        _ => {}
    });
}

/// The bytes of a tensor in a safetensors file, and where they begin.
fn tensor(file: &[u8], name: &str) -> (usize, usize) {
    let header = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let value: Value = serde_json::from_slice(&file[8..header]).unwrap();
    let place = |i: usize| header + value[name]["data_offsets"][i].as_u64().unwrap() as usize;
    (place(0), place(1))
}

/// What the tests need to know of the run.
struct Known {
    manifest: Value,
    /// Ids of judged segments, by split, in order.
    valid: Vec<(String, i32)>,
    test: Vec<(String, i32)>,
}

impl Known {
    fn of(run: &Path) -> Self {
        let manifest =
            serde_json::from_slice(&std::fs::read(run.join("prepared/manifest.json")).unwrap())
                .unwrap();
        let path = run.join(SSL).join("predictions.parquet");
        let table = Table::read(&path).unwrap();
        let (splits, videos) = (
            table.text(&path, "split").unwrap(),
            table.text(&path, "video").unwrap(),
        );
        let segments = table.i32(&path, "segment").unwrap();
        let of = |split: &str| -> Vec<(String, i32)> {
            let rows = (0..table.rows())
                .filter(|&i| splits[i] == split)
                .map(|i| (videos[i].clone(), segments[i]));
            rows.collect::<BTreeSet<_>>().into_iter().collect()
        };
        Known {
            valid: of("valid"),
            test: of("test"),
            manifest,
        }
    }

    fn place(&self, video: &str) -> usize {
        self.manifest["videos"]
            .as_array()
            .unwrap()
            .iter()
            .position(|v| v == video)
            .unwrap()
    }

    /// A training video of fold 0.
    fn training_video(&self) -> String {
        let split = self.manifest["folds"][0]["split"].as_array().unwrap();
        let place = split.iter().position(|s| s == "train").unwrap();
        self.manifest["videos"][place].as_str().unwrap().to_string()
    }
}

/// Runs the audit over a copy of the run that `change` has broken, and wants `rule` broken with
/// `words`.
fn broken(bench: &Bench, rule: &str, words: &[&str], change: impl FnOnce(&Path)) {
    let run = bench.path("broken");
    copy(&bench.path("run"), &run);
    change(&run);
    let output = bench.run("audit broken --json");
    assert_eq!(
        output.status.code(),
        Some(1),
        "{rule}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(audit["holds"], false);
    let finding = audit["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["rule"] == rule)
        .unwrap();
    assert_eq!(finding["outcome"], "broken", "{rule}: {finding}");
    for word in words {
        assert!(
            finding["detail"].as_str().unwrap().contains(word),
            "{rule}: {finding} does not say {word}"
        );
    }
    std::fs::remove_dir_all(&run).unwrap();
}

#[test]
fn a_run_that_kept_the_rules_passes_whole_and_half_done() {
    let bench = study();
    let text = bench.succeed("audit run");
    assert_eq!(text.lines().count(), 25, "{text}");
    assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
    for words in [
        " by 2 encoders, and ",
        "; by the transductive ablation alone, ",
        "test videos (encoders: 1)",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let audit: Value = serde_json::from_str(&bench.succeed("audit run --json")).unwrap();
    assert_eq!(audit["holds"], true);
    assert!(
        audit["findings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f["outcome"] == "ok" && f["says"].is_string())
    );

    // Half done: what is not there yet is said and breaks nothing.
    for done in ["steps/cells", "steps/pretrain", "steps/sample"] {
        std::fs::remove_dir_all(bench.path("run").join(done)).unwrap();
    }
    let tables = [
        "predictions.parquet",
        "pretraining.parquet",
        "results.csv",
        "collected.json",
        "statistics.json",
    ];
    for file in tables.into_iter().chain(["subsets.parquet"]) {
        std::fs::remove_file(bench.path("run").join(file)).unwrap();
    }
    let text = bench.succeed("audit run");
    let unchecked: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("not checked"))
        .collect();
    assert_eq!(unchecked.len(), 15, "{text}");
    assert!(
        text.lines()
            .all(|line| line.starts_with("ok ") || line.starts_with("not checked ")),
        "{text}"
    );
    std::fs::remove_dir_all(bench.path("run/prepared")).unwrap();
    let words = bench.fail("audit run", 1);
    assert!(
        words.contains("prepared: nothing is prepared yet"),
        "{words}"
    );
}

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

#[test]
fn cells_broken_by_hand_are_refused_by_name() {
    let bench = study();
    let known = Known::of(&bench.path("run"));
    let predictions = |run: &Path| run.join(SSL).join("predictions.parquet");
    let row = |(video, segment): &(String, i32)| format!("row {video}[{segment}]");
    broken(
        &bench,
        "cells-as-planned",
        &[SSL, "seed: expected 0, found 7"],
        |run| {
            edit_table(&predictions(run), |name, column| {
                if let ("seed", Column::I32(v)) = (name, column) {
                    v.fill(7);
                }
            });
        },
    );
    broken(
        &bench,
        "cells-as-planned",
        &[SSL, "predictions.parquet"],
        |run| {
            std::fs::remove_file(predictions(run)).unwrap();
        },
    );
    // The ablation's encoder under the name of ssl.
    let words = [
        "cells/fold0/ssl-",
        "start ssl: expected an encoder of kind ordinary, found an encoder of kind transductive",
    ];
    let edit_cell = |run: &Path, change: &dyn Fn(&mut Value)| {
        edit_json(&run.join("plan.json"), |plan| {
            let steps = plan["steps"].as_array_mut().unwrap();
            change(steps.iter_mut().find(|step| step["id"] == SSL).unwrap());
        });
    };
    broken(&bench, "encoders-of-their-kind", &words, |run| {
        edit_cell(run, &|step| step["task"]["encoder"] = ABLATION.into());
    });
    // A command that does not do what the plan says of the step.
    broken(
        &bench,
        "cells-as-planned",
        &[SSL, "its command: expected n20, found f1"],
        |run| {
            edit_cell(run, &|step| {
                let words = step["command"].as_array_mut().unwrap();
                words
                    .iter_mut()
                    .filter(|word| **word == "n20")
                    .for_each(|word| *word = "f1".into());
            });
        },
    );
    broken(
        &bench,
        "cells-as-planned",
        &[SSL, "expected a step of a study"],
        |run| {
            edit_cell(run, &|step| step["task"]["start"] = "sssl".into());
        },
    );
    let last = Table::read(&predictions(&bench.path("run")))
        .unwrap()
        .rows()
        - 1;
    let judged = "judged-on-the-split";
    broken(
        &bench,
        judged,
        &[SSL, "fear of test: expected once, found 0 times"],
        |run| drop_row(&predictions(run), last),
    );
    broken(
        &bench,
        judged,
        &[&row(&known.test[0]), "expected test of fold 0, found valid"],
        |run| {
            put_segment(&predictions(run), 0, &known.test[0]);
        },
    );
    broken(&bench, judged, &[&row(&("unknown".into(), 0))], |run| {
        put_segment(&predictions(run), last, &("unknown".into(), 0));
    });
    let label = |run: &Path| {
        edit_table(&predictions(run), |name, column| match (name, column) {
            ("intensity", Column::F64(v)) => v[last] = 2.5,
            ("present", Column::Bool(v)) => v[last] = true,
            _ => {}
        });
    };
    broken(
        &bench,
        "labels-unaltered",
        &[SSL, " fear: expected", "found 2.5, present"],
        label,
    );
    broken(
        &bench,
        "collected-as-predicted",
        &[SSL, " fear is another"],
        label,
    );
}

#[test]
fn machines_that_differ_are_told_and_what_no_plan_has_is_refused() {
    let bench = study();
    let record = |run: &Path| run.join("steps").join(SSL).join("step.json");
    let rule = "made-alike";
    broken(&bench, rule, &["threads: 1 (", " more), 2 (", SSL], |run| {
        edit_json(&record(run), |record| {
            record["made"][0]["threads"] = 2.into()
        });
    });
    broken(&bench, rule, &["precision: bf16 (", SSL, "fp32 ("], |run| {
        edit_json(&record(run), |record| {
            record["made"][0]["torch"]["precision"] = "bf16".into()
        });
    });
    // What gives other last bits breaks no rule, and is said; so is a training that was gone on
    // with elsewhere.
    let told = |outcome: &str, words: &[&str], change: &dyn Fn(&mut Value)| {
        let run = bench.path("mixed");
        copy(&bench.path("run"), &run);
        edit_json(&record(&run), change);
        let audit: Value = serde_json::from_str(&bench.succeed("audit mixed --json")).unwrap();
        assert_eq!(audit["holds"], true);
        let finding = audit["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|f| f["rule"] == rule)
            .unwrap();
        assert_eq!(finding["outcome"], outcome, "{finding}");
        for word in words {
            assert!(
                finding["detail"].as_str().unwrap().contains(word),
                "{finding} does not say {word}"
            );
        }
        std::fs::remove_dir_all(&run).unwrap();
    };
    let noted = ["kernels: ", "other (", SSL, "other last bits"];
    told("noted", &noted, &|record| {
        record["made"][0]["torch"]["kernels"] = "other".into()
    });
    told("noted", &["libtorch: ", "1.0 (", SSL], &|record| {
        record["made"][0]["torch"]["version"] = "1.0".into()
    });
    told("noted", &noted, &|record| {
        let mut other = record["made"][0].clone();
        (other["torch"]["kernels"], other["processor"]) = ("other".into(), "Other".into());
        record["made"].as_array_mut().unwrap().push(other);
    });
    told("ok", &["processors: ", "Other (", SSL], &|record| {
        record["made"][0]["processor"] = "Other".into()
    });
    told(
        "ok",
        &["trainings on ", "; 1 of ", "records do not say"],
        &|record| {
            record.as_object_mut().unwrap().remove("made");
        },
    );
}

#[test]
fn journals_broken_by_hand_are_refused_by_name() {
    let bench = study();
    let journal = |run: &Path| run.join(SCRATCH).join("journal.jsonl");
    let place = |lines: &[Value], event: &str| {
        lines
            .iter()
            .rposition(|line| line["event"] == event)
            .unwrap()
    };
    let rule = "test-labels-read-once";
    broken(
        &bench,
        rule,
        &[
            SCRATCH,
            "one reading of the test labels in its journal, found 2",
        ],
        |run| {
            edit_journal(&journal(run), |lines| {
                let read = lines[place(lines, "test-labels")].clone();
                lines.insert(1, read);
            });
        },
    );
    broken(&bench, rule, &[SCRATCH, "in its journal, found 0"], |run| {
        edit_journal(&journal(run), |lines| {
            drop(lines.remove(place(lines, "test-labels")))
        });
    });
    broken(
        &bench,
        rule,
        &[
            SCRATCH,
            "after the test labels were read, found 'validation'",
        ],
        |run| {
            edit_journal(&journal(run), |lines| {
                let (read, look) = (place(lines, "test-labels"), place(lines, "validation"));
                lines.swap(read, look);
            });
        },
    );
    broken(
        &bench,
        rule,
        &[SCRATCH, "test segments to be read, found 1"],
        |run| {
            edit_journal(&journal(run), |lines| {
                let read = place(lines, "test-labels");
                lines[read]["segments"] = 1.into();
            });
        },
    );
    for key in ["labels", "validation", "heads"] {
        let rule = if key == "heads" {
            "same-beginning"
        } else {
            "same-labels"
        };
        broken(&bench, rule, &[SCRATCH, "another"], |run| {
            edit_journal(&journal(run), |lines| {
                lines[0]["beginning"][key] = "another".into()
            });
        });
    }
    for (key, other) in [
        ("batch", Value::from("another")),
        ("dropout", Value::from(-1)),
    ] {
        let text = other.as_str().map_or(other.to_string(), str::to_string);
        broken(
            &bench,
            "same-beginning",
            &[SCRATCH, SSL, "step 7", &text],
            |run| {
                edit_journal(&journal(run), |lines| {
                    let step = lines
                        .iter()
                        .position(|l| l["event"] == "step" && l["step"] == 7)
                        .unwrap();
                    lines[step][key] = other.clone();
                });
            },
        );
    }
    broken(
        &bench,
        "cells-as-planned",
        &[SCRATCH, "journal.jsonl: line 1: not an event of a journal"],
        |run| {
            edit_journal(&journal(run), |lines| lines[0]["event"] = "begin".into());
        },
    );
}
