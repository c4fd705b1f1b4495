//! The cells of a study, measured on all test videos and without each in turn.

use super::replicates::{Replicates, defined_mean};
use super::resamples::Resamples;
use super::{AnalysisPlan, Clustered, ClusteredRow};
use crate::{EvalError, MACRO, Metric};
use mosei_schema::{Split, video_of};
use run_record::{CellId, CellPredictions};
use std::collections::{BTreeMap, BTreeSet};

/// The metrics of a cell, of each emotion and their mean.
pub(super) struct MeasuredCell {
    pub(super) id: CellId,
    pub(super) numbers: BTreeMap<(Metric, String), Replicates>,
}

/// Measured cells, added one at a time.
pub struct StudySample {
    pub(super) analysis: AnalysisPlan,
    /// Number of each cluster.
    pub(super) clusters: BTreeMap<String, usize>,
    /// In which fold of a partition a cluster is tested.
    pub(super) fold_of: BTreeMap<(i32, usize), i32>,
    leave_one_out: Resamples,
    pub(super) cells: Vec<MeasuredCell>,
    pub(super) emotions: Vec<String>,
    /// The test rows of the first cell of each fold of each partition, and its key.
    tested: BTreeMap<[i32; 2], (String, Vec<Tested>)>,
}

/// A test video of a fold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestVideo {
    /// Partition of the videos into folds.
    pub partition: i32,
    /// Cross-validation fold.
    pub fold: i32,
    /// Id of the video.
    pub video: String,
}

/// A test row without its predictions: video, segment, emotion, label and presence.
type Tested = (String, i32, String, u64, bool);

impl StudySample {
    /// A study without cells. `tested` are the test videos of each fold; a video is tested in one
    /// fold of a partition. Ids that name segments ([`mosei_schema::segment_name`]) are of one video, whose
    /// segments are left out together.
    pub fn new(analysis: AnalysisPlan, tested: impl IntoIterator<Item = TestVideo>) -> Self {
        let tested: Vec<TestVideo> = tested.into_iter().collect();
        let names: BTreeSet<&str> = tested.iter().map(|t| video_of(&t.video)).collect();
        let numbered = names.into_iter().enumerate();
        let clusters: BTreeMap<String, usize> =
            numbered.map(|(i, name)| (name.to_string(), i)).collect();
        let n = clusters.len();
        let mut fold_of = BTreeMap::new();
        for test in &tested {
            let place = (test.partition, clusters[video_of(&test.video)]);
            fold_of.entry(place).or_insert(test.fold);
        }
        let leave_one_out = Resamples::leave_one_out(n);
        let (cells, emotions, tested) = (Vec::new(), Vec::new(), BTreeMap::new());
        StudySample {
            analysis,
            clusters,
            fold_of,
            leave_one_out,
            cells,
            emotions,
            tested,
        }
    }

    /// Measures a cell's test rows.
    ///
    /// # Errors
    /// A test row of a video that is not among those tested, or that belongs to another fold; test
    /// rows or labels that differ from those of the fold's other cells; a second cell of the same
    /// settings.
    pub fn add(&mut self, cell: &CellPredictions) -> Result<(), EvalError> {
        self.check(cell)?;
        let mut rows: BTreeMap<&str, Vec<ClusteredRow>> = BTreeMap::new();
        for row in cell.rows.iter().filter(|r| r.split == Split::Test.name()) {
            let unknown = |fold| EvalError::UnknownVideo {
                cell: cell.id.cell.clone(),
                video: row.video.clone(),
                fold,
            };
            let cluster = self.clusters.get(video_of(&row.video)).copied();
            let cluster = cluster.ok_or_else(|| unknown(None))?;
            let fold = self.fold_of.get(&(cell.id.partition, cluster)).copied();
            if fold != Some(cell.id.fold) {
                return Err(unknown(fold));
            }
            if !self.emotions.contains(&row.emotion) {
                self.emotions.push(row.emotion.clone());
            }
            rows.entry(&row.emotion).or_default().push(ClusteredRow {
                cluster,
                present: row.present,
                score: row.score,
                threshold: row.threshold,
                intensity: row.intensity,
                predicted: row.predicted_intensity,
            });
        }
        let mut numbers = BTreeMap::new();
        let clustered: Vec<(&str, Clustered)> = rows
            .into_iter()
            .filter_map(|(emotion, rows)| Some((emotion, Clustered::new(&rows)?)))
            .collect();
        for &metric in &self.analysis.metrics {
            let each: Vec<(&str, Replicates)> = clustered
                .iter()
                .map(|(emotion, rows)| {
                    let value = rows.value(metric).unwrap_or(f64::NAN);
                    (
                        *emotion,
                        Replicates {
                            value,
                            jackknife: rows.replicates(metric, &self.leave_one_out),
                            folds: Vec::new(),
                        },
                    )
                })
                .collect();
            let all: Vec<&Replicates> = each.iter().map(|(_, drawn)| drawn).collect();
            let mean = Replicates::combine(&all, defined_mean);
            numbers.insert((metric, MACRO.to_string()), mean);
            numbers.extend(
                each.into_iter()
                    .map(|(emotion, drawn)| ((metric, emotion.to_string()), drawn)),
            );
        }
        self.cells.push(MeasuredCell {
            id: cell.id.clone(),
            numbers,
        });
        Ok(())
    }

    fn check(&mut self, cell: &CellPredictions) -> Result<(), EvalError> {
        let same = |a: &CellId, b: &CellId| {
            (a.partition, a.fold, &a.start, &a.budget) == (b.partition, b.fold, &b.start, &b.budget)
                && (a.seed, a.draw, a.pretrain_seed) == (b.seed, b.draw, b.pretrain_seed)
        };
        if let Some(first) = self.cells.iter().find(|c| same(&c.id, &cell.id)) {
            return Err(EvalError::TwoCells {
                first: first.id.cell.clone(),
                second: cell.id.cell.clone(),
            });
        }
        let tested: Vec<Tested> = cell
            .rows
            .iter()
            .filter(|r| r.split == Split::Test.name())
            .map(|r| {
                (
                    r.video.clone(),
                    r.segment,
                    r.emotion.clone(),
                    r.intensity.to_bits(),
                    r.present,
                )
            })
            .collect();
        let (first, expected) = self
            .tested
            .entry([cell.id.partition, cell.id.fold])
            .or_insert_with(|| (cell.id.cell.clone(), tested.clone()));
        let place =
            (0..expected.len().max(tested.len())).find(|&i| expected.get(i) != tested.get(i));
        match place {
            None => Ok(()),
            Some(i) => {
                let row = tested.get(i).or(expected.get(i));
                Err(EvalError::OtherRows {
                    cell: cell.id.cell.clone(),
                    first: first.clone(),
                    row: row.map_or_else(String::new, |r| format!("{}[{}] {}", r.0, r.1, r.2)),
                })
            }
        }
    }
}
