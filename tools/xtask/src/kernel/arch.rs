// SPDX-License-Identifier: GPL-2.0

//! The machines that kernels are built for.

use clap::ValueEnum;

/// A machine, by the name that the kernel's make has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arch {
    #[value(name = "x86_64", alias = "x86")]
    X86_64,
    /// Cross-built, as the compilers of the LLVM set know this machine as well. Nothing is booted,
    /// so what the series touches is enough: the kernel crate, its helpers, and the driver.
    Arm64,
    /// For `xtask configs` alone.
    #[value(skip)]
    Riscv,
    /// Likewise; 32 bits.
    #[value(skip)]
    Arm,
}

impl Arch {
    /// What make is to build.
    pub fn targets(self) -> &'static [&'static str] {
        match self {
            Self::X86_64 => &["bzImage"],
            Self::Arm64 | Self::Riscv | Self::Arm => {
                &["KRUSTFLAGS=-Dwarnings", "rust/", "drivers/android/"]
            }
        }
    }

    /// What is there in the build folder when it is built.
    pub fn product(self) -> &'static str {
        match self {
            Self::X86_64 => "arch/x86/boot/bzImage",
            Self::Arm64 | Self::Riscv | Self::Arm => "drivers/android/built-in.a",
        }
    }

    /// Its name for the kernel's make, and that of the fragment of the configuration that only this
    /// machine has.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
            Self::Riscv => "riscv",
            Self::Arm => "arm",
        }
    }

    /// The machine of that name.
    pub fn of(name: &str) -> Option<Self> {
        [Self::X86_64, Self::Arm64, Self::Riscv, Self::Arm]
            .into_iter()
            .find(|arch| arch.name() == name)
    }
}
