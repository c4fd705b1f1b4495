//! A corpus of words: rows of unequal length, which have no rate.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use study_tests::{Bench, tiny};

/// Recordings of 20 to 31 words of 0.1 to 0.7 s, some with a pause behind them; `words` of them are
/// one segment.
fn corpus(words: usize) -> Bench {
    let config = tiny("[grid]\nstarts = [\"ssl\", \"scratch\"]\n");
    let (begin, end) = (
        config.find("[synth]").unwrap(),
        config.find("[data]").unwrap(),
    );
    let config = config
        .replacen(&config[begin..end], "", 1)
        .replace("pool_frames = 10", "pool_frames = 1");
    let config = config.replace(
        "[data]\n",
        "[data]\nfeatures = \"features.csd\"\nlabels = [\"labels.csd\"]\nunknown_fold_ids = \"count\"\n",
    );
    let bench = Bench::new(&config);
    let mut features = String::from("video,start,end,pitch,energy\n");
    let mut labels = String::from("video,start,end,happy,sad\n");
    for video in 0..20 {
        let (mut at, mut times) = (0.0, Vec::new());
        for word in 0..20 + video % 12 {
            let length = 0.1 + 0.1 * f64::from((word * 5 + video) % 7);
            times.push([at, at + length]);
            features += &format!(
                "v{video:02},{at},{},{},{}\n",
                at + length,
                (word * 7 + video) % 11,
                (word * video) % 5
            );
            at += length + if word % 4 == 3 { 0.4 } else { 0.0 };
        }
        for (k, part) in times.chunks(words).enumerate() {
            let (from, to) = (part[0][0], part[part.len() - 1][1]);
            labels += &format!(
                "v{video:02},{from},{to},{},{}\n",
                (k + video as usize) % 2,
                (k * 3 + video as usize) % 4 / 3
            );
        }
    }
    bench.write("f.csv", &features);
    bench.write("l.csv", &labels);
    bench.succeed("import --features f.csv --labels l.csv --out data");
    bench
}

#[test]
fn a_model_takes_the_very_file_of_words_that_it_was_trained_on() {
    let bench = corpus(5);
    let said = bench.succeed("inspect data/features.csd");
    assert!(said.contains("irregular"), "{said}");
    bench.succeed("prepare --config study.toml --data data --out prepared");
    bench.succeed("sample --config study.toml --prepared prepared --out subsets.parquet");
    bench.succeed(
        "finetune --config study.toml --prepared prepared --subsets subsets.parquet --start scratch --labels n20 --out cell",
    );
    let input = std::fs::read_to_string(bench.path("cell/model/encoder/input.json")).unwrap();
    assert!(
        input.contains("\"irregular\": true") || input.contains("\"irregular\":true"),
        "{input}"
    );
    for data in ["data/features.csd", "prepared"] {
        bench.succeed(&format!("predict cell/model {data} --out said.csv"));
        assert!(
            std::fs::read_to_string(bench.path("said.csv"))
                .unwrap()
                .lines()
                .count()
                > 20
        );
    }
}

#[test]
fn segments_of_one_word_are_not_pretrained_on() {
    let bench = corpus(1);
    let words = bench.fail("prepare --config study.toml --data data --out prepared", 1);
    assert!(
        words.contains("two frames") || words.contains("2 frames"),
        "{words}"
    );
    assert!(
        !bench.path("prepared").exists(),
        "a refused input leaves no output"
    );
    // A study without pre-training is one of single frames, and says so.
    let config = std::fs::read_to_string(bench.path("study.toml")).unwrap();
    bench.write(
        "alone.toml",
        &config.replace("[\"ssl\", \"scratch\"]", "[\"scratch\"]"),
    );
    let output = bench.run("prepare --config alone.toml --data data --out prepared");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && said.contains("median segment"),
        "{said}"
    );
    let refused = bench.fail(
        "pretrain --config study.toml --prepared prepared --out encoder",
        1,
    );
    assert!(refused.contains("frame"), "{refused}");
}
