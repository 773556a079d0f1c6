//! Issues: the list of the week's page, and a single issue with all its details.
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use flawless_base::text::{cut, one_line, plain};
use flawless_store::IssueRow;
use serde::Serialize;
use url::form_urlencoded::{Serializer, parse};
use utoipa::ToSchema;

use super::answer::Answer;
use super::caller::Caller;
use super::input::{At, Parameters};
use super::issue_query::IssueQuery;
use super::problem::Problem;
use super::time::Time;
use crate::app::App;
use crate::query::QueryMemory;
use crate::query::issues::{self, IssueList, ListedIssue, Wanted};
use crate::show::links;
use crate::show::regression::resolution_in_words;
use crate::show::why::{confidence_in_words, considered, way_to_owner};

/// A page of issues.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Issues {
    /// Start of the span.
    from: Time,
    /// End of the span.
    to: Time,
    /// Totals of all issues that match.
    totals: TotalsBody,
    /// Totals of the span before.
    before: TotalsBody,
    /// The start of each day of the span.
    days: Vec<Time>,
    issues: Vec<ListedIssueBody>,
    page: usize,
    per_page: usize,
    /// The address of the next page.
    next: Option<String>,
}

/// The totals of a span.
#[derive(Debug, Serialize, ToSchema)]
struct TotalsBody {
    /// Issues that occurred.
    issues: usize,
    /// Their occurrences.
    occurrences: i64,
    /// Issues first seen in the span.
    new: usize,
    /// Issues resolved in the span.
    resolved: usize,
    /// People who answer for the issues that occurred.
    people: usize,
}

/// An issue with its occurrences in a span.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListedIssue)]
struct ListedIssueBody {
    issue: IndexedIssue,
    /// Who answers for it.
    owner: Option<String>,
    /// Occurrences within the span.
    span_occurrences: i64,
    /// The last occurrence within the span, or the resolution of an issue that did not occur.
    span_last_at: Time,
    /// Occurrences on each of the span's days.
    by_day: Vec<i64>,
    notified: NotifiedBody,
    /// First seen within the span.
    is_new: bool,
    /// It failed again after it was resolved or fixed.
    is_regressed: bool,
    /// Its line is older than `report_only_after_minimum_date`.
    is_old: bool,
    /// Under the current rules, its line is library code.
    is_library_code: bool,
}

/// Whether anybody was notified.
#[derive(Debug, Serialize, ToSchema)]
struct NotifiedBody {
    is_notified: bool,
    /// When, or why not.
    why: String,
}

/// What identifies an issue, and its state.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IndexedIssue {
    id: i64,
    /// The address of its page.
    url: String,
    /// The path in the repository; as deployed when the file is not in it.
    path: String,
    /// The line number in the running code.
    line: i64,
    function: String,
    /// The source line.
    text: String,
    /// The full path of the exception type that was seen first.
    exception_type: String,
    /// The full paths of all exception types that were seen, starting with the first.
    exception_types: Vec<String>,
    /// All occurrences so far.
    occurrences: i64,
    first_seen_at: Time,
    last_seen_at: Time,
    /// When it was decided to notify somebody.
    notified_at: Option<Time>,
    /// The number of the rule that makes it a known error.
    known_error: Option<i64>,
    muted_until: Option<Time>,
    resolved: Option<ResolvedBody>,
    /// The commit that introduced the line; null when nobody is blamed.
    commit: Option<Commit>,
}

/// How an issue was resolved.
#[derive(Debug, Serialize, ToSchema)]
struct ResolvedBody {
    at: Time,
    commit: Option<String>,
    how: Option<String>,
}

/// A commit that introduced a line.
#[derive(Debug, Serialize, ToSchema)]
struct Commit {
    id: String,
    /// Its page on the repository's host.
    url: Option<String>,
    summary: String,
    authored_at: Option<Time>,
    /// Who is blamed; null when only automation wrote it.
    developer: Option<Developer>,
    /// The path of the file in this commit.
    path: Option<String>,
    /// The line number in this commit.
    line: Option<i64>,
}

/// A person, as a commit names them.
#[derive(Debug, Serialize, ToSchema)]
struct Developer {
    name: String,
    email: String,
}

