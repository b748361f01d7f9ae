// SPDX-License-Identifier: GPL-2.0

//! Giving pages that nobody pins back to the kernel.

use super::slot::Slot;
use crate::{
    prelude::*,
    sync::Arc, //
};

/// The areas of one driver, whose idle pages the kernel can take back.
pub struct ReclaimDomain(());

impl ReclaimDomain {
    /// Creates a domain.
    pub fn new(_name: &CStr) -> Result<Arc<ReclaimDomain>> {
        Ok(Arc::new(ReclaimDomain(()), GFP_KERNEL)?)
    }

    pub(super) fn remember(&self, _slot: &Slot) {}

    pub(super) fn forget(&self, _slot: &Slot) {}
}
