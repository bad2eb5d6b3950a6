//! AWS's policy documents: read, and evaluated for a request.
//!
//! A document that is a [`Policy`] is valid by IAM's grammar; what a service does not take of it, the service refuses.
//! Evaluation is pure: policies and a [`Request`] in, a [`Decision`] out. The caller is known from the wire; where
//! policies are kept, and what each service lets them say, is left to the doors. No service is known here.
//! (Source: the IAM User Guide, "IAM JSON policy element reference" and "Policy evaluation logic".)

mod access;
mod condition;
mod evaluate;
mod malformed;
mod pattern;
mod policy;
mod principal;
mod raw;
#[cfg(test)]
mod tests;
mod values;

pub use access::{Access, Denied};
pub use condition::{Condition, Keys};
pub use evaluate::{Decision, Request, evaluate};
pub use malformed::Malformed;
pub use pattern::Pattern;
pub use policy::{Action, Effect, Listed, Policy, Statement};
pub use principal::Principal;
