//! What can be wrong with the configuration, and how a person is shown where.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{io, slice};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use thiserror::Error;

use super::address::without_password;
use super::problem::{Problem, Within};
use super::words::nearest;
use crate::exit::{Diagnose, Status, is_scarce, scarcity};
use crate::paths::NoHome;
use crate::term::{Paint, columns, wrap};
use crate::term::{quoted, visible, without_numbers};

/// What is wrong with the config file, or with an account named on the command line.
///
/// The text is one line, safe for a terminal; [`ConfigError::render`] shows the place as well.
/// No variant ever holds or shows a password.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file has accounts, but not this one.
    #[error("there is no account `{}`", visible(&without_password(name)))]
    UnknownAccount {
        /// As given on the command line.
        name: String,
        /// The accounts that there are, in file order.
        known: Vec<String>,
    },
    /// A URL or an option that cannot be used; has no place in a file.
    #[error("{}", visible(message))]
    CommandLine {
        /// What is wrong.
        message: String,
        /// What to do next.
        hint: String,
    },
    /// Others could read the password in it, or put in their own commands.
    #[error("{} {}, and {reason}", visible(&path.display().to_string()), match *holds_password {
        true => "holds a password",
        false => "says what is run as you and where passwords are sent",
    })]
    Exposed {
        /// The config file.
        path: PathBuf,
        /// There is a password in it.
        holds_password: bool,
        /// Who else could get at it.
        reason: &'static str,
        /// The shell command, or the change, that mends it.
        hint: String,
    },
    /// Something at a certain place of the file.
    #[error("{0}")]
    Invalid(Box<Problem>),
    /// Several such things in one account, in the order of the file.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<Problem>),
    /// Neither a config file nor a URL.
    #[error("there is no account to work with: {} {}", visible(&path.display().to_string()),
        if *.exists { "names none" } else { "does not exist" })]
    NoAccounts {
        /// The config file looked for.
        path: PathBuf,
        /// Whether it is there.
        exists: bool,
    },
    /// Without a home directory no path is known.
    #[error(transparent)]
    NoHome(#[from] NoHome),
    /// There is no file of the name given with `--config`.
    #[error("the config file {} does not exist", visible(&.0.display().to_string()))]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("{}", unreadable(path, source))]
    Read {
        /// The config file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The maildrop is another account's already.
    #[error(
        "account `{}` is the same mailbox as `{}`",
        visible(name),
        visible(first)
    )]
    SameMaildrop {
        /// The account that is refused.
        name: String,
        /// The one that has it.
        first: String,
    },
}

impl ConfigError {
    /// All of these, in the order of the file; nothing where there is none.
    pub(super) fn of(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by_key(|problem| problem.span.start);
        match (problems.len(), problems.pop()) {
            (1, Some(only)) => Some(Self::Invalid(Box::new(only))),
            (_, Some(last)) => {
                problems.push(last);
                Some(Self::Several(problems))
            }
            (_, None) => None,
        }
    }

    /// What is wrong at places of the file.
    pub(super) fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problem) => slice::from_ref(problem),
            Self::Several(problems) => problems,
            _ => &[],
        }
    }

    /// What is wrong, without where; safe for a terminal.
    pub fn reason(&self) -> String {
        match self {
            Self::Invalid(problem) => problem.title(),
            other => other.to_string(),
        }
    }

    /// What is wrong, without where and in which account; safe for a terminal.
    pub fn bare_reason(&self) -> String {
        match self {
            Self::Invalid(problem) => visible(&problem.message),
            other => other.to_string(),
        }
    }

    /// The error for a terminal: title, place with caret where there is one, and the hint.
    ///
    /// Several lines, without a newline at the end; The source line is left out where it may
    /// hold a password.
    pub fn render(&self, paint: Paint) -> String {
        self.render_beside(paint, &mut Told::default())
    }

    /// The same for one of several accounts: what is wrong with the defaults of all is told with the
    /// first of them. Empty where nothing is left to tell.
    pub fn render_beside(&self, paint: Paint, told: &mut Told) -> String {
        match self {
            Self::Invalid(_) | Self::Several(_) => {
                let problems = self.problems().iter();
                let new = problems.filter(|it| told.is_new(it));
                let shown: Vec<_> = new.map(|it| shown(it, paint)).collect();
                shown.join("\n")
            }
            other => {
                let columns = columns(io::stderr());
                let title = match self {
                    Self::Read { source, .. } if source.kind() != io::ErrorKind::IsADirectory => {
                        format!("{other}: {}", without_numbers(&source.to_string()))
                    }
                    other => other.to_string(),
                };
                let title = wrap(&format!("{} ", paint.error("error:")), &title, columns);
                match self.hint() {
                    Some(hint) => format!("{title}\n{}", hint_line(&hint, paint)),
                    None => title,
                }
            }
        }
    }
}

/// What was told of the defaults of all accounts.
#[derive(Debug, Default)]
pub struct Told(HashSet<(usize, String)>);

impl Told {
    fn is_new(&mut self, problem: &Problem) -> bool {
        let key = || (problem.span.start, problem.message.clone());
        problem.within != Within::Defaults || self.0.insert(key())
    }
}

