//! Fuzz target: whatever the environment says about traces is read or told.

use proptest::prelude::*;

use super::TraceSettings;
use super::settings::pairs;

use crate::webhooks::fuzz::spoil::{fewer, spoilt};

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn variables(text in spoilt(
        ["http://127.0.0.1:4318", "api-key=a%20b,x=1", "traceidratio", "0.25", "10000"].map(str::to_owned).into(),
        &["=", ",", "%", "%zz", "%00", ".", "0", "9", "é", "\u{0}", "http://", "-"],
    )) {
        let (_, notes) = TraceSettings::read(|_| Some(text.clone()));
        prop_assert!(notes.iter().all(|note| note.ends_with('.')));
        for (name, value) in pairs(&text).0 {
            prop_assert!(!name.is_empty() && !value.contains(char::is_control));
        }
    }
}
