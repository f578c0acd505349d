//! Durations, counted below bounds: what a histogram of Prometheus is made of. Whoever measures brings the time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The bounds in microseconds, from a commit on a fast disk to a provider that hardly answers; a last bucket takes
/// the rest.
pub const BOUNDS_US: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000,
    30_000_000,
];

/// Durations counted below bounds.
#[derive(Debug, Default)]
pub struct Histogram {
    below: [AtomicU64; BOUNDS_US.len()],
    above: AtomicU64,
    sum_us: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measured {
    /// How many durations were at most as long as each of [`BOUNDS_US`], the shorter ones included.
    pub up_to: Vec<u64>,
    /// How many there were.
    pub count: u64,
    /// All of them together, in microseconds.
    pub sum_us: u64,
}

impl Histogram {
    /// Counts a duration.
    pub fn observe(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.iter().zip(&self.below).find(|(bound, _)| us <= **bound);
        bucket
            .map_or(&self.above, |(_, count)| count)
            .fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn measured(&self) -> Measured {
        let mut count = 0_u64;
        let mut up_to = Vec::with_capacity(BOUNDS_US.len());
        for below in &self.below {
            count = count.saturating_add(below.load(Ordering::Relaxed));
            up_to.push(count);
        }
        Measured {
            up_to,
            count: count.saturating_add(self.above.load(Ordering::Relaxed)),
            sum_us: self.sum_us.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_below_their_bounds() {
        let histogram = Histogram::default();
        for us in [100, 101, 1_000, 99_000_000] {
            histogram.observe(Duration::from_micros(us));
        }
        let measured = histogram.measured();
        assert_eq!(measured.up_to.get(..4), Some(&[1, 2, 2, 3][..]));
        assert_eq!((measured.count, measured.sum_us), (4, 99_001_201));
        assert_eq!(measured.up_to.last(), Some(&3));
    }
}
