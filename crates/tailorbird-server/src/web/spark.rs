//! The last runs of a task as small bars: how much each one did, and how it ended.

use tailorbird_model::run::{Run, RunState};

use super::view::{Badge, in_short, plural};

/// Runs that are drawn.
pub(super) const RUNS: u32 = 20;

/// Units of a bar with its gap, and of the whole height.
const STEP: u64 = 6;
const HEIGHT: u64 = 26;

/// The height of a run that did nothing: seen, but small.
const LEAST: u64 = 3;

/// Bars, the oldest first.
#[derive(Debug)]
pub(super) struct Spark {
    pub width: u64,
    pub height: u64,
    pub bars: Vec<SparkBar>,
    /// What the picture says, in words.
    pub words: String,
}

/// One run.
#[derive(Debug)]
pub(super) struct SparkBar {
    pub x: u64,
    pub y: u64,
    pub height: u64,
    pub tone: &'static str,
    pub title: String,
}

/// What a run did with records: of what it read, sent and wrote, the most.
fn amount(run: &Run) -> u64 {
    let counts = &run.counts;
    let sent = counts.delivered + counts.rejected + counts.in_doubt;
    counts.read.max(sent).max(counts.written)
}

/// Draws runs, which come the newest first.
pub(super) fn spark(runs: &[Run]) -> Spark {
    let most = runs.iter().map(amount).max().unwrap_or(0);
    let bars = runs
        .iter()
        .rev()
        .zip((0_u64..).map(|place| place * STEP))
        .map(|(run, x)| {
            let height = (amount(run) * HEIGHT).checked_div(most).unwrap_or(0).max(LEAST);
            let badge = Badge::run(run.state);
            let counts = &run.counts;
            // A run that succeeded and had records refused is not all well.
            let tone = match run.state {
                RunState::Succeeded if counts.in_doubt > 0 => "doubt",
                RunState::Succeeded if counts.rejected > 0 => "bad",
                _ => badge.tone,
            };
            SparkBar {
                x,
                y: HEIGHT - height,
                height,
                tone,
                title: format!(
                    "{}: {}, {}",
                    run.started_at.strftime("%d %b, %H:%M UTC"),
                    badge.word,
                    in_short(counts)
                ),
            }
        })
        .collect();
    let well = runs.iter().filter(|run| run.state == RunState::Succeeded).count();
    let count = u64::try_from(runs.len()).unwrap_or(u64::MAX);
    Spark {
        width: u64::from(RUNS) * STEP,
        height: HEIGHT,
        bars,
        words: format!("The last {}: {well} succeeded", plural(count, "run", "runs")),
    }
}

#[cfg(test)]
mod tests {
    use tailorbird_model::run::{Counts, RunId};

    use super::*;

    fn run(state: RunState, read: u64, rejected: u64) -> Run {
        let at = jiff::Timestamp::UNIX_EPOCH;
        Run {
            id: RunId("run-1".to_owned()),
            task: "a".parse().unwrap(),
            task_version: 1,
            state,
            counts: Counts {
                read,
                rejected,
                ..Counts::default()
            },
            failure: None,
            started_at: at,
            updated_at: at,
            ended_at: Some(at),
            resume_at: None,
        }
    }

    #[test]
    fn bars_stand_in_the_order_of_time_and_tell_how_a_run_ended() {
        let drawn = spark(&[
            run(RunState::Failed, 0, 0),
            run(RunState::Succeeded, 50, 1),
            run(RunState::Succeeded, 100, 0),
        ]);
        let told: Vec<_> = drawn
            .bars
            .iter()
            .map(|bar| (bar.x, bar.height, bar.tone))
            .collect();
        assert_eq!(
            told,
            [(0, HEIGHT, "ok"), (6, HEIGHT / 2, "bad"), (12, LEAST, "bad")]
        );
        assert_eq!(drawn.words, "The last 3 runs: 2 succeeded");
        assert!(drawn.bars.iter().all(|bar| bar.y + bar.height == HEIGHT));
        assert_eq!(spark(&[]).bars.len(), 0);
    }
}
