//! A sum of hashes, which does not depend on their order.

/// A sum of 256-bit hashes, each read as a big-endian number, modulo 2^256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HashSum {
    /// Little-endian limbs.
    limbs: [u64; 4],
}

impl HashSum {
    pub(crate) fn add(&mut self, hash: &[u8; 32]) {
        let mut limbs = [0; 4];
        for (limb, part) in limbs.iter_mut().zip(hash.rchunks_exact(8)) {
            *limb = part.try_into().map_or(0, u64::from_be_bytes);
        }
        self.add_sum(HashSum { limbs });
    }

    /// Adds everything that another sum has added.
    pub(crate) fn add_sum(&mut self, other: HashSum) {
        let mut carry = false;
        for (limb, part) in self.limbs.iter_mut().zip(other.limbs) {
            let (sum, over) = limb.overflowing_add(part);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = over || over_again;
        }
    }

    /// 64 hex digits.
    pub(crate) fn hex(self) -> String {
        self.limbs.iter().rev().map(|limb| format!("{limb:016x}")).collect()
    }
}
