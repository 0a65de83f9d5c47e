//! The parameters of a query string: each is known to its endpoint, or refused.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::problem::Problem;

/// The parameters of a request in their order, decoded.
#[derive(Debug, Clone, Default)]
pub(super) struct Params(pub(super) Vec<(String, String)>);

impl Params {
    /// Reads a query string. `known` are the parameters that an endpoint takes once each; others
    /// are taken only where `open`, as conditions on columns.
    ///
    /// # Errors
    /// There is another, or one twice.
    pub(super) fn read(query: &str, known: &[&str], open: bool) -> Result<Self, Problem> {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs {
            let is_known = known.contains(&name.as_ref());
            if !is_known && !open {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(63).collect();
                let problem = Problem::bad(format!("there is no parameter `{shown}` here"));
                return Err(match known.is_empty() {
                    true => problem.hint("this path takes no parameters"),
                    false => problem.hint(format!("it takes: {}", known.join(", "))),
                });
            }
            if is_known && all.iter().any(|(other, _)| *other == name) {
                return Err(Problem::bad(format!(
                    "the parameter `{name}` is there twice"
                )));
            }
            if is_known && value.is_empty() {
                return Err(Problem::bad(format!("the parameter `{name}` is empty")));
            }
            if name.contains('\0') {
                return Err(Problem::bad("a parameter has a zero byte in its name"));
            }
            if value.contains('\0') {
                let what = "nothing is called so, and no text is so: it has a zero byte in it";
                return Err(Problem::missing(what));
            }
            all.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(all))
    }

    /// Reads a query string that others have made: what is not known is left out.
    pub(super) fn of_others(query: &str, known: &[&str]) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        Self(
            pairs
                .filter(|(name, _)| known.contains(&name.as_str()))
                .collect(),
        )
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter of several parts: `a,b,c`.
    ///
    /// # Errors
    /// A part is empty.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(vec![]);
        };
        let parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
        match parts.iter().any(String::is_empty) {
            true => Err(Problem::bad(format!("a part of `{name}` is empty"))),
            false => Ok(parts),
        }
    }

    /// A whole number within bounds.
    ///
    /// # Errors
    /// It is none, or not within.
    pub(super) fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_plain);
        match number.filter(|number| bounds.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(Problem::bad(format!(
                "`{name}` is no whole number from {} to {}",
                bounds.start(),
                bounds.end()
            ))),
        }
    }

    /// True or false; false where it is not there.
    ///
    /// # Errors
    /// It is neither.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::bad(format!("`{name}` is neither true nor false"))),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
