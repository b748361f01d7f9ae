// SPDX-License-Identifier: GPL-2.0

//! What the processes of all contexts have in common.

use super::registry::Registry;
use crate::memory::watch::Watcher;
use kernel::{
    mm::page_area::ReclaimDomain,
    prelude::*,
    sync::Arc, //
};

/// Global by all contexts.
#[pin_data]
pub(crate) struct Global {
    /// Whose idle pages are given back when memory is short.
    pub(crate) domain: Arc<ReclaimDomain>,
    #[pin]
    pub(crate) registry: Registry,
}

impl Global {
    /// There are no contexts yet.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let domain = ReclaimDomain::watched(c"android-binder", &Watcher)?;
        let init = pin_init!(Self {
            domain,
            registry <- Registry::new(),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }
}
