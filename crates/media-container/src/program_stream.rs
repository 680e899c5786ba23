//! MPEG program streams (ISO/IEC 13818-1, 2.5, and 11172-1): packs with a time, and packets in them.

use std::io::{self, BufRead};

use crate::pictures::{Pictures, fill, skip};

/// Codes behind the prefix 00 00 01: the header of a pack, the end of a program.
const PACK: u8 = 0xBA;
const END: u8 = 0xB9;
/// Units of a pack's clock in a second, and where it begins again.
const CLOCK_RATE: f64 = 90_000.0;
const CLOCK_PERIOD: u64 = 1 << 33;

/// Counts the video packets with a time, and notes jumps of the packs' clock.
pub(crate) fn count(file: &mut impl BufRead, pictures: &mut Pictures) -> io::Result<()> {
    let mut code = [0; 4];
    if !fill(file, &mut code)? {
        return Ok(());
    }
    loop {
        match code {
            [0, 0, 1, PACK] => {
                let mut clock = [0; 8];
                if !fill(file, &mut clock)? {
                    return Ok(());
                }
                let [a, b, c, d, e, ..] = clock.map(u64::from);
                // Behind marker bits of another length in MPEG-2, which has a longer header.
                let is_second = a >> 6 == 1;
                let high = if is_second { (a >> 3 & 7) << 2 | a & 3 } else { a >> 1 & 7 };
                let time = if is_second {
                    high << 28 | b << 20 | (c >> 3) << 15 | (c & 3) << 13 | d << 5 | e >> 3
                } else {
                    high << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
                };
                pictures.set_clock(time, CLOCK_RATE, CLOCK_PERIOD);
                if is_second {
                    let mut rest = [0; 2];
                    if !fill(file, &mut rest)? {
                        return Ok(());
                    }
                    skip(file, u64::from(rest[1] & 7))?;
                }
            }
            [0, 0, 1, END] => {}
            [0, 0, 1, stream] if stream > END => {
                let mut length = [0; 2];
                if !fill(file, &mut length)? {
                    return Ok(());
                }
                let length = usize::from(u16::from_be_bytes(length));
                let mut header = [0; 24];
                let header = &mut header[..length.min(24)];
                if !fill(file, header)? {
                    return Ok(());
                }
                if (0xE0..=0xEF).contains(&stream) && has_time(header) {
                    pictures.add();
                }
                skip(file, (length - header.len()) as u64)?;
            }
            // Padding, or damage: on to the next code.
            [_, b, c, d] => {
                let mut next = [0];
                if !fill(file, &mut next)? {
                    return Ok(());
                }
                code = [b, c, d, next[0]];
                continue;
            }
        }
        if !fill(file, &mut code)? {
            return Ok(());
        }
    }
}

/// Whether a packet whose header begins like this states a time.
fn has_time(header: &[u8]) -> bool {
    match header {
        // MPEG-2: flags, then which times there are.
        [first, flags, ..] if first >> 6 == 2 => flags & 0x80 != 0,
        // MPEG-1: stuffing, the size of a buffer, times.
        _ => {
            let mut rest = header.iter().skip_while(|byte| **byte == 0xFF).peekable();
            if rest.peek().is_some_and(|byte| **byte >> 6 == 1) {
                rest.nth(1);
            }
            rest.next().is_some_and(|byte| matches!(byte >> 4, 2 | 3))
        }
    }
}
