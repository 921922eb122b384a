//! Journal lines with their checksums, made here, so that a fuzzer gets past them.

/// The account of all journals here.
pub const ACCOUNT: &str = "ada@pop.example.com:995";

/// A journal's first line.
pub fn header() -> Vec<u8> {
    line(format!("popfetch-state\t2\t{ACCOUNT}\t1\t0123456789abcdef").as_bytes())
}

/// The same as the first version wrote it.
pub fn header_of_version_1() -> Vec<u8> {
    line(format!("popfetch-state\t1\t{ACCOUNT}\t1").as_bytes())
}

/// A line with a tab, its CRC-32 and its LF behind it.
pub fn line(fields: &[u8]) -> Vec<u8> {
    let mut line = [fields, b"\t"].concat();
    let crc = crc32(&line);
    line.extend(format!("{crc:08x}\n").bytes());
    line
}

/// CRC-32 as of IEEE 802.3, bit by bit.
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0u32, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// A unique-id as a journal writes it.
pub fn escaped(unique_id: &[u8]) -> String {
    if unique_id == b"-" {
        return "%2D".into();
    }
    let write = |octet: &u8| match octet {
        b'!'..=b'~' if *octet != b'%' => char::from(*octet).to_string(),
        _ => format!("%{octet:02X}"),
    };
    unique_id.iter().map(write).collect()
}
