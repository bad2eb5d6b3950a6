//! The language of object keys: prefixes with expressions, templates of whole keys, and patterns of times in both.
//!
//! Knows nothing of batches; what a batch's objects are called is decided in `intent::Names`.

mod pattern;
mod prefix;
mod template;

pub use self::{
    pattern::PatternError,
    prefix::{PrefixError, PrefixKind, Prefixes},
    template::DEFAULT as DEFAULT_KEY_TEMPLATE,
};
pub(crate) use self::{
    pattern::week,
    prefix::{RANDOM_CHARACTERS, Values, pattern},
    template::{KeyTemplate, Values as TemplateValues},
};
