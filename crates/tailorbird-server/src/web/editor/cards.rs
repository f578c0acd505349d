//! The editor's other view: the flow as cards, the form of the chosen one, and a real record beside it.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use tailorbird_app::{
    App, AppError, CardField, CardForm, CardLine, Table, add_card, card_lines, change_card, document,
    move_card, remove_card,
};
use tailorbird_model::expression::functions::{FILTERS, Function, TESTS};
use tailorbird_model::task::Step;
use tailorbird_model::task::fields::Takes;

use super::look::{LookPane, look_pane};
use super::{Banner, Editing, title, yaml_page};
use crate::server::Shared;
use crate::web::filters;
use crate::web::form::Form;
use crate::web::look;
use crate::web::page::{Chrome, failed, show_with};
use crate::web::visit::Visit;

/// Empty rows below the pairs of a field.
const EMPTY_ROWS: usize = 2;

/// Characters of a value on one line of its field, and the lines that a field shows at most.
const PER_LINE: usize = 34;
const MAX_ROWS: usize = 8;

/// Comments that are told as lost.
const MAX_LOST: usize = 20;

/// The page.
#[derive(Template)]
#[template(path = "editor/cards.html")]
struct Page {
    chrome: Chrome,
    name: String,
    action: String,
    over: i64,
    yaml: String,
    banner: Banner,
    note: String,
    lost: Vec<String>,
    head: Head,
    cards: Vec<Card>,
    /// Fields that are folded away, and their names.
    aside: usize,
    aside_words: String,
    form: CardForm,
    kinds: &'static [&'static str],
    columns: Vec<Column>,
    functions: Vec<&'static Function>,
    elsewhere: usize,
    pane: LookPane,
}

struct Head {
    line: String,
    is_chosen: bool,
}

struct Card {
    line: CardLine,
    group: &'static str,
    is_chosen: bool,
    problems: usize,
    joint: String,
}

/// A word that SQL may hold.
struct Column {
    table: String,
    name: String,
}

/// What the cards view was asked for, beside showing itself.
#[derive(Default)]
pub(super) struct Wanted {
    pub card: String,
    pub record: usize,
    pub lost: Vec<String>,
    pub note: String,
    /// Whether somebody pressed for a look, also where it asks a service.
    pub is_pressed: bool,
}

/// Takes what was typed into the chosen card over into the text, then does what the pressed button says.
pub(super) async fn pressed(
    shared: &Shared,
    visit: &Visit,
    mut editing: Editing,
    form: &Form,
) -> (Editing, Wanted) {
    let mut wanted = Wanted {
        card: form.get("card").to_owned(),
        record: form.get("record").parse().unwrap_or(0),
        lost: form.all("lost").take(MAX_LOST).map(str::to_owned).collect(),
        ..Wanted::default()
    };
    let typed: Vec<(String, String)> = form.fields(&["f:", "k:", "p:"]);
    let take = |changed: Result<tailorbird_app::Changed, _>, wanted: &mut Wanted, yaml: &mut String| {
        if let Ok::<_, Vec<tailorbird_model::yaml::Problem>>(changed) = changed {
            *yaml = changed.edited.text;
            wanted.card = changed.card;
            let left = MAX_LOST.saturating_sub(wanted.lost.len());
            wanted.lost.extend(changed.edited.lost.into_iter().take(left));
        }
    };
    if !typed.is_empty() {
        take(
            change_card(&editing.yaml, &wanted.card, &typed),
            &mut wanted,
            &mut editing.yaml,
        );
    }
    let act = form.get("act");
    let (word, argument) = act.split_once(' ').unwrap_or((act, ""));
    let card = wanted.card.clone();
    match word {
        "open" => {
            argument.clone_into(&mut wanted.card);
            wanted.record = 0;
        }
        "head" => {
            wanted.card = String::new();
            wanted.record = 0;
        }
        "up" | "down" => {
            take(
                move_card(&editing.yaml, &card, word == "down"),
                &mut wanted,
                &mut editing.yaml,
            );
        }
        "remove" => take(remove_card(&editing.yaml, &card), &mut wanted, &mut editing.yaml),
        "add" => {
            let (yaml, kind) = (editing.yaml.clone(), form.get("kind").to_owned());
            let added = look(shared, move |app| {
                let usual = |takes| first_of(app, takes);
                Ok(add_card(&yaml, &card, &kind, usual))
            });
            if let Ok(added) = added.await {
                take(added, &mut wanted, &mut editing.yaml);
                wanted.record = 0;
            }
        }
        "record" => {
            wanted.record = argument.parse().unwrap_or(0);
            wanted.is_pressed = true;
        }
        "press" => wanted.is_pressed = true,
        "match" => {
            let matched = matched(visit, &editing.yaml, &card).await;
            wanted.is_pressed = true;
            match matched {
                Ok((fields, count)) => {
                    take(
                        change_card(&editing.yaml, &card, &fields),
                        &mut wanted,
                        &mut editing.yaml,
                    );
                    wanted.note = match count {
                        0 => "No column of the record has a name that is still free.".to_owned(),
                        1 => "1 name was mapped to the column of the same name.".to_owned(),
                        count => format!("{count} names were mapped to the columns of the same names."),
                    };
                }
                Err(error) => wanted.note = error.failure.message,
            }
        }
        _ => {}
    }
    (editing, wanted)
}

