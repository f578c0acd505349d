//! Finding whole words in source text: enough for these checks, and no parser to keep.

/// The byte positions at which `word` stands alone, not as a part of a longer name.
pub(super) fn positions<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).filter_map(move |(at, _)| {
        let before = text.get(..at)?.chars().next_back();
        let after = text.get(at.checked_add(word.len())?..)?.chars().next();
        let starts_name = word.starts_with(part_of_name);
        let ends_name = word.ends_with(part_of_name);
        let goes_on =
            starts_name && before.is_some_and(part_of_name) || ends_name && after.is_some_and(part_of_name);
        (!goes_on).then_some(at)
    })
}

/// The text without line comments, so that a rule's own explanation does not break it.
pub(super) fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| {
            if line.trim_start().starts_with("//") {
                ""
            } else {
                line
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The number of the line, from 1, at a byte position.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at)
        .map_or(1, |before| before.matches('\n').count().saturating_add(1))
}

/// Whether a file holds tests alone.
pub(super) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/")
        || path.contains("/benches/")
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_alone_only() {
        let text = "url::Url, my_url, urls, url";
        assert_eq!(positions(text, "url").collect::<Vec<_>>(), [0, 24]);
        assert_eq!(
            positions("a.expose(), expose_all()", ".expose()").collect::<Vec<_>>(),
            [1]
        );
    }

    #[test]
    fn comments_do_not_count_and_lines_stay() {
        let text = "a\n  // std::fs\nb";
        assert_eq!(without_comments(text), "a\n\nb");
        assert_eq!(line_of(text, 15), 3);
    }
}
