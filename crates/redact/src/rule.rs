//! The built-in rules by name, and which of them are on.

/// A built-in rule. The first part goes by the name of a variable, the second by the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Password,
    Secret,
    Token,
    ApiKey,
    PrivateKey,
    Authorization,
    Credential,
    Cookie,
    Session,
    Csrf,
    Card,
    PinCode,
    IdentityNumber,
    ConnectionString,
    Signature,
    Bearer,
    Jwt,
    AwsKey,
    GithubToken,
    GitlabToken,
    SlackToken,
    StripeKey,
    GoogleKey,
    AiKey,
    RegistryToken,
    SendgridKey,
    TwilioKey,
    AzureKey,
    ServiceToken,
    DsnKey,
    UrlPassword,
    PrivateKeyBlock,
    CardNumber,
    Environment,
}

/// Every rule with the name it is switched off by and what it hides.
pub(super) const RULES: [(Rule, &str, &str); 34] = [
    (Rule::Password, "password", "names: password, passwd, pwd, passphrase, passcode, db_pass"),
    (Rule::Secret, "secret", "names: secret, client_secret, SECRET_KEY"),
    (Rule::Token, "token", "names: token, access_token, jwt, but not max_tokens or page_token"),
    (Rule::ApiKey, "api_key", "names: api_key, access_key, license_key, X-Api-Key"),
    (Rule::PrivateKey, "private_key", "names: private_key, signing_key, encryption_key, ssh_key"),
    (
        Rule::Authorization,
        "authorization",
        "names: authorization, auth, auth_header, auth_code, ?code= of OAuth",
    ),
    (Rule::Credential, "credential", "names: credentials, creds"),
    (Rule::Cookie, "cookie", "names: cookie, cookies, Set-Cookie"),
    (Rule::Session, "session", "names: session, session_id, session_key, PHPSESSID"),
    (Rule::Csrf, "csrf", "names: csrf_token, csrfmiddlewaretoken, xsrf"),
    (Rule::Card, "card", "names: card, credit_card, card_number, cvv, cvc"),
    (Rule::PinCode, "pin_code", "names: pin, otp, totp, mfa_code, security_answer"),
    (Rule::IdentityNumber, "identity_number", "names: ssn, social_security, iban, passport_number"),
    (
        Rule::ConnectionString,
        "connection_string",
        "names: connection_string, ConnectionStrings, conn_str",
    ),
    (
        Rule::Signature,
        "signature",
        "names: signature, X-Amz-Signature, hmac, Digest's response, where the value is one",
    ),
    (Rule::Bearer, "bearer", "values: what follows Bearer or Basic in a header"),
    (Rule::Jwt, "jwt", "values: JSON web tokens"),
    (Rule::AwsKey, "aws_key", "values: access key ids of AWS"),
    (Rule::GithubToken, "github_token", "values: tokens of GitHub"),
    (Rule::GitlabToken, "gitlab_token", "values: tokens of GitLab"),
    (Rule::SlackToken, "slack_token", "values: tokens and webhooks of Slack, webhooks of Discord"),
    (Rule::StripeKey, "stripe_key", "values: secret and restricted keys of Stripe"),
    (Rule::GoogleKey, "google_key", "values: keys, access tokens, client secrets of Google"),
    (Rule::AiKey, "ai_key", "values: keys of OpenAI, Anthropic, Hugging Face"),
    (Rule::RegistryToken, "registry_token", "values: tokens of npm, PyPI, RubyGems, Docker Hub"),
    (Rule::SendgridKey, "sendgrid_key", "values: keys of SendGrid and Brevo"),
    (Rule::TwilioKey, "twilio_key", "values: API keys of Twilio"),
    (Rule::AzureKey, "azure_key", "values: account keys and signatures of Azure"),
    (
        Rule::ServiceToken,
        "service_token",
        "values: Vault, DigitalOcean, Shopify, Grafana, Telegram …",
    ),
    (
        Rule::DsnKey,
        "dsn_key",
        "values: the key in http://KEY@host, the token in https://TOKEN@github.com",
    ),
    (Rule::UrlPassword, "url_password", "values: the password in scheme://user:password@host"),
    (Rule::PrivateKeyBlock, "private_key_block", "values: PEM blocks that hold a private key"),
    (
        Rule::CardNumber,
        "card_number",
        "values: card numbers with an issuer's prefix that pass Luhn",
    ),
    (Rule::Environment, "environment", "values: what secret-looking environment variables hold"),
];

/// Which rules are on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Active(u64);

impl Active {
    pub(super) const ALL: Self = Self(u64::MAX);

    /// Without the rule of this name; `None` if there is no such rule.
    pub(super) fn without(self, name: &str) -> Option<Self> {
        let (rule, ..) = RULES.iter().find(|(_, known, _)| *known == name)?;
        Some(Self(self.0 & !(1 << *rule as u64)))
    }

    /// Whether any rule is on.
    pub(super) fn any(self) -> bool {
        RULES.iter().any(|(rule, ..)| self.has(*rule))
    }

    #[inline]
    pub(super) fn has(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u64) != 0
    }
}
