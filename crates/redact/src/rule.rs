//! The built-in rules by name, and the set of active ones.

/// A built-in rule. The first part of them judges by name, the second by value.
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

/// Every rule, the name that switches it off, and what it hides.
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
        "names: signature, X-Amz-Signature, hmac, Digest's response, if the value looks like one",
    ),
    (Rule::Bearer, "bearer", "values: what follows Bearer or Basic in a header"),
    (Rule::Jwt, "jwt", "values: JSON web tokens"),
    (Rule::AwsKey, "aws_key", "values: AWS access key ids"),
    (Rule::GithubToken, "github_token", "values: GitHub tokens"),
    (Rule::GitlabToken, "gitlab_token", "values: GitLab tokens"),
    (Rule::SlackToken, "slack_token", "values: Slack tokens and webhooks, Discord webhooks"),
    (Rule::StripeKey, "stripe_key", "values: Stripe secret and restricted keys"),
    (Rule::GoogleKey, "google_key", "values: Google keys, access tokens, client secrets"),
    (Rule::AiKey, "ai_key", "values: OpenAI, Anthropic and Hugging Face keys"),
    (Rule::RegistryToken, "registry_token", "values: npm, PyPI, RubyGems and Docker Hub tokens"),
    (Rule::SendgridKey, "sendgrid_key", "values: SendGrid and Brevo keys"),
    (Rule::TwilioKey, "twilio_key", "values: Twilio API keys"),
    (Rule::AzureKey, "azure_key", "values: Azure account keys and signatures"),
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
        "values: card numbers with an issuer's prefix and a valid Luhn digit",
    ),
    (Rule::Environment, "environment", "values: contents of secret-looking environment variables"),
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
