//! A request as a cURL command, for a person who wants to see it outside.

use super::{MaskedRequest, Request, RequestBody, mask_headers, mask_url};
use crate::request::MASK;
use crate::request::masked::is_secret;

impl Request {
    /// The request as a cURL command for a POSIX shell; secrets are masked, so it runs only after a person
    /// filled them in.
    pub fn as_curl(&self) -> String {
        let mut words = vec![
            "curl".to_owned(),
            "--request".to_owned(),
            self.method.to_string(),
            quoted(&mask_url(&self.url)),
        ];
        for (name, value) in mask_headers(&self.headers) {
            words.push("--header".to_owned());
            words.push(quoted(&format!("{name}: {value}")));
        }
        if let RequestBody::Multipart(parts) = &self.body {
            for part in parts {
                let value = match (&part.file_name, std::str::from_utf8(&part.bytes)) {
                    _ if is_secret(&part.name) => MASK.to_owned(),
                    (Some(file_name), _) => format!("@{file_name}"),
                    (None, Ok(text)) => text.to_owned(),
                    (None, Err(_)) => format!("({} bytes)", part.bytes.len()),
                };
                words.push(
                    if part.file_name.is_some() {
                        "--form"
                    } else {
                        "--form-string"
                    }
                    .to_owned(),
                );
                words.push(quoted(&format!("{}={value}", part.name)));
            }
            return words.join(" ");
        }
        let masked = self.masked();
        if let Some(content_type) = self.body.content_type() {
            words.push("--header".to_owned());
            words.push(quoted(&format!("Content-Type: {content_type}")));
        }
        if let Some(body) = masked.body {
            words.push("--data-raw".to_owned());
            words.push(quoted(&body));
        }
        words.join(" ")
    }
}

impl MaskedRequest {
    /// The request as a cURL command for a POSIX shell, as masked as this value is.
    pub fn as_curl(&self) -> String {
        let mut words = vec![
            "curl".to_owned(),
            "--request".to_owned(),
            self.method.to_string(),
            quoted(&self.url),
        ];
        for (name, value) in &self.headers {
            words.push("--header".to_owned());
            words.push(quoted(&format!("{name}: {value}")));
        }
        if let Some(body) = &self.body {
            words.push("--data-raw".to_owned());
            words.push(quoted(body));
        }
        words.join(" ")
    }
}

/// Quotes a word for a POSIX shell: nothing inside single quotes is special but the quote itself.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
