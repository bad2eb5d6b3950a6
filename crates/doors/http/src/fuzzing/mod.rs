//! Parsers that only this crate uses, for the fuzz targets: requests of HTTP/1.1, cut anywhere and beside hyper's.

mod conversation;
mod differential;
mod reading;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use conversation::with_ours;
pub use differential::differs_from_hyper;
pub use reading::requests;
