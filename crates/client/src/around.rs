//! What surrounded an exception: what the program did, for whom, and what happened before.

/// Printed values by name, in the order to be told.
pub type Values = Vec<(String, String)>;

/// All that is told of an exception beside itself and the web request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// Whether the program went on.
    pub handled: Option<bool>,
    /// What saw the exception, e.g. `excepthook`.
    pub mechanism: String,
    /// The endpoint, task or command that ran.
    pub transaction: String,
    /// For whom.
    pub user: Values,
    /// Short facts.
    pub tags: Values,
    /// Facts that belong together, by the name of the whole.
    pub contexts: Vec<(String, Values)>,
    /// What happened before, oldest first.
    pub breadcrumbs: Vec<Breadcrumb>,
    /// Name of the thread.
    pub thread: String,
    /// Name of the task.
    pub task: String,
    /// The trace of OpenTelemetry.
    pub trace_id: String,
}

/// Something that happened before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breadcrumb {
    /// Milliseconds since 1970.
    pub at: i64,
    /// What kind of thing it was, e.g. `query`.
    pub category: String,
    /// E.g. `info`.
    pub level: String,
    /// What happened.
    pub message: String,
    /// More of it.
    pub data: Values,
}

impl Around {
    /// About how many bytes it takes.
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
