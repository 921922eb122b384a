//! Commands that a shell ran become a program and its arguments, where that means the same.

/// What a shell would make something else of.
const SHELL: &[char] = &[
    '|', '&', ';', '<', '>', '(', ')', '$', '`', '*', '?', '[', '#', '~', '=', '%', '{', '!', '\n',
];

/// The argv of a command line: its words where nothing in it is for the shell, or else the shell
/// with it.
pub(super) fn of_shell(command: &str) -> Vec<String> {
    match words(command) {
        Some(words) if !words.is_empty() => words,
        _ => vec!["sh".into(), "-c".into(), command.into()],
    }
}

/// Words with quotes and backslashes, or `None` where a shell is needed.
fn words(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let quoted = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        other => quoted.push(other),
                    }
                }
            }
            '"' => {
                let quoted = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' | '$' | '`' => return None,
                        other => quoted.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c if SHELL.contains(&c) => return None,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_need_no_shell_and_all_else_gets_one() {
        assert_eq!(
            of_shell("pass show mail/jane"),
            ["pass", "show", "mail/jane"]
        );
        assert_eq!(
            of_shell("echo 'a b' \"c d\" e\\ f"),
            ["echo", "a b", "c d", "e f"]
        );
        for text in [
            "pass x | head -1",
            "cat ~/x",
            "echo $HOME",
            "echo 'open",
            "x=1 y",
        ] {
            assert_eq!(of_shell(text), ["sh", "-c", text]);
        }
    }
}
