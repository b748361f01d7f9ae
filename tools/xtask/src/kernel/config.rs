// SPDX-License-Identifier: GPL-2.0

//! Kernel configurations: the smallest that the kernel has, plus the fragments in `tools/configs`.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{bail, Context, Result};

use super::{Args, Job};
use crate::{paths::Paths, run, setup::toolchain::Banners, Config, Driver};

/// Where the series adds KUnit suites to the kernel's menus.
const SUITES: [&str; 2] = ["Kconfig", "rust/kernel/Kconfig.test.edit"];

/// What the kernel's configuration asks for, all fragments in one text; later lines win.
pub fn fragment(root: &Path, args: &Args) -> Result<String> {
    let driver = match args.driver {
        Driver::Safe => "driver-safe",
        Driver::C => "driver-c",
        Driver::Rust | Driver::RustExtra => "driver-rust",
    };
    let mut names = vec!["base", args.arch.name(), driver];
    match args.config {
        Config::Release => {}
        Config::Debug => names.push("debug"),
        Config::Hardened => names.push("hardened"),
        Config::RustUsers => names.push("rust-users"),
    }
    if args.config != Config::Release && args.driver == Driver::Safe {
        names.push("kunit");
    }
    let mut all = parts(root, &names)?;
    if names.contains(&"kunit") {
        for file in SUITES {
            all += &suites(&fs::read_to_string(root.join(file)).unwrap_or_default());
        }
    }
    if args.as_module() {
        all += "CONFIG_ANDROID_BINDER_SAFE=m\n";
    }
    Ok(all)
}

/// These files of `tools/configs`, in one text.
pub fn parts(root: &Path, names: &[&str]) -> Result<String> {
    names
        .iter()
        .map(|name| {
            let path = root.join(format!("tools/configs/{name}.config"));
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        })
        .collect()
}

/// Switches on every suite that a menu, or a stanza that edits a menu, offers.
fn suites(menu: &str) -> String {
    menu.lines()
        .filter_map(|line| {
            line.trim_start_matches("add ")
                .trim_start()
                .strip_prefix("config ")
        })
        .filter(|symbol| symbol.ends_with("_KUNIT_TEST"))
        .map(|symbol| format!("CONFIG_{symbol}=y\n"))
        .collect()
}

