// SPDX-License-Identifier: GPL-2.0

//! Directories that a mount keeps for its whole life.

use super::{
    Dir,
    FileSystem,
    SuperBlock, //
};
use crate::{
    bindings,
    prelude::*,
    static_lock_class,
    sync::{
        LockClassKey,
        Mutex, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};

/// A reference to a dentry.
struct Reference(NonNull<bindings::dentry>);

// SAFETY: References to dentries may be dropped on any thread.
unsafe impl Send for Reference {}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: The value owns a reference.
        unsafe { bindings::dput(self.0.as_ptr()) };
    }
}

/// The references that a super block holds for the handles, until it is killed.
#[pin_data]
pub(super) struct Kept {
    #[pin]
    references: Mutex<KVec<Reference>>,
}

impl Kept {
    pub(super) fn new() -> impl PinInit<Self> {
        let (name, key) = lock_class();
        pin_init!(Self {
            references <- Mutex::new(KVec::new(), name, key),
        })
    }

    /// Lets all references go. The super block must be about to die.
    pub(super) fn release(&self) {
        let references = core::mem::take(&mut *self.references.lock());
        drop(references);
    }

    fn add(&self, dentry: NonNull<bindings::dentry>) -> Result {
        let mut references = self.references.lock();

        references.reserve(1, GFP_KERNEL)?;
        // SAFETY: The caller has a dentry in use.
        let reference =
            Reference(unsafe { NonNull::new_unchecked(bindings::dget(dentry.as_ptr())) });
        Ok(references.push_within_capacity(reference)?)
    }
}

/// Returns the name and the class of the lock of [`Kept`]. Not inlined, because modules would get a
/// copy of the name, and lockdep wants one name for a class.
#[inline(never)]
fn lock_class() -> (&'static CStr, Pin<&'static LockClassKey>) {
    (c"pseudo::Kept::references", static_lock_class!())
}

/// A directory that its mount keeps, see [`Dir::keep`].
///
/// # Invariants
///
/// The super block with the number `mount` is one of a `T`. It holds a reference to `dentry`, a
/// directory in it, as long as it is active.
pub struct DirHandle<T: FileSystem> {
    dentry: NonNull<bindings::dentry>,
    mount: u64,
    _type: PhantomData<fn() -> T>,
}

// SAFETY: The pointer is only used together with the super block, which is `Sync`.
unsafe impl<T: FileSystem> Send for DirHandle<T> {}
// SAFETY: As above.
unsafe impl<T: FileSystem> Sync for DirHandle<T> {}

impl<T: FileSystem> DirHandle<T> {
    /// # Safety
    ///
    /// `dentry` must be a directory in `sb` that is in use during the call.
    pub(super) unsafe fn new(
        sb: &SuperBlock<T>,
        dentry: NonNull<bindings::dentry>,
    ) -> Result<Self> {
        let header = sb.header();
        header.kept.add(dentry)?;

        // INVARIANT: `add` has made the reference, which `Kept` holds until the super block is
        // killed.
        Ok(Self {
            dentry,
            mount: header.id,
            _type: PhantomData,
        })
    }

    /// Returns the directory, given the super block that it is in. For another one it returns
    /// `None`.
    pub fn get<'a>(&self, sb: &'a SuperBlock<T>) -> Option<Dir<'a, T>> {
        if sb.header().id != self.mount {
            return None;
        }

        // SAFETY: By the type invariants, and the super block is active as `sb` exists.
        Some(unsafe { Dir::from_raw(sb, self.dentry.as_ptr()) })
    }
}
