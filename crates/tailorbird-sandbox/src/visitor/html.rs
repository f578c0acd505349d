//! Reads what a visitor needs from a page: forms, links, marked texts, the heading. A scanner for our own
//! pages, not a browser: it knows tags, quoted attributes, comments, character references and the elements
//! whose content is text.

use super::VisitError;

/// Elements whose content is text up to their closing tag.
const TEXT_ELEMENTS: [&str; 3] = ["textarea", "script", "style"];
/// Elements without a closing tag.
const VOID_ELEMENTS: [&str; 6] = ["input", "meta", "link", "br", "img", "hr"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Open {
        name: String,
        attributes: Vec<(String, String)>,
    },
    Close {
        name: String,
    },
    Text(String),
}

impl Token {
    fn opens(&self, wanted: &str) -> bool {
        matches!(self, Self::Open { name, .. } if name == wanted)
    }

    fn closes(&self, wanted: &str) -> bool {
        matches!(self, Self::Close { name } if name == wanted)
    }

    fn attribute(&self, wanted: &str) -> Option<&str> {
        match self {
            Self::Open { attributes, .. } => attributes
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str()),
            _ => None,
        }
    }
}

/// A page that was read.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// Its path and query.
    pub path: String,
    status: u16,
    tokens: Vec<Token>,
}

/// A form as it stands on a page, and what will be sent.
#[derive(Debug, Clone)]
pub(super) struct Form {
    /// Where it is sent.
    pub action: String,
    page: String,
    fields: Vec<(String, String)>,
    choices: Vec<(String, String)>,
    buttons: Vec<(String, String)>,
}

impl Page {
    /// Reads a page.
    pub(super) fn read(path: &str, status: u16, html: &str) -> Self {
        Self {
            path: path.to_owned(),
            status,
            tokens: tokens(html),
        }
    }

    /// The page, unless it is a refusal.
    ///
    /// # Errors
    /// [`VisitError::Refused`] with the heading and the errors beside the fields.
    pub(super) fn expect_ok(self) -> Result<Self, VisitError> {
        if self.status < 400 {
            return Ok(self);
        }
        let mut said: Vec<String> = self.errors();
        if said.is_empty() {
            said.extend(self.first_text("h1"));
        }
        Err(VisitError::Refused {
            page: self.path,
            status: self.status,
            said: said.join(" "),
        })
    }

    /// The error that this page lacks something.
    pub(super) fn missing(&self, what: impl Into<String>) -> VisitError {
        VisitError::Missing {
            page: self.path.clone(),
            what: what.into(),
        }
    }

    /// The form that is sent to `action`.
    ///
    /// # Errors
    /// [`VisitError::Missing`].
    pub(super) fn form(&self, action: &str) -> Result<Form, VisitError> {
        let start = self
            .tokens
            .iter()
            .position(|token| token.opens("form") && token.attribute("action") == Some(action))
            .ok_or_else(|| self.missing(format!("form to {action}")))?;
        let mut form = Form {
            action: action.to_owned(),
            page: self.path.clone(),
            fields: Vec::new(),
            choices: Vec::new(),
            buttons: Vec::new(),
        };
        let inside: Vec<&Token> = self
            .tokens
            .iter()
            .skip(start.saturating_add(1))
            .take_while(|token| !token.closes("form"))
            .collect();
        for (index, token) in inside.iter().enumerate() {
            let Some(name) = token.attribute("name") else {
                continue;
            };
            let value = token.attribute("value").unwrap_or_default().to_owned();
            let pair = (name.to_owned(), value);
            if token.opens("textarea") {
                let content = match inside.get(index.saturating_add(1)) {
                    // A line break right after the tag is not part of the content.
                    Some(Token::Text(text)) => text.strip_prefix('\n').unwrap_or(text).to_owned(),
                    _ => String::new(),
                };
                form.fields.push((pair.0, content));
            } else if token.opens("button") {
                form.buttons.push(pair);
            } else if token.opens("input") {
                match token.attribute("type").unwrap_or("text") {
                    "submit" => form.buttons.push(pair),
                    "radio" | "checkbox" => {
                        if token.attribute("checked").is_some() {
                            form.fields.push(pair.clone());
                        }
                        form.choices.push(pair);
                    }
                    _ => form.fields.push(pair),
                }
            }
        }
        Ok(form)
    }

    /// The text inside the first element whose attribute has this value.
    pub(super) fn text_of(&self, attribute: &str, value: &str) -> Option<String> {
        let start = self
            .tokens
            .iter()
            .position(|token| token.attribute(attribute) == Some(value))?;
        self.text_from(start)
    }

    /// Where all links lead.
    pub(super) fn links(&self) -> Vec<String> {
        self.tokens
            .iter()
            .filter(|token| token.opens("a"))
            .filter_map(|token| token.attribute("href"))
            .map(str::to_owned)
            .collect()
    }

    fn first_text(&self, element: &str) -> Option<String> {
        self.tokens
            .iter()
            .position(|token| token.opens(element))
            .and_then(|start| self.text_from(start))
    }

