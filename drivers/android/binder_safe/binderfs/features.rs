// SPDX-License-Identifier: GPL-2.0

//! The directory `features`, where programs look up what the driver can do.

use super::fs_type::Binderfs;
use kernel::{
    fs::pseudo::Dir,
    prelude::*,
    seq_file::{
        seq_print,
        SeqFile,
        SeqShow, //
    }, //
};

/// What the driver can do. There is a file for each.
const FEATURES: [&CStr; 4] = [
    c"oneway_spam_detection",
    c"extended_error",
    c"freeze_notification",
    c"transaction_report",
];

/// The text of each file: yes.
struct Feature;

#[vtable]
impl SeqShow for Feature {
    type Data = ();

    fn show(_data: &(), m: &SeqFile) -> Result {
        seq_print!(m, "1\n");
        Ok(())
    }
}

/// Makes the directory with its files.
pub(crate) fn add_features(root: &Dir<'_, Binderfs>) -> Result {
    let dir = root.mkdir(c"features", 0o755)?;
    for name in FEATURES {
        dir.create_seq_file::<Feature>(name, 0o444, ())?;
    }
    Ok(())
}
