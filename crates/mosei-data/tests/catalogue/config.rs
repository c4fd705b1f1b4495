//! Data configurations: each key out of its range, or of another kind.

use crate::check::{Case, configured};

/// A line of the `[data]` table.
#[rustfmt::skip]
const LINES: [(&str, &str); 51] = [
    ("features = ''", "key 'features': expected a file name, found ''"),
    ("features = '/etc/passwd'", "key 'features': expected a file inside the data folder, found \"/etc/passwd\""),
    ("features = '../f.csd'", "key 'features': expected a file inside the data folder, found \"../f.csd\""),
    ("features = 'x/../../f.csd'", "key 'features': expected a file inside the data folder, found \"x/../../f.csd\""),
    ("features = '.'", "key 'features': expected a file inside the data folder, found \".\""),
    ("features = \"a\\u0000b\"", "key 'features': expected a file inside the data folder, found \"a\\0b\""),
    ("features = 3", "invalid type: integer `3`, expected a string"),
    ("features = ['f.csd']", "invalid type: sequence, expected a string"),
    ("labels = []", "key 'labels': expected at least one file name, found none"),
    ("labels = ''", "key 'labels': expected file names, found ''"),
    ("labels = ['a.csd', '']", "key 'labels': expected file names, found ''"),
    ("labels = ['a.csd', 'a.csd']", "key 'labels': expected different files, found 'a.csd' twice"),
    ("labels = ['/l.csd']", "key 'labels': expected a file inside the data folder, found \"/l.csd\""),
    ("labels = 3", "invalid type: integer `3`, expected a file name or a list of file names"),
    ("labels = [3]", "invalid type: integer `3`, expected a string"),
    ("labels = {}", "invalid type: map, expected a file name or a list of file names"),
    ("folds = ''", "key 'folds': expected a file name, found ''"),
    ("folds = '../folds.json'", "key 'folds': expected a file inside the data folder, found \"../folds.json\""),
    ("folds = 1", "invalid type: integer `1`, expected a string"),
    ("pool_frames = 0", "key 'pool_frames': expected at least 1, found 0"),
    ("pool_frames = -1", "invalid value: integer `-1`, expected usize"),
    ("pool_frames = 1.5", "invalid type: floating point `1.5`, expected usize"),
    ("pool_frames = 1000001", "key 'pool_frames': expected at most 1000000, found 1000001"),
    ("pool_frames = 9223372036854775807", "key 'pool_frames': expected at most 1000000, found 9223372036854775807"),
    ("max_frames = 0", "key 'max_frames': expected at least 1, found 0"),
    ("max_frames = 100001", "key 'max_frames': expected at most 100000, found 100001"),
    ("max_frames = '500'", "invalid type: string \"500\", expected usize"),
    ("crop = 'middle'", "unknown variant `middle`, expected one of `start`, `centre`, `end`"),
    ("crop = 1", "wanted string or table"),
    ("clip = 0", "key 'clip': expected a number above 0, found 0"),
    ("clip = -1.0", "key 'clip': expected a number above 0, found -1"),
    ("clip = nan", "key 'clip': expected a number above 0, found NaN"),
    ("clip = inf", "key 'clip': expected a number above 0, found inf"),
    ("presence_above = -0.1", "key 'presence_above': expected a number from 0 to below 3, found -0.1"),
    ("presence_above = 3.0", "key 'presence_above': expected a number from 0 to below 3, found 3"),
    ("presence_above = nan", "key 'presence_above': expected a number from 0 to below 3, found NaN"),
    ("unknown_fold_ids = 'ignore'", "unknown variant `ignore`, expected `error` or `count`"),
    ("unlabelled = 'all'", "unknown variant `all`, expected `none` or `outside`"),
    ("unlabelled_min_s = -1.0", "key 'unlabelled_min_s': expected a number from 0, found -1"),
    ("unlabelled_min_s = nan", "key 'unlabelled_min_s': expected a number from 0, found NaN"),
    ("unlabelled_min_s = inf", "key 'unlabelled_min_s': expected a number from 0, found inf"),
    ("split.k_folds = 1", "key 'split.k_folds': expected 0, or at least 3 (one group to test, one to validate, the rest to train), found 1"),
    ("split.k_folds = 2", "key 'split.k_folds': expected 0, or at least 3 (one group to test, one to validate, the rest to train), found 2"),
    ("split.valid_share = 0.0", "key 'split.valid_share': expected a share between 0 and 1, found 0"),
    ("split.valid_share = 1.0", "key 'split.valid_share': expected a share between 0 and 1, found 1"),
    ("split.test_share = -0.5", "key 'split.test_share': expected a share between 0 and 1, found -0.5"),
    ("split.test_share = 0.95", "key 'split.test_share': expected valid_share + test_share below 1, found 1.05"),
    ("split.test_share = nan", "key 'split.test_share': expected a share between 0 and 1, found NaN"),
    ("split.seed = -1", "invalid value: integer `-1`, expected u64"),
    ("split.shares = 1", "unknown field `shares`, expected one of `k_folds`, `repeats`, `valid_share`, `test_share`, `seed`"),
    ("lables = 'l.csd'", "unknown field `lables`, expected one of `features`, `labels`, `folds`, `pool_frames`, `max_frames`, `crop`, `clip`, `presence_above`, `unknown_fold_ids`, `unlabelled`, `unlabelled_min_s`, `split`"),
];

pub fn cases() -> Vec<Case> {
    LINES
        .iter()
        .map(|(line, said)| configured(line, said))
        .chain([configured(
            "folds = 'f.json'\nsplit.k_folds = 5",
            "key 'split.k_folds': expected 0 where 'folds' names a file, found 5",
        )])
        .collect()
}
