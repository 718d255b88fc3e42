//! Operations in few words: what a route takes, and every answer that can come.

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{HttpMethod, Required, ResponseBuilder};

use super::shape::{Shape, named, text};

/// The media types of answers.
pub(super) const JSON: &str = "application/json";
pub(super) const HTML: &str = "text/html";
pub(super) const PLAIN: &str = "text/plain";

/// A route: a path and a method.
pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) method: HttpMethod,
    pub(super) operation: OperationBuilder,
}

impl Route {
    pub(super) fn get(path: &'static str, tag: &str, summary: &str) -> Self {
        Route::new(HttpMethod::Get, path, tag, summary)
    }

    pub(super) fn post(path: &'static str, tag: &str, summary: &str) -> Self {
        Route::new(HttpMethod::Post, path, tag, summary)
    }

    fn new(method: HttpMethod, path: &'static str, tag: &str, summary: &str) -> Self {
        let operation = OperationBuilder::new().tag(tag).summary(Some(summary));
        Route { path, method, operation }
    }

    fn with(self, change: impl FnOnce(OperationBuilder) -> OperationBuilder) -> Self {
        Route { operation: change(self.operation), ..self }
    }

    /// What there is to know beyond the summary.
    pub(super) fn about(self, text: &str) -> Self {
        self.with(|operation| operation.description(Some(text)))
    }

    /// A segment of the path.
    pub(super) fn segment(self, name: &str, about: &str) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(text()));
        self.with(|operation| operation.parameter(parameter))
    }

    /// A parameter of the query.
    pub(super) fn query(self, name: &str, shape: Shape, about: &str) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(about))
            .schema(Some(shape));
        self.with(|operation| operation.parameter(parameter))
    }

    /// A body of one of these media types, which may be left out.
    pub(super) fn body(self, contents: &[(&str, Shape)]) -> Self {
        let body = contents.iter().fold(RequestBodyBuilder::new(), |body, (kind, shape)| {
            body.content(*kind, ContentBuilder::new().schema(Some(shape.clone())).build())
        });
        self.with(|operation| operation.request_body(Some(body.build())))
    }

    /// An answer with a body of one of these media types; without one where there are none.
    pub(super) fn answers(self, status: u16, about: &str, contents: &[(&str, Shape)]) -> Self {
        self.headed(status, about, contents, &[])
    }

    /// The same, with headers.
    pub(super) fn headed(
        self,
        status: u16,
        about: &str,
        contents: &[(&str, Shape)],
        headers: &[(&str, &str)],
    ) -> Self {
        let response = ResponseBuilder::new().description(about);
        let response = contents.iter().fold(response, |response, (kind, shape)| {
            response.content(*kind, ContentBuilder::new().schema(Some(shape.clone())).build())
        });
        let response = headers.iter().fold(response, |response, (name, about)| {
            let header = HeaderBuilder::new().schema(Some(text())).description(Some(*about));
            response.header(*name, header.build())
        });
        self.with(|operation| operation.response(status.to_string(), response.build()))
    }

    /// An answer with a page.
    pub(super) fn shows(self, status: u16, about: &str) -> Self {
        self.answers(status, about, &[(HTML, text())])
    }

    /// What comes of every route that may ask for a token: this last, so that it is shown last.
    pub(super) fn guarded(self) -> Self {
        let error = || (JSON, named("Error"));
        let token = SecurityRequirement::new::<_, _, String>("token", []);
        let cookie = SecurityRequirement::new::<_, _, String>("cookie", []);
        self.answers(401, "The token is missing or wrong.", &[error(), (HTML, text())])
            .answers(421, "The `Host` is none of this server's names.", &[error()])
            // The last says that without `--token-file` neither is needed.
            .with(|operation| {
                operation.security(token).security(cookie).security(SecurityRequirement::default())
            })
    }

    /// The same for a route that changes something.
    pub(super) fn guarded_change(self) -> Self {
        let about = "The server was started without `--token-file`, or the request comes from \
                     another site.";
        self.answers(403, about, &[(JSON, named("Error"))]).guarded()
    }
}
