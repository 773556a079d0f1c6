//! Channels: webhooks that receive alerts.
mod posts;
mod set_up;
