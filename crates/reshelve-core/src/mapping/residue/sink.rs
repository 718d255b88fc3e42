//! Where a restored document goes: into a buffer, or into a comparison.

use super::error::RestoreError;

/// No legacy document is larger than this. The limit stops a forged residue.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Where a restored document goes.
pub(crate) trait Sink {
    /// Takes a value with its type and name; its bytes come in parts.
    fn element<const N: usize>(
        &mut self,
        kind: u8,
        name: &[u8],
        value: [&[u8]; N],
    ) -> Result<(), RestoreError>;
    /// Begins a document or array; the root has neither type nor name.
    fn begin(&mut self, header: Option<(u8, &[u8])>) -> Result<usize, RestoreError>;
    /// Ends what was begun.
    fn end(&mut self, mark: usize) -> Result<(), RestoreError>;
}

/// Builds the document.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) bytes: Vec<u8>,
}

impl Sink for Build {
    fn element<const N: usize>(
        &mut self,
        kind: u8,
        name: &[u8],
        value: [&[u8]; N],
    ) -> Result<(), RestoreError> {
        let length = value.iter().map(|part| part.len()).sum::<usize>();
        if self.bytes.len() + name.len() + length > DOCUMENT_BYTES_MAX {
            return Err(RestoreError::TooLarge);
        }
        self.bytes.push(kind);
        self.bytes.extend_from_slice(name);
        self.bytes.push(0);
        value.iter().for_each(|part| self.bytes.extend_from_slice(part));
        Ok(())
    }

    fn begin(&mut self, header: Option<(u8, &[u8])>) -> Result<usize, RestoreError> {
        if let Some((kind, name)) = header {
            self.element(kind, name, [])?;
        }
        let mark = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        Ok(mark)
    }

    fn end(&mut self, mark: usize) -> Result<(), RestoreError> {
        self.bytes.push(0);
        let length = u32::try_from(self.bytes.len() - mark).map_err(|_| RestoreError::TooLarge)?;
        self.bytes[mark..mark + 4].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }
}

/// Compares with the expected document, and builds nothing: the proof of every round trip.
#[derive(Debug)]
pub(crate) struct Compare<'e> {
    expected: &'e [u8],
    at: usize,
}

impl<'e> Compare<'e> {
    pub(crate) fn new(expected: &'e [u8]) -> Self {
        Compare { expected, at: 0 }
    }

    /// Whether all of the expected document came.
    pub(crate) fn is_complete(&self) -> bool {
        self.at == self.expected.len()
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let end = self.at + bytes.len();
        if self.expected.get(self.at..end) != Some(bytes) {
            return Err(RestoreError::Differs(self.at));
        }
        self.at = end;
        Ok(())
    }
}

impl Sink for Compare<'_> {
    fn element<const N: usize>(
        &mut self,
        kind: u8,
        name: &[u8],
        value: [&[u8]; N],
    ) -> Result<(), RestoreError> {
        self.take(&[kind])?;
        self.take(name)?;
        self.take(&[0])?;
        value.into_iter().try_for_each(|part| self.take(part))
    }

    fn begin(&mut self, header: Option<(u8, &[u8])>) -> Result<usize, RestoreError> {
        if let Some((kind, name)) = header {
            self.element(kind, name, [])?;
        }
        let mark = self.at;
        self.at += 4;
        Ok(mark)
    }

    fn end(&mut self, mark: usize) -> Result<(), RestoreError> {
        self.take(&[0])?;
        let length = u32::try_from(self.at - mark).map_err(|_| RestoreError::TooLarge)?;
        if self.expected.get(mark..mark + 4) != Some(&length.to_le_bytes()) {
            return Err(RestoreError::Differs(mark));
        }
        Ok(())
    }
}
