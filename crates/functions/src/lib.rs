//! Functions: packages, processes, the runtime API, invocation queues.
