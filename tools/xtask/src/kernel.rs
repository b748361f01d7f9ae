// SPDX-License-Identifier: GPL-2.0

//! Builds kernels, each driver and configuration in its own folder of the cache.

use std::{fs, io, path::PathBuf, process::Command, thread};

use anyhow::{bail, Context, Result};
use clap::ValueEnum;

use crate::{
    paths::Paths,
    report::Tally,
    run,
    series::checks::Checks,
    setup::{self, space, toolchain::Toolchain},
    Config, Driver,
};

mod arch;
mod config;
pub mod image;
mod lock;
pub mod matrix;
pub mod modules;
mod tree;

pub use arch::Arch;

/// How many lines make prints for a kernel from scratch, for the progress bar.
const LINES: u64 = 1600;

/// Which kernel: `xtask kernel --driver c --config debug`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Args {
    /// The driver in the kernel.
    #[arg(long, value_enum, default_value = "safe")]
    pub driver: Driver,
    /// How the kernel is configured.
    #[arg(long, value_enum, default_value = "release")]
    pub config: Config,
    /// Build the driver as a module instead of into the kernel. The debug kernel has it so anyway.
    #[arg(long)]
    pub module: bool,
    /// The machine that the kernel is for; for arm64, the Rust code alone is compiled.
    #[arg(long, value_enum, default_value = "x86_64")]
    pub arch: Arch,
}

impl Args {
    /// An ordinary kernel.
    pub fn of(driver: Driver, config: Config) -> Self {
        Self {
            driver,
            config,
            module: false,
            arch: Arch::X86_64,
        }
    }

    /// Whether the driver is a module. Both forms are tested without a kernel more: the release
    /// kernel has it built in, the debug kernel loads it.
    fn as_module(&self) -> bool {
        self.module || (self.driver == Driver::Safe && self.config == Config::Debug)
    }

    /// The build folder.
    pub fn dir(&self, paths: &Paths) -> PathBuf {
        paths.build(&self.name())
    }

    /// The name of the build folder.
    pub fn name(&self) -> String {
        let mut name = format!("{}-{}", word(self.driver), word(self.config));
        if self.module && self.config != Config::Debug {
            name += "-module";
        }
        if self.arch != Arch::X86_64 {
            name += &format!("-{}", self.arch.name());
        }
        name
    }
}

/// What a value is called on the command line.
fn word(value: impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map_or(String::new(), |value| value.get_name().to_string())
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let image = build(paths, &args)?;
    println!("{}", image.display());
    Ok(())
}

/// Builds the kernel if anything that it is made from has changed; gives its image.
pub fn build(paths: &Paths, args: &Args) -> Result<PathBuf> {
    if args.module && args.driver != Driver::Safe {
        bail!("only the safe driver can be built as a module (--driver safe)");
    }
    if args.arch != Arch::X86_64 && args.as_module() {
        bail!("there are no modules for a machine that nothing is booted on (--arch arm64)");
    }
    let tools = setup::ensure(paths)?;
    let _lock = lock::take(&paths.cache)?;
    let (job, fragment) = Job::new(paths, args, tools)?;
    job.ensure(paths, args, &fragment)?;
    Ok(job.image())
}

/// Whether this kernel is there and made from what there is now.
pub fn is_built(paths: &Paths, args: &Args) -> Result<bool> {
    let tools = setup::ensure(paths)?;
    let _lock = lock::take(&paths.cache)?;
    let (job, fragment) = Job::new(paths, args, tools)?;
    Ok(job.is_current(&job.inputs(&fragment)))
}

/// The tree with the series, for what is made from it besides kernels.
pub fn source(paths: &Paths) -> Result<PathBuf> {
    let _lock = lock::take(&paths.cache)?;
    Ok(tree::with_series(paths)?.path)
}

/// Whether the kernel crate compiles for arm64 without a warning, with the driver, and with the one
/// that patches/extra make use it, for `xtask test`.
pub fn arm64(paths: &Paths) -> Result<Tally> {
    let mut checks = Checks::default();
    for driver in [Driver::Safe, Driver::RustExtra] {
        let args = Args {
            arch: Arch::Arm64,
            ..Args::of(driver, Config::Release)
        };
        let what = format!("{} compiles", args.name());
        checks.item(&what, build(paths, &args).map(|_| ()));
    }
    Ok(checks.tally)
}

/// Whether a kernel takes the fragment for Android, on top of its own default for PCs. Nothing is
/// built.
pub fn android(paths: &Paths) -> Result<Tally> {
    let tools = setup::ensure(paths)?;
    let _lock = lock::take(&paths.cache)?;
    let file = paths.root.join("tools/configs/android.config");
    let fragment =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let job = Job {
        source: tree::with_series(paths)?,
        tools,
        dir: paths.build("android-config"),
        name: "android-config".to_string(),
        arch: Arch::X86_64,
        strict: false,
    };
    fs::create_dir_all(&job.dir).with_context(|| format!("cannot create {}", job.dir.display()))?;
    config::complete(&job, paths, "x86_64_defconfig", &fragment)?;
    Ok(Tally::one(true))
}

