//! Several studies of one contrast beside each other: what each found, how far they differ, and
//! what they say together.

use crate::ReportError;
use crate::drawing::forest::{Forest, Mark, Row};
use crate::drawing::sheet::{Legend, Sheet};
use crate::drawing::svg;
use crate::export::csv;
use crate::numbers::{count, interval, listed, p_value, percent, signed};
use crate::tables::{Table, comparison_table};
use askama::Template;
use eval::statistics::{
    Contrast, Interval, Multiway, Pooled, SourceVariance, StudyEstimate, StudyStatistics,
    VariedSource, pool, study_difference,
};
use eval::{MACRO, Metric};

/// A study that is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedStudy {
    /// Its name.
    pub name: String,
    /// Its statistics.
    pub statistics: StudyStatistics,
}

/// The studies beside each other.
#[derive(Debug)]
pub struct Comparison {
    pub(crate) names: Vec<String>,
    /// The treated start and the baseline.
    pub(crate) arms: [String; 2],
    pub(crate) level: f64,
    primary: Metric,
    same_videos: bool,
    pub(crate) rows: Vec<Compared>,
}

/// One contrast in all studies.
#[derive(Debug)]
pub(crate) struct Compared {
    pub metric: Metric,
    /// Name of the label budget.
    pub budget: String,
    /// Its labels in the first study.
    pub labels: f64,
    pub is_primary: bool,
    pub each: Vec<Found>,
    /// The second study minus the first, where there are two.
    pub difference: Option<(f64, Option<Multiway>)>,
    pub pooled: Option<Pooled>,
}

/// What one study found.
#[derive(Debug)]
pub(crate) struct Found {
    pub value: f64,
    pub interval: Option<Interval>,
    pub p: Option<f64>,
}

/// Compares the macro differences of studies between the same two starts, at the label budgets that
/// all of them have. `primary` are metric and budget of the primary contrast; `same_videos` where
/// all studies are of the same videos.
///
/// # Errors
/// Fewer than two studies; studies of other starts or another confidence level than the first's;
/// studies without a contrast in common.
pub fn compare(
    studies: &[ComparedStudy],
    primary: (Metric, Option<&str>),
    same_videos: bool,
) -> Result<Comparison, ReportError> {
    let [first, others @ ..] = studies else {
        return Err(incomparable("two studies or more", "none"));
    };
    if others.is_empty() {
        return Err(incomparable("two studies or more", "one"));
    }
    let of = |study: &ComparedStudy| {
        let analysis = &study.statistics.analysis;
        let arms = [analysis.treated.clone(), analysis.baseline.clone()];
        (arms, analysis.level)
    };
    let (arms, level) = of(first);
    if let Some(other) = others.iter().find(|other| of(other) != of(first)) {
        let say = |(arms, level): ([String; 2], f64)| {
            format!("{} - {} at level {level}", arms[0], arms[1])
        };
        return Err(incomparable(
            &format!("{} in all studies, as in {}", say(of(first)), first.name),
            &format!("{} in {}", say(of(other)), other.name),
        ));
    }
    let wanted = first.statistics.contrasts.iter();
    let rows: Vec<Compared> = wanted
        .filter(|contrast| contrast.emotion == MACRO)
        .filter_map(|contrast| row(studies, contrast, primary, same_videos))
        .collect();
    if rows.is_empty() {
        let budgets = |study: &ComparedStudy| {
            let names = study.statistics.budgets.iter().map(|b| b.name.clone());
            format!("{} has {}", study.name, listed(&names.collect::<Vec<_>>()))
        };
        let found: Vec<String> = studies.iter().map(budgets).collect();
        return Err(incomparable(
            "a metric and a label budget that all studies have",
            &found.join("; "),
        ));
    }
    Ok(Comparison {
        names: studies.iter().map(|study| study.name.clone()).collect(),
        arms,
        level,
        primary: primary.0,
        same_videos,
        rows,
    })
}

fn incomparable(expected: &str, found: &str) -> ReportError {
    ReportError::Incomparable {
        expected: expected.into(),
        found: found.into(),
    }
}