/// An issue with all its details.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Issue)]
pub(super) struct IssueBody {
    issue: IndexedIssue,
    /// Who answers for it.
    owner: Option<String>,
    /// How the line's author leads to the owner, step by step.
    owner_steps: Vec<String>,
    /// How the line was found, or why nobody is blamed.
    reason: String,
    /// How certain it is that this line is the one that ran.
    confidence: Option<String>,
    /// Other frames that may be at fault, for the action `blame_instead`.
    suspects: Vec<String>,
    /// The decisions to notify somebody, newest first.
    alerts: Vec<Alert>,
    /// Mails and posts about it, newest first.
    mails: Vec<Mail>,
    /// The recipients whose alert waits for the digest.
    digest_for: Vec<String>,
    /// Its occurrences by exception type, host, environment and revision.
    facets: Vec<FacetBody>,
}

/// A decision to notify somebody.
#[derive(Debug, Serialize, ToSchema)]
struct Alert {
    decided_at: Time,
    reason: String,
    /// Why nobody could be notified.
    note: Option<String>,
}

/// A mail or a post.
#[derive(Debug, Serialize, ToSchema)]
struct Mail {
    recipient: String,
    /// Why this recipient gets it.
    why: String,
    created_at: Time,
    sent_at: Option<Time>,
    gave_up_at: Option<Time>,
    last_error: Option<String>,
}

/// A value with its occurrences.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Facet)]
struct FacetBody {
    /// `exception`, `host`, `environment` or `revision`.
    kind: String,
    /// Empty when the program did not send it; null for all values that are not counted separately.
    value: Option<String>,
    occurrences: i64,
    first_at: Time,
    last_at: Time,
}

/// Issues of a week or another span
#[utoipa::path(get, path = "/issues", tag = "issues", params(IssueQuery),
    responses((status = 200, body = Issues)))]
pub(super) async fn list(
    _caller: Caller,
    State(app): State<App>,
    State(memory): State<Arc<QueryMemory>>,
    RawQuery(raw): RawQuery,
    Parameters(query): Parameters<IssueQuery>,
) -> Result<Answer<Issues>, Problem> {
    let filter = query.filter(&app)?;
    let IssueList { span: (from, to), totals, before, days, issues, .. } =
        issues::list(&app, &memory.lists, &filter, Wanted::Page).await?;
    let shown = (filter.page - 1).saturating_mul(filter.page_size).saturating_add(issues.len());
    let is_more = !issues.is_empty() && shown < totals.issues;
    let next = is_more.then(|| {
        let raw = raw.unwrap_or_default();
        let others = parse(raw.as_bytes()).filter(|(name, _)| name != "page");
        let mut query = Serializer::new(String::new());
        query.extend_pairs(others).append_pair("page", &(filter.page + 1).to_string());
        format!("{}/api/v1/issues?{}", app.base_url, query.finish())
    });
    let body = Issues {
        from: Time(from),
        to: Time(to),
        totals: totals.into(),
        before: before.into(),
        days: days.into_iter().map(Time).collect(),
        issues: issues.into_iter().map(|listed| ListedIssueBody::of(listed, &app)).collect(),
        page: filter.page,
        per_page: filter.page_size,
        next: next.clone(),
    };
    Ok(Answer::page(body, next))
}

/// One issue
///
/// For an issue that was merged into another, this is the other one.
#[utoipa::path(get, path = "/issues/{id}", tag = "issues",
    params(("id" = i64, Path, minimum = 1)), responses((status = 200, body = IssueBody)))]
