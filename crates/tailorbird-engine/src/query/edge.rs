//! Looks whether a LIMIT cut off rows that a cursor is about to pass (never-twice rule 14).
//!
//! A statement with a LIMIT shows its first rows only. Where the rows are not in the cursor's order, or several have
//! the value at which the LIMIT ends, the rest would never be read, and nothing in what was read tells of it. So before
//! a cursor goes on behind a LIMIT that was filled, the rows up to it are counted without the LIMIT.

use std::collections::BTreeMap;
use std::sync::Arc;

use tailorbird_model::task::QueryCursor;
use tailorbird_model::{Failure, Name, Value};

use crate::cursor::unfit;
use crate::drive::Driver;
use crate::durable::RunEnd;
use crate::plan::QueryPlan;
use crate::tail::blocking;

/// The parameter of the count that holds the cursor's next value.
const EDGE: &str = "tailorbird_edge";

/// A statement and the LIMIT at its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limited<'s> {
    without: &'s str,
    rows: u64,
}

impl<'s> Limited<'s> {
    /// Takes the LIMIT off a statement that ends with one: a number, or a parameter that is one.
    pub(super) fn of(sql: &'s str, parameters: &BTreeMap<String, Value>) -> Option<Self> {
        let sql = sql.trim_end().trim_end_matches(';').trim_end();
        let (rest, number) = sql.rsplit_once(char::is_whitespace)?;
        let rows = match number.strip_prefix(':') {
            Some(name) => match parameters.get(name)? {
                Value::Integer(rows) => u64::try_from(*rows).ok()?,
                _ => return None,
            },
            None => number.parse().ok()?,
        };
        let rest = rest.trim_end();
        let (before, word) = rest.rsplit_once(char::is_whitespace)?;
        let without = before.trim_end();
        word.eq_ignore_ascii_case("limit")
            .then_some(Self { without, rows })
    }

    /// Tells whether so many rows fill it.
    pub(super) fn is_filled_by(&self, rows: u64) -> bool {
        rows >= self.rows
    }

    /// The statement that counts the rows up to a value, and its parameters.
    fn count(
        &self,
        column: &str,
        parameters: &BTreeMap<String, Value>,
        edge: &Value,
    ) -> (String, BTreeMap<String, Value>) {
        let (without, column) = (self.without, column.replace('"', "\"\""));
        // On lines of its own, so that a comment at the statement's end hides nothing.
        let sql =
            format!("select count(*) as rows_up_to_it from (\n{without}\n) where \"{column}\" <= :{EDGE}");
        let is_asked = |name: &str| {
            let after = |(at, _): (usize, &str)| without.get(at + name.len() + 1..).unwrap_or_default();
            let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            without.match_indices(&format!(":{name}")).map(after).any(ends)
        };
        let mut asked: BTreeMap<String, Value> = parameters
            .iter()
            .filter(|(name, _)| is_asked(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        asked.insert(EDGE.to_owned(), edge.clone());
        (sql, asked)
    }
}

impl Driver {
    /// How many rows up to `edge` a filled LIMIT cut off, of which `read` were read; nothing where that cannot be told.
    pub(super) async fn cut_off(
        &self,
        query: &QueryPlan,
        limited: &Limited<'_>,
        parameters: &BTreeMap<String, Value>,
        edge: &Value,
        read: u64,
    ) -> Result<Option<u64>, RunEnd> {
        let Some(cursor) = &query.step.cursor else {
            return Ok(None);
        };
        let (sql, asked) = limited.count(&cursor.column, parameters, edge);
        let (resources, database) = (Arc::clone(&self.engine.resources), query.step.database.clone());
        let counted = blocking(move || Ok(resources.database(&database)?.query(&sql, &asked, 1)?)).await;
        // The count is a look beside the reading. Where it cannot be made of a statement, nothing is known.
        let Ok(counted) = counted else {
            return Ok(None);
        };
        let up_to = counted
            .records
            .first()
            .and_then(|row| match row.get("rows_up_to_it") {
                Some(Value::Integer(rows)) => u64::try_from(*rows).ok(),
                _ => None,
            });
        Ok(up_to.map(|rows| rows.saturating_sub(read)))
    }
}

/// Why a cursor must not go on.
pub(super) fn passes_over(
    step: &Name,
    cursor: &QueryCursor,
    limited: &Limited<'_>,
    edge: &Value,
    left: u64,
) -> Failure {
    let column = &cursor.column;
    let message = format!(
        "step `{step}`: the cursor column `{column}` is not unique, or rows do not come in its order"
    );
    let detail = format!(
        "The statement gave the {} rows of its LIMIT, up to {edge}; {left} more rows have this value or a smaller one. The \
         LIMIT cut them off, and the cursor would pass them over.",
        limited.rows
    );
    unfit(message, &detail).hint(format!(
        "Write `order by {column}` before the LIMIT, and take a column whose values are unique and grow, such as the primary \
         key. Or leave the LIMIT out: rows are read in chunks."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> BTreeMap<String, Value> {
        BTreeMap::from([
            ("cursor".to_owned(), Value::Integer(3)),
            ("most".to_owned(), Value::Integer(7)),
        ])
    }

    #[test]
    fn a_limit_at_the_end_is_taken_off() {
        let limited =
            |sql| Limited::of(sql, &parameters()).map(|limited| (limited.without.to_owned(), limited.rows));
        let some = |rows| Some(("select a from t".to_owned(), rows));
        assert_eq!(limited("select a from t limit 5"), some(5));
        assert_eq!(limited("select a from t\n  LIMIT\t5 ; \n"), some(5));
        assert_eq!(limited("select a from t limit :most"), some(7));
        for other in [
            "select a from t",
            "select a from t limit 5 offset 2",
            "select a from (select a from t limit 5)",
            "select a from t limit :absent",
            "select 5",
            "",
        ] {
            assert_eq!(limited(other), None, "{other}");
        }
    }

    #[test]
    fn the_count_gets_the_parameters_that_are_left() {
        let parameters = parameters();
        let limited = Limited::of("select a from t where a > :cursor limit :most", &parameters).unwrap();
        let (sql, asked) = limited.count("a\"b", &parameters, &Value::Integer(9));
        assert!(sql.ends_with(") where \"a\"\"b\" <= :tailorbird_edge"), "{sql}");
        assert_eq!(asked.keys().collect::<Vec<_>>(), ["cursor", "tailorbird_edge"]);
    }
}
