// SPDX-License-Identifier: GPL-2.0

//! The kernel's vectors and boxes, as far as the driver's sources use them.
//!
//! Their capacity is exactly what was asked for, and without flags they never allocate.

use core::ops::{Deref, DerefMut};

/// Memory was short, which it never is here.
#[derive(Debug)]
pub(crate) struct AllocError;

/// How to allocate.
#[derive(Clone, Copy)]
pub(crate) struct Flags;

/// A vector with the kernel's functions.
pub(crate) struct KVec<T> {
    items: Vec<T>,
    capacity: usize,
}

/// On the host there is one kind of memory.
pub(crate) type KVVec<T> = KVec<T>;

impl<T> KVec<T> {
    pub(crate) const fn new() -> Self {
        Self {
            items: Vec::new(),
            capacity: 0,
        }
    }

    pub(crate) fn with_capacity(capacity: usize, _flags: Flags) -> Result<Self, AllocError> {
        Ok(Self {
            items: Vec::with_capacity(capacity),
            capacity,
        })
    }

    pub(crate) fn from_elem(item: T, len: usize, _flags: Flags) -> Result<Self, AllocError>
    where
        T: Clone,
    {
        Ok(Self {
            items: vec![item; len],
            capacity: len,
        })
    }

    pub(crate) fn reserve(&mut self, more: usize, _flags: Flags) -> Result<(), AllocError> {
        let needed = self.items.len() + more;
        if needed > self.capacity {
            self.capacity = needed.max(2 * self.capacity);
        }
        Ok(())
    }

    pub(crate) fn push(&mut self, item: T, flags: Flags) -> Result<(), AllocError> {
        self.reserve(1, flags)?;
        self.items.push(item);
        Ok(())
    }

    pub(crate) fn push_within_capacity(&mut self, item: T) -> Result<(), T> {
        if self.items.len() == self.capacity {
            return Err(item);
        }
        self.items.push(item);
        Ok(())
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn drain_all(&mut self) -> impl Iterator<Item = T> + '_ {
        self.items.drain(..)
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.items
    }
}

impl<T> Deref for KVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> DerefMut for KVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

/// A box with the kernel's functions.
pub(crate) struct KBox<T>(Box<T>);

impl<T> KBox<T> {
    pub(crate) fn new(item: T, _flags: Flags) -> Result<Self, AllocError> {
        Ok(Self(Box::new(item)))
    }
}

impl<T> Deref for KBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for KBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