fn row(
    studies: &[ComparedStudy],
    contrast: &Contrast,
    (primary, primary_budget): (Metric, Option<&str>),
    same_videos: bool,
) -> Option<Compared> {
    let first = &studies[0].statistics;
    let budget = &first.budgets[contrast.budget];
    let same: Vec<&Contrast> = studies
        .iter()
        .map(|study| {
            let of_study = study.statistics.contrasts.iter();
            of_study.into_iter().find(|c| {
                (c.metric, c.emotion.as_str()) == (contrast.metric, MACRO)
                    && study.statistics.budgets[c.budget].name == budget.name
            })
        })
        .collect::<Option<_>>()?;
    let estimates: Option<Vec<StudyEstimate>> = same.iter().map(|c| estimate(c)).collect();
    let level = first.analysis.level;
    let difference = match estimates.as_deref() {
        Some([a, b]) => Some(study_difference(a, b, level)),
        _ => None,
    };
    Some(Compared {
        metric: contrast.metric,
        budget: budget.name.clone(),
        labels: budget.labels,
        is_primary: contrast.metric == primary && primary_budget == Some(budget.name.as_str()),
        each: same
            .iter()
            .map(|c| Found {
                value: c.difference.value,
                interval: c.difference.interval,
                p: c.p,
            })
            .collect(),
        difference,
        pooled: pool(&estimates.unwrap_or_default(), same_videos, level),
    })
}

/// A contrast with its variance in two parts; `None` where its data have no variance.
fn estimate(contrast: &Contrast) -> Option<StudyEstimate> {
    let is_data = |source| matches!(source, VariedSource::Folds | VariedSource::Videos);
    let part = |data: bool| {
        let of_part = contrast.sources.iter();
        let all: Vec<SourceVariance> = of_part
            .filter(|share| is_data(share.source) == data)
            .filter_map(|share| {
                Some(SourceVariance {
                    variance: share.variance?,
                    freedom: share.freedom?,
                })
            })
            .collect();
        SourceVariance::sum(&all)
    };
    let nothing = SourceVariance {
        variance: 0.0,
        freedom: f64::INFINITY,
    };
    Some(StudyEstimate {
        value: contrast.difference.value,
        data: part(true)?,
        runs: part(false).unwrap_or(nothing),
    })
}

impl Comparison {
    /// What the studies say of the primary contrast, in sentences.
    pub fn sentence(&self) -> String {
        let primary = self.rows.iter().find(|row| row.is_primary);
        let Some(row) = primary.or_else(|| self.rows.iter().find(|r| r.metric == self.primary))
        else {
            return "The studies have no contrast of the primary metric in common.".into();
        };
        let said = self.names.iter().zip(&row.each);
        let said: Vec<String> = said
            .map(|(name, found)| format!("{name} found {}", found.text()))
            .collect();
        let mut out = format!(
            "{} − {}, macro {} with {} labels{}: {}.",
            self.arms[0],
            self.arms[1],
            row.metric.title(),
            row.labels_text(),
            if row.is_primary {
                ", the primary contrast"
            } else {
                ""
            },
            listed(&said)
        );
        if let Some((value, test)) = &row.difference {
            out += &self.second(*value, *test);
        }
        match &row.pooled {
            Some(pooled) => out += &format!(" Together: {}.", together(pooled)),
            None => out += " A pooled estimate could not be computed.",
        }
        if self.same_videos {
            out += " The studies are of the same videos: their part of the variance is shared, so the interval of both together is \
                    hardly narrower, and that of the difference rather too wide.";
        }
        out
    }

    /// Whether the second study found more or less.
    fn second(&self, value: f64, test: Option<Multiway>) -> String {
        let Some(test) = test else {
            return String::new();
        };
        let way = if value < 0.0 { "less" } else { "more" };
        let excludes = test.interval.low > 0.0 || test.interval.high < 0.0;
        let why = if excludes {
            "more than the uncertainty of both explains"
        } else {
            "which the uncertainty of both explains"
        };
        format!(
            " The second study found {way}, by {} {}, {why}.",
            signed(value.abs(), 3).trim_start_matches('+'),
            interval(test.interval, 3, true)
        )
    }

