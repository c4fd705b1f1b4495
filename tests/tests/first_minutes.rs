//! What a newcomer meets: help with examples, near misses, completions, manual pages, the doctor.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use study_tests::{Bench, tiny};

/// The verbs that `--help` lists.
fn verbs(bench: &Bench) -> Vec<String> {
    let help = bench.succeed("--help");
    let listed = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    listed
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(String::from)
        .collect()
}

#[test]
fn every_verb_has_an_example() {
    let bench = Bench::new(&tiny(""));
    let verbs = verbs(&bench);
    assert!(
        verbs.len() > 15 && verbs.contains(&"predict".to_string()),
        "{verbs:?}"
    );
    for verb in &verbs {
        let help = bench.succeed(&format!("{verb} --help"));
        let example = help
            .lines()
            .find(|line| line.starts_with("Example") && line.contains(": mosei-ssl "));
        assert!(
            example.is_some_and(|line| line.contains(verb.as_str())),
            "{verb}:\n{help}"
        );
    }
}

#[test]
fn what_is_nearly_right_is_named() {
    let bench = Bench::new(&tiny("").replace("model_dim", "model_dims"));
    let near = |arguments: &str, code: i32, wanted: &str| {
        let message = bench.fail(arguments, code);
        assert!(message.contains(wanted), "{arguments}: {message}");
    };
    near("pretrian", 2, "'pretrain'");
    near("check study.toml", 2, "did you mean 'model_dim'?");
    bench.write("study.toml", &tiny("[grid]\nstarts = [\"scracth\"]\n"));
    near("check study.toml", 2, "did you mean 'scratch'?");
    bench.write("study.toml", &tiny("").replace("[encoder]", "[encodr]"));
    near("check study.toml", 2, "did you mean 'encoder'?");
    bench.write(
        "study.toml",
        &tiny("[report]\nprimary_metric = \"rocauc\"\n"),
    );
    near("check study.toml", 2, "did you mean 'roc_auc'?");
    near(
        "finetune --config study.toml --prepared p --subsets s --labels n20 --out c --start scrach",
        2,
        "'scratch'",
    );
    near("check stduy.toml", 1, "stduy.toml");
    // What is far from everything is not guessed at.
    bench.write("study.toml", &tiny("[zzz]\n"));
    assert!(!bench.fail("check study.toml", 2).contains("did you mean"));
}

#[test]
fn the_shell_and_man_know_every_verb() {
    let bench = Bench::new(&tiny(""));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.succeed(&format!("completions {shell}"));
        assert!(
            verbs(&bench)
                .iter()
                .all(|verb| script.contains(verb.as_str())),
            "{shell}"
        );
        assert!(
            !script.contains("serve"),
            "{shell}: what is hidden stays so"
        );
    }
    bench.succeed("man pages");
    for verb in verbs(&bench) {
        let page =
            std::fs::read_to_string(bench.path(&format!("pages/mosei-ssl-{verb}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains("Example"), "{verb}");
    }
    assert!(
        bench.path("pages/mosei-ssl.1").is_file()
            && !bench.path("pages/mosei-ssl-serve.1").exists()
    );
}

#[test]
fn the_doctor_says_what_a_report_needs() {
    let bench = Bench::new(&tiny("[grid]\nseeds = [0]\nstarts = [\"scratch\"]\n"));
    let said = bench.succeed("doctor");
    for part in [
        "mosei-ssl",
        "processor",
        "libtorch",
        "HDF5",
        "device cpu",
        "can be used",
        "device cuda",
    ] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    // A run whose first step has failed.
    let plan: sweep::Plan =
        serde_json::from_str(&bench.succeed("plan study.toml --run run")).unwrap();
    let broken = sweep::Plan {
        steps: plan
            .steps
            .into_iter()
            .map(|step| sweep::Step {
                command: vec!["prepare".into(), "--nonsense".into()],
                ..step
            })
            .collect(),
        ..plan
    };
    let outcome = sweep::run(
        &broken,
        &bench.path("run"),
        study_tests::program(),
        1,
        &mut |_| (),
    )
    .unwrap();
    assert!(!outcome.is_complete());
    let said = bench.succeed("doctor run");
    assert!(
        said.contains("failed") && said.contains("--nonsense"),
        "{said}"
    );
    let message = bench.fail("doctor nowhere", 1);
    assert!(message.contains("nowhere"), "{message}");
}
