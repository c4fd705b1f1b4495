//! The configuration of a study: one TOML file that composes the tables of all crates.

use crate::StudyError;
use crate::step::StepKind;
use backbone::EncoderConfig;
use eval::run::PretrainSeeds;
use mosei_data::{DataConfig, LabelConfig, SynthConfig, Unlabelled};
use mosei_schema::{LabelBudget, SettingError, Start, found_with_near_miss, with_near_miss};
use serde::{Deserialize, Serialize};
use ssl_mask::MaskConfig;
use std::path::{Path, PathBuf};
use strum::VariantNames;
use sweep::{Retries, Slurm};
use train::{CheckpointConfig, FinetuneConfig, PretrainOn, TrainingConfig};

/// Keys that were renamed, with their new names, for the error that they cause.
const RENAMED: [(&str, &str); 7] = [
    ("finetune.head_start", "finetune.head_init"),
    ("finetune.thaw_after", "finetune.freeze_steps"),
    ("finetune.pooling", "finetune.heads.pooling"),
    ("finetune.layers", "finetune.heads.layers"),
    (
        "finetune.input_statistics",
        "finetune.heads.input_statistics",
    ),
    ("finetune.standardise", "finetune.heads.standardise"),
    ("finetune.head_dropout", "finetune.heads.dropout"),
];

/// Keys that were deleted, and why.
const DELETED: [(&str, &str); 1] = [(
    "report.resamples",
    "no number is resampled any more (docs/statistics.md): delete the line",
)];

/// A study as written. See [`Study`] for one that has been checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StudyConfig {
    /// The study's name in the report, without slashes. Default `study`.
    pub name: String,
    /// Where models run: `cpu`, `cuda` or `cuda:INDEX`. Default `cpu`.
    pub device: String,
    /// Threads of each process. Results are bit for bit the same for the same number. Default 1: a
    /// sweep runs as many processes as there are cores.
    pub threads: usize,
    /// Whether each training writes TensorBoard event files beside its journal (`tensorboard
    /// --logdir RUN`). No result depends on it. Default true.
    pub tensorboard: bool,
    /// What pre-training draws from: `segments`, or `all-speech`, which is the speech outside them
    /// too, where `data.unlabelled` keeps it. Default `segments`.
    pub pretrain_on: PretrainOn,
    /// Which data, and how they are prepared.
    pub data: DataConfig,
    /// Label budgets.
    pub labels: LabelConfig,
    /// The synthetic corpus, where the study makes its own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synth: Option<SynthConfig>,
    /// The encoder.
    pub encoder: EncoderConfig,
    /// What pre-training hides.
    pub mask: MaskConfig,
    /// Pre-training.
    pub pretrain: TrainingConfig,
    /// Fine-tuning.
    pub finetune: FinetuneConfig,
    /// The grid of cells.
    pub grid: GridConfig,
    /// How trainings save their state. No result depends on it, and nothing runs again when it
    /// changes.
    pub checkpoints: CheckpointConfig,
    /// How often a step of a sweep is run again before it counts as failed. No result depends on
    /// it.
    pub retries: Retries,
    /// What the jobs ask for where a sweep runs on a cluster. No result depends on it.
    #[serde(skip_serializing_if = "Slurm::is_default")]
    pub slurm: Slurm,
    /// What the report says beside its numbers.
    pub report: ReportConfig,
}

impl Default for StudyConfig {
    fn default() -> Self {
        StudyConfig {
            name: "study".into(),
            device: "cpu".into(),
            threads: 1,
            tensorboard: true,
            pretrain_on: PretrainOn::Segments,
            data: DataConfig::default(),
            labels: LabelConfig::default(),
            synth: None,
            encoder: EncoderConfig::default(),
            mask: MaskConfig::default(),
            pretrain: TrainingConfig::default(),
            finetune: FinetuneConfig::default(),
            grid: GridConfig::default(),
            checkpoints: CheckpointConfig::default(),
            retries: Retries::default(),
            slurm: Slurm::default(),
            report: ReportConfig::default(),
        }
    }
}

/// Which cells there are: every start with every budget, seed, label draw and fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GridConfig {
    /// Starts. Default: `ssl`, `scratch`, `frozen` and `random-frozen`.
    pub starts: Vec<Start>,
    /// Training seeds: random weights of the heads (and of an encoder that is not pre-trained),
    /// batches, dropout. Default 0, 1, 2.
    pub seeds: Vec<u32>,
    /// Seeds of pre-training, each crossed with each training seed. Default: each training seed has
    /// its own pre-training of the same number ("tied"), and their effects cannot be
    /// separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretrain_seeds: Option<Vec<u32>>,
    /// Folds of a cross-validation that are run. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<Vec<usize>>,
}

