//! A layer of `tracing`: events of the level ERROR are reported, others become breadcrumbs.
use std::error::Error;
use std::fmt::{Debug, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::context::add_breadcrumb;
use crate::errors::report_as;
use crate::reporting::{Occurrence, occurred};
use crate::stack::frame;

/// The layer; [`layer`] makes it.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct FlawlessLayer;

/// A layer that reports each event of the level ERROR: the error in one of its fields (`error = &error
/// as &dyn Error`), else its message at the place that logged it. Events of the levels WARN and INFO
/// become breadcrumbs.
#[must_use]
pub fn layer() -> FlawlessLayer {
    FlawlessLayer
}

impl<S: Subscriber> Layer<S> for FlawlessLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut said = Said::default();
        match *metadata.level() {
            Level::ERROR => {}
            Level::WARN | Level::INFO => {
                event.record(&mut said);
                let level = if *metadata.level() == Level::WARN { "warning" } else { "info" };
                return add_breadcrumb(metadata.target(), level, &said.whole());
            }
            _ => return,
        }
        event.record(&mut said);
        if said.has_error {
            return;
        }
        let place = metadata.file().zip(metadata.line());
        let frames = place.map(|(file, line)| {
            vec![frame(file.to_owned(), line, metadata.module_path().unwrap_or_default())]
        });
        let occurrence = Occurrence {
            type_name: metadata.target(),
            mechanism: "tracing",
            handled: true,
            raised_at: None,
            frames,
        };
        occurred(occurrence, || (said.whole(), Vec::new()));
    }
}

/// What an event says. An error in one of its fields is reported at once.
#[derive(Default)]
struct Said {
    message: String,
    fields: String,
    has_error: bool,
}

impl Said {
    fn whole(&self) -> String {
        format!("{}{}", self.message, self.fields)
    }

    fn add(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, value);
    }

    fn record_error(&mut self, _: &Field, error: &(dyn Error + 'static)) {
        self.has_error = true;
        report_as(error, "tracing", None);
    }
}
