//! The order of an autoregressive noise model, as `noise = "ar3"` says it.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

/// An order of 2 to 30, written `ar2` to `ar30`. `ar1` is a model of its own, without correction, as nilearn has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArOrder(u8);

/// 30 lags are 60 s at a repetition time of 2 s, longer than the response to an event; at short ones `pooled-ar` is what spans
/// 1/f noise, one voxel alone does not tell so many parameters.
const ORDERS: RangeInclusive<u8> = 2..=30;

impl ArOrder {
    /// Of an order within the bounds.
    pub fn new(order: usize) -> Option<Self> {
        u8::try_from(order).ok().filter(|order| ORDERS.contains(order)).map(Self)
    }

    /// The order.
    pub const fn get(self) -> usize {
        self.0 as usize
    }

    fn words() -> Vec<String> {
        ORDERS.map(|order| Self(order).to_string()).collect()
    }
}

impl fmt::Display for ArOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ar{}", self.0)
    }
}

impl Serialize for ArOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ArOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = ORDERS.map(Self).find(|order| order.to_string() == text);
        known.ok_or_else(|| serde::de::Error::custom(format!("unknown noise `{text}`")))
    }
}

/// Its words one by one, so that editors offer them and `shape` checks them like any other words.
impl JsonSchema for ArOrder {
    fn schema_name() -> Cow<'static, str> {
        "ArOrder".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "enum": Self::words() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Noise;

    #[test]
    fn orders_are_words_of_the_noise() {
        let read = |text: &str| serde_json::from_value::<Noise>(text.into()).ok();
        assert_eq!(read("ar3"), ArOrder::new(3).map(Noise::Ar));
        assert_eq!(read("ar30").map(|noise| serde_json::to_value(noise).unwrap()), Some("ar30".into()));
        assert_eq!((read("ar1"), read("tukey-ar")), (Some(Noise::Ar1), Some(Noise::TukeyAr)));
        for wrong in ["ar0", "ar31", "ar99", "arx", "ar03", "ar", "ar3 "] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!((ArOrder::new(1), ArOrder::new(31)), (None, None));
    }
}
