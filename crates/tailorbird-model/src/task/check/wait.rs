//! Checks of `wait`.

use super::Checker;
use crate::task::WaitStep;
use crate::task::wait::MAX_WAIT;

impl Checker<'_> {
    pub(super) fn wait(&mut self, at: &str, wait: &WaitStep, depth: usize) {
        match (&wait.length, &wait.until) {
            (Some(length), None) if *length > MAX_WAIT => self.error(
                &format!("{at}/for"),
                format!("the wait is longer than {MAX_WAIT}"),
                "Let a schedule start another task then.",
            ),
            (Some(_), None) => {}
            (None, Some(until)) => self.expression(&format!("{at}/until"), until),
            _ => self.error(
                at,
                "a wait has either `for` or `until`",
                "Write for example `wait: { for: 10m }` or `wait: { until: \"{{ variables.opens_at }}\" }`.",
            ),
        }
        if depth > 0 {
            self.error(
                at,
                "a `wait` stands beside the other steps of the task, not inside a `for_each`",
                "It holds the whole run. To put single records off, leave them out by `when` until they are due.",
            );
        }
    }
}
