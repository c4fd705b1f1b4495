use super::*;

fn part(shift: i32) -> Table {
    Table::new()
        .with(
            "video",
            Column::Text(vec!["-a".into(), "123".into(), "ü".into()]),
        )
        .with("segment", Column::I32(vec![shift, -1, 2]))
        .with("seed", Column::OptionI32(vec![Some(shift), None, Some(7)]))
        .with("x", Column::F32(vec![0.5, f32::MIN_POSITIVE, -3.0]))
        .with("y", Column::F64(vec![0.1, 0.2, 0.3]))
        .with("score", Column::OptionF64(vec![None, Some(0.25), None]))
        .with("present", Column::Bool(vec![true, false, true]))
}

#[test]
fn a_table_round_trips() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    part(0).write(&path).unwrap();
    assert_eq!(Table::read(&path).unwrap(), part(0));
}

#[test]
fn parts_are_read_one_by_one_or_together() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let mut writer = TableWriter::create(&path).unwrap();
    writer.append(&part(0)).unwrap();
    writer.append(&part(7)).unwrap();
    writer.finish().unwrap();
    let parts: Result<Vec<_>, _> = TableReader::open(&path).unwrap().collect();
    assert_eq!(parts.unwrap(), [part(0), part(7)]);
    assert_eq!(
        Table::read(&path).unwrap().i32(&path, "segment").unwrap(),
        [0, -1, 2, 7, -1, 2]
    );
}

#[test]
fn a_wrong_column_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    part(0).write(&path).unwrap();
    let table = Table::read(&path).unwrap();
    let message = table.f64(&path, "segment").unwrap_err().to_string();
    assert!(
        message.contains("column 'segment': expected double, found int32"),
        "{message}"
    );
    let message = table.f64(&path, "nothing").unwrap_err().to_string();
    assert!(message.contains("found no such column"), "{message}");
}

#[test]
fn an_invalid_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    std::fs::write(&path, "PAR1 and nothing").unwrap();
    assert!(Table::read(&path).is_err());
}
