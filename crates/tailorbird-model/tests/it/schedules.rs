//! When schedules fire: daylight-saving time, ends of months, leap days, calendars, windows, what was missed.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tailorbird_model::schedule::due::{Due, MAX_MISSED, Missed, Verdict};
use tailorbird_model::schedule::hours::Day;
use tailorbird_model::schedule::{Fields, Hours, Schedule, calendar};

fn schedule(fields: &str, zone: &str) -> Schedule {
    Schedule::new(
        Fields::parse(fields).unwrap_or_else(|problem| panic!("{fields}: {}", problem.message)),
        TimeZone::get(zone).unwrap(),
    )
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The next times after an instant, on the wall of the schedule's zone with its offset.
fn next(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    schedule
        .next_times(at(after), count)
        .into_iter()
        .map(|time| {
            time.to_zoned_datetime(schedule.zone().clone())
                .strftime("%F %H:%M%z")
                .to_string()
        })
        .collect()
}

#[test]
fn the_fields_are_matched_on_the_wall_clock_of_the_zone() {
    for (fields, zone, after, expected) in [
        (
            "*/5 * * * *",
            "UTC",
            "2026-11-23T20:03:10Z",
            ["2026-11-23 20:05+0000", "2026-11-23 20:10+0000"],
        ),
        (
            "0 9 * * *",
            "Europe/London",
            "2026-03-28T12:00:00Z",
            ["2026-03-29 09:00+0100", "2026-03-30 09:00+0100"],
        ),
        (
            "0 9 * * *",
            "America/New_York",
            "2026-11-01T00:00:00Z",
            ["2026-11-01 09:00-0500", "2026-11-02 09:00-0500"],
        ),
        (
            "30 4 * * *",
            "Asia/Kolkata",
            "2026-01-01T00:00:00Z",
            ["2026-01-02 04:30+0530", "2026-01-03 04:30+0530"],
        ),
        (
            "0 0 31 * *",
            "UTC",
            "2026-01-31T00:00:00Z",
            ["2026-03-31 00:00+0000", "2026-05-31 00:00+0000"],
        ),
        (
            "0 0 L * *",
            "UTC",
            "2026-01-31T00:00:00Z",
            ["2026-02-28 00:00+0000", "2026-03-31 00:00+0000"],
        ),
        (
            "0 0 29 2 *",
            "UTC",
            "2026-01-01T00:00:00Z",
            ["2028-02-29 00:00+0000", "2032-02-29 00:00+0000"],
        ),
        // 2100 is no leap year.
        (
            "0 0 29 2 *",
            "UTC",
            "2096-03-01T00:00:00Z",
            ["2104-02-29 00:00+0000", "2108-02-29 00:00+0000"],
        ),
        (
            "15 8 * * mon-fri",
            "UTC",
            "2026-11-20T08:15:00Z",
            ["2026-11-23 08:15+0000", "2026-11-24 08:15+0000"],
        ),
        (
            "0 0 1 1 *",
            "UTC",
            "2026-12-31T23:59:59.999999999Z",
            ["2027-01-01 00:00+0000", "2028-01-01 00:00+0000"],
        ),
        (
            "@daily",
            "UTC",
            "2026-11-23T00:00:00Z",
            ["2026-11-24 00:00+0000", "2026-11-25 00:00+0000"],
        ),
        (
            "0 9 * * fri#2",
            "UTC",
            "2026-11-01T00:00:00Z",
            ["2026-11-13 09:00+0000", "2026-12-11 09:00+0000"],
        ),
        // Either of day of month and day of week is enough, as in every cron.
        (
            "0 0 13 * 5",
            "UTC",
            "2026-11-11T00:00:00Z",
            ["2026-11-13 00:00+0000", "2026-11-20 00:00+0000"],
        ),
    ] {
        assert_eq!(
            next(&schedule(fields, zone), after, 2),
            expected,
            "{fields} in {zone} after {after}"
        );
    }
}

#[test]
fn a_time_inside_the_gap_fires_once_at_the_first_instant_after_it() {
    // London: 2026-03-29 01:00 +00 is followed by 02:00 +01.
    let fires = |fields: &str, count| next(&schedule(fields, "Europe/London"), "2026-03-29T00:00:00Z", count);
    assert_eq!(
        fires("30 1 * * *", 2),
        ["2026-03-29 02:00+0100", "2026-03-30 01:30+0100"]
    );
    assert_eq!(
        fires("0 1 * * *", 2),
        ["2026-03-29 02:00+0100", "2026-03-30 01:00+0100"]
    );
    // All times of that hour together are one.
    assert_eq!(
        fires("*/10 1 * * *", 2),
        ["2026-03-29 02:00+0100", "2026-03-30 01:00+0100"]
    );
    // And it is one with a time that lies there anyway.
    assert_eq!(
        fires("0 1,2 * * *", 2),
        ["2026-03-29 02:00+0100", "2026-03-30 01:00+0100"]
    );
    // Every hour means a distance: nothing is added.
    assert_eq!(
        fires("30 * * * *", 3),
        [
            "2026-03-29 00:30+0000",
            "2026-03-29 02:30+0100",
            "2026-03-29 03:30+0100"
        ]
    );
    // A gap at midnight (Asuncion until 2024) moves the time within its day.
    let asuncion = schedule("0 0 * * *", "America/Asuncion");
    assert_eq!(
        next(&asuncion, "2023-09-30T12:00:00Z", 2),
        ["2023-10-01 01:00-0300", "2023-10-02 00:00-0300"]
    );
    // A whole day that never was: Samoa, 30 December 2011.
    let apia = schedule("0 12 30 * *", "Pacific/Apia");
    assert_eq!(
        next(&apia, "2011-12-01T00:00:00Z", 2),
        ["2011-12-31 00:00+1400", "2012-01-30 12:00+1400"]
    );
}

#[test]
fn a_time_in_the_fold_fires_once_and_a_distance_twice() {
    // London: 2026-10-25 01:59 +01 is followed by 01:00 +00.
    let fires = |fields: &str, count| next(&schedule(fields, "Europe/London"), "2026-10-25T00:00:00Z", count);
    assert_eq!(
        fires("30 1 * * *", 2),
        ["2026-10-25 01:30+0100", "2026-10-26 01:30+0000"]
    );
    assert_eq!(
        fires("30 1,3 * * *", 2),
        ["2026-10-25 01:30+0100", "2026-10-25 03:30+0000"]
    );
    assert_eq!(
        fires("30 * * * *", 3),
        [
            "2026-10-25 01:30+0100",
            "2026-10-25 01:30+0000",
            "2026-10-25 02:30+0000"
        ]
    );
    assert_eq!(
        fires("*/30 1 * * *", 5),
        [
            "2026-10-25 01:30+0100",
            "2026-10-25 01:00+0000",
            "2026-10-25 01:30+0000",
            "2026-10-26 01:00+0000",
            "2026-10-26 01:30+0000"
        ]
    );
    // The fold at midnight (Havana) belongs to the day before.
    let havana = schedule("30 0 * * *", "America/Havana");
    assert_eq!(
        next(&havana, "2026-10-31T12:00:00Z", 2),
        ["2026-11-01 00:30-0400", "2026-11-02 00:30-0500"]
    );
}

#[test]
fn a_year_of_times_is_strictly_rising_and_a_daily_one_comes_once_a_day() {
    for zone in [
        "Europe/London",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Pacific/Chatham",
    ] {
        for fields in ["30 1 * * *", "15 2 * * *", "0 0 * * *", "45 23 * * *"] {
            let schedule = schedule(fields, zone);
            let times = schedule.next_times(at("2026-01-01T12:00:00Z"), 365);
            assert!(
                times.windows(2).all(|pair| pair[0] < pair[1]),
                "{fields} in {zone}"
            );
            let days: std::collections::BTreeSet<_> = times
                .iter()
                .map(|time| time.to_zoned_datetime(schedule.zone().clone()).date())
                .collect();
            assert_eq!(days.len(), 365, "{fields} in {zone}");
        }
    }
}

#[test]
fn what_never_comes_is_found_to_never_come() {
    for fields in ["0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
        assert_eq!(
            next(&schedule(fields, "UTC"), "2026-01-01T00:00:00Z", 1),
            [""; 0],
            "{fields}"
        );
    }
    let weekend = Hours::new(Hours::time("00:00").unwrap(), None, [Day::Sat, Day::Sun]).unwrap();
    let never = schedule("0 9 * * mon-fri", "UTC").within(weekend);
    assert_eq!(never.next_after(at("2026-01-01T00:00:00Z")), None);
    for broken in [
        "",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "* 24 * * *",
        "nonsense",
        "@reboot",
        "*/0 * * * *",
    ] {
        assert!(Fields::parse(broken).is_err(), "{broken:?}");
    }
}

#[test]
fn a_calendar_and_a_window_leave_times_out() {
    let office = Hours::new(
        Hours::time("08:00").unwrap(),
        Hours::end("18:00").unwrap(),
        [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
    );
    let hourly = schedule("0 * * * *", "Europe/London").within(office.unwrap());
    // Friday evening to Monday morning; the end does not belong to the window.
    assert_eq!(
        next(&hourly, "2026-11-20T16:30:00Z", 2),
        ["2026-11-20 17:00+0000", "2026-11-23 08:00+0000"]
    );
    // Across midnight: Friday's night ends on Saturday.
    let night = Hours::new(
        Hours::time("22:00").unwrap(),
        Hours::end("02:00").unwrap(),
        [Day::Fri],
    )
    .unwrap();
    let nightly = schedule("0 * * * *", "UTC").within(night);
    assert_eq!(
        next(&nightly, "2026-11-20T12:00:00Z", 5),
        [
            "2026-11-20 22:00+0000",
            "2026-11-20 23:00+0000",
            "2026-11-21 00:00+0000",
            "2026-11-21 01:00+0000",
            "2026-11-27 22:00+0000"
        ]
    );
    assert_eq!(
        Hours::new(Hours::time("08:00").unwrap(), Hours::end("08:00").unwrap(), []),
        None
    );
    let text = "# our holidays\n2026-12-25  # Christmas\n\n2026-12-26\n";
    let daily = schedule("0 9 * * *", "UTC").except(calendar::read(text).unwrap());
    assert_eq!(next(&daily, "2026-12-24T10:00:00Z", 1), ["2026-12-27 09:00+0000"]);
    assert!(!daily.allows(at("2026-12-25T10:00:00Z")));
}

#[test]
fn calendars_are_read_as_dates_and_as_icalendar_and_every_bad_line_is_told() {
    let ical = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Christmas\r\n  and more\r\n\
        DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270101\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nSTATUS:CANCELLED\r\nDTSTART;VALUE=DATE:20270601\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let days: Vec<String> = calendar::read(ical)
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(days, ["2026-12-25", "2026-12-26", "2027-01-01"]);
    let lines = |text: &str| -> Vec<usize> {
        calendar::read(text)
            .unwrap_err()
            .iter()
            .map(|problem| problem.line)
            .collect()
    };
    assert_eq!(
        lines("2026-12-25\n25.12.2026\n2026-02-30\n2026-1-1\n20261225"),
        [2, 3, 4, 5]
    );
    assert_eq!(
        lines(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225T100000Z\nEND:VEVENT\nBEGIN:VEVENT\n\
               DTSTART:20261226\nRRULE:FREQ=YEARLY\nEND:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\nBEGIN:VEVENT\n"
        ),
        [3, 7, 9, 11]
    );
    assert_eq!(lines(&"2026-12-25\n".repeat(100_000)), [1]);
}

fn due(missed: Missed, decided: &str, now: &str) -> Vec<(String, Verdict)> {
    let hourly = schedule("0 * * * *", "UTC");
    let due = Due::of(&hourly, missed, at(decided), at(now));
    due.times
        .into_iter()
        .map(|(time, verdict)| (time.strftime("%d %H:%M").to_string(), verdict))
        .collect()
}

#[test]
fn what_is_due_on_time_fires_whatever_the_policy() {
    for missed in [Missed::Once, Missed::Skip, Missed::All] {
        assert_eq!(due(missed, "2026-11-23T09:00:00Z", "2026-11-23T09:59:59Z"), []);
        let expected = [("23 10:00".to_owned(), Verdict::Fires)];
        assert_eq!(
            due(missed, "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"),
            expected
        );
        assert_eq!(
            due(missed, "2026-11-23T09:00:00Z", "2026-11-23T10:00:45Z"),
            expected
        );
        // What is decided is decided.
        assert_eq!(due(missed, "2026-11-23T10:00:00Z", "2026-11-23T10:00:45Z"), []);
    }
}

#[test]
fn what_was_missed_fires_as_the_policy_says() {
    use Verdict::{Fires, Missed as Passed};
    let told = |missed, now| -> Vec<Verdict> {
        due(missed, "2026-11-23T09:00:00Z", now)
            .into_iter()
            .map(|(_, verdict)| verdict)
            .collect()
    };
    let late = "2026-11-23T12:30:00Z";
    assert_eq!(told(Missed::Once, late), [Passed, Passed, Fires]);
    assert_eq!(told(Missed::Skip, late), [Passed, Passed, Passed]);
    assert_eq!(told(Missed::All, late), [Fires, Fires, Fires]);
    // Back just in time: the last one is not missed.
    assert_eq!(
        told(Missed::Skip, "2026-11-23T12:00:10Z"),
        [Passed, Passed, Fires]
    );
    assert_eq!(
        told(Missed::Once, "2026-11-23T12:00:10Z"),
        [Passed, Passed, Fires]
    );
}

#[test]
fn what_was_missed_for_long_is_bounded_and_ends_at_the_newest() {
    let minutely = schedule("* * * * *", "UTC");
    let due = Due::of(
        &minutely,
        Missed::All,
        at("2020-01-01T00:00:00Z"),
        at("2026-11-23T12:30:30Z"),
    );
    assert_eq!(due.times.len(), MAX_MISSED);
    assert!(due.more);
    assert_eq!(due.times.last().unwrap().0, at("2026-11-23T12:30:00Z"));
    assert_eq!(due.times[0].0, at("2026-11-23T10:51:00Z"));
}

#[test]
fn what_was_missed_is_not_caught_up_outside_the_window() {
    let office = Hours::new(Hours::time("08:00").unwrap(), Hours::end("18:00").unwrap(), []).unwrap();
    let hourly = schedule("0 * * * *", "UTC").within(office);
    let due = |now| {
        Due::of(&hourly, Missed::Once, at("2026-11-23T09:00:00Z"), at(now))
            .times
            .len()
    };
    assert_eq!(due("2026-11-23T12:30:00Z"), 3);
    assert_eq!(due("2026-11-23T20:00:00Z"), 0, "it comes up again in the morning");
    assert_eq!(due("2026-11-24T08:00:00Z"), 9);
}

proptest::proptest! {
    /// Whatever is written into the fields and wherever the clock stands: the next time is later, and nothing lies
    /// between a time and the one found from just before it.
    #[test]
    fn the_next_time_is_always_later_and_none_is_passed_over(
        fields in "([*0-9,/-]{1,4} ){4}[*0-9,/-]{1,4}|(\\*/[1-9]|[0-5]?[0-9]|\\*) (\\*/[1-9]|1?[0-9]|\\*) (\\*|[1-9]|L) \\* (\\*|[0-7])",
        zone in proptest::sample::select(vec!["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
        second in 0_i64..4_000_000_000,
    ) {
        if let Ok(fields) = Fields::parse(&fields) {
            let schedule = Schedule::new(fields, TimeZone::get(zone).unwrap());
            let after = Timestamp::from_second(second).unwrap();
            if let Some(next) = schedule.next_after(after) {
                proptest::prop_assert!(next > after);
                let just_before = next - std::time::Duration::from_nanos(1);
                proptest::prop_assert_eq!(schedule.next_after(just_before.max(after)), Some(next));
                let due = Due::of(&schedule, Missed::All, after, next);
                proptest::prop_assert_eq!(due.times, vec![(next, Verdict::Fires)]);
            }
        }
    }

    /// A calendar is read or refused, whatever it says; each line that is told of is there.
    #[test]
    fn any_text_is_a_calendar_or_is_refused_with_lines(
        text in "(BEGIN:VCALENDAR\n)?((BEGIN:VEVENT|END:VEVENT|DTSTART;VALUE=DATE:2026(12|02|13)[0-3][0-9]|DTEND:2026[0-9]{4}|[0-9-]{8,10}|#.*| .*|.*)\n){0,12}",
    ) {
        if let Err(problems) = calendar::read(&text) {
            proptest::prop_assert!(!problems.is_empty());
            for problem in problems {
                proptest::prop_assert!(problem.line >= 1 && problem.line <= text.lines().count().max(1));
            }
        }
    }
}
