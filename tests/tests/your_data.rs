//! Walks `docs/your-data.md` word for word: from recordings and a table of words to a report.
//!
//! Commands, mapping and configuration are those of the page. What is put in the place of what, so
//! that it takes seconds, stands in [`SHRUNK`] and [`walk`]. The recordings are made here: by
//! espeak-ng where it is installed, else tones.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::path::Path;
use std::process::Command;
use study_tests::{Bench, program};
use sweep::Plan;

/// What stands in the page's configuration, and what is run in its place.
const SHRUNK: [(&str, &str); 9] = [
    ("split = { k_folds = 5 }", "split = { k_folds = 3 }"),
    ("counts = [24, 72]", "counts = [12]"),
    ("model_dim = 64", "model_dim = 16"),
    ("layers = 3", "layers = 1"),
    ("feedforward_dim = 256", "feedforward_dim = 32"),
    (
        "steps = 2000\nwarmup_steps = 100\nvalidate_every = 200",
        "steps = 12\nwarmup_steps = 2\nvalidate_every = 5",
    ),
    (
        "steps = 200\nvalidate_every = 20",
        "steps = 12\nwarmup_steps = 2\nvalidate_every = 5",
    ),
    ("seeds = [0, 1]", "seeds = [0]"),
    ("name = \"corpus\"", "name = \"corpus\"\nthreads = 1"),
];

const SPEAKERS: usize = 6;
/// Recordings of each word by each speaker.
const TIMES: usize = 2;

#[test]
fn a_folder_of_recordings_and_a_table_come_to_a_report() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/your-data.md")).unwrap();
    let part = page
        .split("\n## ")
        .find(|part| part.starts_with("From WAV files to a report"))
        .unwrap();
    let (mapping, study) = (block(part, "toml", 0), block(part, "toml", 1));
    let mut shrunk = study.to_string();
    for (page, here) in SHRUNK {
        assert!(
            shrunk.contains(page),
            "the page's configuration does not say: {page}"
        );
        shrunk = shrunk.replacen(page, here, 1);
    }
    let bench = Bench::new("");
    std::os::unix::fs::symlink(root.join("examples"), bench.path("examples")).unwrap();
    std::fs::create_dir_all(bench.path("corpus/wav/in a folder")).unwrap();
    bench.write("as_it_stands.toml", study);
    bench.succeed("check as_it_stands.toml");
    bench.write("corpus/mapping.toml", mapping);
    bench.write("corpus/study.toml", &shrunk);

    // The page's header over rows of ours, with the words of its mapping.
    let words: Vec<&str> = mapping
        .split("[labels.category.meaning]\n")
        .nth(1)
        .unwrap()
        .lines()
        .collect();
    let words: Vec<&str> = words
        .iter()
        .filter_map(|line| line.split_once(" = "))
        .map(|(word, _)| word)
        .collect();
    let mut table = block(part, "csv", 0).lines().next().unwrap().to_string() + "\n";
    assert_eq!(
        table, "recording,speaker,emotion\n",
        "rows are written for this header"
    );
    for speaker in 0..SPEAKERS {
        for (w, word) in words.iter().enumerate() {
            for time in 0..TIMES {
                let name = format!("s{speaker}_{w}{time}.wav");
                let folder = if time == 0 {
                    "corpus/wav"
                } else {
                    "corpus/wav/in a folder"
                };
                record(&bench.path(folder).join(&name), speaker, w, time);
                table += &format!("{name},s{speaker},{word}\n");
            }
        }
    }
    bench.write("corpus/labels.csv", &table);

    let commands = part
        .split("```sh\n")
        .skip(1)
        .flat_map(|text| text.split("\n```").next().unwrap().lines());
    for command in commands {
        if walk(&bench, command).is_none() {
            return;
        }
    }
    let report = part
        .split('`')
        .find(|text| text.ends_with("report.html"))
        .unwrap();
    let html = std::fs::read_to_string(bench.path(report)).unwrap();
    for word in ["anger", "happy", "boredom"] {
        assert!(html.contains(word), "the report does not speak of {word}");
    }
    assert!(html.contains("<svg"));
    let manifest =
        std::fs::read_to_string(bench.path("runs/corpus/prepared/manifest.json")).unwrap();
    assert!(
        manifest.contains("Loudness_sma3"),
        "columns are known by openSMILE's names"
    );
    bench.succeed("audit runs/corpus");
}

