//! Fuzz targets: what people and providers write is read or refused, never a panic; what is printed reads back.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use tailorbird_model::expression::{Expressions, Scope};
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::money::{Amount, SpendingCap};
use tailorbird_model::schedule::{Fields, Hours, Schedule, calendar};
use tailorbird_model::service::{Method, Span};
use tailorbird_model::task::trigger::HookPath;
use tailorbird_model::value::parse_decimal;
use tailorbird_model::yaml::{self, Problem};
use tailorbird_model::{Name, Record, Value, service, task};

#[path = "../../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
mod spoil;
use spoil::{fewer, spoilt};

const YAML_WORDS: &[&str] = &[
    "---\n",
    "- ",
    ": ",
    "\n",
    "  ",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "&a ",
    "*a",
    "|\n",
    ">-\n",
    "!!int ",
    "'",
    "\"",
    "~",
    "null",
    "1e999",
    "-0",
    "0x1F",
    ".nan",
    "? ",
    "# ",
    "<<: ",
    "{{ a }}",
    "{% if a %}",
    "\u{feff}",
    "task: ",
    "steps: ",
    "call: ",
    "query: ",
    "key: ",
    "from: ",
    "trigger: ",
    "schedule: ",
    "operations: ",
    "path: /{a}/{b}",
    "fields: ",
    "in_doubt: ",
    "limits: ",
    "result: ",
    "batch: ",
    "for_each: ",
    "decide: ",
];

fn tasks() -> Vec<String> {
    [
        include_str!("../files/good-tasks.yaml"),
        include_str!("../files/bad-tasks.yaml"),
        include_str!("../files/bad-steps.yaml"),
    ]
    .map(str::to_owned)
    .into()
}

fn services() -> Vec<String> {
    [
        include_str!("../files/bad-service.yaml"),
        include_str!("../../../../services/generic-oauth1.yaml"),
        include_str!("../../../../services/webhook.yaml"),
    ]
    .map(str::to_owned)
    .into()
}

/// Problems are for people: each has words and a place that the file has.
fn well_said(text: &str, problems: &[Problem]) -> Result<(), TestCaseError> {
    // YAML's lines end by a lone carriage return, too.
    let lines = text.split(['\n', '\r']).count() + 1;
    for problem in problems {
        prop_assert!(!problem.message.is_empty());
        prop_assert!(
            problem.position.line >= 1 && problem.position.line <= lines,
            "{problem}"
        );
        prop_assert!(problem.position.column >= 1, "{problem}");
    }
    Ok(())
}

