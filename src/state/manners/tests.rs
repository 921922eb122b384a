use super::super::trouble::REMINDER;
use super::*;
use crate::durable::Disk;
use crate::durable::line::seal;

const NOW: i64 = 1_800_000_000;
const ADA: Credentials<'_> = of("ada", "secret");

const fn of<'a>(user: &'a str, secret: &'a str) -> Credentials<'a> {
    Credentials {
        public: ["Auto", user, ""],
        secret,
    }
}

fn left(manners: &Manners, now: i64) -> i64 {
    manners.early(now, &ADA).map_or(0, |early| early.left)
}

/// How long each of several refusals in a row is waited for.
fn waits(kind: RefusalKind, times: usize) -> Vec<i64> {
    let mut manners = Manners::default();
    let mut wait = || {
        manners.refused(NOW, kind, 0, &ADA);
        left(&manners, NOW)
    };
    (0..times).map(|_| wait()).collect()
}

#[test]
fn f14_a_busy_server_is_left_alone_for_longer_each_time_up_to_a_quarter_of_an_hour() {
    for (wait, wanted) in waits(RefusalKind::Unexplained, 6)
        .iter()
        .zip([30, 120, 240, 900, 900, 900])
    {
        let most = wanted * 12 / 10;
        assert!((wanted * 8 / 10..=most).contains(wait), "{wait}, {wanted}");
    }
    // One that lets us in is asked again three times.
    let waits = waits(RefusalKind::Withheld, 7);
    assert_eq!(waits[..3], [0, 0, 0]);
    assert!((24..=36).contains(&waits[3]) && waits[6] > 700, "{waits:?}");
    // Not in step with each other.
    assert_eq!(
        (spread(100, 0), spread(100, 20), spread(100, 40)),
        (80, 100, 120)
    );
}

