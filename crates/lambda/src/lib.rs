//! The lambda door: AWS's operations over the functions domain, one file an operation.