impl Default for GridConfig {
    fn default() -> Self {
        GridConfig {
            starts: Start::USUAL.to_vec(),
            seeds: vec![0, 1, 2],
            pretrain_seeds: None,
            folds: None,
        }
    }
}

/// What the report says beside its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReportConfig {
    /// The metric of the headline, of those in `results.csv`. Default `roc_auc`.
    pub primary_metric: String,
    /// The label budget of the headline, such as `n24` or `f0.05`; with the metric it is the one
    /// contrast that is named before the study runs. Default: the smallest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_labels: Option<String>,
    /// Confidence level of the intervals. Default 0.95.
    pub level: f64,
    /// What readers must know of this corpus; also on the cards of the models.
    pub notes: Vec<String>,
    /// The terms that the data come under, for the cards of the models. A card says what was
    /// written here when its model was trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
}

impl Default for ReportConfig {
    fn default() -> Self {
        ReportConfig {
            primary_metric: "roc_auc".into(),
            primary_labels: None,
            level: 0.95,
            notes: Vec::new(),
            licence: None,
        }
    }
}

/// A study whose every setting has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    config: StudyConfig,
}

impl std::ops::Deref for Study {
    type Target = StudyConfig;

    fn deref(&self) -> &StudyConfig {
        &self.config
    }
}

impl Study {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The first key that is unknown, of the wrong type or out of range, with its line where it has
    /// one.
    pub fn load(path: &Path) -> Result<Self, StudyError> {
        Self::parse(path, &run_record::read_to_string(path)?)
    }

    /// Checks a text; `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Self, StudyError> {
        let failed = |key: String, reason: String| {
            let known = |keys: &[(&str, &'static str)]| {
                let unknown = reason.contains("unknown field");
                let known = keys.iter().find(|(old, _)| *old == key && unknown);
                known.map(|(_, known)| *known)
            };
            let reason = match (known(&RENAMED), known(&DELETED)) {
                (Some(new), _) => {
                    format!("{}; it was renamed: did you mean '{new}'?", reason.trim())
                }
                (None, Some(why)) => format!("the key was deleted: {why}"),
                (None, None) => with_near_miss(reason.trim()),
            };
            StudyError::Config {
                path: path.to_path_buf(),
                key,
                reason,
            }
        };
        let document =
            toml::Deserializer::parse(text).map_err(|e| failed(".".into(), e.to_string()))?;
        let config: StudyConfig = serde_path_to_error::deserialize(document)
            .map_err(|e| failed(e.path().to_string(), e.inner().to_string()))?;
        Self::check(config)
            .map_err(|e| failed(e.key, format!("expected {}, found {}", e.expected, e.found)))
    }

    /// Checks a configuration.
    pub fn check(config: StudyConfig) -> Result<Self, SettingError> {
        let c = &config;
        if c.name.is_empty() || c.name.contains(['/', '\\', '\n', '\0']) {
            return Err(SettingError::new(
                "name",
                "a name without slashes or line breaks",
                format!("{:?}", c.name),
            ));
        }
        let device_known = c.device == "cpu"
            || c.device == "cuda"
            || c.device
                .strip_prefix("cuda:")
                .is_some_and(|i| !i.starts_with('+') && i.parse::<usize>().is_ok());
        if !device_known {
            return Err(SettingError::new(
                "device",
                "\"cpu\", \"cuda\" or \"cuda:INDEX\"",
                format!("\"{}\"", c.device),
            ));
        }
        if !(1..=1024).contains(&c.threads) {
            return Err(SettingError::new(
                "threads",
                "a number from 1 to 1024",
                c.threads,
            ));
        }
        c.data.check().map_err(|e| e.within("data"))?;
        c.labels.check().map_err(|e| e.within("labels"))?;
        if let Some(synth) = &c.synth {
            synth.check().map_err(|e| e.within("synth"))?;
        }
        c.encoder.check().map_err(|e| e.within("encoder"))?;
        c.mask.check().map_err(|e| e.within("mask"))?;
        if c.pretrain_on == PretrainOn::AllSpeech && c.data.unlabelled == Unlabelled::None {
            let expected = "\"segments\" where data.unlabelled is \"none\"";
            return Err(SettingError::new("pretrain_on", expected, "\"all-speech\""));
        }
        c.pretrain.check().map_err(|e| e.within("pretrain"))?;
        c.finetune.check().map_err(|e| e.within("finetune"))?;
        c.grid.check().map_err(|e| e.within("grid"))?;
        c.checkpoints.check().map_err(|e| e.within("checkpoints"))?;
        let slurm = c
            .slurm
            .check()
            .and_then(|()| c.slurm.check_kinds(StepKind::VARIANTS));
        slurm.map_err(|e| e.within("slurm"))?;
        if !eval::Metric::ALL
            .iter()
            .any(|m| m.name() == c.report.primary_metric)
        {
            let names: Vec<&str> = eval::Metric::ALL.iter().map(|m| m.name()).collect();
            return Err(wrong_name(
                "report.primary_metric",
                &names,
                &c.report.primary_metric,
            ));
        }
        if !(c.report.level >= 0.5 && c.report.level < 1.0) {
            return Err(SettingError::new(
                "report.level",
                "a share from 0.5 to below 1",
                c.report.level,
            ));
        }
        let study = Study { config };
        if let Some(wanted) = &study.report.primary_labels {
            let budgets: Vec<String> = study
                .labels
                .budgets()
                .iter()
                .map(LabelBudget::to_string)
                .collect();
            if !budgets.contains(wanted) {
                let budgets: Vec<&str> = budgets.iter().map(String::as_str).collect();
                return Err(wrong_name("report.primary_labels", &budgets, wanted));
            }
        }
        Ok(study)
    }

