// SPDX-License-Identifier: GPL-2.0

//! A Rust file as the rules see it: its lines, its tokens in one flat list, its syntax tree.

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What a rule has to say, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub line: usize,
    pub text: String,
}

impl Finding {
    pub fn new(line: usize, text: impl Into<String>) -> Self {
        Self {
            line,
            text: text.into(),
        }
    }
}

/// One token; a group is its two ends with its content between them. Comments are no tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Ident(String),
    Punct(char),
    Open(Delimiter),
    Close(Delimiter),
    Literal,
}

/// A token and its line, counted from 1.
#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    pub line: usize,
}

impl Token {
    /// Whether this is the word `name`.
    pub fn is(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Ident(ident) if ident == name)
    }
}

/// A parsed file.
pub struct Source {
    pub path: String,
    pub text: String,
    pub tokens: Vec<Token>,
    pub tree: syn::File,
}

impl Source {
    /// Parses `text`, which is that of the file `path`.
    pub fn parse(path: &str, text: String) -> Result<Self> {
        let tree = syn::parse_file(&text)
            .map_err(|err| anyhow::anyhow!("line {}: {err}", err.span().start().line))
            .with_context(|| format!("{path} is not Rust"))?;
        let stream: TokenStream = text
            .parse()
            .ok()
            .with_context(|| format!("{path} is not Rust"))?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        Ok(Self {
            path: path.to_string(),
            text,
            tokens,
            tree,
        })
    }

    /// How many lines the file has.
    pub fn len(&self) -> usize {
        self.text.lines().count()
    }

    /// The tokens from each position on, for rules that look at a few in a row.
    pub fn windows(&self) -> impl Iterator<Item = &[Token]> {
        (0..self.tokens.len()).map(|i| &self.tokens[i..])
    }
}

/// Puts the tokens of `stream` and of all groups in it at the end of `out`.
pub fn flatten(stream: TokenStream, out: &mut Vec<Token>) {
    for token in stream {
        let line = token.span().start().line;
        match token {
            TokenTree::Group(group) => {
                let delimiter = group.delimiter();
                out.push(Token {
                    kind: Kind::Open(delimiter),
                    line,
                });
                flatten(group.stream(), out);
                let line = group.span_close().start().line;
                out.push(Token {
                    kind: Kind::Close(delimiter),
                    line,
                });
            }
            TokenTree::Ident(ident) => out.push(Token {
                kind: Kind::Ident(ident.to_string()),
                line,
            }),
            TokenTree::Punct(punct) => out.push(Token {
                kind: Kind::Punct(punct.as_char()),
                line,
            }),
            TokenTree::Literal(_) => out.push(Token {
                kind: Kind::Literal,
                line,
            }),
        }
    }
}

#[cfg(test)]
pub fn sample(path: &str, text: &str) -> Source {
    Source::parse(path, text.to_string()).unwrap()
}
