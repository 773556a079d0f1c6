//! The setup checklist of a project: what it needs, what is missing, and how to fix it.
use std::time::Duration;

use flawless_base::remembered::Remembered;
use flawless_base::text::plain;
use flawless_store::StoreError;

use crate::actions::test_error::TEST_PATH;
use crate::app::App;
use crate::attribution::Repo;
use crate::config::SmtpSecurity;
use crate::mail::Smtp;

/// One item of the checklist.
#[derive(Debug)]
pub struct SetupItem {
    /// Name of the item.
    pub name: &'static str,
    /// Whether nothing is left to do.
    pub ok: bool,
    /// The state in a sentence.
    pub text: String,
    /// What to do; empty when nothing is left.
    pub hint: &'static str,
    /// What to put into the configuration; may be empty.
    pub example: &'static str,
}

/// The last answer of the mail server.
pub type MailServerAnswer = Remembered<Result<(), String>>;

/// Time limit for the mail server to answer, because somebody waits for the page.
const SMTP_TIME: Duration = Duration::from_secs(3);
/// How long an answer of the mail server is cached.
const ANSWER_MS: i64 = 30_000;
/// Reports of this period are checked for the revision that they name.
const NAMED_MS: i64 = 30 * 86_400_000;

/// The checklist, in the order in which a project is set up.
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
    let check = "Run flawless check to test the address and the credentials.";
    match (&state.repo, &state.failing) {
        (Repo::None, _) => to_do(
            NAME,
            "None is configured, so nobody can be blamed.",
            "Set the repository of the programs that report, then restart the server.",
            "repo_url = https://git.example.com/team/shop.git",
        ),
        (Repo::Failed(why), _) => to_do(NAME, why.clone(), check, ""),
        (_, Some((_, why))) => to_do(NAME, format!("The last fetch failed: {why}"), check, ""),
        (Repo::Opening, _) => ok(NAME, "It is being cloned or opened."),
        (Repo::Ready(mirror), _) => match mirror.tip() {
            Some(tip) => ok(NAME, format!("At {} of {}.", tip.commit.short(), tip.reference)),
            None => ok(NAME, "It is open."),
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
            format!("{place} answers, but the password is sent in clear text."),
            "Encrypt the connection, then restart the server.",
            "smtp_security = starttls",
        ),
        Ok(()) => ok(NAME, format!("{place} answers.")),
        Err(why) => to_do(
            NAME,
            format!("{place} cannot be used: {why}. Mails wait until then."),
            "Set your mail server, then restart the server; flawless check tests it.",
            "smtp_host = mail.example.com\nsmtp_security = starttls\nsmtp_user = flawless\n\
             smtp_password_file = /etc/flawless/smtp_password",
        ),
    }
}

/// The mail server's answer, which may be a few seconds old.
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
            ok(NAME, format!("{contact} gets the alerts that have no other recipient."))
        }
        None => to_do(
            NAME,
            "Nobody is notified of errors that nobody can be blamed for.",
            "Set a person or a mailing list, then restart the server.",
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
            "Set the address at which people open the pages, then restart the server.",
            "hostname = https://flawless.example.com",
        ),
    }
}

fn reports(has_reports: bool) -> SetupItem {
    const NAME: &str = "Reports";
    if has_reports {
        return ok(NAME, "Programs are reporting.");
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
        return ok(NAME, "Reports or deploys name the running revision.");
    }
    to_do(
        NAME,
        "No report of the last 30 days named the running revision: lines are looked for in the \
         newest one, and fixes are noticed late.",
        "Set it in the client, or run flawless deployed after each deploy.",
        "FLAWLESS_REVISION=$(git rev-parse HEAD)\nflawless deployed COMMIT",
    )
}

fn sign_in(app: &App) -> SetupItem {
    const NAME: &str = "Sign-in";
    let config = &app.config.sign_in;
    if !config.required {
        return ok(NAME, "Off: the pages are only served to this machine (auth = off).");
    }
    if config.allows_somebody() {
        return ok(NAME, "Everybody whom the configuration allows can sign in.");
    }
    to_do(
        NAME,
        "Only people who were given a role on the page People can sign in.",
        "Allow a domain, then restart the server; docs/sign-in.md has other ways.",
        "allowed_email_domains = example.com",
    )
}
