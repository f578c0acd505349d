//! Named places at which tests end the program, to see what a crash there leaves behind.
//!
//! The code says where it is ([`reach`]); what happens there is somebody else's decision ([`install`]): this module
//! has no world. Debug builds only: in a release build nothing can be installed and [`reach`] is empty.
//!
//! All places stand in `fault-points.txt`, with what each is. The crash harness (`tailorbird-judges`) ends the program at
//! every one of them, and fails where one is not reached any more.

#[cfg(debug_assertions)]
pub use installed::{install, is_listed, points};

/// Says that the program is at a place. Nothing happens unless a test asked for something.
#[cfg(debug_assertions)]
pub fn reach(place: &str) {
    installed::reach(place);
}

/// Nothing, in a release build.
#[cfg(not(debug_assertions))]
#[inline]
pub const fn reach(_place: &str) {}

#[cfg(debug_assertions)]
mod installed {
    use std::sync::OnceLock;

    /// All places: a name, white space, what it is. Lines that begin with `#` say something about the list.
    const LIST: &str = include_str!("../fault-points.txt");

    static HOOK: OnceLock<fn(&str)> = OnceLock::new();

    /// Sets what happens at the places, once for the process.
    pub fn install(hook: fn(&str)) {
        // A second one is refused: a test that forgets who it is must not disarm the first.
        let first = HOOK.set(hook).is_ok();
        debug_assert!(first, "what happens at fault points was said twice");
    }

    pub(super) fn reach(place: &str) {
        if let Some(hook) = HOOK.get() {
            debug_assert!(is_listed(place), "{place} is not in fault-points.txt");
            hook(place);
        }
    }

    /// The names of all places, in the order of the list.
    pub fn points() -> impl Iterator<Item = &'static str> {
        LIST.lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_whitespace().next())
    }

    /// Whether a place is in the list.
    pub fn is_listed(place: &str) -> bool {
        points().any(|known| known == place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_listed_once_and_said_what_it_is() {
        let mut seen = std::collections::BTreeSet::new();
        for line in include_str!("../fault-points.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
        {
            let (name, what) = line.split_once(' ').expect("a name and what it is");
            assert!(seen.insert(name), "{name} stands twice");
            assert!(!what.trim().is_empty(), "{name}");
            assert!(is_listed(name), "{name}");
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || b"._-".contains(&byte)),
                "{name}"
            );
        }
        assert!(!is_listed("#") && !is_listed("no.such.place"));
        assert_eq!(points().count(), seen.len());
    }
}
