// SPDX-License-Identifier: GPL-2.0

//! How large a driver is.

use std::{fs, path::Path};

use anyhow::{bail, Context, Result};
use object::{elf, Object, ObjectSection, SectionFlags, SectionKind};

use super::results::Size;
use crate::Driver;

/// Where the objects of a driver are in a build folder.
fn folder(driver: Driver) -> &'static str {
    match driver {
        Driver::Safe => "drivers/android/binder_safe",
        Driver::C => "drivers/android",
        Driver::Rust | Driver::RustExtra => "drivers/android/binder",
    }
}

/// Adds up the sections of all objects that were linked into the kernel.
pub fn driver(image: &Path, driver: Driver) -> Result<Size> {
    let build = image.ancestors().nth(4);
    let dir = build
        .context("an image outside a build folder")?
        .join(folder(driver));
    let mut all = Size::default();
    let mut found = false;
    for entry in fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "o") {
            let one = object_file(&path)?;
            all.text += one.text;
            all.constants += one.constants;
            all.data += one.data;
            found = true;
        }
    }
    if !found {
        bail!("there is no object file in {}", dir.display());
    }
    Ok(all)
}

fn object_file(path: &Path) -> Result<Size> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = object::File::parse(&*bytes)
        .with_context(|| format!("{} is no object file", path.display()))?;
    let mut size = Size::default();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        let has = |flag: elf::SectionFlags| sh_flags & flag == flag;
        let bytes = match section.kind() {
            _ if has(elf::SHF_EXECINSTR) => &mut size.text,
            _ if !has(elf::SHF_ALLOC) => continue,
            SectionKind::Note => continue,
            _ if has(elf::SHF_WRITE) => &mut size.data,
            _ => &mut size.constants,
        };
        *bytes += section.size();
    }
    Ok(size)
}
