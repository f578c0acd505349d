//! Joins the root URL and a path to one address.

use url::Url;

/// Joins an already percent-encoded path to a root URL, as text.
///
/// A root path with which the path begins is not doubled: the root `https://host/2` and the path
/// `/2/tweets` make `https://host/2/tweets`, because people paste either form of root.
pub(crate) fn join(root: &Url, path: &str) -> String {
    let mut base = root.clone();
    base.set_query(None);
    base.set_fragment(None);
    let prefix = base.path().trim_end_matches('/').to_owned();
    base.set_path("");
    let host = base.as_str().trim_end_matches('/').to_owned();
    let repeats = !prefix.is_empty()
        && path
            .strip_prefix(prefix.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    if repeats {
        format!("{host}{path}")
    } else {
        format!("{host}{prefix}{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::join;

    fn joined(root: &str, path: &str) -> String {
        join(&root.parse().unwrap(), path)
    }

    #[test]
    fn a_root_path_stands_before_the_path_once() {
        assert_eq!(
            joined("https://api.x.com", "/2/tweets"),
            "https://api.x.com/2/tweets"
        );
        assert_eq!(
            joined("https://api.x.com/", "/2/tweets"),
            "https://api.x.com/2/tweets"
        );
        assert_eq!(
            joined("https://api.x.com/2", "/2/tweets"),
            "https://api.x.com/2/tweets"
        );
        assert_eq!(joined("https://api.x.com/2/", "/2"), "https://api.x.com/2");
        assert_eq!(
            joined("https://api.x.com/2", "/20/tweets"),
            "https://api.x.com/2/20/tweets"
        );
        assert_eq!(
            joined("https://crm.example/1", "/notes"),
            "https://crm.example/1/notes"
        );
        assert_eq!(
            joined("http://127.0.0.1:7081", "/1.1/a.json"),
            "http://127.0.0.1:7081/1.1/a.json"
        );
    }
}
