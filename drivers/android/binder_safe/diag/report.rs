// SPDX-License-Identifier: GPL-2.0

//! Telling listeners of a netlink group about transactions that failed.
//!
//! The attributes are described in `Documentation/netlink/specs/binder.yaml`.

use super::trace::NetlinkReport;
use kernel::{
    module::this_module,
    net::netlink::{
        Family,
        MulticastGroup,
        NetlinkSkBuff,
        Registration,
        GENLMSG_DEFAULT_SIZE, //
    },
    prelude::*,
    task::Pid,
    uapi, //
};

static FAMILY: Family = Family::const_new(
    this_module::<crate::LocalModule>(),
    uapi::BINDER_FAMILY_NAME,
    uapi::BINDER_FAMILY_VERSION,
    &GROUPS,
);

static GROUPS: [MulticastGroup; 1] = [MulticastGroup::const_new(c"report")];

/// The group's index in the family.
const GROUP: u32 = 0;

/// A transaction that its sender is told has failed, or something like it.
#[derive(Clone, Copy)]
pub(crate) struct Report<'a> {
    /// The return that the sender reads.
    pub(crate) error: u32,
    /// The name of the device.
    pub(crate) context: &'a CStr,
    pub(crate) from_pid: Pid,
    pub(crate) from_tid: Pid,
    /// Who would have got it, as far as that is known.
    pub(crate) to_pid: Option<Pid>,
    pub(crate) to_tid: Option<Pid>,
    pub(crate) is_reply: bool,
    pub(crate) flags: u32,
    pub(crate) code: u32,
    pub(crate) data_size: u64,
}

/// Makes the family known, as long as the result lives.
pub(crate) fn register() -> Result<Registration> {
    FAMILY.register()
}

/// Whether anybody listens.
pub(crate) fn has_listeners() -> bool {
    FAMILY.has_listeners(GROUP)
}

impl Report<'_> {
    /// Sends the report. One that cannot be sent is lost, as listeners must expect.
    pub(crate) fn send(&self) {
        NetlinkReport::trace(|| NetlinkReport {
            context: self.context,
            error: self.error,
            from_pid: self.from_pid,
            from_tid: self.from_tid,
            to_pid: self.to_pid.unwrap_or(0),
            to_tid: self.to_tid.unwrap_or(0),
            is_reply: self.is_reply,
            flags: self.flags,
            code: self.code,
            data_size: self.data_size as usize,
        });
        let _ = self.try_send();
    }

    fn try_send(&self) -> Result {
        let command = uapi::BINDER_CMD_REPORT as u8;
        let mut message = NetlinkSkBuff::new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL)?
            .genlmsg_put(0, 0, &FAMILY, command)?;
        message.put_u32(uapi::BINDER_A_REPORT_ERROR as c_int, self.error)?;
        message.put_string(uapi::BINDER_A_REPORT_CONTEXT as c_int, self.context)?;
        message.put_u32(
            uapi::BINDER_A_REPORT_FROM_PID as c_int,
            self.from_pid as u32,
        )?;
        message.put_u32(
            uapi::BINDER_A_REPORT_FROM_TID as c_int,
            self.from_tid as u32,
        )?;
        if let Some(pid) = self.to_pid {
            message.put_u32(uapi::BINDER_A_REPORT_TO_PID as c_int, pid as u32)?;
        }
        if let Some(tid) = self.to_tid {
            message.put_u32(uapi::BINDER_A_REPORT_TO_TID as c_int, tid as u32)?;
        }
        if self.is_reply {
            message.put_flag(uapi::BINDER_A_REPORT_IS_REPLY as c_int)?;
        }
        let data_size = u32::try_from(self.data_size).unwrap_or(u32::MAX);
        message.put_u32(uapi::BINDER_A_REPORT_FLAGS as c_int, self.flags)?;
        message.put_u32(uapi::BINDER_A_REPORT_CODE as c_int, self.code)?;
        message.put_u32(uapi::BINDER_A_REPORT_DATA_SIZE as c_int, data_size)?;
        message.multicast(&FAMILY, 0, GROUP, GFP_KERNEL)
    }
}
