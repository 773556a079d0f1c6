//! The protocol of Sentry's clients: who sends, envelopes and their items, and events.
pub mod artifact_bundle;
mod auth;
mod envelope;
mod event;
pub(crate) mod fields;
mod frames;
mod older_body;
mod timestamp;
mod traffic;

pub use auth::{Auth, Dsn};
pub use envelope::{Envelope, Item};
pub use event::event_id;
pub use event::{Breadcrumb, Context, Event, Exception, Mechanism, Request, Thread};
pub use frames::Frame;
pub use older_body::older_body;
pub use timestamp::milliseconds;
pub use traffic::{Traffic, lost_errors};
