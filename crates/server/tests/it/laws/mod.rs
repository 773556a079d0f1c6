//! The laws about the source tree.
mod rooms;
mod sources;
