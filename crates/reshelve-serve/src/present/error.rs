//! The bodies of the application's error answers.

use super::text;

/// 404, where there is no such job. `job_id` is the id that was asked for.
pub fn job_not_found(job_id: &str) -> Vec<u8> {
    nest(&["Job with id \"", job_id, "\" was not found."], "Not Found", 404)
}

/// 404, where no route matches. `target` is the target as it was sent, including its query.
pub fn unmatched(method: &str, target: &str) -> Vec<u8> {
    nest(&["Cannot ", method, " ", target], "Not Found", 404)
}

/// 400, where a path segment cannot be decoded. `segment` is the segment as it was sent.
pub fn undecodable(segment: &str) -> Vec<u8> {
    nest(&["Failed to decode param '", segment, "'"], "Bad Request", 400)
}

/// 400 with any message: such as for a body that is not JSON.
pub fn bad_request(message: &str) -> Vec<u8> {
    nest(&[message], "Bad Request", 400)
}

/// Any status of which HTTP has a name, with a message.
pub fn named(status: u16, name: &str, message: &str) -> Vec<u8> {
    nest(&[message], name, status)
}

/// The body of any other status that has a message, such as 500, 413 and 415.
pub fn plain(status: u16, message: &str) -> Vec<u8> {
    let mut out = format!("{{\"statusCode\":{status},\"message\":").into_bytes();
    text::push_string(&mut out, message.as_bytes());
    out.push(b'}');
    out
}

/// 500.
pub fn internal() -> Vec<u8> {
    plain(500, "Internal server error")
}

fn nest(message: &[&str], error: &str, status: u16) -> Vec<u8> {
    let mut out = b"{\"message\":\"".to_vec();
    for part in message {
        text::push_escaped(&mut out, part.as_bytes());
    }
    out.extend_from_slice(b"\",\"error\":\"");
    out.extend_from_slice(error.as_bytes());
    out.extend_from_slice(b"\",\"statusCode\":");
    out.extend_from_slice(status.to_string().as_bytes());
    out.push(b'}');
    out
}
