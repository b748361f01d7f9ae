// SPDX-License-Identifier: GPL-2.0

//! A list from which safe code removes an item in constant time.
//!
//! [`List::remove`](super::List::remove) is unsafe, because nothing tells it that the item is in
//! this list and not in another one, whose lock the caller may not hold. The links of a
//! [`CheckedList`] say which list they are in. Removal compares, and refuses a foreign item.

use crate::{
    build_assert::build_assert,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc,
        ArcBorrow, //
    }, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem,
    ptr, //
};

/// The number for the next list that gets its first item. 64 bits do not run out.
static NEXT_LIST: Atomic<u64> = Atomic::new(1);

/// The number that stands for no list.
const NO_LIST: u64 = 0;

/// The place of an item in a [`CheckedList`].
///
/// `ID` tells apart the links of an item that can be in several lists at once. `WORDS` is the size
/// of a pointer to the item as the list sees it, in words: 1, or 2 for a list of trait objects.
///
/// # Invariants
///
/// - `list` is the number of the list that the links are in, or [`NO_LIST`].
/// - While it is the number of a list, only the owner of that list changes it, and only the owner
///   of that list accesses `place`.
/// - It becomes [`NO_LIST`] by a release store, and the number of a list by an acquire exchange.
pub struct CheckedLinks<const ID: u64 = 0, const WORDS: usize = 1> {
    list: Atomic<u64>,
    place: UnsafeCell<Place<ID, WORDS>>,
}

/// The neighbours of an item, and the item.
struct Place<const ID: u64, const WORDS: usize> {
    next: *const CheckedLinks<ID, WORDS>,
    prev: *const CheckedLinks<ID, WORDS>,
    /// The bytes of a pointer to the item, as [`Arc::into_raw`] returned it.
    item: [*const (); WORDS],
}

// SAFETY: The links are moved with their item, which is in no list then, and hold nothing.
unsafe impl<const ID: u64, const WORDS: usize> Send for CheckedLinks<ID, WORDS> {}
// SAFETY: By the type invariants, only the one owner of the list accesses `place`.
unsafe impl<const ID: u64, const WORDS: usize> Sync for CheckedLinks<ID, WORDS> {}

impl<const ID: u64, const WORDS: usize> CheckedLinks<ID, WORDS> {
    /// Creates links that are in no list.
    #[inline]
    pub const fn new() -> Self {
        // INVARIANT: No list has used the links.
        Self {
            list: Atomic::new(NO_LIST),
            place: UnsafeCell::new(Place {
                next: ptr::null(),
                prev: ptr::null(),
                item: [ptr::null(); WORDS],
            }),
        }
    }

    /// Returns whether the item is in a list by these links.
    ///
    /// Unless the caller owns that list, the answer may be outdated at once.
    #[inline]
    pub fn is_linked(&self) -> bool {
        self.list.load(Relaxed) != NO_LIST
    }
}

impl<const ID: u64, const WORDS: usize> Default for CheckedLinks<ID, WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

/// An item that has links for a [`CheckedList`].
///
/// Implemented by [`impl_has_checked_links!`](crate::impl_has_checked_links).
///
/// # Safety
///
/// `links` always returns the same links, and they are a part of `self`.
pub unsafe trait HasCheckedLinks<const ID: u64 = 0, const WORDS: usize = 1> {
    /// Returns the links.
    fn links(&self) -> &CheckedLinks<ID, WORDS>;
}

/// Implements [`HasCheckedLinks`] for a type by one of its fields.
#[macro_export]
macro_rules! impl_has_checked_links {
    ($(impl$({$($generics:tt)*})?
       HasCheckedLinks<$id:tt $(, $words:tt)?>
       for $self:ty
       { self.$field:ident }
    )*) => {$(
        // SAFETY: The field is a part of `self`: `offset_of!` accepts no field of what `self`
        // refers to, and the type of the field is that of the links.
        unsafe impl$(<$($generics)*>)? $crate::list::HasCheckedLinks<$id $(, $words)?> for $self {
            #[inline]
            fn links(&self) -> &$crate::list::CheckedLinks<$id $(, $words)?> {
                let _ = ::core::mem::offset_of!(Self, $field);
                &self.$field
            }
        }
    )*};
}
pub use impl_has_checked_links;

