//! What arrives in envelopes besides errors.
use serde_json::Value;

use super::fields::{list, number, text};

/// What an item of an envelope is, by its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// An error, unless the event says otherwise.
    Event,
    /// What a client had to drop.
    ClientReport,
    /// Something else, by the name under which it is counted.
    Other(&'static str),
}

impl Traffic {
    /// What items of this type are.
    pub fn of(item: &str) -> Self {
        match item {
            "event" => Self::Event,
            "client_report" => Self::ClientReport,
            "transaction" | "span" => Self::Other("transactions and spans"),
            "session" | "sessions" => Self::Other("sessions"),
            "log" | "otel_log" => Self::Other("logs"),
            "attachment" | "form_data" => Self::Other("attachments"),
            "check_in" => Self::Other("check-ins"),
            "profile" | "profile_chunk" | "profile_chunk_ui" => Self::Other("profiles"),
            "replay_event" | "replay_recording" | "replay_video" => Self::Other("replays"),
            "feedback" | "user_report" | "user_report_v2" => Self::Other("user feedback"),
            "statsd" | "metric_buckets" | "metric_meta" | "trace_metric" => Self::Other("metrics"),
            _ => Self::Other("items of an unknown type"),
        }
    }
}

/// Reasons that the program itself chose.
const CHOSEN: [&str; 4] = ["sample_rate", "before_send", "event_processor", "ignored"];

/// How many errors a client report says are lost. Those that the program chose to drop are not.
pub fn lost_errors(report: &Value) -> u64 {
    let lost = list(report, "discarded_events").into_iter().filter_map(|event| {
        let category = text(event, "category").unwrap_or_default();
        let reason = text(event, "reason").unwrap_or_default();
        let is_lost = ["error", "default"].contains(&&*category) && !CHOSEN.contains(&&*reason);
        let errors = number(event, "quantity").filter(|errors| *errors >= 1.0)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        is_lost.then_some(errors as u64)
    });
    lost.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lost_errors_are_counted_and_nothing_else() {
        let report = json!({"discarded_events": [
            {"reason": "queue_overflow", "category": "error", "quantity": 3},
            {"reason": "network_error", "category": "default", "quantity": "2"},
            {"reason": "network_error", "category": "session", "quantity": 5},
            {"reason": "before_send", "category": "error", "quantity": 7},
            {"reason": "queue_overflow", "category": "error", "quantity": -3},
            {"reason": "queue_overflow", "category": "error"},
            null,
        ]});
        assert_eq!(lost_errors(&report), 3 + 2);
        for odd in [json!(null), json!([]), json!({"discarded_events": 7})] {
            assert_eq!(lost_errors(&odd), 0);
        }
    }
}
