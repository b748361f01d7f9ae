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
    mem::MaybeUninit,
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

/// The references that a super block holds, until it is killed: one to each directory.
#[pin_data]
pub(super) struct Kept {
    #[pin]
    first: Mutex<Option<KBox<Node>>>,
}

struct Node {
    _reference: Reference,
    next: Option<KBox<Node>>,
}

/// The memory for one more reference, so that keeping it cannot fail.
pub(super) struct Place(KBox<MaybeUninit<Node>>);

impl Place {
    pub(super) fn new() -> Result<Self> {
        Ok(Self(KBox::new_uninit(GFP_KERNEL)?))
    }
}

impl Kept {
    pub(super) fn new() -> impl PinInit<Self> {
        let (name, key) = lock_class();
        pin_init!(Self {
            first <- Mutex::new(None, name, key),
        })
    }

    /// Lets all references go. The super block must be about to die.
    pub(super) fn release(&self) {
        let mut first = self.first.lock().take();
        // One by one: a list that is dropped as a whole takes stack for each node.
        while let Some(mut node) = first {
            first = node.next.take();
        }
    }

    /// Takes a reference over.
    ///
    /// # Safety
    ///
    /// The caller must own a reference to `dentry` and give it up.
    #[inline(never)]
    pub(super) unsafe fn add(&self, place: Place, dentry: NonNull<bindings::dentry>) {
        let mut first = self.first.lock();
        let node = Node {
            _reference: Reference(dentry),
            next: first.take(),
        };
        *first = Some(KBox::write(place.0, node));
    }
}

/// Returns the name and the class of the lock of [`Kept`]. Not inlined, because modules would get a
/// copy of the name, and lockdep wants one name for a class.
#[inline(never)]
fn lock_class() -> (&'static CStr, Pin<&'static LockClassKey>) {
    (c"pseudo::Kept::first", static_lock_class!())
}

/// A directory of a mount, see [`Dir::handle`].
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
    /// `dentry` must be a directory in `sb`, which must hold a reference to it as long as it is
    /// active.
    pub(super) unsafe fn new(sb: &SuperBlock<T>, dentry: NonNull<bindings::dentry>) -> Self {
        // INVARIANT: The caller's guarantee.
        Self {
            dentry,
            mount: sb.header().id,
            _type: PhantomData,
        }
    }

    /// Returns the directory, given the super block that it is in. For another one it returns
    /// `None`.
    pub fn get<'a>(&self, sb: &'a SuperBlock<T>) -> Option<Dir<'a, T>> {
        if sb.header().id != self.mount {
            return None;
        }

        // SAFETY: By the type invariants, and the super block is active as `sb` exists.
        Some(unsafe { Dir::from_raw(sb, self.dentry) })
    }
}
