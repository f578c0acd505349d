//! Reading the query of a v2 request: every fault at once, in X's sentences.
//!
//! A reader method takes its parameter, notes a fault where the value breaks a rule, and gives a harmless
//! value back, so that a handler reads everything first and asks [`Params::finish`] once. Names nobody
//! asked for are faults too, as at X. `oauth_*` pairs are left alone: they belong to the signature.

use super::page::{Window, read_token};
use super::problem::{InvalidParameter, Problem};
use jiff::Timestamp;
use std::ops::RangeInclusive;

/// The longest id X has ever used, in digits.
const MAX_ID_DIGITS: usize = 19;

/// Most pairs that are read from one query; further ones are a fault.
const MAX_PAIRS: usize = 64;

/// The parameters of one v2 request.
#[derive(Debug)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    asked: Vec<&'static str>,
    faults: Vec<InvalidParameter>,
}

impl Params {
    /// Decodes a raw query (`+` is a space) without its `oauth_*` pairs.
    pub(crate) fn parse(query: &str) -> Self {
        let pairs = decode_pairs(query);
        Self {
            pairs,
            asked: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Notes a fault that the handler found itself.
    pub(crate) fn fault(&mut self, fault: InvalidParameter) {
        self.faults.push(fault);
    }

    /// The value as sent; a second one of the same name is a fault.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.asked.push(name);
        let values: Vec<String> = self
            .pairs
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .collect();
        if values.len() > 1 {
            self.faults.push(InvalidParameter {
                name: Some(name.to_owned()),
                values: values.clone(),
                message: format!("Duplicate parameters are not allowed: the `{name}` query parameter"),
            });
        }
        values.into_iter().next()
    }

    /// A value that must be there and not be empty.
    pub(crate) fn required(&mut self, name: &'static str) -> String {
        let value = self.text(name).unwrap_or_default();
        if value.is_empty() {
            self.faults.push(InvalidParameter {
                name: Some(name.to_owned()),
                values: Vec::new(),
                message: format!("The `{name}` query parameter can not be empty"),
            });
        }
        value
    }

    /// An id of 1 to 19 digits.
    pub(crate) fn id(&mut self, name: &'static str) -> Option<u64> {
        let value = self.text(name)?;
        self.checked_id(name, &value)
    }

    /// An id that stood in the path.
    pub(crate) fn path_id(&mut self, name: &'static str, value: &str) -> u64 {
        self.checked_id(name, value).unwrap_or_default()
    }

    fn checked_id(&mut self, name: &'static str, value: &str) -> Option<u64> {
        let id = parse_id(value);
        if id.is_none() {
            self.faults.push(InvalidParameter::new(
                name,
                value,
                format!("The `{name}` query parameter value [{value}] is not valid"),
            ));
        }
        id
    }

    /// 1 to `most` ids, separated by commas, without repetitions, in the order given.
    pub(crate) fn ids(&mut self, name: &'static str, most: usize) -> Vec<u64> {
        let texts = self.required_list(name, most);
        let mut ids = Vec::new();
        for text in texts {
            if let Some(id) = self.checked_id(name, &text)
                && !ids.contains(&id)
            {
                ids.push(id);
            }
        }
        ids
    }

    /// 1 to `most` user names (`^[A-Za-z0-9_]{1,15}$`), separated by commas.
    pub(crate) fn usernames(&mut self, name: &'static str, most: usize) -> Vec<String> {
        let names = self.required_list(name, most);
        for value in &names {
            self.check_username(name, value);
        }
        names
    }

    /// A user name that stood in the path.
    pub(crate) fn check_username(&mut self, name: &'static str, value: &str) {
        if !is_username(value) {
            self.faults.push(InvalidParameter::new(
                name,
                value,
                format!("The `{name}` query parameter value [{value}] does not match ^[A-Za-z0-9_]{{1,15}}$"),
            ));
        }
    }

    fn required_list(&mut self, name: &'static str, most: usize) -> Vec<String> {
        let value = self.required(name);
        let items: Vec<String> = value
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect();
        if items.len() > most {
            self.faults.push(InvalidParameter {
                name: Some(name.to_owned()),
                values: items.clone(),
                message: format!("size must be between 1 and {most}"),
            });
        }
        items
    }

    /// `max_results` and its kind: a number within bounds, or the default.
    pub(crate) fn count(&mut self, name: &'static str, bounds: RangeInclusive<u32>, default: u32) -> usize {
        let Some(value) = self.text(name) else {
            return usize::try_from(default).unwrap_or(1);
        };
        let number = value.parse::<u32>().ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            self.faults.push(InvalidParameter::new(
                name,
                value.clone(),
                format!(
                    "The `{name}` query parameter value [{value}] is not between {} and {}",
                    bounds.start(),
                    bounds.end()
                ),
            ));
        }
        usize::try_from(number.unwrap_or(default)).unwrap_or(1)
    }

