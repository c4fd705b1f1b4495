//! Members, types, shapes, links and filters that h5py writes and this project does not read: the
//! videos of `golden/odd.csd`.

use crate::check::{Case, read};
use crate::corpus::{edit, golden};

#[rustfmt::skip]
const ROWS: [(&str, &str); 62] = [
    ("a_million_columns", "f.csd: 'Odd/data/a_million_columns/features': expected 1 to 16384 columns, found 1000000"),
    ("arrays", "f.csd: 'Odd/data/arrays/features': expected numbers, found arrays"),
    ("bit_fields", "f.csd: 'Odd/data/bit_fields/features': expected numbers, found bit fields"),
    ("booleans", "f.csd: 'Odd/data/booleans/features': expected numbers, found enumerated values"),
    ("complex", "f.csd: 'Odd/data/complex/features': expected numbers, found compounds"),
    ("compound", "f.csd: 'Odd/data/compound/features': expected numbers, found compounds"),
    ("compound_intervals", "f.csd: 'Odd/data/compound_intervals/intervals': expected 2 dimensions [rows, columns], found shape [10]"),
    ("damaged_deflate", "f.csd: 'Odd/data/damaged_deflate/features': failed to read"),
    ("damaged_lzf", "f.csd: 'Odd/data/damaged_lzf/features': expected filters that are part of HDF5, found filter 32000 (LZF); rewrite the file without it: h5repack -f GZIP=4 OLD NEW, where the filter's plugin is installed, or with h5py, see docs/your-data.md"),
    ("damaged_shuffled_deflate", "f.csd: 'Odd/data/damaged_shuffled_deflate/features': failed to read"),
    ("dataset", "f.csd: 'Odd/data/dataset': expected a group, found a dataset"),
    ("enumeration", "f.csd: 'Odd/data/enumeration/features': expected numbers, found enumerated values"),
    ("external_intervals", "f.csd: 'Odd/data/external_intervals/intervals': expected values in this file, found values in another file"),
    ("external_link", "f.csd: 'Odd/data/external_link/features': expected a dataset, found a link into another file"),
    ("external_link_out", "f.csd: 'Odd/data/external_link_out/features': expected a dataset, found a link into another file"),
    ("external_link_to_itself", "f.csd: 'Odd/data/external_link_to_itself/features': expected a dataset, found a link into another file"),
    ("external_linked_video", "f.csd: 'Odd/data/external_linked_video': expected a group, found a link into another file"),
    ("external_storage", "f.csd: 'Odd/data/external_storage/features': expected values in this file, found values in another file"),
    ("external_storage_beside", "f.csd: 'Odd/data/external_storage_beside/features': expected values in this file, found values in another file"),
    ("fixed_text", "f.csd: 'Odd/data/fixed_text/features': expected numbers, found text"),
    ("flat_intervals", "f.csd: 'Odd/data/flat_intervals/intervals': expected 2 dimensions [rows, columns], found shape [10]"),
    ("group_for_features", "f.csd: 'Odd/data/group_for_features/features': expected a dataset, found a group"),
    ("group_for_intervals", "f.csd: 'Odd/data/group_for_intervals/intervals': expected a dataset, found a group"),
    ("huge", "f.csd: 'Odd/data/huge/features': expected at most 31494060 values in a file of its size, found shape [1099511627776, 2]"),
    ("huge_intervals", "f.csd: 'Odd/data/huge_intervals/intervals': expected at most 31494060 values in a file of its size, found shape [1125899906842624, 2]"),
    ("huger", "f.csd: 'Odd/data/huger/features': expected at most 31494060 values in a file of its size, found shape [4611686018427387904, 4]"),
    ("larger_than_its_file", "f.csd: 'Odd/data/larger_than_its_file/features': expected at most 31494060 values in a file of its size, found shape [16777216, 2]"),
    ("lists", "f.csd: 'Odd/data/lists/features': expected numbers, found lists"),
    ("loop", "f.csd: 'Odd/data/loop/features': expected a dataset, found a group"),
    ("looped_up", "f.csd: 'Odd/data/looped_up/features': expected a dataset, found a group"),
    ("no_columns", "f.csd: 'Odd/data/no_columns/features': expected 1 to 16384 columns, found 0"),
    ("no_features", "f.csd: 'Odd/data/no_features/features': expected a dataset, found nothing"),
    ("no_intervals", "f.csd: 'Odd/data/no_intervals/intervals': expected a dataset, found nothing"),
    ("nothing", "f.csd: 'Odd/data/nothing/features': expected a dataset, found nothing"),
    ("null", "f.csd: 'Odd/data/null/features': expected 2 dimensions [rows, columns], found shape []"),
    ("one_column_too_many", "f.csd: 'Odd/data/one_column_too_many/features': expected 1 to 16384 columns, found 16385"),
    ("one_dimension", "f.csd: 'Odd/data/one_dimension/features': expected 2 dimensions [rows, columns], found shape [20]"),
    ("one_interval_more", "f.csd: 'Odd/data/one_interval_more/intervals': expected 10 rows, as many as features, found 11 rows"),
    ("one_row_less", "f.csd: 'Odd/data/one_row_less/intervals': expected 9 rows, as many as features, found 10 rows"),
    ("one_time", "f.csd: 'Odd/data/one_time/intervals': expected 2 columns (start, end), found 1 columns"),
    ("opaque", "f.csd: 'Odd/data/opaque/features': expected numbers, found opaque bytes"),
    ("other_names", "f.csd: 'Odd/data/other_names/features': expected a dataset, found nothing"),
    ("references", "f.csd: 'Odd/data/references/features': expected numbers, found references"),
    ("regions", "f.csd: 'Odd/data/regions/features': expected numbers, found references"),
    ("reserved_filter", "f.csd: 'Odd/data/reserved_filter/features': failed to read the layout of"),
    ("scalar", "f.csd: 'Odd/data/scalar/features': expected 2 dimensions [rows, columns], found shape []"),
    ("soft_link", "f.csd: 'Odd/data/soft_link/features': expected a dataset, found a soft link"),
    ("soft_link_intervals", "f.csd: 'Odd/data/soft_link_intervals/intervals': expected a dataset, found a soft link"),
    ("soft_link_to_nowhere", "f.csd: 'Odd/data/soft_link_to_nowhere/features': expected a dataset, found a soft link"),
    ("soft_link_up", "f.csd: 'Odd/data/soft_link_up/features': expected a dataset, found a soft link"),
    ("soft_linked_video", "f.csd: 'Odd/data/soft_linked_video': expected a group, found a soft link"),
    ("text_intervals", "f.csd: 'Odd/data/text_intervals/intervals': expected numbers, found text"),
    ("thirty_two_dimensions", "f.csd: 'Odd/data/thirty_two_dimensions/features': expected 2 dimensions [rows, columns], found shape [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"),
    ("three_dimensions", "f.csd: 'Odd/data/three_dimensions/features': expected 2 dimensions [rows, columns], found shape [10, 2, 1]"),
    ("three_times", "f.csd: 'Odd/data/three_times/intervals': expected 2 columns (start, end), found 3 columns"),
    ("type", "f.csd: 'Odd/data/type': expected a group, found a type"),
    ("type_for_features", "f.csd: 'Odd/data/type_for_features/features': expected a dataset, found a type"),
    ("unknown_filter", "f.csd: 'Odd/data/unknown_filter/features': expected filters that are part of HDF5, found filter 30583; rewrite the file without it: h5repack -f GZIP=4 OLD NEW, where the filter's plugin is installed, or with h5py, see docs/your-data.md"),
    ("variable_text", "f.csd: 'Odd/data/variable_text/features': expected numbers, found text"),
    ("virtual", "f.csd: 'Odd/data/virtual/features': expected values in this file, found a virtual dataset"),
    ("wrong_sum", "f.csd: 'Odd/data/wrong_sum/features': failed to read"),
    ("wrong_sum_after_deflate", "f.csd: 'Odd/data/wrong_sum_after_deflate/features': failed to read"),
];

pub fn cases() -> Vec<Case> {
    let alone = |video: &'static str, said: &str| {
        let spoil = move |path: &std::path::Path| {
            std::fs::copy(golden("odd.csd"), path).unwrap();
            edit(path, |file| {
                let videos = file.group("Odd/data").unwrap();
                let others = videos
                    .member_names()
                    .unwrap()
                    .into_iter()
                    .filter(|name| name != video);
                others.for_each(|name| videos.unlink(&name).unwrap());
            });
        };
        read(video, spoil, said)
    };
    ROWS.iter()
        .map(|(video, said)| alone(video, said))
        .collect()
}
