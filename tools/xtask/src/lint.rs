// SPDX-License-Identifier: GPL-2.0

//! Style, layers, sizes, and no `unsafe` in the driver.

use std::{collections::BTreeMap, path::Path};

use anyhow::{bail, Result};

use crate::{
    bench, items, mutants,
    paths::Paths,
    report::Tally,
    series::{
        self,
        checkpatch::{self, parallel},
        checks::Checks,
        overlay::{self, File},
        plan,
    },
};

pub mod clippy;
mod driver;
mod enums;
mod format;
mod knot;
mod layers;
mod macros;
pub mod misuse;
mod replay;
mod safety;
mod sizes;
mod source;
mod statics;
mod unused;
mod words;

use source::{Finding, Source};

/// Check the rules of the driver and of the kernel crate, formatting, and the style of C files.
#[derive(clap::Args)]
pub struct Args {
    /// Try the misuses in tools/misuse, none of which may compile; it builds the kernel if need be.
    #[arg(long)]
    misuse: bool,
    /// Ask clippy, with the kernel's settings; it builds the debug kernel if need be.
    #[arg(long)]
    clippy: bool,
}

pub fn run(paths: &Paths, args: Args) -> Result<()> {
    let mut tally = Tally::default();
    if args.misuse {
        tally += misuse::tally(paths)?;
    }
    if args.clippy {
        tally += clippy::tally(paths)?;
    }
    if !args.misuse && !args.clippy {
        tally += self::tally(paths)?;
    }
    Checks { tally }.verdict()
}

/// What `xtask test` calls.
pub fn tally(paths: &Paths) -> Result<Tally> {
    let mut checks = Checks::default();
    let files = overlay::list(&paths.root)?;
    let (sources, broken) = parse(&files);
    checks.item("the Rust files of the overlay are Rust", verdict(broken));
    for rule in &RULES {
        check(&mut checks, rule, &sources);
    }
    checks.item("the driver is Rust, with a root", verdict(kinds(&files)));
    checks.item(
        "files of the driver are in one declared knot and no other circle",
        verdict(knot::check(&sources)),
    );
    let edits: Vec<String> = files
        .iter()
        .filter(|file| file.path.ends_with(".edit"))
        .map(|file| String::from_utf8_lossy(&file.content.bytes).into_owned())
        .collect();
    let edits: Vec<&str> = edits.iter().map(String::as_str).collect();
    checks.item(
        "what is public in the kernel crate has a user",
        verdict(unused::check(&sources, &edits)),
    );
    match paths.base().join(".git").exists() {
        true => checks.item(EDITED, edited(paths)),
        false => checks.skip(EDITED, "there is no base tree; run `make setup`"),
    }
    let kernel = misuse::kernel().dir(paths).join(BINDINGS);
    match std::fs::read_to_string(kernel) {
        Ok(bindings) => checks.item(CALLED, called(&sources, &bindings)),
        Err(_) => checks.skip(CALLED, "there are no bindings; run `make kernel`"),
    }
    checks.item("messages have at most 75 columns", messages(&paths.root));
    long_functions(&sources);
    format::check(paths, &mut checks)?;
    checks.item(
        "the C files please checkpatch --strict",
        c_files(paths, &files),
    );
    checks.item(
        "every item of the ABI has a test",
        items::check(&paths.root),
    );
    checks.item(
        "the bugs of `make mutants` can be put back",
        mutants::check(&paths.root),
    );
    checks.item(
        "no folder of this machine is named in the repository",
        words(&paths.root),
    );
    match bench::publish::is_there(&paths.root) {
        true => checks.item(SHOWN, bench::publish::check(&paths.root)),
        false => checks.skip(SHOWN, "nothing has been measured; run `make bench`"),
    }
    Ok(checks.tally)
}

/// Files of the driver that have no place in it; and it has a root that the rules can look at.
fn kinds(files: &[File]) -> Vec<String> {
    let driver: Vec<&str> = files
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| in_driver(path))
        .collect();
    let mut found: Vec<String> = driver
        .iter()
        .flat_map(|path| place(path, driver::kind(path)))
        .collect();
    if !driver.is_empty() && !driver.contains(&ROOT) {
        found.push(format!("{ROOT}:1: the driver has no root"));
    }
    found
}

/// The root of the driver's crate.
const ROOT: &str = "drivers/android/binder_safe/main.rs";

const EDITED: &str = "unsafe code that stanzas bring is argued for";

const CALLED: &str = "functions that C calls have the types that CFI sees";

/// What bindgen made, in a build folder.
const BINDINGS: &str = "rust/bindings/bindings_generated.rs";

const SHOWN: &str = "the README shows the figures that were measured";

/// A rule, what holds if it finds nothing, and which files it is about.
struct Rule {
    what: &'static str,
    about: fn(&str) -> bool,
    check: fn(&Source) -> Vec<Finding>,
}

fn in_driver(path: &str) -> bool {
    path.starts_with(layers::DRIVER)
}

/// Drivers and samples: what uses the kernel crate.
fn is_user(path: &str) -> bool {
    path.starts_with("drivers/") || path.starts_with("samples/")
}

fn in_kernel_crate(path: &str) -> bool {
    path.starts_with("rust/")
}

