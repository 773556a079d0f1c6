//! The parameters of a request for a page, and the names of those that the page does not know.
use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use flawless_base::text::one_line;
use serde::de::DeserializeOwned;
use url::form_urlencoded::{Serializer, parse};

use super::visitor::PageContext;

/// The context and the parameters of a page. The context has the names of unknown parameters; a
/// page that takes a [`PageContext`] alone has no parameters.
pub(crate) struct Asked<T> {
    pub(crate) context: PageContext,
    pub(crate) parameters: T,
}

/// At most this many unknown parameters are named: a hostile link can have thousands.
const MOST_NAMED: usize = 10;

impl<S: Sync, T: DeserializeOwned + Default> FromRequestParts<S> for Asked<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let context = PageContext::from_request_parts(parts, state).await?;
        let (parameters, unknown) = read(parts.uri.query().unwrap_or_default());
        Ok(Self { context: PageContext { unknown, ..context }, parameters })
    }
}

/// Reads a query, and returns the names of unknown parameters too. The last of a name counts.
fn read<T: DeserializeOwned + Default>(query: &str) -> (T, Vec<String>) {
    let pairs: BTreeMap<_, _> =
        parse(query.as_bytes()).filter(|(name, _)| !is_of_every_page(name)).collect();
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    let mut unknown = Vec::new();
    let deserializer = serde_urlencoded::Deserializer::new(parse(query.as_bytes()));
    let parameters = serde_ignored::deserialize(deserializer, |name| {
        if unknown.len() < MOST_NAMED {
            unknown.push(one_line(&name.to_string(), 60));
        }
    });
    (parameters.unwrap_or_default(), unknown)
}

/// The names of all parameters in the query of a page that takes none.
pub(crate) fn names_in(query: &str) -> Vec<String> {
    let names = parse(query.as_bytes()).map(|(name, _)| name);
    let names = names.filter(|name| !is_of_every_page(name));
    names.map(|name| one_line(&name, 60)).take(MOST_NAMED).collect()
}

/// Every page takes `done`: it shows the action that led to it.
pub(crate) fn is_of_every_page(name: &str) -> bool {
    name == "done"
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Parameters {
        page: String,
        text: Option<String>,
    }

    #[test]
    fn unknown_parameters_are_named_and_the_rest_is_read() {
        let asked = |query: &str| {
            let (parameters, unknown) = read::<Parameters>(query);
            (parameters.page, parameters.text, unknown)
        };
        let named = |name: &str| vec![name.to_owned()];
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(asked("page=2&done=7"), ("2".into(), None, vec![]));
        assert_eq!(asked("page=2&page=3&text=a+b"), ("3".into(), some("a b"), vec![]));
        assert_eq!(asked("pgae=2&text="), (String::new(), some(""), named("pgae")));
        assert_eq!(
            asked("%FF%00=1&=2"),
            (String::new(), None, vec![String::new(), "\u{fffd}\u{fffd}".into()])
        );
        let many: String = (0..50).map(|number| format!("x{number}=1&")).collect();
        assert_eq!(asked(&many).2.len(), MOST_NAMED);
        assert_eq!(names_in(&many).len(), MOST_NAMED);
        assert_eq!(names_in("done=1&x=%E2%80%AE"), ["x"]);
    }
}
