//! KPL's aggregated record format, written and read.
