//! People, their mails and their roles.

pub(crate) mod address_retry;
pub(crate) mod list;
pub(crate) mod mails;
pub(crate) mod role_save;
pub(crate) mod roles;
pub(crate) mod show;
pub(crate) mod unsubscribe;
