//! Legacy documents that are a little different.

/// The document as it was earlier: the same job with another text in it.
pub(crate) fn aged(document: &[u8]) -> Vec<u8> {
    let mut document = document.to_vec();
    let name = b"\x02premise\0";
    let at = document.windows(name.len()).position(|window| window == name);
    // Behind the name lie the length of the text and the text.
    if let Some(letter) = at.and_then(|at| document.get_mut(at + name.len() + 4))
        && letter.is_ascii_alphabetic()
    {
        *letter ^= 0x20;
    }
    document
}

/// The document with a status that the mapping does not know.
pub(crate) fn spoiled(document: &[u8]) -> Vec<u8> {
    let mut document = document.to_vec();
    let name = b"\x02status\0";
    let at = document.windows(name.len()).position(|window| window == name).unwrap();
    document[at + name.len() + 4] = b'?';
    document
}
