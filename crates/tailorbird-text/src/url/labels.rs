//! Chains of labels: which domain name, if any, begins at a given character.

use super::tld;
use crate::classes::is_domain;

/// The most labels in one name; a name of 253 characters cannot hold more (RFC 1035 §2.3.4).
///
/// Without it a text of "a.a.a." would cost the square of its length.
const MAX_LABELS: usize = 127;

/// A longest run of characters that labels are made of, and what is known about it.
#[derive(Debug)]
struct Run {
    start: usize,
    end: usize,
    /// Where its last underscore is: fine in a sub-domain, not in the name that is registered.
    last_underscore: Option<usize>,
    /// Where the top-level domain ends that this run begins with, if it follows a full stop.
    tld_end: Option<usize>,
}

/// All runs of a text. Computed once, because a name may be tried from each of its characters.
#[derive(Debug)]
pub(super) struct Labels {
    runs: Vec<Run>,
}

impl Labels {
    pub(super) fn new(chars: &[char]) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        let mut open: Option<Run> = None;
        for (index, &c) in chars.iter().enumerate() {
            if !(is_domain(c) || matches!(c, '-' | '_')) {
                runs.extend(open.take());
                continue;
            }
            let run = open.get_or_insert(Run {
                start: index,
                end: index,
                last_underscore: None,
                tld_end: None,
            });
            run.end = index + 1;
            if c == '_' {
                run.last_underscore = Some(index);
            }
        }
        runs.extend(open);
        for run in &mut runs {
            let after_dot = run.start.checked_sub(1).and_then(|index| chars.get(index)) == Some(&'.');
            run.tld_end = if after_dot {
                tld::end(chars, run.start)
            } else {
                None
            };
        }
        Self { runs }
    }

    /// End of the longest domain name that begins at `start`: labels, a full stop each, a top-level domain.
    pub(super) fn domain_end(&self, chars: &[char], start: usize) -> Option<usize> {
        let first = self.runs.partition_point(|run| run.end <= start);
        let chain = self.runs.get(first..)?;
        if chain.first()?.start > start {
            return None;
        }
        let mut best = None;
        let mut label = start;
        for (run, next) in chain.iter().zip(chain.get(1..)?).take(MAX_LABELS) {
            let starts_well = chars.get(label).copied().is_some_and(is_domain);
            let ends_well = chars.get(run.end - 1).copied().is_some_and(is_domain);
            let chained = chars.get(run.end) == Some(&'.') && next.start == run.end + 1;
            if !(starts_well && ends_well && chained) {
                break;
            }
            if run.last_underscore.is_none_or(|index| index < label) {
                best = next.tld_end.or(best);
            }
            label = next.start;
        }
        best
    }
}
