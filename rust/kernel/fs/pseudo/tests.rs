// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of pseudo file systems, on mounts that only the kernel sees.

use super::*;
use crate::{
    bindings,
    chrdev::DevT,
    error::from_err_ptr,
    fs::{
        file::{
            Operations,
            UncountedFile, //
        },
        File, //
    },
    seq_file::SeqShow,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};
use core::ptr::NonNull;

/// Counts what is alive.
struct Alive {
    nodes: Atomic<i32>,
    data: Atomic<i32>,
    open: Atomic<i32>,
    /// Nodes that were alive when the data of their mount ended.
    nodes_after_data: Atomic<i32>,
}

impl Alive {
    fn new() -> Result<Arc<Self>> {
        let alive = Alive {
            nodes: Atomic::new(0),
            data: Atomic::new(0),
            open: Atomic::new(0),
            nodes_after_data: Atomic::new(0),
        };
        Ok(Arc::new(alive, GFP_KERNEL)?)
    }
}

struct Node(Arc<Alive>);

impl Node {
    fn new(alive: &Arc<Alive>) -> Self {
        alive.nodes.fetch_add(1, Relaxed);
        Node(alive.clone())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.0.nodes.fetch_sub(1, Relaxed);
    }
}

struct TestFs;

struct Data {
    alive: Arc<Alive>,
    fail: bool,
}

impl Drop for Data {
    fn drop(&mut self) {
        let nodes = self.alive.nodes.load(Relaxed);
        self.alive.nodes_after_data.fetch_add(nodes, Relaxed);
        self.alive.data.fetch_sub(1, Relaxed);
    }
}

/// Whether the next mount fails half way through.
struct Context {
    alive: Arc<Alive>,
    fail: Atomic<i32>,
}

#[vtable]
impl FileSystem for TestFs {
    const NAME: &'static CStr = c"rust_kunit_pseudo";
    const MAGIC: usize = 0x7275_7374;
    const FLAGS: Flags = Flags::DEVICES.union(Flags::NOEXEC);

    type Context = Context;
    type Data = Data;
    type Options = ();

    fn fill_super(sb: &NewSuperBlock<'_, Self>, (): &()) -> Result<Data> {
        let alive = sb.context().alive.clone();
        alive.data.fetch_add(1, Relaxed);
        let fail = sb.context().fail.load(Relaxed) != 0;
        Ok(Data { alive, fail })
    }

    fn populate(root: &Dir<'_, Self>, (): &()) -> Result {
        add(root, c"first")?;
        if root.super_block().data().fail {
            return Err(EDOM);
        }
        Ok(())
    }
}

fn add(dir: &Dir<'_, TestFs>, name: &CStr) -> Result {
    add_for(dir, name, Owner::ROOT)
}

fn add_for(dir: &Dir<'_, TestFs>, name: &CStr, owner: Owner) -> Result {
    let node = ChrNode {
        dev: DevT::new(0, 0).ok_or(EINVAL)?,
        mode: 0o600,
        ino: Some(7),
        owner,
    };
    let alive = &dir.super_block().data().alive;
    dir.create_chr::<Client>(name, node, Node::new(alive))
}

struct Client(Arc<Alive>);

impl Drop for Client {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

#[vtable]
impl Operations for Client {
    type Ptr = KBox<Client>;
    type Context = Node;

    fn open(node: &Node, file: &UncountedFile) -> Result<KBox<Client>> {
        if SuperBlock::<TestFs>::of_file(file).is_none() {
            return Err(EBADF);
        }
        // Counted before there is a box: without one it is dropped as well.
        node.0.open.fetch_add(1, Relaxed);
        Ok(KBox::new(Client(node.0.clone()), GFP_KERNEL)?)
    }
}

/// The same type serves as a text file, with other data.
#[vtable]
impl SeqShow for Client {
    type Data = (u8, Node);

