//! Spoils good input for the fuzz targets, which take this file in by its path: cut, doubled, bent and swollen
//! input reaches deeper into a parser than chance alone, which is refused at the door.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Changes of one case at most.
const MAX_CHANGES: usize = 5;

/// How often a word is repeated at most: enough for a parser that calls itself, or that looks back each time.
const MAX_REPEATS: usize = 4_000;

/// The usual settings with a part of the cases, for targets whose cases write files; `PROPTEST_CASES` counts for them,
/// too, which it would not for a fixed number. Nothing is kept of failures: the printed input is what is needed.
pub(crate) fn fewer(part: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: (usual.cases / part).max(1),
        failure_persistence: None,
        ..usual
    }
}

/// Seeds with a few changes each; `words` are pieces that mean something to the parser.
pub(crate) fn spoilt(seeds: Vec<String>, words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => select(words).prop_map(str::to_owned),
        2 => ".{0,6}",
        1 => (select(words), 1..MAX_REPEATS).prop_map(|(word, times)| word.repeat(times)),
    ];
    let change = (0..4_u8, any::<Index>(), any::<Index>(), piece);
    (select(seeds), vec(change, 0..=MAX_CHANGES)).prop_map(|(seed, changes)| {
        let mut text: Vec<char> = seed.chars().collect();
        for (kind, one, other, piece) in changes {
            let (one, other) = (one.index(text.len() + 1), other.index(text.len() + 1));
            let (from, to) = (one.min(other), one.max(other));
            let near = to.min(from + 12);
            match kind {
                0 => drop(text.splice(from..near, piece.chars())),
                1 => drop(text.splice(from..from, piece.chars())),
                2 => drop(text.drain(from..to)),
                _ => {
                    let copy = text[from..to].to_vec();
                    drop(text.splice(to..to, copy));
                }
            }
        }
        text.into_iter().collect()
    })
}

/// The same for bytes, with bits turned besides.
pub(crate) fn spoilt_bytes(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let change = (0..5_u8, any::<Index>(), any::<Index>(), any::<u8>());
    (select(seeds), vec(change, 0..=MAX_CHANGES)).prop_map(|(mut bytes, changes)| {
        for (kind, one, other, byte) in changes {
            let (one, other) = (one.index(bytes.len() + 1), other.index(bytes.len() + 1));
            let (from, to) = (one.min(other), one.max(other));
            match kind {
                0 | 1 => {
                    if let Some(found) = bytes.get_mut(from) {
                        *found = if kind == 0 {
                            byte
                        } else {
                            *found ^ (1 << (byte % 8))
                        };
                    }
                }
                2 => bytes.insert(from, byte),
                3 => drop(bytes.drain(from..to)),
                _ => {
                    let copy = bytes[from..to].to_vec();
                    drop(bytes.splice(to..to, copy));
                }
            }
        }
        bytes
    })
}
