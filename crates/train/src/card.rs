//! The description of a trained model beside its weights: `model.json` for programs, `README.md`
//! (the model card) for people.

use crate::input::InputFacts;
use crate::{Model, TrainError};
use eval::{Head, MACRO, Metric};
use mosei_schema::{PretrainKind, Split, Start};
use run_record::{CellId, ResultRow};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::Path;

const MODEL_JSON: &str = "model.json";
const CARD_FILE: &str = "README.md";

/// The metrics of the card, in the order of its columns.
const SHOWN: [(Metric, &str); 5] = [
    (Metric::RocAuc, "ROC AUC"),
    (Metric::AveragePrecision, "average precision"),
    (Metric::F1, "F1"),
    (Metric::Mae, "MAE"),
    (Metric::Accuracy4, "4-class accuracy"),
];

/// What the model's card says beside its measurements.
#[derive(Debug, Clone, Copy, Default)]
pub struct CardNotes<'a> {
    /// The study's name.
    pub study: &'a str,
    /// Terms of the data.
    pub licence: Option<&'a str>,
    /// What readers must know of the corpus.
    pub notes: &'a [String],
}

/// How a model was trained, and its measurements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelFacts {
    /// The program that trained it, with its version.
    pub(crate) made_by: String,
    /// What the study is called.
    pub(crate) study: String,
    /// Its cell: start, labels, fold, seeds.
    pub(crate) cell: CellId,
    /// Terms of the data, as the study's configuration gives them.
    pub(crate) licence: Option<String>,
    /// What readers must know of the corpus.
    pub(crate) notes: Vec<String>,
    /// What was measured, on segments that no weight was learned from.
    pub(crate) scores: Vec<Score>,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Score {
    pub(crate) split: String,
    pub(crate) emotion: String,
    pub(crate) metric: String,
    /// `None` where it is undefined.
    pub(crate) value: Option<f64>,
    /// Positive rows; all rows for errors of intensity.
    pub(crate) support: u64,
}

impl Score {
    pub(crate) fn of(row: ResultRow) -> Self {
        Score {
            split: row.split,
            emotion: row.emotion,
            metric: row.metric,
            value: row.value,
            support: row.support,
        }
    }
}

impl ModelFacts {
    /// Those of a cell.
    pub(crate) fn new(notes: CardNotes<'_>, cell: CellId, scores: Vec<Score>) -> Self {
        ModelFacts {
            made_by: concat!("mosei-ssl ", env!("CARGO_PKG_VERSION")).into(),
            study: notes.study.into(),
            cell,
            licence: notes.licence.map(str::to_string),
            notes: notes.notes.to_vec(),
            scores,
        }
    }

    /// Writes both files into a model's folder.
    pub(crate) fn write(
        &self,
        model: &Model,
        input: &InputFacts,
        folder: &Path,
    ) -> Result<(), TrainError> {
        let path = folder.join(MODEL_JSON);
        let text = serde_json::to_string_pretty(self).map_err(TrainError::json(&path))?;
        std::fs::write(&path, text + "\n").map_err(TrainError::io("write", &path))?;
        let path = folder.join(CARD_FILE);
        std::fs::write(&path, self.card(model, input)).map_err(TrainError::io("write", &path))
    }