    /// The same study on another device.
    pub fn with_device(mut self, device: &str) -> Result<Self, SettingError> {
        self.config.device = device.to_string();
        Self::check(self.config)
    }

    /// The configuration with every default filled in, as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(&self.config)
            .unwrap_or_else(|e| format!("# cannot be written as TOML: {e}\n"))
    }

    /// How the grid varies pre-training.
    pub fn pretrain_seeds(&self) -> PretrainSeeds {
        match &self.grid.pretrain_seeds {
            _ if !self.grid.starts.iter().any(|start| start.is_pretrained()) => PretrainSeeds::None,
            None => PretrainSeeds::Tied,
            Some(_) => PretrainSeeds::Crossed,
        }
    }

    /// Files that the study reads in `data`, for hashing.
    pub fn input_files(&self, data: &Path) -> Result<Vec<PathBuf>, StudyError> {
        Ok(mosei_data::input_files(&self.data, data)?)
    }
}

/// That a name is none of those known, with the one that was probably meant.
fn wrong_name(key: &str, names: &[&str], found: &str) -> SettingError {
    SettingError::new(
        key,
        format!("one of {}", names.join(", ")),
        found_with_near_miss(found, names.iter().copied()),
    )
}

impl GridConfig {
    /// The seeds of the pre-trainings that a training seed meets.
    pub(crate) fn pretrain_seeds_of(&self, seed: u32) -> Vec<u32> {
        self.pretrain_seeds.clone().unwrap_or_else(|| vec![seed])
    }

