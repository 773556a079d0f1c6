//! Sign-in at an OpenID Connect provider: authorization code with PKCE, state and nonce. Its
//! metadata is fetched when somebody first signs in, so the server starts without the provider.
use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use flawless_base::text::one_line;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdTokenClaims,
    CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::http::Response;
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, TokenResponse,
};
use reqwest::redirect::Policy;
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;

use super::secret::new_secret;
use crate::app::App;
use crate::config::OpenIdConfig;
use flawless_base::secret::Secret;

/// Time for a sign-in at the provider.
pub const TICKET_LIFE_MS: i64 = 10 * 60_000;
/// The provider's metadata is fetched again after this time.
const KEPT_MS: i64 = 3_600_000;
/// A provider that did not answer is asked again only after this time.
const FAILED_MS: i64 = 5_000;
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ANSWER: usize = 1024 * 1024;
const WORDS: usize = 300;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider.
#[derive(Debug)]
pub struct OpenId {
    /// The client, or why there is none, in words.
    http: Result<reqwest::Client, String>,
    issuer: String,
    client_id: String,
    client_secret: Option<Secret>,
    known: Mutex<Option<Known>>,
}

/// The provider's metadata, or why there is none, and since when.
#[derive(Debug)]
struct Known {
    at: i64,
    metadata: Result<Box<CoreProviderMetadata>, OpenIdError>,
}

/// A sign-in that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What the browser keeps until it comes back.
    pub ticket: String,
}

/// Why nobody was signed in, in words for the person who tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenIdError {
    /// It does not answer, or answers wrongly.
    #[error("the provider {issuer} cannot be used: {words}")]
    Provider {
        /// Which one.
        issuer: String,
        /// Why not.
        words: String,
    },
    /// The browser that came back is another one, or took too long.
    #[error("this sign-in was begun in another browser, or more than ten minutes ago")]
    Stale,
    /// The provider refused the sign-in.
    #[error("the provider says: {0}")]
    Refused(String),
    /// There is no address.
    #[error("the provider did not send your mail address: it has to send the claim email")]
    NoAddress,
    /// Anybody could have typed it.
    #[error(
        "the provider did not confirm that {0} is your own address: it has to send the claim \
         email_verified as true"
    )]
    Unverified(String),
    /// The system provides no random numbers.
    #[error("the system provides no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct HttpFailed(String);

impl OpenId {
    /// A client that has not contacted the provider yet.
    pub fn new(config: &OpenIdConfig) -> Self {
        // If the program has already installed one, that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("Flawless/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .build();
        Self {
            http: http.map_err(|error| in_words(&error)),
            issuer: config.issuer.clone(),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            known: Mutex::new(None),
        }
    }

    /// Fetches the provider's metadata.
    ///
    /// # Errors
    /// It does not answer, or answers wrongly.
    pub async fn check(&self, now: i64) -> Result<(), OpenIdError> {
        self.metadata(now, false).await.map(drop)
    }