#[test]
fn f16_refused_credentials_are_left_alone_from_a_quarter_of_an_hour_to_six_hours() {
    for kind in [RefusalKind::Credentials, RefusalKind::Permanent] {
        let waits = waits(kind, 8);
        assert!((720..=1080).contains(&waits[0]), "{waits:?}");
        assert!(waits[7] > 4 * 3600, "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= LONGEST), "{waits:?}");
    }
}

#[test]
fn f16_other_credentials_are_not_held_back_for_what_the_old_ones_did() {
    let mut manners = Manners::default();
    manners.refused(NOW, RefusalKind::Credentials, 0, &ADA);
    assert!(manners.early(NOW, &ADA).is_some());
    assert!(manners.early(NOW, &of("bob", "secret")).is_none());
    // Four bits of a hash: one of sixteen looks the same, and that is why it tells nothing.
    let changed = (0..1600).filter(|n| {
        let password = format!("another {n}");
        manners.early(NOW, &of("ada", &password)).is_none()
    });
    assert!((1400..1580).contains(&changed.count()));
    // Where it is not about the credentials, others do not help.
    manners.refused(NOW, RefusalKind::Unexplained, 0, &ADA);
    assert!(manners.early(NOW, &of("ada", "another")).is_some());
}

#[test]
fn f15_a_login_delay_counts_from_the_last_sign_in_and_has_a_bound() {
    let mut manners = Manners::default();
    manners.announced(300);
    manners.signed_in(NOW);
    assert_eq!(left(&manners, NOW + 50), 250);
    let early = manners.early(NOW + 299, &ADA).unwrap();
    assert_eq!((early.why, early.left), (Why::LoginDelay(300), 1));
    assert_eq!(manners.early(NOW + 300, &ADA), None);
    manners.announced(u32::MAX);
    assert_eq!(left(&manners, NOW), LONGEST);
}

#[test]
fn d31_a_clock_that_jumps_holds_no_account_for_longer_than_the_longest_wait() {
    let mut manners = Manners::default();
    manners.announced(u32::MAX);
    manners.signed_in(NOW);
    manners.refused(NOW, RefusalKind::Credentials, 0, &ADA);
    for now in [i64::MIN, 0, NOW - 1, NOW + LONGEST, i64::MAX] {
        assert_eq!(manners.early(now, &ADA), None, "{now}");
    }
    // Nor does a file that says so.
    manners.refusal.as_mut().unwrap().wait = i64::MAX;
    assert!(left(&manners, NOW) <= LONGEST);
    assert_eq!(manners.early(NOW + LONGEST, &ADA), None);
}

const HOUR: i64 = 60 * 60;

/// A run that fails, so long after the first.
fn fail(manners: &mut Manners, after: i64, status: u8, kind: &str) -> Telling {
    let failing = Failing {
        now: NOW + after,
        status,
        kind,
        passes: status == 75,
        since: None,
    };
    manners.failed(failing, true)
}

#[test]
fn a_lasting_failure_is_told_at_once_and_once_a_day_and_so_is_its_end() {
    let mut manners = Manners::default();
    let mut again = |after, status| fail(&mut manners, after, status, "line");
    assert_eq!(again(0, 69), Telling::First);
    assert_eq!(again(600, 69), Telling::Again);
    assert_eq!(again(REMINDER - 1, 69), Telling::Again);
    assert_eq!(again(REMINDER, 69), Telling::Reminder(NOW));
    assert_eq!(again(REMINDER + 600, 69), Telling::Again);
    // Another failure is news.
    assert_eq!(again(REMINDER + 1200, 77), Telling::First);
    // So is one that was told in the future, and then it is not known since when it lasts.
    let back = NOW - REMINDER;
    assert_eq!(again(-REMINDER, 77), Telling::Reminder(back));
    assert_eq!(manners.worked(), Some(back));
    assert_eq!(manners.worked(), None);
}

#[test]
fn b5_a_passing_failure_is_told_once_it_has_lasted_for_an_hour_or_three_runs() {
    let mut manners = Manners::default();
    let mut again = |after| fail(&mut manners, after, 75, "line");
    assert_eq!(again(0), Telling::NotYet);
    assert_eq!(again(600), Telling::NotYet);
    assert_eq!(again(1200), Telling::Reminder(NOW));
    assert_eq!(again(1800), Telling::Again);
    assert_eq!(again(1200 + REMINDER), Telling::Reminder(NOW));
    assert_eq!(manners.worked(), Some(NOW));
    // It begins anew, and runs may be far apart.
    let mut again = |after| fail(&mut manners, after, 75, "line");
    assert_eq!(again(0), Telling::NotYet);
    assert_eq!(again(HOUR), Telling::Reminder(NOW));
    // Nobody has heard of what was over soon.
    let mut manners = Manners::default();
    fail(&mut manners, 0, 75, "line");
    assert_eq!(manners.worked(), None);
}

#[test]
fn passing_failures_that_take_turns_are_one() {
    let mut manners = Manners::default();
    let mut again = |after, kind| fail(&mut manners, after, 75, kind);
    assert_eq!(again(0, "line"), Telling::NotYet);
    assert_eq!(again(600, "connect"), Telling::NotYet);
    assert_eq!(again(1200, "line"), Telling::Reminder(NOW));
    assert_eq!(again(1800, "connect"), Telling::Again);
    // Where an account fails for good, a network that is away for a while is no news, and neither is
    // that it is back.
    let mut manners = Manners::default();
    assert_eq!(fail(&mut manners, 0, 77, "sign-in"), Telling::First);
    assert_eq!(fail(&mut manners, 600, 75, "connect"), Telling::Again);
    assert_eq!(fail(&mut manners, 1200, 77, "sign-in"), Telling::Again);
}

#[test]
fn what_is_passed_over_is_told_once_by_name_whatever_becomes_of_the_account() {
    let mut manners = Manners::default();
    let miss = |manners: &mut Manners, after: i64, names: &[&str]| {
        manners.missed(NOW + after, names.iter().copied(), true)
    };
    assert_eq!(miss(&mut manners, 0, &["a"]), Telling::First);
    assert_eq!(miss(&mut manners, 600, &["a"]), Telling::Again);
    assert_eq!(miss(&mut manners, 1200, &["a", "b"]), Telling::First);
    fail(&mut manners, 1800, 75, "line");
    assert_eq!(manners.worked(), None);
    // One that comes and goes is no news.
    assert_eq!(miss(&mut manners, 2400, &["b"]), Telling::Again);
    assert_eq!(miss(&mut manners, 3000, &["a"]), Telling::Again);
    let day = 1200 + REMINDER;
    assert_eq!(miss(&mut manners, day, &["a"]), Telling::Reminder(NOW));
    assert_eq!(manners.missed_nothing(), Some(NOW));
    assert_eq!(manners.missed_nothing(), None);
    // However many there are, the file stays small enough to be read.
    for first in [0, 1000] {
        let many: Vec<String> = (first..first + 1000).map(|n: i32| n.to_string()).collect();
        let mut miss = || manners.missed(NOW, many.iter().map(String::as_str), true);
        assert_eq!(miss(), Telling::First);
        assert_eq!(miss(), Telling::Again);
        assert!(manners.line().len() < 400);
    }
}

#[test]
fn who_saw_each_failure_is_not_counted_as_told_once() {
    let failing = Failing {
        now: NOW,
        status: 69,
        kind: "line",
        passes: false,
        since: None,
    };
    let mut manners = Manners::default();
    manners.failed(failing, false);
    let mut quiet = manners.clone();
    assert_eq!(manners.worked(), None);
    assert_eq!(quiet.failed(failing, true), Telling::First);
    assert_eq!(quiet.worked(), Some(NOW));
}

#[test]
fn what_is_written_is_read_again_and_holds_no_secret() {
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(&Disk::new(), temp.path()).unwrap();
    let mut manners = Manners::default();
    manners.announced(300);
    manners.signed_in(NOW);
    manners.refused(NOW, RefusalKind::Credentials, 0, &ADA);
    fail(&mut manners, 0, 77, "sign-in");
    manners.missed(NOW, ["a", "b"].into_iter(), true);
    assert!(manners.write(&dir, "ada@host:995").unwrap());
    assert_eq!(Manners::read(&dir, "ada@host:995"), manners);
    assert_eq!(Manners::read(&dir, "ada@host:1995"), Manners::default());
    let line = std::fs::read_to_string(temp.path().join("ada@host:995.manners")).unwrap();
    assert!(!line.contains("secret"), "{line}");
    assert!(!temp.path().join("ada@host:995.manners.new").exists());
}

#[test]
fn a_damaged_file_means_that_nothing_is_known() {
    let mut manners = Manners::default();
    manners.refused(NOW, RefusalKind::Unexplained, 0, &ADA);
    let line = manners.line();
    assert_eq!(parse(&line), Some(manners));
    for length in 0..line.len() {
        assert_eq!(parse(&line[..length]), None);
    }
    for place in 0..line.len() {
        let mut damaged = line.clone();
        damaged[place] ^= 1;
        assert_eq!(parse(&damaged), None, "{place}");
    }
}

#[test]
fn who_does_not_hold_the_account_writes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(&Disk::new(), temp.path()).unwrap();
    let other = dir.open_or_create(OsStr::new("ada@host:995.lock")).unwrap();
    assert!(other.try_lock().unwrap());
    assert!(!Manners::default().write(&dir, "ada@host:995").unwrap());
    assert!(!temp.path().join("ada@host:995.manners").exists());
}

