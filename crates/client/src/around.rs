//! The context of an exception: what the program was doing, for whom, and what happened before.

/// Printed values by name, in display order.
pub type Values = Vec<(String, String)>;

/// Everything reported with an exception besides the exception itself and the web request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// Whether the program carried on afterwards.
    pub handled: Option<bool>,
    /// The hook or integration that saw the exception, e.g. `excepthook`.
    pub mechanism: String,
    /// The endpoint, task or command that was running.
    pub transaction: String,
    /// The user the program was working for.
    pub user: Values,
    /// Short facts.
    pub tags: Values,
    /// Groups of facts, each under one name.
    pub contexts: Vec<(String, Values)>,
    /// Events before the exception, oldest first.
    pub breadcrumbs: Vec<Breadcrumb>,
    /// Name of the thread.
    pub thread: String,
    /// Name of the asynchronous task.
    pub task: String,
    /// The OpenTelemetry trace id.
    pub trace_id: String,
}

/// An event before the exception.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breadcrumb {
    /// Milliseconds since 1970.
    pub at: i64,
    /// The kind of event, e.g. `query`.
    pub category: String,
    /// E.g. `info`.
    pub level: String,
    /// The event in words.
    pub message: String,
    /// Details of the event.
    pub data: Values,
}

impl Around {
    /// Its approximate size in bytes.
    pub(crate) fn size(&self) -> usize {
        let values = |values: &Values| -> usize {
            values.iter().map(|(name, value)| 48 + name.len() + value.len()).sum()
        };
        let contexts = self.contexts.iter().map(|(name, of)| name.len() + values(of));
        let breadcrumbs = self.breadcrumbs.iter().map(|breadcrumb| {
            let Breadcrumb { at: _, category, level, message, data } = breadcrumb;
            size_of::<Breadcrumb>() + category.len() + level.len() + message.len() + values(data)
        });
        let rest = self.transaction.len() + values(&self.user) + values(&self.tags);
        rest + contexts.sum::<usize>() + breadcrumbs.sum::<usize>()
    }
}
