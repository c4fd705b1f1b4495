//! The end of a sweep in words: its results, or what failed and what waits for that, and what to do
//! next.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use sweep::Outcome;

/// Prints how the sweep ended; returns the process' exit code.
pub(crate) fn summary(outcome: &Outcome, run: &Path) -> u8 {
    say!("{}", words(outcome, run).trim_end());
    match outcome {
        o if o.interrupted => 130,
        o if o.is_complete() => 0,
        _ => 1,
    }
}

fn words(outcome: &Outcome, run: &Path) -> String {
    let (done, skipped, failed) = (
        outcome.done.len(),
        outcome.skipped.len(),
        outcome.failed.len(),
    );
    let mut text = format!("{done} done, {skipped} were done before, {failed} failed");
    if !outcome.blocked.is_empty() {
        let _ = write!(text, ", {} could not run", outcome.blocked.len());
    }
    let _ = writeln!(text, ", in {}", duration(outcome.seconds));
    for (id, error) in &outcome.failed {
        text += &failure(run, id, error, &own_log(run, id), outcome.blocked_by(id));
    }
    if outcome.is_complete() {
        text += &end(run);
    } else if outcome.interrupted {
        text += "stopped; the same command goes on where it stopped\n";
    } else {
        text += "the same command runs again what failed and what waits for it\n";
    }
    text
}

/// The log of a step, relative to the run folder, where there is one.
fn own_log(run: &Path, id: &str) -> Vec<String> {
    let log = format!("steps/{id}/log.txt");
    if run.join(&log).is_file() {
        vec![log]
    } else {
        Vec::new()
    }
}

/// One step that failed: why, where more is to be read, and how much waits for it.
pub(crate) fn failure(
    run: &Path,
    id: &str,
    error: &str,
    logs: &[String],
    waiting: usize,
) -> String {
    let mut text = format!("  failed: {id}\n{}\n", indent(error));
    for log in logs {
        let _ = writeln!(text, "      log: {}", run.join(log).display());
    }
    if waiting > 0 {
        let _ = writeln!(text, "      {}", wait_for_it(waiting));
    }
    text
}

/// So many steps wait for a step that was named.
pub(crate) fn wait_for_it(steps: usize) -> String {
    wait(steps) + " for it"
}

/// So many steps wait.
pub(crate) fn wait(steps: usize) -> String {
    if steps == 1 {
        "1 step waits".to_string()
    } else {
        format!("{steps} steps wait")
    }
}

/// The steps that a forecast leaves out.
pub(crate) fn left_out(untimed: &[(String, usize)]) -> String {
    let kinds: Vec<String> = untimed
        .iter()
        .map(|(kind, n)| format!("{n} {kind}"))
        .collect();
    if kinds.is_empty() {
        String::new()
    } else {
        format!(" ({} not in it, as none was timed yet)", kinds.join(", "))
    }
}

/// What the run found, where it stands, and what to do next.
fn end(run: &Path) -> String {
    let claim = std::fs::read_to_string(run.join("claim.txt"))
        .map(|claim| format!("\n{}\n", claim.trim_end()));
    format!(
        "{}\nreport:  {}\nnumbers: {}\nnext:    {} audit {}    (checks for leakage)\n         \
         docs/your-data.md goes from your own recordings to such a report\n",
        claim.unwrap_or_default(),
        run.join("report.html").display(),
        run.join("results.csv").display(),
        program(),
        quoted(run)
    )
}

/// This program as a word of a shell's command: by its name where the shell finds it so.
pub(crate) fn program() -> String {
    const NAME: &str = "mosei-ssl";
    let Ok(this) = std::env::current_exe() else {
        return NAME.into();
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = std::env::split_paths(&path)
        .map(|folder| folder.join(NAME))
        .find(|file| file.is_file());
    if first
        .and_then(|file| file.canonicalize().ok())
        .is_some_and(|file| Some(file) == this.canonicalize().ok())
    {
        return NAME.into();
    }
    let here = std::env::current_dir().unwrap_or_default();
    quoted(this.strip_prefix(&here).unwrap_or(&this))
}

/// Seconds as people say them.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole % 3600 / 60, whole % 60) {
        (0, 0, _) => format!("{seconds:.1} s"),
        (0, minutes, s) => format!("{minutes} min {s:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

/// Several lines, set below the one that introduces them.
pub(crate) fn indent(text: &str) -> String {
    text.lines()
        .map(|line| format!("      {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A path as a word of a shell's command.
pub(crate) fn quoted(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    // Refused is a zero byte alone, which no path holds.
    let word = shlex::bytes::try_quote(bytes).unwrap_or(bytes.into());
    String::from_utf8_lossy(&word).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_to_the_shell() {
        assert_eq!(quoted(Path::new("runs/demo")), "runs/demo");
        for path in [
            "/a b/run",
            "it's",
            "$HOME/`x`",
            "a\"b",
            "a;b&c|d",
            "new\nline",
            "ü*?[x]",
            "~",
            "a\\b",
            "#x",
            "(x)",
            "!",
        ] {
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", &format!("printf %s {}", quoted(Path::new(path)))])
                .output()
                .unwrap();
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                path,
                "{}",
                quoted(Path::new(path))
            );
        }
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(0.25), "0.2 s");
        assert_eq!(duration(59.7), "1 min 00 s");
        assert_eq!(duration(3_661.0), "1 h 01 min");
    }

    #[test]
    fn one_failure_is_told_once_with_its_log_and_what_waits() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path();
        std::fs::create_dir_all(run.join("steps/prepare")).unwrap();
        std::fs::write(run.join("steps/prepare/log.txt"), "").unwrap();
        let blocked = (0..404)
            .map(|i| (format!("cells/{i}"), "prepare".to_string()))
            .collect();
        let failed = vec![(
            "prepare".to_string(),
            "exit status: 1\nerror: a.csd: no such file".to_string(),
        )];
        let text = words(
            &Outcome {
                blocked,
                failed,
                seconds: 1.25,
                ..Outcome::default()
            },
            run,
        );
        let expected = format!(
            "0 done, 0 were done before, 1 failed, 404 could not run, in 1.2 s\n  failed: prepare\n      exit status: 1\n      \
             error: a.csd: no such file\n      log: {}\n      404 steps wait for it\nthe same command runs again what failed \
             and what waits for it\n",
            run.join("steps/prepare/log.txt").display()
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn the_next_command_can_be_copied() {
        let outcome = Outcome {
            done: vec!["a".into()],
            ..Outcome::default()
        };
        let text = words(&outcome, Path::new("/my runs/demo"));
        let command = text
            .lines()
            .find_map(|line| line.strip_prefix("next:    "))
            .unwrap();
        assert!(
            command.contains(" audit '/my runs/demo'  ") && command.starts_with(&program()),
            "{text}"
        );
        assert!(
            text.contains("report:  /my runs/demo/report.html\n") && !text.contains("wait"),
            "{text}"
        );
    }

    #[test]
    fn what_is_not_foretold_is_named() {
        let untimed = vec![("evaluate".to_string(), 1), ("report".to_string(), 1)];
        assert_eq!(
            left_out(&untimed),
            " (1 evaluate, 1 report not in it, as none was timed yet)"
        );
        assert_eq!(left_out(&[]), "");
    }
}