/// What is named in a new step where there is only one, or nothing better to begin with.
fn first_of(app: &App, takes: Takes) -> Option<String> {
    let names = match takes {
        Takes::Database => app.databases().ok()?.first()?.database.to_string(),
        Takes::Connection => app.connections().ok()?.first()?.connection.to_string(),
        _ => return None,
    };
    Some(names)
}

/// The pairs of a card with those that have a column of the same name and no value yet; and how many they are.
async fn matched(visit: &Visit, yaml: &str, card: &str) -> Result<(Vec<(String, String)>, usize), AppError> {
    let Ok(whole) = document(yaml) else {
        return Ok((Vec::new(), 0));
    };
    let lines = card_lines(&whole);
    let Some(line) = lines.iter().find(|line| line.pointer == card) else {
        return Ok((Vec::new(), 0));
    };
    let seen = visit.app().look_at_step(yaml, card, &line.path).await?;
    let columns: Vec<String> = seen
        .taken
        .first()
        .map(|one| one.record.iter().map(|(name, _)| name.to_owned()).collect())
        .unwrap_or_default();
    let Some(form) = visit.app().card_form(&whole, card, &[]) else {
        return Ok((Vec::new(), 0));
    };
    let (mut typed, mut count) = (Vec::new(), 0_usize);
    for field in form
        .fields
        .iter()
        .filter(|field| field.takes == Takes::Pairs && !field.names.is_empty())
    {
        let mut pairs = field.pairs.clone();
        for name in &field.names {
            let column = columns.iter().find(|column| plain(column) == plain(name));
            if let Some(column) = column.filter(|_| !pairs.iter().any(|(known, _)| known == name)) {
                pairs.push((name.clone(), format!("{{{{ {column} }}}}")));
                count = count.saturating_add(1);
            }
        }
        for (place, (name, value)) in pairs.into_iter().enumerate() {
            typed.push((format!("k:{}:{place}", field.path), name));
            typed.push((format!("p:{}:{place}", field.path), value));
        }
    }
    Ok((typed, count))
}

/// A name without what people write differently.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The page; where the text cannot be read, the other view with what is wrong.
pub(super) async fn show(
    shared: &Shared,
    visit: &Visit,
    status: StatusCode,
    editing: Editing,
    wanted: Wanted,
    banner: Banner,
    part: &str,
) -> Response {
    let Ok(whole) = document(&editing.yaml) else {
        return yaml_page(shared, visit, status, editing, banner).await;
    };
    let chosen = if whole.pointer(&wanted.card).is_some() {
        wanted.card.clone()
    } else {
        String::new()
    };
    let lines = card_lines(&whole);
    let seen = match lines.iter().find(|line| line.pointer == chosen) {
        Some(line) => {
            let asks = App::look_asks_a_service(&whole);
            if asks && !wanted.is_pressed {
                LookPane::asking(asks)
            } else {
                let look = visit.app().look_at_step(&editing.yaml, &chosen, &line.path).await;
                look_pane(look, wanted.record, line.kind)
            }
        }
        None => LookPane::default(),
    };
    if part == "card" {
        return show_with(StatusCode::OK, &seen);
    }
    let chrome = visit.chrome(&title(&editing), "tasks");
    let read = move |app: &App| {
        page_of(
            app, chrome, editing, &whole, &lines, &chosen, wanted, banner, seen,
        )
    };
    match look(shared, read).await {
        Ok(page) => show_with(status, &page),
        Err(error) => failed(visit, "tasks", error),
    }
}

