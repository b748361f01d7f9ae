// SPDX-License-Identifier: GPL-2.0

//! Where the kernel opens user space for an access: the instruction `stac`, wherever it is inlined.
//!
//! The kernel puts it there when it starts, in place of padding, so the code in the file does not
//! show it; the list of replacements does.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use object::{Object, ObjectSection};

use super::blocks::Block;

const STAC: [u8; 3] = [0x0f, 0x01, 0xcb];

/// `X86_FEATURE_SMAP`: the emulated CPU has it.
const SMAP: u16 = 9 * 32 + 20;

/// The length of `struct alt_instr`.
const ENTRY: usize = 14;

/// Addresses of the instruction, sorted.
pub struct Accesses(Vec<u64>);

/// What one entry of the list, which is at `address`, replaces: where, and with what.
fn entry(address: u64, bytes: &[u8]) -> Option<(u64, u64)> {
    let offset = |at: usize| Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let feature = u16::from_ne_bytes(bytes.get(8..10)?.try_into().ok()?);
    let site = address.wrapping_add_signed(offset(0)?.into());
    let replacement = (address + 4).wrapping_add_signed(offset(4)?.into());
    let length = usize::from(*bytes.get(13)?);
    (feature == SMAP && length == STAC.len()).then_some((site, replacement))
}

impl Accesses {
    pub fn read(vmlinux: &Path) -> Result<Self> {
        let bytes =
            fs::read(vmlinux).with_context(|| format!("cannot read {}", vmlinux.display()))?;
        let file = object::File::parse(&*bytes)
            .with_context(|| format!("{} is no ELF file", vmlinux.display()))?;
        let section = |name: &str| -> Result<(u64, Vec<u8>)> {
            let section = file
                .section_by_name(name)
                .with_context(|| format!("the kernel has no section {name}"))?;
            Ok((section.address(), section.data()?.to_vec()))
        };
        let (list, entries) = section(".altinstructions")?;
        let (code, replacements) = section(".altinstr_replacement")?;
        let is_stac = |address: u64| {
            let at = address.checked_sub(code)? as usize;
            Some(replacements.get(at..at + STAC.len())? == STAC)
        };
        let mut sites: Vec<u64> = entries
            .chunks_exact(ENTRY)
            .enumerate()
            .filter_map(|(number, bytes)| entry(list + (number * ENTRY) as u64, bytes))
            .filter(|(_, replacement)| is_stac(*replacement) == Some(true))
            .map(|(site, _)| site)
            .collect();
        sites.sort_unstable();
        Ok(Self(sites))
    }

    /// How many a block executes.
    pub fn within(&self, block: &Block) -> usize {
        let before = |address: u64| self.0.partition_point(|site| *site < address);
        before(block.address.saturating_add(block.bytes)) - before(block.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_what_is_replaced_by_what() {
        let mut bytes = [0; ENTRY];
        bytes[..4].copy_from_slice(&(-0x100i32).to_ne_bytes());
        bytes[4..8].copy_from_slice(&0x20i32.to_ne_bytes());
        bytes[8..10].copy_from_slice(&SMAP.to_ne_bytes());
        bytes[12..].copy_from_slice(&[3, 3]);
        assert_eq!(entry(0x1000, &bytes), Some((0xf00, 0x1024)));
        bytes[8] += 1;
        assert_eq!(entry(0x1000, &bytes), None);
    }

    #[test]
    fn accesses_are_counted_where_the_block_is() {
        let all = Accesses(vec![0x10, 0x20, 0x30]);
        let block = |address, bytes| Block {
            address,
            bytes,
            instructions: 1,
        };
        assert_eq!(all.within(&block(0x10, 0x11)), 2);
        assert_eq!(all.within(&block(0x10, 0x10)), 1);
        assert_eq!(all.within(&block(0x31, 0x10)), 0);
    }
}
