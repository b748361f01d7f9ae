// SPDX-License-Identifier: GPL-2.0

//! How many devices a mount may have, and has.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

/// The count of one mount.
#[pin_data]
pub(crate) struct DeviceLimit {
    #[pin]
    count: Mutex<Count>,
}

struct Count {
    used: u32,
    max: u32,
}

impl DeviceLimit {
    /// There are no devices yet.
    pub(crate) fn new(max: u32) -> Result<Arc<Self>> {
        let init = pin_init!(Self {
            count <- new_mutex!(Count { used: 0, max }, "DeviceLimit::count"),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// How many devices there may be.
    pub(crate) fn max(&self) -> u32 {
        self.count.lock().max
    }

    /// Changes how many devices there may be. Those that are too many stay.
    pub(crate) fn set_max(&self, max: u32) {
        self.count.lock().max = max;
    }

    /// Takes the right to have one more device. Fails with `ENOSPC` if there are enough.
    pub(crate) fn take(self: &Arc<Self>) -> Result<Slot> {
        let mut count = self.count.lock();
        if count.used >= count.max {
            return Err(ENOSPC);
        }
        count.used += 1;
        Ok(Slot {
            limit: self.clone(),
        })
    }
}

/// The right to have a device; it is given back when this is dropped.
pub(crate) struct Slot {
    limit: Arc<DeviceLimit>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.limit.count.lock().used -= 1;
    }
}
