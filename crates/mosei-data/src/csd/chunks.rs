//! The chunk shape that h5py chooses for a dataset, so that files written here have the layout of
//! CMU's.

const BASE_BYTES: f64 = 16.0 * 1024.0;
const MIN_BYTES: f64 = 8.0 * 1024.0;
const MAX_BYTES: f64 = 1024.0 * 1024.0;

/// h5py's rule: the target size grows slowly with the dataset; the dimensions are halved in turn to
/// reach it.
pub(super) fn chunk_shape(shape: [usize; 2], value_bytes: usize) -> [usize; 2] {
    // An empty dimension counts as 1024, as it may grow.
    let mut chunk = shape.map(|n| if n == 0 { 1024 } else { n });
    let bytes = |c: [usize; 2]| (c[0] * c[1] * value_bytes) as f64;
    let target = BASE_BYTES * 2f64.powf((bytes(chunk) / MAX_BYTES).log10());
    let target = target.clamp(MIN_BYTES, MAX_BYTES);
    for turn in 0.. {
        let now = bytes(chunk);
        let close = now < target || (now - target).abs() / target < 0.5;
        if (close && now < MAX_BYTES) || chunk == [1, 1] {
            break;
        }
        chunk[turn % 2] = chunk[turn % 2].div_ceil(2);
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::chunk_shape;

    #[test]
    fn chunk_shapes_are_those_of_h5py() {
        let cases = [
            ([30_000, 74], 4, [1875, 5]),
            ([13_216, 74], 4, [826, 10]),
            ([13_216, 2], 8, [1652, 1]),
            ([60, 6], 4, [60, 6]),
            ([1, 1], 4, [1, 1]),
        ];
        for (shape, bytes, expected) in cases {
            assert_eq!(chunk_shape(shape, bytes), expected, "{shape:?}");
        }
    }
}