/// A linked list of [`Arc`]s from which safe code removes an item in constant time.
///
/// It needs no memory but the links in the items, so that it can be used under a spinlock. An item
/// can be in one list at a time by the same links, and in several lists by links of different `ID`.
///
/// The list may be moved. Dropping it drops its items; leaking it leaks them.
///
/// # Invariants
///
/// - `number` is [`NO_LIST`] as long as no item was ever inserted, and otherwise a number that no
///   other list has or had.
/// - Exactly the links that form the cycle which `first` is part of have `number`; if `first` is
///   null there are none.
/// - For each of them, `item` is a pointer from [`Arc::into_raw`], whose reference the list owns,
///   to the item whose [`HasCheckedLinks::links`] they are.
///
/// # Examples
///
/// ```
/// use kernel::{
///     list::{
///         impl_has_checked_links,
///         CheckedLinks,
///         CheckedList, //
///     },
///     sync::Arc, //
/// };
///
/// struct Request {
///     sector: u64,
///     links: CheckedLinks,
/// }
///
/// impl_has_checked_links! {
///     impl HasCheckedLinks<0> for Request { self.links }
/// }
///
/// fn request(sector: u64) -> Result<Arc<Request>> {
///     let request = Request {
///         sector,
///         links: CheckedLinks::new(),
///     };
///     Ok(Arc::new(request, GFP_KERNEL)?)
/// }
///
/// let (first, second) = (request(1)?, request(2)?);
/// let mut queue = CheckedList::new();
/// assert!(queue.push_back(first.clone()).is_ok());
/// assert!(queue.push_back(second.clone()).is_ok());
/// // It is in the queue already.
/// assert!(queue.push_back(first.clone()).is_err());
///
/// // The first request is cancelled, wherever it is in the queue.
/// assert!(queue.remove(&*first).is_some());
/// assert!(queue.remove(&*first).is_none());
/// assert_eq!(queue.pop_front().map(|request| request.sector), Some(2));
/// assert!(queue.is_empty());
///
/// // Nobody can take an item out of a list that is not theirs.
/// let mut other = CheckedList::new();
/// assert!(other.push_back(second.clone()).is_ok());
/// assert!(queue.remove(&*second).is_none());
/// # Ok::<(), Error>(())
/// ```
///
/// A list of different types, as trait objects:
///
/// ```
/// use kernel::{
///     list::{
///         impl_has_checked_links,
///         CheckedLinks,
///         CheckedList,
///         HasCheckedLinks, //
///     },
///     sync::Arc, //
/// };
///
/// trait Event: HasCheckedLinks<0, 2> {
///     fn code(&self) -> u32;
/// }
///
/// struct Hangup {
///     links: CheckedLinks<0, 2>,
/// }
///
/// impl_has_checked_links! {
///     impl HasCheckedLinks<0, 2> for Hangup { self.links }
/// }
///
/// impl Event for Hangup {
///     fn code(&self) -> u32 {
///         1
///     }
/// }
///
/// let mut events: CheckedList<dyn Event, 0, 2> = CheckedList::new();
/// let hangup = Hangup { links: CheckedLinks::new() };
/// assert!(events.push_back(Arc::new(hangup, GFP_KERNEL)?).is_ok());
/// assert_eq!(events.pop_front().map(|event| event.code()), Some(1));
/// # Ok::<(), Error>(())
/// ```
pub struct CheckedList<T, const ID: u64 = 0, const WORDS: usize = 1>
where
    T: ?Sized + HasCheckedLinks<ID, WORDS>,
{
    number: u64,
    first: *const CheckedLinks<ID, WORDS>,
    _items: PhantomData<Arc<T>>,
}

// SAFETY: The list owns `Arc`s, which can be sent by the bound.
unsafe impl<T, const ID: u64, const WORDS: usize> Send for CheckedList<T, ID, WORDS>
where
    T: ?Sized + HasCheckedLinks<ID, WORDS>,
    Arc<T>: Send,
{
}
// SAFETY: A shared list only lends its items, which can be shared and sent by the bound.
unsafe impl<T, const ID: u64, const WORDS: usize> Sync for CheckedList<T, ID, WORDS>
where
    T: ?Sized + HasCheckedLinks<ID, WORDS>,
    Arc<T>: Sync,
{
}

