//! How people read a number of bytes.

/// A number of bytes for people.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut unit, mut of_unit) = (0, 1_u128);
    while u128::from(bytes) >= of_unit * 1024 && unit + 1 < UNITS.len() {
        of_unit *= 1024;
        unit += 1;
    }
    let tenths = (u128::from(bytes) * 20 + of_unit) / (of_unit * 2);
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
    }
}