/// One kernel to build.
struct Job {
    source: tree::Source,
    tools: Toolchain,
    dir: PathBuf,
    name: String,
    arch: Arch,
    /// Let clippy look at the Rust code, and let no warning pass.
    strict: bool,
}

/// Where a build folder says what it was made from.
const STAMP: &str = ".built-from";

/// What make gets for a strict build.
const STRICT: [&str; 3] = ["W=1", "CLIPPY=1", "KRUSTFLAGS=-Dwarnings"];

impl Job {
    /// The build of one kernel, and its configuration.
    fn new(paths: &Paths, args: &Args, tools: Toolchain) -> Result<(Self, String)> {
        let source = match args.driver {
            Driver::Safe => tree::with_series(paths)?,
            Driver::RustExtra => tree::with_extra(paths)?,
            Driver::C | Driver::Rust => tree::base(paths)?,
        };
        let job = Self {
            source,
            tools,
            dir: args.dir(paths),
            name: args.name(),
            arch: args.arch,
            strict: args.config == Config::RustUsers,
        };
        Ok((job, config::fragment(&paths.root, args)?))
    }

    /// Whether what there is was made from `wanted`.
    fn is_current(&self, wanted: &str) -> bool {
        let stamp = self.dir.join(STAMP);
        fs::read_to_string(stamp).is_ok_and(|had| had == wanted) && self.image().exists()
    }

    fn ensure(&self, paths: &Paths, args: &Args, fragment: &str) -> Result<()> {
        let wanted = self.inputs(fragment);
        if self.is_current(&wanted) {
            return Ok(());
        }
        let fresh = !self.image().exists();
        if fresh {
            space::need(&paths.cache, space::BUILD, "a kernel build")?;
        }
        fs::create_dir_all(&self.dir)
            .with_context(|| format!("cannot create {}", self.dir.display()))?;
        config::check_tools(&self.dir, &self.tools.banners)?;
        config::configure(self, paths, fragment)?;
        self.begin()?;
        let mut make = self.make();
        make.args(self.arch.targets())
            .args(args.as_module().then_some("modules"))
            .args(self.strict.then_some(STRICT).into_iter().flatten());
        let title = format!("Building {}", self.name);
        let log = paths.log(&format!("build-{}", self.name))?;
        run::logged(&title, fresh.then_some(LINES), &log, &mut make)?;
        if args.as_module() {
            modules::install(self, paths)?;
        }
        let stamp = self.dir.join(STAMP);
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
    }

    /// Takes away what a build that was killed may have left half done. Kbuild links `vmlinux.o`,
    /// notes that it is made, and only then lets objtool change it.
    fn begin(&self) -> Result<()> {
        let stamp = self.dir.join(STAMP);
        let doubtful = if stamp.exists() {
            stamp
        } else {
            self.dir.join("vmlinux.o")
        };
        match fs::remove_file(&doubtful) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", doubtful.display()))
            }
            _ => Ok(()),
        }
    }

    /// All that the image depends on, as text.
    fn inputs(&self, fragment: &str) -> String {
        let tools = &self.tools.banners;
        format!(
            "{}\n{}\n{}\n{}\n{fragment}",
            self.source.commit, tools.clang, tools.rustc, tools.bindgen
        )
    }

    /// The kernel's make, for this folder and tool chain.
    fn make(&self) -> Command {
        let jobs = thread::available_parallelism().map_or(2, usize::from) + 1;
        let mut make = Command::new("make");
        make.arg("-C").arg(&self.source.path);
        make.arg(format!("O={}", self.dir.display()))
            .arg(format!("-j{jobs}"));
        // For its own machine make has another default configuration than for the same one by name.
        if self.arch != Arch::X86_64 {
            make.arg(format!("ARCH={}", self.arch.name()));
        }
        // A version that names the commit would make every edit rebuild what prints it.
        make.arg("LOCALVERSION=");
        self.tools.apply(&mut make);
        // What `make kernel` was called with is not for the kernel's own make.
        for name in [
            "MAKEFLAGS",
            "MFLAGS",
            "MAKELEVEL",
            "MAKEOVERRIDES",
            "ARCH",
            "CONFIG",
            "DRIVER",
            "KDIR",
        ] {
            make.env_remove(name);
        }
        make
    }

    fn image(&self) -> PathBuf {
        self.dir.join(self.arch.product())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kernel_has_its_own_folder() {
        let mut args = Args::of(Driver::Safe, Config::Debug);
        assert_eq!(args.name(), "safe-debug");
        assert!(args.as_module());
        args.module = true;
        assert_eq!(args.name(), "safe-debug");
        args.config = Config::Release;
        assert_eq!(args.name(), "safe-release-module");
        let mut args = Args::of(Driver::C, Config::RustUsers);
        args.arch = Arch::Arm64;
        assert_eq!(args.name(), "c-rust-users-arm64");
    }
}