    /// A moment in RFC 3339.
    pub(crate) fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        let value = self.text(name)?;
        let at = value.parse::<Timestamp>().ok();
        if at.is_none() {
            self.faults.push(InvalidParameter::new(
                name,
                value.clone(),
                format!(
                    "The `{name}` query parameter value [{value}] is not a valid date and time: use YYYY-MM-DDTHH:mm:ssZ"
                ),
            ));
        }
        at
    }

    /// A comma-separated choice out of `allowed`, under any of several parameter names; `renamed` maps
    /// newer spellings to those of `allowed`.
    pub(crate) fn choices(
        &mut self,
        names: &[&'static str],
        allowed: &[&'static str],
        renamed: &[(&str, &'static str)],
    ) -> Vec<&'static str> {
        let mut chosen: Vec<&'static str> = Vec::new();
        for name in names {
            let Some(value) = self.text(name) else { continue };
            for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
                let known = allowed
                    .iter()
                    .copied()
                    .find(|choice| *choice == item)
                    .or_else(|| {
                        renamed
                            .iter()
                            .find(|(newer, _)| *newer == item)
                            .map(|(_, classic)| *classic)
                    });
                match known {
                    Some(choice) if chosen.contains(&choice) => {}
                    Some(choice) => chosen.push(choice),
                    None => self.faults.push(InvalidParameter::new(
                        *name,
                        item,
                        format!(
                            "The `{name}` query parameter value [{item}] is not one of [{}]",
                            allowed.join(",")
                        ),
                    )),
                }
            }
        }
        chosen
    }

    /// The window of a page, from any of several token parameters (search has two names for one).
    pub(crate) fn window(&mut self, names: &[&'static str], scope: &str) -> Window {
        let mut window = Window::Newest;
        for name in names {
            let Some(token) = self.text(name) else { continue };
            match read_token(&token, scope) {
                Some(found) => window = found,
                None => self.faults.push(InvalidParameter::new(
                    *name,
                    token.clone(),
                    format!("The `{name}` query parameter value [{token}] is not valid"),
                )),
            }
        }
        window
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// An `invalid-request` problem with every fault that was noted, and one for each name nobody asked for.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        if self.pairs.len() > MAX_PAIRS {
            self.faults.push(InvalidParameter::whole(format!(
                "more than {MAX_PAIRS} query parameters"
            )));
        }
        let mut strangers: Vec<&(String, String)> = Vec::new();
        for pair in self.pairs.iter().take(MAX_PAIRS) {
            if !self.asked.contains(&pair.0.as_str()) {
                strangers.push(pair);
            }
        }
        let mut valid = self.asked.clone();
        valid.sort_unstable();
        valid.dedup();
        for (name, value) in strangers {
            self.faults.push(InvalidParameter::new(
                name.clone(),
                value.clone(),
                format!("The query parameter [{name}] is not one of [{}]", valid.join(",")),
            ));
        }
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(&self.faults))
        }
    }
}

/// Decodes `a=b&c=d` as forms are (`+` is a space), leaving out the signature's own `oauth_*` pairs.
pub(crate) fn decode_pairs(raw: &str) -> Vec<(String, String)> {
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .filter(|(name, _)| !name.starts_with("oauth_"))
        .collect()
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8_lossy()
        .into_owned()
}

/// An id of 1 to 19 digits; zero is none.
pub(crate) fn parse_id(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > MAX_ID_DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|id| *id != 0)
}

/// `^[A-Za-z0-9_]{1,15}$`
pub(crate) fn is_username(text: &str) -> bool {
    (1..=15).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
#[path = "params_tests.rs"]
mod tests;
