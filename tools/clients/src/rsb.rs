// SPDX-License-Identifier: GPL-2.0

//! What `rsbinder` does through the driver, as a client of a service in another process.

use std::{
    io::Read,
    sync::{
        mpsc::{channel, Receiver, Sender},
        Arc,
    },
    thread,
    time::Duration,
};

use anyhow::{anyhow, ensure, Context, Result};
use rsbinder::{
    hub, hub::IServiceCallback, BinderResult, DeathRecipient, ExceptionCode, FrozenState,
    FrozenStateChangeCallback, Interface, ParcelFileDescriptor, ProcessState, SIBinder, StatusCode,
    WIBinder,
};

use crate::{
    children::{Service, PATIENCE},
    service::{Check, MEETING},
};

/// Passes on what the library tells, to a test that waits for it.
struct Teller<T>(Sender<T>);

impl DeathRecipient for Teller<()> {
    fn binder_died(&self, _who: &WIBinder) {
        let _ = self.0.send(());
    }
}

impl FrozenStateChangeCallback for Teller<FrozenState> {
    fn on_state_changed(&self, _who: &WIBinder, state: FrozenState) {
        let _ = self.0.send(state);
    }
}

impl Interface for Teller<String> {}

impl IServiceCallback for Teller<String> {
    fn onRegistration(&self, name: &str, _binder: &SIBinder) -> BinderResult<()> {
        let _ = self.0.send(name.to_string());
        Ok(())
    }
}

fn next<T>(told: &Receiver<T>, what: &str) -> Result<T> {
    told.recv_timeout(PATIENCE)
        .with_context(|| format!("was not told of {what}"))
}

/// The manager knows a service while it is there, and no longer.
pub fn register_and_list() -> Result<()> {
    let listed =
        |name: &str| hub::list_services(hub::DUMP_FLAG_PRIORITY_ALL).contains(&name.into());
    ensure!(listed("manager"), "the manager does not list itself");
    ensure!(
        hub::check_service("listed").is_none(),
        "it is there too early"
    );
    let service = Service::start("listed")?;
    ensure!(listed("listed"), "it is not listed");
    ensure!(hub::check_service("listed").is_some(), "it is not found");
    drop(service);
    crate::children::until("it is forgotten", || !listed("listed"))
}

/// Messages of all sizes come back as they went, with the largest a page short of the half.
pub fn echo() -> Result<()> {
    let service = Service::start("echo")?;
    for size in [0, 1, 4096, 65_536, 500_000] {
        let data: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        ensure!(
            service.check.echo(&data)? == data,
            "{size} bytes came back changed"
        );
    }
    Ok(())
}

/// Calls within calls come to the thread that waits.
pub fn nested() -> Result<()> {
    let service = Service::start("nested")?;
    let depth = service.check.count_down(&Check::object(), 20)?;
    ensure!(depth == 20, "{depth} calls");
    Ok(())
}

/// An object that comes home is the one that left, and a foreign one stays the same.
pub fn objects() -> Result<()> {
    let service = Service::start("objects")?;
    for object in [Check::object().as_binder(), service.check.as_binder()] {
        ensure!(
            service.check.same(&object)? == object,
            "{object:?} came back as another"
        );
    }
    Ok(())
}

/// A file is open at the other end, and closed when that is done with it.
pub fn descriptor() -> Result<()> {
    let service = Service::start("descriptor")?;
    let (mut reading, writing) = ParcelFileDescriptor::pipe()?;
    service.check.write_into(&writing, "from there")?;
    drop(writing);
    let mut text = String::new();
    // This ends when nobody has the other end open any more.
    reading.read_to_string(&mut text)?;
    ensure!(text == "from there", "{text:?} came");
    Ok(())
}

/// Oneways come in the order in which they were sent.
pub fn oneway() -> Result<()> {
    let service = Service::start("oneway")?;
    let numbers: Vec<i32> = (0..1000).collect();
    for number in &numbers {
        service.check.note(*number)?;
    }
    crate::children::until("all have come", || {
        service
            .check
            .noted()
            .is_ok_and(|noted| noted.len() == numbers.len())
    })?;
    ensure!(
        service.check.noted()? == numbers,
        "they came in another order"
    );
    Ok(())
}

/// An error of the service is told as such.
pub fn exception() -> Result<()> {
    let service = Service::start("exception")?;
    let status = service.check.fail(77).err().context("it worked")?;
    ensure!(
        status.exception_code() == ExceptionCode::ServiceSpecific,
        "{status}"
    );
    ensure!(status.service_specific_error() == 77, "{status}");
    Ok(())
}

/// The driver asks the service for as many threads as it takes to answer all callers.
pub fn threads() -> Result<()> {
    let service = Service::start("threads")?;
    thread::scope(|scope| {
        let calls: Vec<_> = (0..MEETING)
            .map(|_| scope.spawn(|| service.check.meet()))
            .collect();
        for call in calls {
            call.join().map_err(|_| anyhow!("a caller panicked"))??;
        }
        Ok(())
    })
}

/// Who asked is told of a death, and a call after it fails as one to the dead.
pub fn death() -> Result<()> {
    let service = Service::start("death")?;
    let (tell, told) = channel();
    let recipient = Arc::new(Teller(tell));
    service.check.as_binder().link_to_death_arc(&recipient)?;
    let check = service.check.clone();
    ensure!(check.twice(2)? == 4, "it cannot count");
    drop(service);
    next(&told, "the death")?;
    let status = check.twice(2).err().context("the dead answered")?;
    ensure!(
        status.transaction_error() == StatusCode::DeadObject,
        "{status}"
    );
    Ok(())
}

/// The manager calls those who wait for a service.
pub fn notification() -> Result<()> {
    let (tell, told) = channel();
    let callback = hub::BnServiceCallback::new_binder(Teller(tell));
    hub::register_for_notifications("awaited", &callback)?;
    let _service = Service::start("awaited")?;
    let name = next(&told, "the registration")?;
    ensure!(name == "awaited", "{name} was registered");
    Ok(hub::unregister_for_notifications("awaited", &callback)?)
}

/// A frozen process takes no calls; who asked is told when it freezes and when it thaws.
pub fn freezing() -> Result<()> {
    let service = Service::start("freezing")?;
    let (tell, told) = channel();
    let callback = Arc::new(Teller(tell));
    let object = service.check.as_binder();
    object.add_frozen_state_change_callback_arc(&callback)?;
    let first = next(&told, "the state at the start")?;
    ensure!(
        first == FrozenState::Unfrozen,
        "it is {first:?} at the start"
    );
    let freeze = |enable| {
        ProcessState::as_self().freeze_process(service.pid()?, enable, Duration::from_secs(1))?;
        anyhow::Ok(())
    };
    freeze(true)?;
    ensure!(
        next(&told, "the freezing")? == FrozenState::Frozen,
        "it is not frozen"
    );
    let status = service
        .check
        .twice(2)
        .err()
        .context("the frozen answered")?;
    ensure!(
        status.transaction_error() == StatusCode::FailedTransaction,
        "{status}"
    );
    freeze(false)?;
    ensure!(
        next(&told, "the thawing")? == FrozenState::Unfrozen,
        "it is not thawed"
    );
    ensure!(service.check.twice(2)? == 4, "it cannot count");
    Ok(object.remove_frozen_state_change_callback_arc(&callback)?)
}
