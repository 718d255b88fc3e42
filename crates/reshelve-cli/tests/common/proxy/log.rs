//! What passed a proxy, in the order in which it did.

use std::collections::HashMap;

use super::wire::{Reply, Request};

/// Something that happened, in the order in which it did.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A client asked for something.
    Asked(Request),
    /// The request goes to the server: from now on it may have happened.
    Sent { connection: usize, id: i32 },
    /// The server answered.
    Answered(Reply),
    /// The whole reply goes to the client.
    Returned { connection: usize, id: i32 },
    /// The proxy cut the connection on this request.
    Cut { connection: usize, id: i32 },
}

/// A request with all that happened to it. Numbers are places in the log.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) asked: usize,
    /// Once for each time that the server got it.
    pub(crate) sent: Vec<usize>,
    /// The first reply of the server.
    pub(crate) reply: Option<Reply>,
    pub(crate) answered: Option<usize>,
    pub(crate) returned: Option<usize>,
}

/// What passed a proxy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) events: Vec<Event>,
}

impl Log {
    /// Every request with what happened to it, in the order in which they came.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        let mut exchanges: Vec<Exchange> = Vec::new();
        let mut places: HashMap<(usize, i32), usize> = HashMap::new();
        for (at, event) in self.events.iter().enumerate() {
            let key = match event {
                Event::Asked(request) => {
                    places.insert((request.connection, request.id), exchanges.len());
                    exchanges.push(Exchange {
                        request: request.clone(),
                        asked: at,
                        sent: Vec::new(),
                        reply: None,
                        answered: None,
                        returned: None,
                    });
                    continue;
                }
                Event::Answered(reply) => (reply.connection, reply.response_to),
                Event::Sent { connection, id }
                | Event::Returned { connection, id }
                | Event::Cut { connection, id } => (*connection, *id),
            };
            // A server that streams answers to itself.
            let Some(place) = places.get(&key) else { continue };
            let exchange = &mut exchanges[*place];
            match event {
                Event::Sent { .. } => exchange.sent.push(at),
                Event::Answered(reply) if exchange.reply.is_none() => {
                    exchange.reply = Some(reply.clone());
                    exchange.answered = Some(at);
                }
                Event::Returned { .. } => exchange.returned = Some(at),
                _ => {}
            }
        }
        exchanges
    }

    /// The exchanges of commands of this name on this collection.
    pub(crate) fn of(&self, command: &str, collection: &str) -> Vec<Exchange> {
        let mut exchanges = self.exchanges();
        exchanges.retain(|exchange| {
            exchange.request.command == command && exchange.request.collection == collection
        });
        exchanges
    }
}
