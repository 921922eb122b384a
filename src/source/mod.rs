//! Where mail comes from: a module for each protocol.

pub mod pop;

pub use pop::{
    Answer, Arrival, Auth, Credentials, Detour, Direction, Error, Given, Marked, Meaning, Options,
    Phase, Retrieval, Secret, Session, Shortcut, Transaction, Transcript, UnderWay, Update,
};
