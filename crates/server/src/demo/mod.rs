//! The main job on one page: a repository with three developers, the real server, a failing
//! program, and the mail that comes of it.

mod mail_sink;
mod package;
mod program;
mod repository;

pub(crate) use mail_sink::MailSink;
pub(crate) use package::{Checkout, Package};
pub(crate) use program::{Addresses, PROGRAM, run_with_package, run_without_package};
pub(crate) use repository::make_repository;
