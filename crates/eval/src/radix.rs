//! Ordering millions of rows by an integer key, byte by byte: what a ranking spends its time on.
//!
//! What lives here: how rows get into order. What their bits mean is the ranking's business.

/// Leading bits, of those in which keys differ, by which rows are dealt out into buckets.
const BUCKET_BITS: u32 = 10;
/// Fewer rows than these are sorted by comparing.
const FEW: usize = 128;
/// More rows than these are told apart by four bytes, fewer by two.
const MANY: usize = 1 << 14;

/// The rows, ascending by their keys. Both iterators are walked several times, so they should be cheap.
///
/// A row is `key << 1` with anything in the lowest bit, by which nothing is ordered: it lacks the key's highest bit. That
/// bit is never missed, because rows whose keys differ in it come into different buckets.
///
/// Rows are dealt out into buckets that fit the processor's caches, and each is sorted for itself, so that little memory
/// is needed beside the rows.
pub(crate) fn sorted<K, R>(keys: K, rows: R) -> Vec<u64>
where
    K: Iterator<Item = u64> + Clone,
    R: Iterator<Item = u64>,
{
    let Some(first) = keys.clone().next() else { return Vec::new() };
    let shared = shared_bits(keys.clone(), first);
    let bucket = |key: u64| leading(key << shared, BUCKET_BITS);
    let mut ends = [0; 1 << BUCKET_BITS];
    keys.clone().for_each(|key| ends[bucket(key)] += 1);
    let largest = ends.iter().copied().max().unwrap_or_default();
    let mut sorted = vec![0; starts(&mut ends)];
    for (key, row) in keys.zip(rows) {
        // From the start of the bucket, so that the starts become the ends.
        let end = &mut ends[bucket(key)];
        sorted[*end] = row;
        *end += 1;
    }
    let mut scratch = vec![0; largest];
    let mut start = 0;
    for end in ends {
        sort(&mut sorted[start..end], &mut scratch[..end - start]);
        start = end;
    }
    sorted
}

/// Sorts one bucket with the help of a scratch space of its size.
fn sort(rows: &mut [u64], scratch: &mut [u64]) {
    if rows.len() < FEW {
        return rows.sort_unstable();
    }
    // The lowest bit does not count.
    let shared = shared_bits(rows.iter().map(|row| row >> 1), rows[0] >> 1) - 1;
    if rows.len() < MANY { by_bytes::<2>(rows, scratch, shared) } else { by_bytes::<4>(rows, scratch, shared) }
}

/// Puts rows into the order of the first bytes after the shared bits, the last of them first, and then those that
/// agree in all of them by comparing.
fn by_bytes<const BYTES: usize>(rows: &mut [u64], scratch: &mut [u64], shared: u32) {
    let byte = |row: u64, b: usize| (row << shared >> (u64::BITS as usize - 8 * (BYTES - b))) as usize & 0xff;
    let mut ends = [[0; 1 << 8]; BYTES];
    for &row in rows.iter() {
        for (b, ends) in ends.iter_mut().enumerate() {
            ends[byte(row, b)] += 1;
        }
    }
    let (mut from, mut to, mut moved) = (&mut *rows, &mut *scratch, false);
    for (b, ends) in ends.iter_mut().enumerate() {
        if ends.contains(&from.len()) {
            continue;
        }
        starts(ends);
        for &row in from.iter() {
            let end = &mut ends[byte(row, b)];
            to[*end] = row;
            *end += 1;
        }
        (from, to, moved) = (to, from, !moved);
    }
    if moved {
        to.copy_from_slice(from);
        from = to;
    }
    let known = 8 * BYTES as u32;
    let agree = |a: &u64, b: &u64| leading(a << shared, known) == leading(b << shared, known);
    // Without the lowest bit, so that equal keys are seen to be in order.
    from.chunk_by_mut(agree).for_each(|run| run.sort_unstable_by_key(|row| row >> 1));
}

/// How many leading bits all keys share with the first; 63 where they are all the same, so that it may be shifted by.
fn shared_bits(keys: impl Iterator<Item = u64>, first: u64) -> u32 {
    keys.fold(0, |differing, key| differing | (key ^ first)).leading_zeros().min(u64::BITS - 1)
}

/// The number that the leading bits make.
fn leading(key: u64, bits: u32) -> usize {
    (key >> (u64::BITS - bits)) as usize
}

/// Turns counts into the places at which each begins; returns the sum.
fn starts(counts: &mut [usize]) -> usize {
    counts.iter_mut().fold(0, |start, count| start + std::mem::replace(count, start))
}

#[cfg(test)]
mod tests {
    use super::sorted;

    fn check(keys: &[u64]) {
        let row = |(i, &key): (usize, &u64)| key << 1 | (i & 1) as u64;
        let got = sorted(keys.iter().copied(), keys.iter().enumerate().map(row));
        let mut expected = keys.to_vec();
        expected.sort_unstable();
        let without_label: Vec<u64> = got.iter().map(|row| row >> 1).collect();
        assert_eq!(without_label, expected.iter().map(|key| key << 1 >> 1).collect::<Vec<_>>());
        let odd = |rows: &[u64]| rows.iter().filter(|r| *r & 1 == 1).count();
        assert_eq!(odd(&got), keys.len() / 2, "every row keeps its lowest bit");
    }

    /// Enough different numbers from one, by multiplication.
    fn spread(n: u64) -> impl Iterator<Item = u64> + Clone {
        (1..=n).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    #[test]
    fn keys_of_every_kind_come_into_order() {
        for n in [0, 1, 2, 100, 1000, 40_000] {
            check(&spread(n).collect::<Vec<_>>());
            check(&spread(n).map(|k| k >> 40).collect::<Vec<_>>());
            check(&spread(n).map(|k| k % 3).collect::<Vec<_>>());
            check(&spread(n).map(|_| 7).collect::<Vec<_>>());
        }
    }

    #[test]
    fn crowded_keys_come_into_order() {
        // One key far away leaves all others in one bucket, and few of their bits differ, at the very end.
        let crowd = spread(40_000).map(|k| k >> 54);
        check(&crowd.clone().chain([u64::MAX]).collect::<Vec<_>>());
        // Another one in that bucket takes up all the bytes that are looked at.
        check(&crowd.clone().chain([u64::MAX, 1 << 50]).collect::<Vec<_>>());
        check(&crowd.take(3000).chain([u64::MAX, 1 << 50]).collect::<Vec<_>>());
    }
}