/// Does what the page says; nothing where it cannot be done on this machine.
fn walk(bench: &Bench, command: &str) -> Option<()> {
    let mut words = command.split_whitespace();
    match words.next().unwrap() {
        // The program of the tests is built already.
        "cargo"
            if command.starts_with("cargo xtask setup") || command.starts_with("cargo build") => {}
        // The engine of the tests runs the plan of the program of the tests.
        "cargo" => {
            let arguments = command.strip_prefix("cargo xtask sweep ").unwrap();
            let plan = bench.succeed(&format!("plan {}", arguments.replace("--out", "--run")));
            let plan: Plan = serde_json::from_str(&plan).unwrap();
            let outcome =
                sweep::run(&plan, &bench.path("runs/corpus"), program(), 2, &mut |_| ()).unwrap();
            assert!(
                outcome.failed.is_empty() && outcome.blocked.is_empty(),
                "{:?}",
                outcome.failed
            );
        }
        "target/release/mosei-ssl" => {
            let said = bench.succeed(command.strip_prefix("target/release/mosei-ssl ").unwrap());
            if command.contains(" import ") {
                let all = format!(
                    "labels: {} segments of {SPEAKERS} videos; above 0: ",
                    SPEAKERS * 4 * TIMES
                );
                // openSMILE's step is a whole number of samples: 221 of the 22,050 a second in
                // which espeak-ng speaks.
                let rates = ["at 100 Hz, 25 columns", "at 99.774 Hz, 25 columns"];
                assert!(
                    said.contains(&all) && rates.iter().any(|rate| said.contains(rate)),
                    "{said}"
                );
            }
        }
        program => {
            let output = Command::new(program)
                .args(words)
                .current_dir(bench.path("."))
                .output();
            let output = match output {
                Ok(output) => output,
                Err(error) if program == "python3" => {
                    return skipped(&format!("no python3 ({error})"));
                }
                Err(error) => panic!("{command}: {error}"),
            };
            let said = String::from_utf8_lossy(&output.stderr);
            if !output.status.success() && (program.ends_with("/pip") || program == "python3") {
                return skipped(&format!(
                    "'{command}' failed: {}",
                    said.trim().lines().last().unwrap_or_default()
                ));
            }
            assert!(output.status.success(), "{command}: {said}");
        }
    }
    Some(())
}

fn skipped(why: &str) -> Option<()> {
    let line = "-".repeat(78);
    // Not with a macro, whose words the test harness keeps to itself.
    let _ = writeln!(
        std::io::stderr(),
        "{line}\nSKIPPED: docs/your-data.md was not walked to its end: {why}\n{line}"
    );
    None
}

/// The `n`th block of that kind.
fn block<'a>(text: &'a str, kind: &str, n: usize) -> &'a str {
    let begin = format!("```{kind}\n");
    text.split(begin.as_str())
        .nth(n + 1)
        .and_then(|rest| rest.split("```").next())
        .unwrap()
}

/// A spoken sentence: espeak-ng with a pitch and speed for each word, or a tone that moves as
/// fast as the word says.
fn record(path: &Path, speaker: usize, word: usize, time: usize) {
    let text = ["the boats are at the door", "kids are talking by the dog"][time % 2];
    let (pitch, speed) = (
        (25 + 8 * speaker).to_string(),
        (120 + 40 * word).to_string(),
    );
    let spoken = Command::new("espeak-ng")
        .args(["-p", &pitch, "-s", &speed, "-w"])
        .arg(path)
        .arg(text)
        .status();
    if spoken.is_ok_and(|status| status.success()) {
        return;
    }
    const RATE: u32 = 16_000;
    let sample = |k: u32| {
        let t = f64::from(k) / f64::from(RATE);
        let turn = |hz: f64| (std::f64::consts::TAU * hz * t).sin();
        let hz = 110.0 + 15.0 * speaker as f64 + 5.0 * time as f64;
        let tone: f64 = (1..6).map(|h| turn(hz * f64::from(h)) / f64::from(h)).sum();
        (6000.0 * tone * (1.0 + turn(1.0 + 2.0 * word as f64)) / 2.0) as i16
    };
    let samples: Vec<u8> = (0..RATE).flat_map(|k| sample(k).to_le_bytes()).collect();
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + samples.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    // Whole numbers, one channel.
    wav.extend([1, 0, 1, 0]);
    wav.extend(RATE.to_le_bytes());
    wav.extend((2 * RATE).to_le_bytes());
    wav.extend([2, 0, 16, 0]);
    wav.extend(b"data");
    wav.extend((samples.len() as u32).to_le_bytes());
    wav.extend(samples);
    std::fs::write(path, wav).unwrap();
}