impl<T, const ID: u64, const WORDS: usize> CheckedList<T, ID, WORDS>
where
    T: ?Sized + HasCheckedLinks<ID, WORDS>,
{
    /// Creates an empty list.
    #[inline]
    pub const fn new() -> Self {
        // INVARIANT: No links have a number of this list, which has none yet.
        Self {
            number: NO_LIST,
            first: ptr::null(),
            _items: PhantomData,
        }
    }

    /// Returns whether there are no items.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Returns whether `item` is in this list.
    #[inline]
    pub fn contains(&self, item: &T) -> bool {
        // `NO_LIST` is the number of those that are in no list.
        self.number != NO_LIST && item.links().list.load(Relaxed) == self.number
    }

    /// Adds `item` as the last one, or hands it back if it is in a list by the same links.
    #[inline]
    pub fn push_back(&mut self, item: Arc<T>) -> Result<(), Arc<T>> {
        self.insert(item).map(drop)
    }

    /// Adds `item` as the first one, or hands it back if it is in a list by the same links.
    #[inline]
    pub fn push_front(&mut self, item: Arc<T>) -> Result<(), Arc<T>> {
        let links = self.insert(item)?;
        // INVARIANT: The links are part of the cycle.
        self.first = links;
        Ok(())
    }

    /// Takes the first item.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Arc<T>> {
        if self.first.is_null() {
            return None;
        }
        // SAFETY: By the type invariants, `first` is in this list.
        Some(unsafe { self.unlink(self.first) })
    }

    /// Takes `item` out, if it is in this list.
    #[inline]
    pub fn remove(&mut self, item: &T) -> Option<Arc<T>> {
        if !self.contains(item) {
            return None;
        }
        // SAFETY: The links have the number of this list, so by the type invariants they are in it.
        // They stay there, since only the owner of a `&mut` reference to this list takes them out.
        Some(unsafe { self.unlink(item.links()) })
    }

    /// Makes the first item the last one, and lends it.
    ///
    /// As many calls as there are items lend each of them once, whatever is added or removed in
    /// between: a walk that can release the lock of the list at each step.
    pub fn rotate(&mut self) -> Option<ArcBorrow<'_, T>> {
        if self.first.is_null() {
            return None;
        }
        let first = self.first;
        // INVARIANT: The next item is part of the cycle.
        //
        // SAFETY: By the type invariants, `first` is in this list.
        self.first = unsafe { (*Self::place(first)).next };
        // SAFETY: As above, and the list owns a reference to the item.
        Some(unsafe { Self::lend(first) })
    }

    /// Returns the first item.
    pub fn first(&self) -> Option<ArcBorrow<'_, T>> {
        // SAFETY: By the type invariants, `first` is in this list if there is one.
        (!self.first.is_null()).then(|| unsafe { Self::lend(self.first) })
    }

    /// Returns the last item.
    pub fn last(&self) -> Option<ArcBorrow<'_, T>> {
        if self.first.is_null() {
            return None;
        }
        // SAFETY: By the type invariants, `first` is in this list, and so are its neighbours.
        let last = unsafe { (*Self::place(self.first)).prev };
        // SAFETY: As above, and the list owns a reference to the item.
        Some(unsafe { Self::lend(last) })
    }

    /// Returns the item behind `item`, if that is in this list and not the last one.
    pub fn next(&self, item: &T) -> Option<ArcBorrow<'_, T>> {
        if !self.contains(item) {
            return None;
        }
        // SAFETY: The links have the number of this list, so by the type invariants they are in it,
        // and so are their neighbours.
        let next = unsafe { (*Self::place(item.links())).next };
        // SAFETY: As above, and the list owns a reference to the item.
        (!ptr::eq(next, self.first)).then(|| unsafe { Self::lend(next) })
    }

    /// Returns the items from the first one on.
    pub fn iter(&self) -> impl Iterator<Item = ArcBorrow<'_, T>> + '_ {
        let mut next = self.first();
        core::iter::from_fn(move || {
            let item = next?;
            next = self.next(&item);
            Some(item)
        })
    }

    /// Returns what the owner of the list may access.
    ///
    /// # Safety
    ///
    /// `links` are valid.
    #[inline]
    unsafe fn place(links: *const CheckedLinks<ID, WORDS>) -> *mut Place<ID, WORDS> {
        // SAFETY: The caller promises that the links are valid.
        UnsafeCell::raw_get(unsafe { &raw const (*links).place })
    }

    /// Lends the item of `links`.
    ///
    /// # Safety
    ///
    /// `links` are in a list of this type that is borrowed for `'a`.
    unsafe fn lend<'a>(links: *const CheckedLinks<ID, WORDS>) -> ArcBorrow<'a, T> {
        // SAFETY: By the type invariants, the list owns a reference, which it keeps for `'a`.
        unsafe { ArcBorrow::from_raw(Self::item(links)) }
    }

    /// Returns the pointer to the item of `links`.
    ///
    /// # Safety
    ///
    /// `links` are in a list of this type that the caller owns.
    #[inline]
    unsafe fn item(links: *const CheckedLinks<ID, WORDS>) -> *const T {
        build_assert!(mem::size_of::<*const T>() == mem::size_of::<[*const (); WORDS]>());
        // SAFETY: The caller owns the list. By the type invariants, the bytes are those of a
        // pointer of this type, and both types have the same size.
        unsafe { mem::transmute_copy(&(*Self::place(links)).item) }
    }

    /// Puts `item` between the last item and the first one.
    #[inline]
    fn insert(&mut self, item: Arc<T>) -> Result<*const CheckedLinks<ID, WORDS>, Arc<T>> {
        build_assert!(mem::size_of::<*const T>() == mem::size_of::<[*const (); WORDS]>());
        if self.number == NO_LIST {
            // INVARIANT: Nobody else gets this number.
            self.number = NEXT_LIST.fetch_add(1, Relaxed);
        }
        let links: *const CheckedLinks<ID, WORDS> = item.links();
        // Acquire: what the last list wrote into the links comes before what is written now.
        if item
            .links()
            .list
            .cmpxchg(NO_LIST, self.number, Acquire)
            .is_err()
        {
            return Err(item);
        }
        let item = Arc::into_raw(item);
        // SAFETY: The exchange made the links those of this list, which we own. The item is valid,
        // because its reference is the list's now. The bytes of a pointer are copied into memory of
        // the same size. By the type invariants, `first` and its neighbours are valid and in this
        // list, so we own their links, too.
        unsafe {
            let place = Self::place(links);
            (*place).item = mem::transmute_copy(&item);
            if self.first.is_null() {
                (*place).next = links;
                (*place).prev = links;
                // INVARIANT: A cycle of one.
                self.first = links;
            } else {
                // INVARIANT: The links become part of the cycle.
                let last = (*Self::place(self.first)).prev;
                (*place).next = self.first;
                (*place).prev = last;
                (*Self::place(last)).next = links;
                (*Self::place(self.first)).prev = links;
            }
        }
        Ok(links)
    }

    /// Takes the item of `links` out.
    ///
    /// # Safety
    ///
    /// `links` are in this list.
    #[inline]
    unsafe fn unlink(&mut self, links: *const CheckedLinks<ID, WORDS>) -> Arc<T> {
        // SAFETY: The caller promises that the links are in this list, which we own. By the type
        // invariants, so are their neighbours, and all are valid.
        let item = unsafe {
            let Place { next, prev, .. } = *Self::place(links);
            if ptr::eq(next, links) {
                // INVARIANT: It was the only one.
                self.first = ptr::null();
            } else {
                (*Self::place(next)).prev = prev;
                (*Self::place(prev)).next = next;
                if ptr::eq(self.first, links) {
                    // INVARIANT: The next one stays in the cycle.
                    self.first = next;
                }
            }
            Self::item(links)
        };
        // INVARIANT: The links are not part of the cycle any more. Release: the next list sees what
        // was written to them. From here on another list may use them.
        //
        // SAFETY: The links are valid as long as the item, whose reference is dropped by the caller
        // at the earliest.
        unsafe { (*links).list.store(NO_LIST, Release) };
        // SAFETY: The pointer is from `Arc::into_raw`, and the list gives up its reference.
        unsafe { Arc::from_raw(item) }
    }
}

