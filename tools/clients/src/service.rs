// SPDX-License-Identifier: GPL-2.0

//! The service that the tests call, in a process of its own.

use std::{
    io::Write,
    sync::{Barrier, Mutex, PoisonError},
};

use anyhow::{anyhow, Result};
use rsbinder::{
    hub, interface, BinderResult, Interface, ParcelFileDescriptor, ProcessState, SIBinder, Status,
    Strong,
};

/// How many calls of [`ICheck::meet`] are answered together; so many threads the service needs.
pub const MEETING: usize = 4;

/// The code of [`ICheck::twice`], for those who call without this trait.
pub const TWICE: &str = "2";

/// What the service can do, each to show one thing that Binder carries.
#[interface(descriptor = "org.binder_safe.ICheck")]
pub trait ICheck {
    /// Gives back what it got.
    fn echo(&self, data: &[u8]) -> BinderResult<Vec<u8>>;
    fn twice(&self, number: i32) -> BinderResult<i32>;
    /// Counts down by calls to and fro, each within the one before.
    fn count_down(&self, other: &Strong<dyn ICheck>, from: i32) -> BinderResult<i32>;
    /// Gives back the object that it got.
    fn same(&self, object: &SIBinder) -> BinderResult<SIBinder>;
    /// Writes into the file that it got.
    fn write_into(&self, file: &ParcelFileDescriptor, text: &str) -> BinderResult<()>;
    #[oneway]
    fn note(&self, number: i32) -> BinderResult<()>;
    /// What was noted, in the order in which it came.
    fn noted(&self) -> BinderResult<Vec<i32>>;
    fn fail(&self, code: i32) -> BinderResult<()>;
    /// Returns when [`MEETING`] callers are in it.
    fn meet(&self) -> BinderResult<()>;
}

/// An [`ICheck`].
pub struct Check {
    noted: Mutex<Vec<i32>>,
    meeting: Barrier,
}

impl Check {
    /// An object that others can call once this process has a thread for it.
    pub fn object() -> Strong<dyn ICheck> {
        BnCheck::new_binder(Self {
            noted: Mutex::new(Vec::new()),
            meeting: Barrier::new(MEETING),
        })
    }
}

impl Interface for Check {}

impl ICheck for Check {
    fn echo(&self, data: &[u8]) -> BinderResult<Vec<u8>> {
        Ok(data.to_vec())
    }

    fn twice(&self, number: i32) -> BinderResult<i32> {
        Ok(2 * number)
    }

    fn count_down(&self, other: &Strong<dyn ICheck>, from: i32) -> BinderResult<i32> {
        match from {
            0 => Ok(0),
            _ => Ok(1 + other.count_down(&Check::object(), from - 1)?),
        }
    }

    fn same(&self, object: &SIBinder) -> BinderResult<SIBinder> {
        Ok(object.clone())
    }

    fn write_into(&self, mut file: &ParcelFileDescriptor, text: &str) -> BinderResult<()> {
        file.write_all(text.as_bytes())
            .map_err(|err| Status::new_service_specific_error(1, Some(err.to_string())))
    }

    fn note(&self, number: i32) -> BinderResult<()> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.push(number);
        Ok(())
    }

    fn noted(&self) -> BinderResult<Vec<i32>> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(noted.clone())
    }

    fn fail(&self, code: i32) -> BinderResult<()> {
        Err(Status::new_service_specific_error(code, None))
    }

    fn meet(&self) -> BinderResult<()> {
        self.meeting.wait();
        Ok(())
    }
}

/// Opens the device and starts threads that serve.
pub fn join(device: &str) -> Result<()> {
    ProcessState::init(device, MEETING as u32).map_err(|err| anyhow!("{device}: {err}"))?;
    ProcessState::start_thread_pool();
    Ok(())
}

/// Registers a service and serves until killed.
pub fn serve(device: &str, name: &str) -> Result<()> {
    join(device)?;
    hub::add_service(name, Check::object()).map_err(|status| anyhow!("{name}: {status}"))?;
    Ok(ProcessState::join_thread_pool()?)
}
