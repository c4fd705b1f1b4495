/// A number stored as little-endian bytes.
pub(super) trait Number: Copy + Default {
    /// Bytes per number.
    const BYTES: usize;

    /// Converts bytes to numbers, [`Number::BYTES`] each.
    fn from_bytes(bytes: &[u8], numbers: &mut [Self]);

    /// Appends the bytes of numbers.
    fn to_bytes(numbers: &[Self], bytes: &mut Vec<u8>);
}

macro_rules! number {
    ($type:ty) => {
        impl Number for $type {
            const BYTES: usize = size_of::<$type>();

            fn from_bytes(bytes: &[u8], numbers: &mut [Self]) {
                for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks().0) {
                    *number = <$type>::from_le_bytes(*bytes);
                }
            }

            fn to_bytes(numbers: &[Self], bytes: &mut Vec<u8>) {
                bytes.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
            }
        }
    };
}

number!(f32);
number!(f64);
