//! Small tools that are independent of Flawless.

pub mod backoff;
pub mod clock;
pub mod dates;
pub mod hex;
pub mod plural;
pub mod remembered;
pub mod secret;
pub mod text;