impl<T, const ID: u64, const WORDS: usize> Default for CheckedList<T, ID, WORDS>
where
    T: ?Sized + HasCheckedLinks<ID, WORDS>,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const ID: u64, const WORDS: usize> Drop for CheckedList<T, ID, WORDS>
where
    T: ?Sized + HasCheckedLinks<ID, WORDS>,
{
    fn drop(&mut self) {
        while let Some(item) = self.pop_front() {
            drop(item);
        }
    }
}

#[cfg(CONFIG_RUST_CHECKED_LIST_KUNIT_TEST)]
#[macros::kunit_tests(rust_checked_list)]
mod tests {
    use super::*;
    use crate::prelude::*;

    struct Item {
        value: u32,
        links: CheckedLinks,
        others: CheckedLinks<1>,
    }

    impl_has_checked_links! {
        impl HasCheckedLinks<0> for Item { self.links }
        impl HasCheckedLinks<1> for Item { self.others }
    }

    fn item(value: u32) -> Result<Arc<Item>> {
        let item = Item {
            value,
            links: CheckedLinks::new(),
            others: CheckedLinks::new(),
        };
        Ok(Arc::new(item, GFP_KERNEL)?)
    }

    fn items(count: u32) -> Result<(CheckedList<Item>, KVec<Arc<Item>>)> {
        let (mut list, mut all) = (CheckedList::new(), KVec::new());
        for value in 0..count {
            let item = item(value)?;
            all.push(item.clone(), GFP_KERNEL)?;
            assert!(list.push_back(item).is_ok());
        }
        Ok((list, all))
    }

