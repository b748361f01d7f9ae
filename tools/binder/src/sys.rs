// SPDX-License-Identifier: GPL-2.0

//! The system calls that the standard library has no name for; all `unsafe` of the demonstration.

use std::{
    fs::{File, OpenOptions},
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    path::Path,
    ptr,
    time::Duration,
};

use rustix::{
    fs::{fcntl_getfl, fcntl_setfl, OFlags},
    thread::{sched_setaffinity, unshare_unsafe, CpuSet, UnshareFlags},
};

use crate::proto;

/// What Android maps for an ordinary process, near enough.
const MAP_SIZE: usize = 1 << 20;

/// An open Binder device with its mapping.
pub struct Device {
    file: File,
    map: *const u8,
    size: usize,
}

// SAFETY: The pointer is an address that `copy` copies from; nobody in this process writes there,
// and what the driver writes there it leaves alone once it has told of it.
unsafe impl Send for Device {}
// SAFETY: As above; and all that a method changes is on its caller's stack.
unsafe impl Sync for Device {}

/// `struct binder_write_read`.
#[repr(C)]
struct WriteRead {
    write_size: u64,
    write_consumed: u64,
    write_buffer: u64,
    read_size: u64,
    read_consumed: u64,
    read_buffer: u64,
}

fn check(ret: libc::c_int) -> io::Result<()> {
    if ret < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

impl Device {
    /// Opens and maps the device.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_sized(path, MAP_SIZE)
    }

    /// Opens the device and maps so many bytes of it.
    pub fn open_sized(path: &Path, size: usize) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        // SAFETY: A new mapping at an address of the kernel's choice takes nothing from anyone.
        let map = unsafe {
            let fd = file.as_raw_fd();
            libc::mmap(
                ptr::null_mut(),
                size,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                fd,
                0,
            )
        };
        if map == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            file,
            map: map.cast(),
            size,
        })
    }

    /// The protocol version of the driver.
    pub fn version(&self) -> io::Result<i32> {
        let mut version = 0i32;
        // SAFETY: The driver writes one `i32`, and `version` outlives the call.
        check(unsafe { libc::ioctl(self.file.as_raw_fd(), proto::VERSION as _, &mut version) })?;
        Ok(version)
    }

    /// Becomes the context manager.
    pub fn become_manager(&self) -> io::Result<()> {
        // SAFETY: The argument is no pointer.
        check(unsafe { libc::ioctl(self.file.as_raw_fd(), proto::SET_CONTEXT_MGR as _, 0) })
    }

    /// Becomes the context manager, one that calls may bring file descriptors to, and if `labels`
    /// one that asks for the security contexts of callers, as that of Android does.
    pub fn become_manager_for_files(&self, labels: bool) -> io::Result<()> {
        let object = proto::manager_object(labels);
        let number = proto::SET_CONTEXT_MGR_EXT as _;
        // SAFETY: The driver reads an object of this size, which outlives the call.
        check(unsafe { libc::ioctl(self.file.as_raw_fd(), number, object.as_ptr()) })
    }

    /// Why the last command of this thread failed: a number from `errno.h`, or 0.
    pub fn last_error(&self) -> io::Result<i32> {
        let mut error = [0i32; 3];
        let number = proto::GET_EXTENDED_ERROR as _;
        // SAFETY: The driver writes three numbers of 32 bits, and `error` outlives the call.
        check(unsafe { libc::ioctl(self.file.as_raw_fd(), number, error.as_mut_ptr()) })?;
        Ok(-error[2])
    }

    /// Has the driver forget the calling thread.
    pub fn thread_exit(&self) -> io::Result<()> {
        // SAFETY: The argument is no pointer.
        check(unsafe { libc::ioctl(self.file.as_raw_fd(), proto::THREAD_EXIT as _, 0) })
    }

    /// Sends commands and, if there is room in `read`, waits for returns; gives their length.
    ///
    /// Addresses inside the commands are read by the driver alone, which copes with any address.
    pub fn write_read(&self, write: &[u8], read: &mut [u8]) -> io::Result<usize> {
        let mut args = WriteRead {
            write_size: write.len() as u64,
            write_consumed: 0,
            write_buffer: write.as_ptr() as u64,
            read_size: read.len() as u64,
            read_consumed: 0,
            read_buffer: read.as_mut_ptr() as u64,
        };
        // SAFETY: The driver reads `write`, writes `read` and `args`, and all three outlive it.
        check(unsafe { libc::ioctl(self.file.as_raw_fd(), proto::WRITE_READ as _, &mut args) })?;
        Ok(args.read_consumed as usize)
    }

    /// Has reads fail with [`io::ErrorKind::WouldBlock`] instead of waiting, or wait again.
    pub fn set_nonblocking(&self, yes: bool) -> io::Result<()> {
        let mut flags = fcntl_getfl(&self.file)?;
        flags.set(OFlags::NONBLOCK, yes);
        Ok(fcntl_setfl(&self.file, flags)?)
    }

    /// Adds the bytes of a received buffer to `to`.
    pub fn copy(&self, address: u64, size: u64, to: &mut Vec<u8>) -> io::Result<()> {
        let start = self.map as u64;
        let inside = |end: u64| end <= start + self.size as u64;
        if size == 0 {
            return Ok(());
        }
        if address < start || !address.checked_add(size).is_some_and(inside) {
            return Err(io::Error::other(
                "the driver gave an address outside our mapping",
            ));
        }
        let size = size as usize;
        to.reserve(size);
        // SAFETY: The source lies in our mapping, checked above, and the destination has the
        // room, reserved above. The two cannot overlap: one is the driver's memory.
        unsafe {
            ptr::copy_nonoverlapping(address as *const u8, to.as_mut_ptr().add(to.len()), size);
            to.set_len(to.len() + size);
        }
        Ok(())
    }

    /// Waits until there is something to read, at most for `time`; tells whether there is.
    pub fn wait(&self, time: Duration) -> io::Result<bool> {
        let fd = self.file.as_raw_fd();
        let mut poll = libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: The array has the one entry that the call is told of.
        let ret = unsafe { libc::poll(&mut poll, 1, time.as_millis() as libc::c_int) };
        check(ret)?;
        Ok(ret > 0)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: The mapping is ours and nothing points into it: `copy` gives only copies.
        unsafe { libc::munmap(self.map.cast_mut().cast(), self.size) };
    }
}

/// Has an instance of binderfs make a device: BINDER_CTL_ADD on its `binder-control`.
pub fn add_device(control: &File, name: &str) -> io::Result<()> {
    let mut device = proto::NewDevice::named(name).ok_or(io::ErrorKind::InvalidInput)?;
    // SAFETY: The driver reads and writes one `NewDevice`, and `device` outlives the call.
    check(unsafe { libc::ioctl(control.as_raw_fd(), proto::CTL_ADD as _, &mut device) })
}

/// Leaves some of the namespaces that this thread shares with others.
///
/// # Errors
///
/// Fails for [`UnshareFlags::FILES`], which is not about namespaces.
pub fn leave_namespaces(which: UnshareFlags) -> io::Result<()> {
    if which.contains(UnshareFlags::FILES) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: The table of files stays shared.
    Ok(unsafe { unshare_unsafe(which) }?)
}

/// Takes over a file descriptor that came in a message.
pub fn received_file(fd: u32) -> File {
    // SAFETY: The driver put the descriptor into our table for us alone.
    File::from(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Keeps this process on the first CPU.
pub fn pin() -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(0);
    Ok(sched_setaffinity(None, &set)?)
}