    fn check(&self) -> Result<(), SettingError> {
        fn distinct<T: PartialEq + std::fmt::Debug>(
            key: &str,
            items: &[T],
        ) -> Result<(), SettingError> {
            if items.is_empty() {
                return Err(SettingError::new(key, "at least one", "none"));
            }
            match items
                .iter()
                .enumerate()
                .find(|(i, item)| items[..*i].contains(item))
            {
                Some((_, item)) => Err(SettingError::new(
                    key,
                    "each once",
                    format!("{item:?} twice"),
                )),
                None => Ok(()),
            }
        }
        distinct("starts", &self.starts)?;
        for (key, seeds) in [
            ("seeds", Some(&self.seeds)),
            ("pretrain_seeds", self.pretrain_seeds.as_ref()),
        ] {
            let Some(seeds) = seeds else { continue };
            distinct(key, seeds)?;
            if let Some(seed) = seeds.iter().find(|&&s| i32::try_from(s).is_err()) {
                return Err(SettingError::new(key, "numbers up to 2147483647", seed));
            }
        }
        self.folds
            .as_ref()
            .map_or(Ok(()), |folds| distinct("folds", folds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Study::parse(Path::new("s.toml"), text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_resolved_configuration_reads_back_as_itself() {
        let study = Study::parse(
            Path::new("s.toml"),
            "name = \"x\"\n[synth]\n[labels]\ncounts = [24]\n",
        )
        .unwrap();
        assert_eq!(
            Study::parse(Path::new("s.toml"), &study.to_toml()).unwrap(),
            study
        );
    }

    #[test]
    fn counts_alone_add_no_shares() {
        let budgets = |labels: &str| {
            let study =
                Study::parse(Path::new("s.toml"), &format!("[labels]\n{labels}\n")).unwrap();
            let again = Study::parse(Path::new("s.toml"), &study.to_toml()).unwrap();
            assert_eq!(
                again, study,
                "the resolved configuration has the same budgets"
            );
            study
                .labels
                .budgets()
                .iter()
                .map(LabelBudget::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(budgets(""), "f0.01 f0.03 f0.1 f0.3 f1");
        assert_eq!(budgets("draws = 2"), "f0.01 f0.03 f0.1 f0.3 f1");
        assert_eq!(budgets("counts = [24, 72]"), "n24 n72");
        assert_eq!(budgets("counts = [24]\nfractions = [1.0]"), "f1 n24");
        assert!(
            error("[labels]\ncounts = []\nfractions = []\n")
                .contains("key 'labels.fractions': expected at least one")
        );
        assert!(
            error("[labels]\ncounts = [24, 0]\n")
                .contains("key 'labels.counts': expected at least 1, found 0")
        );
        assert!(error("[labels]\ncounts = [24, \"x\"]\n").contains("key 'labels.counts[1]'"));
        assert!(error("[labels]\ncuonts = [24]\n").contains("did you mean 'counts'?"));
    }

    #[test]
    fn speech_outside_segments_is_kept_and_used_by_two_settings() {
        let text = "pretrain_on = \"all-speech\"\n[data]\nunlabelled = \"outside\"\n";
        let study = Study::parse(Path::new("s.toml"), text).unwrap();
        assert_eq!(
            Study::parse(Path::new("s.toml"), &study.to_toml()).unwrap(),
            study
        );
    }

    #[test]
    fn a_deleted_key_is_answered_with_the_reason() {
        let message = error("[report]\nresamples = 2000\n");
        assert!(
            message.contains("key 'report.resamples': the key was deleted: no number is resampled"),
            "{message}"
        );
    }

    #[test]
    fn a_renamed_key_is_answered_with_its_new_name() {
        for (old, new) in RENAMED {
            let (table, key) = old.rsplit_once('.').unwrap();
            let message = error(&format!("[{table}]\n{key} = 1\n"));
            assert!(message.contains(&format!("key '{old}'")), "{message}");
            assert!(
                message.ends_with(&format!("it was renamed: did you mean '{new}'?")),
                "{message}"
            );
        }
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_table() {
        let cases = [
            ("[encoder]\nhedas = 4\n", "key 'encoder.hedas'"),
            ("[encoder]\nhedas = 4\n", "`heads`"),
            (
                "[encoder]\nheads = 5\n",
                "key 'encoder.heads': expected a divisor of model_dim 64, found 5",
            ),
            (
                "[mask]\nratio = 1.5\n",
                "key 'mask.ratio': expected a share above 0 and below 1, found 1.5",
            ),
            (
                "[pretrain]\nsteps = 0\n",
                "key 'pretrain.steps': expected at least 1, found 0",
            ),
            (
                "[finetune.training]\nlearning_rate = -1.0\n",
                "key 'finetune.training.learning_rate'",
            ),
            (
                "[grid]\nstarts = [\"ssl\", \"ssll\"]\n",
                "key 'grid.starts[1]'",
            ),
            (
                "[grid]\nseeds = [1, 1]\n",
                "key 'grid.seeds': expected each once, found 1 twice",
            ),
            ("[grid]\nseeds = \"1\"\n", "key 'grid.seeds'"),
            (
                "[grid]\npretrain_seeds = []\n",
                "key 'grid.pretrain_seeds': expected at least one, found none",
            ),
            (
                "[grid]\npretrain_seeds = [4, 4]\n",
                "key 'grid.pretrain_seeds': expected each once, found 4 twice",
            ),
            (
                "[grid]\npretrain_seeds = [3000000000]\n",
                "key 'grid.pretrain_seeds': expected numbers up to",
            ),
            (
                "device = \"gpu\"\n",
                "key 'device': expected \"cpu\", \"cuda\" or \"cuda:INDEX\", found \"gpu\"",
            ),
            ("threads = 0\n", "key 'threads'"),
            (
                "pretrain_on = \"all-speech\"\n",
                "key 'pretrain_on': expected \"segments\" where data.unlabelled is",
            ),
            ("pretrain_on = \"speech\"\n", "key 'pretrain_on'"),
            ("[data]\nunlabelled = \"inside\"\n", "key 'data.unlabelled'"),
            ("[slurm]\npartion = \"p\"\n", "key 'slurm.partion'"),
            (
                "[slurm]\nextra = [\"--array=1\"]\n",
                "key 'slurm.extra[0]': expected a flag other than --array",
            ),
            (
                "[slurm.kind.pretrian]\ntime = \"1:00\"\n",
                "key 'slurm.kind.pretrian': expected one of synth, prepare",
            ),
            (
                "[report]\nprimary_metric = \"auc\"\n",
                "key 'report.primary_metric': expected one of precision",
            ),
            (
                "[report]\nprimary_labels = \"n7\"\n",
                "key 'report.primary_labels': expected one of f",
            ),
            ("[report]\nlevel = 1.0\n", "key 'report.level'"),
            ("name = \n", "s.toml: key '.'"),
        ];
        for (text, part) in cases {
            let message = error(text);
            assert!(message.contains(part), "{text}: {message}");
        }
        assert!(error("\n\n[encoder]\nhedas = 4\n").contains("line 4"));
    }
}
