//! `demo`: the main job on sample data.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tailorbird_app::AppError;
use tailorbird_demo::{Demo, DemoEvent, Settings};

use crate::Ended;
use crate::args::DEFAULT_HOME;
use crate::commands::signals::Signals;
use crate::render::Render;

pub(crate) async fn run(
    home: &Path,
    keep_serving: bool,
    rows: u32,
    render: Render,
) -> Result<Ended, AppError> {
    let program = std::env::args().next().unwrap_or_else(|| "tailorbird".to_owned());
    let settings = Settings {
        home: home.join("demo"),
        rows,
        again: if home == Path::new(DEFAULT_HOME) {
            format!("{program} demo")
        } else {
            format!("{program} --home {} demo", home.display())
        },
        program,
    };
    let progress = Arc::new(move |event: DemoEvent| match event {
        DemoEvent::Stage(words) => {
            render.end_progress();
            render.talk(&words);
        }
        DemoEvent::Detail(words) => {
            render.end_progress();
            render.talk(&format!("    {words}"));
        }
        DemoEvent::Progress(words) => render.progress(&format!("    {words}")),
    });
    let demo = Demo::run(settings, progress).await?;
    render.end_progress();
    let summary = demo.summary();
    render.data(&json!(summary), || summary.to_text());
    if let Some(failure) = demo.mismatch() {
        demo.stop().await;
        return Err(AppError::from(failure));
    }
    if keep_serving {
        let mut signals = Signals::catch();
        render.talk(&demo.by_hand());
        signals.next().await;
    }
    demo.stop().await;
    Ok(Ended::Well)
}
