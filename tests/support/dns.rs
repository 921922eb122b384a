//! A name server on 127.0.0.1 with a few records, or with none and no answer either.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use simple_dns::rdata::{MX, RData, SRV};
use simple_dns::{CLASS, Name, Packet, PacketFlag, RCODE, ResourceRecord};

/// A record of a name.
#[derive(Clone, Debug)]
pub enum Record {
    /// Preference and host.
    Mx(u16, &'static str),
    /// Priority, weight, port and target.
    Srv(u16, u16, u16, &'static str),
}

/// What the server does with a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Manner {
    /// Answers.
    Answers,
    /// Says nothing.
    Hangs,
    /// Answers with octets that are no packet.
    Garbles,
    /// Answers with another question's id.
    Forges,
}

/// The server; it ends with this value.
pub struct NameServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Answers with these records, and that there is no other name.
    pub fn start(records: &[(&str, Record)]) -> Self {
        Self::start_that(Manner::Answers, records)
    }

    /// The same in another manner.
    pub fn start_that(manner: Manner, records: &[(&str, Record)]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let mut zone: HashMap<String, Vec<Record>> = HashMap::new();
        for (name, record) in records {
            zone.entry((*name).to_owned())
                .or_default()
                .push(record.clone());
        }
        let (asked, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (noted, stopping) = (Arc::clone(&asked), Arc::clone(&stop));
        let thread = thread::spawn(move || serve(&socket, &zone, manner, &noted, &stopping));
        Self {
            address,
            asked,
            stop,
            thread: Some(thread),
        }
    }

    /// For the environment of a run.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The names that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let _wake = socket.send_to(b"", self.address);
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(
    socket: &UdpSocket,
    zone: &HashMap<String, Vec<Record>>,
    manner: Manner,
    asked: &Mutex<Vec<String>>,
    stop: &AtomicBool,
) {
    let mut octets = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut octets).unwrap();
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(query) = Packet::parse(&octets[..length]) else {
            continue;
        };
        let question = query.questions[0].clone();
        let name = question.qname.to_string().to_ascii_lowercase();
        asked.lock().unwrap().push(name.clone());
        let answer = match manner {
            Manner::Hangs => continue,
            Manner::Garbles => vec![0xff; 300],
            Manner::Answers | Manner::Forges => {
                let id = query.id();
                let id = if manner == Manner::Forges { id ^ 1 } else { id };
                let mut reply = Packet::new_reply(id);
                reply.set_flags(PacketFlag::RECURSION_AVAILABLE);
                let records = zone.get(&name);
                if records.is_none() {
                    *reply.rcode_mut() = RCODE::NameError;
                }
                for record in records.into_iter().flatten() {
                    let data = match record {
                        Record::Mx(preference, host) => RData::MX(MX {
                            preference: *preference,
                            exchange: Name::new_unchecked(host),
                        }),
                        Record::Srv(priority, weight, port, target) => RData::SRV(SRV {
                            priority: *priority,
                            weight: *weight,
                            port: *port,
                            target: Name::new_unchecked(target),
                        }),
                    };
                    let owner = question.qname.clone();
                    reply
                        .answers
                        .push(ResourceRecord::new(owner, CLASS::IN, 60, data));
                }
                reply.questions.push(question);
                reply.build_bytes_vec().unwrap()
            }
        };
        socket.send_to(&answer, from).unwrap();
    }
}
