//! What the environment may say. Nothing else reads it.

use tailorbird_app::{Clock, TraceSettings, system_clock};

/// The time that schedules go by: the system's.
#[cfg(not(debug_assertions))]
pub(crate) fn clock() -> Clock {
    system_clock()
}

/// The time that schedules go by: the system's, in debug builds plus the milliseconds that the file named by
/// `TAILORBIRD_TEST_CLOCK` holds at that moment. So a test can let days pass, or set the clock back, while the
/// program runs; a released program does not know the variable.
#[cfg(debug_assertions)]
pub(crate) fn clock() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "this is config.rs")]
    let Ok(file) = std::env::var("TAILORBIRD_TEST_CLOCK") else {
        return system_clock();
    };
    let system = system_clock();
    std::sync::Arc::new(move || {
        let now = system();
        let milliseconds: i64 = std::fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or_default();
        let shift = std::time::Duration::from_millis(milliseconds.unsigned_abs());
        let moved = if milliseconds < 0 {
            now.checked_sub(shift)
        } else {
            now.checked_add(shift)
        };
        moved.unwrap_or(now)
    })
}

/// What tests ask for at fault points: `TAILORBIRD_FAULT`. A released program does not know the variable.
#[cfg(debug_assertions)]
pub(crate) fn fault() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is config.rs")]
    std::env::var("TAILORBIRD_FAULT").ok()
}

/// The file that takes each fault point as it is reached: `TAILORBIRD_FAULT_LOG`. A released program does not know the
/// variable.
#[cfg(debug_assertions)]
pub(crate) fn fault_log() -> Option<std::path::PathBuf> {
    std::env::var_os("TAILORBIRD_FAULT_LOG").map(Into::into)
}

/// How long one request may take in all, in milliseconds: `TAILORBIRD_TEST_TIMEOUT`. A doubt may be called absent when
/// that time is over, so tests of crashes would wait for half a minute otherwise. A released program does not know the
/// variable.
#[cfg(debug_assertions)]
pub(crate) fn shorter_timeout() -> Option<std::time::Duration> {
    #[expect(clippy::disallowed_methods, reason = "this is config.rs")]
    let text = std::env::var("TAILORBIRD_TEST_TIMEOUT").ok()?;
    text.parse().ok().map(std::time::Duration::from_millis)
}

/// Where traces go, by the variables that OpenTelemetry has for every program; and what is wrong with them.
pub(crate) fn traces() -> (Option<TraceSettings>, Vec<String>) {
    #[expect(clippy::disallowed_methods, reason = "this is config.rs")]
    TraceSettings::read(|name| std::env::var(name).ok())
}
