// SPDX-License-Identifier: GPL-2.0

//! Compiles once more what the kernel's make has compiled, in the same way but for one thing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{interrupt, kernel, paths::Paths};

/// A kernel that was built, and a folder for what is compiled.
pub struct Build {
    dir: PathBuf,
    source: PathBuf,
    env: BTreeMap<String, String>,
    out: interrupt::Scratch,
}

/// What a compiler said.
pub struct Verdict {
    pub success: bool,
    pub said: String,
}

impl Verdict {
    /// The first line that starts with `word`.
    pub fn first(&self, word: &str) -> Option<&str> {
        self.said.lines().find(|line| line.starts_with(word))
    }
}

impl Build {
    /// The kernel of `args`, which is built if need be.
    pub fn of(paths: &Paths, args: &kernel::Args) -> Result<Self> {
        kernel::build(paths, args)?;
        let dir = args.dir(paths);
        let name = format!("replay-{}", std::process::id());
        let out = interrupt::Scratch::new(dir.join(name));
        fs::create_dir_all(out.path()).context("cannot make a scratch folder")?;
        let conf = dir.join("include/config/auto.conf");
        let conf =
            fs::read_to_string(&conf).with_context(|| format!("cannot read {}", conf.display()))?;
        Ok(Self {
            dir,
            source: paths.tree(),
            env: environment(&conf),
            out,
        })
    }

    /// The command by which `object` was compiled.
    pub fn command(&self, object: &str) -> Result<Saved> {
        let (folder, name) = object.rsplit_once('/').unwrap_or((".", object));
        let file = self.dir.join(format!("{folder}/.{name}.cmd"));
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Saved::parse(&text).with_context(|| format!("{} is not as expected", file.display()))
    }

    /// Compiles `source` by this command.
    pub fn compile(&self, saved: &Saved, source: &Path) -> Result<Verdict> {
        // The saved command is quoted for a shell.
        let run = Command::new("sh")
            .current_dir(&self.dir)
            .envs(&self.env)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CLIPPY_CONF_DIR", &self.source)
            .arg("-c")
            .arg(format!(
                "{} --emit=metadata=\"$2/it.rmeta\" \"$1\"",
                saved.flags
            ))
            .arg("sh")
            .args([source, self.out.path()])
            .output()
            .context("cannot run sh")?;
        Ok(Verdict {
            success: run.status.success(),
            said: String::from_utf8_lossy(&run.stderr).into_owned(),
        })
    }
}

/// What the configuration says to `env!`.
fn environment(conf: &str) -> BTreeMap<String, String> {
    conf.lines()
        .filter_map(|line| {
            let (name, value) = line.trim_start_matches("export ").split_once('=')?;
            let is_option = name.starts_with("CONFIG_");
            is_option.then(|| (name.to_string(), value.trim_matches('"').to_string()))
        })
        .collect()
}

/// How a file was compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The command without the file and without what it writes.
    flags: String,
    /// The file.
    pub source: PathBuf,
}

impl Saved {
    /// Reads what the kernel's make leaves beside an object.
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next()?.split_once(":= ")?.1;
        let line = line.split(';').next()?;
        let mut words = line.split_whitespace();
        let (mut kept, mut source) = (Vec::new(), None);
        while let Some(word) = words.next() {
            match word {
                "--out-dir" => _ = words.next()?,
                _ if word.starts_with("--emit=") => {}
                _ if word.ends_with(".rs") => source = Some(PathBuf::from(word)),
                _ => kept.push(word),
            }
        }
        Some(Self {
            flags: kept.join(" "),
            source: source?,
        })
    }

    /// The same by another compiler, which is beside this one. Nothing if it is not there.
    pub fn by(&self, compiler: &str) -> Option<Self> {
        let is_rustc = |word: &&str| *word == "rustc" || word.ends_with("/rustc");
        let rustc = self.flags.split(' ').find(is_rustc)?;
        let other = Path::new(rustc).with_file_name(compiler);
        let is_there = other.is_file() || !rustc.contains('/');
        is_there.then(|| Self {
            flags: self.flags.replacen(rustc, &other.to_string_lossy(), 1),
            source: self.source.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVED: &str = "savedcmd_a/main.o := A=b rustc -Copt-level=2 --extern kernel --out-dir a/ \
        --emit=dep-info=a/.d --emit=obj=a/main.o /tree/a/main.rs ; objtool a/main.o\n\nsource := x\n";

    #[test]
    fn keeps_what_does_not_name_files() {
        let saved = Saved::parse(SAVED).unwrap();
        assert_eq!(saved.flags, "A=b rustc -Copt-level=2 --extern kernel");
        assert_eq!(saved.source, Path::new("/tree/a/main.rs"));
        assert_eq!(Saved::parse("nothing"), None);
    }

    #[test]
    fn another_compiler_is_looked_for_beside_it() {
        let saved = Saved::parse(SAVED).unwrap();
        let other = saved.by("clippy-driver").unwrap();
        assert_eq!(
            other.flags,
            "A=b clippy-driver -Copt-level=2 --extern kernel"
        );
        let there = SAVED.replace("rustc", "/nowhere/rustc");
        assert_eq!(Saved::parse(&there).unwrap().by("clippy-driver"), None);
    }

    #[test]
    fn options_become_variables() {
        let env = environment("# no\nCONFIG_A=\"a,b\"\nexport CONFIG_B=y\nOTHER=1\n");
        let all: Vec<_> = env.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(all, ["CONFIG_A=a,b", "CONFIG_B=y"]);
    }
}
