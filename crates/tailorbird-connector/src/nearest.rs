//! "Did you mean …": the valid name nearest to a mistyped one.

/// The most edits at which a name still counts as a slip of the other.
const MAX_EDITS: usize = 3;

/// The candidate with the fewest edits from `given`, where it is near enough to be meant.
pub(crate) fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = MAX_EDITS.min(given.chars().count() / 2).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                distance(&given.to_lowercase(), &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(edits, _)| *edits <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, remove, replace a character) that turn one text into the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        let mut next = vec![before];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            let edits = if from == *to {
                diagonal
            } else {
                1 + diagonal.min(*above).min(before)
            };
            diagonal = *above;
            before = edits;
            next.push(edits);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Joins names as a sentence lists them.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_its_name_and_a_stranger_finds_none() {
        let names = ["text", "reply_to", "media_ids"];
        assert_eq!(nearest("txt", names), Some("text"));
        assert_eq!(nearest("Media_id", names), Some("media_ids"));
        assert_eq!(nearest("colour", names), None);
    }
}
