// SPDX-License-Identifier: GPL-2.0

//! The data structures on the kernel's vectors. Random tests of the same sources run on the host.

use kernel::{
    macros::kunit_tests,
    prelude::*, //
};

#[kunit_tests(binder_safe_handles)]
mod handles {
    use super::super::handles::*;
    use super::*;

    struct Entry(usize);

    impl Keyed for Entry {
        fn key(&self) -> usize {
            self.0
        }
    }

    /// With these keys, entries have the same place in the hash of a small table.
    fn entry(nth: usize) -> Entry {
        Entry(nth << 39)
    }

    /// A table with room for some entries at least.
    fn table(capacity: usize) -> Result<Handles<Entry>> {
        let mut table = Handles::new();
        while table.capacity() < capacity {
            drop(table.grow(Room::new(table.capacity())?));
        }
        Ok(table)
    }

    #[test]
    fn a_new_entry_has_the_lowest_free_handle() -> Result {
        let mut table = table(1)?;
        for nth in 1..=5 {
            assert_eq!(table.insert(1, entry(nth)).ok(), Some(nth as u32));
        }
        assert!(table.remove(4).is_some_and(|entry| entry.key() == 4 << 39));
        assert!(table.remove(4).is_none());
        assert!(table.remove(2).is_some());
        assert_eq!(table.insert(1, entry(6)).ok(), Some(2));
        assert_eq!(table.insert(1, entry(7)).ok(), Some(4));
        assert_eq!(table.insert(0, entry(8)).ok(), Some(0));
        assert_eq!(table.len(), 6);
        Ok(())
    }

    #[test]
    fn entries_are_found_by_key_after_others_left() -> Result {
        let mut table = table(32)?;
        for nth in 0..20 {
            assert_eq!(table.insert(0, entry(nth)).ok(), Some(nth as u32));
        }
        for nth in (0..20).step_by(3) {
            assert!(table.remove(nth).is_some());
        }
        for nth in 0..20 {
            let expected = (nth % 3 != 0).then_some(nth);
            assert_eq!(table.find((nth as usize) << 39), expected);
        }
        Ok(())
    }

    #[test]
    fn a_table_grows_with_its_entries() -> Result {
        let mut table = table(0)?;
        assert!(table.insert(0, entry(0)).is_err());
        drop(table.grow(Room::new(0)?));
        let fits = |nth: &usize| table.insert(1, entry(*nth)).is_ok();
        assert_eq!((0..100).take_while(fits).count(), 7);
        // Two had the same idea; the second is too late.
        let (room, late) = (Room::new(8)?, Room::new(8)?);
        drop(table.grow(room));
        drop(table.grow(late));
        let fits = |nth: &usize| table.insert(1, entry(*nth)).is_ok();
        assert_eq!((7..100).take_while(fits).count(), 8);
        assert!(!table.has_room());
        drop(table.grow(Room::new(16)?));
        assert_eq!((table.capacity(), table.len()), (32, 15));
        for (at, (handle, entry)) in table.iter_from(0).enumerate() {
            assert_eq!((handle as usize, entry.key()), (at + 1, at << 39));
            assert_eq!(table.find(entry.key()), Some(handle));
        }
        Ok(())
    }
}

#[kunit_tests(binder_safe_counts)]
mod counts {
    use super::super::counts::*;
    use crate::wire::object::Count;

    const NO_NEWS: RefUpdate = RefUpdate {
        incref: false,
        acquire: false,
        release: false,
        decref: false,
    };

    #[test]
    fn the_end_is_told_once_the_start_is_confirmed() {
        let mut counts = Counts::default();
        assert!(counts.is_unused(false));
        let start = RefUpdate {
            incref: true,
            acquire: true,
            ..NO_NEWS
        };
        assert_eq!(counts.tell(true), start);
        assert_eq!(counts.tell(false), NO_NEWS);
        assert!(counts.confirm(Count::Strong));
        assert!(!counts.confirm(Count::Strong));
        let release = RefUpdate {
            release: true,
            ..NO_NEWS
        };
        assert_eq!(counts.tell(false), release);
        assert!(counts.confirm(Count::Weak));
        assert!(!counts.is_unused(false));
        let decref = RefUpdate {
            decref: true,
            ..NO_NEWS
        };
        assert_eq!(counts.tell(false), decref);
        assert!(counts.is_unused(false));
    }

    #[test]
    fn the_manager_hears_nothing() {
        let mut counts = Counts::default();
        counts.make_permanent();
        assert_eq!(counts.tell(true), NO_NEWS);
        assert_eq!(counts.tell(false), NO_NEWS);
        assert!(!counts.is_unused(false));
    }
}

#[kunit_tests(binder_safe_spam)]
mod spam {
    use crate::collections::spam::Spam;

    #[test]
    fn a_sender_is_suspected_once_while_room_is_scarce() {
        let mut spam = Spam::new();
        assert!(!spam.suspects(100, 1000, || (51, 251)));
        assert!(!spam.suspects(99, 1000, || (50, 250)));
        assert!(spam.suspects(99, 1000, || (51, 250)));
        assert!(!spam.suspects(99, 1000, || (51, 250)));
        assert!(!spam.suspects(100, 1000, || (1, 251)));
        assert!(spam.suspects(99, 1000, || (1, 251)));
    }
}
