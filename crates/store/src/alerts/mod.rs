//! Alerts, and the mails and posts that result from them.

pub mod alert;
pub mod channels;
pub mod notifications;
pub mod outbox;
pub mod posts;
pub mod queues;
pub mod recipient;
pub mod refused;
pub mod unwanted;
