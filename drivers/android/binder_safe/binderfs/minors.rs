// SPDX-License-Identifier: GPL-2.0

//! The device numbers of all mounts.

use kernel::{
    chrdev::{
        DevT,
        Region, //
    },
    id_pool::IdPool,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

/// How many devices there can be over all mounts.
pub(crate) const MAX_MINORS: u32 = 1 << 20;

/// How many of them only mounts of the initial IPC namespace can have, so that containers cannot
/// take all.
const RESERVED_MINORS: u32 = 4;

/// Whether a mount may use the reserved minors.
#[derive(Clone, Copy)]
pub(crate) enum Reserve {
    Use,
    Leave,
}

/// All numbers.
#[pin_data]
pub(crate) struct Minors {
    region: Region,
    #[pin]
    taken: Mutex<IdPool>,
}

impl Minors {
    /// Reserves `count` numbers, all of which are free.
    pub(crate) fn new(count: u32) -> Result<Arc<Self>> {
        let region = Region::alloc(0, count, c"binder")?;
        let init = pin_init!(Self {
            region,
            taken <- new_mutex!(IdPool::new(), "Minors::taken"),
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// Takes the lowest minor that no device has.
    pub(crate) fn take(self: &Arc<Self>, reserve: Reserve) -> Result<Minor> {
        let end = match reserve {
            Reserve::Use => self.region.count(),
            Reserve::Leave => self.region.count() - RESERVED_MINORS,
        };
        let mut taken = self.taken.lock();
        loop {
            if let Some(id) = taken.find_unused_id(0) {
                let index = id.as_u32();
                if index >= end {
                    return Err(ENOSPC);
                }
                let dev = self.region.dev(index).ok_or(ENOSPC)?;
                id.acquire();
                return Ok(Minor {
                    minors: self.clone(),
                    dev,
                    index,
                });
            }
            let request = taken.grow_request().ok_or(ENOSPC)?;
            taken.grow(request.realloc(GFP_KERNEL)?);
        }
    }
}

/// A device number; it is given back when this is dropped.
pub(crate) struct Minor {
    minors: Arc<Minors>,
    pub(crate) dev: DevT,
    index: u32,
}

impl Drop for Minor {
    fn drop(&mut self) {
        let mut taken = self.minors.taken.lock();
        taken.release_id(self.index as usize);
    }
}

#[cfg(CONFIG_ANDROID_BINDER_SAFE_KUNIT_TEST)]
#[kernel::macros::kunit_tests(binder_safe_minors)]
mod tests {
    use super::*;

    fn take_all(minors: &Arc<Minors>, reserve: Reserve) -> Result<KVec<Minor>> {
        let mut taken = KVec::new();
        loop {
            match minors.take(reserve) {
                Ok(minor) => taken.push(minor, GFP_KERNEL)?,
                Err(ENOSPC) => return Ok(taken),
                Err(err) => return Err(err),
            }
        }
    }

    #[test]
    fn other_namespaces_leave_the_last_ones() -> Result {
        const COUNT: u32 = 200;
        let minors = Minors::new(COUNT)?;
        let mut others = take_all(&minors, Reserve::Leave)?;
        assert_eq!(others.len(), (COUNT - RESERVED_MINORS) as usize);
        let first = take_all(&minors, Reserve::Use)?;
        assert_eq!(first.len(), RESERVED_MINORS as usize);
        assert!(first
            .iter()
            .all(|minor| minor.index >= COUNT - RESERVED_MINORS));

        // What is given back can be had again, by whoever comes first.
        let last = others.pop().ok_or(EINVAL)?;
        let index = last.index;
        drop(last);
        assert_eq!(minors.take(Reserve::Leave)?.index, index);
        drop(first);
        assert_eq!(
            take_all(&minors, Reserve::Use)?.len(),
            RESERVED_MINORS as usize + 1
        );
        Ok(())
    }
}