#[expect(clippy::too_many_arguments, reason = "all that a page shows, gathered once")]
fn page_of(
    app: &App,
    chrome: Chrome,
    editing: Editing,
    whole: &Value,
    lines: &[CardLine],
    chosen: &str,
    wanted: Wanted,
    banner: Banner,
    pane: LookPane,
) -> Result<Page, AppError> {
    let draft = app.check_draft(&editing.yaml, editing.name.as_ref());
    let form = app
        .card_form(whole, chosen, &draft.problems)
        .or_else(|| app.card_form(whole, "", &draft.problems))
        .ok_or_else(|| super::no_card(chosen))?;
    let joints = joints(app, &editing)?;
    let of_card = |line: &CardLine| {
        let inside = format!("{}/", line.pointer);
        draft
            .problems
            .iter()
            .filter(|problem| problem.path == line.pointer || problem.path.starts_with(&inside))
            .filter(|problem| !problem.path.starts_with(&format!("{inside}for_each/steps/")))
            .count()
    };
    let cards: Vec<Card> = lines
        .iter()
        .map(|line| Card {
            group: match line.kind {
                "query" => "in",
                "call" | "write" => "out",
                "approve" | "wait" => "gate",
                _ => "",
            },
            is_chosen: line.pointer == form.card,
            problems: of_card(line),
            joint: joints
                .iter()
                .find(|(path, _)| *path == line.path)
                .map(|(_, joint)| joint.clone())
                .unwrap_or_default(),
            line: line.clone(),
        })
        .collect();
    let told: usize = form.problems.len()
        + form
            .fields
            .iter()
            .map(|field| field.problems.len())
            .sum::<usize>();
    Ok(Page {
        chrome,
        action: editing.action(),
        name: editing.name.as_ref().map(ToString::to_string).unwrap_or_default(),
        over: editing.over,
        banner,
        note: wanted.note,
        lost: wanted.lost,
        head: Head {
            line: whole
                .pointer("/trigger/schedule")
                .and_then(Value::as_str)
                .map_or_else(|| "by hand, or as the text says".to_owned(), str::to_owned),
            is_chosen: form.card.is_empty(),
        },
        columns: words_of(app, whole, &form),
        functions: FILTERS.iter().chain(TESTS).collect(),
        kinds: Step::KINDS,
        aside: form.fields.iter().filter(|field| field.is_aside()).count(),
        aside_words: form
            .fields
            .iter()
            .filter(|field| field.is_aside())
            .map(|field| field.label.to_lowercase())
            .collect::<Vec<_>>()
            .join(", "),
        elsewhere: draft.problems.len().saturating_sub(told),
        cards,
        form,
        pane,
        yaml: editing.yaml,
    })
}

/// What came through at each step of the newest run, so that one sees where records fall out.
fn joints(app: &App, editing: &Editing) -> Result<Vec<(String, String)>, AppError> {
    let Some(name) = &editing.name else {
        return Ok(Vec::new());
    };
    let (Ok((task, _)), Some(last)) = (
        app.task(name),
        app.runs_page(Some(name), &[], None, 1)?.into_iter().next(),
    ) else {
        return Ok(Vec::new());
    };
    let mut cards = crate::web::flow::cards(&task);
    crate::web::flow::join(&mut cards, &app.run_steps(&last.id)?, &last.counts);
    Ok(cards.into_iter().map(|card| (card.path, card.joint)).collect())
}

/// Words for the SQL of a query: the tables and columns of its database.
fn words_of(app: &App, whole: &Value, form: &CardForm) -> Vec<Column> {
    let database = whole
        .pointer(&format!("{}/query/database", form.card))
        .and_then(Value::as_str);
    let tables = database
        .and_then(|name| name.parse().ok())
        .and_then(|name| app.database_tables(&name).ok())
        .unwrap_or_default();
    let columns = |table: &Table| {
        let name = table.name.clone();
        let own: Vec<Column> = table
            .columns
            .iter()
            .map(|column| Column {
                table: name.clone(),
                name: column.name.clone(),
            })
            .collect();
        own
    };
    tables.iter().flat_map(columns).take(MAX_WORDS).collect()
}

/// Words that are offered.
const MAX_WORDS: usize = 3_000;

/// What a template asks of a field.
trait Shown {
    fn is_pairs(&self) -> bool;
    fn is_long(&self) -> bool;
    fn is_choice(&self) -> bool;
    fn is_aside(&self) -> bool;
    fn rows(&self) -> Vec<(usize, String, String, usize)>;
    fn lines(&self) -> usize;
    fn words(&self) -> &'static str;
    fn id(&self) -> String;
}

impl Shown for CardField {
    fn is_pairs(&self) -> bool {
        matches!(self.takes, Takes::Pairs | Takes::Branches)
    }

    fn is_long(&self) -> bool {
        matches!(self.takes, Takes::Sql | Takes::Message)
    }

    fn is_choice(&self) -> bool {
        matches!(self.takes, Takes::Choice(_)) || !self.options.is_empty()
    }

    /// What few steps need is folded away as long as nothing stands in it.
    fn is_aside(&self) -> bool {
        let is_rare = self.path.starts_with("cursor/") || matches!(self.takes, Takes::Plain);
        is_rare && self.text.is_empty() && self.problems.is_empty()
    }

    fn rows(&self) -> Vec<(usize, String, String, usize)> {
        let empty = std::iter::repeat_n((String::new(), String::new()), EMPTY_ROWS);
        self.pairs
            .iter()
            .cloned()
            .chain(empty)
            .enumerate()
            .map(|(place, (name, value))| {
                let breaks = value.matches('\n').count();
                let rows = (value.chars().count() / PER_LINE)
                    .saturating_add(breaks)
                    .saturating_add(1);
                (place, name, value, rows.min(MAX_ROWS))
            })
            .collect()
    }

    fn lines(&self) -> usize {
        self.text.lines().count().saturating_add(1).clamp(3, 14)
    }

    /// The words that complete what is typed.
    fn words(&self) -> &'static str {
        match self.takes {
            Takes::Sql => "words",
            Takes::Expression | Takes::Message | Takes::Pairs | Takes::Branches => "names",
            _ => "",
        }
    }

    fn id(&self) -> String {
        self.path.replace('/', "-")
    }
}