    fn show(_: &(u8, Node), _: &SeqFile) -> Result {
        Ok(())
    }
}

/// Other file systems: one to see that the two are told apart, and one with a name that cannot be.
struct Other<const DOT: bool>;

#[vtable]
impl<const DOT: bool> FileSystem for Other<DOT> {
    const NAME: &'static CStr = if DOT {
        c"rust.kunit"
    } else {
        c"rust_kunit_other"
    };
    const MAGIC: usize = 0x7275_7374;

    type Context = ();
    type Data = ();
    type Options = ();

    fn fill_super(_: &NewSuperBlock<'_, Self>, (): &()) -> Result {
        Ok(())
    }

    fn populate(_: &Dir<'_, Self>, (): &()) -> Result {
        Ok(())
    }
}

/// A mount inside the kernel.
struct Mount {
    mnt: NonNull<bindings::vfsmount>,
}

impl Mount {
    fn new(registration: &Registration<TestFs>) -> Result<Self> {
        // SAFETY: The type is registered.
        let mnt = from_err_ptr(unsafe { bindings::kern_mount(registration.as_raw()) })?;
        let mnt = NonNull::new(mnt).ok_or(ENOMEM)?;
        Ok(Mount { mnt })
    }

    fn sb(&self) -> &SuperBlock<TestFs> {
        // SAFETY: The mount keeps the super block active, and it is one of a `TestFs`.
        unsafe { SuperBlock::from_raw(self.mnt.as_ref().mnt_sb) }
    }

    fn open(&self, name: &CStr, flags: u32) -> Result<ARef<File>> {
        // SAFETY: The mount is valid.
        let dentry = unsafe { self.mnt.as_ref() }.mnt_root;
        let root = bindings::path {
            mnt: self.mnt.as_ptr(),
            dentry,
        };
        // SAFETY: The path and the name are valid during the call.
        let file = from_err_ptr(unsafe {
            bindings::file_open_root(&root, name.as_char_ptr(), flags as c_int, 0)
        })?;
        // SAFETY: The call has returned a reference to a file that nobody else knows.
        Ok(unsafe { ARef::from_raw(NonNull::new(file.cast()).ok_or(ENOENT)?) })
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // SAFETY: The mount is valid and is not used after this.
        unsafe { bindings::kern_unmount(self.mnt.as_ptr()) };
    }
}

fn register() -> Result<(Arc<Alive>, Registration<TestFs>)> {
    let alive = Alive::new()?;
    let context = Context {
        alive: alive.clone(),
        fail: Atomic::new(0),
    };
    Ok((alive, Registration::new(context)?))
}

fn dentry_of(file: &File) -> *mut bindings::dentry {
    // SAFETY: The path of an open file does not change.
    unsafe { (*file.as_ptr()).__bindgen_anon_1.f_path.dentry }
}

/// How often a directory is referred to.
fn references(dir: &Dir<'_, TestFs>) -> i32 {
    let lockref = dir.lockref();
    // SAFETY: The directory is in use, and its count is a word that is read at once.
    unsafe { (&raw const (*lockref).__bindgen_anon_1.__bindgen_anon_1.count).read_volatile() }
}

/// Lets files be released whose last reference was dropped by this kernel thread.
fn flush_fput() {
    // SAFETY: The function may be called in process context without locks.
    unsafe { bindings::flush_delayed_fput() };
}

#[macros::kunit_tests(rust_fs_pseudo)]
mod cases {
    use super::*;

    #[test]
    fn names_of_types() -> Result {
        let (_, registration) = register()?;
        assert_eq!(register().err(), Some(EBUSY));
        assert_eq!(Registration::<Other<true>>::new(()).err(), Some(EINVAL));

        drop(registration);
        register().map(|_| ())
    }

