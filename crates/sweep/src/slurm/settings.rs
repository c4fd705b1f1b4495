//! The resources that a job requests: the user's settings, and their translation to flags of
//! `sbatch`.

use mosei_schema::SettingError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The resources that the jobs of a plan request. For a setting that is left out, the cluster's
/// default applies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Slurm {
    /// The partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The account that is charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The time limit of a task in Slurm's notation: `30` (minutes), `02:00:00`, `1-12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Memory of a task in Slurm's notation: `2000M`, `4G`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Cores of a task. Default: the threads of a process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// GPUs of a task, of any type. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u32>,
    /// How many tasks of one array may run in parallel. Default: as many as the cluster allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
    /// How many steps a task runs in sequence: more than 1 if a step is short compared to the start
    /// of a job. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps_per_task: Option<u32>,
    /// More flags of `sbatch`, each as `--flag` or `--flag=value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<String>,
    /// Settings for the steps of one kind, which override the others; their `extra` flags are
    /// appended.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kind: BTreeMap<String, Slurm>,
}

/// Flags that the engine sets itself.
const OWN_FLAGS: [&str; 11] = [
    "array",
    "chdir",
    "dependency",
    "error",
    "job-name",
    "open-mode",
    "output",
    "parsable",
    "test-only",
    "wait",
    "wrap",
];

impl Slurm {
    /// Whether no setting is given.
    pub fn is_default(&self) -> bool {
        *self == Slurm::default()
    }

    /// Validates the settings.
    ///
    /// # Errors
    /// The first invalid one.
    pub fn check(&self) -> Result<(), SettingError> {
        self.check_own("")?;
        for (kind, settings) in &self.kind {
            let below = format!("kind.{kind}.");
            if !settings.kind.is_empty() {
                return Err(invalid(
                    format!("{below}kind"),
                    "no kinds within a kind",
                    "one",
                ));
            }
            settings.check_own(&below)?;
        }
        Ok(())
    }

    fn check_own(&self, below: &str) -> Result<(), SettingError> {
        let texts = [
            ("partition", &self.partition),
            ("account", &self.account),
            ("time", &self.time),
            ("memory", &self.memory),
        ];
        for (key, text) in texts
            .into_iter()
            .filter_map(|(key, text)| Some((key, text.as_ref()?)))
        {
            if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
                return Err(invalid(
                    format!("{below}{key}"),
                    "a word",
                    &format!("{text:?}"),
                ));
            }
        }
        let counts = [
            ("cpus", self.cpus),
            ("at_most", self.at_most),
            ("steps_per_task", self.steps_per_task),
        ];
        if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count == Some(0)) {
            return Err(invalid(format!("{below}{key}"), "at least 1", "0"));
        }
        for (i, flag) in self.extra.iter().enumerate() {
            let key = || format!("{below}extra[{i}]");
            let found = format!("{flag:?}");
            let Some(name) = flag
                .strip_prefix("--")
                .map(|rest| rest.split('=').next().unwrap_or(rest))
            else {
                return Err(invalid(key(), "a flag as --flag or --flag=value", &found));
            };
            if name.is_empty() || flag.chars().any(char::is_control) {
                return Err(invalid(key(), "a flag as --flag or --flag=value", &found));
            }
            // sbatch accepts an unambiguous prefix of a flag's name.
            if let Some(own) = OWN_FLAGS.iter().find(|own| own.starts_with(name)) {
                return Err(invalid(
                    key(),
                    &format!("a flag other than --{own}, which the engine sets itself"),
                    &found,
                ));
            }
        }
        Ok(())
    }

    /// Checks that settings are given only for these kinds.
    ///
    /// # Errors
    /// The first other kind.
    pub fn check_kinds(&self, kinds: &[&str]) -> Result<(), SettingError> {
        match self
            .kind
            .keys()
            .find(|kind| !kinds.contains(&kind.as_str()))
        {
            None => Ok(()),
            Some(kind) => {
                let expected = format!("one of {}", kinds.join(", "));
                Err(invalid(
                    format!("kind.{kind}"),
                    &expected,
                    &format!("'{kind}'"),
                ))
            }
        }
    }

    /// The settings that apply to the steps of a kind.
    pub(crate) fn for_kind(&self, kind: &str) -> Slurm {
        let Some(own) = self.kind.get(kind) else {
            return Slurm {
                kind: BTreeMap::new(),
                ..self.clone()
            };
        };
        Slurm {
            partition: own.partition.clone().or_else(|| self.partition.clone()),
            account: own.account.clone().or_else(|| self.account.clone()),
            time: own.time.clone().or_else(|| self.time.clone()),
            memory: own.memory.clone().or_else(|| self.memory.clone()),
            cpus: own.cpus.or(self.cpus),
            gpus: own.gpus.or(self.gpus),
            at_most: own.at_most.or(self.at_most),
            steps_per_task: own.steps_per_task.or(self.steps_per_task),
            extra: self.extra.iter().chain(&own.extra).cloned().collect(),
            kind: BTreeMap::new(),
        }
    }

    /// The settings as flags of `sbatch`; `threads` is the number of threads per process.
    pub(crate) fn flags(&self, threads: usize) -> Vec<String> {
        let cpus = self.cpus.map_or(threads.max(1), |cpus| cpus as usize);
        let mut flags = vec![format!("--cpus-per-task={cpus}")];
        let texts = [
            ("partition", &self.partition),
            ("account", &self.account),
            ("time", &self.time),
            ("mem", &self.memory),
        ];
        flags.extend(
            texts
                .into_iter()
                .filter_map(|(flag, text)| Some(format!("--{flag}={}", text.as_ref()?))),
        );
        flags.extend(
            self.gpus
                .filter(|&gpus| gpus > 0)
                .map(|gpus| format!("--gres=gpu:{gpus}")),
        );
        flags.extend(self.extra.iter().cloned());
        flags
    }
}

