//! A calendar of days on which nothing fires: one date a line, or iCalendar (RFC 5545) with all-day events.

use std::collections::BTreeSet;

use jiff::civil::Date;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most days a file may name.
pub const MAX_DAYS: usize = 20_000;
/// The longest event, in days.
const MAX_EVENT_DAYS: usize = 400;
/// Problems that are said of one file.
const MAX_PROBLEMS: usize = 20;

/// A line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProblem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what is valid.
    pub message: String,
}

/// Reads a calendar.
///
/// # Errors
/// With every line that cannot be used (the first `MAX_PROBLEMS`): a day that is passed over in silence is a day
/// on which something is sent.
pub fn read(text: &str) -> Result<BTreeSet<Date>, Vec<LineProblem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::default();
    if text.len() > MAX_BYTES {
        reader.problem(1, format!("the file is larger than {MAX_BYTES} bytes"));
    } else if text
        .trim_start()
        .get(..15)
        .is_some_and(|head| head.eq_ignore_ascii_case("BEGIN:VCALENDAR"))
    {
        reader.icalendar(text);
    } else {
        reader.lines(text);
    }
    if reader.problems.is_empty() {
        Ok(reader.days)
    } else {
        Err(reader.problems)
    }
}

#[derive(Debug, Default)]
struct Reader {
    days: BTreeSet<Date>,
    problems: Vec<LineProblem>,
}

/// An event while it is read.
#[derive(Debug, Default)]
struct Event {
    line: usize,
    begins: Option<Date>,
    ends: Option<Date>,
    cancelled: bool,
    spoiled: bool,
}

impl Reader {
    fn problem(&mut self, line: usize, message: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(LineProblem {
                line,
                message: message.into(),
            });
        }
    }

    fn day(&mut self, line: usize, day: Date) {
        if self.days.len() >= MAX_DAYS {
            self.problem(line, format!("there are more than {MAX_DAYS} days"));
        } else {
            self.days.insert(day);
        }
    }

    /// One date a line; what follows `#` is a comment.
    fn lines(&mut self, text: &str) {
        for (number, line) in (1..).zip(text.lines()) {
            let date = line.split('#').next().unwrap_or_default().trim();
            if date.is_empty() {
                continue;
            }
            match iso(date) {
                Some(day) => self.day(number, day),
                // What stands there is not repeated: a path that names another file would tell of its secrets.
                None => self.problem(number, "this is not a date; write for example 2026-12-25"),
            }
        }
    }

    fn icalendar(&mut self, text: &str) {
        let mut event: Option<Event> = None;
        for (number, line) in unfolded(text) {
            let Some((head, value)) = line.split_once(':') else {
                continue;
            };
            let name = head.split(';').next().unwrap_or_default().to_ascii_uppercase();
            let value = value.trim();
            match (name.as_str(), &mut event) {
                ("BEGIN", _) if value.eq_ignore_ascii_case("VEVENT") => {
                    event = Some(Event {
                        line: number,
                        ..Event::default()
                    });
                }
                ("END", _) if value.eq_ignore_ascii_case("VEVENT") => {
                    if let Some(event) = event.take() {
                        self.event(&event);
                    }
                }
                ("DTSTART", Some(event)) => {
                    event.begins = basic(value);
                    if event.begins.is_none() {
                        event.spoiled = true;
                        self.problem(
                            number,
                            "the event is not all-day: DTSTART is no date such as 20261225",
                        );
                    }
                }
                ("DTEND", Some(event)) => event.ends = basic(value),
                ("STATUS", Some(event)) => event.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
                ("RRULE" | "RDATE" | "DURATION", Some(event)) => {
                    event.spoiled = true;
                    self.problem(
                        number,
                        format!("{name} is not understood; export each day as an event of its own"),
                    );
                }
                _ => {}
            }
        }
        if let Some(event) = event {
            self.problem(event.line, "the event has no end (END:VEVENT)");
        }
    }

    fn event(&mut self, event: &Event) {
        if event.cancelled || event.spoiled {
            return;
        }
        let Some(begins) = event.begins else {
            self.problem(event.line, "the event has no beginning (DTSTART)");
            return;
        };
        self.day(event.line, begins);
        // The end is the first day that no longer belongs to it.
        let Some(ends) = event.ends else { return };
        let mut days = begins
            .series(jiff::Span::new().days(1))
            .skip(1)
            .take_while(|day| *day < ends);
        for day in days.by_ref().take(MAX_EVENT_DAYS) {
            self.day(event.line, day);
        }
        if days.next().is_some() {
            self.problem(
                event.line,
                format!("the event is longer than {MAX_EVENT_DAYS} days"),
            );
        }
    }
}

/// Lines with their numbers; a line that begins with white space belongs to the one before (RFC 5545 §3.1).
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((_, line))) => line.push_str(more),
            _ => lines.push((number, line.to_owned())),
        }
    }
    lines
}

/// `2026-12-25`.
fn iso(text: &str) -> Option<Date> {
    let is_plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_plain.then(|| text.parse().ok()).flatten()
}

/// `20261225`.
fn basic(text: &str) -> Option<Date> {
    let is_plain = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}
