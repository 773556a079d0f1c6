//! Reports panics and errors of a Rust program to a Flawless server, which
//! notifies the one developer who last changed the line.
//!
//! ```no_run
//! // In `main`:
//! let _flawless = flawless::init(flawless::Options {
//!     release: flawless::release!(),
//!     environment: Some("production".into()),
//!     ..flawless::Options::with_dsn("http://KEY@flawless.example.com:8080/1")
//! })
//! .expect("the address of the server");
//! // A panic is reported from now on, and so is an error that is handed over:
//! if let Err(error) = "seven".parse::<u32>() {
//!     flawless::report(&error);
//! }
//! ```
//!
//! Nothing here blocks, fails or panics: reports go into a bounded queue, and a thread of its own sends
//! them. Only [`Guard::flush`], and dropping the guard, wait for a moment.

mod clock;
mod context;
mod errors;
mod guard;
#[cfg(feature = "tracing")]
mod layer;
mod options;
mod panics;
mod reporting;
mod stack;
pub mod testing;

pub use context::{add_breadcrumb, set_tag, set_transaction, set_user};
#[cfg(feature = "anyhow")]
pub use errors::report_anyhow;
pub use errors::{report, report_message};
pub use flawless_client::EndpointError;
pub use guard::{Guard, InitError, init};
#[cfg(feature = "tracing")]
pub use layer::{FlawlessLayer, layer};
pub use options::{Options, Release};
