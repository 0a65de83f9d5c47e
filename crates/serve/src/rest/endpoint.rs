//! Endpoints: what a path does, who may ask for it, and how the document describes it. All three
//! are said in one place, so that none can be forgotten: what is not said to be open needs a
//! log-in, and what is not in the document is not there.

use std::collections::BTreeMap;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::app::App;
use super::media::Media;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Anybody.
    Open,
    /// Whoever has logged in, each for what it may see.
    LoggedIn,
    /// Administrators.
    Admin,
}

/// What is checked before a request comes to its handler.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) access: Access,
    /// Forms of the answer.
    pub(super) offered: &'static [Media],
    /// Parameters of the query string.
    pub(super) known: Vec<&'static str>,
    /// Other parameters are conditions on columns.
    pub(super) takes_conditions: bool,
    /// Something is different afterwards.
    pub(super) changes: bool,
}

/// A method of a path.
pub(super) struct Endpoint {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) rules: Rules,
    pub(super) route: MethodRouter<App>,
    pub(super) operation: Map<String, Value>,
    pub(super) schemas: BTreeMap<String, Value>,
    parameters: Vec<Value>,
    statuses: Vec<u16>,
}

/// A parameter of a query string.
pub(super) struct Param {
    pub(super) name: &'static str,
    /// JSON schema, as text.
    pub(super) schema: &'static str,
    pub(super) description: &'static str,
}

pub(super) const LIMIT: Param = Param {
    name: "limit",
    schema: r#"{"type": "integer", "minimum": 1, "maximum": 10000, "default": 100}"#,
    description: "At most so many rows.",
};
pub(super) const CURSOR: Param = Param {
    name: "cursor",
    schema: r#"{"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}"#,
    description: "Where the next page begins: `next` of the page before, with the same order.",
};
pub(super) const AS_OF: Param = Param {
    name: "as_of",
    schema: r#"{"type": "string", "minLength": 1}"#,
    description: "Reads the tables as they were: a time (RFC 3339), a day (its end in UTC), or the \
                  name of a run. Rights are those of today.",
};
pub(super) const FORMAT: Param = Param {
    name: "format",
    schema: r#"{"type": "string", "enum": ["json", "ndjson", "csv", "parquet", "arrow"]}"#,
    description: "The form of the answer, in the place of `Accept`.",
};
pub(super) const SORT: Param = Param {
    name: "sort",
    schema: r#"{"type": "string", "pattern": "^-?[^, -][^, ]*(,-?[^, -][^, ]*)*$"}"#,
    description: "Columns that the rows are ordered by, `-` for descending; nulls come last.",
};
pub(super) const FIELDS: Param = Param {
    name: "fields",
    schema: r#"{"type": "string", "pattern": "^[^, ]+(,[^, ]+)*$"}"#,
    description: "Columns of the answer, in this order; all without it.",
};

