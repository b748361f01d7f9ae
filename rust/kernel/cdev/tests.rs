// SPDX-License-Identifier: GPL-2.0

//! Tests of devices that are found by their numbers.

use super::{
    test_node::Node,
    Numbers,
    Registration, //
};
use crate::{
    chrdev::{
        DevT,
        Region, //
    },
    fs::file::{
        Operations,
        UncountedFile, //
    },
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};

/// How many values of each kind are alive, and whether the first device is there.
struct World {
    numbers: Atomic<u32>,
    open: Atomic<u32>,
    present: Atomic<u32>,
}

/// Device 0 comes and goes; device 1 fails to open.
struct Pair {
    region: Region,
    world: Arc<World>,
}

impl Pair {
    fn new(world: &Arc<World>) -> Result<Self> {
        let region = Region::alloc(0, 2, c"rust_kunit_numbers")?;
        world.numbers.fetch_add(1, Relaxed);
        let world = world.clone();
        Ok(Self { region, world })
    }
}

impl Numbers for Pair {
    type Device = (u32, Arc<World>);

    fn region(&self) -> &Region {
        &self.region
    }

    fn find(&self, dev: DevT) -> Option<Self::Device> {
        match dev.minor() {
            0 if self.world.present.load(Relaxed) == 0 => None,
            minor => Some((minor, self.world.clone())),
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.world.numbers.fetch_sub(1, Relaxed);
    }
}

struct Client(Arc<World>);

#[vtable]
impl Operations for Client {
    type Ptr = KBox<Client>;
    type Context = (u32, Arc<World>);

    fn open((minor, world): &Self::Context, _file: &UncountedFile) -> Result<KBox<Client>> {
        if *minor == 1 {
            return Err(EDOM);
        }
        world.open.fetch_add(1, Relaxed);
        Ok(KBox::new(Client(world.clone()), GFP_KERNEL)?)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

impl World {
    fn new() -> Result<Arc<Self>> {
        let world = World {
            numbers: Atomic::new(0),
            open: Atomic::new(0),
            present: Atomic::new(1),
        };
        Ok(Arc::new(world, GFP_KERNEL)?)
    }
}

/// Serves two numbers, and makes nodes that have them.
fn serve() -> Result<(Arc<World>, [Node; 2], Registration<Pair>)> {
    let world = World::new()?;
    let pair = Pair::new(&world)?;
    let dev = |index| pair.region.dev(index).ok_or(EINVAL);
    let nodes = [Node::new(dev(0)?)?, Node::new(dev(1)?)?];
    Ok((world, nodes, Registration::new::<Client>(pair)?))
}

#[macros::kunit_tests(rust_cdev)]
mod cases {
    use super::*;

    #[test]
    fn a_device_is_looked_up_at_each_open() -> Result {
        let (world, [node, _], _registration) = serve()?;
        let file = node.open()?;

        world.present.store(0, Relaxed);
        assert_eq!(node.open().err(), Some(ENXIO));
        assert_eq!(world.open.load(Relaxed), 1);
        world.present.store(1, Relaxed);
        drop(node.open()?);
        assert_eq!(world.open.load(Relaxed), 1);
        drop(file);
        assert_eq!(world.open.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn errors_of_open_are_passed_on() -> Result {
        let (world, [_, node], _registration) = serve()?;

        assert_eq!(node.open().err(), Some(EDOM));
        assert_eq!(world.open.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn open_files_outlive_the_registration() -> Result {
        let (world, [node, _], registration) = serve()?;
        let file = node.open()?;

        drop(registration);
        assert_eq!(world.numbers.load(Relaxed), 0);
        assert_eq!(node.open().err(), Some(ENXIO));
        assert_eq!(world.open.load(Relaxed), 1);
        drop(file);
        assert_eq!(world.open.load(Relaxed), 0);
        assert_eq!(node.open().err(), Some(ENXIO));
        Ok(())
    }

    #[cfg(CONFIG_RUST_KUNIT_FAIL_NTH)]
    #[test]
    fn failed_allocations_leave_nothing() -> Result {
        let world = World::new()?;
        crate::kunit::each_allocation_fails(|| {
            Registration::new::<Client>(Pair::new(&world)?).map(drop)
        })?;
        assert_eq!(world.numbers.load(Relaxed), 0);
        Ok(())
    }
}
