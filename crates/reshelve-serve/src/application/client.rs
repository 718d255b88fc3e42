//! Requests to an application: `GET` alone, one at a time on one connection, within a time limit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION, RETRY_AFTER};
use hyper::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use super::failure::AskError;
use super::{Address, Requests};
use crate::questions::Reply;

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How often a request is sent again whose connection failed.
const RETRIES_MAX: u32 = 3;
/// How long to wait before the first of these; each further wait is twice as long.
const RETRY_WAIT: Duration = Duration::from_millis(200);
/// How often one request waits because the application says that it is busy.
const BUSY_MAX: u32 = 5;
/// How long it waits then if the application does not say for how long, and at most.
const BUSY_WAIT: Duration = Duration::from_secs(1);
const BUSY_WAIT_MAX: Duration = Duration::from_secs(60);
/// How long it takes to notice that the command is to stop, at most.
const NOTICE_EVERY: Duration = Duration::from_millis(100);
/// How much is shown of what an answer says of itself, in characters.
const SHOWN_CHARS_MAX: usize = 200;

/// An application, and how it is asked.
#[derive(Clone, Debug)]
pub struct Application {
    /// Where it listens.
    pub address: Address,
    /// What goes into `Authorization: Bearer`, if it asks for a token.
    pub token: Option<Token>,
    /// How long one answer may take.
    pub time_max: Duration,
    /// How many requests are on the way at a time, at most.
    pub at_once: usize,
}

/// A token; it is never shown.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// A token; none if no header can carry it.
    pub fn new(text: &str) -> Option<Token> {
        let mut value = HeaderValue::from_str(&format!("Bearer {text}")).ok()?;
        value.set_sensitive(true);
        Some(Token(value))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(…)")
    }
}

/// A connection to an application, made again when it has ended.
pub(super) struct Client<'a> {
    application: &'a Application,
    stop: &'a AtomicBool,
    runtime: Runtime,
    sender: Option<SendRequest<Empty<Bytes>>>,
    pub(super) requests: Requests,
}

/// An answer as it came.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl<'a> Client<'a> {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// If the system has no room for it.
    pub(super) fn new(application: &'a Application, stop: &'a AtomicBool) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        Ok(Client { application, stop, runtime, sender: None, requests: Requests::default() })
    }

    /// What the application answers to a `GET` of a target.
    ///
    /// # Errors
    /// If it gives no answer that can be compared.
    pub(super) fn ask(&mut self, target: &str) -> Result<Reply, AskError> {
        let (mut retries, mut busy) = (0, 0);
        loop {
            match self.once(target) {
                Err(error) if error.is_of_connection() && retries < RETRIES_MAX => {
                    self.wait(RETRY_WAIT * 2_u32.pow(retries))?;
                    retries += 1;
                    self.requests.retried += 1;
                }
                Err(error) => return Err(error),
                Ok(answer) => match answer.busy_for() {
                    Some(_) if busy == BUSY_MAX => {
                        return Err(AskError::Busy { status: answer.status.as_u16(), times: busy });
                    }
                    Some(wait) => {
                        self.wait(wait)?;
                        // It is there.
                        retries = 0;
                        busy += 1;
                        self.requests.waited += 1;
                    }
                    None => return answer.judged(),
                },
            }
        }
    }

    fn wait(&self, wait: Duration) -> Result<(), AskError> {
        let until = Instant::now() + wait;
        while Instant::now() < until {
            if self.stop.load(Ordering::Relaxed) {
                return Err(AskError::Stopped);
            }
            std::thread::sleep(NOTICE_EVERY.min(until.saturating_duration_since(Instant::now())));
        }
        Ok(())
    }

    /// One request. A connection that is not in order after it is not used again.
    fn once(&mut self, target: &str) -> Result<Answer, AskError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(AskError::Stopped);
        }
        let (application, stop, sender) = (self.application, self.stop, self.sender.take());
        let sent = &mut self.requests.sent;
        let (answer, sender) = self.runtime.block_on(async {
            let limit = application.time_max;
            tokio::select! {
                asked = asked(application, sender, target, sent) => asked,
                () = tokio::time::sleep(limit) => Err(AskError::TooSlow { limit }),
                () = stopped(stop) => Err(AskError::Stopped),
            }
        })?;
        self.sender = Some(sender);
        Ok(answer)
    }
}

async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(NOTICE_EVERY).await;
    }
}

type Sender = SendRequest<Empty<Bytes>>;

