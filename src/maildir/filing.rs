//! How a message's file is made, where its owner wants more than a file for the owner alone: who else
//! may read it, which time it bears, and what its name says of it.

use super::Error;
use crate::durable::{Access, GroupId, is_own_group};
use std::fmt;
use std::fs;
use std::str::FromStr;

/// Where the system's groups are.
const GROUPS: &str = "/etc/group";

/// What an owner wants of the files in a Maildir. Nothing by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filing {
    /// The mode of each file.
    pub mode: Option<FileMode>,
    /// The group of each file.
    pub group: Option<Group>,
    /// Which time it bears as that of its last change.
    pub time: FileTime,
    /// Its name says how many octets it has (`,S=`), as Dovecot and Courier read it.
    pub sized: bool,
    /// Its name has the flags that the message had on the server.
    pub flagged: bool,
}

/// The time of a file's last change.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileTime {
    /// When it was written.
    Arrival,
    /// When the server got its message, where it says so credibly.
    #[default]
    Received,
    /// When its message was sent, as far as its header says so credibly.
    Date,
}

/// A [`Filing`] as a run can carry it out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Filed {
    /// The mode and group of each file, and what follows from them for directories.
    pub access: Access,
    /// See [`Filing::time`].
    pub time: FileTime,
    /// See [`Filing::sized`].
    pub sized: bool,
    /// See [`Filing::flagged`].
    pub flagged: bool,
}

impl Filing {
    /// Looks the group up.
    ///
    /// # Errors
    /// There is no such group, or the user is no member of it: files could not be given to it.
    pub fn settle(&self) -> Result<Filed, Error> {
        let group = self.group.as_ref().map(Group::find).transpose()?;
        Ok(Filed {
            access: Access {
                mode: self.mode.map(|mode| mode.0),
                group,
            },
            time: self.time,
            sized: self.sized,
            flagged: self.flagged,
        })
    }
}

/// The mode of a file: its owner reads and writes it, nobody runs it, and not everybody writes to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileMode(u32);

impl FromStr for FileMode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NOT_A_MODE: &str = "`file-mode` is a mode in octal digits and quotes, as in \"0640\"";
        let is_octal = |digit: u8| (b'0'..=b'7').contains(&digit);
        if !(3..=4).contains(&text.len()) || !text.bytes().all(is_octal) {
            return Err(NOT_A_MODE);
        }
        let mode = u32::from_str_radix(text, 8).map_err(|_| NOT_A_MODE)?;
        if mode & 0o7000 != 0 {
            return Err(
                "mail has no use for the set-user-ID, set-group-ID and sticky bits; the first \
                        of four digits is 0, as in \"0640\"",
            );
        }
        if mode & 0o600 != 0o600 {
            return Err(
                "the owner of a message must be able to read it and to write to it; the mode \
                        begins with 6, as in \"0640\"",
            );
        }
        if mode & 0o111 != 0 {
            return Err("a message is not to be executed; leave out the x bits, as in \"0640\"");
        }
        if mode & 0o002 != 0 {
            return Err(
                "with this mode anyone could change the mail; the last digit is 0 or 4, as in \
                        \"0640\"",
            );
        }
        Ok(Self(mode))
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// A group, as its owner names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Group {
    /// By its name.
    Name(String),
    /// By its number.
    Number(GroupId),
}

impl Group {
    fn find(&self) -> Result<GroupId, Error> {
        let number = match self {
            Self::Number(number) => Some(*number),
            Self::Name(name) => {
                let groups = fs::read(GROUPS).unwrap_or_default();
                number_of(&String::from_utf8_lossy(&groups), name)
            }
        };
        let number = number.ok_or_else(|| Error::NoSuchGroup(self.clone()))?;
        if !is_own_group(number) {
            return Err(Error::NotInGroup(self.clone()));
        }
        Ok(number)
    }
}

impl FromStr for Group {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.bytes().all(|digit| digit.is_ascii_digit()) && !text.is_empty() {
            // The largest number stands for none.
            let number = text.parse().ok().filter(|number| *number != GroupId::MAX);
            let number = number.ok_or("this number is too large for a group's")?;
            return Ok(Self::Number(number));
        }
        let is_strange = |c: char| c.is_control() || c.is_whitespace() || c == ':';
        if text.is_empty() || text.starts_with('-') || text.contains(is_strange) {
            return Err("`file-group` is a group's name, as in \"mail\", or its number");
        }
        Ok(Self::Name(text.to_owned()))
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// A group's number in the lines of `/etc/group`: `name:password:number:members`.
fn number_of(groups: &str, name: &str) -> Option<GroupId> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let number = (fields.next() == Some(name))
            .then(|| fields.nth(1))
            .flatten();
        number?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_lets_the_owner_read_and_write_nobody_execute_and_not_all_write() {
        for good in ["0600", "600", "0640", "0660", "0644", "0664", "0604"] {
            let mode: FileMode = good.parse().unwrap();
            assert!(mode.to_string().ends_with(good), "{good}");
        }
        for bad in [
            "",
            "0",
            "64",
            "00640",
            "0o640",
            "0400",
            "0200",
            "0040",
            "0700",
            "0650",
            "0641",
            "0602",
            "0646",
            "0666",
            "2640",
            "4600",
            "1600",
            "rw-r-----",
            "0680",
            "+640",
            " 640",
        ] {
            assert!(bad.parse::<FileMode>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_group_is_found_by_its_whole_name_or_is_a_number() {
        let groups = "root:x:0:\nmailbox:x:9:\nmail:x:8:ada,bob\n#mail2:x:7\nbad:x:no:\n";
        assert_eq!(number_of(groups, "mail"), Some(8));
        assert_eq!(number_of(groups, "root"), Some(0));
        for none in ["mai", "mail2", "bad", "x", ""] {
            assert_eq!(number_of(groups, none), None, "{none}");
        }
        assert_eq!("8".parse(), Ok(Group::Number(8)));
        assert_eq!("mail".parse(), Ok(Group::Name("mail".to_owned())));
        for bad in ["", "-1", "a b", "a:b", "a\n", "4294967295", "99999999999"] {
            assert!(bad.parse::<Group>().is_err(), "{bad:?}");
        }
    }
}
