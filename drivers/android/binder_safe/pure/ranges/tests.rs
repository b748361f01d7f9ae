// SPDX-License-Identifier: GPL-2.0

//! Areas on the kernel's vectors. Random tests of the same sources run on the host.

use super::*;
use kernel::macros::kunit_tests;

const SIZE: usize = 4096;

#[kunit_tests(binder_safe_ranges)]
mod cases {
    use super::*;

    #[test]
    fn the_smallest_hole_that_fits_is_used() -> Result {
        let mut ranges = Ranges::<()>::new(SIZE)?;
        let room = Room::new(ranges.wanted())?;
        drop(ranges.grow(room));
        let mut nth = 0;
        let mut buffers = [512, 8, 72, 8, 64, 8, 80, 8].map(|len| {
            nth += 1;
            ranges.reserve(len, nth).ok()
        });
        for hole in [0, 2, 4, 6] {
            if let Some(range) = buffers[hole].take() {
                ranges.release(range);
            }
        }
        let mut offset_of = |len| ranges.reserve(len, 0).map(|range| range.offset());
        assert_eq!(offset_of(72), Ok(520));
        assert_eq!(offset_of(72), Ok(672));
        assert_eq!(offset_of(8), Ok(744));
        assert_eq!(offset_of(72), Ok(0));
        assert_eq!(offset_of(SIZE), Err(NoRange::NoSpace));
        Ok(())
    }

    #[test]
    fn freed_bytes_become_one_whatever_the_order() -> Result {
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let mut ranges = Ranges::<()>::new(SIZE)?;
            let buffers = [8, 16, 24].map(|len| ranges.reserve(len, 0).ok());
            for nth in order {
                assert!(buffers[nth].map(|range| ranges.release(range)).is_some());
            }
            assert!(ranges.reserve(SIZE, 0).is_ok_and(|all| all.offset() == 0));
        }
        Ok(())
    }

    #[test]
    fn only_what_is_held_can_be_taken() -> Result {
        let mut ranges = Ranges::new(2 * SIZE)?;
        let range = ranges.reserve(SIZE, 1).map_err(|_| ENOSPC)?;
        assert!(ranges.take(0).is_none());
        ranges.hold(range, 5);
        assert!(ranges.take(8).is_none());
        assert!(ranges.take(SIZE).is_none());
        assert!(ranges.take(usize::MAX).is_none());
        assert_eq!(ranges.take(0), Some((range, 5)));
        assert!(ranges.take(0).is_none());
        ranges.hold(range, 6);
        assert_eq!(ranges.take_any(), Some((range, 6)));
        assert!(ranges.take_any().is_none());
        Ok(())
    }

    #[test]
    fn a_full_table_grows_with_its_buffers() -> Result {
        let mut ranges = Ranges::new(SIZE)?;
        let mut nr_buffers = 0;
        while let Ok(range) = ranges.reserve(8, 1) {
            ranges.hold(range, nr_buffers);
            nr_buffers += 1;
        }
        assert_eq!(ranges.reserve(8, 2), Err(NoRange::TableFull));
        // Two had the same idea; the second is too late.
        let (room, late) = (Room::new(ranges.wanted())?, Room::new(ranges.wanted())?);
        drop(ranges.grow(room));
        drop(ranges.grow(late));
        assert_eq!(ranges.capacity(), 16);
        let one = ranges.reserve(8, 1).map_err(|_| ENOSPC)?;
        let other = ranges.reserve(8, 2).map_err(|_| ENOSPC)?;
        assert_eq!(ranges.tagged(one), (nr_buffers + 1, 8 * nr_buffers + 8));
        assert_eq!(ranges.tagged(other), (1, 8));
        for nth in 0..nr_buffers {
            assert!(ranges.take(8 * nth).is_some_and(|(_, held)| held == nth));
        }
        Ok(())
    }
}
