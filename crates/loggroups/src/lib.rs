//! Log groups: lines that functions and deliveries leave behind, kept and searched.
