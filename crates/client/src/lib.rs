//! The client library of Flawless: it counts, redacts and sends exceptions from a thread of its
//! own, so that the program never waits and never fails because of it.
//!
//! A binding for a language tells the [`Client`] what occurred, captures an [`Event`] for what is
//! [`Owed`], and hands it over.

mod around;
mod authorities;
mod back_off;
mod client;
mod clock;
mod delivery;
mod endpoint;
mod event;
mod locals;
mod message;
mod owed;
mod printed;
mod process;
mod queue;
mod revision;
mod settings;
mod source;
mod thinning;
mod transport;

pub use around::{Around, Breadcrumb, Values};
pub use authorities::{Authorities, AuthorityError};
pub use client::Client;
pub use endpoint::{Endpoint, EndpointError};
pub use event::{Chained, Event, Exception, Frame, Relation, Request, Source};
pub use locals::Locals;
pub use owed::Owed;
pub use printed::{BEYOND, CUT, MESSAGE, NOTE, VALUE};
pub use queue::QueueBounds;
pub use revision::running_revision;
pub use settings::{Modules, Program, Settings};
pub use source::SourceFile;
pub use thinning::StackKey;
