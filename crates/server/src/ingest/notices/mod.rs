//! The protocols of Airbrake's and Rollbar's notifiers.
pub(crate) mod http;
