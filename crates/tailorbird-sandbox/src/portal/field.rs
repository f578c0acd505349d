//! One field of a form: what was typed, what is wrong with it, what would be right.

/// A text field as a template shows it.
#[derive(Debug, Clone)]
pub(super) struct TextField {
    /// The name, also the element's id.
    pub name: &'static str,
    /// The label above.
    pub label: &'static str,
    /// The hint below the label; may be empty.
    pub hint: String,
    /// What stands in it.
    pub value: String,
    /// What is wrong with it, and what is valid.
    pub error: Option<String>,
    /// `text`, `password`, `url` or `area`.
    pub kind: &'static str,
    /// The autofill hint.
    pub autocomplete: &'static str,
    /// Whether it may stay empty.
    pub optional: bool,
    /// Whether it is data (monospace, no spelling help).
    pub data: bool,
    /// Whether the cursor begins here.
    pub focus: bool,
}

impl TextField {
    /// An empty one-line field.
    pub(super) fn new(name: &'static str, label: &'static str, hint: &str) -> Self {
        Self {
            name,
            label,
            hint: hint.to_owned(),
            value: String::new(),
            error: None,
            kind: "text",
            autocomplete: "off",
            optional: false,
            data: false,
            focus: false,
        }
    }

    /// With a value.
    pub(super) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// Of another kind.
    pub(super) const fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// With an autofill hint.
    pub(super) const fn autocomplete(mut self, hint: &'static str) -> Self {
        self.autocomplete = hint;
        self
    }

    /// Shown as data.
    pub(super) const fn data(mut self) -> Self {
        self.data = true;
        self
    }

    /// May stay empty.
    pub(super) const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The cursor begins here.
    pub(super) const fn focus(mut self) -> Self {
        self.focus = true;
        self
    }

    /// With what is wrong, if anything is.
    pub(super) fn error(mut self, error: Option<String>) -> Self {
        self.error = error;
        self
    }
}
