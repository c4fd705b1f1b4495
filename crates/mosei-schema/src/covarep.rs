/// Frame rate of MOSEI's COVAREP features in Hz: frame `k` covers `[k / 100 s, (k + 1) / 100 s)`.
pub const COVAREP_RATE_HZ: f64 = 100.0;

/// The 74 columns of COVAREP as CMU-MOSEI stores them, in file order.
pub const COVAREP_COLUMNS: [&str; 74] = [
    "F0",
    "VUV",
    "NAQ",
    "QOQ",
    "H1H2",
    "PSP",
    "MDQ",
    "peakSlope",
    "Rd",
    "Rd_conf",
    "creak",
    "MCEP_0",
    "MCEP_1",
    "MCEP_2",
    "MCEP_3",
    "MCEP_4",
    "MCEP_5",
    "MCEP_6",
    "MCEP_7",
    "MCEP_8",
    "MCEP_9",
    "MCEP_10",
    "MCEP_11",
    "MCEP_12",
    "MCEP_13",
    "MCEP_14",
    "MCEP_15",
    "MCEP_16",
    "MCEP_17",
    "MCEP_18",
    "MCEP_19",
    "MCEP_20",
    "MCEP_21",
    "MCEP_22",
    "MCEP_23",
    "MCEP_24",
    "HMPDM_0",
    "HMPDM_1",
    "HMPDM_2",
    "HMPDM_3",
    "HMPDM_4",
    "HMPDM_5",
    "HMPDM_6",
    "HMPDM_7",
    "HMPDM_8",
    "HMPDM_9",
    "HMPDM_10",
    "HMPDM_11",
    "HMPDM_12",
    "HMPDM_13",
    "HMPDM_14",
    "HMPDM_15",
    "HMPDM_16",
    "HMPDM_17",
    "HMPDM_18",
    "HMPDM_19",
    "HMPDM_20",
    "HMPDM_21",
    "HMPDM_22",
    "HMPDM_23",
    "HMPDM_24",
    "HMPDD_0",
    "HMPDD_1",
    "HMPDD_2",
    "HMPDD_3",
    "HMPDD_4",
    "HMPDD_5",
    "HMPDD_6",
    "HMPDD_7",
    "HMPDD_8",
    "HMPDD_9",
    "HMPDD_10",
    "HMPDD_11",
    "HMPDD_12",
];

#[cfg(test)]
mod tests {
    use super::COVAREP_COLUMNS;

    #[test]
    fn covarep_has_74_distinct_columns() {
        let unique: std::collections::BTreeSet<_> = COVAREP_COLUMNS.iter().collect();
        assert_eq!(unique.len(), 74);
        assert_eq!(
            (
                COVAREP_COLUMNS[11],
                COVAREP_COLUMNS[36],
                COVAREP_COLUMNS[61]
            ),
            ("MCEP_0", "HMPDM_0", "HMPDD_0")
        );
    }
}