    /// Begins a sign-in that sends a browser to the provider.
    ///
    /// # Errors
    /// The provider does not answer.
    pub async fn begin(&self, app: &App) -> Result<Begun, OpenIdError> {
        let now = app.clock.now();
        let client = self.client(app, false).await?;
        let ticket = format!("{now}.{}", new_secret("")?.text);
        let (state, nonce) = (made("state", app, &ticket), made("nonce", app, &ticket));
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier(app, &ticket));
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Begun { url: url.into(), ticket })
    }

    /// The address of the person who came back from the provider.
    ///
    /// # Errors
    /// The provider cannot say, or the browser is another one.
    pub async fn finish(
        &self,
        app: &App,
        ticket: &str,
        state: &str,
        code: &str,
    ) -> Result<String, OpenIdError> {
        let now = app.clock.now();
        let begun = ticket.split('.').next().and_then(|at| at.parse::<i64>().ok());
        let is_fresh = begun.is_some_and(|at| (0..TICKET_LIFE_MS).contains(&(now - at)));
        let is_same: bool = made("state", app, ticket).as_bytes().ct_eq(state.as_bytes()).into();
        if !is_fresh || !is_same {
            return Err(OpenIdError::Stale);
        }
        let http = self.http()?;
        let ask = |request| call(http.clone(), request);
        let client = self.client(app, false).await?;
        let token = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| self.wrong(&error))?
            .set_pkce_verifier(verifier(app, ticket))
            .request_async(&ask)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(said) => {
                    OpenIdError::Refused(one_line(&said.to_string(), WORDS))
                }
                error => self.wrong(&error),
            })?;
        let nonce = Nonce::new(made("nonce", app, ticket));
        let claims = match self.claims(&client, &token, &nonce, now) {
            // Its keys may have changed.
            Err(Some(ClaimsVerificationError::SignatureVerification(_))) => {
                let client = self.client(app, true).await?;
                self.claims(&client, &token, &nonce, now)
            }
            claims => claims,
        };
        let claims = claims.map_err(|error| match error {
            Some(error) => self.wrong(&error),
            None => self.said("its answer has no ID token"),
        })?;
        if let Some(email) = claims.email() {
            return owned(email.as_str(), claims.email_verified());
        }
        // Some providers leave it out of the ID token.
        let subject = Some(claims.subject().clone());
        let Ok(request) = client.user_info(token.access_token().clone(), subject) else {
            return Err(OpenIdError::NoAddress);
        };
        let more: CoreUserInfoClaims =
            request.request_async(&ask).await.map_err(|error| self.wrong(&error))?;
        let email = more.email().ok_or(OpenIdError::NoAddress)?;
        owned(email.as_str(), more.email_verified())
    }

    /// What the ID token says; `Err(None)` when there is none.
    fn claims(
        &self,
        client: &Client,
        token: &CoreTokenResponse,
        nonce: &Nonce,
        now: i64,
    ) -> Result<CoreIdTokenClaims, Option<ClaimsVerificationError>> {
        let id_token = token.id_token().ok_or(None)?;
        let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(now).unwrap_or_default());
        let verifier = client.id_token_verifier().set_time_fn(move || now.into());
        id_token.claims(&verifier, nonce).cloned().map_err(Some)
    }

    async fn client(&self, app: &App, again: bool) -> Result<Client, OpenIdError> {
        let metadata = self.metadata(app.clock.now(), again).await?;
        let redirect = RedirectUrl::new(format!("{}/sign_in/oidc/callback", app.server_url))
            .map_err(|error| self.wrong(&error))?;
        let secret = self.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.reveal().to_owned()));
        let in_body = metadata.token_endpoint_auth_methods_supported().is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        let id = ClientId::new(self.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata, id, secret);
        let client = client.set_redirect_uri(redirect);
        Ok(if in_body { client.set_auth_type(AuthType::RequestBody) } else { client })
    }

    async fn metadata(&self, now: i64, again: bool) -> Result<CoreProviderMetadata, OpenIdError> {
        // One task asks, the others wait for the answer.
        let mut known = self.known.lock().await;
        if let Some(Known { at, metadata }) = &*known {
            let kept = if metadata.is_ok() { KEPT_MS } else { FAILED_MS };
            if (0..kept).contains(&(now - at)) && !(again && metadata.is_ok()) {
                return metadata.clone().map(|metadata| *metadata);
            }
        }
        let metadata = self.discover().await;
        *known = Some(Known { at: now, metadata: metadata.clone().map(Box::new) });
        metadata
    }

    async fn discover(&self) -> Result<CoreProviderMetadata, OpenIdError> {
        let http = self.http()?;
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|error| self.wrong(&error))?;
        let ask = |request| call(http.clone(), request);
        CoreProviderMetadata::discover_async(issuer, &ask).await.map_err(|error| self.wrong(&error))
    }

    fn http(&self) -> Result<reqwest::Client, OpenIdError> {
        self.http.clone().map_err(|words| self.said(&words))
    }

    fn wrong(&self, error: &(dyn Error + 'static)) -> OpenIdError {
        self.said(&in_words(error))
    }

    fn said(&self, words: &str) -> OpenIdError {
        OpenIdError::Provider { issuer: self.issuer.clone(), words: one_line(words, WORDS) }
    }
}

/// What only this server can derive from a ticket, so that it need not be remembered.
fn made(purpose: &str, app: &App, ticket: &str) -> String {
    app.signer.sign("oidc", &[purpose, ticket])
}

fn verifier(app: &App, ticket: &str) -> PkceCodeVerifier {
    let half = |purpose| made(purpose, app, ticket);
    PkceCodeVerifier::new(half("verifier") + &half("verifier's other half"))
}

fn owned(email: &str, verified: Option<bool>) -> Result<String, OpenIdError> {
    let email = email.trim().to_ascii_lowercase();
    if !flawless_core::is_mailable(&email) {
        return Err(OpenIdError::NoAddress);
    }
    match verified {
        Some(true) => Ok(email),
        _ => Err(OpenIdError::Unverified(email)),
    }
}

/// An error with its causes.
fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    words.dedup();
    words.join(": ")
}

async fn call(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpFailed> {
    let failed = |error: reqwest::Error| HttpFailed(in_words(&error));
    let (parts, body) = request.into_parts();
    let request = http.request(parts.method, parts.uri.to_string()).headers(parts.headers);
    let mut answer = request.body(body).send().await.map_err(failed)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(HttpFailed("its answer is larger than 1 MB".to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    let mut response = Response::new(bytes);
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}