    #[test]
    fn names_of_entries() -> Result {
        let (alive, registration) = register()?;
        let mount = Mount::new(&registration)?;
        let root = mount.sb().root();

        for name in [c"", c".", c"..", c"a/b", c"/"] {
            assert_eq!(add(&root, name), Err(EACCES));
            assert_eq!(root.mkdir(name, 0o755).err(), Some(EACCES));
            assert_eq!(root.remove(name), Err(EACCES));
        }
        assert_eq!(add(&root, c"first"), Err(EEXIST));
        assert_eq!(root.remove(c"second"), Err(ENOENT));
        assert_eq!(alive.nodes.load(Relaxed), 1);

        let mut long = KVec::from_elem(b'x', 257, GFP_KERNEL)?;
        long[256] = 0;
        let long = CStr::from_bytes_with_nul(&long).map_err(|_| EINVAL)?;
        assert_eq!(add(&root, long), Err(ENAMETOOLONG));
        let longest =
            CStr::from_bytes_with_nul(&long.to_bytes_with_nul()[1..]).map_err(|_| EINVAL)?;
        add(&root, longest)
    }

    #[test]
    fn owners_of_entries() -> Result {
        let (_, registration) = register()?;
        let mount = Mount::new(&registration)?;
        let root = mount.sb().root();
        let ids = |name| -> Result<(u32, u32)> {
            let file = mount.open(name, bindings::O_RDWR)?;
            // SAFETY: The file keeps its entry, and nobody changes its owner.
            unsafe {
                let inode = (*dentry_of(&file)).d_inode;
                Ok(((*inode).i_uid.val, (*inode).i_gid.val))
            }
        };

        add_for(&root, c"theirs", Owner { uid: 7, gid: 8 })?;
        assert_eq!(ids(c"first")?, (0, 0));
        assert_eq!(ids(c"theirs")?, (7, 8));
        let nobody = Owner {
            uid: u32::MAX,
            gid: 0,
        };
        assert_eq!(add_for(&root, c"nobodys", nobody), Err(EINVAL));
        Ok(())
    }

