//! Which traces are kept: the samplers that OpenTelemetry names. No trace has a parent elsewhere, so the samplers that go
//! by one decide as those that they fall back to.

/// Decides by the trace, so that all parts of a run are kept or none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sampler {
    All,
    None,
    /// So many of 2^63.
    Share(u64),
}

/// The names, and what they stand for.
pub(super) const NAMES: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

impl Sampler {
    /// The sampler of a name and its argument; none where there is no such name or share.
    pub(super) fn of(name: &str, argument: Option<&str>) -> Option<Self> {
        match name.strip_prefix("parentbased_").unwrap_or(name) {
            "always_on" => Some(Self::All),
            "always_off" => Some(Self::None),
            "traceidratio" => share(argument.unwrap_or("1")),
            _ => None,
        }
    }

    /// Tells whether a trace is kept; by its last eight bytes, as other programs decide.
    pub(super) fn keeps(self, trace: [u8; 16]) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Share(below) => {
                let last = trace.last_chunk::<8>().copied().unwrap_or_default();
                u64::from_be_bytes(last) >> 1 < below
            }
        }
    }
}

/// A share from 0 to 1, as a number of 2^63, exactly: by decimals, since a float has no place for 63 bits.
fn share(text: &str) -> Option<Sampler> {
    const ALL: u64 = 1 << 63;
    /// Digits behind the point that count.
    const DIGITS: usize = 9;
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && rest.is_empty()) || !is_number(whole) || !is_number(rest) {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits: String = rest.chars().chain("000000000".chars()).take(DIGITS).collect();
    let billionths: u64 = digits.parse().ok()?;
    match (whole, billionths) {
        (1, 0) => Some(Sampler::All),
        (0, 0) => Some(Sampler::None),
        (0, some) => Some(Sampler::Share(ALL / 1_000_000_000 * some)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_sampler_and_others_are_none() {
        for name in NAMES {
            assert!(Sampler::of(name, Some("0.5")).is_some(), "{name}");
        }
        assert_eq!(Sampler::of("jaeger_remote", None), None);
        for (argument, sampler) in [
            ("1", Some(Sampler::All)),
            ("0", Some(Sampler::None)),
            ("1.0", Some(Sampler::All)),
        ] {
            assert_eq!(Sampler::of("traceidratio", Some(argument)), sampler, "{argument}");
        }
        for argument in ["2", "-1", "half", "", "1.5", "."] {
            assert_eq!(Sampler::of("traceidratio", Some(argument)), None, "{argument}");
        }
    }

    #[test]
    fn a_share_keeps_about_as_many_and_always_the_same() {
        let half = Sampler::of("traceidratio", Some("0.25")).unwrap();
        let traces = (0..=255_u8).map(|first| {
            let mut trace = [7; 16];
            trace[8] = first;
            trace
        });
        let kept = traces.clone().filter(|trace| half.keeps(*trace)).count();
        assert_eq!(kept, 64);
        assert_eq!(traces.filter(|trace| half.keeps(*trace)).count(), kept);
    }
}