    /// The sentence, and a line for each contrast of the primary metric.
    pub fn to_text(&self) -> String {
        let mut out = format!("{}\n", self.sentence());
        for row in self.rows.iter().filter(|row| row.metric == self.primary) {
            out += &format!("\n{} labels ({})\n", row.labels_text(), row.budget);
            let width = self
                .names
                .iter()
                .map(|n| n.chars().count())
                .max()
                .unwrap_or(0)
                .max(8);
            for (name, found) in self.names.iter().zip(&row.each) {
                out += &format!("  {name:width$}  {}\n", found.text());
            }
            if let Some(pooled) = &row.pooled {
                out += &format!("  {:width$}  {}\n", "together", together(pooled));
            }
        }
        out
    }

    fn metrics(&self) -> Vec<Metric> {
        let mut all = vec![self.primary];
        for row in &self.rows {
            if !all.contains(&row.metric) {
                all.push(row.metric);
            }
        }
        all.retain(|metric| self.rows.iter().any(|row| row.metric == *metric));
        all
    }

    /// The primary metric of every study at every budget, and of all together.
    fn forest(&self) -> Forest {
        let mut rows = Vec::new();
        for row in self.rows.iter().filter(|row| row.metric == self.primary) {
            let labels = row.labels_text();
            for (i, found) in row.each.iter().enumerate() {
                rows.push(Row {
                    label: format!("{labels}, study {}", i + 1),
                    strong: false,
                    mark: Ok(Mark {
                        value: found.value,
                        interval: found.interval.map(|ends| (ends.low, ends.high)),
                        singles: Vec::new(),
                    }),
                });
            }
            let mark = |pooled: &Pooled| Mark {
                value: pooled.value,
                interval: pooled.test.map(|t| (t.interval.low, t.interval.high)),
                singles: Vec::new(),
            };
            rows.push(Row {
                label: format!("{labels}, together"),
                strong: true,
                mark: row.pooled.as_ref().map(mark).ok_or_else(|| "n/a".into()),
            });
        }
        let better = |name: &str| format!("{name} better");
        let [treated, baseline] = &self.arms;
        let sides = if self.primary.higher_is_better() {
            [better(baseline), better(treated)]
        } else {
            [better(treated), better(baseline)]
        };
        Forest {
            id: "fig-comparison".into(),
            title: format!("{treated} − {baseline}"),
            aside: format!("macro {}", self.primary.title()),
            description: self.sentence(),
            sides,
            rows,
        }
    }

    fn legend(&self) -> String {
        let named = self.names.iter().enumerate();
        let named: Vec<String> = named
            .map(|(i, name)| format!("study {} is {name}", i + 1))
            .collect();
        format!(
            "{} by number of labels: {}. Points are means, bars {} confidence intervals.",
            format_args!("{} studies", self.names.len()),
            listed(&named),
            percent(self.level)
        )
    }

    /// The files of the comparison by name: a page, the figure as SVG and PDF, the tables as CSV.
    ///
    /// # Errors
    /// A table that cannot be written.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
        let drawing = self.forest().drawing();
        let tables: Vec<Table> = self
            .metrics()
            .into_iter()
            .map(|m| comparison_table(self, m))
            .collect();
        let page = ComparisonPage {
            title: format!("{}: compared", self.names.join(", ")),
            chart_css: svg::css(),
            sentence: self.sentence(),
            figure: drawing.iter().map(svg::element).collect(),
            legend: self.legend(),
            tables: &tables,
        };
        let mut out = vec![("comparison.html".to_string(), page.render()?.into_bytes())];
        if let Some(drawing) = drawing {
            let legend = Legend {
                entries: Vec::new(),
                remarks: vec![self.legend()],
            };
            let sheet = Sheet::new("Studies compared", vec![drawing], &legend);
            out.push(("comparison.svg".into(), sheet.to_svg().into_bytes()));
            out.push(("comparison.pdf".into(), sheet.to_pdf()));
        }
        for (metric, table) in self.metrics().into_iter().zip(&tables) {
            let name = format!("comparison_{}.csv", metric.name());
            let rows = csv::write(table).map_err(|source| ReportError::Csv {
                name: name.clone(),
                source,
            })?;
            out.push((name, rows));
        }
        Ok(out)
    }
}

impl Compared {
    /// The number of labels, for people.
    pub fn labels_text(&self) -> String {
        count(self.labels.round() as u64)
    }
}