    #[test]
    fn nodes_end_before_data() -> Result {
        let (alive, registration) = register()?;
        let mount = Mount::new(&registration)?;
        let dir = mount.sb().root().mkdir(c"dir", 0o755)?;

        add(&dir, c"a")?;
        dir.create_seq_file::<Client>(c"text", 0o444, (1, Node::new(&alive)))?;
        assert_eq!(alive.nodes.load(Relaxed), 3);
        drop(mount);
        assert_eq!(alive.nodes.load(Relaxed), 0);
        assert_eq!(alive.data.load(Relaxed), 0);
        assert_eq!(alive.nodes_after_data.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn failed_mount_leaves_nothing() -> Result {
        let alive = Alive::new()?;
        let context = Context {
            alive: alive.clone(),
            fail: Atomic::new(1),
        };
        let registration = Registration::<TestFs>::new(context)?;

        assert_eq!(Mount::new(&registration).err(), Some(EDOM));
        assert_eq!(alive.nodes.load(Relaxed), 0);
        assert_eq!(alive.data.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn open_files_hold_the_node() -> Result {
        let (alive, registration) = register()?;
        let mount = Mount::new(&registration)?;
        let file = mount.open(c"first", bindings::O_RDWR)?;

        assert!(SuperBlock::<TestFs>::of_file(&*file).is_some());
        assert!(SuperBlock::<Other<false>>::of_file(&*file).is_none());
        mount.sb().root().remove(c"first")?;
        assert_eq!(mount.open(c"first", bindings::O_RDWR).err(), Some(ENOENT));
        assert_eq!(alive.nodes.load(Relaxed), 1);
        assert_eq!(alive.open.load(Relaxed), 1);

        drop(file);
        flush_fput();
        assert_eq!(alive.open.load(Relaxed), 0);
        assert_eq!(alive.nodes.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn entries_know_what_they_carry() -> Result {
        let (alive, registration) = register()?;
        let mount = Mount::new(&registration)?;
        let text = (1, Node::new(&alive));
        mount
            .sb()
            .root()
            .create_seq_file::<Client>(c"text", 0o444, text)?;

        for (name, carries_node) in [(c"first", true), (c"text", false), (c".", false)] {
            let file = mount.open(name, bindings::O_RDONLY)?;
            // SAFETY: The file keeps its entry, and nobody renames it.
            let entry = unsafe { Entry::<'_, TestFs>::from_raw(dentry_of(&file)) };

            assert_eq!(entry.context::<Client>().is_some(), carries_node);
            assert!(core::ptr::eq(entry.super_block(), mount.sb()));
        }
        Ok(())
    }

    #[test]
    fn remove_takes_a_whole_directory() -> Result {
        let (alive, registration) = register()?;
        let mount = Mount::new(&registration)?;
        let root = mount.sb().root();
        let dir = root.mkdir(c"dir", 0o755)?;

        add(&dir, c"a")?;
        add(&dir.mkdir(c"below", 0o755)?, c"b")?;
        assert_eq!(alive.nodes.load(Relaxed), 3);
        root.remove(c"dir")?;
        assert_eq!(alive.nodes.load(Relaxed), 1);
        assert_eq!(add(&dir, c"c"), Err(ENOENT));
        assert_eq!(root.remove(c"dir"), Err(ENOENT));
        Ok(())
    }

    #[test]
    fn handles_belong_to_one_mount() -> Result {
        let (alive, registration) = register()?;
        let one = Mount::new(&registration)?;
        let two = Mount::new(&registration)?;
        let handle = one.sb().root().mkdir(c"kept", 0o755)?.handle();

        assert!(handle.get(two.sb()).is_none());
        add(&handle.get(one.sb()).ok_or(ENOENT)?, c"a")?;
        assert_eq!(alive.nodes.load(Relaxed), 3);

        // A removed directory stays valid, but nothing can be made in it any more.
        one.sb().root().remove(c"kept")?;
        assert_eq!(add(&handle.get(one.sb()).ok_or(ENOENT)?, c"b"), Err(ENOENT));
        drop(one);
        assert!(handle.get(two.sb()).is_none());
        drop(two);
        assert_eq!(alive.nodes.load(Relaxed), 0);
        assert_eq!(alive.data.load(Relaxed), 0);
        Ok(())
    }

    // Forgetting what has no `drop` is what is tested.
    #[allow(clippy::forget_non_drop)]
    #[test]
    fn forgotten_directories_do_not_keep_the_mount_busy() -> Result {
        let (alive, registration) = register()?;
        let mount = Mount::new(&registration)?;

        let before = references(&mount.sb().root());
        core::mem::forget(mount.sb().root());
        assert_eq!(references(&mount.sb().root()), before);

        let dir = mount.sb().root().mkdir(c"dir", 0o755)?;
        add(&dir, c"a")?;
        let handle = dir.handle();
        let before = references(&dir);
        core::mem::forget(dir);
        core::mem::forget(handle.get(mount.sb()));
        let again = handle.get(mount.sb()).ok_or(ENOENT)?;
        assert_eq!(references(&again), before);

        drop(mount);
        assert_eq!(alive.nodes.load(Relaxed), 0);
        assert_eq!(alive.data.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn mounts_outlive_the_registration() -> Result {
        let (alive, registration) = register()?;
        let mount = Mount::new(&registration)?;

        drop(registration);
        add(&mount.sb().root(), c"second")?;
        assert_eq!(alive.nodes.load(Relaxed), 2);
        drop(mount);
        assert_eq!(alive.nodes.load(Relaxed), 0);
        assert_eq!(alive.data.load(Relaxed), 0);
        Ok(())
    }

    #[cfg(CONFIG_RUST_KUNIT_FAIL_NTH)]
    #[test]
    fn failed_allocations_leave_nothing() -> Result {
        crate::kunit::each_allocation_fails(|| register().map(drop))?;

        let (alive, registration) = register()?;
        crate::kunit::each_allocation_fails(|| {
            let mount = Mount::new(&registration)?;
            let dir = mount.sb().root().mkdir(c"dir", 0o755)?;
            let _ = dir.handle();
            add(&dir, c"a")?;
            dir.create_seq_file::<Client>(c"text", 0o444, (1, Node::new(&alive)))?;
            mount.open(c"first", bindings::O_RDWR).map(drop)?;
            flush_fput();
            Ok(())
        })?;
        assert_eq!(alive.open.load(Relaxed), 0);
        assert_eq!(alive.nodes.load(Relaxed), 0);
        assert_eq!(alive.data.load(Relaxed), 0);
        Ok(())
    }
}
