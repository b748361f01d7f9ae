// SPDX-License-Identifier: GPL-2.0

//! Debian's `linux-source-7.3` package: found by apt, fetched so that a broken download resumes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{bail, ensure, Context, Result};

use super::release::Base;
use crate::{
    paths::Paths,
    run::{self, Progress},
};

const PACKAGE: &str = "linux-source-7.3";
/// Where the package may be, the most stable suite first.
const SUITES: &[&str] = &["trixie-backports", "forky", "sid"];
pub const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// How many files the tree has, for the progress bar.
const FILES: u64 = 102_000;

/// One package file, as the suite's signed index describes it.
#[derive(Debug, PartialEq, Eq)]
struct Package {
    url: String,
    file: String,
    size: u64,
    sha256: String,
}

impl Package {
    /// Reads a line of `apt-get --print-uris download`: `'URL' FILE SIZE SHA256:SUM`.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let url = words
            .next()?
            .strip_prefix('\'')?
            .strip_suffix('\'')?
            .to_string();
        let file = words.next()?.to_string();
        let size = words.next()?.parse().ok()?;
        let sha256 = words.next()?.strip_prefix("SHA256:")?.to_string();
        Some(Self {
            url,
            file,
            size,
            sha256,
        })
    }

    /// `7.3.4-1~bpo13+1` of `linux-source-7.3_7.3.4-1~bpo13+1_all.deb`.
    fn version(&self) -> &str {
        self.file.split('_').nth(1).unwrap_or(&self.file)
    }
}

/// The package's file: from the cache, else from `mirror`.
pub fn fetch(paths: &Paths, base: &Base, mirror: &str) -> Result<PathBuf> {
    let dir = paths.downloads();
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    if let Some(deb) = cached(&dir, base)? {
        return Ok(deb);
    }
    let package = find(paths, mirror)?;
    check_known(&package, base)?;
    download(paths, &package, &dir)
}

/// The package that the series was checked on, where an earlier run left it.
fn cached(dir: &Path, base: &Base) -> Result<Option<PathBuf>> {
    let Some((version, sha256)) = &base.debian else {
        return Ok(None);
    };
    let deb = dir.join(format!("{PACKAGE}_{version}_all.deb"));
    if !deb.exists() {
        return Ok(None);
    }
    if sum(&deb)? != *sha256 {
        fs::remove_file(&deb)?;
        eprintln!("  note: {} was damaged and is fetched again", deb.display());
        return Ok(None);
    }
    Ok(Some(deb))
}

/// Asks one suite after the other; each is read into lists of our own, not into the system's.
fn find(paths: &Paths, mirror: &str) -> Result<Package> {
    for suite in SUITES {
        if let Some(package) = find_in(paths, mirror, suite)? {
            return Ok(package);
        }
    }
    bail!("Debian has no {PACKAGE} in {}", SUITES.join(", "))
}

fn find_in(paths: &Paths, mirror: &str, suite: &str) -> Result<Option<Package>> {
    let suite = Suite::read(paths, mirror, suite, PACKAGE)?;
    let uris = run::output(suite.apt().args(["--print-uris", "download", PACKAGE]));
    Ok(uris
        .ok()
        .and_then(|text| text.lines().find_map(Package::parse)))
}

/// A suite of Debian, with its lists in a folder of ours.
pub struct Suite {
    /// Where its lists are, and in `archives` what apt downloads.
    pub dir: PathBuf,
}

impl Suite {
    /// Reads the lists of a suite, to look for `what`.
    pub fn read(paths: &Paths, mirror: &str, name: &str, what: &str) -> Result<Self> {
        let dir = paths.downloads().join("apt").join(name);
        fs::create_dir_all(dir.join("lists/partial"))?;
        fs::create_dir_all(dir.join("archives/partial"))?;
        let sources = format!("deb [signed-by={KEYRING}] {mirror} {name} main\n");
        fs::write(dir.join("sources.list"), sources)?;
        let suite = Self { dir };
        run::logged(
            &format!("Looking for {what} in {mirror} {name}"),
            None,
            &paths.log("apt-source")?,
            suite.apt().arg("update"),
        )?;
        Ok(suite)
    }

    /// An apt that knows this suite alone.
    pub fn apt(&self) -> Command {
        let mut apt = Command::new("apt-get");
        let own = |name: &str| self.dir.join(name).display().to_string();
        for (key, value) in [
            ("Dir::State::lists", own("lists")),
            ("Dir::Cache", own("")),
            ("Dir::Etc::sourcelist", own("sources.list")),
            ("Dir::Etc::sourceparts", "/dev/null".to_string()),
            ("APT::Sandbox::User", "root".to_string()),
            ("APT::Update::Error-Mode", "any".to_string()),
            ("Acquire::Languages", "none".to_string()),
            ("Acquire::Retries", "1".to_string()),
        ] {
            apt.args(["-o", &format!("{key}={value}")]);
        }
        apt
    }
}