impl Found {
    fn text(&self) -> String {
        let ends = self.interval.map_or_else(
            || ", without a confidence interval".into(),
            |ends| format!(" {}", interval(ends, 3, true)),
        );
        let p = self
            .p
            .map(|p| format!(", p {}", p_value(p)))
            .unwrap_or_default();
        format!("{}{ends}{p}", signed(self.value, 3))
    }
}

fn together(pooled: &Pooled) -> String {
    let found = Found {
        value: pooled.value,
        interval: pooled.test.map(|test| test.interval),
        p: pooled.test.map(|test| test.p),
    };
    format!(
        "{}, I² = {}",
        found.text(),
        percent((pooled.share * 100.0).round() / 100.0)
    )
}

#[derive(Template)]
#[template(path = "comparison.html")]
struct ComparisonPage<'a> {
    title: String,
    chart_css: String,
    sentence: String,
    figure: Vec<String>,
    legend: String,
    tables: &'a [Table],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::answered;
    use eval::statistics::SourceShare;

    fn study(name: &str, value: f64, variances: [f64; 2]) -> ComparedStudy {
        let ends = Some((value - 0.02, value + 0.02));
        let input = answered(Metric::RocAuc, &[(10, ends, Some(0.04))]);
        let mut statistics = input.statistics.unwrap();
        for contrast in &mut statistics.contrasts {
            let share = |source, variance| SourceShare {
                source,
                levels: 6,
                variance: Some(variance),
                freedom: Some(5.0),
            };
            contrast.sources = vec![
                share(VariedSource::Folds, variances[0]),
                share(VariedSource::LabelDraw, variances[1]),
            ];
        }
        ComparedStudy {
            name: name.into(),
            statistics,
        }
    }

    fn primary(study: &ComparedStudy) -> Option<String> {
        study.statistics.budgets.first().map(|b| b.name.clone())
    }

    #[test]
    fn the_sentence_says_which_found_less_and_what_both_say() {
        let studies = [
            study("first", 0.030, [1e-4, 1e-5]),
            study("again", 0.010, [1e-4, 1e-5]),
        ];
        let budget = primary(&studies[0]);
        let of = |same| {
            compare(&studies, (Metric::RocAuc, budget.as_deref()), same)
                .unwrap()
                .sentence()
        };
        let got = of(false);
        for part in [
            "ssl − scratch, macro ROC AUC with 10 labels, the primary contrast: first found +0.030",
            "and again found +0.010",
            "The second study found less, by 0.020",
            "which the uncertainty of both explains",
            "Together: +0.020 [",
            "I² = 45 %",
        ] {
            assert!(got.contains(part), "{part}: {got}");
        }
        assert!(!got.contains("same videos") && of(true).contains("same videos"));
    }

    #[test]
    fn files_hold_a_row_for_each_budget() {
        let studies = [
            study("first", 0.030, [1e-4, 1e-5]),
            study("again", 0.010, [1e-4, 1e-5]),
        ];
        let files = compare(&studies, (Metric::RocAuc, None), true)
            .unwrap()
            .files()
            .unwrap();
        let text = |name: &str| {
            let file = files.iter().find(|(n, _)| n == name);
            String::from_utf8(file.unwrap().1.clone()).unwrap()
        };
        assert!(text("comparison_roc_auc.csv").lines().count() == 2);
        assert!(text("comparison.html").contains("study 2 is again"));
        assert!(text("comparison.svg").starts_with("<svg"));
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let one = study("first", 0.03, [1e-4, 0.0]);
        let error = |studies: &[ComparedStudy]| {
            compare(studies, (Metric::RocAuc, None), false)
                .unwrap_err()
                .to_string()
        };
        assert!(error(std::slice::from_ref(&one)).contains("two studies or more, found one"));
        let mut other = study("other", 0.03, [1e-4, 0.0]);
        other.statistics.analysis.baseline = "frozen".into();
        let message = error(&[one.clone(), other]);
        assert!(
            message.contains("ssl - frozen at level 0.95 in other"),
            "{message}"
        );
        let mut other = study("other", 0.03, [1e-4, 0.0]);
        other.statistics.budgets[0].name = "n99".into();
        let message = error(&[one, other]);
        assert!(message.contains("other has n99"), "{message}");
    }
}
