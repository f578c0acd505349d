//! The small pieces that pages show: states as badges, counts. Plain values, so that the templates decide nothing.

use jiff::Timestamp;
pub(super) use tailorbird_look::{When, grouped, plural};
use tailorbird_model::approval::ApprovalState;
use tailorbird_model::delivery::DeliveryState;
use tailorbird_model::run::{Counts, Run, RunState};

/// A state as a shape and a word; the colour comes last and never stands alone.
#[derive(Debug, Clone)]
pub(super) struct Badge {
    /// The class that colours it.
    pub tone: &'static str,
    /// The shape.
    pub shape: &'static str,
    /// The word.
    pub word: &'static str,
}

impl Badge {
    pub(super) const fn new(tone: &'static str, shape: &'static str, word: &'static str) -> Self {
        Self { tone, shape, word }
    }

    /// The state of a run.
    pub(super) fn run(state: RunState) -> Self {
        match state {
            RunState::Queued => Self::new("", "○", "queued"),
            RunState::Running => Self::new("accent", "▶", "running"),
            RunState::Waiting => Self::new("wait", "◔", "waiting"),
            RunState::Paused => Self::new("wait", "‖", "paused"),
            RunState::NeedsAttention => Self::new("doubt", "◆", "needs attention"),
            RunState::Succeeded => Self::new("ok", "●", "succeeded"),
            RunState::Failed => Self::new("bad", "✕", "failed"),
            RunState::Cancelled => Self::new("", "◌", "cancelled"),
        }
    }

    /// The state of a delivery.
    pub(super) fn delivery(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Pending => Self::new("wait", "◔", "pending"),
            DeliveryState::Sending => Self::new("accent", "▶", "sending"),
            DeliveryState::Delivered => Self::new("ok", "●", "delivered"),
            DeliveryState::Rejected => Self::new("bad", "✕", "rejected"),
            DeliveryState::InDoubt => Self::new("doubt", "◆", "in doubt"),
            DeliveryState::Skipped => Self::new("", "◌", "skipped"),
        }
    }

    /// The state of a question.
    pub(super) fn approval(state: ApprovalState) -> Self {
        match state {
            ApprovalState::Waiting => Self::new("wait", "◔", "waits"),
            ApprovalState::Released => Self::new("ok", "●", "released"),
            ApprovalState::Refused => Self::new("bad", "✕", "refused"),
            ApprovalState::Expired => Self::new("", "◌", "expired"),
        }
    }
}

/// A count with its name.
#[derive(Debug, Clone)]
pub(super) struct Count {
    /// What is counted.
    pub name: &'static str,
    /// How many, with gaps between the thousands.
    pub number: String,
    /// Whether it is none.
    pub is_zero: bool,
}

/// The counts of a run, all eight, in their fixed order.
pub(super) fn counts(counts: &Counts) -> Vec<Count> {
    [
        ("read", counts.read),
        ("not due", counts.not_due),
        ("already sent", counts.already),
        ("delivered", counts.delivered),
        ("rejected", counts.rejected),
        ("in doubt", counts.in_doubt),
        ("skipped", counts.skipped),
        ("written", counts.written),
    ]
    .into_iter()
    .map(|(name, number)| Count {
        name,
        number: grouped(number),
        is_zero: number == 0,
    })
    .collect()
}

/// The counts that are not zero, in one line.
pub(super) fn in_short(of: &Counts) -> String {
    let parts: Vec<String> = counts(of)
        .into_iter()
        .filter(|count| !count.is_zero)
        .map(|count| format!("{} {}", count.number, count.name))
        .collect();
    if parts.is_empty() {
        "nothing to do".to_owned()
    } else {
        parts.join(", ")
    }
}

/// A run as a row.
#[derive(Debug, Clone)]
pub(super) struct RunRow {
    pub id: String,
    pub task: String,
    pub state: Badge,
    pub counts: String,
    pub why: String,
    pub resumes: Option<String>,
    pub started: When,
    pub took: String,
}

impl RunRow {
    pub(super) fn new(run: &Run, now: Timestamp) -> Self {
        Self {
            id: run.id.0.clone(),
            task: run.task.to_string(),
            state: Badge::run(run.state),
            counts: in_short(&run.counts),
            why: run
                .failure
                .as_ref()
                .map(|failure| failure.message.clone())
                .unwrap_or_default(),
            resumes: run
                .resume_at
                .filter(|_| run.state == RunState::Waiting)
                .map(|at| format!("goes on {}", until(at, now))),
            started: When::new(run.started_at, now),
            took: took(run.started_at, run.ended_at.unwrap_or(now)),
        }
    }
}

/// How long something took, in one or two units.
pub(super) fn took(from: Timestamp, to: Timestamp) -> String {
    let span = to.duration_since(from);
    let milliseconds = u64::try_from(span.as_millis()).unwrap_or(0);
    match milliseconds {
        0..=999 => format!("{milliseconds} ms"),
        1_000..=59_999 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        60_000..=3_599_999 => format!(
            "{} min {} s",
            milliseconds / 60_000,
            milliseconds % 60_000 / 1_000
        ),
        3_600_000..=86_399_999 => format!(
            "{} h {} min",
            milliseconds / 3_600_000,
            milliseconds % 3_600_000 / 60_000
        ),
        _ => format!(
            "{} d {} h",
            milliseconds / 86_400_000,
            milliseconds % 86_400_000 / 3_600_000
        ),
    }
}

/// A time to come: how long it takes, and when it is.
pub(super) fn until(at: Timestamp, now: Timestamp) -> String {
    let exact = at.strftime("%d %b, %H:%M:%S UTC");
    if at <= now {
        format!("now ({exact})")
    } else {
        format!("in {} ({exact})", took(now, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn spans_are_told_in_two_units() {
        for (milliseconds, told) in [
            (-5, "0 ms"),
            (0, "0 ms"),
            (999, "999 ms"),
            (1_250, "1.2 s"),
            (61_000, "1 min 1 s"),
            (3_660_000, "1 h 1 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(took(at(0), at(milliseconds)), told);
        }
    }

    #[test]
    fn a_time_to_come_has_its_distance_and_its_hour() {
        assert_eq!(until(at(61_000), at(0)), "in 1 min 1 s (01 Jan, 00:01:01 UTC)");
        assert_eq!(until(at(0), at(1)), "now (01 Jan, 00:00:00 UTC)");
    }

    #[test]
    fn only_what_was_counted_is_told() {
        let some = Counts {
            read: 1_200,
            rejected: 2,
            ..Counts::default()
        };
        assert_eq!(in_short(&some), "1\u{202f}200 read, 2 rejected");
        assert_eq!(in_short(&Counts::default()), "nothing to do");
    }
}