/// Writes the folder's `.config`, unless it was made from the same fragments and menus.
pub fn configure(job: &Job, paths: &Paths, fragment: &str) -> Result<()> {
    let file = job.dir.join(".config");
    let stamp = job.dir.join(".configured-from");
    let wanted = format!("{fragment}\n{}", job.source.menus()?);
    if file.exists() && fs::read_to_string(&stamp).is_ok_and(|had| had == wanted) {
        return Ok(());
    }
    complete(job, paths, "tinyconfig", fragment)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Makes a `.config` from one of the kernel's own and a fragment; fails if a line of the fragment
/// does not hold in the end.
pub fn complete(job: &Job, paths: &Paths, start: &str, fragment: &str) -> Result<()> {
    self::start(job, paths, start, fragment)?;
    check(fragment, &read(job)?)
}

/// Makes a `.config` from one of the kernel's own and a fragment, as far as it can be had.
pub fn start(job: &Job, paths: &Paths, start: &str, fragment: &str) -> Result<()> {
    let file = job.dir.join(".config");
    let log = paths.log(&format!("config-{}", job.name))?;
    let title = format!("Configuring {}", job.name);
    run::logged(&title, None, &log, job.make().arg(start))?;
    let started = fs::read_to_string(&file).with_context(|| format!("{start} wrote no .config"))?;
    fs::write(&file, started + fragment)?;
    run::logged(
        "Completing the configuration",
        None,
        &log,
        job.make().arg("olddefconfig"),
    )
}

/// The folder's `.config`.
pub fn read(job: &Job) -> Result<String> {
    let file = job.dir.join(".config");
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// Fails if the folder was configured with other compilers: its objects would not fit together.
pub fn check_tools(dir: &Path, now: &Banners) -> Result<()> {
    let Ok(config) = fs::read_to_string(dir.join(".config")) else {
        return Ok(());
    };
    match foreign_tool(&config, now) {
        Some(difference) => bail!(
            "{} is from another tool chain ({difference}); remove it or run `make clean`",
            dir.display()
        ),
        None => Ok(()),
    }
}

/// How the compilers recorded in a `.config` differ from these, if they do.
fn foreign_tool(config: &str, now: &Banners) -> Option<String> {
    let symbols = symbols(config);
    [
        ("CONFIG_CC_VERSION_TEXT", &now.clang),
        ("CONFIG_RUSTC_VERSION_TEXT", &now.rustc),
        ("CONFIG_BINDGEN_VERSION_TEXT", &now.bindgen),
    ]
    .iter()
    .find_map(|(symbol, now)| {
        let had = symbols.get(symbol)?.trim_matches('"');
        (had != now.as_str()).then(|| format!("`{had}`, now `{now}`"))
    })
}

/// Fails if a symbol does not hold what a fragment says: it is gone, or something it needs is off.
pub fn check(fragment: &str, config: &str) -> Result<()> {
    let got = symbols(config);
    let wrong: Vec<_> = symbols(fragment)
        .into_iter()
        .map(|(symbol, want)| (symbol, want, got.get(symbol).copied().unwrap_or("n")))
        .filter(|(_, want, got)| want != got)
        .map(|(symbol, want, got)| format!("{symbol} should be {want} and is {got}"))
        .collect();
    if !wrong.is_empty() {
        bail!(
            "the kernel did not take the configuration: {}",
            wrong.join(", ")
        );
    }
    Ok(())
}

/// The `CONFIG_X=value` lines of a configuration; a later line wins.
fn symbols(config: &str) -> BTreeMap<&str, &str> {
    config
        .lines()
        .filter(|line| line.starts_with("CONFIG_"))
        .filter_map(|line| line.split_once('='))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Arch;

    const CONFIG: &str = "CONFIG_CC_VERSION_TEXT=\"clang version 22.1.8\"\n\
                          CONFIG_RUSTC_VERSION_TEXT=\"rustc 1.96.0 (x)\"\n\
                          CONFIG_BINDGEN_VERSION_TEXT=\"bindgen 0.72.1\"\n\
                          CONFIG_NET=y\n# CONFIG_AIO is not set\nCONFIG_NR_CPUS=8\n";

    fn banners() -> Banners {
        Banners {
            clang: "clang version 22.1.8".to_string(),
            rustc: "rustc 1.96.0 (x)".to_string(),
            bindgen: "bindgen 0.72.1".to_string(),
        }
    }

    #[test]
    fn a_taken_configuration_passes() {
        assert!(check("CONFIG_NET=y\nCONFIG_AIO=n\nCONFIG_NR_CPUS=8\n", CONFIG).is_ok());
        assert!(check("CONFIG_NR_CPUS=2\n# why\nCONFIG_NR_CPUS=8\n", CONFIG).is_ok());
    }

    #[test]
    fn a_symbol_that_was_not_taken_is_named() {
        let error = check("CONFIG_NET=n\nCONFIG_GONE=y\n", CONFIG)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("CONFIG_GONE should be y and is n"),
            "{error}"
        );
        assert!(error.contains("CONFIG_NET should be n and is y"), "{error}");
    }

    #[test]
    fn a_folder_of_another_tool_chain_is_refused() {
        assert_eq!(foreign_tool(CONFIG, &banners()), None);
        assert_eq!(foreign_tool("", &banners()), None);
        let other = Banners {
            clang: "clang version 21.1.0".to_string(),
            ..banners()
        };
        let dir = std::env::temp_dir().join(format!("xtask-config-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(".config"), CONFIG).unwrap();
        let error = check_tools(&dir, &other).unwrap_err().to_string();
        let same = check_tools(&dir, &banners());
        fs::remove_dir_all(&dir).unwrap();
        assert!(error.contains("is from another tool chain (`clang version 22.1.8`, now"));
        assert!(same.is_ok());
    }

    #[test]
    fn finds_the_suites_of_the_series() {
        let edit = "patch   x\nbefore  endif\nadd     config RUST_A_KUNIT_TEST\nadd     \tbool\n";
        assert_eq!(suites(edit), "CONFIG_RUST_A_KUNIT_TEST=y\n");
        let menu = "config ANDROID_B\n\tbool\n\nconfig ANDROID_B_KUNIT_TEST\n\tbool\n";
        assert_eq!(suites(menu), "CONFIG_ANDROID_B_KUNIT_TEST=y\n");
    }

    #[test]
    fn every_kernel_has_its_fragments() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let text = |args: &Args| fragment(&root, args).unwrap();
        let c = text(&Args::of(Driver::C, Config::Release));
        assert!(c.contains("CONFIG_ANDROID_BINDER_IPC=y\n"));
        let rust = text(&Args::of(Driver::Rust, Config::Debug));
        assert!(rust.contains("CONFIG_KASAN=y\n"));
        let mut module = Args::of(Driver::Safe, Config::Release);
        module.module = true;
        for module in [module, Args::of(Driver::Safe, Config::Debug)] {
            let module = text(&module);
            assert_eq!(symbols(&module)["CONFIG_ANDROID_BINDER_SAFE"], "m");
        }
        let mut users = Args::of(Driver::Safe, Config::RustUsers);
        users.arch = Arch::Arm64;
        let users = text(&users);
        assert_eq!(symbols(&users)["CONFIG_ANDROID_BINDER_SAFE"], "y");
        assert_eq!(symbols(&users)["CONFIG_NOVA_CORE"], "y");
        assert!(!users.contains("X86"));
    }
}
