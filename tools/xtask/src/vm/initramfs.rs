// SPDX-License-Identifier: GPL-2.0

//! Packs our init, the programs and their list into what the kernel boots from.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use flate2::{write::GzEncoder, Compression};

use super::{cpio::Cpio, Program};

/// Where the kernel or our init puts things; more are made for the files that need them.
const DIRECTORIES: [&str; 8] = [
    "/bin", "/dev", "/proc", "/root", "/run", "/sys", "/tmp", "/tests",
];

/// One line of `/programs`; the init's `list.rs` says what is where.
fn line(program: &Program) -> String {
    let env: Vec<String> = program
        .env
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let limit = program
        .limit
        .as_secs()
        .max(u64::from(!program.limit.is_zero()));
    let console = if program.console { "console" } else { "-" };
    let argv = program.argv.join("\t");
    format!(
        "{}\t{limit}\t{console}\t{}\t{argv}\n",
        program.name,
        env.join(" ")
    )
}

/// The folders to make, parents first.
fn directories(files: &[(String, PathBuf)]) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = DIRECTORIES.iter().map(|dir| dir.to_string()).collect();
    for (path, _) in files {
        let parents = Path::new(path)
            .ancestors()
            .skip(1)
            .filter(|dir| dir.parent().is_some());
        all.extend(parents.map(|dir| dir.display().to_string()));
    }
    all
}

/// Writes the archive to `to`.
pub fn write(to: &Path, files: &[(String, PathBuf)], programs: &[Program]) -> Result<()> {
    let out = File::create(to).with_context(|| format!("cannot write {}", to.display()))?;
    let mut cpio = Cpio::new(GzEncoder::new(BufWriter::new(out), Compression::fast()));
    for dir in directories(files) {
        cpio.directory(&dir)?;
    }
    cpio.device("/dev/console", 5, 1)?;
    for (path, source) in files {
        let data = fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
        cpio.program(path, &data)?;
    }
    let list: String = programs.iter().map(line).collect();
    cpio.program("/programs", list.as_bytes())?;
    cpio.finish()?
        .finish()?
        .into_inner()
        .map_err(|err| err.into_error())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_of_the_list() {
        let mut program = Program::new("echo", &["/bin/echo", "x y"], Duration::from_millis(10));
        program.env.push(("A".into(), "1".into()));
        assert_eq!(line(&program), "echo\t1\t-\tA=1\t/bin/echo\tx y\n");
    }

    #[test]
    fn parents_come_first() {
        let dirs: Vec<String> = directories(&[("/tests/deep/one".into(), PathBuf::new())])
            .into_iter()
            .collect();
        let at = |dir: &str| dirs.iter().position(|other| other == dir).unwrap();
        assert!(at("/tests") < at("/tests/deep"));
        assert!(!dirs.contains(&"/".to_string()));
    }
}
