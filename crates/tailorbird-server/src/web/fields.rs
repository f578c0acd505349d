//! Fields of forms as plain values: what is asked, what stands there, what is wrong with it.

use super::view::When;

/// How a field is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// One line.
    #[default]
    Text,
    /// One line of data: an address, a name, a number.
    Data,
    /// Several lines.
    Long,
    /// Several lines of data.
    LongData,
    /// A secret: written, never shown.
    Secret,
    /// A secret of several lines.
    LongSecret,
    /// One of some.
    Choice,
}

/// A value that can be chosen.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub value: String,
    pub words: String,
    pub is_chosen: bool,
}

/// One field.
#[derive(Debug, Clone, Default)]
pub(super) struct Field {
    pub name: String,
    pub label: String,
    pub hint: String,
    pub value: String,
    pub placeholder: String,
    pub kind: Kind,
    pub choices: Vec<Choice>,
    pub is_optional: bool,
    /// Whether the page begins here.
    pub has_focus: bool,
    /// Why it cannot be taken, and what is valid.
    pub error: Option<String>,
    /// Since when a secret is stored.
    pub stored: Option<When>,
    /// What is saved now, where that is something else than when the form was opened.
    pub now: Option<String>,
}

impl Field {
    pub(super) fn new(kind: Kind, name: &str, label: &str, hint: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            label: label.to_owned(),
            hint: hint.to_owned(),
            ..Self::default()
        }
    }

    /// With a value in it.
    #[must_use]
    pub(super) fn with(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        for choice in &mut self.choices {
            choice.is_chosen = choice.value == self.value;
        }
        self
    }

    /// One that may stay empty.
    #[must_use]
    pub(super) fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// The first one of its page.
    #[must_use]
    pub(super) fn focused(mut self) -> Self {
        self.has_focus = true;
        self
    }

    /// With what holds where nothing is given.
    #[must_use]
    pub(super) fn placeholder(mut self, text: impl Into<String>) -> Self {
        self.placeholder = text.into();
        self
    }

    /// One of these, each with its words.
    #[must_use]
    pub(super) fn choices<V: Into<String>, W: Into<String>>(
        mut self,
        choices: impl IntoIterator<Item = (V, W)>,
    ) -> Self {
        self.kind = Kind::Choice;
        self.choices = choices
            .into_iter()
            .map(|(value, words)| {
                let value = value.into();
                Choice {
                    is_chosen: value == self.value,
                    value,
                    words: words.into(),
                }
            })
            .collect();
        self
    }

    /// What a template calls the field by in its `id`: names may hold dots.
    pub(super) fn id(&self) -> String {
        self.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
    }

    /// What describes the field, for `aria-describedby`.
    pub(super) fn described_by(&self) -> String {
        let id = self.id();
        let mut parts = Vec::new();
        if !self.hint.is_empty() || self.stored.is_some() {
            parts.push(format!("{id}-hint"));
        }
        if self.now.is_some() {
            parts.push(format!("{id}-now"));
        }
        if self.error.is_some() {
            parts.push(format!("{id}-error"));
        }
        parts.join(" ")
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        matches!(
            (self.kind, kind),
            (Kind::Text, "text")
                | (Kind::Data, "data")
                | (Kind::Long, "long")
                | (Kind::LongData, "long-data")
                | (Kind::Secret, "secret")
                | (Kind::LongSecret, "long-secret")
                | (Kind::Choice, "choice")
        )
    }
}

/// Puts a problem beside its field; gives it back where no field is its own.
pub(super) fn place(fields: &mut [Field], name: Option<&str>, words: String) -> Option<String> {
    match fields.iter_mut().find(|field| Some(field.name.as_str()) == name) {
        Some(field) => {
            field.error = Some(words);
            None
        }
        None => Some(words),
    }
}