/// Stands in the first line of what the renderer makes, which is left out.
const TITLE: &str = "wrong";

/// What is wrong, its place with a caret, and the hint.
fn shown(problem: &Problem, paint: Paint) -> String {
    let renderer = match paint == Paint::PLAIN {
        true => Renderer::plain(),
        false => Renderer::styled(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let path = visible(&problem.source.path.display().to_string());
    let group = Group::with_title(Level::ERROR.primary_title(TITLE));
    let group = match problem.excerpt() {
        Some(excerpt) => group.element(
            Snippet::source(excerpt.line)
                .line_start(problem.line())
                .path(path)
                .annotation(AnnotationKind::Primary.span(excerpt.span)),
        ),
        None => group.element(
            Origin::path(path)
                .line(problem.line())
                .char_column(problem.column()),
        ),
    };
    // The renderer breaks no line, so the title is ours. Lines with nothing but the rule beside the
    // excerpt are air.
    let label = format!("{} ", paint.error("error:"));
    let title = wrap(&label, &problem.title(), columns(io::stderr()));
    let report = renderer.render(&[group]);
    let mut lines = vec![title];
    lines.extend(
        report
            .lines()
            .skip(1)
            .filter(|line| without_colour(line).trim() != "|")
            .map(str::to_owned),
    );
    let help = problem.help.as_deref().map(visible);
    lines.extend(help.map(|help| hint_line(&help, paint)));
    lines.join("\n")
}

fn hint_line(hint: &str, paint: Paint) -> String {
    let label = format!("{} ", paint.hint("hint:"));
    wrap(&label, hint, columns(io::stderr()))
}

impl Diagnose for ConfigError {
    fn status(&self) -> Status {
        match self {
            Self::CommandLine { .. } => Status::Usage,
            Self::Read { source, .. } if is_scarce(source) => Status::Temporary,
            _ => Status::Config,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownAccount { name, known } => {
                let list = known.iter().map(|n| visible(n)).collect::<Vec<_>>();
                Some(match nearest(name, known) {
                    Some(near) => format!("did you mean `{}`?", visible(near)),
                    None if list.is_empty() => "the config file has no accounts".into(),
                    None if name.contains('@') && !name.contains('/') => format!(
                        "the config file has: {}; without it: popfetch {} --maildir DIR",
                        list.join(", "),
                        visible(&quoted(&format!("pops://{}", without_password(name))))
                    ),
                    None => format!("the config file has: {}", list.join(", ")),
                })
            }
            Self::CommandLine { hint, .. } | Self::Exposed { hint, .. } => Some(visible(hint)),
            Self::Invalid(problem) => problem.help.as_deref().map(visible),
            Self::Several(problems) => {
                let helps = problems.iter().filter_map(|it| it.help.as_deref());
                let helps: Vec<_> = helps.map(visible).collect();
                (!helps.is_empty()).then(|| helps.join("; "))
            }
            Self::NoAccounts { path, .. } => Some(first_steps(path)),
            Self::NoHome(no_home) => no_home.hint(),
            Self::Missing(_) => Some("check the path given with --config".into()),
            Self::Read { path, source } => match source.kind() {
                io::ErrorKind::IsADirectory => Some(of_directory(path)),
                io::ErrorKind::InvalidData => {
                    Some("a config file is UTF-8 text; save it in that encoding".into())
                }
                io::ErrorKind::PermissionDenied => {
                    Some("you need the right to read it, and to enter its directory".into())
                }
                _ => scarcity(source).map(str::to_owned),
            },
            Self::SameMaildrop { first, .. } => Some(format!(
                "fetch it as `{}` alone, with all folders that are wanted in its `folders`, or set `disabled = \
                 true` in one of the two",
                visible(first)
            )),
        }
    }
}

fn unreadable(path: &Path, source: &io::Error) -> String {
    let path = visible(&path.display().to_string());
    match source.kind() {
        io::ErrorKind::IsADirectory => format!("{path} is a directory, and no config file"),
        _ => format!("cannot read the config file {path}"),
    }
}

/// The file that a directory was named for, if there is one.
fn of_directory(path: &Path) -> String {
    let files = ["config.toml", "popfetch/config.toml"].map(|it| path.join(it));
    match files.iter().find(|it| it.is_file()) {
        Some(file) => format!("name the file in it: --config {}", as_typed(file)),
        None => "name the file in it, as in --config DIRECTORY/config.toml".to_owned(),
    }
}

fn as_typed(path: &Path) -> String {
    visible(&quoted(&path.display().to_string()))
}

/// The line without the escape sequences that colour it.
fn without_colour(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or("", |(_, rest)| rest)
    })
}

/// What a person needs who has no config file yet.
fn first_steps(path: &Path) -> String {
    format!(
        "popfetch setup asks for your address and does the rest; or put this into {}, and popfetch \
         will ask for the password:\n\n    \
         [accounts.home]\n    \
         host = \"pop.example.com\"\n    \
         user = \"ada@example.com\"\n\n\
         or fetch without a config file:\n\n    \
         popfetch pops://ada@pop.example.com --maildir ~/Mail/ada",
        visible(&path.display().to_string())
    )
}

#[cfg(test)]
#[path = "diagnose_tests.rs"]
mod tests;
