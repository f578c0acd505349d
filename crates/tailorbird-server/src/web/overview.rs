//! The front page: what needs a person first, then the day, then what comes.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use tailorbird_app::{App, AppError, HourFigure, Overview};
use tailorbird_model::delivery::DeliveryState;
use tailorbird_model::run::RunState;

use super::live::{Part, watch};
use super::look;
use super::page::{Chrome, failed, show as show_page};
use super::view::{RunRow, When, grouped, plural, until};
use super::visit::Visit;
use crate::server::Shared;

/// Hours that the chart shows.
const HOURS: i64 = 24;

/// Rows of each list.
const MAX_ROWS: usize = 8;

/// The chart's size in its own units.
const CHART_WIDTH: u64 = 720;
const CHART_HEIGHT: u64 = 150;
const CHART_FOOT: u64 = 20;
/// Room for the figure of the highest bar above it.
const CHART_HEAD: u64 = 22;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    chrome: Chrome,
    is_empty: bool,
    parts: Parts,
}

#[derive(Template)]
#[template(path = "overview_live.html")]
struct Parts {
    needs: Vec<Need>,
    running: Vec<RunRow>,
    chart: Chart,
    totals: Vec<(&'static str, String)>,
    next: Vec<NextRow>,
}

/// Something that waits for a person.
struct Need {
    tone: &'static str,
    sign: &'static str,
    title: String,
    what: String,
    link: String,
    action: &'static str,
}

struct NextRow {
    task: String,
    when: String,
}

/// Bars of hours.
struct Chart {
    width: u64,
    height: u64,
    foot: u64,
    bars: Vec<Bar>,
    words: String,
    most: String,
}

struct Bar {
    x: u64,
    width: u64,
    parts: Vec<Piece>,
    label: String,
    title: String,
}

struct Piece {
    class: &'static str,
    y: u64,
    height: u64,
}

/// `GET /`.
pub(super) async fn show(State(shared): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    match look(&shared, App::overview).await {
        Ok(overview) => show_page(&Page {
            chrome: visit.chrome("Overview", "overview"),
            is_empty: overview.connections.is_empty() && overview.tasks.is_empty() && overview.databases == 0,
            parts: parts(&overview),
        }),
        Err(error) => failed(&visit, "overview", error),
    }
}

/// `GET /live/overview`.
pub(super) async fn live(State(shared): State<Shared>) -> Response {
    watch(shared, |app| Ok(Part::Now(rendered(&parts(&app.overview()?))?)))
}

/// A part as text.
pub(super) fn rendered(part: &impl Template) -> Result<String, AppError> {
    part.render().map_err(|error| {
        AppError::from(tailorbird_model::Failure::new(
            tailorbird_model::codes::INTERNAL,
            tailorbird_model::Meaning::NotSent,
            format!("a part of a page was not rendered: {error}"),
        ))
    })
}

fn parts(overview: &Overview) -> Parts {
    let now = overview.at;
    let mut running: Vec<RunRow> = Vec::new();
    for state in [
        RunState::Running,
        RunState::Queued,
        RunState::Waiting,
        RunState::Paused,
    ] {
        running.extend(overview.runs_in(state).map(|run| RunRow::new(run, now)));
    }
    running.truncate(MAX_ROWS);
    let total = |pick: fn(&HourFigure) -> u64| grouped(overview.day.iter().map(pick).sum());
    Parts {
        needs: needs(overview),
        running,
        chart: chart(&overview.day, now),
        totals: vec![
            ("runs ended", total(|hour| hour.runs)),
            ("delivered", total(|hour| hour.counts.delivered)),
            ("rejected", total(|hour| hour.counts.rejected)),
            ("in doubt", total(|hour| hour.counts.in_doubt)),
            ("rows written", total(|hour| hour.counts.written)),
        ],
        next: next(overview),
    }
}

fn needs(overview: &Overview) -> Vec<Need> {
    let mut needs = Vec::new();
    let doubts = overview.in_state(DeliveryState::InDoubt);
    if doubts > 0 {
        needs.push(Need {
            tone: "doubt",
            sign: "◆",
            title: plural(doubts, "delivery is in doubt", "deliveries are in doubt"),
            what: "Nobody knows whether they arrived. They are not sent again before that is settled."
                .to_owned(),
            link: "/deliveries?state=in_doubt".to_owned(),
            action: "Decide",
        });
    }
    if overview.approvals > 0 {
        needs.push(Need {
            tone: "wait",
            sign: "◔",
            title: plural(
                overview.approvals,
                "record waits for a release",
                "records wait for a release",
            ),
            what: "They go out exactly as shown, or not at all.".to_owned(),
            link: "/approvals".to_owned(),
            action: "Look",
        });
    }
    for run in overview.runs_in(RunState::NeedsAttention).take(MAX_ROWS) {
        let failure = run.failure.as_ref();
        needs.push(Need {
            tone: "doubt",
            sign: "◆",
            title: format!("{} needs attention", run.task),
            what: failure.map_or_else(String::new, |failure| {
                format!("{} [{}]", failure.message, failure.code)
            }),
            link: format!("/runs/{}", run.id),
            action: "Open",
        });
    }
    for run in overview.failed.iter().take(MAX_ROWS) {
        let failure = run.failure.as_ref();
        needs.push(Need {
            tone: "bad",
            sign: "✕",
            title: format!(
                "{} failed {}",
                run.task,
                When::new(run.updated_at, overview.at).relative
            ),
            what: failure.map_or_else(String::new, |failure| {
                format!("{} [{}]", failure.message, failure.code)
            }),
            link: format!("/runs/{}", run.id),
            action: "Open",
        });
    }
    for connection in overview
        .connections
        .iter()
        .filter(|connection| !connection.missing.is_empty())
    {
        needs.push(Need {
            tone: "wait",
            sign: "◔",
            title: format!("The connection {} is incomplete", connection.connection),
            what: format!("It lacks {}.", connection.missing.join(", ")),
            link: format!("/connections/{}", connection.connection),
            action: "Open",
        });
    }
    for task in overview.tasks.iter().filter(|task| task.enabled) {
        if let Some(problem) = &task.problem {
            needs.push(Need {
                tone: "bad",
                sign: "✕",
                title: format!("The schedule of {} is held", task.task),
                what: problem.clone(),
                link: format!("/tasks/{}", task.task),
                action: "Open",
            });
        }
    }
    let rejected = overview.in_state(DeliveryState::Rejected);
    if rejected > 0 {
        needs.push(Need {
            tone: "bad",
            sign: "✕",
            title: plural(rejected, "record was rejected", "records were rejected"),
            what: "Refused for good, with the reason. Mend the row or the task; what changed is tried again by itself."
                .to_owned(),
            link: "/deliveries?state=rejected".to_owned(),
            action: "Look",
        });
    }
    needs
}

fn next(overview: &Overview) -> Vec<NextRow> {
    let mut coming: Vec<(Option<Timestamp>, NextRow)> = overview
        .tasks
        .iter()
        .filter(|task| task.enabled && task.schedule.is_some())
        .map(|task| {
            let at = task.next.first().copied();
            let row = NextRow {
                task: task.task.to_string(),
                when: at.map_or_else(|| "held".to_owned(), |at| until(at, overview.at)),
            };
            (at, row)
        })
        .collect();
    coming.sort_by_key(|(at, _)| at.unwrap_or(Timestamp::MAX));
    coming.into_iter().map(|(_, row)| row).take(MAX_ROWS).collect()
}

/// Deliveries by hour, stacked by what became of them.
fn chart(day: &[HourFigure], now: Timestamp) -> Chart {
    let hour = |at: Timestamp| at.as_second().div_euclid(3_600);
    let first = hour(now).saturating_sub(HOURS - 1);
    let mut sums = vec![[0_u64; 3]; usize::try_from(HOURS).unwrap_or(0)];
    for figure in day {
        let place = usize::try_from(hour(figure.from).saturating_sub(first)).ok();
        if let Some(sum) = place.and_then(|place| sums.get_mut(place)) {
            let [delivered, rejected, in_doubt] = sum;
            *delivered += figure.counts.delivered;
            *rejected += figure.counts.rejected;
            *in_doubt += figure.counts.in_doubt;
        }
    }
    let most = sums.iter().map(|sum| sum.iter().sum::<u64>()).max().unwrap_or(0);
    let step = CHART_WIDTH / u64::try_from(HOURS).unwrap_or(1);
    let room = CHART_HEIGHT - CHART_FOOT - CHART_HEAD;
    let mut bars = Vec::new();
    for (place, sum) in (0_i64..).zip(&sums) {
        let at = Timestamp::from_second((first + place) * 3_600).unwrap_or(now);
        let mut top = CHART_HEIGHT - CHART_FOOT;
        let mut parts = Vec::new();
        for (class, count) in ["delivered", "rejected", "in-doubt"].into_iter().zip(sum) {
            // What was counted is seen, however little it is beside the rest.
            let height = if *count == 0 {
                0
            } else {
                (count * room / most.max(1)).max(2)
            };
            top = top.saturating_sub(height);
            if height > 0 {
                parts.push(Piece {
                    class,
                    y: top,
                    height,
                });
            }
        }
        let [delivered, rejected, in_doubt] = sum;
        bars.push(Bar {
            x: u64::try_from(place).unwrap_or(0) * step + 3,
            width: step - 6,
            parts,
            label: if place % 4 == 0 {
                at.strftime("%H:%M").to_string()
            } else {
                String::new()
            },
            title: format!(
                "{} to {} UTC: {delivered} delivered, {rejected} rejected, {in_doubt} in doubt",
                at.strftime("%H:%M"),
                at.saturating_add(SignedDuration::from_hours(1))
                    .unwrap_or(at)
                    .strftime("%H:%M"),
            ),
        });
    }
    let sum: u64 = sums.iter().flatten().sum();
    Chart {
        width: CHART_WIDTH,
        height: CHART_HEIGHT,
        foot: CHART_HEIGHT - 5,
        bars,
        words: format!(
            "{} in the last 24 hours, by hour",
            plural(sum, "delivery", "deliveries")
        ),
        most: grouped(most),
    }
}

#[cfg(test)]
mod tests {
    use tailorbird_model::run::Counts;

