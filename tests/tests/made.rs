//! Where a run was made: each record says it, and what gives other bits is refused.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod whole;

use run_record::{MADE_FILE, Made, StepRecord, processor_model, step_folder_variable};
use serde_json::Value;
use std::path::Path;
use study_tests::{Bench, tiny};
use sweep::Plan;
use whole::sweep_all;

#[test]
fn every_record_says_where_its_step_was_made() {
    let bench = Bench::new(&tiny(
        "[grid]\nseeds = [0]\nstarts = [\"ssl\", \"frozen\"]\n",
    ));
    sweep_all(&bench);
    let plan: Plan =
        serde_json::from_slice(&std::fs::read(bench.path("run/plan.json")).unwrap()).unwrap();
    let doctor = bench.succeed("doctor");
    let mut kinds = std::collections::BTreeSet::new();
    for step in &plan.steps {
        let folder = bench.path("run/steps").join(&step.id);
        let record = StepRecord::read(&folder).unwrap();
        let [made] = &record.made[..] else {
            panic!("{}: {:?}", step.id, record.made)
        };
        assert_eq!(made.processor, processor_model());
        assert!(!folder.join(MADE_FILE).exists(), "the record holds it now");
        kinds.insert((step.kind.clone(), made.torch.is_some()));
        let Some(torch) = &made.torch else {
            assert!(made.threads >= 1);
            continue;
        };
        assert_eq!(
            (
                made.threads,
                torch.precision.as_str(),
                torch.device.as_str()
            ),
            (1, "fp32", "cpu")
        );
        let kernels = format!("{} (mosei-ssl), {} (libtorch)\n", torch.kernels, torch.aten);
        assert!(doctor.contains(&kernels), "{doctor}{torch:?}");
        assert!(
            doctor
                .lines()
                .any(|line| line.starts_with("libtorch ") && line.ends_with(&torch.version)),
            "{torch:?}"
        );
        assert!(!torch.aten.is_empty());
    }
    let with: Vec<&str> = kinds
        .iter()
        .filter(|(_, torch)| *torch)
        .map(|(kind, _)| kind.as_str())
        .collect();
    assert_eq!(with, ["cell", "encode", "pretrain"]);
    let audit = bench.succeed("audit run");
    let line = audit
        .lines()
        .find(|line| line.contains("made-alike"))
        .unwrap();
    assert!(
        line.starts_with("ok ") && line.contains(&format!("trainings on {}, ", processor_model())),
        "{line}"
    );
}

/// Runs a verb as the step of an engine, in whose folder it says where it was made.
fn made_by(bench: &Bench, folder: &Path, arguments: &str) -> Vec<Made> {
    std::fs::create_dir_all(folder).unwrap();
    let (variable, value) = step_folder_variable(folder);
    let output = bench
        .command(arguments)
        .env(variable, value)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Made::handed_over(folder).unwrap()
}

/// The step of the last checkpoint in a folder.
fn last_checkpoint(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| name.strip_prefix("step-")?.parse().ok())
        .max()
        .unwrap()
}

#[test]
fn a_training_that_went_on_elsewhere_names_both_machines() {
    let bench = Bench::new(&tiny("").replacen("steps = 12", "steps = 100", 1));
    bench.prepare();
    let pretrain = "pretrain --config study.toml --prepared prepared --key k --out pre";
    bench.killed_at(pretrain, "pre/checkpoint/step-8");
    // As if the first steps had been done on another machine.
    let path = bench.path("pre/journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let mut first: Value = serde_json::from_str(first).unwrap();
    let own: Made = serde_json::from_value(first["made"].clone()).unwrap();
    first["made"]["processor"] = "Another".into();
    // A third one went on from the same checkpoint and did not come to the next: it had no part in
    // what stays.
    let third = first
        .to_string()
        .replace("Another", "Third")
        .replace("\"start\"", "\"resume\"");
    let step = format!(
        "\"step\":{}",
        last_checkpoint(&bench.path("pre/checkpoint"))
    );
    let third = third.replace("\"step\":0", &step);
    assert!(third.contains("resume") && third.contains(&step), "{third}");
    std::fs::write(&path, format!("{first}\n{rest}{third}\n")).unwrap();

    let made = made_by(&bench, &bench.path("step"), pretrain);
    let processors: Vec<&str> = made.iter().map(|m| m.processor.as_str()).collect();
    assert_eq!(processors, [own.processor.as_str(), "Another"]);
    // Begun again from nothing, it is of this machine alone.
    std::fs::remove_dir_all(bench.path("pre")).unwrap();
    assert_eq!(made_by(&bench, &bench.path("step"), pretrain), [own]);
}

#[test]
fn fewer_threads_than_configured_are_refused_by_the_variable() {
    let bench = Bench::new(&tiny("").replace("name = \"tiny\"", "name = \"tiny\"\nthreads = 2"));
    bench.prepare();
    let pretrain = "pretrain --config study.toml --prepared prepared --out pre";
    for (name, value) in [("OMP_THREAD_LIMIT", "1"), ("OMP_DYNAMIC", "true")] {
        let output = bench.command(pretrain).env(name, value).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
        assert!(
            words.contains("key 'threads': expected 2 threads, found "),
            "{words}"
        );
        assert!(words.contains(&format!("{name}={value}")), "{words}");
        assert!(!bench.path("pre").exists());
    }
    // Settings that keep the bits are no reason to refuse.
    let output = bench
        .command(pretrain)
        .env("OMP_NUM_THREADS", "1")
        .env("OMP_THREAD_LIMIT", "2")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let journal = std::fs::read_to_string(bench.path("pre/journal.jsonl")).unwrap();
    let first: Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    assert_eq!(
        first["made"]["threads"], 2,
        "those that OpenMP gave, counted"
    );
}