const RULES: [Rule; 11] = [
    Rule {
        what: "lines have at most 100 columns",
        about: |_| true,
        check: |source| sizes::columns(&source.text, sizes::CODE_COLUMNS),
    },
    Rule {
        what: "the driver is safe Rust",
        about: is_user,
        check: driver::words,
    },
    Rule {
        what: "the driver's root forbids unsafe code",
        about: |path| path == ROOT,
        check: driver::root,
    },
    Rule {
        what: "the driver's imports point down",
        about: in_driver,
        check: layers::check,
    },
    Rule {
        what: "the driver's files have at most 400 lines",
        about: in_driver,
        check: |source| sizes::file(source, sizes::DRIVER_FILE, true),
    },
    Rule {
        what: "the kernel crate's files have at most 600 lines besides their documentation",
        about: in_kernel_crate,
        check: |source| sizes::file(source, sizes::KERNEL_FILE, false),
    },
    Rule {
        what: "functions have at most 60 lines",
        about: |_| true,
        check: |source| sizes::functions(source).0,
    },
    Rule {
        what: "every file says what it is for",
        about: |_| true,
        check: sizes::head,
    },
    Rule {
        what: "unsafe code of the kernel crate is argued for",
        about: in_kernel_crate,
        check: |source| [safety::comments(source), safety::sections(source)].concat(),
    },
    Rule {
        what: "no macro puts its caller's code inside unsafe",
        about: |_| true,
        check: macros::check,
    },
    Rule {
        what: "statics compile in every configuration",
        about: |_| true,
        check: statics::check,
    },
];

fn check(checks: &mut Checks, rule: &Rule, sources: &[Source]) {
    let about: Vec<&Source> = sources.iter().filter(|s| (rule.about)(&s.path)).collect();
    let found = about
        .iter()
        .flat_map(|s| place(&s.path, (rule.check)(s)))
        .collect();
    checks.item(
        &format!("{} ({} files)", rule.what, about.len()),
        verdict(found),
    );
}

/// Parses the Rust files; the second list names those that do not parse.
fn parse(files: &[File]) -> (Vec<Source>, Vec<String>) {
    let (mut sources, mut broken) = (Vec::new(), Vec::new());
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let text = String::from_utf8_lossy(&file.content.bytes).into_owned();
        match Source::parse(&file.path, text) {
            Ok(source) => sources.push(source),
            Err(err) => broken.push(format!("{err:#}")),
        }
    }
    (sources, broken)
}

/// Findings as people and editors read them.
fn place(path: &str, findings: Vec<Finding>) -> Vec<String> {
    findings
        .iter()
        .map(|finding| format!("{path}:{}: {}", finding.line, finding.text))
        .collect()
}

fn verdict(found: Vec<String>) -> Result<()> {
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    Ok(())
}

/// Looks at the files of the kernel crate as the series leaves them, for what its stanzas bring.
fn edited(paths: &Paths) -> Result<()> {
    let mut found = Vec::new();
    for (path, old, new) in series::edited(paths)? {
        if in_kernel_crate(&path) && path.ends_with(".rs") {
            let (old, new) = (Source::parse(&path, old)?, Source::parse(&path, new)?);
            found.extend(place(&path, safety::introduced(&old, &new)));
        }
    }
    verdict(found)
}

/// Looks for functions whose types CFI takes for others than the compiler does.
fn called(sources: &[Source], bindings: &str) -> Result<()> {
    let pointers = enums::Pointers::parse(bindings)?;
    let found = sources
        .iter()
        .flat_map(|source| place(&source.path, enums::check(source, &pointers)))
        .collect();
    verdict(found)
}

/// Looks at the commit messages, without what is below them.
fn messages(root: &Path) -> Result<()> {
    let mut found = Vec::new();
    for name in overlay::tracked(root, &["patches/messages"])? {
        if let Ok(text) = std::fs::read_to_string(root.join(&name)) {
            let message = text.split("\n---\n").next().unwrap_or("");
            found.extend(place(
                &name,
                sizes::columns(message, sizes::MESSAGE_COLUMNS),
            ));
        }
    }
    verdict(found)
}

/// Warns of functions that do not fit on a screen.
fn long_functions(sources: &[Source]) {
    for source in sources {
        for line in place(&source.path, sizes::functions(source).1) {
            println!("  note    {line}");
        }
    }
}

/// Runs checkpatch on each C file of the overlay, apart from what the messages of patches except.
fn c_files(paths: &Paths, files: &[File]) -> Result<()> {
    let except = exceptions(&paths.root);
    let c = |file: &&File| file.path.ends_with(".c") || file.path.ends_with(".h");
    let files: Vec<&File> = files.iter().filter(c).collect();
    let base = paths.base();
    let found = parallel(&files, |file| {
        let none = Vec::new();
        let ignore = except.get(&file.path).unwrap_or(&none);
        let ignore: Vec<&str> = ignore.iter().map(String::as_str).collect();
        let path = paths.root.join(&file.path);
        checkpatch::run(&base, &ignore, &["--file", &path.to_string_lossy()])
    });
    verdict(
        found
            .into_iter()
            .filter_map(|r| r.err().map(|err| format!("{err:#}")))
            .collect(),
    )
}

/// The types of checkpatch that the patch of each file excepts.
fn exceptions(root: &Path) -> BTreeMap<String, Vec<String>> {
    let patches = plan::read(root)
        .map(plan::Plan::with_orphans)
        .unwrap_or_default();
    let mut except = BTreeMap::new();
    for patch in patches {
        let types: Vec<String> = patch
            .message
            .ignore
            .into_iter()
            .map(|(kind, _)| kind)
            .collect();
        for file in patch.files {
            except.insert(file.path, types.clone());
        }
    }
    except
}

/// Looks at every text file that git knows or would take.
fn words(root: &Path) -> Result<()> {
    let folders = words::folders(root);
    let mut found = Vec::new();
    for name in overlay::tracked(root, &["."])? {
        if let Ok(text) = std::fs::read_to_string(root.join(&name)) {
            found.extend(place(&name, words::check(&text, &folders)));
        }
    }
    verdict(found)
}
