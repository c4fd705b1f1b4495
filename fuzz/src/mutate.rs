//! Random mutations of valid files, for the tests of the crates that read them.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Most memory of the process, bytes.
const MAX_MEMORY: u64 = 512 << 20;

/// Applies one to four random mutations.
pub fn mutate(good: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..rng.random_range(1..5) {
        let at = rng.random_range(0..bytes.len().max(1));
        let end = (at + rng.random_range(1..9)).min(bytes.len());
        match rng.random_range(0..8) {
            _ if bytes.is_empty() => bytes.push(rng.random()),
            0 | 1 => bytes[at] ^= 1 << rng.random_range(0..8),
            2 => bytes[at] = rng.random(),
            3 => bytes[at..end].fill(
                *[0, 1, 0x7f, 0x80, 0xff, b'9', b'"']
                    .get(rng.random_range(0..7))
                    .unwrap(),
            ),
            4 => drop(bytes.drain(at..end)),
            5 => bytes.insert(at, rng.random()),
            6 => {
                let piece = bytes[at..end].to_vec();
                let to = rng.random_range(0..bytes.len());
                bytes.splice(to..to, piece);
            }
            _ if rng.random_range(0..8) == 0 => bytes.truncate(at),
            _ => bytes.swap(at, end - 1),
        }
    }
    bytes
}

/// Mutates a file `times` times; returns how many of the results `entry` accepts.
pub fn count_accepted(
    good: &[u8],
    seed: u64,
    times: usize,
    entry: impl Fn(&[u8]) -> bool,
) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..times)
        .filter(|_| entry(&mutate(good, &mut rng)))
        .count()
}

/// Checks the peak memory of this process.
pub fn assert_memory_is_bounded() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return;
    };
    let most = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .unwrap()
        .trim()
        .strip_suffix(" kB")
        .unwrap();
    assert!(
        most.parse::<u64>().unwrap() << 10 <= MAX_MEMORY,
        "{most} kB"
    );
}
