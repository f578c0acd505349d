//! The name that somebody may have meant.

/// Names longer than this are not compared; the work grows with the product of the lengths.
const MAX_COMPARED: usize = 64;

/// The candidate that is nearest to a name, if one is near enough for a typing slip: at most a third of the
/// name differs. Letter case does not count.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    if wanted.len() > MAX_COMPARED {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_COMPARED)
        .map(|candidate| {
            (
                distance(&wanted, &candidate.to_lowercase().chars().collect::<Vec<_>>()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= wanted.len().max(candidate.chars().count()).div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be added, removed or replaced (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (above, from) in (1..).zip(a) {
        let mut diagonal = above - 1;
        let mut left = above;
        for (cell, to) in row.iter_mut().skip(1).zip(b) {
            let best = (diagonal + usize::from(from != to)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = above;
        }
    }
    row.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_typing_slips_and_nothing_else() {
        let tables = ["products", "product_posts", "orders"];
        for (typed, meant) in [
            ("product", Some("products")),
            ("prodcuts", Some("products")),
            ("ORDERS", Some("orders")),
            ("product_post", Some("product_posts")),
            ("invoices", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, tables), meant, "{typed}");
        }
    }
}