impl Endpoint {
    fn new<H, T>(method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = match method {
            Method::POST => MethodFilter::POST,
            Method::PATCH => MethodFilter::PATCH,
            Method::PUT => MethodFilter::PUT,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        let parts = path.split('/').filter(|part| part.starts_with('{'));
        let parameters = parts.map(|part| {
            let name = part.trim_matches(['{', '}', '*']);
            json!({
                "name": name, "in": "path", "required": true,
                "description": described(name),
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            })
        });
        let parameters: Vec<Value> = parameters.collect();
        let mut statuses = vec![400, 401, 403, 406, 414, 429, 431, 500, 503];
        if !parameters.is_empty() {
            statuses.push(404);
        }
        Self {
            rules: Rules {
                access: Access::LoggedIn,
                offered: &[Media::Json],
                known: vec![],
                takes_conditions: false,
                changes: method != Method::GET,
            },
            route: on(filter, handler),
            operation: Map::new(),
            schemas: BTreeMap::new(),
            parameters,
            statuses,
            method,
            path,
        }
    }

    /// Reads something.
    pub(super) fn get<H: Handler<T, App>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::GET, path, handler)
    }

    /// Makes or asks something.
    pub(super) fn post<H: Handler<T, App>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::POST, path, handler)
    }

    /// Changes something.
    pub(super) fn patch<H: Handler<T, App>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::PATCH, path, handler)
    }

    /// Removes something.
    pub(super) fn delete<H: Handler<T, App>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::DELETE, path, handler)
    }

    /// What the document says: the id that generated clients have, a heading, a sentence or more.
    pub(super) fn says(mut self, id: &str, summary: &str, description: &str) -> Self {
        self.operation.insert("operationId".into(), id.into());
        self.operation.insert("summary".into(), summary.into());
        self.operation
            .insert("description".into(), description.into());
        self
    }

    /// Part of the document.
    pub(super) fn tag(mut self, tag: &str) -> Self {
        self.operation.insert("tags".into(), json!([tag]));
        self
    }

    /// Anybody may ask.
    pub(super) fn open(mut self) -> Self {
        self.rules.access = Access::Open;
        self.operation.insert("security".into(), json!([]));
        self
    }

    /// Only administrators may ask.
    pub(super) fn admin(mut self) -> Self {
        self.rules.access = Access::Admin;
        self.operation.insert("x-access".into(), "admin".into());
        self
    }

    /// It has no body, so that no form of one is asked for.
    pub(super) fn any_form(mut self) -> Self {
        self.rules.offered = &[];
        self.statuses.retain(|status| *status != 406);
        self
    }

    /// It is asked by POST, but changes nothing.
    pub(super) fn asks(mut self) -> Self {
        self.rules.changes = false;
        self
    }

    /// It takes these parameters.
    pub(super) fn takes(mut self, parameters: &[Param]) -> Self {
        for one in parameters {
            self.rules.known.push(one.name);
            let schema: Value = serde_json::from_str(one.schema).unwrap_or_default();
            self.parameters.push(json!({
                "name": one.name, "in": "query", "required": false,
                "description": one.description, "schema": schema,
            }));
        }
        self
    }

    /// It does not go without this parameter.
    pub(super) fn needs(mut self, name: &str) -> Self {
        let found = self.parameters.iter_mut().find(|one| one["name"] == name);
        if let Some(found) = found {
            found["required"] = true.into();
        }
        self
    }

    /// Every other parameter is a condition on a column.
    pub(super) fn takes_conditions(mut self) -> Self {
        self.rules.takes_conditions = true;
        self
    }

    /// It takes a JSON body.
    pub(super) fn body<T: ToSchema>(mut self, example: Value) -> Self {
        let schema = self.schema::<T>();
        let content = json!({"application/json": {"schema": schema, "example": example}});
        let body = json!({"required": true, "content": content});
        self.operation.insert("requestBody".into(), body);
        self.statuses.extend([408, 413, 415, 422]);
        self
    }

    /// It answers with a JSON body.
    pub(super) fn gives<T: ToSchema>(self, status: u16, text: &str, example: Value) -> Self {
        let mut this = self;
        let schema = this.schema::<T>();
        let content = json!({"application/json": {"schema": schema, "example": example}});
        this.answer(status, json!({"description": text, "content": content}))
    }

    /// It answers without a body.
    pub(super) fn gives_nothing(self, status: u16, text: &str) -> Self {
        self.answer(status, json!({"description": text}))
    }

    /// It answers with something of another media type.
    pub(super) fn gives_other(self, status: u16, text: &str, media: &str, schema: Value) -> Self {
        let content = json!({media: {"schema": schema}});
        self.answer(status, json!({"description": text, "content": content}))
    }

    /// It answers with rows, in the form that is asked for.
    pub(super) fn gives_rows<T: ToSchema>(mut self, text: &str, example: Value) -> Self {
        self.rules.offered = &Media::ALL;
        let schema = self.schema::<T>();
        let mut content = Map::new();
        for media in Media::ALL {
            let one = match media {
                Media::Json => json!({"schema": schema, "example": example}),
                Media::Ndjson | Media::Csv => json!({"schema": {"type": "string"}}),
                Media::Parquet | Media::Arrow => {
                    json!({"schema": {"type": "string", "format": "binary"}})
                }
            };
            content.insert(media.essence().to_owned(), one);
        }
        let as_of = json!({
            "description": "The time whose tables were read, or `newest`.",
            "schema": {"type": "string"},
        });
        self.statuses.extend([404, 409, 413, 422, 504]);
        self.takes(&[FORMAT]).answer(
            200,
            json!({
                "description": text, "content": content,
                "headers": {"X-Throughline-As-Of": as_of},
            }),
        )
    }

    /// It may end with these errors, beside the usual ones.
    pub(super) fn errors(mut self, statuses: &[u16]) -> Self {
        self.statuses.extend(statuses);
        self
    }

    fn answer(mut self, status: u16, mut answer: Value) -> Self {
        if let Some(answer) = answer.as_object_mut() {
            let headers = answer.entry("headers").or_insert_with(|| json!({}));
            if let Some(headers) = headers.as_object_mut() {
                let id = json!({"$ref": "#/components/headers/X-Request-Id"});
                headers.insert("X-Request-Id".into(), id);
            }
        }
        let responses = self
            .operation
            .entry("responses")
            .or_insert_with(|| json!({}));
        if let Some(responses) = responses.as_object_mut() {
            responses.insert(status.to_string(), answer);
        }
        self
    }

    /// A reference to a type's schema, which becomes part of the document.
    fn schema<T: ToSchema>(&mut self) -> Value {
        let mut all = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut all);
        for (name, schema) in all {
            let schema = serde_json::to_value(schema).unwrap_or_default();
            self.schemas.insert(name, schema);
        }
        json!({"$ref": format!("#/components/schemas/{}", T::name())})
    }

    /// The operation as it stands in the document.
    pub(super) fn described(&self) -> Value {
        let mut operation = self.operation.clone();
        let mut parameters = self.parameters.clone();
        if self.rules.changes && self.method == Method::POST && self.rules.access != Access::Open {
            parameters.push(json!({"$ref": "#/components/parameters/Idempotency-Key"}));
        }
        if !parameters.is_empty() {
            operation.insert("parameters".into(), parameters.into());
        }
        let mut statuses = self.statuses.clone();
        if self.rules.changes {
            statuses.extend([409, 422]);
        }
        if self.rules.access == Access::Open {
            statuses.retain(|status| *status != 401 || self.path.ends_with("/session"));
        }
        let responses = operation.entry("responses").or_insert_with(|| json!({}));
        if let Some(responses) = responses.as_object_mut() {
            if self.method == Method::GET && responses.contains_key("200") {
                let unchanged = json!({"$ref": "#/components/responses/304"});
                responses.insert("304".into(), unchanged);
            }
            for status in statuses {
                let status = status.to_string();
                let problem = json!({"$ref": format!("#/components/responses/{status}")});
                responses.entry(status).or_insert(problem);
            }
            responses.sort_keys();
        }
        operation.into()
    }
}

/// What a part of a path is.
fn described(name: &str) -> &'static str {
    match name {
        "schema" => "Schema of the table, such as `marts`.",
        "table" => "Name of the table.",
        "name" => "Its name.",
        "key" => "Key of the customer, a whole number of 64 bits.",
        "role" => "Name of the role.",
        _ => "What it is known by.",
    }
}
