// SPDX-License-Identifier: GPL-2.0

//! The mainline form of a tree: without the two patches by which Debian makes Binder a module.
//!
//! A tree that never had them passes unchanged; any third form is an error.

use std::{fs, path::Path};

use anyhow::{bail, Context, Result};

/// What Debian exports for its Binder module and mainline does not.
const EXPORTS: &[(&str, &[&str])] = &[
    ("fs/file.c", &["file_close_fd"]),
    ("ipc/msgutil.c", &["init_ipc_ns"]),
    ("ipc/namespace.c", &["put_ipc_ns"]),
    ("kernel/sched/syscalls.c", &["can_nice"]),
    ("kernel/sched/wait.c", &["__wake_up_pollfree"]),
    ("kernel/task_work.c", &["task_work_add"]),
    ("mm/list_lru.c", &["list_lru_del"]),
    ("mm/memory.c", &["zap_vma_range"]),
    ("mm/mmap_lock.c", &["lock_vma_under_rcu"]),
    (
        "security/security.c",
        &[
            "security_binder_set_context_mgr",
            "security_binder_transaction",
            "security_binder_transfer_binder",
            "security_binder_transfer_file",
        ],
    ),
];

/// What stands in Debian's tree, and what stands in its place in mainline.
const REPLACED: &[(&str, &str, &str)] = &[
    (
        "drivers/android/Kconfig",
        "config ANDROID_BINDER_IPC\n\ttristate \"Android Binder IPC Driver\"\n",
        "config ANDROID_BINDER_IPC\n\tbool \"Android Binder IPC Driver\"\n",
    ),
    (
        "drivers/android/Makefile",
        "obj-$(CONFIG_ANDROID_BINDER_IPC)\t+= binder_linux.o\n\
         binder_linux-y := binder.o binder_alloc.o binder_netlink.o\n\
         binder_linux-$(CONFIG_ANDROID_BINDERFS)\t+= binderfs.o\n\
         binder_linux-$(CONFIG_ANDROID_BINDER_ALLOC_KUNIT_TEST)\t+= tests/\n",
        "obj-$(CONFIG_ANDROID_BINDERFS)\t\t+= binderfs.o\n\
         obj-$(CONFIG_ANDROID_BINDER_IPC)\t+= binder.o binder_alloc.o binder_netlink.o\n\
         obj-$(CONFIG_ANDROID_BINDER_ALLOC_KUNIT_TEST)\t+= tests/\n",
    ),
    (
        "drivers/android/binder_alloc.c",
        "module_param_named(alloc_debug_mask, binder_alloc_debug_mask,\n",
        "module_param_named(debug_mask, binder_alloc_debug_mask,\n",
    ),
    (
        "drivers/android/binder.c",
        "#include \"binder_trace.h\"\n\nMODULE_LICENSE(\"GPL v2\");\n\
         MODULE_DESCRIPTION(\"Android Binder IPC Driver\");\n",
        "#include \"binder_trace.h\"\n",
    ),
];

/// Brings the tree at `root` into its mainline form; says how many places changed.
pub fn restore(root: &Path) -> Result<usize> {
    let mut changed = 0;
    for (file, symbols) in EXPORTS {
        changed += edit(root, file, |text| without_exports(text, symbols))?;
    }
    for (file, debian, mainline) in REPLACED {
        changed += edit(root, file, |text| replaced(text, debian, mainline))?;
    }
    Ok(changed)
}

/// Rewrites one file, if `change` changes it.
fn edit(root: &Path, file: &str, change: impl Fn(&str) -> Result<String>) -> Result<usize> {
    let path = root.join(file);
    let old = fs::read_to_string(&path).with_context(|| unexpected(file))?;
    let new = change(&old).with_context(|| unexpected(file))?;
    if new == old {
        return Ok(0);
    }
    fs::write(&path, new).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(1)
}

fn unexpected(file: &str) -> String {
    format!("{file} is neither as in mainline nor as in Debian")
}

/// Removes the export line of each symbol.
fn without_exports(text: &str, symbols: &[&str]) -> Result<String> {
    let mut text = text.to_string();
    for symbol in symbols {
        if !text.contains(symbol) {
            bail!("it does not mention {symbol}");
        }
        let line = format!("\nEXPORT_SYMBOL_GPL({symbol});\n");
        if text.matches(&line).count() > 1 {
            bail!("it exports {symbol} twice");
        }
        text = text.replacen(&line, "\n", 1);
    }
    Ok(text)
}

/// Puts mainline's text in the place of Debian's; exactly one of the two must be there.
fn replaced(text: &str, debian: &str, mainline: &str) -> Result<String> {
    match text.matches(debian).count() {
        1 => Ok(text.replacen(debian, mainline, 1)),
        0 if text.contains(mainline) => Ok(text.to_string()),
        n => bail!("expected text was found {n} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_exports_and_nothing_else() {
        let text = "int a(void)\n{\n}\nEXPORT_SYMBOL_GPL(a);\nEXPORT_SYMBOL_GPL(ab);\n";
        let want = "int a(void)\n{\n}\nEXPORT_SYMBOL_GPL(ab);\n";
        assert_eq!(without_exports(text, &["a"]).unwrap(), want);
        assert_eq!(without_exports(want, &["a"]).unwrap(), want);
    }

    #[test]
    fn a_symbol_that_is_not_there_is_an_error() {
        assert!(without_exports("int b;\n", &["file_close_fd"]).is_err());
        let twice = "x\nEXPORT_SYMBOL_GPL(x);\n\nEXPORT_SYMBOL_GPL(x);\n";
        assert!(without_exports(twice, &["x"]).is_err());
    }

    #[test]
    fn both_known_forms_pass_and_a_third_does_not() {
        for (file, debian, mainline) in REPLACED {
            let tree = |middle: &str| format!("begin\n{middle}end\n");
            assert_eq!(
                replaced(&tree(debian), debian, mainline).unwrap(),
                tree(mainline)
            );
            assert_eq!(
                replaced(&tree(mainline), debian, mainline).unwrap(),
                tree(mainline)
            );
            assert!(
                replaced("begin\nend\n", debian, mainline).is_err(),
                "{file}"
            );
        }
    }

    #[test]
    fn a_third_form_names_the_file() {
        let root = std::env::temp_dir().join(format!("xtask-mainline-{}", std::process::id()));
        fs::create_dir_all(root.join("fs")).unwrap();
        fs::write(root.join("fs/file.c"), "int x;\n").unwrap();
        let error = format!("{:#}", restore(&root).unwrap_err());
        fs::remove_dir_all(&root).unwrap();
        assert!(error.starts_with("fs/file.c is neither as in mainline nor as in Debian: it does"));
    }
}
