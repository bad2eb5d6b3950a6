//! A door over deliveries in memory, for the tests beside the operations.