/// Sends a request, on the connection that there is if it still lives, and reads its whole answer.
/// A connection that was kept may have been ended by the other side a moment before: that says
/// nothing of the application, and the request goes out again on a new one.
async fn asked(
    application: &Application,
    sender: Option<Sender>,
    target: &str,
    sent: &mut u64,
) -> Result<(Answer, Sender), AskError> {
    if let Some(mut sender) = sender
        && sender.ready().await.is_ok()
    {
        *sent += 1;
        if let Ok(response) = sender.send_request(request(application, target)?).await {
            return Ok((whole(response).await?, sender));
        }
    }
    let mut sender = connected(&application.address).await?;
    *sent += 1;
    let response = sender.send_request(request(application, target)?).await.map_err(cut_off)?;
    Ok((whole(response).await?, sender))
}

/// Reads an answer to its end.
async fn whole(response: hyper::Response<Incoming>) -> Result<Answer, AskError> {
    let (head, body) = response.into_parts();
    let body =
        Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| match error
            .downcast::<hyper::Error>(
        ) {
            Ok(error) => cut_off(*error),
            Err(_) => AskError::TooLong { bytes_max: ANSWER_BYTES_MAX },
        })?;
    Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
}

async fn connected(address: &Address) -> Result<Sender, AskError> {
    let stream = TcpStream::connect((address.host(), address.port()))
        .await
        .map_err(|error| AskError::Unreachable { why: error.to_string() })?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(cut_off)?;
    // It ends with the sender; what goes wrong with it, the sender is told.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

fn request(application: &Application, target: &str) -> Result<Request<Empty<Bytes>>, AskError> {
    let mut request = Request::get(application.address.target(target))
        .header(HOST, application.address.authority())
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("reshelve/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new())
        .map_err(|error| AskError::Unaskable { why: error.to_string() })?;
    if let Some(Token(token)) = &application.token {
        request.headers_mut().insert(AUTHORIZATION, token.clone());
    }
    Ok(request)
}

fn cut_off(error: hyper::Error) -> AskError {
    AskError::CutOff { why: error.to_string() }
}

impl Answer {
    /// For how long the application wants to be left alone; nothing if it has answered.
    fn busy_for(&self) -> Option<Duration> {
        let said = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let is_busy = match self.status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::SERVICE_UNAVAILABLE => said.is_some(),
            _ => false,
        };
        is_busy.then(|| said.and_then(retry_after).unwrap_or(BUSY_WAIT).min(BUSY_WAIT_MAX))
    }

    /// What the application says, if that can be compared.
    fn judged(self) -> Result<Reply, AskError> {
        let status = self.status.as_u16();
        match status {
            300..=399 => {
                let to = self.shown(&LOCATION).unwrap_or_else(|| "nowhere".to_owned());
                return Err(AskError::Redirected { status, to });
            }
            401 | 403 | 407 => return Err(AskError::Denied { status }),
            502..=504 => return Err(AskError::Unavailable { status }),
            _ => {}
        }
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&self.body).is_ok();
        if self.status.is_success() && !is_json {
            let kind = self.shown(&CONTENT_TYPE).unwrap_or_else(|| "no content type".to_owned());
            return Err(AskError::NotJson { status, kind, bytes: self.body.len() });
        }
        Ok(Reply { status, body: self.body.into() })
    }

    /// What a header says, cut.
    fn shown(&self, name: &HeaderName) -> Option<String> {
        let text = String::from_utf8_lossy(self.headers.get(name)?.as_bytes()).into_owned();
        Some(text.chars().take(SHOWN_CHARS_MAX).collect())
    }
}

/// What `Retry-After` says: seconds, or a date.
fn retry_after(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    // A date that has passed says that it may be asked again at once.
    Some(until.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_says_how_long_it_is_busy() {
        let of = |status: StatusCode, after: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(after) = after {
                headers.insert(RETRY_AFTER, HeaderValue::from_str(after).unwrap());
            }
            Answer { status, headers, body: Bytes::new() }.busy_for()
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(of(StatusCode::TOO_MANY_REQUESTS, Some("7")), seconds(7));
        assert_eq!(of(StatusCode::TOO_MANY_REQUESTS, None), Some(BUSY_WAIT));
        assert_eq!(of(StatusCode::TOO_MANY_REQUESTS, Some("soon")), Some(BUSY_WAIT));
        assert_eq!(of(StatusCode::TOO_MANY_REQUESTS, Some("86400")), Some(BUSY_WAIT_MAX));
        let passed = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(of(StatusCode::SERVICE_UNAVAILABLE, Some(passed)), seconds(0));
        assert_eq!(of(StatusCode::SERVICE_UNAVAILABLE, None), None);
        assert_eq!(of(StatusCode::OK, Some("7")), None);
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = Token::new("s3cret").unwrap();
        assert!(!format!("{token:?}").contains("s3cret"));
        assert!(Token::new("two\nlines").is_none());
    }
}
