//! How the daemon is, for whoever looks from outside: `/metrics` for Prometheus and `/healthz` for a load balancer or container,
//! on this very machine only. It changes nothing and names nobody; without `metrics:` in the configuration it does not exist.

pub mod catalogue;
pub mod gather;
pub mod serve;
pub mod tally;
pub mod text;

pub use serve::serve;
pub use tally::Tally;
