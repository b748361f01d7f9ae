// SPDX-License-Identifier: GPL-2.0

//! The functions of a kernel.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use object::{Object, ObjectSymbol, SymbolKind};

/// A function.
#[derive(Debug)]
pub struct Symbol {
    pub address: u64,
    /// As a person would write it.
    pub name: String,
}

/// The kernel's functions by address.
pub struct Symbols(Vec<Symbol>);

/// User space ends where the addresses of the kernel begin.
const KERNEL: u64 = 1 << 63;

impl Symbols {
    pub fn read(vmlinux: &Path) -> Result<Self> {
        let bytes =
            fs::read(vmlinux).with_context(|| format!("cannot read {}", vmlinux.display()))?;
        let file = object::File::parse(&*bytes)
            .with_context(|| format!("{} is no ELF file", vmlinux.display()))?;
        let mut all: Vec<(u64, bool, Symbol)> = file
            .symbols()
            .filter(|symbol| symbol.address() >= KERNEL)
            .filter_map(|symbol| {
                let kind = symbol.kind();
                let code = kind == SymbolKind::Text || kind == SymbolKind::Unknown;
                let name = symbol.name().ok().filter(|name| code && !name.is_empty())?;
                let name = format!("{:#}", rustc_demangle::demangle(name));
                let address = symbol.address();
                Some((address, kind != SymbolKind::Text, Symbol { address, name }))
            })
            .collect();
        // Of several names for one address, the one of a function.
        all.sort_by_key(|(address, other, _)| (*address, *other));
        all.dedup_by_key(|(address, ..)| *address);
        Ok(Self(all.into_iter().map(|(.., symbol)| symbol).collect()))
    }

    /// The address of a function.
    pub fn address(&self, name: &str) -> Option<u64> {
        self.0
            .iter()
            .find(|symbol| symbol.name == name)
            .map(|symbol| symbol.address)
    }

    /// The function that holds an address.
    pub fn at(&self, address: u64) -> Option<&Symbol> {
        let after = self.0.partition_point(|symbol| symbol.address <= address);
        self.0.get(after.checked_sub(1)?)
    }
}
