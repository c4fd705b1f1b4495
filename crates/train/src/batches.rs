//! Which segments make up the batch of a step.

use rand::RngExt;
use run_record::seed::{Stream, rng};

/// An endless stream of segments, each epoch in an order of its own, cut into batches of one size.
///
/// The batch of a step is a function of (segments, size, seed, step) alone.
#[derive(Debug)]
pub(crate) struct Batches {
    segments: Vec<usize>,
    size: usize,
    seed: u64,
    /// The orders made last, by epoch: a batch can reach over the end of one into the next.
    orders: Vec<(usize, Vec<usize>)>,
}

impl Batches {
    pub(crate) fn new(segments: Vec<usize>, size: usize, seed: u64) -> Self {
        let size = size.min(segments.len());
        Batches {
            segments,
            size,
            seed,
            orders: Vec::new(),
        }
    }

    /// The epoch that a step begins in.
    pub(crate) fn epoch(&self, step: usize) -> usize {
        step * self.size / self.segments.len()
    }

    /// The (epoch, segment) pairs of a step.
    pub(crate) fn batch(&mut self, step: usize) -> Vec<(usize, usize)> {
        let n = self.segments.len();
        (step * self.size..(step + 1) * self.size)
            .map(|i| (i / n, self.order(i / n)[i % n]))
            .collect()
    }

    /// The segments of a step.
    pub(crate) fn segments(&mut self, step: usize) -> Vec<usize> {
        self.batch(step)
            .into_iter()
            .map(|(_, segment)| segment)
            .collect()
    }

    fn order(&mut self, epoch: usize) -> &[usize] {
        if let Some(i) = self.orders.iter().position(|(e, _)| *e == epoch) {
            return &self.orders[i].1;
        }
        let mut order = self.segments.clone();
        let mut rng = rng(self.seed, Stream::Order, epoch as u64);
        for i in (1..order.len()).rev() {
            order.swap(i, rng.random_range(0..=i));
        }
        if self.orders.len() > 1 {
            self.orders.remove(0);
        }
        self.orders.push((epoch, order));
        &self.orders[self.orders.len() - 1].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_holds_every_segment_once() {
        let segments: Vec<usize> = (100..110).collect();
        let mut batches = Batches::new(segments.clone(), 4, 1);
        let stream: Vec<(usize, usize)> = (0..10).flat_map(|step| batches.batch(step)).collect();
        for epoch in 0..4 {
            let mut seen: Vec<usize> = stream
                .iter()
                .filter(|(e, _)| *e == epoch)
                .map(|(_, s)| *s)
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, segments);
        }
        assert_ne!(
            stream[..10].iter().map(|p| p.1).collect::<Vec<_>>(),
            stream[10..20].iter().map(|p| p.1).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_step_alone_gives_what_it_gives_in_a_row() {
        let make = || Batches::new((0..10).collect(), 4, 9);
        let mut in_a_row = make();
        let all: Vec<_> = (0..20).map(|step| in_a_row.batch(step)).collect();
        for step in [0, 3, 7, 19, 2] {
            assert_eq!(make().batch(step), all[step]);
        }
    }

    #[test]
    fn fewer_segments_than_a_batch_are_one_batch() {
        let mut batches = Batches::new(vec![3, 1, 2], 32, 0);
        assert_eq!(batches.batch(5).len(), 3);
        assert_eq!(batches.epoch(5), 5);
    }
}