    fn expect(list: &CheckedList<Item>, values: &[u32]) {
        assert!(list
            .iter()
            .map(|item| item.value)
            .eq(values.iter().copied()));
    }

    #[test]
    fn any_item_can_be_removed() -> Result {
        let (mut list, all) = items(5)?;
        for gone in [2, 0, 4] {
            assert!(list.remove(&all[gone]).is_some());
            assert!(list.remove(&all[gone]).is_none());
        }
        expect(&list, &[1, 3]);
        assert!(list.push_front(all[4].clone()).is_ok());
        expect(&list, &[4, 1, 3]);
        assert_eq!(list.last().map(|item| item.value), Some(3));
        assert!(list.remove(&all[3]).is_some());
        assert_eq!(list.pop_front().map(|item| item.value), Some(4));
        assert_eq!(list.pop_front().map(|item| item.value), Some(1));
        assert!(list.pop_front().is_none() && list.last().is_none());
        Ok(())
    }

    #[test]
    fn an_item_is_in_one_list_by_the_same_links() -> Result {
        let (mut first, all) = items(2)?;
        let mut second = CheckedList::<Item>::new();
        assert!(second.push_back(all[0].clone()).is_err());
        assert!(second.remove(&all[0]).is_none());
        assert!(!second.contains(&all[0]) && first.contains(&all[0]));
        let mut other = CheckedList::<Item, 1>::new();
        assert!(other.push_back(all[0].clone()).is_ok());
        assert!(first.remove(&all[0]).is_some());
        assert!(second.push_back(all[0].clone()).is_ok());
        assert!(first.remove(&all[0]).is_none());
        expect(&first, &[1]);
        expect(&second, &[0]);
        assert!(other.remove(&all[0]).is_some());
        Ok(())
    }

    #[test]
    fn the_list_owns_its_items_and_may_move() -> Result {
        let (list, all) = items(3)?;
        let mut moved = KBox::new(list, GFP_KERNEL)?;
        let taken = moved.remove(&all[1]);
        drop(moved);
        drop(taken);
        for item in all {
            assert!(!item.links.is_linked());
            assert!(Arc::into_unique_or_drop(item).is_some());
        }
        Ok(())
    }

    #[test]
    fn a_walk_may_stop_between_items() -> Result {
        let (mut list, all) = items(3)?;
        assert_eq!(list.rotate().map(|item| item.value), Some(0));
        assert!(list.remove(&all[1]).is_some());
        assert_eq!(list.rotate().map(|item| item.value), Some(2));
        assert_eq!(list.rotate().map(|item| item.value), Some(0));
        assert_eq!(list.next(&all[2]).map(|item| item.value), Some(0));
        assert!(list.next(&all[0]).is_none() && list.next(&all[1]).is_none());
        Ok(())
    }

    #[test]
    fn a_forgotten_list_keeps_its_items() -> Result {
        let (list, all) = items(1)?;
        mem::forget(list);
        let mut other = CheckedList::<Item>::new();
        assert!(other.push_back(all[0].clone()).is_err());
        // The reference of the leaked list, so that kmemleak has nothing to report.
        //
        // SAFETY: The list that owned the reference is gone, and will not use it.
        drop(unsafe { Arc::from_raw(Arc::as_ptr(&all[0])) });
        all[0].links.list.store(NO_LIST, Relaxed);
        Ok(())
    }

    trait Any: HasCheckedLinks<0, 2> {
        fn value(&self) -> u32;
    }

    struct Wide<T> {
        value: T,
        links: CheckedLinks<0, 2>,
    }

    impl_has_checked_links! {
        impl{T} HasCheckedLinks<0, 2> for Wide<T> { self.links }
    }

    impl<T: Copy + Into<u32>> Any for Wide<T> {
        fn value(&self) -> u32 {
            self.value.into()
        }
    }

    #[test]
    fn items_may_be_of_different_types() -> Result {
        let mut list: CheckedList<dyn Any, 0, 2> = CheckedList::new();
        let links = CheckedLinks::new;
        let small = Arc::new(
            Wide {
                value: 1u8,
                links: links(),
            },
            GFP_KERNEL,
        )?;
        let large = Arc::new(
            Wide {
                value: 2u32,
                links: links(),
            },
            GFP_KERNEL,
        )?;
        assert!(list.push_back(small.clone()).is_ok());
        assert!(list.push_back(large).is_ok());
        assert!(list.iter().map(|item| item.value()).eq([1, 2]));
        assert_eq!(list.remove(&*small).map(|item| item.value()), Some(1));
        assert_eq!(list.pop_front().map(|item| item.value()), Some(2));
        Ok(())
    }
}
