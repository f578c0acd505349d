//! Where a stored request goes now.

use url::Url;

use crate::request::Request;
use crate::resolve::{Resolved, join};

/// The stored request at the address that its operation has now. What was stored is its content; the address is
/// the connection's. Otherwise what waits because the root URL was wrong would wait for ever, also after it was
/// mended.
///
/// A request by method and path, and an operation with an address of its own, stay as they are.
pub fn relocated(resolved: &Resolved, mut request: Request) -> Request {
    let operation = request
        .operation
        .as_deref()
        .and_then(|name| resolved.operation(name).ok());
    if let (Some(operation), Some(root)) = (operation, &resolved.root_url)
        && !is_below(root, &request.url, &operation.path)
        && let Some(url) = below(root, &request.url, &operation.path)
    {
        request.url = url;
    }
    request
}

/// Tells whether the address is where the operation is now. Nearly all are, and this makes nothing anew.
fn is_below(root: &Url, stored: &str, pattern: &str) -> bool {
    let segments = |path: &str| path.split('?').next().unwrap_or_default().split('/').count();
    stored
        .strip_prefix(root.as_str().trim_end_matches('/'))
        .filter(|rest| rest.starts_with('/') && pattern.starts_with('/'))
        .is_some_and(|rest| segments(rest) == segments(pattern))
}

/// The address below another root. A placeholder's value never holds a slash, so the path of a request ends
/// with as many segments as its pattern has.
fn below(root: &Url, stored: &str, pattern: &str) -> Option<String> {
    if pattern.contains("://") {
        return None;
    }
    let (address, query) = match stored.split_once('?') {
        Some((address, query)) => (address, format!("?{query}")),
        None => (stored, String::new()),
    };
    let (_, path) = address.split_once("://")?.1.split_once('/')?;
    let segments: Vec<&str> = path.split('/').collect();
    let pattern = pattern.split('?').next()?.trim_start_matches('/');
    let first = segments.len().checked_sub(pattern.split('/').count())?;
    let kept = segments.get(first..)?.join("/");
    Some(format!("{}{query}", join(root, &format!("/{kept}"))))
}

#[cfg(test)]
mod tests {
    use super::below;

    #[track_caller]
    fn check(root: &str, stored: &str, pattern: &str, expected: Option<&str>) {
        assert_eq!(
            below(&root.parse().unwrap(), stored, pattern).as_deref(),
            expected
        );
    }

    #[test]
    fn a_stored_address_follows_the_root() {
        let root = "https://api.example.com/2/";
        check(
            root,
            "https://api.example.com/wrong/notes?a=1&b=/x",
            "/notes",
            Some("https://api.example.com/2/notes?a=1&b=/x"),
        );
        check(
            root,
            "https://api.example.com/people/a%2Fb/messages",
            "/people/{id}/messages",
            Some("https://api.example.com/2/people/a%2Fb/messages"),
        );
        check(
            root,
            "https://api.example.com/notes/",
            "/notes/",
            Some("https://api.example.com/2/notes/"),
        );
        check(
            "https://api.example.com",
            "https://api.example.com/nothing/notes?x=1&y=2",
            "/notes?x=1",
            Some("https://api.example.com/notes?x=1&y=2"),
        );
    }

    #[test]
    fn an_address_that_is_right_stays() {
        // Either form of root, with the version or without, makes the same address.
        for root in ["https://api.example.com", "https://api.example.com/2"] {
            let right = "https://api.example.com/2/notes";
            check(root, right, "/2/notes", Some(right));
        }
        let media = "https://upload.example.com/media";
        check("https://api.example.com", media, media, None);
        check(
            "https://api.example.com",
            "https://api.example.com/notes",
            "/a/b/c",
            None,
        );
    }
}
