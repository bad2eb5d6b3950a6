//! The suite that every implementation of [`crate::ObjectStore`] must pass.
