//! The samples that are kept of an issue: the one that is shown, and links to the others.
use flawless_base::text::one_line;
use flawless_store::{KeptSample, Sample, StoreError};

use crate::app::App;
use crate::show::links;
use crate::web::layout::moment::Moment;

/// The navigation between the samples of an issue.
pub(crate) struct Samples {
    /// From the first to the newest.
    pub(crate) links: Vec<SampleLink>,
    /// The samples before and after the one that is shown.
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
    /// When the shown sample was received.
    pub(crate) at: Option<Moment>,
    /// Why the shown sample cannot be read.
    pub(crate) unreadable: Option<String>,
    /// The requested sample is no longer kept, so the newest is shown.
    pub(crate) is_other: bool,
}

/// A link to a sample.
pub(crate) struct SampleLink {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) at: Moment,
    pub(crate) host: String,
    pub(crate) message: String,
    pub(crate) is_shown: bool,
}

impl Samples {
    /// Reads the samples of an issue and picks the one to show: that of `slot`, else the newest.
    pub(crate) async fn of(
        app: &App,
        issue: i64,
        slot: Option<&str>,
    ) -> Result<(Self, Option<Sample>), StoreError> {
        let mut kept = app.store.samples_of(issue).await?;
        let asked = slot.and_then(|slot| slot.parse().ok());
        let found = kept.iter().position(|sample| Some(sample.slot) == asked);
        let at = found.or(kept.len().checked_sub(1));
        let count = kept.len();
        let links: Vec<SampleLink> = kept
            .iter()
            .enumerate()
            .map(|(place, sample)| link(app, issue, sample, place, count, at == Some(place)))
            .collect();
        let url = |place: Option<usize>| {
            place.and_then(|place| links.get(place)).map(|link| link.url.clone())
        };
        let (previous, next) = (url(at.and_then(|at| at.checked_sub(1))), url(at.map(|at| at + 1)));
        let shown = at.map(|at| kept.swap_remove(at));
        let received_at = shown.as_ref().map(|shown| Moment::new(shown.received_at, app));
        let (sample, unreadable) = match shown.map(|shown| shown.sample) {
            None => (None, None),
            Some(Ok(sample)) => (Some(sample), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        let is_other = slot.is_some() && found.is_none();
        Ok((Self { links, previous, next, at: received_at, unreadable, is_other }, sample))
    }
}

fn link(
    app: &App,
    issue: i64,
    kept: &KeptSample,
    place: usize,
    count: usize,
    is_shown: bool,
) -> SampleLink {
    let name = match place {
        // The very first may have been deleted.
        _ if count == 1 => "the only one".to_owned(),
        0 if kept.slot == 0 => "first".to_owned(),
        place if place + 1 == count => "newest".to_owned(),
        place => format!("{} before the newest", count - 1 - place),
    };
    let report = kept.sample.as_ref().ok().map(|sample| &sample.report);
    SampleLink {
        url: links::sample("", issue, kept.slot),
        name,
        at: Moment::new(kept.received_at, app),
        host: report.map(|report| one_line(&report.hostname, 60)).unwrap_or_default(),
        message: match report {
            Some(report) => one_line(&report.exception_message, 80),
            None => "cannot be read".to_owned(),
        },
        is_shown,
    }
}