#[test]
fn b5_what_was_told_is_written_while_another_process_holds_the_account() {
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(&Disk::new(), temp.path()).unwrap();
    let mut holders = Manners::default();
    holders.announced(300);
    assert!(holders.write(&dir, "ada@host:995").unwrap());
    let mut manners = Manners::default();
    fail(&mut manners, 0, 75, "state");
    manners.write_told(&dir, "ada@host:995").unwrap();
    let read = Manners::read(&dir, "ada@host:995");
    assert!(read.has_login_delay(), "{read:?}");
    assert_eq!(read.trouble, manners.trouble);
}

#[test]
fn b2_a_server_that_asks_for_a_longer_wait_gets_it() {
    let mut manners = Manners::default();
    manners.refused(NOW, RefusalKind::Unexplained, 900, &ADA);
    assert_eq!(left(&manners, NOW), 900);
    // As long as it is not absurd.
    manners.refused(NOW, RefusalKind::Unexplained, i64::MAX, &ADA);
    assert_eq!(left(&manners, NOW), LONGEST);
}

#[test]
fn b8_a_line_from_before_there_were_detours_is_read() {
    let mut manners = Manners::default();
    manners.announced(300);
    manners.signed_in(NOW);
    manners.note_shortcut(Some(("plain", NOW)));
    let line = String::from_utf8(manners.line()).unwrap();
    let fields: Vec<&str> = line.trim_end().split('\t').collect();
    let mut earlier = Vec::new();
    seal(fields[..15].join("\t"), &mut earlier);
    assert_eq!(parse(&earlier).unwrap(), manners);
    manners.note_detour(Some(("two-steps", NOW)));
    assert_eq!(parse(&manners.line()).unwrap(), manners);
    // And one from before there was word of what is passed over.
    fail(&mut manners, 0, 77, "sign-in");
    let line = String::from_utf8(manners.line()).unwrap();
    let later: Vec<&str> = line.trim_end().split('\t').collect();
    let mut earlier = Vec::new();
    seal(later[..17].join("\t"), &mut earlier);
    assert_eq!(parse(&earlier).unwrap(), manners);
    let mut torn = Vec::new();
    seal(fields[..16].join("\t"), &mut torn);
    assert_eq!(parse(&torn), None);
}
