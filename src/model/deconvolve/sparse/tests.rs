//! Tests of the whole method.
