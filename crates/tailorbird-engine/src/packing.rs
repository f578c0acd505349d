//! Which records share a request, where the operation takes a list.

use tailorbird_connector::Piece;
use tailorbird_model::service::Operation;

/// How many requests are filled at once. Records of more lists than this, say, that come mixed fill smaller batches.
const MAX_OPEN: usize = 64;

/// A request that is being filled.
struct Open {
    members: Vec<usize>,
    bytes: usize,
    most_bytes: usize,
}

/// Groups records that fit each other, at most `most` and as many bytes as the operation takes, in the order of their
/// first ones. Each is named by its place.
pub(crate) fn groups(operation: &Operation, pieces: &[Piece], most: usize) -> Vec<Vec<usize>> {
    let mut open: Vec<Open> = Vec::new();
    let mut full: Vec<Vec<usize>> = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let bytes = piece.bytes();
        let fits = |group: &Open| {
            let first = group.members.first().and_then(|first| pieces.get(*first));
            first.is_some_and(|first| first.fits(piece))
        };
        let place = open.iter().position(fits);
        if let Some(place) = place
            && let Some(group) = open.get_mut(place)
        {
            if group.members.len() < most && group.bytes + bytes <= group.most_bytes {
                group.members.push(index);
                group.bytes += bytes;
                continue;
            }
            full.push(open.remove(place).members);
        } else if open.len() >= MAX_OPEN {
            full.push(open.remove(0).members);
        }
        open.push(Open {
            members: vec![index],
            bytes,
            most_bytes: piece.most_bytes(operation),
        });
    }
    full.extend(open.into_iter().map(|group| group.members));
    full.sort_by_key(|members| members.first().copied());
    full
}

#[cfg(test)]
mod tests {
    use tailorbird_connector::{Request, RequestBody};
    use tailorbird_model::service::Method;

    use super::*;

    fn operation(max_bytes: u32) -> Operation {
        serde_json::from_value(serde_json::json!({
            "method": "POST", "path": "/a", "body": {"json": {"list": {}, "items": {"type": "list"}}},
            "batch": {"parameter": "items", "max": 100, "max_bytes": max_bytes},
        }))
        .unwrap()
    }

    fn piece(operation: &Operation, list: usize, item: &str) -> Piece {
        let request = Request {
            operation: Some("add".to_owned()),
            method: Method::Post,
            url: "https://api.example.com/a".to_owned(),
            headers: Vec::new(),
            body: RequestBody::Json(format!("{{\"list\":{list},\"items\":[\"{item}\"]}}")),
        };
        Piece::of(operation, &request).unwrap()
    }

    #[test]
    fn what_fits_shares_up_to_the_number_and_the_bytes() {
        let roomy = operation(1_000_000);
        let mixed: Vec<Piece> = (0..7).map(|n| piece(&roomy, n % 2, "x")).collect();
        assert_eq!(groups(&roomy, &mixed, 3), [vec![0, 2, 4], vec![1, 3, 5], vec![6]]);
        // `{"list":0,"items":[…]}` leaves room for three items of three bytes and their commas.
        let tight = operation(22 + 12);
        let same: Vec<Piece> = (0..4).map(|_| piece(&tight, 0, "x")).collect();
        assert_eq!(groups(&tight, &same, 100), [vec![0, 1, 2], vec![3]]);
        let many: Vec<Piece> = (0..200).map(|n| piece(&roomy, n % 100, "x")).collect();
        let grouped = groups(&roomy, &many, 10);
        let mut all: Vec<usize> = grouped.concat();
        all.sort_unstable();
        assert_eq!(
            all,
            (0..200).collect::<Vec<_>>(),
            "more lists than are filled at once"
        );
    }
}
