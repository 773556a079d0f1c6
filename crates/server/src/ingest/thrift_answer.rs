//! What a call is answered with, however it came in.
use std::sync::Arc;

use flawless_protocol::thrift::{CallKind, RecordErrorRequest, Reply};

use super::thrift_convert::{lost_count, report_from};
use crate::clients_seen::ClientsSeen;
use crate::intake::Intake;
use crate::project_keys::ProjectKeys;

/// Whether a report without a project key is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyIs {
    /// Older clients have none; a wrong one is refused.
    Optional,
    /// There must be one.
    Required,
}

/// Answers calls.
#[derive(Debug, Clone)]
pub struct Answerer {
    /// Where reports go.
    pub intake: Intake,
    /// The keys that are accepted.
    pub project: Arc<ProjectKeys>,
    /// Which clients reported.
    pub clients: Arc<ClientsSeen>,
}

impl Answerer {
    /// The answer to a call of `peer`. A report is durable when it says so.
    pub(super) async fn answer(&self, kind: CallKind, key_is: KeyIs, peer: &str) -> Reply {
        match kind {
            CallKind::Ping => Reply::Pong,
            CallKind::Unknown => Reply::UnknownMethod,
            CallKind::Malformed(error) => {
                self.intake.refuse("malformed request", format!("{error} from {peer}"));
                Reply::Malformed(error.to_string())
            }
            CallKind::RecordError(request) => self.record(*request, key_is, peer).await,
        }
    }

    async fn record(&self, request: RecordErrorRequest, key_is: KeyIs, peer: &str) -> Reply {
        let refusal = match request.project_key.as_deref().filter(|key| !key.is_empty()) {
            None if key_is == KeyIs::Required => Some(("no project key", "it carries none")),
            Some(key) if !self.project.accept(key) => {
                Some(("wrong project key", "it is none of this server's"))
            }
            _ => None,
        };
        if let Some((reason, why)) = refusal {
            self.intake.refuse(reason, format!("from {peer}"));
            return Reply::Refused(format!(
                "the report needs the project key in field 10, and {why}: flawless projects, on \
                 the server, shows the address that holds it"
            ));
        }
        let lost = lost_count(&request);
        match self.intake.submit(report_from(request), lost).await {
            Ok(()) => Reply::Recorded,
            Err(error) => Reply::Failed(error.to_string()),
        }
    }
}
