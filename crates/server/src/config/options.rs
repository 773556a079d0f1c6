//! The one list of options, for the reader, `flawless options` and docs/configuration.md.
use super::option_def::{OptionDef, OptionType};

/// The definition of an option. `NAME_file` finds the secret `NAME`.
pub fn find_option(name: &str) -> Option<&'static OptionDef> {
    OPTIONS.iter().find(|option| {
        option.name == name || (option.secret && name.strip_suffix("_file") == Some(option.name))
    })
}

const fn option(
    name: &'static str,
    default: &'static str,
    kind: OptionType,
    description: &'static str,
) -> OptionDef {
    OptionDef { name, default, kind, secret: false, description }
}

const fn secret(name: &'static str, description: &'static str) -> OptionDef {
    OptionDef { name, default: "", kind: OptionType::Text, secret: true, description }
}

use OptionType::{
    Address, Bool, Date, List, Number, Path, Pattern, PatternList, Port, Text, Unused, Word,
};

/// All options, in the order of display.
pub const OPTIONS: &[OptionDef] = &[
    // Addresses
    option(
        "port",
        "9028",
        Port,
        "Port for reports over framed Thrift, as clients of 0.4.5 send them, without a key. 0 \
         closes it; any picks a free port.",
    ),
    option(
        "host",
        "",
        Text,
        "Address to listen on for reports. Default: every address (0.0.0.0), or only 127.0.0.1 \
         when started without a configuration file.",
    ),
    option(
        "http_port",
        "8080",
        Port,
        "Port for the pages, and for reports over HTTP with the project's key. 0 or any picks a \
         free port.",
    ),
    option(
        "http_host",
        "127.0.0.1",
        Text,
        "Address to listen on for HTTP: pages and reports. By default only this machine; \
         docs/security.md describes how to put a TLS proxy in front.",
    ),
    option(
        "hostname",
        "",
        Text,
        "The URL at which browsers reach the pages, e.g. http://flawless.example.com:8080; links \
         in mails begin with it. Default: http://HTTP_HOST:HTTP_PORT.",
    ),
    // Sign-in
    option(
        "auth",
        "on",
        Word(&["on", "off"]),
        "Whether people must sign in to see the pages. off is allowed only while http_host is this \
         machine: everybody on it is then an administrator.",
    ),
    option(
        "administrators",
        "",
        List,
        "Addresses that are always administrators. Other people get their role on the page People.",
    ),
    option(
        "allowed_email_domains",
        "",
        List,
        "Mail domains whose users may sign in, e.g. example.com.",
    ),
    option("allowed_emails", "", List, "Individual addresses that may also sign in."),
    option(
        "default_role",
        "developer",
        Word(&["reader", "developer", "administrator"]),
        "The role of people who may sign in and were not given another one. reader: may only look. \
         developer: may also act on issues and change rules about code. administrator: may also \
         change rules about people, and roles.",
    ),
    option(
        "session_days",
        "30",
        Number,
        "Days that a sign-in lasts after its last use, 400 at most.",
    ),
    option(
        "oidc_issuer",
        "",
        Text,
        "The OpenID Connect provider that people may sign in with, exactly as it names itself, \
         e.g. https://accounts.google.com. Register https://HOSTNAME/sign_in/oidc/callback there \
         as redirect URI.",
    ),
    option("oidc_client_id", "", Text, "The client ID of Flawless at the provider."),
    secret("oidc_client_secret", "The client secret of Flawless at the provider."),
    option(
        "oidc_name",
        "",
        Text,
        "Name of the provider on the sign-in button. Default: the host of oidc_issuer.",
    ),
    option(
        "proxy_user_header",
        "",
        Text,
        "Header in which a proxy with its own sign-in passes the user's mail address, e.g. \
         X-Forwarded-Email. Accepted only from trusted_proxies.",
    ),
    option(
        "trusted_proxies",
        "",
        List,
        "Addresses or networks of your proxies, e.g. 127.0.0.1, 10.0.0.0/24. Their headers about \
         the sender of a request are trusted.",
    ),
    // Who is notified
    option(
        "email_domain_name",
        "example.com",
        Text,
        "Domain of the sender, and of addresses that have none.",
    ),
    option(
        "ignore_vcs_email_domain",
        "False",
        Bool,
        "Use email_domain_name for every commit address, whatever domain the commit has.",
    ),
    option(
        "default_contact",
        "",
        Address,
        "Who is notified when nobody can be blamed, and of problems with the server.",
    ),
    // SMTP
    option("smtp_host", "localhost:25", Text, "HOST:PORT of the mail server."),
    option("smtp_user", "", Text, "User name for the mail server, if it requires one."),
    secret("smtp_password", "Password for the mail server, if it requires one."),
    option(
        "smtp_use_tls",
        "False",
        Bool,
        "Encrypt with STARTTLS; the same as smtp_security = starttls.",
    ),
    option(
        "smtp_security",
        "",
        Word(&["none", "starttls", "tls"]),
        "none sends unencrypted, starttls requires STARTTLS, tls encrypts from the first byte \
         (port 465). Default: follows smtp_use_tls. Certificates are always verified.",
    ),
    option(
        "smtp_ca_file",
        "",
        Path,
        "Certificates (PEM) to trust in addition to the system's, for a mail server with a private \
         CA.",
    ),
    option(
        "smtp_timeout",
        "60",
        Number,
        "Seconds the mail server may take for each step; ten times as long to accept a mail.",
    ),
    option("smtp_from", "", Address, "Sender of the mails. Default: flawless@EMAIL_DOMAIN_NAME."),
    // Mails
    option(
        "subject_style",
        "detailed",
        Word(&["detailed", "classic"]),
        "What the subject of an alert names. detailed: exception, function and file. classic: \
         \"Error on HOST in FILE\", as in 0.4.5.",
    ),
    option(
        "mail_locals",
        "values",
        Word(&["values", "names", "none"]),
        "What mails show of local variables. The pages show them in any case.",
    ),
    option(
        "digest_minutes",
        "5",
        Number,
        "Alerts within this many minutes of somebody's last one are combined into one mail, which \
         is sent once a fifth of that time has passed without a new one. 0: each immediately, in a \
         mail of its own.",
    ),
    option(
        "mails_per_person_per_hour",
        "10",
        Number,
        "Alerts that one person or channel gets per hour. Further ones are sent as one digest as \
         soon as the limit allows. 0: no limit.",
    ),
    option(
        "mails_per_hour",
        "60",
        Number,
        "The same for all people together, and separately for all channels together.",
    ),
    option(
        "baseline_hours",
        "0",
        Number,
        "Hours after the first start of a project in which issues are listed but nobody is \
         notified of them, then or later, because they were there before. 0: none.",
    ),
    option(
        "weekly_report",
        "Monday",
        Word(&[
            "Monday",
            "Tuesday",
            "Wednesday",
            "Thursday",
            "Friday",
            "Saturday",
            "Sunday",
            "off",
        ]),
        "On this day, at eight in the morning, everyone with issues gets a mail about the week. \
         Each mail has a link to unsubscribe.",
    ),
    option(
        "leaderboard",
        "totals",
        Word(&["names", "totals", "off"]),
        "What the weekly report says about other people: how much each of them resolved, how much \
         the team resolved together, or nothing.",
    ),
    option(
        "webhook_private_addresses",
        "False",
        Bool,
        "Allow webhooks to private and loopback addresses, e.g. of a Mattermost in the same \
         network.",
    ),
    // Folders
    option(
        "data_dir_path",
        "",
        Path,
        "Folder for the database and the mirror, created if missing, readable by its owner only. \
         Default: $XDG_DATA_HOME/flawless, else ~/.local/share/flawless.",
    ),
    secret(
        "database_url",
        "A PostgreSQL database for everything that is stored, postgres://USER:PASSWORD@HOST/NAME, \
         instead of the embedded one in data_dir_path; docs/postgresql.md describes it.",
    ),
    option(
        "database_connections",
        "20",
        Number,
        "Connections to the database of database_url that the server opens at most.",
    ),
    // What is reported
    option(
        "report_runtime_package_directory_names",
        "site-packages",
        List,
        "Folders below which deployed code has the same layout as the repository. Other paths are \
         matched by their longest suffix that is a file in the repository.",
    ),
    option(
        "path_prefixes",
        "",
        List,
        "Where the code is deployed, checked before everything else: a folder that holds the \
         repository, or FOLDER=PART for one that holds a part of it, e.g. /srv/shop/current, \
         /opt/worker=backend/worker.",
    ),
    option(
        "blame_frame",
        "likely",
        Word(&["likely", "innermost"]),
        "Which of the project's own frames is blamed. likely: the innermost one that is not a \
         raise statement, a wrapper or a function that many errors go through. innermost: the \
         innermost one that is not a raise statement, as in 0.4.5.",
    ),
    option(
        "submodules",
        "",
        List,
        "Repositories of submodules, PATH=URL or PATH=FOLDER, e.g. \
         vendor/pay=git@git.example.com:pay.git; clones are kept in data_dir_path. Nobody is \
         blamed for files in other submodules.",
    ),
    option(
        "ignore_revs_file",
        "",
        Text,
        "A list of commits that are never blamed, such as those of a formatter: a path in the \
         repository, or an absolute path on this machine. Default: .git-blame-ignore-revs.",
    ),
    option(
        "automation_patterns",
        "",
        PatternList,
        "Authors who are not people, in addition to well-known bots and agents; searched for in \
         \"Name <address>\". For their commits a person is looked for instead: co-author, \
         committer, who merged it, who wrote the line before, the owner in CODEOWNERS.",
    ),
    option(
        "author_gone_days",
        "0",
        Number,
        "An author without a commit for this many days no longer answers for a line: the file's \
         owner in CODEOWNERS does, else default_contact. 0: never.",
    ),
    option(
        "report_only_after_minimum_date",
        "1970-1-1",
        Date,
        "Do not notify of errors in lines last changed before this day.",
    ),
    option(
        "otlp_services",
        "",
        List,
        "Services (service.name of OpenTelemetry, with *) of this project, whatever key they use.",
    ),
    option("report_error_threshold", "3", Number, "Notify when an error has occurred this often."),
    option(
        "notify_environments",
        "",
        List,
        "Environments of which people are notified, with * for any characters and ! for an \
         exception, e.g. production*, !*-test. In others, errors are only listed, and do not count \
         towards thresholds. Default: all. Programs that name no environment always count.",
    ),
    option(
        "only_blame_filepaths_matching",
        r"^(?!.*\.egg).*$",
        PatternList,
        "Only files whose path in the repository matches one of these from the start are blamed.",
    ),
    option(
        "max_concurrent_git_blames",
        "10",
        Number,
        "How many lines are traced simultaneously. The others wait; none is dropped.",
    ),
    option(
        "timezone",
        "",
        Text,
        "Time zone of dates, days and weeks, e.g. Europe/Berlin. Default: the system's.",
    ),
    option(
        "retention_days",
        "90",
        Number,
        "Days after which samples, hourly counts and sent mails are deleted. Which issues were \
         notified stays known.",
    ),
    option(
        "max_artifact_bytes",
        "2147483648",
        Number,
        "Bytes that the source maps and generated files of builds may take, compressed. Over it, \
         those that were not used for the longest time are removed.",
    ),
    // Secrets
    option(
        "redact_names",
        "",
        PatternList,
        "Names of variables, keys and headers whose values are secrets, matched from the start. \
         They are removed from reports before storage, like those that the built-in rules find.",
    ),
    option(
        "redact_values",
        "",
        PatternList,
        "Texts that are secrets, wherever they occur in a report.",
    ),
    option(
        "redact_off",
        "",
        List,
        "Built-in redaction rules to switch off; docs/clients/python.md lists them.",
    ),
    option(
        "encrypt_samples",
        "False",
        Bool,
        "Encrypts everything that holds values of variables: samples, waiting reports and mails in \
         the outbox. The key is in the environment variable FLAWLESS_SAMPLE_KEY: 64 hexadecimal \
         digits, as `openssl rand -hex 32` prints them. Several are separated by commas: the first \
         encrypts, all decrypt.",
    ),
    // Repository
    option("git_cli_path", "git", Path, "The git program."),
    option("repo_type", "git", Word(&["git"]), "Kind of the repository."),
    option(
        "repo_dir",
        "",
        Path,
        "With repo_url: where the server keeps its mirror (default: DATA_DIR_PATH/mirror.git). \
         Without: a repository that somebody else keeps up to date; it is only read.",
    ),
    secret("repo_url", "Address to clone and fetch the repository from."),
    option(
        "repo_web_url",
        "",
        Text,
        "The repository's web page, preceded by the kind of its forge, for links to commits and \
         lines, e.g. gitea https://git.example.com/team/shop. Kinds: github, gitlab, gitea, \
         forgejo, bitbucket, bitbucket-server, cgit. Default: derived from repo_url, if the name \
         of its host reveals the kind.",
    ),
    option(
        "repo_branch_pattern",
        "",
        Pattern,
        "Release branches, matched from the start of the name, with and without a leading origin/. \
         The newest in natural order (release-9 before release-10) is the running one. Default: \
         the repository's HEAD.",
    ),
    option("repo_fetch_interval", "300", Number, "Seconds between two fetches of repo_url."),
    // Limits
    option(
        "max_report_bytes",
        "4194304",
        Number,
        "The largest report that is accepted. Larger ones are refused and counted.",
    ),
    option(
        "memory_limit",
        "268435456",
        Number,
        "Bytes of memory that reports may take from their arrival until they are stored, at least \
         four times max_report_bytes. Over it, clients are asked to retry later.",
    ),
    option(
        "max_connections",
        "4096",
        Number,
        "Connections that may be open simultaneously on each port. When all are in use, the \
         address with the most gives one up for a new one, a silent one first.",
    ),
    option(
        "new_issues_per_day",
        "10000",
        Number,
        "New issues per day (UTC). Reports that would create more are counted as refused; known \
         lines are counted as usual. 0: no limit.",
    ),
    option(
        "new_issues_per_sender_per_day",
        "2000",
        Number,
        "The same for each sender: a key of the project or, for reports without one, an address \
         (IPv6: a network of 64 bits).",
    ),
    option(
        "new_bytes_per_day",
        "536870912",
        Number,
        "Bytes of complete reports that are newly stored per day (UTC). Over it, new lines are \
         kept without values, and known ones keep the samples they have. 0: no limit.",
    ),
    option("new_bytes_per_sender_per_day", "134217728", Number, "The same for each sender."),
    // Logging
    option(
        "log_level",
        "INFO",
        Word(&["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
        "The lowest level of messages that are logged.",
    ),
    option(
        "log_file",
        "",
        Path,
        "Log file, a new one each day, with the date appended to its name. Default: standard \
         error.",
    ),
    option("log_days_to_keep", "3", Number, "Days of log files to keep."),
    // Of 0.4.5
    option("config_dir_path", "", Unused, "Rules are in the store now: flawless rules import."),
    option("flawless_hostports", "", Unused, "An option of the older client."),
    option("client_timeout", "10", Unused, "An option of the older client."),
    option("redis_version", "2.0", Unused, "Issues are in the store now."),
];
