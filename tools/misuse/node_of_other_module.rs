// SPDX-License-Identifier: GPL-2.0

//! An open node pins the module of its file system, so its operations have to be there too.
//!
//! error: E0271

#![allow(missing_docs)]

use kernel::{
    fs::{
        file::Operations,
        pseudo::{ChrNode, Dir, FileSystem},
    },
    prelude::*,
};

pub fn add<T: FileSystem, O: Operations>(
    dir: &Dir<'_, T>,
    node: ChrNode,
    context: O::Context,
) -> Result {
    dir.create_chr::<O>(c"node", node, context)
}
