//! `/`: the issues of a week, by developer or in one list, with totals, charts and filters.
use std::fmt::Write;
use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use flawless_base::dates::date_time;
use flawless_base::plural::counted;
use flawless_base::text::one_line;

use super::filters::{ActiveFilter, Form, link};
use super::table::{Section, Table, Tables, grouped};
use crate::app::App;
use crate::query::QueryMemory;
use crate::query::issues::{IssueFilter, IssueList, IssueTotals, Span, Wanted, list};
use crate::web::layout::asked::Asked;
use crate::web::layout::chart::Chart;
use crate::web::layout::form_fields::Typed;
use crate::web::layout::page::{PageError, page};
use crate::web::layout::visitor::PageContext;

/// The page of all developers shows at most this many issues of each.
const OF_EACH: usize = 50;
/// Issues on one page of all developers, at most.
const ISSUES: usize = 200;
/// The chart of a longer span has a bar per day instead of one per hour.
const MOST_HOURS: i64 = 15 * 24;
const HOUR_MS: i64 = 3_600_000;

#[derive(Template)]
#[template(path = "week/show.html")]
struct Page {
    context: PageContext,
    title: String,
    is_week: bool,
    problems: Vec<String>,
    missing: Vec<String>,
    earlier: String,
    later: Option<String>,
    /// The link to the current week, when another one is shown.
    this_week: Option<String>,
    empty: Empty,
    totals: Vec<Total>,
    chart: Chart,
    /// The other chart: its name and its link.
    other_chart: Option<(&'static str, String)>,
    form: Form,
    active: Vec<ActiveFilter>,
    clear: String,
    left_out: Vec<(String, String)>,
    sections: Vec<Section>,
    more_sections: Option<(usize, String)>,
    list: Option<Table>,
    /// The other view: its name and its link.
    other_view: (&'static str, String),
    paging: Paging,
}

/// Why there is nothing to show.
#[derive(PartialEq, Eq)]
enum Empty {
    No,
    /// No report has ever come in.
    Never,
    Filtered,
    Week,
}

struct Total {
    name: &'static str,
    now: String,
    before: String,
}

#[derive(Default)]
struct Paging {
    /// Numbers of the first and the last issue shown, and how many there are.
    shown: Option<(usize, usize, usize)>,
    earlier: Option<String>,
    later: Option<String>,
}

/// Redirects 0.4.5's address to this page, with its parameters.
pub(crate) async fn redirect(RawQuery(query): RawQuery) -> Response {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::temporary(&format!("/{query}")).into_response()
}

pub(crate) async fn show(
    // The filter reads the parameters itself, and says which are wrong.
    Asked { context, .. }: Asked<Typed>,
    State(app): State<App>,
    State(memory): State<Arc<QueryMemory>>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let now = app.clock.now();
    let timezone = &app.config.timezone;
    let query = query.unwrap_or_default();
    let (mut filter, problems) = IssueFilter::read(&query, now, timezone);
    // The issues of one developer are always a single list.
    let is_list = filter.flat || filter.developer.is_some();
    let wanted = if is_list { Wanted::Page } else { Wanted::OfEach { each: OF_EACH, all: ISSUES } };
    let mut found = list(&app, &memory.lists, &filter, wanted).await?;
    let pages = found.totals.issues.div_ceil(filter.page_size).max(1);
    if is_list && filter.page > pages {
        filter.page = pages;
        found = list(&app, &memory.lists, &filter, wanted).await?;
    }
    let empty = match found.totals.issues {
        0 if filter.is_narrow() => Empty::Filtered,
        0 if !app.store.has_seen_reports().await? => Empty::Never,
        0 => Empty::Week,
        _ => Empty::No,
    };
    let (earlier, later, this_week) = neighbours(&filter, found.span, now);
    let issues = std::mem::take(&mut found.issues);
    let seen = Seen { app: &app, filter: &filter, found: &found };
    let tables = Tables { app: &app, filter: &filter, found: &found };
    let (sections, table) = match is_list {
        true => (Vec::new(), Some(tables.table(issues, filter.developer.is_none()))),
        false => (tables.sections(issues), None),
    };
    let more = found.developers.len().saturating_sub(sections.len());
    let in_one_list = IssueFilter { flat: true, page: 1, ..filter.clone() };
    let by_developer = IssueFilter { flat: false, developer: None, page: 1, ..filter.clone() };
    Ok(page(&Page {
        title: seen.title(),
        is_week: matches!(filter.span, Span::Week { .. }),
        problems,
        missing: app.config.missing.clone(),
        earlier,
        later,
        this_week,
        empty,
        totals: totals(&found.totals, &found.before),
        chart: seen.chart(),
        other_chart: seen.other_chart(),
        form: Form::new(&filter, &found),
        active: ActiveFilter::all(&filter),
        clear: link(&IssueFilter { span: filter.span, ..IssueFilter::default() }),
        left_out: seen.left_out(),
        more_sections: (!is_list && more > 0).then(|| (more, link(&in_one_list))),
        other_view: match is_list {
            true => ("By developer", link(&by_developer)),
            false => ("In one list", link(&in_one_list)),
        },
        paging: if is_list { seen.paging() } else { Paging::default() },
        sections,
        list: table,
        context,
    }))
}

/// Links to the span before, to the one after unless it is still to come, and to the current week
/// when another one is shown.
fn neighbours(
    filter: &IssueFilter,
    (from, to): (i64, i64),
    now: i64,
) -> (String, Option<String>, Option<String>) {
    let page_of = |span| link(&IssueFilter { span, page: 1, ..filter.clone() });
    match filter.span {
        Span::Week { at, first_day } => {
            let week = |at| page_of(Span::Week { at: Some(at), first_day });
            let running = page_of(Span::Week { at: None, first_day });
            let is_past = to <= now;
            let this_week = (is_past || at.is_some_and(|_| from > now)).then_some(running);
            (week((from - 1).max(0)), is_past.then(|| week(to)), this_week)
        }
        Span::Between(..) => {
            let length = to - from;
            let later = Span::Between(to, to.saturating_add(length));
            let earlier = Span::Between(from.saturating_sub(length).max(0), from.max(1));
            (page_of(earlier), (to <= now).then(|| page_of(later)), None)
        }
    }
}

fn totals(now: &IssueTotals, before: &IssueTotals) -> Vec<Total> {
    let total = |name, now: usize, before: usize| Total {
        name,
        now: grouped(now as u64),
        before: grouped(before as u64),
    };
    vec![
        total("Issues", now.issues, before.issues),
        Total {
            name: "Occurrences",
            now: grouped(now.occurrences.unsigned_abs()),
            before: grouped(before.occurrences.unsigned_abs()),
        },
        total("New", now.new, before.new),
        total("Resolved", now.resolved, before.resolved),
        total("People", now.people, before.people),
    ]
}

struct Seen<'a> {
    app: &'a App,
    filter: &'a IssueFilter,
    found: &'a IssueList,
}

impl Seen<'_> {
    fn date(&self, at: i64) -> String {
        date_time(at, &self.app.config.timezone)
    }

