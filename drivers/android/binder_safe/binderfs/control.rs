// SPDX-License-Identifier: GPL-2.0

//! `binder-control`: making more devices in a mount.

use super::{
    device::Access,
    fs_type::Binderfs,
    minors::Minor,
    names::MAX_NAME, //
};
use kernel::{
    fs::{
        file::{
            IoctlFile,
            Operations,
            UncountedFile, //
        },
        pseudo::SuperBlock, //
    },
    ioctl::_IOWR,
    prelude::*,
    uaccess::UserSlice,
    uapi, //
};
use zerocopy_derive::{
    Immutable,
    KnownLayout, //
};

const CTL_ADD: u32 = _IOWR::<uapi::binderfs_device>(b'b' as u32, 1);

/// What `BINDER_CTL_ADD` takes and gives back.
#[repr(C)]
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
struct NewDevice {
    name: [u8; MAX_NAME + 1],
    major: u32,
    minor: u32,
}

const _: () = assert!(size_of::<NewDevice>() == size_of::<uapi::binderfs_device>());

/// The control node of a mount.
pub(crate) struct ControlFile;

#[vtable]
impl Operations for ControlFile {
    type Ptr = ();
    type Context = Minor;

    fn open(_minor: &Minor, _file: &UncountedFile) -> Result<()> {
        Ok(())
    }

    fn ioctl(_data: (), file: &IoctlFile<'_>, cmd: u32, arg: usize) -> Result<isize> {
        match cmd {
            CTL_ADD => add(file, UserPtr::from_addr(arg))?,
            _ => return Err(EINVAL),
        }
        Ok(0)
    }
}

/// Adds a device to the mount that `file` is in.
fn add(file: &IoctlFile<'_>, arg: UserPtr) -> Result {
    let mount = SuperBlock::<Binderfs>::of_file(&**file).ok_or(EINVAL)?;
    let (mut reader, mut writer) = UserSlice::new(arg, size_of::<NewDevice>()).reader_writer();
    // On the heap, since it is large for the stack.
    let mut request = KBox::new(reader.read_obj::<NewDevice>()?, GFP_KERNEL)?;
    let request = &mut *request;
    // Names that are too long are cut.
    request.name[MAX_NAME] = 0;
    let name = CStr::from_bytes_until_nul(&request.name).map_err(|_| EINVAL)?;
    let device = mount.data().new_device(name)?;
    request.major = device.dev().major();
    request.minor = device.dev().minor();
    // Whoever cannot be told the numbers gets no device.
    writer.write_obj(request)?;
    device.insert(&mount.root(), name, Access::default())
}
