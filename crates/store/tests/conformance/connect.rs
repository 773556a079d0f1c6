//! How a store is opened, and what it says when that is impossible.