/// The version that the series was checked on must be the very same file; another one is news.
fn check_known(package: &Package, base: &Base) -> Result<()> {
    match &base.debian {
        Some((version, sha256)) if version == package.version() => ensure!(
            *sha256 == package.sha256,
            "{} has another checksum than patches/BASE records",
            package.file
        ),
        _ => eprintln!(
            "  note: Debian has {}; the series was last checked on {}",
            package.file, base.version
        ),
    }
    Ok(())
}

/// Fetches the file; what an earlier try left as `.part` is not fetched again.
fn download(paths: &Paths, package: &Package, dir: &Path) -> Result<PathBuf> {
    let deb = dir.join(&package.file);
    let part = dir.join(format!("{}.part", package.file));
    if size(&part) > package.size {
        fs::remove_file(&part)?;
    }
    if size(&part) < package.size {
        curl(paths, package, &part)?;
    }
    if sum(&part)? != package.sha256 {
        fs::remove_file(&part)?;
        bail!("{} arrived damaged; run the command again", package.file);
    }
    fs::rename(&part, &deb)?;
    Ok(deb)
}

fn curl(paths: &Paths, package: &Package, part: &Path) -> Result<()> {
    let log = paths.log("download")?;
    let out = fs::File::create(&log)?;
    let mut curl = Command::new("curl");
    curl.args([
        "-fsSL",
        "--retry",
        "3",
        "--connect-timeout",
        "20",
        "-C",
        "-",
        "-o",
    ]);
    curl.arg(part).arg(&package.url);
    let mut child = run::spawn(curl.stdin(Stdio::null()).stderr(out))?;
    let megabytes = package.size / 1_000_000;
    let mut progress = Progress::start(
        &format!("Fetching {}, {megabytes} MB", package.file),
        Some(megabytes),
    );
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        progress.reach(size(part) / 1_000_000, "");
        thread::sleep(Duration::from_millis(200));
    };
    run::wait(&mut child)?;
    progress.finish();
    if !status.success() {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let why = run::reason(&format!("\n{text}"));
        bail!(
            "cannot fetch {} ({why}); run the command again to resume",
            package.url
        );
    }
    Ok(())
}

/// Unpacks the tree that is in the tarball that is in the package, without files in between.
pub fn unpack(paths: &Paths, deb: &Path, target: &Path) -> Result<()> {
    fs::create_dir_all(target)?;
    let script = "set -o pipefail; dpkg-deb --fsys-tarfile \"$1\" | \
                  tar xO ./usr/src/linux-source-7.3.tar.xz | \
                  tar xJv --strip-components=1 -C \"$2\"";
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash"]).arg(deb).arg(target);
    run::logged(
        "Unpacking the kernel",
        Some(FILES),
        &paths.log("unpack")?,
        &mut bash,
    )
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map(|meta| meta.len()).unwrap_or(0)
}

fn sum(path: &Path) -> Result<String> {
    let text = run::output(Command::new("sha256sum").arg("--").arg(path))?;
    Ok(text
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .trim_start_matches('\\')
        .to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> Package {
        let line = "'http://deb.debian.org/debian/pool/main/l/linux/x%7ebpo13%2b1_all.deb' \
                    linux-source-7.3_7.3.4-1~bpo13+1_all.deb 166780612 SHA256:703e36";
        Package::parse(line).unwrap()
    }

    fn base(version: &str, sha256: &str) -> Base {
        let debian = Some((version.to_string(), sha256.to_string()));
        Base {
            version: "7.3.4".to_string(),
            debian,
            tree: None,
        }
    }

    #[test]
    fn reads_what_apt_prints() {
        let package = package();
        assert_eq!(package.size, 166_780_612);
        assert_eq!(package.sha256, "703e36");
        assert_eq!(package.version(), "7.3.4-1~bpo13+1");
        assert_eq!(Package::parse("Reading package lists..."), None);
    }

    #[test]
    fn the_known_version_must_be_the_known_file() {
        assert!(check_known(&package(), &base("7.3.4-1~bpo13+1", "703e36")).is_ok());
        assert!(check_known(&package(), &base("7.3.4-1~bpo13+1", "feed")).is_err());
        assert!(check_known(&package(), &base("7.3.3-1", "feed")).is_ok());
    }

    #[test]
    fn a_damaged_download_is_thrown_away() {
        let dir = std::env::temp_dir().join(format!("xtask-deb-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let known = base("7.3.4-1", "00");
        let deb = dir.join("linux-source-7.3_7.3.4-1_all.deb");
        fs::write(&deb, "damaged").unwrap();
        assert_eq!(cached(&dir, &known).unwrap(), None);
        assert!(!deb.exists());
        fs::remove_dir_all(&dir).unwrap();
    }
}
