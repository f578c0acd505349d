//! A browser that keeps its cookie and fills the token of forms in.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::Home;

pub(super) struct Browser {
    address: String,
    cookie: String,
}

impl Browser {
    /// Opens a link that `tailorbird open` makes.
    pub(super) fn enter(home: &Home) -> Self {
        let link = home.run(&["open"]).expect(0).json();
        Self::open(link["url"].as_str().unwrap())
    }

    pub(super) fn open(link: &str) -> Self {
        let rest = link.strip_prefix("http://").unwrap();
        let (address, path) = rest.split_at(rest.find('/').unwrap());
        let mut browser = Self {
            address: address.to_owned(),
            cookie: String::new(),
        };
        let (status, head, _) = browser.ask("GET", path, "");
        assert_eq!(status, 303, "{head}");
        let cookie = head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "))
            .unwrap();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        cookie.split(';').next().unwrap().clone_into(&mut browser.cookie);
        browser
    }

    /// The same session at a server that has another port: a cookie's name has the port, its value does not.
    pub(super) fn moved_to(&self, url: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap().to_owned();
        let port = address.rsplit(':').next().unwrap();
        let (_, value) = self.cookie.split_once('=').unwrap();
        Self {
            cookie: format!("tailorbird-{port}={value}"),
            address,
        }
    }

    /// Status and page.
    pub(super) fn get(&self, path: &str) -> (u16, String) {
        let (status, _, page) = self.ask("GET", path, "");
        (status, page)
    }

    pub(super) fn head(&self, path: &str) -> String {
        self.ask("GET", path, "").1
    }

    /// Sends a form as it stands; status and page.
    pub(super) fn send(&self, path: &str, body: &str) -> (u16, String) {
        let (status, _, page) = self.ask("POST", path, body);
        (status, page)
    }

    /// Sends a form as a browser does that names the page's origin; status, where it leads, and the page.
    pub(super) fn send_from_here(&self, path: &str, body: &str) -> (u16, String, String) {
        let origin = format!("Origin: http://{}\r\n", self.address);
        let mut answer = String::new();
        self.connect_with("POST", path, &origin, body)
            .read_to_string(&mut answer)
            .unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let to = head.lines().find_map(|line| line.strip_prefix("location: "));
        (
            head[9..12].parse().unwrap(),
            to.unwrap_or_default().to_owned(),
            body.to_owned(),
        )
    }

    /// Fills fields into a form of a page and sends it; status, where it leads, and the page.
    pub(super) fn fill(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
        let (status, html) = self.get(page);
        assert_eq!(status, 200, "{page}");
        let token = token_of(&html);
        let mut body = format!("form_token={token}");
        for (name, value) in fields {
            body.push_str(&format!("&{name}={}", escaped(value)));
        }
        self.send_from_here(action, &body)
    }

    /// Sends a form of a page, with the token that stands there; the status and where it leads, or the page.
    pub(super) fn submit(&self, page: &str, action: &str, fields: &str) -> (u16, String) {
        let (status, html) = self.get(page);
        assert_eq!(status, 200, "{page}");
        let token = token_of(&html);
        let (status, head, body) = self.ask("POST", action, &format!("form_token={token}&{fields}"));
        let to = head.lines().find_map(|line| line.strip_prefix("location: "));
        (status, to.map_or(body, str::to_owned))
    }

    /// What a stream of events sends first.
    pub(super) fn first_event(&self, path: &str) -> String {
        let mut stream = self.connect("GET", path, "");
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let (mut text, mut some) = (String::new(), [0; 4096]);
        while !text.contains("\n\ndata") && !text.trim_end().ends_with("</ol></section>") {
            let count = stream.read(&mut some).unwrap();
            text.push_str(&String::from_utf8_lossy(&some[..count]));
            if count == 0 || text.contains("event: end") {
                break;
            }
        }
        text
    }

    fn connect(&self, method: &str, path: &str, body: &str) -> TcpStream {
        self.connect_with(method, path, "", body)
    }

    fn connect_with(&self, method: &str, path: &str, more: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n{more}Connection: close\r\n\r\n{body}",
            self.address,
            self.cookie,
            body.len()
        )
        .unwrap();
        stream
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        let mut answer = String::new();
        self.connect(method, path, body)
            .read_to_string(&mut answer)
            .unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_owned(), body.to_owned())
    }
}

/// The token of the forms of a page.
pub(super) fn token_of(html: &str) -> &str {
    let (_, rest) = html.split_once("name=\"form_token\" value=\"").unwrap();
    rest.split('"').next().unwrap()
}

/// A text as a form sends it, with the line ends of browsers.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.replace('\n', "\r\n").bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
