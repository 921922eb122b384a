//! Tables that are written as such: serde would take a list as well, its values for the keys in their order.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use toml::Spanned;

type Tables<T> = Option<Spanned<Vec<Spanned<T>>>>;

/// Reads the value of a key that is a table, and nothing else.
pub(super) fn table<'de, D, T>(deserializer: D) -> Result<Option<Spanned<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let table = Spanned::<Table<T>>::deserialize(deserializer)?;
    let span = table.span();
    Ok(Some(Spanned::new(span, table.into_inner().0)))
}

/// The same of a key that is a list of tables.
pub(super) fn tables<'de, D, T>(deserializer: D) -> Result<Tables<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let tables = Spanned::<Vec<Spanned<Table<T>>>>::deserialize(deserializer)?;
    let span = tables.span();
    let each = tables.into_inner().into_iter().map(|table| {
        let span = table.span();
        Spanned::new(span, table.into_inner().0)
    });
    Ok(Some(Spanned::new(span, each.collect())))
}

struct Table<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys(PhantomData)).map(Self)
    }
}

struct Keys<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Keys<T> {
    type Value = T;

    /// As the derived ones say it.
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = type_name::<T>().rsplit("::").next();
        write!(f, "struct {}", name.unwrap_or_default())
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(keys))
    }
}
