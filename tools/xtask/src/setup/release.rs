// SPDX-License-Identifier: GPL-2.0

//! Which kernel release a tree is, and which one the series was checked on.

use std::{fmt, fs, path::Path};

use anyhow::{bail, Context, Result};

/// What the series is for: major version and patch level.
const SERIES: (u32, u32) = (7, 3);

/// The head of a kernel tree's top Makefile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    pub version: u32,
    pub patchlevel: u32,
    pub sublevel: u32,
    pub extra: String,
}

impl Release {
    /// Reads the release of the tree at `root`.
    pub fn of_tree(root: &Path) -> Result<Self> {
        let makefile = root.join("Makefile");
        let text = fs::read_to_string(&makefile)
            .with_context(|| format!("no kernel tree at {}", root.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no kernel Makefile", makefile.display()))
    }

    fn parse(makefile: &str) -> Option<Self> {
        let value = |name: &str| {
            makefile.lines().take(10).find_map(|line| {
                line.strip_prefix(name)?
                    .trim_start()
                    .strip_prefix('=')
                    .map(str::trim)
            })
        };
        Some(Self {
            version: value("VERSION")?.parse().ok()?,
            patchlevel: value("PATCHLEVEL")?.parse().ok()?,
            sublevel: value("SUBLEVEL")?.parse().ok()?,
            extra: value("EXTRAVERSION").unwrap_or_default().to_string(),
        })
    }

    /// Fails unless this is a release that the series is for.
    pub fn check(&self) -> Result<()> {
        if (self.version, self.patchlevel) != SERIES {
            let (version, patchlevel) = SERIES;
            bail!("this is Linux {self}; the series needs Linux {version}.{patchlevel}.y");
        }
        Ok(())
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.patchlevel)?;
        if self.sublevel > 0 {
            write!(f, ".{}", self.sublevel)?;
        }
        write!(f, "{}", self.extra)
    }
}

/// `patches/BASE`: what the series was last checked on, one `key value` a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The release, say 7.3.4.
    pub version: String,
    /// The version of Debian's `linux-source-7.3`, and the checksum of that package.
    pub debian: Option<(String, String)>,
    /// The git tree of its mainline form.
    pub tree: Option<String>,
}

impl Base {
    /// Reads `patches/BASE` of the checkout at `root`.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join("patches/BASE");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let value = |key: &str| {
            text.lines().find_map(|line| {
                let (name, value) = line.split_once(' ')?;
                (name == key).then(|| value.trim().to_string())
            })
        };
        Ok(Self {
            version: value("version").context("there is no line `version …`")?,
            debian: value("debian-version").zip(value("debian-source-sha256")),
            tree: value("mainline-tree"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# SPDX-License-Identifier: GPL-2.0\nVERSION = 7\nPATCHLEVEL = 3\n\
                        SUBLEVEL = 4\nEXTRAVERSION =\nNAME = Baby Opossum Posse\n";

    #[test]
    fn reads_a_makefile() {
        let release = Release::parse(HEAD).unwrap();
        assert_eq!(release.to_string(), "7.3.4");
        assert!(release.check().is_ok());
        let rc = HEAD
            .replace("SUBLEVEL = 4", "SUBLEVEL = 0")
            .replace("ON =\n", "ON = -rc2\n");
        assert_eq!(Release::parse(&rc).unwrap().to_string(), "7.3-rc2");
    }

    #[test]
    fn refuses_another_kernel() {
        let other = HEAD
            .replace("VERSION = 7", "VERSION = 6")
            .replace("LEVEL = 3", "LEVEL = 12");
        let error = Release::parse(&other)
            .unwrap()
            .check()
            .unwrap_err()
            .to_string();
        assert_eq!(error, "this is Linux 6.12.4; the series needs Linux 7.3.y");
    }

    #[test]
    fn refuses_what_is_no_kernel() {
        let error = Release::of_tree(Path::new("/nowhere"))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "no kernel tree at /nowhere");
        assert_eq!(Release::parse("all:\n"), None);
    }

    #[test]
    fn reads_base() {
        let base = Base::parse("version 7.3.4\ndebian-version 7.3.4-1\ndebian-source-sha256 ab\n");
        let base = base.unwrap();
        assert_eq!(base.version, "7.3.4");
        assert_eq!(base.debian, Some(("7.3.4-1".into(), "ab".into())));
        assert_eq!(base.tree, None);
        assert!(Base::parse("tree x\n").is_err());
    }
}
