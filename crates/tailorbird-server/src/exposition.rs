//! The Prometheus text exposition format, version 0.0.4: families of samples, each with its help and type.

/// The content type of the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a family's numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only grows, until the process ends.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts below bounds.
    Histogram,
}

/// A page of families in the making.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    text: String,
}

impl Exposition {
    /// Begins a family: all its samples follow before the next family begins.
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) -> &mut Self {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(&format!("# HELP {name} {help}"));
        self.line(&format!("# TYPE {name} {kind}"));
        self
    }

    /// A sample of the family that was begun last.
    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) -> &mut Self {
        let mut line = name.to_owned();
        for (index, (label, text)) in labels.iter().enumerate() {
            line.push(if index == 0 { '{' } else { ',' });
            line.push_str(&format!("{label}=\"{}\"", escaped(text)));
        }
        if !labels.is_empty() {
            line.push('}');
        }
        line.push(' ');
        line.push_str(value);
        self.line(&line);
        self
    }

    /// The page.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// A label's text between its quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_help_and_type_and_labels_are_escaped() {
        let mut page = Exposition::default();
        page.family("tailorbird_runs", Kind::Gauge, "Runs.\nBy state.")
            .sample("tailorbird_runs", &[], "1")
            .sample(
                "tailorbird_runs",
                &[("task", "a\"b\\c\nd"), ("state", "queued")],
                "2.5",
            );
        assert_eq!(
            page.into_text(),
            "# HELP tailorbird_runs Runs.\\nBy state.\n# TYPE tailorbird_runs gauge\ntailorbird_runs 1\n\
             tailorbird_runs{task=\"a\\\"b\\\\c\\nd\",state=\"queued\"} 2.5\n"
        );
    }
}
