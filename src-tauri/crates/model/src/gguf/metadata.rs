//! The key/value part of a GGUF header.

use std::collections::HashMap;
use std::path::Path;

use super::cursor::Cursor;
use crate::load::LoadError;

/// Bytes of the shortest entry: an empty key, a type and one byte.
pub(super) const MIN_ENTRY_BYTES: u64 = 8 + 4 + 1;
const MAX_KEY_BYTES: u64 = 1 << 12;
const MAX_STRING_BYTES: u64 = 16 << 20;
/// Most elements of an array; vocabularies and their merges have some hundred thousand.
const MAX_ARRAY: u64 = 1 << 23;

/// One metadata value; the eleven scalar types of the format fall together into three.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Any of the eight integer types.
    Integer(i128),
    /// 32 or 64-bit float.
    Float(f64),
    /// One byte, 0 or 1.
    Boolean(bool),
    /// UTF-8.
    String(String),
    /// Array of any integer type.
    Integers(Vec<i64>),
    /// Array of floats.
    Floats(Vec<f32>),
    /// Array of booleans.
    Booleans(Vec<bool>),
    /// Array of strings.
    Strings(Vec<String>),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::String(_) => "a string",
            Self::Integers(_) => "an array of integers",
            Self::Floats(_) => "an array of floats",
            Self::Booleans(_) => "an array of booleans",
            Self::Strings(_) => "an array of strings",
        }
    }
}

/// A metadata entry that is missing or of another type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("metadata `{key}`: found {found}, expected {expected}")]
pub struct MetadataError {
    /// The entry's key.
    pub key: String,
    /// What the file holds.
    pub found: String,
    /// What was asked for.
    pub expected: &'static str,
}

impl MetadataError {
    /// The same error with the file it came from.
    pub fn at(self, path: &Path) -> LoadError {
        LoadError::malformed(
            path,
            format!("metadata `{}`", self.key),
            self.found,
            self.expected,
        )
    }
}

/// All entries of a file. Getters answer `None` for a missing key and an error for one of another type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    entries: HashMap<String, Value>,
}

impl FromIterator<(String, Value)> for Metadata {
    fn from_iter<T: IntoIterator<Item = (String, Value)>>(entries: T) -> Self {
        Self {
            entries: entries.into_iter().collect(),
        }
    }
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident -> $type:ty, $expected:literal, $pattern:pat => $value:expr) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// If the entry has another type.
        pub fn $name(&self, key: &str) -> Result<Option<$type>, MetadataError> {
            match self.entries.get(key) {
                None => Ok(None),
                Some($pattern) => Ok(Some($value)),
                Some(other) => Err(MetadataError {
                    key: key.to_owned(),
                    found: other.kind().to_owned(),
                    expected: $expected,
                }),
            }
        }
    };
}

impl Metadata {
    pub(super) fn read(cursor: &mut Cursor<'_>, count: u64) -> Result<Self, LoadError> {
        let mut entries = HashMap::new();
        for _ in 0..count {
            let key = cursor.string("metadata key", MAX_KEY_BYTES)?;
            let kind = cursor.u32(&key)?;
            let value = read_value(cursor, &key, kind)?;
            if entries.contains_key(&key) {
                return Err(cursor.refuse(
                    &format!("metadata `{key}`"),
                    "a second entry",
                    "one entry per key",
                ));
            }
            entries.insert(key, value);
        }
        Ok(Self { entries })
    }

