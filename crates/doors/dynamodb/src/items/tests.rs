//! Operations on items, against tables over a log in a temporary folder.

mod batches;
mod capacity;
mod pages;
mod reads;
mod refusals;
mod throttled;
mod transactions;
mod writes;
