//! Time window and nonce memory.

use tailorbird_oauth::{NonceMemory, Rejection, TimeWindow, Timestamp};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

#[test]
fn the_window_says_how_far_off_a_clock_is() {
    let window = TimeWindow {
        past_seconds: 300,
        future_seconds: 60,
    };
    let now = at(10_000);
    assert_eq!(window.check(at(9_700), now), Ok(()));
    assert_eq!(window.check(at(10_060), now), Ok(()));
    let behind = window.check(at(9_588), now).unwrap_err();
    assert_eq!(
        behind,
        Rejection::TimestampOutside {
            offset_seconds: -412,
            allowed_seconds: 300
        }
    );
    assert_eq!(
        behind.to_string(),
        "oauth_timestamp is 412 seconds behind; at most 300 are allowed"
    );
    let ahead = window.check(at(10_061), now).unwrap_err();
    assert_eq!(
        ahead.to_string(),
        "oauth_timestamp is 61 seconds ahead; at most 60 are allowed"
    );
    assert!(window.check(at(u64::MAX), now).is_err());
}

#[test]
fn a_nonce_is_used_once_per_timestamp_client_and_token() {
    let mut memory = NonceMemory::new(100, 300);
    let now = at(1_000);
    assert_eq!(memory.remember("c", Some("t"), now, "n", now), Ok(()));
    assert_eq!(
        memory.remember("c", Some("t"), now, "n", now),
        Err(Rejection::NonceUsed)
    );
    assert_eq!(memory.remember("c", Some("t"), at(1_001), "n", now), Ok(()));
    assert_eq!(memory.remember("c", Some("t2"), now, "n", now), Ok(()));
    assert_eq!(memory.remember("c", None, now, "n", now), Ok(()));
    assert_eq!(memory.remember("d", Some("t"), now, "n", now), Ok(()));
    // The same letters, parted otherwise.
    assert_eq!(memory.remember("c", Some("tn"), now, "", now), Ok(()));
    assert_eq!(memory.remember("ct", Some(""), now, "n", now), Ok(()));
    assert_eq!(memory.len(), 7);
}

#[test]
fn nonces_are_forgotten_when_their_timestamps_expire() {
    let mut memory = NonceMemory::new(100, 300);
    assert_eq!(memory.remember("c", None, at(1_000), "n", at(1_000)), Ok(()));
    assert_eq!(memory.remember("c", None, at(1_300), "m", at(1_300)), Ok(()));
    assert_eq!(memory.len(), 2, "300 seconds later it is still there");
    assert_eq!(memory.remember("c", None, at(1_301), "o", at(1_301)), Ok(()));
    assert_eq!(memory.len(), 2, "a second later it is not");
    assert_eq!(
        memory.remember("c", None, at(1_000), "n", at(1_301)),
        Err(Rejection::NonceForgotten {
            oldest_seconds: 1_000
        }),
        "and its repetition must not pass for that"
    );
}

#[test]
fn a_flood_never_makes_a_repetition_pass() {
    let mut memory = NonceMemory::new(10, 300);
    let now = at(1_000);
    assert_eq!(memory.remember("c", None, at(900), "victim", now), Ok(()));
    for number in 0..50_u64 {
        let timestamp = at(901 + number);
        assert_eq!(memory.remember("c", None, timestamp, "flood", now), Ok(()));
        assert!(memory.len() <= 10);
    }
    assert_eq!(
        memory.remember("c", None, at(900), "victim", now),
        Err(Rejection::NonceForgotten { oldest_seconds: 940 })
    );
    assert_eq!(
        memory.remember("c", None, at(945), "flood", now),
        Err(Rejection::NonceUsed)
    );
    assert_eq!(memory.remember("c", None, at(999), "fresh", now), Ok(()));
}
