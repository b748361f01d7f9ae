// SPDX-License-Identifier: GPL-2.0

//! Which kernel a command boots.

use std::{path::PathBuf, time::Duration};

use anyhow::{bail, Result};

use super::{Accel, Vm};
use crate::{kernel, paths::Paths, Config, Driver};

/// KASAN and lockdep make a slow start, the more so in emulation on a busy host.
const DEBUG_BOOT: Duration = Duration::from_secs(600);

/// MiB; KASAN keeps an eighth for itself and much of what was freed.
const DEBUG_MEMORY: u32 = 2048;

/// The options that every command with a VM has.
#[derive(Clone, Debug, clap::Args)]
pub struct Choice {
    /// The driver in the kernel.
    #[arg(long, value_enum, default_value = "safe")]
    pub driver: Driver,
    /// How the kernel is configured.
    #[arg(long, value_enum, default_value = "release")]
    pub config: Config,
    /// The driver is a module, as it is in the debug kernel anyway.
    #[arg(long)]
    pub module: bool,
    /// A kernel image to boot as it is, instead of one that is built for this.
    #[arg(long, hide = true)]
    pub image: Option<PathBuf>,
    /// What executes the VM's instructions.
    #[arg(long, value_enum, default_value = "auto")]
    pub accel: Accel,
}

impl Choice {
    /// The kernel for this combination, and whatever runs it best.
    pub fn of(driver: Driver, config: Config) -> Self {
        Self {
            driver,
            config,
            module: false,
            image: None,
            accel: Accel::Auto,
        }
    }

    /// The VM for `what`, with the kernel built if need be; it runs nothing yet.
    pub fn vm(&self, paths: &Paths, what: &str) -> Result<Vm> {
        let mut vm = Vm::new(&format!("{what}-{}", self.name()), self.image(paths)?);
        vm.accel = self.accel;
        if self.image.is_none() {
            vm.files = kernel::modules::files(paths, &self.kernel())?;
        }
        if self.config == Config::Debug {
            vm.boot_limit = DEBUG_BOOT;
            vm.memory = DEBUG_MEMORY;
            vm.leak_check = true;
        }
        Ok(vm)
    }

    fn image(&self, paths: &Paths) -> Result<PathBuf> {
        match &self.image {
            Some(image) if image.is_file() => Ok(image.clone()),
            Some(image) => bail!("there is no kernel image {}", image.display()),
            None => kernel::image::ensure(paths, &self.kernel()),
        }
    }

    /// The same kernel with its symbols, built if need be.
    pub fn vmlinux(&self, paths: &Paths) -> Result<PathBuf> {
        kernel::image::vmlinux(paths, &self.kernel())
    }

    fn kernel(&self) -> kernel::Args {
        kernel::Args {
            module: self.module,
            ..kernel::Args::of(self.driver, self.config)
        }
    }

    /// The name of the combination, in logs.
    pub fn name(&self) -> String {
        self.kernel().name()
    }
}
