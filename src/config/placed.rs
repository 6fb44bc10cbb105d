//! A value of the pipeline file with the bytes it stood at.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Range;

/// A value and its span, in the joint coordinates of `sources`.
///
/// In the JSON Schema it is the value alone.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stood.
    pub span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = toml::Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { span: spanned.span(), value: spanned.into_inner() })
    }
}

impl<T: JsonSchema> JsonSchema for Placed<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A value written either as text or as something else (number, array, table).
///
/// Told apart by the kind of value that stands there, not by trying one after the other, so that an error
/// inside keeps its place.
#[derive(Debug, Clone)]
pub enum TextOr<S, T> {
    /// A TOML string.
    Text(S),
    /// Any other TOML value.
    Other(T),
}

impl<'de, S: Deserialize<'de>, T: Deserialize<'de>> Deserialize<'de> for TextOr<S, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrVisitor(PhantomData))
    }
}

struct TextOrVisitor<S, T>(PhantomData<(S, T)>);

impl<'de, S: Deserialize<'de>, T: Deserialize<'de>> serde::de::Visitor<'de> for TextOrVisitor<S, T> {
    type Value = TextOr<S, T>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("text, number, array or table")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        S::deserialize(serde::de::value::StrDeserializer::new(text)).map(TextOr::Text)
    }
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
        T::deserialize(serde::de::value::I64Deserializer::new(number)).map(TextOr::Other)
    }
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
        T::deserialize(serde::de::value::F64Deserializer::new(number)).map(TextOr::Other)
    }
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, array: A) -> Result<Self::Value, A::Error> {
        T::deserialize(serde::de::value::SeqAccessDeserializer::new(array)).map(TextOr::Other)
    }
    fn visit_map<A: serde::de::MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(table)).map(TextOr::Other)
    }
}

impl<S: JsonSchema, T: JsonSchema> JsonSchema for TextOr<S, T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Or{}", S::schema_name(), T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let forms = [generator.subschema_for::<S>(), generator.subschema_for::<T>()];
        schemars::json_schema!({ "anyOf": forms })
    }
}

/// A number for all three axes, or one an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerAxis(pub [f64; 3]);

impl<'de> Deserialize<'de> for PerAxis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PerAxisVisitor)
    }
}

struct PerAxisVisitor;

impl<'de> serde::de::Visitor<'de> for PerAxisVisitor {
    type Value = PerAxis;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("number or array of 3 numbers")
    }
    fn visit_i64<E>(self, number: i64) -> Result<PerAxis, E> {
        Ok(PerAxis([number as f64; 3]))
    }
    fn visit_f64<E>(self, number: f64) -> Result<PerAxis, E> {
        Ok(PerAxis([number; 3]))
    }
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, array: A) -> Result<PerAxis, A::Error> {
        <[f64; 3]>::deserialize(serde::de::value::SeqAccessDeserializer::new(array)).map(PerAxis)
    }
}

/// Largest smoothing kernel accepted, mm: beyond it the number is a slip (a matrix size, micrometres).
const MAX_FWHM_MM: f64 = 100.0;

impl JsonSchema for PerAxis {
    fn schema_name() -> Cow<'static, str> {
        "PerAxis".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let length = serde_json::json!({ "type": "number", "minimum": 0.0, "maximum": MAX_FWHM_MM });
        schemars::json_schema!({
            "anyOf": [length, { "type": "array", "items": length, "minItems": 3, "maxItems": 3 }]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Probe {
        a: Placed<TextOr<String, Vec<Placed<String>>>>,
        b: TextOr<String, f64>,
        c: PerAxis,
    }

    #[test]
    fn spans_survive_inside_an_array_and_the_kind_of_value_decides() {
        let text = "a = ['x', 'yz']\nb = 3\nc = [1, 2.5, 3]\n";
        let probe: Probe = toml::from_str(text).unwrap();
        let TextOr::Other(rows) = probe.a.value else { panic!("an array is not text") };
        assert_eq!(&text[rows[1].span.clone()], "'yz'");
        assert!(matches!(probe.b, TextOr::Other(number) if number == 3.0));
        assert_eq!(probe.c, PerAxis([1.0, 2.5, 3.0]));
        let probe: Probe = toml::from_str("a = 'x'\nb = 'zero'\nc = 6").unwrap();
        assert!(matches!(probe.a.value, TextOr::Text(text) if text == "x"));
        assert!(matches!(probe.b, TextOr::Text(text) if text == "zero"));
        assert_eq!(probe.c, PerAxis([6.0; 3]));
    }
}
