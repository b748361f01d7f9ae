// SPDX-License-Identifier: GPL-2.0

//! The client: goes through everything the demonstration shows, one step after the other.

use std::{
    io::Read,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{bail, Context, Result};

use binder::{
    endpoint::{Answer, Endpoint, Message},
    proto::{self, u32_at, Object},
    sys,
};

use crate::server;

/// The context manager's handle.
const MANAGER: u32 = 0;

/// Size of the calls that are timed.
const SIZE: usize = 128;

/// What we call the target in death notifications.
const COOKIE: u64 = 0xdead;

/// How long we wait for what must come soon.
const SOON: Duration = Duration::from_secs(5);

/// How a step went.
enum Step {
    /// With what was seen.
    Works(String),
    /// The driver refused the first thing the step needs.
    NotCarried(String),
}

use Step::{NotCarried, Works};

struct Client {
    endpoint: Endpoint,
    service: Option<u32>,
    calls: u64,
    works: u32,
    later: u32,
    failed: u32,
}

fn refused(what: &str) -> Step {
    NotCarried(format!("the driver refuses {what}"))
}

impl Client {
    fn call(&mut self, handle: u32, code: u32, with: &Message) -> Result<Answer> {
        self.calls += 1;
        self.endpoint.call(handle, code, proto::TF_ACCEPT_FDS, with)
    }

    /// A call that must be answered.
    fn ask(&mut self, handle: u32, code: u32, with: &Message) -> Result<()> {
        match self.call(handle, code, with)? {
            Answer::Reply => Ok(()),
            Answer::Dead => bail!("BR_DEAD_REPLY from handle {handle}"),
            Answer::Failed => bail!("BR_FAILED_REPLY from handle {handle}"),
        }
    }

    fn number(&self) -> Result<u32> {
        u32_at(&self.endpoint.received.data, 0).context("the reply is too short")
    }

    fn echo(&mut self) -> Result<Step> {
        let message = Message::from(&b"hello"[..]);
        self.ask(MANAGER, server::ECHO, &message)?;
        if self.endpoint.received != message {
            bail!(
                "sent {:?}, got {:?}",
                message.data,
                self.endpoint.received.data
            );
        }
        self.ask(MANAGER, server::WHO, &Message::default())?;
        let pid = self.number()?;
        Ok(Works(format!(
            "5 bytes to handle 0 and the same 5 back, from process {pid}"
        )))
    }

    fn many(&mut self, calls: u32) -> Result<Step> {
        let mut message = Message::from(&[0x5a; SIZE][..]);
        let start = Instant::now();
        for number in 0..calls {
            message.data[..4].copy_from_slice(&number.to_ne_bytes());
            self.ask(MANAGER, server::ECHO, &message)?;
            if self.endpoint.received != message {
                bail!("call {number} of {calls} came back with other data");
            }
        }
        let time = start.elapsed();
        let each = time.as_nanos() / u128::from(calls.max(1));
        let time = time.as_secs_f64();
        Ok(Works(format!(
            "{calls} of {SIZE} bytes in {time:.2} s: {each} ns a round trip"
        )))
    }

    fn look_up(&mut self) -> Result<Step> {
        self.ask(MANAGER, server::LOOK_UP, &Message::default())?;
        let Some(Object::Handle(handle)) = self.endpoint.received.first_object() else {
            return Ok(refused(
                "a message with a node, so there is no service to look up",
            ));
        };
        self.ask(handle, server::WHO, &Message::default())?;
        let pid = self.number()?;
        self.service = Some(handle);
        Ok(Works(format!(
            "the manager gave handle {handle}; a call to it reached process {pid}"
        )))
    }

    fn file(&mut self) -> Result<Step> {
        if self.call(MANAGER, server::OPEN, &Message::default())? == Answer::Failed {
            return Ok(refused("a reply with a file descriptor"));
        }
        let Some(Object::Fd(fd)) = self.endpoint.received.first_object() else {
            bail!(
                "no file descriptor in the reply: {:?}",
                self.endpoint.received
            );
        };
        let mut text = String::new();
        sys::received_file(fd).read_to_string(&mut text)?;
        if text != server::TEXT {
            bail!("read {text:?} from it");
        }
        Ok(Works(format!(
            "the manager opened a file, the client read it as fd {fd}: “{text}”"
        )))
    }

    fn oneway(&mut self) -> Result<Step> {
        const CALLS: u32 = 3;
        for _ in 0..CALLS {
            self.calls += 1;
            let flags = proto::TF_ONE_WAY;
            let answer = self
                .endpoint
                .call(MANAGER, server::TICK, flags, &Message::default())?;
            if answer == Answer::Failed {
                return Ok(refused("a oneway call"));
            }
        }
        // A call may overtake the oneway calls before it, so the count may take a moment.
        let start = Instant::now();
        while start.elapsed() < SOON {
            self.ask(MANAGER, server::COUNT, &Message::default())?;
            if self.number()? == CALLS {
                return Ok(Works(format!(
                    "{CALLS} sent without waiting, {CALLS} arrived"
                )));
            }
            thread::sleep(Duration::from_millis(1));
        }
        bail!("{CALLS} sent, {} arrived", self.number()?)
    }

    /// Asks to be told when the service (or else the manager) dies.
    fn watch(&mut self, handle: u32) -> Result<bool> {
        self.endpoint
            .command(proto::BC_ACQUIRE, &handle.to_ne_bytes());
        if self.endpoint.flush().is_err() {
            return Ok(false);
        }
        let mut request = handle.to_ne_bytes().to_vec();
        request.extend_from_slice(&COOKIE.to_ne_bytes());
        self.endpoint
            .command(proto::BC_REQUEST_DEATH_NOTIFICATION, &request);
        Ok(self.endpoint.flush().is_ok())
    }

    /// Has `handle` die while we wait for its reply.
    fn outlive(&mut self, handle: u32) -> Result<Step> {
        let start = Instant::now();
        match self.call(handle, server::DIE, &Message::default())? {
            Answer::Dead => {}
            other => bail!("expected BR_DEAD_REPLY, got {other:?}"),
        }
        let time = start.elapsed().as_micros();
        match self.call(handle, server::WHO, &Message::default())? {
            Answer::Dead => {}
            other => bail!("expected BR_DEAD_REPLY from a second call, got {other:?}"),
        }
        Ok(Works(format!(
            "its client, waiting, saw BR_DEAD_REPLY after {time} µs; so does a new call"
        )))
    }

    fn notice(&mut self, asked: bool) -> Result<Step> {
        if !asked {
            return Ok(refused("a request for a death notification"));
        }
        let start = Instant::now();
        while self.endpoint.deaths.is_empty() {
            let left = SOON.saturating_sub(start.elapsed());
            let Some(next) = self.endpoint.next_within(left)? else {
                bail!("no BR_DEAD_BINDER within {SOON:?}");
            };
            if let Some(other) = self.endpoint.chore(next) {
                bail!("expected BR_DEAD_BINDER, got {other:x?}");
            }
        }
        self.endpoint.flush()?;
        let cookie = self.endpoint.deaths[0];
        if cookie != COOKIE {
            bail!("BR_DEAD_BINDER came for {cookie:#x}, not {COOKIE:#x}");
        }
        Ok(Works(format!("BR_DEAD_BINDER with our cookie {cookie:#x}")))
    }

    fn succeed(&mut self) -> Result<Step> {
        let start = Instant::now();
        while let Err(err) = self.endpoint.become_manager() {
            // The dead manager is released in the background.
            if start.elapsed() > SOON {
                return Err(err).context("handle 0 did not become free");
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(Works(
            "handle 0 is free again, the client took it".to_string(),
        ))
    }

    fn show(&mut self, title: &str, step: Result<Step>) {
        let (word, text) = match step {
            Ok(Works(text)) => {
                self.works += 1;
                ("works", text)
            }
            Ok(NotCarried(text)) => {
                self.later += 1;
                ("not carried yet", text)
            }
            Err(err) => {
                self.failed += 1;
                ("FAILED", format!("{err:#}"))
            }
        };
        println!("  {word:<16} {title}: {text}");
    }

    fn steps(&mut self, calls: u32) {
        let step = self.echo();
        self.show("a call and its reply", step);
        let step = self.many(calls);
        self.show("many calls", step);
        let step = self.look_up();
        self.show("a node", step);
        let step = self.file();
        self.show("a file descriptor", step);
        let step = self.oneway();
        self.show("a oneway call", step);
        let mortal = self.service.unwrap_or(MANAGER);
        let who = if self.service.is_some() {
            "service"
        } else {
            "manager"
        };
        let asked = self.watch(mortal);
        let step = self.outlive(mortal);
        self.show(&format!("a {who} that dies in a call"), step);
        let step = asked.and_then(|asked| self.notice(asked));
        self.show("a death notification", step);
        if self.service.is_some() {
            let step = self.outlive(MANAGER);
            self.show("a manager that dies in a call", step);
        }
        let step = self.succeed();
        self.show("a new manager", step);
    }
}

/// Shows everything; tells whether nothing failed.
pub fn run(path: &Path, calls: u32) -> Result<bool> {
    let endpoint = Endpoint::open(path)?;
    let mut client = Client {
        endpoint,
        service: None,
        calls: 0,
        works: 0,
        later: 0,
        failed: 0,
    };
    client.steps(calls);
    let Client {
        calls,
        works,
        later,
        failed,
        ..
    } = client;
    println!("steps: {works} work, {later} not carried yet, {failed} failed; calls: {calls}");
    Ok(failed == 0)
}
