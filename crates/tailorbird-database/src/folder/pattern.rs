//! Patterns for the names of files: `*` for any characters, `?` for one.

use super::FolderError;

/// The longest pattern, in bytes; names of files are no longer.
pub const MAX_PATTERN: usize = 255;

/// A pattern. Letter case matters, as it does for the names on most servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<char>);

impl Pattern {
    /// Reads a pattern; any text is one.
    ///
    /// # Errors
    /// Where it is longer than [`MAX_PATTERN`].
    pub fn new(text: &str) -> Result<Self, FolderError> {
        if text.len() > MAX_PATTERN {
            return Err(FolderError::Pattern { length: text.len() });
        }
        Ok(Self(text.chars().collect()))
    }

    /// Tells whether a name fits. Hidden files fit only a pattern that begins with a dot, as in a shell: programs
    /// use them for files that are not whole yet.
    pub fn fits(&self, name: &str) -> bool {
        if name.starts_with('.') && self.0.first() != Some(&'.') {
            return false;
        }
        let name: Vec<char> = name.chars().collect();
        let (mut at, mut in_name) = (0, 0);
        // Where to go on after the last `*` took one character more. One such place is enough: an earlier `*`
        // never has to take more, since the last one can take all that follows.
        let mut again: Option<(usize, usize)> = None;
        while in_name < name.len() {
            match (self.0.get(at), name.get(in_name)) {
                (Some('*'), _) => {
                    again = Some((at + 1, in_name));
                    at += 1;
                }
                (Some('?'), Some(_)) => {
                    at += 1;
                    in_name += 1;
                }
                (Some(wanted), Some(found)) if wanted == found => {
                    at += 1;
                    in_name += 1;
                }
                _ => match &mut again {
                    Some((after, taken)) => {
                        *taken += 1;
                        at = *after;
                        in_name = *taken;
                    }
                    None => return false,
                },
            }
        }
        self.0.iter().skip(at).all(|left| *left == '*')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The meaning, by the shortest definition.
    fn slow(pattern: &[char], name: &[char]) -> bool {
        match (pattern.first(), name.first()) {
            (None, None) => true,
            (Some('*'), _) => slow(&pattern[1..], name) || (!name.is_empty() && slow(pattern, &name[1..])),
            (Some('?'), Some(_)) => slow(&pattern[1..], &name[1..]),
            (Some(a), Some(b)) if a == b => slow(&pattern[1..], &name[1..]),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn it_means_what_the_definition_says(pattern in "[ab?*]{0,7}", name in "[ab]{0,8}") {
            let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
            prop_assert_eq!(Pattern::new(&pattern).unwrap().fits(&name), slow(&p, &n));
        }

        #[test]
        fn any_text_is_a_pattern_or_too_long(pattern in ".{0,300}", name in ".{0,40}") {
            if let Ok(pattern) = Pattern::new(&pattern) {
                pattern.fits(&name);
            }
        }
    }

    #[test]
    fn names_fit() {
        for (pattern, name, fits) in [
            ("*.csv", "orders.csv", true),
            ("*.csv", "orders.CSV", false),
            ("*.csv", ".csv", false),
            ("*", ".orders.part", false),
            (".*", ".orders.part", true),
            ("order-????.xml", "order-2026.xml", true),
            ("order-????.xml", "order-26.xml", false),
            ("*ä?", "Bestellung-äö", true),
            ("", "a", false),
        ] {
            assert_eq!(
                Pattern::new(pattern).unwrap().fits(name),
                fits,
                "{pattern} {name}"
            );
        }
        // Many stars and no fit: the time must not explode.
        let worst = Pattern::new(&"*a".repeat(100)).unwrap();
        assert!(!worst.fits(&format!("{}b", "a".repeat(250))));
    }
}
