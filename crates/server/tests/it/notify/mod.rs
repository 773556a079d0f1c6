//! Who is notified, and when.
mod alerts;
