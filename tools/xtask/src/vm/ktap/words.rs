// SPDX-License-Identifier: GPL-2.0

//! One line of TAP or KTAP, indentation removed.

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub enum Word<'a> {
    /// A list of results begins.
    Version,
    /// Its name.
    Subtest(&'a str),
    /// How many results it will have; with a reason if none is going to be.
    Plan(u64, Option<&'a str>),
    /// A result.
    Result {
        ok: bool,
        name: &'a str,
        skip: Option<&'a str>,
    },
    /// Anything else.
    Other,
}

/// The reason behind a `SKIP` or `XFAIL` directive: results that neither pass nor fail.
fn skip(directive: &str) -> Option<&str> {
    ["SKIP", "XFAIL"]
        .iter()
        .find_map(|word| directive.strip_prefix(word))
        .map(str::trim)
}

/// Splits a description from the directive after its last ` # `.
fn split(rest: &str) -> (&str, Option<&str>) {
    if let Some(directive) = rest.strip_prefix("# ") {
        return ("", skip(directive));
    }
    match rest.rsplit_once(" # ") {
        Some((name, directive)) if skip(directive).is_some() => (name.trim(), skip(directive)),
        _ => (rest.trim(), None),
    }
}

fn plan(text: &str) -> Option<Word<'_>> {
    let rest = text.strip_prefix("1..")?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (count, rest) = rest.split_at(digits);
    let (_, reason) = split(rest.trim());
    Some(Word::Plan(count.parse().ok()?, reason))
}

fn result(text: &str) -> Option<Word<'_>> {
    let (ok, rest) = match text.strip_prefix("not ok ") {
        Some(rest) => (false, rest),
        None => (true, text.strip_prefix("ok ")?),
    };
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (number, rest) = rest.split_at(digits);
    number.parse::<u64>().ok()?;
    let rest = rest.trim_start();
    let (name, skip) = split(rest.strip_prefix("- ").unwrap_or(rest));
    Some(Word::Result { ok, name, skip })
}

/// Reads one line.
pub fn parse(text: &str) -> Word<'_> {
    if text.starts_with("KTAP version ") || text.starts_with("TAP version ") {
        return Word::Version;
    }
    if let Some(name) = text.strip_prefix("# Subtest: ") {
        return Word::Subtest(name.trim());
    }
    plan(text).or_else(|| result(text)).unwrap_or(Word::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results() {
        let passed = |name| Word::Result {
            ok: true,
            name,
            skip: None,
        };
        assert_eq!(parse("ok 1 global.open"), passed("global.open"));
        assert_eq!(parse("ok 12 - open"), passed("open"));
        assert_eq!(parse("ok 3 a # b"), passed("a # b"));
        assert_eq!(
            parse("not ok 2 x"),
            Word::Result {
                ok: false,
                name: "x",
                skip: None
            }
        );
        assert_eq!(
            parse("ok 2 x # SKIP no memory"),
            Word::Result {
                ok: true,
                name: "x",
                skip: Some("no memory")
            }
        );
        assert_eq!(
            parse("ok 2 # SKIP no memory"),
            Word::Result {
                ok: true,
                name: "",
                skip: Some("no memory")
            }
        );
    }

    #[test]
    fn plans() {
        assert_eq!(parse("1..17"), Word::Plan(17, None));
        assert_eq!(
            parse("1..0 # SKIP not here"),
            Word::Plan(0, Some("not here"))
        );
    }

    #[test]
    fn the_rest() {
        for text in ["ok", "ok then", "okay 1 x", "1..", "# ok 1 x", "", "1..x"] {
            assert_eq!(parse(text), Word::Other, "{text}");
        }
    }
}