    fn title(&self) -> String {
        let (from, to) = self.found.span;
        let (from, to) = (self.date(from), self.date(to - 1));
        let whose = match &self.filter.developer {
            Some(address) => format!(" of {}", one_line(address, 254)),
            None => String::new(),
        };
        format!("Errors{whose} from {} to {}", &from[..10], &to[..10])
    }

    fn has_hours(&self) -> bool {
        let (from, to) = self.found.span;
        (to - from) / HOUR_MS <= MOST_HOURS
    }

    fn chart(&self) -> Chart {
        let (from, to) = self.found.span;
        let by_hour = !self.filter.by_day && self.has_hours();
        let starts: Vec<i64> = match by_hour {
            true => {
                (from.div_euclid(HOUR_MS)..to.div_euclid(HOUR_MS)).map(|h| h * HOUR_MS).collect()
            }
            false => self.found.days.clone(),
        };
        let mut counts = vec![0_i64; starts.len()];
        for (at, count) in &self.found.by_hour {
            let place = starts.partition_point(|start| start <= at).saturating_sub(1);
            if let Some(sum) = counts.get_mut(place) {
                *sum = sum.saturating_add(*count);
            }
        }
        let length = if by_hour { 16 } else { 10 };
        let bars = starts.iter().zip(counts).map(|(at, count)| {
            let mut when = self.date(*at);
            when.truncate(length);
            (when, count)
        });
        let mut title = "Occurrences by ".to_owned();
        // Writing to a String cannot fail.
        let _ = write!(title, "{}", if by_hour { "hour" } else { "day" });
        let bars: Vec<(String, i64)> = bars.collect();
        if let Some((when, most)) = bars.iter().max_by_key(|(_, count)| *count) {
            let _ = write!(title, ", at most {} ({when})", grouped(most.unsigned_abs()));
        }
        Chart::new(&title, &bars)
    }

    fn other_chart(&self) -> Option<(&'static str, String)> {
        let by_day = !self.filter.by_day;
        let url = link(&IssueFilter { by_day, ..self.filter.clone() });
        self.has_hours().then_some((if by_day { "By day" } else { "By hour" }, url))
    }

    /// Links that show the issues which are hidden by default, with their number.
    fn left_out(&self) -> Vec<(String, String)> {
        let (known, old) = self.found.left_out;
        let with_known = IssueFilter { known_errors: true, page: 1, ..self.filter.clone() };
        let with_old = IssueFilter { old_code: true, page: 1, ..self.filter.clone() };
        let mut left_out = Vec::new();
        if known > 0 {
            let known = counted(known, "known error", "known errors");
            left_out.push((format!("Show {known} too"), link(&with_known)));
        }
        if old > 0 {
            let old = counted(old, "issue of old code", "issues of old code");
            left_out.push((format!("Show {old} too"), link(&with_old)));
        }
        left_out
    }

    fn paging(&self) -> Paging {
        let IssueFilter { page, page_size, .. } = *self.filter;
        let all = self.found.totals.issues;
        let first = (page - 1) * page_size + 1;
        let last = (page * page_size).min(all);
        let to = |page| link(&IssueFilter { page, ..self.filter.clone() });
        Paging {
            shown: (all > 0).then_some((first, last, all)),
            earlier: (page > 1).then(|| to(page - 1)),
            later: (last < all).then(|| to(page + 1)),
        }
    }
}
