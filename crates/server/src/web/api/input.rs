//! Reads the address, parameters and body of a request, with limits on size and time. An unknown
//! field is an error.
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::Path as FieldPath;
use url::form_urlencoded;

use super::problem::{FieldProblem, Problem};
use crate::web::Site;

const MAX_BODY: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Parts of the address; those of a wrong type are answered with 404.
#[derive(Debug)]
pub(super) struct At<T>(pub(super) T);

/// The parameters of the query.
#[derive(Debug)]
pub(super) struct Parameters<T>(pub(super) T);

/// A JSON body.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Site> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let found = Path::from_request_parts(parts, site).await;
        let text = "There is nothing at this address: a part of it is not a number, or not text.";
        found.map(|Path(value)| Self(value)).map_err(|_| Problem::not_found(text))
    }
}

impl<T: DeserializeOwned> FromRequestParts<Site> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Site) -> Result<Self, Problem> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let empty = pairs.clone().find(|(_, value)| value.is_empty());
        if let Some((name, _)) = empty {
            let problem = FieldProblem::new(name, "is empty: leave it out, or give it a value");
            return Err(Problem::malformed(vec![problem]));
        }
        let deserializer = serde_urlencoded::Deserializer::new(pairs);
        let read = serde_path_to_error::deserialize(deserializer);
        read.map(Self).map_err(|error| {
            let text = error.inner().to_string();
            Problem::malformed(vec![field_problem(error.path(), &text)])
        })
    }
}

impl<T: DeserializeOwned> FromRequest<Site> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Site) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let text = "The body has to be JSON, with the header “content-type: application/json”.";
            return Err(Problem::not_json(text));
        }
        read_json(&body_of(request.into_body()).await?).map(Self)
    }
}

async fn body_of(body: Body) -> Result<Vec<u8>, Problem> {
    match tokio::time::timeout(BODY_TIME, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => Ok(body.into()),
        Ok(Err(_)) => {
            Err(Problem::too_large("The body is larger than 1 MiB, or was cut off in transit."))
        }
        Err(_) => Err(Problem::too_slow("The body took longer than ten seconds to arrive.")),
    }
}

fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let text = error.inner().to_string();
        match error.inner().is_data() {
            true => field_problem(error.path(), &text),
            false => FieldProblem::new("", format!("The body is not JSON: {text}.")),
        }
    });
    let read = read.and_then(|value| {
        let ended = deserializer.end().map(|()| value);
        ended.map_err(|error| FieldProblem::new("", format!("The body is not JSON: {error}.")))
    });
    read.map_err(|problem| Problem::malformed(vec![problem]))
}

/// Reads a value that was parsed before as its own type; `within` is its place in the body.
pub(super) fn read_value<T: DeserializeOwned>(value: Value, within: &str) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let text = error.inner().to_string();
        let FieldProblem { field, problem } = field_problem(error.path(), &text);
        let field = match field.as_str() {
            "" => within.to_owned(),
            field => format!("{within}.{field}"),
        };
        // The address determines the type, so the body alone is well-formed.
        Problem::refused(vec![FieldProblem::new(field, problem)])
    })
}

/// Reads a body whose field `tag` selects its type.
pub(super) fn read_tagged<T: DeserializeOwned>(body: Value, tag: &str) -> Result<T, Problem> {
    let read = |body: Value| serde_json::from_value::<T>(body);
    let text = match read(body.clone()) {
        Ok(read) => return Ok(read),
        Err(error) => error.to_string(),
    };
    let FieldProblem { mut field, problem } = field_named(String::new(), &text);
    if field.is_empty() {
        // Serde loses the field's name here: it is the field that causes the same error alone.
        let fields = body.as_object().into_iter().flatten().filter(|(name, _)| *name != tag);
        let alone = |(name, value): (&String, &Value)| {
            let body = json!({tag: body.get(tag), name: value});
            read(body).is_err_and(|error| error.to_string() == text).then(|| name.clone())
        };
        let is_tag = problem.starts_with("unknown variant");
        let tag = is_tag.then(|| tag.to_owned());
        field = tag.or_else(|| fields.filter_map(alone).next()).unwrap_or_default();
    }
    Err(Problem::malformed(vec![FieldProblem::new(field, problem)]))
}

/// The field that serde complains about: only its message names an unknown or missing one.
fn field_problem(path: &FieldPath, text: &str) -> FieldProblem {
    let path = match path.to_string() {
        dots if dots == "." || dots == "?" => String::new(),
        path => path,
    };
    field_named(path, text)
}

fn field_named(path: String, text: &str) -> FieldProblem {
    // The field's name helps more than its position in the text.
    let text = text.split(" at line ").next().unwrap_or_default();
    let kinds = ["unknown field `", "missing field `", "duplicate field `"];
    let named = kinds.iter().find_map(|kind| text.strip_prefix(kind)?.split('`').next());
    let field =
        match named {
            Some(name)
                if path.is_empty() || path == name || path.ends_with(&format!(".{name}")) =>
            {
                if path.is_empty() { name.to_owned() } else { path }
            }
            Some(name) => format!("{path}.{name}"),
            None => path,
        };
    FieldProblem::new(field, text)
}

/// Whether the headers declare the body as JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// Whether the client accepts JSON.
pub(super) fn accepts_json(headers: &HeaderMap) -> bool {
    let Some(accept) = text(headers, header::ACCEPT) else { return true };
    accept.trim().is_empty()
        || accept.split(',').any(|range| {
            let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
            let kind = parts.next().unwrap_or_default();
            let is_unwanted = parts.any(|part| {
                let weight = part.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
                weight.is_some_and(|weight| weight <= 0.0)
            });
            matches!(&*kind, "*/*" | "application/*" | "application/json") && !is_unwanted
        })
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Body {
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        number: u8,
    }

    #[test]
    fn wrong_input_is_reported_with_its_field() {
        let wrong = |body: &str| {
            let problem = read_json::<Body>(body.as_bytes()).expect_err("wrong");
            serde_json::to_value(problem).expect("JSON")["errors"][0]["field"].clone()
        };
        assert_eq!(wrong("{\"other\": 1}"), "other");
        assert_eq!(wrong("{\"inner\": {\"other\": 1}}"), "inner.other");
        assert_eq!(wrong("{\"inner\": {}}"), "inner.number");
        assert_eq!(wrong("{\"inner\": {\"number\": 300}}"), "inner.number");
        assert_eq!(wrong("{\"inner\": {\"number\": 1, \"number\": 2}}"), "inner.number");
        assert!(wrong("{\"inner\": null} x").is_null());
    }

    #[test]
    fn client_that_accepts_no_json_is_recognized() {
        let accepts = |accept: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().expect("text"))]);
            accepts_json(&headers)
        };
        for yes in ["*/*", "text/html, application/json;q=0.5", "application/*", ""] {
            assert!(accepts(yes), "{yes:?}");
        }
        for no in ["text/html", "application/json;q=0", "application/xml, text/*"] {
            assert!(!accepts(no), "{no:?}");
        }
        assert!(accepts_json(&HeaderMap::new()));
    }
}