    /// The model card, as Markdown.
    fn card(&self, model: &Model, input: &InputFacts) -> String {
        let (cell, encoder) = (&self.cell, model.encoder.config());
        let rate = match input.frame_rate_hz {
            Some(rate) => format!(
                "{} frames a second ({rate} Hz, {} averaged into one)",
                rate / input.pool_frames as f64,
                input.pool_frames
            ),
            None if input.irregular => format!(
                "frames at irregular times, {} averaged into one",
                input.pool_frames
            ),
            None => format!("{} frames averaged into one", input.pool_frames),
        };
        let licence = self.licence.as_deref().map_or_else(
            || "Not stated in the study's configuration (`[report] licence`). Weights are made from data: ask whether the \
                terms of the data allow what you intend before you pass them on.".to_string(),
            |terms| format!("The data come under these terms, which may bind what is made of them: {terms}"),
        );
        let files: String = input
            .files
            .iter()
            .map(|f| format!("- `{}`, {} bytes, BLAKE3 `{}`\n", f.name, f.bytes, f.blake3))
            .collect();
        let notes: String = self
            .notes
            .iter()
            .map(|note| format!("- {note}\n"))
            .collect();
        format!(
            "---\nlibrary_name: mosei-ssl\ntags: [audio, emotion-recognition, acoustic-features]\nlicense: other\n---\n\n\
             # {study}: {start}, {labels} labels\n\n\
             A transformer encoder over acoustic features with heads for {n} emotions ({emotions}): the probability that each is \
             present in a stretch of speech (intensity above {above}), and its intensity from 0 to 3. Written by {made_by}.\n\n\
             ## Use\n\n\
             ```sh\nmosei-ssl predict THIS_FOLDER DATA --out predictions    # DATA: a prepared folder, or a features file (.csd)\n\
             mosei-ssl embed THIS_FOLDER DATA --out h.parquet\n```\n\n\
             The files are safetensors and JSON, with names as in PyTorch's `nn.TransformerEncoder`; no pickle, no code.\n\n\
             ## Input\n\n\
             {columns} columns, found by name (`encoder/config.json`, with the mean and standard deviation by which each is standardised, cut at \
             ±{clip}); {rate}; at most {max_frames} frames a segment. Data whose columns or rate differ are refused.\n\n\
             ## Training\n\n\
             Start `{start}`{pretrained}; label budget `{budget}`: {labels} labelled training segments ({share} of the fold's), \
             draw {draw}; training seed {seed}; fold {fold}. Encoder: {layers} layers, width {width}, {heads} heads.\n\n\
             Prepared from:\n\n{files}\n\
             ## Scores\n\n\
             On the test segments of its fold, {seen}. One model and one fold: the study's report says how far such numbers \
             move.\n\n{table}\n\
             ## Terms\n\n{licence}\n\n\
             ## Limitations\n\n{notes}\
             - It was trained on the speakers, recordings and annotators of its data. How well it predicts others has not been measured here.\n\
             - It was made to study how many labels pre-training saves, not to judge people.\n",
            study = self.study,
            start = cell.start,
            labels = cell.n_labels,
            n = model.emotions.len(),
            emotions = model.emotions.join(", "),
            above = model.presence_above,
            made_by = self.made_by,
            columns = model.normalisation.columns.len(),
            clip = model.normalisation.clip,
            max_frames = model.encoder.max_frames(),
            pretrained = cell.pretrain_seed.map_or(String::new(), |seed| format!(
                " (pre-trained with seed {seed})"
            )),
            share = percent(cell.fraction),
            budget = cell.budget,
            draw = cell.draw,
            seed = cell.seed,
            fold = cell.fold,
            layers = encoder.layers,
            width = encoder.model_dim,
            heads = encoder.heads,
            seen = match cell.start.parse().ok().and_then(Start::pretraining) {
                Some(PretrainKind::Transductive) =>
                    "whose frames, though not their labels, pre-training has seen (an ablation)",
                _ => "whose videos no weight, statistic or threshold has seen",
            },
            table = self.table(&model.emotions),
        )
    }

    /// The test scores, a row an emotion.
    fn table(&self, emotions: &[String]) -> String {
        let mut table = String::from("| emotion | positives |");
        table += &SHOWN.map(|(_, name)| format!(" {name} |")).concat();
        table += "\n|---|---|";
        table += &"---|".repeat(SHOWN.len());
        table.push('\n');
        for emotion in emotions.iter().map(String::as_str).chain([MACRO]) {
            let of = |metric: Metric| {
                self.scores.iter().find(|s| {
                    s.split == Split::Test.name()
                        && s.emotion == emotion
                        && s.metric == metric.name()
                })
            };
            let support = |metric| of(metric).map_or(0, |s| s.support);
            let (positives, rows) = (support(Metric::RocAuc), support(Metric::Mae));
            // The mean over emotions is shown as it is: the rows of the emotions show which of them
            // count.
            let refused = if emotion == MACRO {
                None
            } else {
                eval::scarce_class(positives, rows.saturating_sub(positives))
            };
            let _ = write!(
                table,
                "| {} | {positives} of {rows} |",
                if emotion == MACRO {
                    "mean over all emotions"
                } else {
                    emotion
                }
            );
            for (metric, _) in SHOWN {
                let value = of(metric)
                    .and_then(|s| s.value)
                    .map_or("n/a".to_string(), |v| format!("{v:.3}"));
                let text = match (&refused, metric.head()) {
                    (Some(why), Head::Presence) => format!("n/a ({why})"),
                    _ => value,
                };
                let _ = write!(table, " {text} |");
            }
            table.push('\n');
        }
        table
    }
}

fn percent(share: f64) -> String {
    format!("{:.3} %", share * 100.0)
}
