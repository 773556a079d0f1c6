//! Secrets are taken out before anything is stored.
mod redacted;
mod secrets;
mod slow_patterns;
