//! MPEG transport streams (ISO/IEC 13818-1): packets of 188 bytes, in M2TS with a timestamp of four bytes in front.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::Path;

use crate::Extent;
use crate::pictures::{Pictures, fill};

/// Packets at the beginning of a file that must have a sync byte for it to be taken for a transport stream.
const SYNC_PACKETS: u64 = 5;
/// Bytes at the beginning of a file in which the tables of a program are looked for; they are repeated every 0.1 s.
const SEARCHED_BYTES: u64 = 4 << 20;
/// The size of a packet and the offset of its sync byte, without and with timestamps.
const FORMS: [(u64, u64); 2] = [(188, 0), (192, 4)];
/// Units in a second of a program's clock, without its extension and the lowest bit.
const CLOCK_RATE: f64 = 45_000.0;
/// Type of elementary streams with private data: subtitles, or sound whose kind only descriptors state.
const PRIVATE_DATA: u8 = 6;

/// The end of the last packet.
pub(crate) fn extent(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    Ok(find_form(file)?
        .map_or(Extent::default(), |(size, _)| Extent::from_length(length.next_multiple_of(size))))
}

/// The form of the packets; `None` if it is no transport stream.
fn find_form(file: &mut (impl Read + Seek)) -> io::Result<Option<(u64, u64)>> {
    for (size, sync_offset) in FORMS {
        let mut synced = 0;
        for packet in 0..SYNC_PACKETS {
            let mut byte = [0];
            file.seek(SeekFrom::Start(packet * size + sync_offset))?;
            synced += u64::from(file.read(&mut byte)? == 1 && byte == [0x47]);
        }
        if synced == SYNC_PACKETS {
            return Ok(Some((size, sync_offset)));
        }
    }
    Ok(None)
}

/// The form of the packets of a file that begins like this; `None` if it is no transport stream.
pub(crate) fn form_of(head: &[u8]) -> Option<(u64, u64)> {
    let is_sync =
        |position: u64| usize::try_from(position).is_ok_and(|position| head.get(position) == Some(&0x47));
    FORMS.into_iter().find(|(size, offset)| (0..SYNC_PACKETS).all(|packet| is_sync(packet * size + offset)))
}

/// Counts the pictures of the video streams, and notes jumps of the clock of the program that comes first (2.4.3.4). Where
/// packets are out of step, no more are counted.
pub(crate) fn count(
    file: &mut impl BufRead,
    (size, offset): (u64, u64),
    pictures: &mut Pictures,
) -> io::Result<()> {
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    // The packet id that the clock comes with.
    let mut clock_id = None;
    // The first and the last picture of each video stream.
    let mut streams: BTreeMap<u16, [u64; 2]> = BTreeMap::new();
    while fill(file, &mut bytes)? {
        let packet = bytes.get(usize::try_from(offset).unwrap_or(0)..).unwrap_or_default();
        let Some(&[0x47, flags, low, control]) = packet.first_chunk() else { return Ok(()) };
        let id = u16::from_be_bytes([flags & 0x1F, low]);
        let adaptation = match packet.get(4..) {
            Some([length, ..]) if control & 0x20 != 0 => 1 + usize::from(*length),
            _ => 0,
        };
        // Flags of the adaptation field, and the upper 32 bits of the time in units of 1/45,000 s.
        if adaptation >= 7
            && let Some([flags, a, b, c, d, ..]) = packet.get(5..)
            && flags & 0x10 != 0
            && *clock_id.get_or_insert(id) == id
        {
            let time = u64::from(u32::from_be_bytes([*a, *b, *c, *d]));
            pictures.set_clock(time, CLOCK_RATE, 1 << 32);
        }
        let begins_packet = flags & 0x40 != 0 && control & 0x10 != 0;
        if begins_packet
            && let Some([0, 0, 1, stream, ..]) = packet.get(4 + adaptation..)
            && matches!(stream, 0xE0..=0xEF | 0xFD)
        {
            let number = pictures.add();
            streams.entry(id).or_insert([number; 2])[1] = number;
        }
    }
    // Another recording may have other streams.
    for [first, _] in streams.values() {
        if streams.values().all(|[begin, end]| begin >= first || end < first) {
            pictures.jump_before(*first);
        }
    }
    Ok(())
}

