//! What a project needs before it is of use, and what of that is missing: each with the way to
//! fix it.
use std::time::Duration;

use flawless_base::remembered::Remembered;
use flawless_base::text::plain;
use flawless_store::StoreError;

use crate::actions::test_error::TEST_PATH;
use crate::app::App;
use crate::attribution::Repo;
use crate::config::SmtpSecurity;
use crate::mail::Smtp;

/// One thing that a project needs.
#[derive(Debug)]
pub struct SetupItem {
    /// Its name.
    pub name: &'static str,
    /// Nothing is to be done.
    pub ok: bool,
    /// How it stands, in a sentence.
    pub text: String,
    /// What to do; empty when nothing is.
    pub hint: &'static str,
    /// What to write for that; empty when nothing is.
    pub example: &'static str,
}

/// What the mail server said when it was asked last.
pub type MailServerAnswer = Remembered<Result<(), String>>;

/// For the mail server to answer: longer than this nobody waits for a page.
const SMTP_TIME: Duration = Duration::from_secs(3);
/// An answer of the mail server counts for so long, however many look.
const ANSWER_MS: i64 = 30_000;
/// A revision that was named in this time is still named.
const NAMED_MS: i64 = 30 * 86_400_000;

/// All that a project needs, in the order in which one sets it up.
///
/// # Errors
/// The database refuses.
pub async fn setup_items(
    app: &App,
    last_answer: &MailServerAnswer,
) -> Result<Vec<SetupItem>, StoreError> {
    let has_reports = app.store.has_reports(TEST_PATH).await?;
    let since = app.clock.now() - NAMED_MS;
    let names_revisions = app.store.names_revisions(since).await?;
    let mut items = vec![
        repository(app),
        mail_server(app, last_answer).await,
        default_contact(app),
        hostname(app),
        reports(has_reports),
    ];
    if has_reports {
        items.push(revision(names_revisions));
    }
    items.push(sign_in(app));
    Ok(items)
}

fn ok(name: &'static str, text: impl Into<String>) -> SetupItem {
    SetupItem { name, ok: true, text: plain(&text.into()), hint: "", example: "" }
}

fn to_do(
    name: &'static str,
    text: impl Into<String>,
    hint: &'static str,
    example: &'static str,
) -> SetupItem {
    SetupItem { name, ok: false, text: plain(&text.into()), hint, example }
}

fn repository(app: &App) -> SetupItem {
    const NAME: &str = "Repository";
    let state = app.repo.get();
    let check = "flawless check tries the address and the credentials.";
    match (&state.repo, &state.failing) {
        (Repo::None, _) => to_do(
            NAME,
            "None is configured: nobody can be blamed.",
            "Name the repository of the programs that report, then restart the server.",
            "repo_url = https://git.example.com/team/shop.git",
        ),
        (Repo::Failed(why), _) => to_do(NAME, why.clone(), check, ""),
        (_, Some((_, why))) => to_do(NAME, format!("Fetching fails: {why}"), check, ""),
        (Repo::Opening, _) => ok(NAME, "Is being cloned or opened."),
        (Repo::Ready(mirror), _) => match mirror.tip() {
            Some(tip) => ok(NAME, format!("At {} of {}.", tip.commit.short(), tip.reference)),
            None => ok(NAME, "Is open."),
        },
    }
}

async fn mail_server(app: &App, last: &MailServerAnswer) -> SetupItem {
    const NAME: &str = "Mail server";
    let smtp = &app.config.smtp;
    let place = format!("{}:{}", smtp.host, smtp.port);
    match ask_mail_server(app, last).await {
        Ok(()) if smtp.security == SmtpSecurity::None && smtp.login.is_some() => to_do(
            NAME,
            format!("{place} answers, but the password goes there in the clear."),
            "Encrypt the connection, then restart the server.",
            "smtp_security = starttls",
        ),
        Ok(()) => ok(NAME, format!("{place} answers.")),
        Err(why) => to_do(
            NAME,
            format!("{place} cannot be used: {why}. Mails wait until it can."),
            "Name the server that takes your mail, then restart; flawless check tries it.",
            "smtp_host = mail.example.com\nsmtp_security = starttls\nsmtp_user = flawless\n\
             smtp_password_file = /etc/flawless/smtp_password",
        ),
    }
}

/// What the mail server says, or said to somebody who looked just now.
async fn ask_mail_server(app: &App, last: &MailServerAnswer) -> Result<(), String> {
    let ask = async {
        let server = Smtp::new(&app.config.smtp).map_err(|error| error.to_string())?;
        match tokio::time::timeout(SMTP_TIME, server.check()).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {} s", SMTP_TIME.as_secs())),
        }
    };
    last.get_or(app.clock.now(), |_| ANSWER_MS, ask).await
}

fn default_contact(app: &App) -> SetupItem {
    const NAME: &str = "Default contact";
    match &app.config.addresses.default_contact {
        Some(contact) => {
            ok(NAME, format!("{contact} is notified of what nobody else can be notified."))
        }
        None => to_do(
            NAME,
            "Nobody is notified of errors that nobody can be blamed for.",
            "Name somebody, or a mailing list, then restart the server.",
            "default_contact = team@example.com",
        ),
    }
}

fn hostname(app: &App) -> SetupItem {
    const NAME: &str = "Address of the pages";
    match &app.config.base_url {
        Some(url) => ok(NAME, format!("Links in mails lead to {url}.")),
        None => to_do(
            NAME,
            format!("Links in mails lead to {}, which others may not reach.", app.base_url),
            "Set the address under which people see the pages, then restart the server.",
            "hostname = https://flawless.example.com",
        ),
    }
}

fn reports(has_reports: bool) -> SetupItem {
    const NAME: &str = "Reports";
    if has_reports {
        return ok(NAME, "Programs report.");
    }
    to_do(
        NAME,
        "No program has reported yet.",
        "Put one of the snippets below into a program, or send a test error.",
        "",
    )
}

fn revision(is_named: bool) -> SetupItem {
    const NAME: &str = "Revision";
    if is_named {
        return ok(NAME, "Reports or deploys name the revision that runs.");
    }
    to_do(
        NAME,
        "No report has named the revision that runs in the last 30 days: lines are looked for in \
         the newest one, and resolved errors are noticed late.",
        "Tell the client, or the server after each deploy.",
        "FLAWLESS_REVISION=$(git rev-parse HEAD)\nflawless deployed COMMIT",
    )
}

fn sign_in(app: &App) -> SetupItem {
    const NAME: &str = "Sign-in";
    let config = &app.config.sign_in;
    if !config.required {
        return ok(NAME, "There is none: the pages answer only to this machine (auth = off).");
    }
    if config.allows_somebody() {
        return ok(NAME, "People whom the configuration allows sign in by themselves.");
    }
    to_do(
        NAME,
        "Only who was given a role on the page People can sign in.",
        "Say whose addresses may, then restart the server; docs/sign-in.md has the other ways.",
        "allowed_email_domains = example.com",
    )
}