fn invalid(key: String, expected: &str, found: &str) -> SettingError {
    SettingError::new(key, expected, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> Slurm {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_kind_overrides_settings_and_appends_flags() {
        let all = settings(
            r#"{"partition": "p", "time": "10", "gpus": 1, "extra": ["--qos=low"],
                "kind": {"pretrain": {"time": "1-0", "cpus": 4, "extra": ["--nice"]}, "report": {"gpus": 0}}}"#,
        );
        all.check().unwrap();
        assert_eq!(
            all.for_kind("pretrain").flags(2),
            [
                "--cpus-per-task=4",
                "--partition=p",
                "--time=1-0",
                "--gres=gpu:1",
                "--qos=low",
                "--nice"
            ]
        );
        assert_eq!(
            all.for_kind("report").flags(2),
            [
                "--cpus-per-task=2",
                "--partition=p",
                "--time=10",
                "--qos=low"
            ]
        );
        assert_eq!(
            all.for_kind("cell").flags(0),
            [
                "--cpus-per-task=1",
                "--partition=p",
                "--time=10",
                "--gres=gpu:1",
                "--qos=low"
            ]
        );
        let error = all
            .check_kinds(&["cell", "pretrain"])
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "key 'kind.report': expected one of cell, pretrain, found 'report'"
        );
    }

    #[test]
    fn invalid_settings_are_named() {
        let cases = [
            (
                r#"{"partition": ""}"#,
                "key 'partition': expected a word, found \"\"",
            ),
            (
                r#"{"time": "1 day"}"#,
                "key 'time': expected a word, found \"1 day\"",
            ),
            (
                r#"{"at_most": 0}"#,
                "key 'at_most': expected at least 1, found 0",
            ),
            (
                r#"{"extra": ["-p long"]}"#,
                "key 'extra[0]': expected a flag as --flag or --flag=value",
            ),
            (
                r#"{"extra": ["--x", "--"]}"#,
                "key 'extra[1]': expected a flag as",
            ),
            (
                r#"{"extra": ["--x=\n"]}"#,
                "key 'extra[0]': expected a flag as",
            ),
            (
                r#"{"extra": ["--depend=afterok:1"]}"#,
                "a flag other than --dependency, which the engine sets itself",
            ),
            (
                r#"{"kind": {"cell": {"cpus": 0}}}"#,
                "key 'kind.cell.cpus': expected at least 1, found 0",
            ),
            (
                r#"{"kind": {"cell": {"kind": {"a": {}}}}}"#,
                "key 'kind.cell.kind': expected no kinds within",
            ),
        ];
        for (json, message) in cases {
            let error = settings(json).check().unwrap_err().to_string();
            assert!(error.contains(message), "{json}: {error}");
        }
        settings(r#"{"extra": ["--wait-all-nodes=1", "--nodelist=n[1-2]", "--comment=a b"]}"#)
            .check()
            .unwrap();
        assert!(serde_json::from_str::<Slurm>(r#"{"partion": "p"}"#).is_err());
    }
}
