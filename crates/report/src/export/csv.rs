//! Tables for machines: unrounded numbers, the ends of an interval in two columns, empty fields for
//! missing values.

use super::full_rows;
use crate::tables::{Cell, Table};

/// The table as CSV, with a last column of remarks.
pub(crate) fn write(table: &Table) -> Result<Vec<u8>, csv::Error> {
    let columns = table.head.len();
    let mut carried: Option<&Cell> = None;
    let rows: Vec<Vec<Option<&Cell>>> = full_rows(table)
        .map(|(first, rest)| {
            carried = first.or(carried);
            let mut row = vec![carried];
            row.extend(rest.into_iter().map(Some));
            row.resize(columns, None);
            row
        })
        .collect();
    let cells = |column: usize| rows.iter().filter_map(move |row| row[column]);
    let with_ends: Vec<bool> = (0..columns)
        .map(|c| cells(c).any(|cell| cell.ends.is_some()))
        .collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut head: Vec<String> = Vec::new();
    for (title, &ends) in table.head.iter().zip(&with_ends) {
        let name = column_name(title);
        head.push(name.to_string());
        if ends {
            head.extend([format!("{name} low"), format!("{name} high")]);
        }
    }
    head.push("Remarks".into());
    writer.write_record(&head)?;
    for row in &rows {
        let (mut fields, mut remarks) = (Vec::new(), Vec::new());
        for ((cell, title), &ends) in row.iter().zip(&table.head).zip(&with_ends) {
            let cell = cell.cloned().unwrap_or_default();
            fields.push(match cell.value {
                Some(value) => value.to_string(),
                None if cell.words => cell.text.clone(),
                None => String::new(),
            });
            if ends {
                fields.extend(match cell.ends {
                    Some(ends) => [ends.low, ends.high]
                        .map(|end| end.map_or(String::new(), |end| end.to_string())),
                    None => [String::new(), String::new()],
                });
            }
            // Words in place of a number, or of an end of an interval, go to the remarks.
            let number = match cell.ends {
                Some(ends) => ends.low.is_some() && ends.high.is_some(),
                None => cell.value.is_some(),
            };
            let text = if cell.words || number {
                ""
            } else {
                cell.text.as_str()
            };
            let remark: Vec<&str> = [text, &cell.remark]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect();
            if !remark.is_empty() {
                remarks.push(format!("{}: {}", column_name(title), remark.join(", ")));
            }
        }
        fields.push(remarks.join("; "));
        writer.write_record(&fields)?;
    }
    writer
        .into_inner()
        .map_err(|e| csv::Error::from(e.into_error()))
}

/// The name of a column: a title may be reworded for readers, names of columns stay.
fn column_name(title: &Cell) -> &str {
    title.column.as_ref().unwrap_or(&title.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::awkward;

    #[test]
    fn numbers_are_whole_and_what_is_not_there_is_empty() {
        let got = String::from_utf8(write(&awkward()).unwrap()).unwrap();
        assert_eq!(
            got,
            "Labels,Start_name,ROC AUC,ROC AUC low,ROC AUC high,Remarks\n\
             25,\"ssl, #1\",0.5123456789,-0.0125,,ROC AUC: 0.512\n\
             25,scratch|{x}\\,,,,\"ROC AUC: n/a (3 positives), no run\"\n"
        );
    }
}
