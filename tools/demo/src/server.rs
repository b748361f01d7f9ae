// SPDX-License-Identifier: GPL-2.0

//! What the manager and the service do with the calls they get.

use std::{fs::File, io::Write, os::fd::AsRawFd, process};

use anyhow::{Context, Result};

use binder::{
    endpoint::{Endpoint, Message},
    proto::{Object, Return, Transaction, TF_ONE_WAY},
};

/// The reply is the call.
pub const ECHO: u32 = 1;
/// The reply is the pid of who answers.
pub const WHO: u32 = 2;
/// The call brings a node to keep.
pub const REGISTER: u32 = 3;
/// The reply is the node that was kept.
pub const LOOK_UP: u32 = 4;
/// The reply is an open file.
pub const OPEN: u32 = 5;
/// Counted; meant for oneway calls.
pub const TICK: u32 = 6;
/// The reply is the count.
pub const COUNT: u32 = 7;
/// Exit at once, without a reply.
pub const DIE: u32 = 8;
/// What is in the file that [`OPEN`] gives.
pub const TEXT: &str = "these words came through a file descriptor";

struct Server {
    endpoint: Endpoint,
    kept: Option<Object>,
    ticks: u32,
    file: Option<File>,
}

fn text_file() -> Result<File> {
    let path = format!("/tmp/demo-{}", process::id());
    File::create(&path).and_then(|mut file| file.write_all(TEXT.as_bytes()))?;
    File::open(&path).with_context(|| format!("cannot open {path}"))
}

impl Server {
    fn answer(&mut self, code: u32) -> Result<Message> {
        Ok(match code {
            WHO => Message::from(&process::id().to_ne_bytes()[..]),
            COUNT => Message::from(&self.ticks.to_ne_bytes()[..]),
            REGISTER => {
                self.kept = self.endpoint.received.first_object();
                Message::default()
            }
            LOOK_UP => self.kept.map(Message::object).unwrap_or_default(),
            OPEN => {
                let file = self.file.insert(text_file()?);
                Message::object(Object::Fd(file.as_raw_fd() as u32))
            }
            _ => Message::default(),
        })
    }

    fn serve(&mut self, call: &Transaction) -> Result<()> {
        self.endpoint.take(call)?;
        match call.code {
            DIE => process::exit(0),
            ECHO => self.endpoint.echo(),
            TICK => self.ticks += 1,
            code => {
                let reply = self.answer(code)?;
                if call.flags & TF_ONE_WAY == 0 {
                    self.endpoint.reply(reply);
                }
            }
        }
        Ok(())
    }
}

/// Serves until told to die. Calls that went wrong are the callers' business, not ours.
pub fn run(endpoint: Endpoint) -> Result<()> {
    let mut server = Server {
        endpoint,
        kept: None,
        ticks: 0,
        file: None,
    };
    loop {
        let next = server.endpoint.next()?;
        if let Some(Return::Transaction(call)) = server.endpoint.chore(next) {
            server.serve(&call)?;
        }
    }
}