    fn errors(&self) -> Vec<String> {
        self.tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| token.attribute("class") == Some("field-error"))
            .filter_map(|(start, _)| self.text_from(start))
            .collect()
    }

    /// The text from the opening tag at `start` to the closing tag that belongs to it.
    fn text_from(&self, start: usize) -> Option<String> {
        let Token::Open { name, .. } = self.tokens.get(start)? else {
            return None;
        };
        let mut depth = 1_usize;
        let mut text = String::new();
        for token in self.tokens.iter().skip(start.saturating_add(1)) {
            if token.opens(name) {
                depth = depth.saturating_add(1);
            } else if token.closes(name) {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(text.trim().to_owned());
                }
            } else if let Token::Text(piece) = token {
                text.push_str(piece);
            }
        }
        None
    }
}

impl Form {
    /// Whether the form has a field to fill in.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    /// Types into a field.
    ///
    /// # Errors
    /// [`VisitError::Missing`] where the form has no such field.
    pub(super) fn fill(&mut self, name: &str, value: &str) -> Result<(), VisitError> {
        let missing = self.missing(format!("field {name:?}"));
        let field = self
            .fields
            .iter_mut()
            .find(|(known, _)| known == name)
            .ok_or(missing)?;
        value.clone_into(&mut field.1);
        Ok(())
    }

    /// Chooses a radio button.
    ///
    /// # Errors
    /// [`VisitError::Missing`] where there is none with this value.
    pub(super) fn choose(&mut self, name: &str, value: &str) -> Result<(), VisitError> {
        let pair = (name.to_owned(), value.to_owned());
        if !self.choices.contains(&pair) {
            return Err(self.missing(format!("choice {name:?} with the value {value:?}")));
        }
        self.fields.retain(|(known, _)| known != name);
        self.fields.push(pair);
        Ok(())
    }

    /// Presses a button that says something.
    ///
    /// # Errors
    /// [`VisitError::Missing`] where there is none with this value.
    pub(super) fn press(&mut self, name: &str, value: &str) -> Result<(), VisitError> {
        let pair = (name.to_owned(), value.to_owned());
        if !self.buttons.contains(&pair) {
            return Err(self.missing(format!("button {name:?} with the value {value:?}")));
        }
        self.fields.push(pair);
        Ok(())
    }

    /// What is sent.
    pub(super) fn sent(&self) -> &[(String, String)] {
        &self.fields
    }

    fn missing(&self, what: String) -> VisitError {
        VisitError::Missing {
            page: self.page.clone(),
            what,
        }
    }
}

/// Cuts a page into tags and texts. Whatever is broken ends as text: a page that cannot be read shows itself
/// by what it lacks.
pub(super) fn tokens(html: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        push_text(&mut out, text);
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if after.starts_with('!') {
            rest = after.split_once('>').map_or("", |(_, after)| after);
        } else if let Some(closing) = after.strip_prefix('/') {
            let (name, after) = closing.split_once('>').unwrap_or((closing, ""));
            out.push(Token::Close {
                name: name.trim().to_ascii_lowercase(),
            });
            rest = after;
        } else {
            rest = open_tag(after, &mut out);
        }
    }
    push_text(&mut out, rest);
    out
}

fn push_text(out: &mut Vec<Token>, text: &str) {
    if !text.is_empty() {
        out.push(Token::Text(resolved(text)));
    }
}

/// Reads a tag after its `<`; gives what follows it.
fn open_tag<'a>(tag: &'a str, out: &mut Vec<Token>) -> &'a str {
    let end = tag
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .unwrap_or(tag.len());
    let (name, mut rest) = tag.split_at_checked(end).unwrap_or((tag, ""));
    let name = name.to_ascii_lowercase();
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            break;
        }
        if let Some(after) = rest.strip_prefix('>') {
            rest = after;
            break;
        }
        let (attribute, after) = one_attribute(rest);
        attributes.push(attribute);
        rest = after;
    }
    let closes_itself = VOID_ELEMENTS.contains(&name.as_str());
    out.push(Token::Open {
        name: name.clone(),
        attributes,
    });
    if closes_itself {
        out.push(Token::Close { name });
    } else if TEXT_ELEMENTS.contains(&name.as_str()) {
        let (content, after) = rest.split_once(&format!("</{name}")).unwrap_or((rest, ""));
        push_text(out, content);
        out.push(Token::Close { name });
        return after.split_once('>').map_or("", |(_, after)| after);
    }
    rest
}

/// Reads one attribute from the start of `text`; gives it and what follows.
fn one_attribute(text: &str) -> ((String, String), &str) {
    // At least one character is taken, whatever it is, so that reading always gets on.
    let first = text.chars().next().map_or(0, char::len_utf8);
    let end = text
        .char_indices()
        .find(|(at, c)| *at >= first && (c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/')))
        .map_or(text.len(), |(at, _)| at);
    let (name, after) = text.split_at_checked(end).unwrap_or((text, ""));
    let name = name.to_ascii_lowercase();
    let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else {
        return ((name, String::new()), after);
    };
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            let (value, after) = quoted.split_once(quote).unwrap_or((quoted, ""));
            return ((name, resolved(value)), after);
        }
    }
    let end = value
        .find(|c: char| c.is_ascii_whitespace() || c == '>')
        .unwrap_or(value.len());
    let (value, after) = value.split_at_checked(end).unwrap_or((value, ""));
    ((name, resolved(value)), after)
}

/// Resolves character references: the numeric ones, and the five that every template engine writes.
fn resolved(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('&') {
        out.push_str(plain);
        let known = after
            .split_once(';')
            .and_then(|(name, after)| reference(name).map(|c| (c, after)));
        let (letter, next) = known.unwrap_or(('&', after));
        out.push(letter);
        rest = next;
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
