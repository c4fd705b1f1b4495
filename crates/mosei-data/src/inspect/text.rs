//! An inspection as text: tables with aligned columns and thousands separators.

use super::{FileFacts, Inspection, LabelFacts};

impl Inspection {
    /// The inspection as text.
    pub fn to_text(&self) -> String {
        let header = ["file", "root", "videos", "rows", "columns", "rate (Hz)"]
            .map(str::to_string)
            .to_vec();
        let rows = self.files.iter().map(|f| {
            let name = f
                .path
                .file_name()
                .unwrap_or(f.path.as_os_str())
                .display()
                .to_string();
            let unknown = if f.irregular { "irregular" } else { "-" };
            let rate = f.rate_hz.map_or(unknown.to_string(), |r| r.to_string());
            vec![
                name,
                f.root.clone(),
                grouped(f.videos),
                grouped(f.rows),
                grouped(f.columns),
                rate,
            ]
        });
        let mut out = table(header, rows.collect());
        for file in &self.files {
            let name = file
                .path
                .file_name()
                .unwrap_or(file.path.as_os_str())
                .display();
            let odd: Vec<String> = file
                .column_names
                .iter()
                .filter_map(|c| {
                    file.nonfinite
                        .get(c)
                        .map(|&n| format!("{c} {}", grouped(n as usize)))
                })
                .collect();
            let odd = if odd.is_empty() {
                "none".to_string()
            } else {
                odd.join(", ")
            };
            out.push_str(&format!("\nnon-finite values in {name}: {odd}"));
            if file.by_number_of_columns {
                out.push_str(&format!(
                    "\n{name} is considered a label file: {}",
                    by_number(file.columns)
                ));
            }
            if file.segment_groups > 0 {
                let n = grouped(file.segment_groups);
                out.push_str(&format!(
                    "\n{name} has a group for each segment, {n} of them ('VIDEO[3]' is segment 3 of VIDEO)"
                ));
            }
            if file.is_labels {
                out.push_str(&format!(
                    "\nlabels out of range in {name}: {}",
                    out_of_range(file)
                ));
            }
        }
        out.push('\n');
        if let Some(labels) = &self.labels {
            out.push('\n');
            out.push_str(&labels.to_text());
        }
        out
    }
}

impl LabelFacts {
    fn to_text(&self) -> String {
        let mut header: Vec<String> = ["fold", "segments", "videos"].map(str::to_string).to_vec();
        header.extend(self.emotions.iter().cloned());
        let has_emotions = !self.emotions.is_empty();
        header.extend(has_emotions.then(|| "any".to_string()));
        let rows = self.folds.iter().map(|f| {
            let numbers = [f.segments, f.videos]
                .into_iter()
                .chain(f.positives.iter().copied());
            let numbers = numbers.chain(has_emotions.then_some(f.any));
            std::iter::once(f.fold.clone())
                .chain(numbers.map(grouped))
                .collect()
        });
        let title = if has_emotions {
            "segments with each emotion (intensity above 0)\n"
        } else {
            "segments\n"
        };
        let mut out = String::from(title);
        out.push_str(&table(header, rows.collect()));
        out.push('\n');
        if has_emotions {
            let rounded = self
                .emotions
                .iter()
                .zip(&self.rounded_above_0)
                .map(|(e, &n)| format!("{} {e}", grouped(n)));
            let rounded: Vec<String> = rounded.collect();
            out.push_str(&format!(
                "rounded half up to 4 classes, above 0: {}\n",
                rounded.join(", ")
            ));
        }
        let l = &self.lengths_s;
        out.push_str(&format!(
            "lengths (s): min {:.2}, 5 % {:.1}, median {:.1}, mean {:.1}, 95 % {:.1}, 99 % {:.1}, max {:.1}\n",
            l.min, l.q05, l.median, l.mean, l.q95, l.q99, l.max
        ));
        out.push_str(&format!(
            "negative starts: {}\n",
            grouped(self.negative_starts)
        ));
        let median = self
            .median_overlap_s
            .map_or(String::new(), |m| format!(", median overlap {m:.2} s"));
        out.push_str(&format!(
            "overlapping neighbour pairs: {} of {}{median}\n",
            grouped(self.overlapping),
            grouped(self.neighbours)
        ));
        out.push_str(&format!(
            "videos whose row order is not time order: {}\n",
            grouped(self.videos_out_of_order)
        ));
        for (split, ids) in &self.fold_ids_without_labels {
            out.push_str(&format!(
                "{split} ids without labels: {} ({})\n",
                grouped(ids.len()),
                shortened(ids)
            ));
        }
        out
    }
}

/// Why a file without column names is considered labels, and how to change that.
fn by_number(columns: usize) -> String {
    let meaning = match columns {
        1 => "sentiment",
        6 => "MOSEI's six emotions",
        _ => "sentiment and MOSEI's six emotions",
    };
    let columns = if columns == 1 {
        "1 column".to_string()
    } else {
        format!("{columns} columns")
    };
    format!(
        "it names no columns, and {columns} are {meaning} in MOSEI's files; if they are features, \
         name them in its metadata ('dimension names')"
    )
}

/// The number of labels outside the range of each column.
fn out_of_range(file: &FileFacts) -> String {
    let columns = file
        .column_names
        .iter()
        .filter_map(|c| file.out_of_range.get(c).map(|o| (c, o)));
    let odd: Vec<String> = columns
        .map(|(c, o)| {
            format!(
                "{c} {} outside [{}, {}]",
                grouped(o.labels as usize),
                o.low,
                o.high
            )
        })
        .collect();
    if odd.is_empty() {
        "none".to_string()
    } else {
        odd.join(", ")
    }
}

/// The first few ids.
fn shortened(ids: &[String]) -> String {
    const FEW: usize = 5;
    let more = if ids.len() > FEW { ", …" } else { "" };
    format!("{}{more}", ids[..ids.len().min(FEW)].join(", "))
}

/// A number with thousands separators.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A table with the first column left-aligned, the others right-aligned.
fn table(header: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let widths: Vec<usize> = (0..header.len())
        .map(|c| {
            rows.iter()
                .chain([&header])
                .map(|r| r[c].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(c, (cell, &w))| {
                if c == 0 {
                    format!("{cell:<w$}")
                } else {
                    format!("{cell:>w$}")
                }
            })
            .collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule: Vec<String> = widths.iter().map(|&w| "-".repeat(w)).collect();
    let body: String = rows.iter().map(|r| line(r)).collect();
    format!("{}{}{body}", line(&header), line(&rule))
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(
            [0, 999, 1000, 23_259, 1_000_000].map(grouped),
            ["0", "999", "1,000", "23,259", "1,000,000"]
        );
    }
}
