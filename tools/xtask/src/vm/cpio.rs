// SPDX-License-Identifier: GPL-2.0

//! Writes a cpio archive of the "newc" kind, which the kernel unpacks as its first root.

use std::io::{self, Write};

/// Mode bits of the three kinds of entries we need.
const DIRECTORY: u32 = 0o040755;
const PROGRAM: u32 = 0o100755;
const CHARACTER_DEVICE: u32 = 0o020600;

/// An archive that is being written to `out`.
pub struct Cpio<W: Write> {
    out: W,
    inode: u32,
}

impl<W: Write> Cpio<W> {
    /// Starts an archive.
    pub fn new(out: W) -> Self {
        Self { out, inode: 0 }
    }

    /// Adds a directory; parents come first.
    pub fn directory(&mut self, path: &str) -> io::Result<()> {
        self.entry(path, DIRECTORY, (0, 0), &[])
    }

    /// Adds a file that everybody may run.
    pub fn program(&mut self, path: &str, data: &[u8]) -> io::Result<()> {
        self.entry(path, PROGRAM, (0, 0), data)
    }

    /// Adds a character device.
    pub fn device(&mut self, path: &str, major: u32, minor: u32) -> io::Result<()> {
        self.entry(path, CHARACTER_DEVICE, (major, minor), &[])
    }

    /// Ends the archive and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.entry("TRAILER!!!", 0, (0, 0), &[])?;
        Ok(self.out)
    }

    /// Header, name and data, the latter two padded to four bytes. Owner, time and the archive's
    /// own device are zero, so that equal input gives equal bytes.
    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), data: &[u8]) -> io::Result<()> {
        self.inode += 1;
        let name = path.trim_start_matches('/');
        let size = u32::try_from(data.len()).map_err(io::Error::other)?;
        let name_size = name.len() as u32 + 1;
        let fields = [
            self.inode, mode, 0, 0, 1, 0, size, 0, 0, device.0, device.1, name_size, 0,
        ];
        write!(self.out, "070701")?;
        for field in fields {
            write!(self.out, "{field:08x}")?;
        }
        self.out.write_all(name.as_bytes())?;
        self.out.write_all(&[0])?;
        self.pad(110 + name.len() + 1)?;
        self.out.write_all(data)?;
        self.pad(data.len())
    }

    fn pad(&mut self, written: usize) -> io::Result<()> {
        self.out
            .write_all(&[0; 3][..written.next_multiple_of(4) - written])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_padded_and_holds_its_data() {
        let mut cpio = Cpio::new(Vec::new());
        cpio.program("/init", b"abcde").unwrap();
        let bytes = cpio.finish().unwrap();
        assert_eq!(&bytes[..6], b"070701");
        assert_eq!(&bytes[54..62], b"00000005");
        assert_eq!(&bytes[110..116], b"init\0\0"[..6].as_ref());
        let data = (110 + 5usize).next_multiple_of(4);
        assert_eq!(&bytes[data..data + 8], b"abcde\0\0\0");
        assert_eq!(bytes.len() % 4, 0);
        assert!(bytes.windows(10).any(|window| window == b"TRAILER!!!"));
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let archive = || {
            let mut cpio = Cpio::new(Vec::new());
            cpio.directory("/bin").unwrap();
            cpio.device("/dev/console", 5, 1).unwrap();
            cpio.finish().unwrap()
        };
        assert_eq!(archive(), archive());
    }
}
