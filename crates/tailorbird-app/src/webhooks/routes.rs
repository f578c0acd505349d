//! Which task a path belongs to.

use std::collections::HashMap;

use tailorbird_model::task::trigger::WebhookTrigger;
use tailorbird_model::{Failure, Name};
use tailorbird_store::TasksMark;

use crate::{App, tasks};

/// A path's task.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) task: Name,
    pub(super) hook: WebhookTrigger,
}

/// The paths of all tasks, as of a state of the tasks.
#[derive(Debug, Default)]
pub(super) struct Routes {
    mark: Option<TasksMark>,
    routes: HashMap<String, Route>,
}

impl Routes {
    /// The route of a path. Tasks that were applied or changed meanwhile, by whatever process, count.
    pub(super) fn find(&mut self, app: &App, path: &str) -> Result<Option<Route>, Failure> {
        let mark = app.store.tasks_mark()?;
        if self.mark != Some(mark) {
            self.routes = all(app)?;
            self.mark = Some(mark);
        }
        Ok(self.routes.get(path).cloned())
    }
}

/// All paths. A disabled task keeps its path: what comes waits until it is enabled.
pub(super) fn all(app: &App) -> Result<HashMap<String, Route>, Failure> {
    let mut routes: HashMap<String, Route> = HashMap::new();
    for stored in app.store.tasks()? {
        // A task that this version cannot read has no path; `task list` tells about it.
        let Ok(task) = tasks::parse(&stored) else { continue };
        let Some(hook) = task.trigger.webhook else {
            continue;
        };
        let path = hook.path.to_string();
        let route = Route {
            task: task.task,
            hook,
        };
        // `task apply` lets a path be given twice only where one task is the other one's new name.
        let is_renamed = routes
            .get(&path)
            .is_some_and(|known| task.formerly.as_ref() != Some(&known.task));
        if !is_renamed {
            routes.insert(path, route);
        }
    }
    Ok(routes)
}
