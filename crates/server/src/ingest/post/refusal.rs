//! Why something that was posted is not taken.
use axum::http::StatusCode;
use flawless_protocol::content_encoding::BodyError;

use crate::ingest::message::Unkept;

/// Why something that was posted is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ingest) enum Refusal {
    /// The key is missing.
    NoKey,
    /// The key is wrong; the reason.
    WrongKey(&'static str),
    /// It cannot be read; the reason.
    Malformed(String),
    /// The connection ended within it.
    CutOff,
    /// Its content encoding is not known; the reason.
    UnknownEncoding(String),
    /// It takes more room than it may have.
    Unkept(Unkept),
    /// It took too long to arrive.
    TooSlow,
    /// The server cannot take it at the moment; the reason.
    Later(String),
}

impl Refusal {
    /// The reason and the detail under which it is counted; `None` when it has been counted already.
    pub(super) fn counted_as(&self) -> Option<(&'static str, &str)> {
        Some(match self {
            Self::Malformed(why) => ("malformed request", why),
            Self::CutOff => ("cut off within a report", ""),
            Self::UnknownEncoding(why) => ("unknown content encoding", why),
            Self::Unkept(why) => (why.reason(), ""),
            Self::TooSlow => ("too slow to send a report", ""),
            Self::NoKey | Self::WrongKey(_) | Self::Later(_) => return None,
        })
    }

    /// The status of the answer. With 503 it is worth sending again.
    pub(in crate::ingest) fn status(&self) -> StatusCode {
        match self {
            Self::NoKey => StatusCode::UNAUTHORIZED,
            Self::WrongKey(_) => StatusCode::FORBIDDEN,
            Self::Malformed(_) | Self::CutOff => StatusCode::BAD_REQUEST,
            Self::UnknownEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unkept(why) if why.may_be_kept_later() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unkept(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Later(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What its sender is told.
    pub(in crate::ingest) fn detail(&self) -> &str {
        match self {
            Self::NoKey => "the key is missing",
            Self::CutOff => "the body is cut off",
            Self::TooSlow => "the body took too long to arrive",
            Self::WrongKey(why) => why,
            Self::Malformed(why) | Self::UnknownEncoding(why) | Self::Later(why) => why,
            Self::Unkept(why) => why.why(),
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(_) => Self::Unkept(Unkept::TooLarge),
            BodyError::Unknown(_) => Self::UnknownEncoding(error.to_string()),
            BodyError::Malformed(_) => Self::Malformed(error.to_string()),
        }
    }
}
