//! A seed fixes every bit on the CPU, interrupted or not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use study_tests::{Bench, tiny};

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Losses of the journal's steps, as text: equal text is equal bits.
fn losses(journal: &Path) -> Vec<String> {
    let text = String::from_utf8(bytes(journal)).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines
        .filter(|l| l["event"] == "step")
        .map(|l| format!("{} {}", l["step"], l["loss"]))
        .collect()
}

#[test]
fn training_twice_gives_the_same_bytes_and_another_seed_gives_others() {
    let bench = Bench::new(&tiny(""));
    bench.prepare();
    for out in ["a", "b"] {
        bench.succeed(&format!(
            "pretrain --config study.toml --prepared prepared --seed 3 --out {out}"
        ));
        bench.succeed(&format!(
            "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start ssl --encoder {out}/encoder --labels n20 --seed 3 --out {out}/cell --key k"
        ));
    }
    bench.succeed("pretrain --config study.toml --prepared prepared --seed 4 --out c");
    let files = [
        "reconstruction.parquet",
        "cell/predictions.parquet",
        "cell/model/heads.safetensors",
    ];
    for file in files.into_iter().chain(["encoder/model.safetensors"]) {
        assert!(
            bytes(&bench.path("a").join(file)) == bytes(&bench.path("b").join(file)),
            "{file} differs"
        );
    }
    assert_eq!(
        losses(&bench.path("a/journal.jsonl")),
        losses(&bench.path("b/journal.jsonl"))
    );
    assert_ne!(
        bytes(&bench.path("a/encoder/model.safetensors")),
        bytes(&bench.path("c/encoder/model.safetensors"))
    );
}

#[test]
fn a_killed_training_goes_on_to_the_same_bytes() {
    // Long enough to be killed between its first checkpoint and its end.
    let config = tiny("").replace("steps = 12", "steps = 400");
    let bench = Bench::new(&config);
    bench.prepare();
    let arguments =
        |out: &str| format!("pretrain --config study.toml --prepared prepared --out {out}");
    bench.succeed(&arguments("whole"));
    bench.killed_at(&arguments("killed"), "killed/checkpoint/step-4");
    assert!(
        !bench.path("killed/encoder").exists(),
        "it ended before it could be killed"
    );
    bench.succeed(&arguments("killed"));
    let journal = bench.path("killed/journal.jsonl");
    assert!(
        String::from_utf8(bytes(&journal))
            .unwrap()
            .contains("\"resume\""),
        "it did not continue from the checkpoint"
    );
    for file in ["encoder/model.safetensors", "reconstruction.parquet"] {
        assert!(
            bytes(&bench.path("whole").join(file)) == bytes(&bench.path("killed").join(file)),
            "{file} differs"
        );
    }
    assert_eq!(losses(&journal), losses(&bench.path("whole/journal.jsonl")));
    assert!(
        !bench.path("killed/checkpoint").exists(),
        "checkpoints go when the training is done"
    );
}

#[test]
fn starts_of_a_cell_begin_with_the_same_heads_and_see_the_same_batches() {
    // A rate that is 0 in single precision leaves the first values in the model's folder.
    let config = tiny("").replace("validate_every = 5\n", "validate_every = 5\nweight_decay = 0.0\n").replace(
        "[finetune.training]\n",
        "[finetune]\nprobe_learning_rate = 1e-300\n[finetune.training]\nlearning_rate = 1e-300\n",
    );
    let bench = Bench::new(&config);
    bench.prepare();
    bench.succeed("pretrain --config study.toml --prepared prepared --out pre");
    let starts = ["ssl", "scratch", "frozen", "random-frozen"];
    for start in starts {
        bench.succeed(&format!(
            "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start {start} --encoder pre/encoder --labels n20 --out {start}"
        ));
    }
    let file = |start: &str, name: &str| bytes(&bench.path(start).join("model").join(name));
    let frames = |start: &str| -> Vec<String> {
        let text = String::from_utf8(bytes(&bench.path(start).join("journal.jsonl"))).unwrap();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines
            .filter(|l| l["event"] == "step")
            .map(|l| format!("{} {} {}", l["step"], l["epoch"], l["valid_frames"]))
            .collect()
    };
    for start in &starts[1..] {
        assert!(
            file(start, "heads.safetensors") == file("ssl", "heads.safetensors"),
            "{start} begins with other heads"
        );
        assert_eq!(frames(start), frames("ssl"), "{start} sees other batches");
    }
    let encoder = "encoder/model.safetensors";
    assert!(
        file("ssl", encoder) == file("frozen", encoder)
            && file("scratch", encoder) == file("random-frozen", encoder)
    );
    assert!(file("ssl", encoder) != file("scratch", encoder));
}

#[test]
fn a_probe_is_the_same_whether_its_encodings_are_shared_or_its_own() {
    for pooling in ["mean", "attention"] {
        let config = tiny("").replace(
            "[finetune.training]",
            &format!("[finetune.heads]\npooling = \"{pooling}\"\n[finetune.training]"),
        );
        let bench = Bench::new(&config);
        bench.prepare();
        bench.succeed("pretrain --config study.toml --prepared prepared --out pre");
        bench.succeed("encode --config study.toml --prepared prepared --start frozen --encoder pre/encoder --out shared.safetensors");
        for (out, more) in [("own", ""), ("shared", "--encodings shared.safetensors")] {
            bench.succeed(&format!(
                "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start frozen --encoder pre/encoder --labels n20 --out {out} --key k {more}"
            ));
        }
        for file in [
            "predictions.parquet",
            "model/heads.safetensors",
            "model/encoder/model.safetensors",
        ] {
            assert!(
                bytes(&bench.path("own").join(file)) == bytes(&bench.path("shared").join(file)),
                "{pooling}: {file} differs"
            );
        }
        assert!(
            !bench.path("own/encodings.safetensors").exists(),
            "what only this cell needed goes with it"
        );
        let words = bench.fail(
            "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start scratch --labels n20 --out other --encodings shared.safetensors",
            2,
        );
        assert!(words.contains("--encodings: expected none"), "{words}");
    }
}