/// Whether the file at `path` is a transport stream whose first program has a stream of private data, which GStreamer may not
/// play even if it is sound; false where it cannot be read.
pub fn has_private_stream(path: &Path) -> bool {
    let types = File::open(path).and_then(|mut file| stream_types(&mut file));
    types.is_ok_and(|types| types.contains(&PRIVATE_DATA))
}

/// The types of the elementary streams of the first program; empty where none is found.
fn stream_types(file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let Some((size, sync_offset)) = find_form(file)? else { return Ok(Vec::new()) };
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(SEARCHED_BYTES).read_to_end(&mut bytes)?;
    let mut program_map = None;
    for packet in bytes.chunks_exact(size as usize).filter_map(|packet| packet.get(sync_offset as usize..)) {
        let Some((pid, section)) = read_section(packet) else { continue };
        match program_map {
            // The program association table: numbers and packet ids; program 0 is the network's.
            None if pid == 0 => {
                let programs = section.get(5..).unwrap_or_default().chunks_exact(4);
                program_map = programs
                    .filter_map(|entry| <[u8; 4]>::try_from(entry).ok())
                    .find(|[a, b, ..]| [*a, *b] != [0, 0])
                    .map(|[_, _, c, d]| u16::from_be_bytes([c & 0x1F, d]));
            }
            Some(expected) if pid == expected => return Ok(read_program_map(section)),
            _ => {}
        }
    }
    Ok(Vec::new())
}

/// The packet id and the first section of a packet with which a table begins: what stands between its length and its
/// checksum. Sections that go on in another packet are cut off.
fn read_section(packet: &[u8]) -> Option<(u16, &[u8])> {
    let &[sync, flags, low, control] = packet.first_chunk()?;
    if sync != 0x47 || flags & 0x40 == 0 || control & 0x10 == 0 {
        return None;
    }
    let adaptation = if control & 0x20 == 0 { 0 } else { 1 + usize::from(*packet.get(4)?) };
    let payload = packet.get(4 + adaptation..188)?;
    let section = payload.get(1 + usize::from(*payload.first()?)..)?;
    let &[_table, high, length] = section.first_chunk()?;
    let length = usize::from(u16::from_be_bytes([high & 0x0F, length])).saturating_sub(4);
    let end = section.len().min(3 + length);
    Some((u16::from_be_bytes([flags & 0x1F, low]), section.get(3..end)?))
}

/// The types of the streams of a program map section (2.4.4.8).
fn read_program_map(section: &[u8]) -> Vec<u8> {
    let length = |at: usize| {
        let bytes = section.get(at..at + 2).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok());
        bytes.map(|[high, low]| usize::from(u16::from_be_bytes([high & 0x0F, low])))
    };
    let mut types = Vec::new();
    // Number, version, section numbers, clock, length of descriptors.
    let Some(descriptors) = length(7) else { return types };
    let mut at = 9 + descriptors;
    while let (Some(&kind), Some(descriptors)) = (section.get(at), length(at + 3)) {
        types.push(kind);
        at += 5 + descriptors;
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn packet(pid: u8, table: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len() as u8 + 4;
        let mut packet = [&[0x47, 0x40, pid, 0x10, 0, table, 0xB0, length][..], content].concat();
        packet.resize(188, 0xFF);
        packet
    }

    #[test]
    fn streams_of_the_first_program_are_found() {
        let association = packet(0, 0, &[0, 1, 0xC1, 0, 0, 0, 0, 0xE0, 16, 0, 1, 0xE0, 32]);
        let streams = [27, 0xE1, 0, 0xF0, 2, 7, 7, 6, 0xE1, 1, 0xF0, 0];
        let map = packet(32, 2, &[&[0, 1, 0xC1, 0, 0, 0xE1, 0, 0xF0, 0][..], &streams].concat());
        let other = packet(99, 2, &[7; 20]);
        let stream = [&association, &other, &map, &other, &other, &other].map(Clone::clone);
        let types = |bytes: Vec<u8>| stream_types(&mut Cursor::new(bytes)).unwrap();
        assert_eq!(types(stream.concat()), [27, 6]);
        assert_eq!(types(stream.map(|packet| [&[0; 4][..], &packet].concat()).concat()), [27, 6]);
        assert_eq!(types(other.repeat(6)), []);
        assert_eq!(types(vec![7; 2000]), []);
    }
}