static RECORD: LazyLock<Record> = LazyLock::new(|| {
    Record::from_pairs([
        ("sku".to_owned(), Value::from("A-1 ä😀")),
        ("price".to_owned(), Value::Decimal("1234.50".parse().unwrap())),
        ("stock".to_owned(), Value::Integer(i64::MAX)),
        ("note".to_owned(), Value::Null),
        (
            "due".to_owned(),
            Value::Timestamp("2026-11-23T10:00:00Z".parse().unwrap()),
        ),
        (
            "tags".to_owned(),
            Value::Json(serde_json::json!({"a": [1, "x", null]})),
        ),
    ])
});

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn yaml_documents(text in spoilt([tasks(), services()].concat(), YAML_WORDS)) {
        let (documents, problems) = yaml::read(&text);
        well_said(&text, &problems)?;
        for document in documents {
            // A document's own text says the same when it stands alone.
            if problems.is_empty() {
                let (again, _) = yaml::read(&document.source);
                // An empty document has an empty text, in which there is none.
                let same = again.first().map_or(&serde_json::Value::Null, |found| &found.value);
                prop_assert_eq!(same, &document.value, "{}", document.source);
            }
        }
    }

    #[test]
    fn task_files(text in spoilt(tasks(), YAML_WORDS)) {
        let (tasks, problems) = task::check::read(&text, None);
        well_said(&text, &problems)?;
        for task in tasks {
            serde_json::to_string(&task.value).unwrap();
        }
    }

    #[test]
    fn service_files(text in spoilt(services(), YAML_WORDS)) {
        let (services, problems) = service::check::read(&text);
        well_said(&text, &problems)?;
        for service in services {
            serde_json::to_string(&service.value).unwrap();
        }
    }

    #[test]
    fn expressions(source in spoilt(
        [
            "{{ sku }} at {{ price | money('GBP') }}", "{{ price | times(stock) | round(2) }}", "{{ tags.a[1] }}",
            "{% if stock is gt(5) %}plenty{% else %}few{% endif %}", "{{ due | date('%Y-%m-%d') }}",
            "{% for a in tags.a %}{{ loop.index }}{{ a }}{% endfor %}", "{{ sku | shorten(8) }}",
        ].map(str::to_owned).into(),
        &["{{", "}}", "{%", "%}", "{#", "#}", " | ", "(", ")", "[", "]", "not ", "-", "+", "*", "/", "%", "~", "==", ".",
          "sku", "price", "stock", "note", "due", "tags", "'", "\"", "99999999999999999999", "0.1", "-1", " if ", " else ",
          "money(", "times(", "plus(", "divided_by(0)", "round(40)", "shorten(", "date('%", "range(100000000)", "for a in ",
          "endfor", "is gt(", "default(", "tojson", "join(", "%Q", "set a = ", "macro m()", "{% raw %}"],
    )) {
        let mut expressions = Expressions::new();
        if let Ok(template) = expressions.add(&source) {
            match expressions.evaluate(&template, &Scope::of(&RECORD)) {
                Ok(value) => drop(value.to_json()),
                Err(failure) => prop_assert!(!failure.message.is_empty() && failure.code.starts_with("MAP-"), "{failure:?}"),
            }
        }
    }

    #[test]
    fn schedules(
        text in spoilt(
            ["*/5 * * * *", "0 9 * * MON-FRI", "30 4 29 2 *", "@hourly", "0 0 L * *"].map(str::to_owned).into(),
            &["*", "/", "-", ",", " ", "L", "#", "W", "?", "MON", "JAN", "99", "0", "@daily", "0-59", "*/0", "5-1"],
        ),
        zone in prop::sample::select(vec!["UTC", "Europe/London", "Australia/Lord_Howe"]),
        second in 0_i64..4_000_000_000,
    ) {
        match Fields::parse(&text) {
            Ok(fields) => {
                let after = Timestamp::from_second(second).unwrap();
                let schedule = Schedule::new(fields, TimeZone::get(zone).unwrap());
                let times = schedule.next_times(after, 3);
                prop_assert!(times.iter().all(|time| *time > after) && times.is_sorted());
            }
            Err(problem) => prop_assert!(!problem.message.is_empty()),
        }
    }

    #[test]
    fn calendars_and_hours(text in spoilt(
        ["2026-12-25\n2026-12-26 # Boxing Day\n", "08:00", "24:00", "23:59:59"].map(str::to_owned).into(),
        &["2026-02-30", "-", ":", "#", "\n", "\r\n", "\u{feff}", "9999-12-31", "T10:00", "+01:00", "[UTC]", "24:00"],
    )) {
        if let Err(problems) = calendar::read(&text) {
            prop_assert!(problems.iter().all(|problem| problem.line >= 1 && problem.line <= text.lines().count().max(1)));
        }
        if let Some(time) = Hours::time(&text) {
            prop_assert_eq!(Hours::time(&time.strftime("%H:%M").to_string()).map(jiff::civil::Time::hour), Some(time.hour()));
        }
        std::hint::black_box(Hours::end(&text).is_ok());
    }

    #[test]
    fn numbers_spans_and_money(text in spoilt(
        ["19.90", "-0.000001", "25.00/day", "1000.5/month", "15m", "3600s", "2d", "79228162514264337593543950335"].map(str::to_owned).into(),
        &["0", "9", ".", "-", "+", "e", "E9", "/day", "/month", "s", "m", "h", "d", " ", "٣", "_", ",", "00000000000000000000"],
    )) {
        if let Some(decimal) = parse_decimal(&text) {
            prop_assert_eq!(parse_decimal(&decimal.to_string()), Some(decimal));
        }
        if let Ok(amount) = text.parse::<Amount>() {
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        }
        if let Ok(cap) = text.parse::<SpendingCap>() {
            prop_assert_eq!(cap.to_string().parse::<SpendingCap>(), Ok(cap));
        }
        if let Ok(span) = text.parse::<Span>() {
            prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
        }
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
            drop(Value::from_json(&value).to_json());
        }
    }

    #[test]
    fn names_paths_and_keys(text in spoilt(
        ["announce-products", "orders/new", "A-1", "POST"].map(str::to_owned).into(),
        &["-", "/", "..", ".", "_", " ", "Ä", "é", "e\u{301}", "\u{0}", "%2e", "#", "?", "{a}", "\u{202e}"],
    )) {
        if let Ok(name) = text.parse::<Name>() {
            prop_assert_eq!(name.as_str(), &text);
        }
        drop(Name::from_path(&text));
        if let Ok(path) = text.parse::<HookPath>() {
            prop_assert_eq!(path.to_string().parse::<HookPath>().unwrap(), path);
        }
        drop(text.parse::<Method>());
        if let Ok(key) = DeliveryKey::from_text(&text) {
            prop_assert_eq!(DeliveryKey::from_text(key.as_str()).unwrap(), key, "what a key says is that key");
        }
    }
}
