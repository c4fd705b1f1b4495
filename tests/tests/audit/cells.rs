//! Rules of the cells: their settings, predictions, machines and journals.

use crate::broken_run::*;
use crate::by_hand::{copy, edit_json, edit_table, finding};
use run_record::{Column, Table};
use serde_json::Value;
use std::path::Path;

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
        let finding = finding(&audit, rule);
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