    /// The raw value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key)
    }

    /// All keys, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    getter!(
        /// A string.
        string -> &str, "a string", Value::String(text) => text.as_str()
    );
    getter!(
        /// A boolean.
        boolean -> bool, "a boolean", Value::Boolean(flag) => *flag
    );
    getter!(
        /// An array of strings.
        strings -> &[String], "an array of strings", Value::Strings(list) => list.as_slice()
    );
    getter!(
        /// An array of integers.
        integers -> &[i64], "an array of integers", Value::Integers(list) => list.as_slice()
    );
    getter!(
        /// An array of floats.
        floats -> &[f32], "an array of floats", Value::Floats(list) => list.as_slice()
    );
    getter!(
        /// A float.
        float -> f64, "a float", Value::Float(value) => *value
    );
    getter!(
        /// An integer of any width.
        integer -> i128, "an integer", Value::Integer(value) => *value
    );

    /// An integer that is not negative and fits 64 bits.
    ///
    /// # Errors
    /// If the entry has another type or is out of range.
    pub fn unsigned(&self, key: &str) -> Result<Option<u64>, MetadataError> {
        self.narrowed(key, "an integer from 0 to 2^64-1")
    }

    /// A token id or another integer that is not negative and fits 32 bits.
    ///
    /// # Errors
    /// If the entry has another type or is out of range.
    pub fn id(&self, key: &str) -> Result<Option<u32>, MetadataError> {
        self.narrowed(key, "an integer from 0 to 2^32-1")
    }

    fn narrowed<T: TryFrom<i128>>(
        &self,
        key: &str,
        expected: &'static str,
    ) -> Result<Option<T>, MetadataError> {
        let Some(value) = self.integer(key)? else {
            return Ok(None);
        };
        match T::try_from(value) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(MetadataError {
                key: key.to_owned(),
                found: value.to_string(),
                expected,
            }),
        }
    }
}

/// Bytes of one element of a scalar type, `None` for strings, arrays and unknown types.
fn scalar_bytes(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn read_value(cursor: &mut Cursor<'_>, key: &str, kind: u32) -> Result<Value, LoadError> {
    match kind {
        8 => cursor.string(key, MAX_STRING_BYTES).map(Value::String),
        9 => read_array(cursor, key),
        _ => read_scalar(cursor, key, kind),
    }
}

fn read_scalar(cursor: &mut Cursor<'_>, key: &str, kind: u32) -> Result<Value, LoadError> {
    Ok(match kind {
        0 => Value::Integer(u8::from_le_bytes(cursor.array(key)?).into()),
        1 => Value::Integer(i8::from_le_bytes(cursor.array(key)?).into()),
        2 => Value::Integer(u16::from_le_bytes(cursor.array(key)?).into()),
        3 => Value::Integer(i16::from_le_bytes(cursor.array(key)?).into()),
        4 => Value::Integer(u32::from_le_bytes(cursor.array(key)?).into()),
        5 => Value::Integer(i32::from_le_bytes(cursor.array(key)?).into()),
        6 => Value::Float(f32::from_le_bytes(cursor.array(key)?).into()),
        7 => match cursor.array::<1>(key)? {
            [0] => Value::Boolean(false),
            [1] => Value::Boolean(true),
            [other] => return Err(cursor.refuse(key, format!("boolean {other}"), "0 or 1")),
        },
        10 => Value::Integer(u64::from_le_bytes(cursor.array(key)?).into()),
        11 => Value::Integer(i64::from_le_bytes(cursor.array(key)?).into()),
        12 => Value::Float(f64::from_le_bytes(cursor.array(key)?)),
        _ => {
            return Err(cursor.refuse(
                key,
                format!("value type {kind}"),
                "a value type from 0 to 12",
            ));
        }
    })
}

fn read_array(cursor: &mut Cursor<'_>, key: &str) -> Result<Value, LoadError> {
    let kind = cursor.u32(key)?;
    if kind == 8 {
        let count = cursor.count(key, MAX_ARRAY, 8)?;
        let list = (0..count)
            .map(|_| cursor.string(key, MAX_STRING_BYTES))
            .collect::<Result<_, _>>()?;
        return Ok(Value::Strings(list));
    }
    let Some(bytes) = scalar_bytes(kind) else {
        return Err(cursor.refuse(
            key,
            format!("an array of type {kind}"),
            "an array of scalars or strings",
        ));
    };
    let count = cursor.count(key, MAX_ARRAY, bytes)?;
    let mut list = match kind {
        7 => Value::Booleans(Vec::new()),
        6 | 12 => Value::Floats(Vec::new()),
        _ => Value::Integers(Vec::new()),
    };
    for _ in 0..count {
        match (&mut list, read_scalar(cursor, key, kind)?) {
            (Value::Booleans(list), Value::Boolean(value)) => list.push(value),
            (Value::Floats(list), Value::Float(value)) => list.push(value as f32),
            (Value::Integers(list), Value::Integer(value)) => match i64::try_from(value) {
                Ok(value) => list.push(value),
                Err(_) => return Err(cursor.refuse(key, value.to_string(), "integers below 2^63")),
            },
            _ => unreachable!("the list was made for this type"),
        }
    }
    Ok(list)
}
