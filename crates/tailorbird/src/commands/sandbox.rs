//! `sandbox`: the provider.

use tailorbird_app::AppError;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_sandbox::{LegacyV1, LimitMode, Settings, Verify};

use crate::Ended;
use crate::args::{SandboxArguments, sandbox};
use crate::commands::input;
use crate::commands::signals::Signals;
use crate::render::Render;

pub(crate) async fn run(arguments: SandboxArguments, render: Render) -> Result<Ended, AppError> {
    let faults = match &arguments.faults {
        Some(file) => serde_json::from_str(&input::text(file)?).map_err(|error| {
            let message = format!("the faults in {} cannot be read: {error}", file.display());
            AppError::usage(Failure::new(codes::FILE_UNREADABLE, Meaning::Rejected, message).hint(
                "Write a list such as [{\"match\":\"POST /2/tweets\",\"nth\":3,\"do\":\"lose_answer\"}]; `do` is one of \
                 lose_answer, cut, delay, 429, 503 and bad_json.",
            ))
        })?,
        None => Vec::new(),
    };
    let settings = Settings {
        listen: arguments.listen,
        tls_listen: arguments.tls_listen,
        ca_out: arguments.ca_out,
        proxy_listen: arguments.proxy_listen,
        legacy_v1: match arguments.legacy_v1 {
            sandbox::LegacyV1::Open => LegacyV1::Open,
            sandbox::LegacyV1::Closed => LegacyV1::Closed,
        },
        verify: match arguments.verify {
            sandbox::Verify::Strict => Verify::Strict,
            sandbox::Verify::Lenient => Verify::Lenient,
        },
        limits: match arguments.limits {
            sandbox::Limits::X => LimitMode::X,
            sandbox::Limits::Off => LimitMode::Off,
        },
        faults,
        state: arguments.state,
    };
    let running = tailorbird_sandbox::start(settings).await.map_err(start_failure)?;
    let mut signals = Signals::catch();
    let ready = serde_json::to_value(running.addresses()).unwrap_or_default();
    render.json_line(&ready);
    let (user, password) = running.account();
    render.talk(&format!(
        "The sandbox is ready. Portal: {}  Sign in as {user} with the password {password}. Ctrl-C ends it.",
        running.addresses().portal
    ));
    signals.next().await;
    running.stop().await;
    Ok(Ended::Well)
}

/// Says why the sandbox could not start, with its causes.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(crate) fn start_failure(error: tailorbird_sandbox::StartError) -> AppError {
    let causes: Vec<String> = std::iter::successors(std::error::Error::source(&error), |e| e.source())
        .map(ToString::to_string)
        .collect();
    AppError::from(
        Failure::new(codes::SANDBOX_START, Meaning::Rejected, error.to_string())
            .detail(causes.join(": "))
            .hint("Port 0 takes a free port; the sandbox listens on loopback addresses only."),
    )
}