pub(super) async fn show(
    _caller: Caller,
    State(app): State<App>,
    At(id): At<i64>,
) -> Result<Answer<IssueBody>, Problem> {
    let store = &app.store;
    let issue = store.issue(id).await?.ok_or_else(|| Problem::no_issue(id))?;
    let details = &issue.facts.details;
    let refused = store.refused_addresses(app.clock.now()).await?;
    let rules = app.rules.get();
    let owner = issue.owner(&rules.rules, &app.config.addresses, &refused);
    let alerts = store.alerts_of(issue.id).await?.into_iter().map(|alert| Alert {
        decided_at: Time(alert.decided_at),
        reason: plain(&alert.reason),
        note: alert.note.map(|note| plain(&note)),
    });
    let mails = store.mails_of(issue.id).await?.into_iter().map(|mail| Mail {
        recipient: plain(&mail.recipient),
        why: plain(&mail.why),
        created_at: Time(mail.created_at),
        sent_at: mail.sent_at.map(Time),
        gave_up_at: mail.gave_up_at.map(Time),
        last_error: mail.last_error.map(|error| plain(&error)),
    });
    let facets = store.facets_of(issue.id).await?.into_iter().map(|facet| FacetBody {
        value: (!facet.is_others).then(|| plain(&facet.value)),
        kind: facet.kind,
        occurrences: facet.occurrences,
        first_at: Time(facet.first_at),
        last_at: Time(facet.last_at),
    });
    Ok(Answer::ok(IssueBody {
        owner_steps: way_to_owner(details, &owner),
        owner: owner.address.map(|address| plain(&address)),
        reason: plain(&issue.facts.reason),
        confidence: details.confidence.map(|known| confidence_in_words(known).to_owned()),
        suspects: considered(details),
        alerts: alerts.collect(),
        mails: mails.collect(),
        digest_for: store
            .digest_recipients_of(issue.id)
            .await?
            .iter()
            .map(|to| plain(&to.to_string()))
            .collect(),
        facets: facets.collect(),
        issue: IndexedIssue::of(issue, &app),
    }))
}

impl From<issues::IssueTotals> for TotalsBody {
    fn from(totals: issues::IssueTotals) -> Self {
        let issues::IssueTotals { issues, occurrences, new, resolved, people } = totals;
        Self { issues, occurrences, new, resolved, people }
    }
}

impl ListedIssueBody {
    fn of(listed: ListedIssue, app: &App) -> Self {
        Self {
            owner: listed.owner.address().map(plain),
            span_occurrences: listed.occurrences,
            span_last_at: Time(listed.last_at),
            by_day: listed.by_day,
            notified: NotifiedBody {
                is_notified: listed.notified.is_notified,
                why: plain(&listed.notified.why),
            },
            is_new: listed.is_new,
            is_regressed: listed.is_regressed,
            is_old: listed.is_old,
            is_library_code: listed.is_library,
            issue: IndexedIssue::of(listed.issue, app),
        }
    }
}

impl IndexedIssue {
    fn of(issue: IssueRow, app: &App) -> Self {
        let developer = issue.developer().map(|developer| Developer {
            name: one_line(&developer.name, 200),
            email: one_line(&developer.email, 254),
        });
        let commit_url =
            app.config.forges.origin(issue.facts.origin_commit.as_deref(), &issue.facts.path);
        let exception_types = issue.types().map(|name| one_line(name, 300)).collect();
        let facts = issue.facts;
        let commit = facts.origin_commit.map(|id| Commit {
            id,
            url: commit_url,
            summary: one_line(facts.commit_summary.as_deref().unwrap_or_default(), 300),
            authored_at: facts.authored_at.map(Time),
            developer,
            path: facts.origin_path.map(|path| plain(&path)),
            line: facts.origin_line,
        });
        let (resolved_by, resolution) = (issue.resolved_by, issue.resolution);
        Self {
            id: issue.id,
            url: links::issue(&app.base_url, issue.id),
            path: one_line(&facts.path, 1_000),
            line: facts.line,
            function: one_line(&facts.function_name, 300),
            text: cut(&facts.text, 2_000),
            exception_type: one_line(&facts.exception_type, 300),
            exception_types,
            occurrences: issue.occurrences,
            first_seen_at: Time(issue.first_seen_at),
            last_seen_at: Time(issue.last_seen_at),
            notified_at: issue.notified_at.map(Time),
            known_error: facts.known_error_id,
            muted_until: issue.muted_until.map(Time),
            resolved: issue.resolved_at.map(|at| ResolvedBody {
                at: Time(at),
                commit: resolved_by,
                how: resolution.map(|how| plain(&resolution_in_words(&how))),
            }),
            commit,
        }
    }
}
