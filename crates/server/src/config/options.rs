//! Every option once: the reader, `flawless options` and docs/configuration.md are made of this.
use super::option_def::{OptionDef, OptionType};

/// The definition of an option; `NAME_file` of a secret counts as the path it is.
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

/// All options, in the order they are shown.
pub const OPTIONS: &[OptionDef] = &[
    // Addresses
    option(
        "port",
        "9028",
        Port,
        "Port for reports over framed Thrift, as clients of 0.4.5 send them, without a key. 0 \
         closes it; any takes a free one.",
    ),
    option(
        "host",
        "",
        Text,
        "Address to listen on for reports. Default: every address (0.0.0.0); only 127.0.0.1 when \
         started without a configuration file.",
    ),
    option(
        "http_port",
        "8080",
        Port,
        "Port for the pages, and for reports over HTTP with the project's key. 0 or any takes a \
         free one.",
    ),
    option(
        "http_host",
        "127.0.0.1",
        Text,
        "Address to listen on for HTTP: pages and reports. By default only this machine; \
         docs/security.md says how others reach it through a proxy with TLS.",
    ),
    option(
        "hostname",
        "",
        Text,
        "The address under which browsers reach the pages, e.g. http://flawless.example.com:8080; \
         links in mails begin with it. Default: http://HTTP_HOST:HTTP_PORT.",
    ),
    // Sign-in
    option(
        "auth",
        "on",
        Word(&["on", "off"]),
        "Whether people sign in to see the pages. off is possible only while http_host is this \
         machine: everybody at it is an administrator then.",
    ),
    option(
        "administrators",
        "",
        List,
        "Addresses of those who are administrators in any case. Others get their role on the page \
         People.",
    ),
    option(
        "allowed_email_domains",
        "",
        List,
        "Whoever reads mail in one of these domains may sign in, e.g. example.com.",
    ),
    option("allowed_emails", "", List, "Single addresses that may sign in as well."),
    option(
        "default_role",
        "developer",
        Word(&["reader", "developer", "administrator"]),
        "The role of who may sign in and was given no other. reader: sees. developer: acts on \
         issues and changes rules about code too. administrator: changes rules about people and \
         roles too.",
    ),
    option(
        "session_days",
        "30",
        Number,
        "Days that a sign-in lasts after it was last used, 400 at most.",
    ),
    option(
        "oidc_issuer",
        "",
        Text,
        "The OpenID Connect provider that people may sign in with, as it names itself, e.g. \
         https://accounts.google.com. It gets https://HOSTNAME/sign_in/oidc/callback as redirect \
         URI.",
    ),
    option("oidc_client_id", "", Text, "The name of Flawless at the provider."),
    secret("oidc_client_secret", "The secret of Flawless at the provider."),
    option(
        "oidc_name",
        "",
        Text,
        "What the button for the provider says. Default: the host of oidc_issuer.",
    ),
    option(
        "proxy_user_header",
        "",
        Text,
        "A header in which a proxy with a sign-in of its own says whose request it is, by address, \
         e.g. X-Forwarded-Email. Counts only from trusted_proxies.",
    ),
    option(
        "trusted_proxies",
        "",
        List,
        "Addresses or networks of your proxies, e.g. 127.0.0.1, 10.0.0.0/24: what they say of a \
         request's sender is believed.",
    ),
    // Who is notified
    option(
        "email_domain_name",
        "example.com",
        Text,
        "Domain for addresses that have none, and of the sender.",
    ),
    option(
        "ignore_vcs_email_domain",
        "False",
        Bool,
        "Put email_domain_name behind every commit address, whatever domain the commit says.",
    ),
    option(
        "default_contact",
        "",
        Address,
        "Who is notified when nobody can be blamed, and of problems of the server.",
    ),
    // SMTP
    option("smtp_host", "localhost:25", Text, "HOST:PORT of the mail server."),
    option("smtp_user", "", Text, "User name at the mail server, when it wants one."),
    secret("smtp_password", "Password at the mail server, when it wants one."),
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
        "none sends in the clear, starttls requires STARTTLS, tls encrypts from the first byte \
         (port 465). Default: what smtp_use_tls says. Certificates are always checked.",
    ),
    option(
        "smtp_ca_file",
        "",
        Path,
        "Certificates (PEM) to trust besides the system's, for a mail server with its own.",
    ),
    option(
        "smtp_timeout",
        "60",
        Number,
        "Seconds the mail server may take for each step; ten times as long to take a mail.",
    ),
    option("smtp_from", "", Address, "Sender of the mails. Default: flawless@EMAIL_DOMAIN_NAME."),
    // Mails
    option(
        "subject_style",
        "detailed",
        Word(&["detailed", "classic"]),
        "What the subject of an alert names. detailed: exception, function and file. classic: \
         \"Error on HOST in FILE\", as 0.4.5 did.",
    ),
    option(
        "mail_locals",
        "values",
        Word(&["values", "names", "none"]),
        "What mails show of local variables. The pages show them all the same.",
    ),
    option(
        "digest_minutes",
        "5",
        Number,
        "What comes within so many minutes of somebody's last alert is notified in one mail, after a \
         fifth of that time without anything new. 0: each at once, in a mail of its own.",
    ),
    option(
        "mails_per_person_per_hour",
        "10",
        Number,
        "Alerts that one person or channel gets within an hour. What is over it is notified in one \
         summary as soon as there is room. 0: no limit.",
    ),
    option(
        "mails_per_hour",
        "60",
        Number,
        "The same for all persons together, and once more for all channels together.",
    ),
    option(
        "baseline_hours",
        "0",
        Number,
        "Hours from the first start of a project on in which issues are listed and nobody is notified \
         of them, then or later: they were there before. 0: none.",
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
         Each mail has a link with which a person ends these mails.",
    ),
    option(
        "leaderboard",
        "totals",
        Word(&["names", "totals", "off"]),
        "What the weekly report says of the others: who resolved how much, what the team resolved \
         together, or nothing.",
    ),
    option(
        "webhook_private_addresses",
        "False",
        Bool,
        "Let webhooks go to private and loopback addresses, e.g. of a Mattermost in the same \
         network.",
    ),
    // Folders
    option(
        "data_dir_path",
        "",
        Path,
        "Folder of the database and the mirror, made when missing, readable by its owner only. \
         Default: $XDG_DATA_HOME/flawless, else ~/.local/share/flawless.",
    ),
    // What is reported
    option(
        "report_runtime_package_directory_names",
        "site-packages",
        List,
        "Folders below which the deployed code lies as in the repository. Paths that do not match \
         are found by their longest suffix that is a file of the repository.",
    ),
    option(
        "path_prefixes",
        "",
        List,
        "Where the code is deployed, asked before everything else: a folder that holds the \
         repository, or FOLDER=PART for one that holds a part of it, e.g. \
         /srv/shop/current, /opt/worker=backend/worker.",
    ),
    option(
        "blame_frame",
        "likely",
        Word(&["likely", "innermost"]),
        "Which of the project's own frames is blamed. likely: the innermost one that is no raise \
         statement, no wrapper and no function that many errors go through. innermost: the \
         innermost one that is no raise statement, as 0.4.5 did.",
    ),
    option(
        "submodules",
        "",
        List,
        "Repositories of submodules, PATH=URL or PATH=FOLDER, e.g. \
         vendor/pay=git@git.example.com:pay.git; what is cloned lies in data_dir_path. Nobody is blamed \
         for files of other submodules.",
    ),
    option(
        "ignore_revs_file",
        "",
        Text,
        "A list of commits that never take the blame, such as those of a formatter: a path in the \
         repository, or an absolute one on this machine. Default: .git-blame-ignore-revs.",
    ),
    option(
        "automation_patterns",
        "",
        PatternList,
        "Authors who are no person besides the bots and agents that are known anyway; searched \
         for in \"Name <address>\". Behind their commits a person is looked for: co-author, \
         committer, who merged it, who wrote the line before, the owner in CODEOWNERS.",
    ),
    option(
        "author_gone_days",
        "0",
        Number,
        "An author without a commit for so many days no longer answers for a line: the file's \
         owner in CODEOWNERS does, else default_contact. 0: never.",
    ),
    option(
        "report_only_after_minimum_date",
        "1970-1-1",
        Date,
        "Do not tell of errors in lines last changed before this day.",
    ),
    option("report_error_threshold", "3", Number, "Tell when an error has occurred this often."),
    option(
        "only_blame_filepaths_matching",
        r"^(?!.*\.egg).*$",
        PatternList,
        "Only files of the repository whose path matches one of these, from its start, are blamed.",
    ),
    option(
        "max_concurrent_git_blames",
        "10",
        Number,
        "How many lines are traced at once. The others wait; none is dropped.",
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
        "Days after which samples, hourly counts and sent mails are deleted. What was told stays known.",
    ),
    // Secrets
    option(
        "redact_names",
        "",
        PatternList,
        "Names of variables, keys and headers whose values are secrets, matched from their start. \
         They are taken out of reports before these are stored, as what the built-in rules find.",
    ),
    option(
        "redact_values",
        "",
        PatternList,
        "Texts that are secrets, wherever they stand in a report.",
    ),
    option(
        "redact_off",
        "",
        List,
        "Built-in rules of redaction that are switched off; docs/clients/python.md lists them.",
    ),
    option(
        "encrypt_samples",
        "False",
        Bool,
        "Encrypts what holds values of variables: samples, waiting reports and mails in the \
         outbox. The key is in the environment variable FLAWLESS_SAMPLE_KEY: 64 hexadecimal \
         digits, as `openssl rand -hex 32` makes them; of several, with commas between them, \
         the first encrypts and all decrypt.",
    ),
    // Repository
    option("git_cli_path", "git", Path, "The git program."),
    option("repo_type", "git", Word(&["git"]), "Kind of the repository."),
    option(
        "repo_dir",
        "",
        Path,
        "With repo_url: where our mirror of it lives (default: DATA_DIR_PATH/mirror.git). Without: \
         a repository that somebody else keeps current; it is only read.",
    ),
    secret("repo_url", "Address to clone and fetch the repository from."),
    option(
        "repo_web_url",
        "",
        Text,
        "The repository's page in the browser with the kind of its forge before it, for links to \
         commits and lines, e.g. gitea https://git.example.com/team/shop. Kinds: github, gitlab, \
         gitea, forgejo, bitbucket, bitbucket-server, cgit. Default: made of repo_url, when the \
         name of its host tells the kind.",
    ),
    option(
        "repo_branch_pattern",
        "",
        Pattern,
        "Release branches, matched from the start of the name, with and without origin/ before \
         it. The newest in natural order (release-9 before release-10) is the one that runs. \
         Default: the repository's HEAD.",
    ),
    option("repo_fetch_interval", "300", Number, "Seconds between two fetches of repo_url."),
    // Limits
    option(
        "max_report_bytes",
        "4194304",
        Number,
        "The largest report that is taken in. Larger ones are refused and counted.",
    ),
    option(
        "memory_limit",
        "268435456",
        Number,
        "Bytes that reports may take in memory from their arrival until they are stored, at least \
         four times max_report_bytes. Over it, clients are asked to send again later.",
    ),
    option(
        "max_connections",
        "4096",
        Number,
        "Connections that are open at once, on each port. When all are, the address with the most \
         gives one up for a new one, first one that is silent.",
    ),
    option(
        "new_issues_per_day",
        "10000",
        Number,
        "Issues that may be new on a day (UTC). What would be a further one is counted as refused; \
         known lines are counted all the same. 0: no limit.",
    ),
    option(
        "new_issues_per_sender_per_day",
        "2000",
        Number,
        "The same for each sender: a key of the project or, of reports without one, an address \
         (IPv6: a network of 64 bits).",
    ),
    option(
        "new_bytes_per_day",
        "536870912",
        Number,
        "Bytes of reports that are kept whole, as they are stored, new on a day (UTC). Over it \
         values are left out of new lines, and known ones keep the samples they have. 0: no limit.",
    ),
    option("new_bytes_per_sender_per_day", "134217728", Number, "The same for each sender."),
    // Logging
    option(
        "log_level",
        "INFO",
        Word(&["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
        "What is worth a line in the log.",
    ),
    option(
        "log_file",
        "",
        Path,
        "Log file, begun anew each day, with the day behind its name. Default: standard error.",
    ),
    option("log_days_to_keep", "3", Number, "Days of log files to keep."),
    // Of 0.4.5
    option("config_dir_path", "", Unused, "Rules live in the store now: flawless rules import."),
    option("flawless_hostports", "", Unused, "An option of the older client."),
    option("client_timeout", "10", Unused, "An option of the older client."),
    option("redis_version", "2.0", Unused, "Issues live in the store now."),
];
