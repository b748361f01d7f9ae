// SPDX-License-Identifier: GPL-2.0

//! What the processes of all contexts have in common.

use crate::diag::ids::Ids;
use kernel::{
    mm::page_area::ReclaimDomain,
    prelude::*,
    sync::Arc, //
};

/// Shared by all contexts.
pub(crate) struct Shared {
    /// Whose idle pages are given back when memory is short.
    pub(crate) domain: Arc<ReclaimDomain>,
    pub(crate) ids: Ids,
}

impl Shared {
    /// There are no contexts yet.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let shared = Self {
            domain: ReclaimDomain::new(c"android-binder")?,
            ids: Ids::new(),
        };
        Ok(Arc::new(shared, GFP_KERNEL)?)
    }
}