    use super::*;

    fn figure(second: i64, delivered: u64, rejected: u64) -> HourFigure {
        HourFigure {
            from: Timestamp::from_second(second).unwrap(),
            task: "t".parse().unwrap(),
            runs: 1,
            failed: 0,
            counts: Counts {
                delivered,
                rejected,
                ..Counts::default()
            },
        }
    }

    #[test]
    fn bars_fill_the_room_and_little_is_still_seen() {
        let now = Timestamp::from_second(100 * 3_600 + 59).unwrap();
        let chart = chart(
            &[
                figure(100 * 3_600, 1_000_000, 1),
                figure(77 * 3_600, 5, 0),
                figure(1, 9, 9),
            ],
            now,
        );
        assert_eq!(chart.bars.len(), 24);
        let last = chart.bars.last().unwrap();
        let heights: Vec<u64> = last.parts.iter().map(|part| part.height).collect();
        assert_eq!(heights[1], 2, "one of a million");
        assert!(
            last.parts.iter().all(|part| part.y >= CHART_HEAD - 2),
            "nothing grows out of the picture"
        );
        assert_eq!(chart.bars[0].parts.len(), 1, "the hour 23 hours ago");
        assert!(
            chart.words.starts_with("1000006 deliveries"),
            "older hours are left out: {}",
            chart.words
        );
    }

    #[test]
    fn an_empty_day_draws_no_bar() {
        let chart = chart(&[], Timestamp::from_second(0).unwrap());
        assert!(chart.bars.iter().all(|bar| bar.parts.is_empty()));
    }
}
